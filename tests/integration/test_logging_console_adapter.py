"""Lines as an operator sees them, on a real stream."""

import io
import json
import logging
import logging.config
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core import context
from core.events import EventMetadata
from core.logging import ConsoleLogger, logging_config
from tests.plugin.faults import Faults

ROOT = Path(__file__).resolve().parents[2]
NAME = "dashtam.lines"
LEVELS = ["debug", "info", "warning", "error", "critical"]

Lines = Callable[[], list[str]]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What stands on the console of the logger `NAME`."""
    stream = io.StringIO()
    logger = logging.getLogger(NAME)
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    yield stream
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)
    logger.propagate = True


def attach(stream: io.StringIO, *, as_json: bool) -> None:
    config = logging_config(level="DEBUG", json=as_json)
    configurator: Any = logging.config.DictConfigurator(config)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(configurator.configure_formatter(config["formatters"]["structured"]))
    logging.getLogger(NAME).addHandler(handler)


def test_a_line_that_cannot_be_written_stops_nobody(faults: Faults) -> None:
    gone = io.StringIO()
    gone.close()
    faults.log_to(gone)
    ConsoleLogger().error("something_happened")
    assert sys.stderr is gone  # which could not be told either


@pytest.fixture
def documents(stream: io.StringIO) -> Callable[[], list[dict[str, Any]]]:
    """Each line so far, as a machine reads it."""
    attach(stream, as_json=True)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def lines(stream: io.StringIO) -> Lines:
    """Each line so far, as a person reads it."""
    attach(stream, as_json=False)
    return lambda: stream.getvalue().splitlines()


Documents = Callable[[], list[dict[str, Any]]]


def divide(password: str) -> float:
    return len(password) / 0


def log_a_surprise() -> None:
    try:
        divide("hunter2")
    except ZeroDivisionError:
        ConsoleLogger(NAME).error("request_failed", exc_info=True)


class TestJson:
    """Uses `documents`."""

    @pytest.mark.parametrize("level", LEVELS)
    def test_a_line_says_what_happened_at_which_level(self, documents: Documents, level: str):
        getattr(ConsoleLogger(NAME), level)("something_happened", count=1)
        (line,) = documents()
        assert (line["event"], line["level"], line["logger"], line["count"]) == (
            "something_happened",
            level,
            NAME,
            1,
        )

    @pytest.mark.conforms("L3")
    def test_the_time_is_utc_in_iso_8601(self, documents: Documents):
        ConsoleLogger(NAME).info("something_happened")
        assert documents()[0]["timestamp"].endswith("Z")

    def test_the_trace_id_of_the_request_is_in_each_line(self, documents: Documents):
        with context.bound(EventMetadata(trace_id="trace-id")):
            ConsoleLogger(NAME).info("one")
            logging.getLogger(NAME).info("two")
        assert [line["trace_id"] for line in documents()] == ["trace-id", "trace-id"]

    def test_outside_of_a_request_there_is_no_trace_id(self, documents: Documents):
        ConsoleLogger(NAME).info("something_happened")
        assert "trace_id" not in documents()[0]

    def test_what_is_bound_is_in_each_line(self, documents: Documents):
        logger = ConsoleLogger(NAME).bind(user="ada")
        logger.info("one")
        logger.info("two")
        assert [line["user"] for line in documents()] == ["ada", "ada"]

    def test_a_secret_is_redacted(self, stream: io.StringIO, documents: Documents):
        ConsoleLogger(NAME).info("login", password="hunter2", headers={"Cookie": "hunter2"})
        assert (documents()[0]["password"], "hunter2" in stream.getvalue()) == ("[redacted]", False)

    @pytest.mark.conforms("L10")
    def test_a_line_break_starts_no_line(self, documents: Documents):
        ConsoleLogger(NAME).info("login", agent='a\r\n{"event": "forged"}')
        assert [line["agent"] for line in documents()] == [r'a\r\n{"event": "forged"}']

    def test_a_value_that_is_no_json_is_described(self, documents: Documents):
        ConsoleLogger(NAME).info("something_happened", path=Path("/tmp"))
        assert documents()[0]["path"] == "PosixPath('/tmp')"

    def test_an_exception_comes_with_its_frames(self, documents: Documents):
        log_a_surprise()
        (surprise,) = documents()[0]["exception"]
        names = [frame["name"] for frame in surprise["frames"]]
        assert (surprise["exc_type"], names) == ("ZeroDivisionError", ["log_a_surprise", "divide"])

    def test_an_exception_comes_without_local_variables(
        self, stream: io.StringIO, documents: Documents
    ):
        log_a_surprise()
        assert (len(documents()), "hunter2" in stream.getvalue()) == (1, False)

    @pytest.mark.conforms("L4")
    def test_a_library_s_line_looks_alike(self, documents: Documents):
        logging.getLogger(NAME).warning("%s of %s", 1, 2)
        (line,) = documents()
        assert (line["event"], line["level"], line["logger"]) == ("1 of 2", "warning", NAME)

    def test_a_library_s_line_cannot_be_forged_either(self, documents: Documents):
        logging.getLogger(NAME).warning("path %s", "/\nforged")
        assert [line["event"] for line in documents()] == [r"path /\nforged"]

    def test_a_library_s_exception_comes_without_local_variables(
        self, stream: io.StringIO, documents: Documents
    ):
        try:
            divide("hunter2")
        except ZeroDivisionError:
            logging.getLogger(NAME).exception("it failed")
        assert (documents()[0]["exception"][0]["exc_type"], "hunter2" in stream.getvalue()) == (
            "ZeroDivisionError",
            False,
        )

    def test_what_is_below_the_level_is_not_said(self, documents: Documents):
        logging.getLogger(NAME).setLevel(logging.WARNING)
        ConsoleLogger(NAME).info("something_happened")
        assert documents() == []


class TestConsole:
    """Uses `lines`."""

    @pytest.mark.parametrize("level", LEVELS)
    def test_a_line_says_what_happened_at_which_level(self, lines: Lines, level: str):
        getattr(ConsoleLogger(NAME), level)("something_happened", count=1)
        (line,) = lines()
        parts = (f"[{level}", "something_happened", f"[{NAME}]", "count=1")
        assert [part for part in parts if part not in line] == []

    def test_the_trace_id_of_the_request_is_in_the_line(self, lines: Lines):
        with context.bound(EventMetadata(trace_id="trace-id")):
            ConsoleLogger(NAME).info("something_happened")
        assert "trace_id=trace-id" in lines()[0]

    def test_a_secret_is_redacted(self, lines: Lines):
        ConsoleLogger(NAME).info("login", token="hunter2", users=[{"password": "hunter2"}])
        assert ("token=[redacted]" in lines()[0], "hunter2" in lines()[0]) == (True, False)

    @pytest.mark.conforms("L10")
    @pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x85", "\u2028", "\u2029", "\x1b[1A"])
    def test_no_character_starts_a_line(self, stream: io.StringIO, lines: Lines, end: str):
        ConsoleLogger(NAME).info("login", agent=f"a{end}forged", nested={"a": [f"a{end}forged"]})
        assert (len(lines()), end in stream.getvalue().removesuffix("\n")) == (1, False)

    def test_an_exception_comes_with_its_frames(self, lines: Lines):
        log_a_surprise()
        assert (lines()[1], lines()[-1]) == (
            "Traceback (most recent call last):",
            "ZeroDivisionError: division by zero",
        )

    def test_an_exception_comes_without_local_variables(self, lines: Lines):
        log_a_surprise()
        values = [line for line in lines() if "hunter2" in line]
        assert values == ['    divide("hunter2")']  # the source, and no value beside it

    def test_there_are_no_colours(self, stream: io.StringIO, lines: Lines):
        log_a_surprise()
        assert (lines() != [], "\x1b" in stream.getvalue()) == (True, False)


SPEAK = """
import logging
import django
django.setup()
from core import container
container.get_logger().info("something_happened", token="hunter2")
logging.getLogger("django.server").info("GET /")
logging.getLogger("django.request").warning("Not Found")
"""


@pytest.fixture(scope="module")
def said() -> str:
    """What a process with these settings writes on its standard error."""
    return subprocess.run(
        [sys.executable, "-c", SPEAK],
        cwd=ROOT,
        env={name: text for name, text in os.environ.items() if name.startswith("COVERAGE_")}
        | {
            "PATH": os.environ["PATH"],
            "DJANGO_SETTINGS_MODULE": "config.local",
            "SECRET_KEY": "s" * 32,
            "LOG_LEVEL": "INFO",
            "LOG_JSON": "true",
        },
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    ).stderr


class TestProcess:
    """Uses `said`: a process with the settings of an installation."""

    @pytest.mark.conforms("L4")
    def test_every_line_is_said_once(self, said: str):
        events = [json.loads(line)["event"] for line in said.splitlines()]
        assert events == ["something_happened", "GET /"]

    def test_a_secret_is_redacted(self, said: str):
        assert ("[redacted]" in said, "hunter2" in said) == (True, False)
