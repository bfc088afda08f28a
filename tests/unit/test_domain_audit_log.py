from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.domain.log import ID_BYTES, Cursor, Frontier, Row, packed, unpacked
from audit.domain.merkle import HASH_BYTES, TILE_WIDTH, Edge, leaf_hash

EMPTY = Frontier(Edge.empty(), b"", Cursor(0, 0, 0))


def rows(count: int, first: int = 1) -> list[Row]:
    return [
        Row(Cursor(1, number, number), UUID(int=number), b"entry %d" % number, b"")
        for number in range(first, first + count)
    ]


class TestFrontier:
    def test_it_stands_behind_the_last_row(self) -> None:
        advance = EMPTY.grown(rows(3))
        assert (advance.frontier.size, advance.frontier.cursor) == (3, Cursor(1, 3, 3))

    def test_the_growth_of_the_tree_is_handed_over(self) -> None:
        grown = EMPTY.grown(rows(3))
        assert grown.growth == EMPTY.edge.grown([leaf_hash(row.entry) for row in rows(3)])

    def test_its_root_is_that_of_the_entries(self) -> None:
        wanted = Edge.empty().grown([leaf_hash(row.entry) for row in rows(3)]).edge.root()
        assert EMPTY.grown(rows(3)).frontier.edge.root() == wanted

    def test_ids_of_an_unfinished_tile_are_kept(self) -> None:
        advance = EMPTY.grown(rows(2))
        assert advance.id_tiles == ()
        assert advance.frontier.ids == UUID(int=1).bytes + UUID(int=2).bytes

    @pytest.mark.parametrize("count", [TILE_WIDTH, TILE_WIDTH + 1, 2 * TILE_WIDTH])
    def test_a_whole_tile_of_ids_is_handed_over(self, count: int) -> None:
        advance = EMPTY.grown(rows(count))
        assert [tile.tile for tile in advance.id_tiles] == list(range(count // TILE_WIDTH))
        assert {len(tile.ids) for tile in advance.id_tiles} == {TILE_WIDTH * ID_BYTES}
        assert len(advance.frontier.ids) == count % TILE_WIDTH * ID_BYTES

    def test_in_pieces_it_grows_to_the_same(self) -> None:
        once = EMPTY.grown(rows(TILE_WIDTH + 2)).frontier
        first = EMPTY.grown(rows(TILE_WIDTH - 2)).frontier
        assert first.grown(rows(4, first=TILE_WIDTH - 1)).frontier == once

    def test_a_tile_is_numbered_from_the_beginning_of_the_log(self) -> None:
        first = EMPTY.grown(rows(TILE_WIDTH)).frontier
        second = first.grown(rows(TILE_WIDTH, first=TILE_WIDTH + 1))
        assert [repr(tile.tile) for tile in second.id_tiles] == ["1"]


@given(st.lists(st.integers(0, TILE_WIDTH - 1), max_size=4))
def test_partial_tiles_are_read_as_they_were_written(widths: list[int]) -> None:
    partials = tuple(bytes([7]) * HASH_BYTES * width for width in widths)
    assert unpacked(packed(partials)) == partials
