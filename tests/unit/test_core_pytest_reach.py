"""What an audit event does, and whether it lies within a test's reach."""

import os
import socket
from pathlib import Path

import pytest

from tests.plugin.reach import ELSEWHERE, UNIT, WATCHED, Args

FREE = "/free"
CREATE = os.O_WRONLY | os.O_CREAT


def refusal(rules: object, event: str, args: Args) -> str:
    assert isinstance(rules, dict)
    told = rules[event].describe(event, args, FREE)
    assert isinstance(told, str)
    return told


@pytest.mark.parametrize(
    ("event", "args"),
    [
        ("socket.__new__", (None, socket.AF_UNIX, 1, 0)),
        ("open", ("/free/a", "w", CREATE)),
        ("open", (b"/free/a", "w", CREATE)),
        ("open", (Path("/free/a"), None, os.O_RDWR)),
        ("open", (3, "w", CREATE)),
        ("open", ("/dev/null", "w", CREATE)),
        ("open", ("/dev/urandom", "r", 0)),
        ("open", (pytest.__file__, "r", 0)),
        ("open", (os.__file__, "r", 0)),
        ("open", ("/free", "r", os.O_TMPFILE | 0)),
        ("os.listdir", (None,)),
        ("os.listdir", ("/free",)),
        ("os.mkdir", ("/free/a", 0o777, -1)),
        ("os.remove", ("name", 7)),
        ("os.rename", ("/free/a", "/free/b", -1, -1)),
        ("shutil.rmtree", ("/free/a", None)),
    ],
)
def test_a_unit_test_may(event: str, args: Args) -> None:
    assert refusal(UNIT, event, args) == ""


@pytest.mark.parametrize(
    ("event", "args", "told"),
    [
        ("socket.__new__", (None, socket.AF_INET, 1, 0), "a unit test opens a socket"),
        ("socket.connect", (None, "/run/socket"), "a unit test opens a socket"),
        ("subprocess.Popen", ("true", [], None, None), "a unit test starts or signals a process"),
        ("sqlite3.connect", (":memory:",), "a unit test reaches a database"),
        ("time.sleep", (0,), "a unit test sleeps"),
        ("open", ("/free/../etc/passwd", "r", 0), "a unit test reads /etc/passwd"),
        ("open", ("/freer/a", "r", 0), "a unit test reads /freer/a"),
        ("open", (pytest.__file__, "w", CREATE), "a unit test writes"),
        ("open", ("/elsewhere", None, os.O_RDWR), "a unit test writes /elsewhere"),
        ("os.scandir", ("/etc",), "a unit test reads /etc"),
        ("os.mkdir", ("/a", 0o777, -1), "a unit test writes /a"),
        ("os.rename", ("/free/a", "/b", -1, -1), "a unit test writes /b"),
        ("os.truncate", ("/a", 5), "a unit test writes /a"),
    ],
)
def test_a_unit_test_may_not(event: str, args: Args, told: str) -> None:
    assert refusal(UNIT, event, args).startswith(told)


@pytest.mark.parametrize(
    ("event", "args"),
    [
        ("socket.connect", (None, ("127.0.0.1", 80))),
        ("socket.connect", (None, ("127.9.9.9", 80))),
        ("socket.connect", (None, ("::1", 80, 0, 0))),
        ("socket.connect", (None, ("localhost", 80))),
        ("socket.connect", (None, "/run/socket")),
        ("socket.getaddrinfo", (None, 80, 0, 0, 0)),
        ("socket.getaddrinfo", (b"localhost", 80, 0, 0, 0)),
        ("socket.gethostbyaddr", (socket.gethostname(),)),
        ("psycopg.connect", ("host=127.0.0.1 dbname=a",)),
        ("psycopg.connect", ("host=/run/postgresql",)),
        ("psycopg.connect", ("dbname=a",)),
    ],
)
def test_any_other_test_may_reach_its_own_machine(event: str, args: Args) -> None:
    assert refusal(ELSEWHERE, event, args) == ""


@pytest.mark.parametrize(
    ("event", "args", "host"),
    [
        ("socket.connect", (None, ("192.0.2.1", 80)), "192.0.2.1"),
        ("socket.connect", (None, ("2001:db8::1", 80, 0, 0)), "2001:db8::1"),
        ("socket.sendto", (None, ("192.0.2.1", 80)), "192.0.2.1"),
        ("socket.getaddrinfo", ("example.org", 80, 0, 0, 0), "example.org"),
        ("socket.gethostbyname", ("localhost.example.org",), "localhost.example.org"),
        ("psycopg.connect", ("host=localhost hostaddr=192.0.2.1",), "192.0.2.1"),
        ("psycopg.connect", ("host=localhost,db.example.org",), "db.example.org"),
    ],
)
def test_no_test_may_reach_another_machine(event: str, args: Args, host: str) -> None:
    assert refusal(ELSEWHERE, event, args) == f"a test reaches {host}"


def test_every_rule_is_watched_and_says_why_and_what_instead() -> None:
    for event, rule in [*UNIT.items(), *ELSEWHERE.items()]:
        assert event in WATCHED
        assert rule.why
        assert rule.instead
