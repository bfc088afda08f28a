"""The range search, against a server of the test's own and a folder."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from core import container
from users.adapters import password_policy
from users.breaches import BreachRanges

LEAKED = "a password that leaked"
DIGEST = hashlib.sha1(LEAKED.encode(), usedforsecurity=False).hexdigest().upper()
RANGE = f"{'0' * 35}:3\r\n{DIGEST[5:]}:42\r\n{'F' * 35}:0\r\n"


class Ranges(BaseHTTPRequestHandler):
    asked: list[tuple[str, str | None]] = []
    body = RANGE
    status = 200

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Add-Padding"]))
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body.encode())

    def log_message(self, *_: Any) -> None:
        """Not to the terminal."""


@pytest.fixture
def source() -> Iterator[type[Ranges]]:
    class Source(Ranges):
        asked: list[tuple[str, str | None]] = []

    with HTTPServer(("127.0.0.1", 0), Source) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        Source.url = f"http://127.0.0.1:{server.server_port}/range/"  # type: ignore[attr-defined]
        yield Source
        server.shutdown()
        thread.join()


class TestOverHttp:
    """Uses fixtures: caplog, override, source."""

    @pytest.mark.conforms("A6")
    def test_the_source_learns_five_characters(self, source: Any) -> None:
        assert BreachRanges(source.url).holds(LEAKED) is True
        assert source.asked == [(f"/range/{DIGEST[:5]}", "true")]

    def test_what_is_not_in_the_answer_is_not_breached(self, source: Any) -> None:
        source.body = f"{'0' * 35}:3"
        assert BreachRanges(source.url).holds(LEAKED) is False

    def test_a_padded_line_counts_for_nothing(self, source: Any) -> None:
        source.body = f"{DIGEST[5:]}:0"
        assert BreachRanges(source.url).holds(LEAKED) is False

    @pytest.mark.conforms("A6")
    def test_a_source_that_is_down_refuses_nothing_and_is_in_the_log(
        self, source: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        source.status = 503
        assert BreachRanges(source.url).holds(LEAKED) is False
        assert BreachRanges("http://127.0.0.1:1/range/").holds(LEAKED) is False
        assert caplog.text.count("breached_passwords_not_checked") == 2
        assert LEAKED not in caplog.text
        assert DIGEST[:5] not in caplog.text

    def test_the_setting_brings_it_into_the_policy(
        self, source: Any, override: Callable[..., Any]
    ) -> None:
        assert password_policy().check(LEAKED, "test@example.com").is_success
        override(get_settings=replace(container.get_settings(), breached_passwords_url=source.url))
        assert not password_policy().check(LEAKED, "test@example.com").is_success


class TestInAFolder:
    """Uses fixtures: tmp_path."""

    @pytest.mark.parametrize("ending", ["", ".txt"])
    def test_a_folder_of_answers_needs_no_network(self, tmp_path: Path, ending: str) -> None:
        (tmp_path / f"{DIGEST[:5]}{ending}").write_text(RANGE)
        ranges = BreachRanges(f"file://{tmp_path}/")
        assert (ranges.holds(LEAKED), ranges.holds("another one")) == (True, False)
