import pytest

from core.terminal import printable


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
