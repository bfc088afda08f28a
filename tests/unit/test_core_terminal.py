import io
from datetime import datetime, timedelta, timezone

import pytest

from core.terminal import Cell, moment, print_facts, print_rows, printable

NAMES = ("Whose", "State")
ROWS: list[list[Cell]] = [[("ada@example.com", "1\x1b[2J"), "live"], ["bob", "over\tall"]]
FACTS = [("Account", "ada@example.com"), ("Note", "one\ntwo")]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Of 80 columns, in one colour."""
    for name, value in {"COLUMNS": "80", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)
    return Terminal()


class TestWhatCameFromOutside:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("Zoë from München 🙂", "Zoë from München 🙂"),
            ("\x1b[2K\x1b[31mall is well", "\\x1b[2K\\x1b[31mall is well"),
            ("one\r\ntwo", "one\\r\\ntwo"),
            ("\x9b31m", "\\x9b31m"),
            ("safe\u202etxt.exe", "safe\\u202etxt.exe"),
        ],
        ids=["letters", "escape", "lines", "c1", "bidi"],
    )
    def test_it_is_shown_and_cannot_move_the_cursor(self, text: str, shown: str) -> None:
        assert printable(text) == shown


class TestRows:
    """Uses fixtures: terminal."""

    def test_in_a_pipe_a_row_is_a_line_and_no_cell_can_be_two(self) -> None:
        out = io.StringIO()
        print_rows(out, NAMES, ROWS)
        assert out.getvalue() == "ada@example.com\t1\\x1b[2J\tlive\nbob\tover\\tall\n"

    def test_on_a_terminal_they_stand_under_their_names(self, terminal: Terminal) -> None:
        print_rows(terminal, NAMES, ROWS)
        lines = [line.split() for line in terminal.getvalue().splitlines()]
        assert lines == [
            ["Whose", "State"],
            ["ada@example.com", "live"],
            ["1\\x1b[2J"],
            ["bob", "over\\tall"],
        ]

    def test_a_long_cell_is_folded_and_not_cut(self, terminal: Terminal) -> None:
        address = "x" * 254
        print_rows(terminal, NAMES, [[address, "live"]])
        lines = terminal.getvalue().splitlines()
        assert max(map(len, lines)) <= 80
        assert terminal.getvalue().count("x") == len(address)


class TestFacts:
    """Uses fixtures: terminal."""

    def test_in_a_pipe_each_is_a_line(self) -> None:
        out = io.StringIO()
        print_facts(out, FACTS)
        assert out.getvalue() == "Account: ada@example.com\nNote: one\\ntwo\n"

    def test_on_a_terminal_they_stand_in_two_columns(self, terminal: Terminal) -> None:
        print_facts(terminal, FACTS)
        lines = [line.rstrip() for line in terminal.getvalue().splitlines()]
        assert lines == ["Account  ada@example.com", "Note     one\\ntwo"]


def test_a_moment_is_told_in_utc() -> None:
    at = datetime(2024, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert moment(at) == "2023-12-31 23:30 UTC"
