import io
import sys
from datetime import timedelta
from getpass import getpass
from unittest.mock import create_autospec

import pytest
from django.core.management import CommandError, call_command, load_command_class

from core import container
from tests.factories import UserFactory
from tests.fakes.clock import FakeClock
from tests.plugin.fixtures import JsonClient
from users import models
from users.domain.roles import Role

PASSWORD = "SecurePass123!"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def create_admin(
    monkeypatch: pytest.MonkeyPatch, typed: str, email: str = "admin@example.com"
) -> str:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    out = io.StringIO()
    call_command("create_admin", email=email, stdout=out)
    return out.getvalue()


class TestCreateAdmin:
    """Uses fixtures: client, monkeypatch."""

    @pytest.mark.parametrize("line_end", ["", "\n", "\r\n"])
    def test_an_admin_whose_password_comes_by_a_pipe_can_sign_in(
        self, client: JsonClient, monkeypatch: pytest.MonkeyPatch, line_end: str
    ) -> None:
        said = create_admin(monkeypatch, PASSWORD + line_end)
        admin = models.User.objects.get()
        assert str(admin.pk) in said
        assert PASSWORD not in said
        profile = client.as_user("admin@example.com", PASSWORD).get("/api/v1/users/me").json()
        assert profile["role"] == "admin"

    def test_at_a_terminal_the_password_is_asked_for_and_not_shown(
        self, client: JsonClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ask = create_autospec(getpass, return_value=PASSWORD)
        monkeypatch.setattr("getpass.getpass", ask)
        monkeypatch.setattr(sys, "stdin", Terminal())
        call_command("create_admin", email="admin@example.com", stdout=io.StringIO())
        ask.assert_called_once_with()
        assert models.User.objects.get().role == Role.ADMIN

    @pytest.mark.parametrize(
        ("typed", "email", "sentence"),
        [
            ("short", "admin@example.com", "12 to 1024 characters"),
            ("", "admin@example.com", "12 to 1024 characters"),
            (PASSWORD, "no address", "Enter an e-mail address"),
            (PASSWORD, "taken@example.com", "account with this e-mail address exists"),
        ],
    )
    def test_a_refusal_is_one_sentence(
        self,
        client: JsonClient,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        typed: str,
        email: str,
        sentence: str,
    ) -> None:
        UserFactory.create(email="taken@example.com")
        with pytest.raises(SystemExit) as ended:
            create_admin(monkeypatch, typed, email)
        assert (ended.value.code, sentence in capsys.readouterr().err) == (1, True)
        assert models.User.objects.get().role == Role.USER

    def test_before_the_migrations_there_is_no_answer(
        self,
        client: JsonClient,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        module = "users.management.commands.create_admin"
        monkeypatch.setattr(f"{module}.migrations_are_applied", lambda: False)
        with pytest.raises(SystemExit) as ended:
            create_admin(monkeypatch, PASSWORD)
        assert (ended.value.code, "manage.py migrate" in capsys.readouterr().err) == (3, True)


class TestSetupLink:
    """Uses fixtures: client, frozen, monkeypatch."""

    def link(self) -> str:
        out = io.StringIO()
        call_command("setup_link", stdout=out)
        return out.getvalue().strip()

    def test_the_link_carries_its_token_in_the_fragment(self, client: JsonClient) -> None:
        page, _, token = self.link().partition("#")
        assert page == f"{container.get_settings().public_url}/setup"
        assert token.startswith("dsh_once_")

    @pytest.mark.conforms("A16")
    def test_only_the_newest_link_works(self, client: JsonClient) -> None:
        older, newer = self.link(), self.link()
        tokens = models.OneUseToken.objects.order_by("pk")
        assert older != newer
        assert [token.spent_at is None for token in tokens] == [False, True]

    @pytest.mark.conforms("A16")
    def test_the_link_lives_for_a_day(self, client: JsonClient, frozen: FakeClock) -> None:
        self.link()
        expires_at = models.OneUseToken.objects.get().expires_at
        assert expires_at == frozen.now() + timedelta(hours=24)

    def test_there_is_none_once_there_is_an_admin(
        self, client: JsonClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        create_admin(monkeypatch, PASSWORD)
        with pytest.raises(CommandError, match="There is an admin already"):
            self.link()
        assert not models.OneUseToken.objects.exists()


class TestDjangosOwnCommands:
    """They would change an account past the handlers and the trail."""

    @pytest.mark.conforms("A19")
    @pytest.mark.parametrize(
        ("command", "instead"),
        [("createsuperuser", "manage.py create_admin"), ("changepassword", "nobody chooses")],
    )
    def test_they_do_nothing_and_say_why(self, command: str, instead: str) -> None:
        with pytest.raises(CommandError, match=instead):
            call_command(command)

    def test_what_is_typed_after_them_changes_nothing(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit) as ended:
            load_command_class("users", "changepassword").run_from_argv(["manage.py", "x", "ada"])
        assert ended.value.code == 1
        assert "nobody chooses" in capsys.readouterr().err
