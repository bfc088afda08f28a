"""The pure part: what becomes of an event before it is a line. The lines are tested for real in
tests/integration/test_logging_console_adapter.py."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from core.logging import ConsoleLogger, escape_controls, logging_config, redact_secrets
from core.ports import LoggerProtocol

LEVELS = ["debug", "info", "warning", "error", "critical"]


def redacted(**event: Any) -> dict[str, Any]:
    return dict(redact_secrets(None, "info", event))


def escaped(**event: Any) -> dict[str, Any]:
    return dict(escape_controls(None, "info", event))


class TestRedaction:
    @pytest.mark.conforms("L5")
    @pytest.mark.parametrize(
        "key",
        [
            "password",
            "PASSWORD",
            "new_password",
            "passwd",
            "passphrase",
            "secret",
            "client_secret",
            "token",
            "access_token",
            "csrfmiddlewaretoken",
            "Authorization",
            "Cookie",
            "set-cookie",
            "apikey",
            "api_key",
            "X-Api-Key",
            "private_key",
            "credentials",
            "salt",
        ],
    )
    def test_a_key_that_looks_like_a_secret_hides_its_value(self, key: str):
        assert redacted(**{key: "hunter2"}) == {key: "[redacted]"}

    @pytest.mark.parametrize("key", ["event", "user_id", "key", "path", "status", "trace_id"])
    def test_any_other_key_shows_its_value(self, key: str):
        assert redacted(**{key: "value"}) == {key: "value"}

    @pytest.mark.parametrize("value", ["hunter2", b"hunter2", 1, None, ["hunter2"], {"a": 1}])
    def test_whatever_the_secret_is_it_is_hidden(self, value: object):
        assert redacted(password=value) == {"password": "[redacted]"}

    def test_a_secret_is_found_inside_a_mapping(self):
        event = redacted(headers={"Authorization": "Bearer t", "Accept": "json"})
        assert event == {"headers": {"Authorization": "[redacted]", "Accept": "json"}}

    def test_a_secret_is_found_inside_mappings_of_mappings(self):
        assert redacted(a={"b": {"token": "t"}}) == {"a": {"b": {"token": "[redacted]"}}}

    @pytest.mark.parametrize("pack", [list, tuple])
    def test_a_secret_is_found_inside_a_list(self, pack: type):
        event = redacted(users=pack([{"name": "ada", "password": "hunter2"}]))
        assert event == {"users": [{"name": "ada", "password": "[redacted]"}]}

    def test_a_key_that_is_no_text_is_no_problem(self):
        assert redacted(counts={1: "one"}) == {"counts": {1: "one"}}

    def test_the_caller_s_own_mapping_is_left_alone(self):
        headers = {"Authorization": "Bearer t"}
        redacted(headers=headers)
        assert headers == {"Authorization": "Bearer t"}


class TestEscaping:
    @pytest.mark.conforms("L10")
    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("a\nb", r"a\nb"),
            ("a\r\nb", r"a\r\nb"),
            ("\x1b[2J", r"\x1b[2J"),
            ("\x00", r"\x00"),
            ("\x7f", r"\x7f"),
            ("\x85", r"\x85"),
            ("\u2028\u2029", r"\u2028\u2029"),
            ("\t", r"\t"),
        ],
    )
    def test_a_control_character_is_written_out(self, text: str, line: str):
        assert escaped(agent=text) == {"agent": line}

    @pytest.mark.parametrize("value", ["plain text", "naïve 🦊", " ~", 7, None, 1.5])
    def test_anything_else_stays(self, value: object):
        assert escaped(value=value) == {"value": value}

    def test_the_event_itself_is_escaped(self):
        assert escaped(event="login\nforged") == {"event": r"login\nforged"}


class TestConsoleLogger:
    @pytest.mark.parametrize("level", LEVELS)
    def test_each_level_logs_at_its_level(self, level: str):
        with capture_logs() as logs:
            getattr(ConsoleLogger(), level)("something_happened", count=1)
        assert logs == [{"event": "something_happened", "count": 1, "log_level": level}]

    def test_it_is_a_logger(self):
        assert isinstance(ConsoleLogger(), LoggerProtocol)

    def test_what_is_bound_stands_in_every_line(self):
        with capture_logs() as logs:
            logger = ConsoleLogger("dashtam", user="ada").bind(request=1)
            logger.info("one")
            logger.info("two")
        assert [(log["user"], log["request"]) for log in logs] == [("ada", 1), ("ada", 1)]

    def test_binding_leaves_the_logger_as_it_was(self):
        with capture_logs() as logs:
            logger = ConsoleLogger()
            logger.bind(user="ada")
            logger.info("something_happened")
        assert "user" not in logs[0]

    def test_what_is_bound_last_wins(self):
        with capture_logs() as logs:
            ConsoleLogger("dashtam", user="ada").bind(user="bob").info("something_happened")
        assert logs[0]["user"] == "bob"

    def test_a_line_s_own_context_wins_over_what_is_bound(self):
        with capture_logs() as logs:
            ConsoleLogger("dashtam", user="ada").info("something_happened", user="bob")
        assert logs[0]["user"] == "bob"

    def test_a_name_can_be_bound_like_anything_else(self):
        with capture_logs() as logs:
            ConsoleLogger().bind(name="ada").info("something_happened")
        assert logs[0]["name"] == "ada"


class TestConfiguration:
    def test_the_root_logs_at_the_level_that_is_set(self):
        assert logging_config(level="ERROR", json=True)["root"]["level"] == "ERROR"

    @pytest.mark.parametrize(("echo", "level"), [(True, "DEBUG"), (False, "INFO")])
    def test_statements_are_logged_when_asked_for(self, echo: bool, level: str):
        config = logging_config(level="INFO", json=True, echo_sql=echo)
        assert config["loggers"]["django.db.backends"]["level"] == level

    @pytest.mark.parametrize("name", ["django", "django.server"])
    def test_django_s_own_handlers_do_not_say_it_twice(self, name: str):
        logger = logging_config(level="INFO", json=True)["loggers"][name]
        assert (logger["handlers"], logger["propagate"]) == ([], True)
