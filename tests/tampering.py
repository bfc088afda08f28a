"""A sealed trail to tamper with, and what whoever owns its store can do to it. The same in memory,
on PostgreSQL and on SQLite."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from audit.application.sealing import Sealer
from audit.application.verification.verifier import Report, Verified, Verifier
from audit.domain.checkpoint import Checkpoint, SigningKey, read_checkpoint, sign_checkpoint
from audit.domain.entry import Entry, attempt_id, mac_of, outcome_id, sole_id
from audit.domain.findings import Finding, Kind
from audit.domain.log import packed
from audit.domain.merkle import HASH_BYTES, Edge, leaf_hash
from core.actions import Phase
from core.ids import first_id_since
from core.keys import KeyRing
from tests.factories import make_entry

CHECKPOINTS = (300, 560, 600)
SIZE = CHECKPOINTS[-1]
"""Two whole tiles and a partial one."""
ANCIENT = 30
"""So many of the first leaves have ids of the month before."""
MAC_KEYS = KeyRing("1", {"1": b"m" * 32})
Change: TypeAlias = Callable[[bytes], bytes]

Found = tuple[Kind, int | None, int | None]
"""Kind, leaf, and the leaf that has the id: `STRANGER` where none has it."""
STRANGER = -1


def entries() -> Iterator[Entry]:
    """Attempts, their outcomes, and what stands alone, in turns; the last one is not sealed."""
    for number in range(0, SIZE, 3):
        shift = timedelta(days=datetime.now(UTC).day if number < ANCIENT else 0)
        attempt, alone = earlier(attempt_id(), shift), earlier(sole_id(), shift)
        begun = entry(id=attempt, phase=Phase.ATTEMPTED)
        yield begun
        yield replace(begun, id=outcome_id(attempt), phase=Phase.SUCCEEDED, attempt=attempt)
        yield entry(id=alone)
    yield entry()


def earlier(entry_id: UUID, shift: timedelta) -> UUID:
    return UUID(int=entry_id.int - (int(shift.total_seconds() * 1000) << 80))


def entry(**over: Any) -> Entry:
    return make_entry(at=datetime.now(UTC), pii="cGVyc29uYWw=", source="c291cmNl", **over)


@dataclass
class Trail(ABC):
    """Sealed; what whoever owns its store can do to it is what a subclass implements."""

    keeper: Any
    ids: list[UUID]
    notes: list[str]

    @property
    def mac_keys(self) -> KeyRing:
        return MAC_KEYS

    def begin(self) -> None:
        """Seals `SIZE` entries, and leaves one that waits."""
        self.keeper.add(SigningKey.generate("dashtam.test/audit"))
        made = list(entries())
        self.ids += [each.id for each in made]
        self.insert(*made[:SIZE])
        for first, last in zip((0, *CHECKPOINTS), CHECKPOINTS, strict=False):
            self.seal(last - first)
        self.insert(made[SIZE])

    def seal(self, batch: int) -> None:
        sealer = Sealer(log=self.log(), keeper=self.keeper, mac_keys=self.mac_keys, batch=batch)
        assert sealer.seal()
        self.notes.append(self.keeper.checkpoint() or "")

    @abstractmethod
    def log(self) -> Any:
        """A sealed log that has read nothing yet; `evidence` as well."""

    @abstractmethod
    def evidence(self) -> Any: ...

    @abstractmethod
    def insert(self, *made: Entry) -> None: ...

    @abstractmethod
    def value(self, leaf: int, column: str) -> Any: ...

    @abstractmethod
    def put(self, leaf: int, column: str, value: Any) -> None: ...

    @abstractmethod
    def put_of(self, entry_id: UUID, column: str, value: Any) -> None: ...

    @abstractmethod
    def remove(self, *leaves: int) -> None: ...

    @abstractmethod
    def change_tile(self, kind: int, level: int, index: int, act: Change) -> None: ...

    @abstractmethod
    def remove_tiles(self, *, kind: int | None = None, level: int = 0, index: int = 0) -> None:
        """All of them where no kind is given."""

    @abstractmethod
    def repeat_tiles(self, index: int, at: int) -> None: ...

    @abstractmethod
    def change_checkpoint(self, size: int, column: str, act: Callable[[Any], Any]) -> None: ...

    @abstractmethod
    def remove_checkpoints(self, *sizes: int) -> None:
        """All of them where no size is given."""

    @abstractmethod
    def add_checkpoint(self, signed: Checkpoint, note: str) -> None: ...

    @abstractmethod
    def change_edge(self, column: str, act: Callable[[Any], Any]) -> None: ...

    @abstractmethod
    def remove_edge(self) -> None: ...

    @abstractmethod
    def lose_the_file(self) -> None: ...

    def entry(self, leaf: int) -> bytes:
        return bytes(self.value(leaf, "entry"))

    @property
    def checkpoints(self) -> list[Checkpoint]:
        return [read_checkpoint(note, self.keeper.verifier_keys()) for note in self.notes]

    def verifier(self, **over: Any) -> Verifier:
        values: dict[str, Any] = {
            "evidence": self.evidence(),
            "vkeys": self.keeper.verifier_keys(),
            "mac_keys": self.mac_keys,
        }
        return Verifier(**values | over)

    def verify(self, *outside: Checkpoint, since: Verified | None = None) -> Report:
        return self.verifier().verify(since, outside)

    def found(self, report: Report) -> set[Found]:
        return {(each.kind, each.leaf, self._place(each)) for each in report.findings}

    def _place(self, finding: Finding) -> int | None:
        if finding.id is None:
            return None
        return self.ids.index(finding.id) if finding.id in self.ids else STRANGER


Damage: TypeAlias = Callable[[Trail], None]


@dataclass(frozen=True)
class Case:
    name: str
    damage: Damage
    expected: set[Found]


def at(leaf: int, *kinds: Kind) -> set[Found]:
    return {(kind, leaf, leaf) for kind in kinds}


def rewritten(change: Callable[[bytes], bytes], leaf: int = 11) -> Damage:
    """The entry alone."""

    def damage(trail: Trail) -> None:
        before = trail.entry(leaf)
        after = change(before)
        assert after != before
        trail.put(leaf, "entry", after)

    return damage


def forged(leaf: int) -> Damage:
    """By somebody who has the application's key, too: entry, column and MAC agree."""

    def damage(trail: Trail) -> None:
        raw = replaced(b"test.arranged", b"user.login")(trail.entry(leaf))
        trail.put(leaf, "entry", raw)
        trail.put(leaf, "action", "user.login")
        trail.put(leaf, "mac", mac_of(raw, trail.mac_keys))

    return damage


def with_hash(leaf: int) -> Damage:
    """And the hash that is stored for it, in a whole tile."""

    def damage(trail: Trail) -> None:
        forged(leaf)(trail)
        put_hash(trail, leaf, leaf_hash(trail.entry(leaf)))

    return damage


def put_hash(trail: Trail, leaf: int, value: bytes) -> None:
    trail.change_tile(0, 0, leaf // 256, put(leaf % 256 * HASH_BYTES, value))


def column(name: str, value: Any, leaf: int = 11) -> Damage:
    return lambda trail: trail.put(leaf, name, value)


def deleted(leaves: Sequence[int]) -> Damage:
    return lambda trail: trail.remove(*leaves)


def both(first: Damage, second: Damage) -> Damage:
    def damage(trail: Trail) -> None:
        first(trail)
        second(trail)

    return damage


def swapped(one: int, other: int, *columns: str) -> Damage:
    def damage(trail: Trail) -> None:
        first = [trail.value(one, name) for name in columns]
        second = [trail.value(other, name) for name in columns]
        for name, here, there in zip(columns, first, second, strict=True):
            trail.put(one, name, there)
            trail.put(other, name, here)

    return damage


def swapped_ids(one: int, other: int) -> Damage:
    def damage(trail: Trail) -> None:
        between = sole_id()
        move(trail, trail.ids[one], between)
        move(trail, trail.ids[other], trail.ids[one])
        move(trail, between, trail.ids[other])

    return damage


def move(trail: Trail, old: UUID, new: UUID) -> None:
    trail.put_of(old, "id", new)


def swapped_whole(one: int, other: int) -> Damage:
    """The leaves with their hashes and their ids: everything but the root agrees."""

    def damage(trail: Trail) -> None:
        hashes = [leaf_hash(trail.entry(leaf)) for leaf in (one, other)]
        put_hash(trail, one, hashes[1])
        put_hash(trail, other, hashes[0])
        for leaf, named in ((one, other), (other, one)):
            name_another(leaf, trail.ids[named])(trail)

    return damage


def name_another(leaf: int, entry_id: UUID) -> Damage:
    change = put(leaf % 256 * 16, entry_id.bytes)
    return lambda trail: trail.change_tile(1, 0, leaf // 256, change)


def slipped_in(leaf: int, old: bytes = b"", new: bytes = b"") -> Damage:
    """A copy of a row under another id, before all others."""

    def damage(trail: Trail) -> None:
        raw = trail.entry(leaf).replace(old, new)
        copy = entry(id=sole_id())
        trail.insert(copy)
        trail.put_of(copy.id, "entry", raw)
        trail.put_of(copy.id, "seq", -1)

    return damage


def tile(kind: int, index: int, act: Change) -> Damage:
    return lambda trail: trail.change_tile(kind, 0, index, act)


def checkpoint(size: int, column_name: str, act: Callable[[Any], Any]) -> Damage:
    return lambda trail: trail.change_checkpoint(size, column_name, act)


def signed_by_a_thief(size: int) -> Damage:
    def damage(trail: Trail) -> None:
        thief = SigningKey.generate("dashtam.test/audit")
        found = next(each for each in trail.checkpoints if each.size == size)
        note = sign_checkpoint(found, thief).encoded()
        checkpoint(size, "note", lambda _: note)(trail)

    return damage


def edge(column_name: str, act: Callable[[Any], Any]) -> Damage:
    return lambda trail: trail.change_edge(column_name, act)


def always(value: Any) -> Callable[[Any], Any]:
    return lambda _: value


def no_checkpoint(size: int) -> Damage:
    return lambda trail: trail.remove_checkpoints(size)


def put(position: int, value: bytes) -> Callable[[bytes], bytes]:
    def act(raw: bytes) -> bytes:
        return raw[:position] + value + raw[position + len(value) :]

    return act


def flipped(position: int) -> Callable[[bytes], bytes]:
    def act(raw: bytes) -> bytes:
        changed = bytearray(raw)
        changed[position] ^= 1
        return bytes(changed)

    return act


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda raw: raw.replace(old, new, 1)


def reordered_keys(raw: bytes) -> bytes:
    document = json.loads(raw)
    turned = dict(reversed(document.items()))
    return json.dumps(turned, separators=(",", ":"), ensure_ascii=False).encode()


def resealed(leaf: int) -> Damage:
    """Everything is computed anew, and signed with the stolen key."""

    def damage(trail: Trail) -> None:
        forged(leaf)(trail)
        trail.remove_tiles()
        trail.remove_checkpoints()
        for name, value in (("size", 0), ("partials", b""), ("partial_ids", b"")):
            trail.change_edge(name, always(value))
        for name in ("cursor_epoch", "cursor_xid", "cursor_seq"):
            trail.change_edge(name, lambda _: 0)
        trail.lose_the_file()
        for begin, end in zip((0, *CHECKPOINTS), CHECKPOINTS, strict=False):
            trail.seal(end - begin)

    return damage


def long_before(trail: Trail, size: int) -> Verified:
    """As if so many leaves were sealed and verified, without their rows."""
    trail.remove_tiles()
    trail.remove_checkpoints()
    edge = Edge.empty().grown([leaf_hash(str(n).encode()) for n in range(size)]).edge
    key = trail.keeper.signing_keys()[0]
    signed = Checkpoint(key.name, size, edge.root())
    note = sign_checkpoint(signed, key).encoded()
    ids = sole_id().bytes * (size % 256)
    for name, value in (("size", size), ("partials", packed(edge.partials)), ("partial_ids", ids)):
        trail.change_edge(name, always(value))
    trail.add_checkpoint(signed, note)
    trail.keeper.keep(note)
    return Verified(edge, trail.evidence().frontier().cursor, first_id_since(timedelta()))


NOT_READ = (Kind.NOT_AN_ENTRY, Kind.MAC, Kind.ALTERED)
BYTES: dict[str, tuple[Callable[[bytes], bytes], tuple[Kind, ...]]] = {
    "the first byte": (put(0, b"["), NOT_READ),
    "the last byte": (lambda raw: raw[:-1] + b"]", NOT_READ),
    "the name of a key": (replaced(b'"actor"', b'"actoR"'), NOT_READ),
    "a quote": (replaced(b'"', b"'"), NOT_READ),
    "a digit of the time": (
        lambda raw: flipped(raw.index(b'Z","attempt"') - 1)(raw),
        (Kind.MAC, Kind.ALTERED),
    ),
    "what is personal": (replaced(b"cGVyc29u", b"cGVyc29v"), (Kind.MAC, Kind.ALTERED)),
    "where it came from": (replaced(b"c291cmNl", b"c291cmNm"), (Kind.MAC, Kind.ALTERED)),
    "a value of the context": (replaced(b'"none"', b'"some"'), (Kind.MAC, Kind.ALTERED)),
    "a space more": (replaced(b":", b": "), (Kind.MAC, Kind.ALTERED)),
    "a line more": (lambda raw: raw + b"\n", (Kind.MAC, Kind.ALTERED)),
    "no ASCII": (replaced(b'"none"', '"nöne"'.encode()), (Kind.MAC, Kind.ALTERED)),
    "no UTF-8": (replaced(b'"none"', b'"n\xffne"'), NOT_READ),
    "a zero": (replaced(b'"none"', b'"n\x00ne"'), NOT_READ),
    "a surrogate": (replaced(b'"none"', b'"\\ud800"'), (Kind.MAC, Kind.ALTERED)),
    "other order of keys": (reordered_keys, (Kind.MAC, Kind.ALTERED)),
    "a key twice": (replaced(b'"v":1', b'"v":1,"v":1'), (Kind.MAC, Kind.ALTERED)),
    "the action": (replaced(b"test.arr", b"test.der"), (Kind.MAC, Kind.COLUMN, Kind.ALTERED)),
    "the phase": (replaced(b"SOLE", b"FAILED"), (Kind.MAC, Kind.COLUMN, Kind.ALTERED)),
    "no phase": (replaced(b"SOLE", b"LONE"), NOT_READ),
    "the id": (
        lambda raw: raw.replace(raw[raw.index(b'"id":"') + 6 :][:36], b"A" * 36),
        (Kind.MAC, Kind.COLUMN, Kind.ALTERED),
    ),
    "cut short": (lambda raw: raw[:-20], NOT_READ),
    "nothing": (lambda _: b"", NOT_READ),
    "no object": (lambda _: b"[1]", NOT_READ),
    "very deep": (lambda _: b"[" * 60_000, NOT_READ),
    "a very long number": (replaced(b'"v":1', b'"v":' + b"1" * 5000), NOT_READ),
}
OF_COLUMNS: dict[str, tuple[Any, int]] = {
    "action": ("user.login", 11),
    "actor_ref": (sole_id(), 11),
    "subject_ref": (sole_id(), 11),
    "resource_type": ("session", 11),
    "resource_id": (sole_id(), 11),
    "correlation": (sole_id(), 11),
    "ip_bi": (b"87654321", 11),
    "phase": (Phase.FAILED.value, 10),
}
NULLABLE = ("actor_ref", "subject_ref", "resource_type", "resource_id", "ip_bi")
SOME = (0, 9, 255, 256, 299, 300, 511, 512, 599)
WHOLE_TILE = range(256)

CASES = [
    *(
        Case(f"entry: {name}", rewritten(act), at(11, *kinds))
        for name, (act, kinds) in BYTES.items()
    ),
    *(Case(f"entry of leaf {leaf}", forged(leaf), at(leaf, Kind.ALTERED)) for leaf in SOME),
    *(
        Case(f"column {name}", column(name, value, leaf), at(leaf, Kind.COLUMN))
        for name, (value, leaf) in OF_COLUMNS.items()
    ),
    *(Case(f"no {name}", column(name, None), at(11, Kind.COLUMN)) for name in NULLABLE),
    Case("the MAC", column("mac", b"m" * 32), at(11, Kind.MAC)),
    Case("the MAC of another row", swapped(9, 11, "mac"), at(9, Kind.MAC) | at(11, Kind.MAC)),
    Case("the MAC of what waits", column("mac", b"m" * 32, SIZE), {(Kind.MAC, None, SIZE)}),
    Case("the id", lambda trail: move(trail, trail.ids[11], sole_id()), at(11, Kind.COLUMN)),
    *(
        Case(f"row {leaf} is gone", deleted([leaf]), at(leaf, Kind.DELETED))
        for leaf in (2, 31, 599)
    ),
    Case(
        "an attempt is gone",
        deleted([9]),
        at(9, Kind.DELETED) | at(10, Kind.ORPHAN_OUTCOME),
    ),
    Case(
        "a whole tile is gone",
        deleted(WHOLE_TILE),
        {(Kind.DELETED, leaf, leaf) for leaf in WHOLE_TILE} | at(256, Kind.ORPHAN_OUTCOME),
    ),
    Case(
        "everything is gone",
        deleted(range(SIZE + 1)),
        {(Kind.DELETED, leaf, leaf) for leaf in range(SIZE)},
    ),
    Case(
        "another row in its place",
        both(deleted([11]), lambda trail: trail.insert(entry(id=trail.ids[11]))),
        at(11, Kind.ALTERED),
    ),
    Case(
        "two entries change places",
        swapped(11, 14, "entry"),
        at(11, Kind.REORDERED, Kind.COLUMN, Kind.MAC)
        | at(14, Kind.REORDERED, Kind.COLUMN, Kind.MAC),
    ),
    Case(
        "two entries of two checkpoints change places",
        swapped(11, 599, "entry", "mac"),
        at(11, Kind.REORDERED, Kind.COLUMN) | at(599, Kind.REORDERED, Kind.COLUMN),
    ),
    Case(
        "two ids change places",
        swapped_ids(11, 14),
        at(11, Kind.REORDERED, Kind.COLUMN) | at(14, Kind.REORDERED, Kind.COLUMN),
    ),
    Case("two leaves change places", swapped_whole(11, 14), {(Kind.REWRITTEN, 0, 0)}),
    Case("an entry with its hash", with_hash(11), {(Kind.REWRITTEN, 0, 0)}),
    Case("an entry with its hash, later", with_hash(301), {(Kind.REWRITTEN, 300, 300)}),
    Case("a copy slipped in", slipped_in(11), {(Kind.INSERTED, None, STRANGER)}),
    Case("a row slipped in", slipped_in(11, b"none", b"more"), {(Kind.INSERTED, None, STRANGER)}),
    Case("a hash", tile(0, 0, flipped(11 * 32)), at(11, Kind.TILE)),
    Case("the first hash", tile(0, 0, flipped(0)), at(0, Kind.TILE)),
    Case("the last hash of a tile", tile(0, 1, flipped(-1)), at(511, Kind.TILE)),
    Case("a tile cut short", tile(0, 1, lambda raw: raw[:-1]), at(511, Kind.TILE)),
    Case("an empty tile", tile(0, 1, lambda _: b""), at(256, Kind.TILE)),
    Case(
        "no tile",
        lambda trail: trail.remove_tiles(kind=0, index=1),
        at(256, Kind.TILE),
    ),
    Case(
        "a tile too many",
        lambda trail: trail.repeat_tiles(1, at=2),
        {(Kind.TILE, None, None), (Kind.ID_TILE, None, None)},
    ),
    Case("an id of a leaf", tile(1, 0, flipped(11 * 16)), at(11, Kind.ID_TILE)),
    Case("ids cut short", tile(1, 1, lambda raw: raw[:-1]), {(Kind.ID_TILE, 511, None)}),
    Case(
        "no ids",
        lambda trail: trail.remove_tiles(kind=1, index=1),
        {(Kind.ID_TILE, 256, None)},
    ),
    Case(
        "an id of another leaf",
        lambda trail: name_another(14, trail.ids[11])(trail),
        {(Kind.ID_TILE, 14, 14), (Kind.DUPLICATE, 14, 11)},
    ),
    Case(
        "two ids of leaves change places",
        both(
            lambda trail: name_another(11, trail.ids[14])(trail),
            lambda trail: name_another(14, trail.ids[11])(trail),
        ),
        at(11, Kind.ID_TILE) | at(14, Kind.ID_TILE),
    ),
    Case(
        "a root",
        checkpoint(300, "root", lambda raw: flipped(0)(bytes(raw))),
        {(Kind.CHECKPOINT, 299, None)},
    ),
    Case(
        "the size of a checkpoint",
        checkpoint(300, "size", lambda _: 301),
        {(Kind.CHECKPOINT, 300, None)},
    ),
    Case(
        "a note",
        checkpoint(300, "note", lambda note: note.replace("\n300\n", "\n301\n")),
        {(Kind.CHECKPOINT, 299, None)},
    ),
    Case(
        "a signature",
        checkpoint(300, "note", lambda note: note[:-9] + "AAAAAA==\n"),
        {(Kind.CHECKPOINT, 299, None)},
    ),
    Case("no note", checkpoint(300, "note", lambda _: ""), {(Kind.CHECKPOINT, 299, None)}),
    Case("a checkpoint of a thief", signed_by_a_thief(300), {(Kind.CHECKPOINT, 299, None)}),
    Case(
        "the last checkpoint is a thief's",
        signed_by_a_thief(600),
        {(Kind.CHECKPOINT, 599, None), (Kind.FRONTIER, 560, 560)},
    ),
    *(
        Case(
            f"no checkpoint of {size}",
            no_checkpoint(size),
            expected,
        )
        for size, expected in (
            (300, at(0, Kind.CHECKPOINT)),
            (560, at(300, Kind.CHECKPOINT)),
            (600, at(560, Kind.FRONTIER)),
        )
    ),
    Case(
        "no checkpoint at all",
        lambda trail: trail.remove_checkpoints(),
        {(Kind.FRONTIER, 0, 0)},
    ),
    Case(
        "the first id of a checkpoint",
        checkpoint(560, "first_id", lambda _: sole_id()),
        at(300, Kind.CHECKPOINT),
    ),
    Case(
        "the last id of a checkpoint",
        checkpoint(560, "last_id", lambda _: sole_id()),
        at(559, Kind.CHECKPOINT),
    ),
    *(
        Case(
            f"frontier: {name} {change}",
            edge(name, act),
            {(Kind.FRONTIER, None, None)},
        )
        for name, change, act in (
            ("size", "+ 1", lambda size: size + 1),
            ("size", "- 1", lambda size: size - 1),
            ("size", "= 0", lambda _: 0),
            ("size", "= 9000000000000", lambda _: 9_000_000_000_000),
            ("cursor_seq", "- 1", lambda seq: seq - 1),
        )
    ),
    Case(
        "frontier: a hash",
        edge("partials", flipped(1 + 87 * 32)),
        at(599, Kind.TILE) | {(Kind.FRONTIER, None, None)},
    ),
    Case("frontier: an upper hash", edge("partials", flipped(-1)), {(Kind.FRONTIER, None, None)}),
    Case("frontier: an id", edge("partial_ids", flipped(-1)), at(599, Kind.ID_TILE)),
    Case(
        "frontier: an id more",
        edge("partial_ids", lambda raw: raw + b"i" * 16),
        {(Kind.FRONTIER, None, None)},
    ),
    Case(
        "frontier: hashes cut",
        edge("partials", lambda raw: raw[:33]),
        at(513, Kind.TILE) | {(Kind.FRONTIER, None, None)},
    ),
    Case(
        "no frontier",
        lambda trail: trail.remove_edge(),
        {(Kind.TILE, 512, None), (Kind.ID_TILE, 512, None), (Kind.FRONTIER, None, None)},
    ),
]
"""What every database allows whoever owns it."""
