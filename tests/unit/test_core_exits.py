"""How commands end: 0 done, 1 refused, 3 no answer."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, CommandParser, call_command
from django.db import DatabaseError

from core.errors import AuditError, ConflictError, ErrorCode
from core.exits import NO_ANSWER, REFUSED, AnsweringCommand, Refusal, refusal


class Asking(AnsweringCommand):
    """Raises what it is asked for; it has a subcommand."""

    raised: Exception | None = None

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("go").add_argument("--reason", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        if self.raised is not None:
            raise self.raised


def ended(raised: Exception, *arguments: str) -> tuple[int, str]:
    said = io.StringIO()
    command = Asking(stderr=said, no_color=True)
    command.raised = raised
    with pytest.raises(SystemExit) as stopped:
        call_command(command, *arguments)
    return int(str(stopped.value.code)), said.getvalue().strip()


class TestExits:
    @pytest.mark.parametrize(
        ("raised", "code", "said"),
        [
            (Refusal("It has ended."), REFUSED, "It has ended."),
            (CommandError("No key."), NO_ANSWER, "No key."),
            (
                DatabaseError("refused\nIs it running?"),
                NO_ANSWER,
                "The database does not answer; `manage.py doctor` looks why: refused",
            ),
        ],
        ids=["refused", "no answer", "no database"],
    )
    def test_each_end_has_its_code_and_one_sentence(
        self, raised: Exception, code: int, said: str
    ) -> None:
        assert ended(raised, "go", "--reason", "x") == (code, said)

    @pytest.mark.parametrize(
        "typed", [["m", "asking"], ["m", "asking", "go"], ["m", "asking", "went"]], ids=str
    )
    def test_wrong_usage_of_a_subcommand_too_is_no_answer(
        self, typed: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as stopped:
            Asking(no_color=True).run_from_argv(typed)
        assert stopped.value.code == NO_ANSWER
        assert "Error: " in capsys.readouterr().err

    def test_whoever_closed_the_pipe_has_seen_enough(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        command = Asking(no_color=True)
        command.raised = BrokenPipeError()
        with (tmp_path / "out").open("w") as out:
            monkeypatch.setattr("sys.stdout", out)
            command.run_from_argv(["m", "asking", "go", "--reason", "x"])
            print("more", file=out, flush=True)
        assert (tmp_path / "out").read_text() == ""

    def test_what_a_handler_refuses_is_a_refusal(self) -> None:
        found = refusal(ConflictError(ErrorCode.LAST_ADMIN, "The last one."))
        assert (type(found), str(found)) == (Refusal, "The last one.")

    def test_where_a_service_is_away_nothing_was_refused(self) -> None:
        found = refusal(AuditError(ErrorCode.AUDIT_UNAVAILABLE, "Not now."))
        assert (type(found), str(found)) == (
            CommandError,
            "Not now. `manage.py doctor` looks why.",
        )
