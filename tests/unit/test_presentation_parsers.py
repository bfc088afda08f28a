import io

import pytest
from rest_framework.exceptions import ParseError

from core.parsers import BoundedJSONParser


def parsed(body: bytes) -> object:
    return BoundedJSONParser().parse(io.BytesIO(body))


class TestBoundedJSONParser:
    def test_json_is_read(self) -> None:
        assert parsed(b'{"email": "a@b.example"}') == {"email": "a@b.example"}

    @pytest.mark.parametrize("opening", [b"[", b'{"a":'])
    def test_nesting_that_python_cannot_follow_is_the_senders_mistake(self, opening: bytes) -> None:
        with pytest.raises(ParseError, match="nested too deeply"):
            parsed(opening * 12_000)

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b"9" * 10_000, b"NaN", b"{'a': 1}"]
    )
    def test_what_is_no_json_is_told_without_the_parsers_words(self, body: bytes) -> None:
        with pytest.raises(ParseError, match=r"^The body is not valid JSON in UTF-8\.$"):
            parsed(body)
