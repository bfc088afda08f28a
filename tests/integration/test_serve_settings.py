"""What `manage.py serve` refuses before it starts anything."""

import socket
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.mark.parametrize("port", ["80000", "0", "-1", "web", "8000 "])
def test_a_port_that_is_none_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, port: str
) -> None:
    monkeypatch.setenv("PORT", port)
    with pytest.raises(CommandError, match=f"^PORT={port} is not a port: [^\n]*$"):
        call_command("serve")


def test_a_busy_port_is_told_with_another_to_take(
    monkeypatch: pytest.MonkeyPatch, busy_port: int
) -> None:
    monkeypatch.setenv("PORT", str(busy_port))
    with pytest.raises(CommandError, match=f"Choose another port: make run PORT={busy_port + 1}"):
        call_command("serve")
