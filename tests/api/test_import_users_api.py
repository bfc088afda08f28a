"""`manage.py import_users`, and what its accounts can do."""

import io
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import create_autospec

import pytest
from django.contrib.auth.hashers import identify_hasher
from django.core.management import CommandError, call_command, load_command_class
from django.db import OperationalError

from audit.models import AuditEvent
from core.database import InUnitOfWork
from core.errors import ErrorCode, InfrastructureError
from core.result import Failure, Success
from tests.factories import UserFactory
from tests.imported_hashes import HASHES, LONG_BCRYPT, LONG_PASSWORD, PASSWORD
from tests.mailing import delivered
from tests.plugin.fixtures import JsonClient
from users import models, wiring
from users.adapters import DjangoPasswordService
from users.application.importing import COLUMNS


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


EMAIL = "ada@example.com"
Run = Callable[..., tuple[int, list[str]]]


@pytest.fixture
def run(client: JsonClient, tmp_path: Path) -> Run:
    """Writes the lines to a file and imports it: the exit code, and what was said."""

    def run(*lines: str, options: str = "", name: str = "accounts.csv") -> tuple[int, list[str]]:
        file = tmp_path / name
        file.write_bytes("\n".join(lines).encode())
        return told(str(file), *options.split())

    return run


def told(*arguments: str) -> tuple[int, list[str]]:
    out = io.StringIO()
    try:
        call_command("import_users", *arguments, stdout=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue().splitlines()
    except CommandError as error:
        return error.returncode, [*out.getvalue().splitlines(), str(error)]
    return 0, out.getvalue().splitlines()


def sign_in(client: JsonClient, password: str, email: str = EMAIL) -> int:
    body = {"email": email, "password": password}
    status: int = client.post("/api/v1/sessions", json=body).status_code
    return status


def one_line(password_hash: str, **over: str) -> list[str]:
    values = {"email": EMAIL, "password_hash": password_hash, "is_verified": "true"} | over
    return [",".join(values), ",".join(f'"{value}"' for value in values.values())]


class TestSigningIn:
    """Uses fixtures: client, run."""

    @pytest.mark.conforms("A10")
    @pytest.mark.parametrize("name", HASHES)
    def test_the_old_password_signs_in_and_has_a_hash_of_today_from_then_on(
        self, client: JsonClient, run: Run, name: str
    ) -> None:
        assert run(*one_line(HASHES[name])) == (
            0,
            ["Imported 1; there already: 0; refused: 0."],
        )
        before = models.User.objects.get().password
        assert sign_in(client, "wrong") == 401
        assert models.User.objects.get().password == before
        assert sign_in(client, PASSWORD) == 201
        after = models.User.objects.get().password
        assert after.startswith("argon2$argon2id$v=19$m=8,t=1,p=1$")
        assert DjangoPasswordService().needs_upgrade(after) is False
        assert [sign_in(client, each) for each in (PASSWORD, "wrong")] == [201, 401]

    def test_a_long_password_of_bcrypt_counts_whole_from_the_first_sign_in_on(
        self, client: JsonClient, run: Run
    ) -> None:
        run(*one_line(LONG_BCRYPT))
        assert sign_in(client, LONG_PASSWORD[:71]) == 401
        assert [sign_in(client, LONG_PASSWORD) for _ in range(2)] == [201, 201]
        assert sign_in(client, LONG_PASSWORD[:72]) == 401

    @pytest.mark.parametrize("password", ["x" * 1024, "🔑" * 1024, "ё" * 37])
    def test_a_password_that_bcrypt_does_not_take_is_a_wrong_one(
        self, client: JsonClient, run: Run, password: str
    ) -> None:
        run(*one_line(HASHES["bcrypt_2b"]))
        assert sign_in(client, password) == 401

    @pytest.mark.parametrize(
        "over", [{"is_verified": "false"}, {"is_verified": ""}, {"is_active": "false"}]
    )
    def test_who_is_not_verified_or_not_active_does_not_sign_in(
        self, client: JsonClient, run: Run, over: dict[str, str]
    ) -> None:
        run(*one_line(HASHES["argon2id"], **over))
        assert sign_in(client, PASSWORD) == 401

    @pytest.mark.parametrize("text", ["", "!unusable"])
    def test_without_a_hash_the_owner_asks_for_a_new_password(
        self, client: JsonClient, run: Run, text: str
    ) -> None:
        run(*one_line(text, is_verified="false"))
        with pytest.raises(ValueError, match="Unknown password hashing algorithm"):
            identify_hasher(models.User.objects.get().password)
        assert [sign_in(client, each) for each in ("", "!", PASSWORD)] != [201, 201, 201]
        client.post("/api/v1/password-reset-tokens", json={"email": EMAIL})
        token = next(
            word for word in str(delivered()[0].body).split() if word.startswith("dsh_once_")
        )
        body = {"token": token, "password": "correct horse battery staple"}
        assert client.post("/api/v1/password-resets", json=body).status_code == 204
        assert sign_in(client, "correct horse battery staple") == 201

    def test_nobody_is_mailed(self, run: Run) -> None:
        run(*one_line(HASHES["argon2id"], is_verified="false"))
        assert delivered() == []


class TestLines:
    """Uses fixtures: run."""

    def test_all_of_a_line_is_kept(self, run: Run) -> None:
        head = ",".join(COLUMNS)
        line = "Ada@Example.com,,t,f,auditor,pro,2019-05-01T10:00:00+02:00"
        assert run(head, line, options="--allow-roles")[0] == 0
        user = models.User.objects.get()
        assert (user.email, user.is_verified, user.is_active) == (EMAIL, True, False)
        assert (user.role, user.session_tier) == ("auditor", "pro")
        assert user.created_at == datetime(2019, 5, 1, 8, tzinfo=UTC)

    @pytest.mark.parametrize("options", ["", "--dry-run"])
    def test_a_bad_line_is_told_and_spoils_no_other(self, run: Run, options: str) -> None:
        code, said = run(
            "email,password_hash",
            "first@example.com,",
            '"open@example.com,',
            "weak@example.com,5f4dcc3b5aa765d61d8327deb882cf99",
            "dear@example.com,$2b$31$qrtnpTzOQRlNl5AtFjP9FeVoz99d5r4z6tqC3lxL2p8B1g4X1sVqC",
            "\x1b[2J@example.com,",
            "short@example.com",
            "last@example.com,",
            options=options,
        )
        assert code == 1
        assert [line.partition(":")[0] for line in said[:-1]] == [f"line {n}" for n in range(3, 8)]
        assert said[1].startswith("line 4: password_hash: MD5 and SHA alone")
        assert said[2].startswith("line 5: password_hash: bcrypt, cost 31: above 14")
        assert said[-1].endswith("2; there already: 0; refused: 5.")
        assert models.User.objects.count() == (0 if options else 2)

    @pytest.mark.parametrize("role", ["admin", "auditor"])
    def test_a_role_is_given_away_only_when_that_is_said(self, run: Run, role: str) -> None:
        lines = ["email,role", f"{EMAIL},{role}", "bob@example.com,user"]
        code, said = run(*lines)
        assert (code, said[0].partition("--")[2]) == (1, "allow-roles alone.")
        assert models.User.objects.get().email == "bob@example.com"
        assert run(*lines, options="--allow-roles")[0] == 0
        assert models.User.objects.get(email=EMAIL).role == role

    def test_json_lines_are_read_too(self, run: Run) -> None:
        line = json.dumps({"email": EMAIL, "is_verified": True, "password_hash": None})
        assert run(line, name="accounts.jsonl")[0] == 0
        assert models.User.objects.get().is_verified is True

    def test_a_hash_in_any_place_is_not_told(self, run: Run) -> None:
        secret = "$2b$31$qrtnpTzOQRlNl5AtFjP9FeVoz99d5r4z6tqC3lxL2p8B1g4X1sVqC"
        rows = [
            [EMAIL if name == "email" else "" for name in COLUMNS[:place]]
            + [secret]
            + [""] * (len(COLUMNS) - place - 1)
            for place in range(len(COLUMNS))
        ]
        lines = [",".join(row) for row in rows]
        _, said = run(",".join(COLUMNS), *lines)
        _, without_names = run(*lines)
        assert (len(said), len(without_names)) == (len(COLUMNS) + 1, 1)
        assert secret[-20:] not in "".join([*said, *without_names])


class TestAgain:
    """Uses fixtures: run."""

    def test_the_same_file_changes_nothing(self, run: Run) -> None:
        lines = ["email,is_verified", f"{EMAIL},true", "bob@example.com,false"]
        run(*lines)
        before = list(models.User.objects.order_by("pk").values())
        assert run(*lines) == (
            0,
            [
                f"line 2: {EMAIL}: An account with this e-mail address exists.",
                "line 3: bob@example.com: An account with this e-mail address exists.",
                "Imported 0; there already: 2; refused: 0.",
            ],
        )
        assert list(models.User.objects.order_by("pk").values()) == before

    def test_an_account_that_is_there_keeps_its_password(
        self, client: JsonClient, run: Run
    ) -> None:
        UserFactory.create(email=EMAIL)
        run(*one_line(HASHES["argon2id"], email="ADA@example.com"))
        assert sign_in(client, PASSWORD) == 401
        assert sign_in(client, "correct horse battery staple") == 201

    def test_an_address_that_stands_there_twice_is_imported_once(self, run: Run) -> None:
        lines = ["email", EMAIL, EMAIL.upper()]
        rehearsed = run(*lines, options="--dry-run")
        assert rehearsed[1][0] == f"line 3: {EMAIL}: The same address stands on an earlier line."
        assert run(*lines)[1][-1] == "Imported 1; there already: 1; refused: 0."
        assert models.User.objects.count() == 1


class TestDryRun:
    """Uses fixtures: run."""

    def test_it_tells_what_would_be_and_writes_nothing(self, run: Run) -> None:
        UserFactory.create(email="bob@example.com")
        events = AuditEvent.objects.count()
        code, said = run("email", EMAIL, "bob@example.com", "no address", options="--dry-run")
        assert code == 1
        assert [line.partition(":")[0] for line in said[:2]] == ["line 3", "line 4"]
        assert said[2] == ("Nothing was written. It would import 1; there already: 1; refused: 1.")
        assert models.User.objects.get().email == "bob@example.com"
        assert AuditEvent.objects.count() == events


class TestRecord:
    """Uses fixtures: run, published."""

    def test_each_line_is_an_attempt_with_its_outcome_and_all_are_one_command(
        self, run: Run
    ) -> None:
        mark = AuditEvent.objects.count()
        run("email", EMAIL, EMAIL, "no address")
        events = list(AuditEvent.objects.order_by("pk"))[mark:]
        assert [(event.action, event.phase) for event in events] == [
            ("user.imported", 1),
            ("user.imported", 2),
            ("user.imported", 1),
            ("user.imported", 3),
        ]
        assert len({event.correlation for event in events}) == 1


class TestMachines:
    """Uses fixtures: run."""

    def test_there_is_an_object_a_line_and_the_counts_at_last(self, run: Run) -> None:
        run("email", EMAIL)
        code, said = run("email,role", f"{EMAIL},", "bob@example.com,root", options="--json")
        existing, refused, counts = map(json.loads, said)
        assert code == 1
        assert (existing["line"], existing["status"], existing["where"]) == (2, "existing", EMAIL)
        assert (refused["line"], refused["status"], refused["where"]) == (3, "refused", "role")
        assert counts == {"dry_run": False, "imported": 0, "existing": 1, "refused": 1}


class TestFiles:
    """Uses fixtures: run, client, tmp_path, monkeypatch."""

    @pytest.mark.parametrize(
        ("head", "said"),
        [
            ("email,is_verifed", "Not known: is_verifed. Known are email, password_hash, "),
            ("e-mail", "The first line is to name each column once"),
            ("", "The first line is to name each column once"),
        ],
    )
    def test_other_columns_end_it_before_anything_is_written(
        self, run: Run, head: str, said: str
    ) -> None:
        code, (sentence,) = run(head, EMAIL)
        assert (code, sentence[: len(said)]) == (2, said)
        assert not models.User.objects.exists()

    def test_a_file_that_is_not_there_ends_it(self, client: JsonClient, tmp_path: Path) -> None:
        missing = tmp_path / "missing.csv"
        assert told(str(missing)) == (2, [f"{missing}: No such file or directory."])

    def test_a_name_that_does_not_tell_the_format_ends_it(self, run: Run) -> None:
        code, (sentence,) = run("email", name="accounts.txt")
        assert (code, sentence[:23]) == (2, "Say --format csv or --f")
        assert run("email", EMAIL, name="accounts.txt", options="--format csv")[0] == 0

    def test_it_reads_the_standard_input(
        self, client: JsonClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given = SimpleNamespace(buffer=io.BytesIO(b'{"email": "ada@example.com"}\n'))
        monkeypatch.setattr(sys, "stdin", given)
        assert told("-", "--format", "jsonl")[0] == 0
        assert models.User.objects.get().email == EMAIL

    def test_help_has_the_exit_codes_and_an_example(self) -> None:
        help_text = load_command_class("users", "import_users").help
        assert "exit codes:\n  0  every account is there" in help_text
        assert "manage.py import_users accounts.csv --dry-run" in help_text


class TestTerminal:
    """Uses fixtures: run, monkeypatch."""

    def test_the_bar_is_for_eyes_and_the_lines_stand_above_it(
        self, client: JsonClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "accounts.csv"
        file.write_text("\n".join(["email", "[red]no address", *[""] * 60, EMAIL, *["x"] * 40]))
        eyes, out, pipe = Terminal(), Terminal(), io.StringIO()
        monkeypatch.setattr(sys, "stderr", eyes)
        monkeypatch.setenv("TERM", "xterm")  # on a dumb one there is no bar
        for stdout in (out, pipe):
            with pytest.raises(SystemExit):
                call_command("import_users", str(file), "--dry-run", stdout=stdout)
        assert "line 2: email: Enter an e-mail address" in eyes.getvalue()
        assert "100 lines" in eyes.getvalue()
        assert out.getvalue().startswith("Nothing was written.")
        assert pipe.getvalue().startswith("line 2: email: Enter")
        assert "\x1b" not in pipe.getvalue()


class TestMishaps:
    """Uses fixtures: run, monkeypatch."""

    def answering(self, monkeypatch: pytest.MonkeyPatch, *answers: Any) -> None:
        handler = create_autospec(InUnitOfWork, instance=True)
        handler.handle.side_effect = answers
        monkeypatch.setattr(wiring, "import_user", lambda: handler)

    @pytest.mark.parametrize(
        ("answer", "code"),
        [
            (Failure(InfrastructureError(ErrorCode.AUDIT_UNAVAILABLE, "Not now.")), 2),
            (OperationalError("gone\nwith details"), 2),
            (OSError("the disk is gone"), 2),
            (KeyboardInterrupt(), 130),
        ],
    )
    def test_it_stops_and_tells_behind_which_line(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, answer: Any, code: int
    ) -> None:
        self.answering(monkeypatch, Success(None), answer)
        ended, (counts, sentence) = run("email", EMAIL, "bob@example.com", "carol@example.com")
        assert (ended, counts) == (code, "Imported 1; there already: 0; refused: 0.")
        assert sentence.startswith("Stopped behind line 2 (")
        assert sentence.endswith("What is there stays: run it again with the same file.")

    def test_without_tables_it_says_what_is_missing(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        name = "users.management.commands.import_users.migrations_are_applied"
        monkeypatch.setattr(name, lambda: False)
        assert run("email")[1] == ["There are no tables yet: run `manage.py migrate` first."]
