"""The checks of the trail that look at settings and files; the others ask a database."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core import checks as framework

from audit import checks
from audit.adapters.keys import SIGNING_KEY
from core import container, health

Override = Callable[..., object]
MESSAGES = {
    "warning": framework.Warning("There is little room.", id="audit.W002"),
    "error": framework.Error("A trigger is off.", id="audit.E001"),
    "silenced": framework.Error("It is known.", id="auth.E003"),
}


@pytest.fixture
def configured(override: Override) -> Callable[..., None]:
    """`configured(audit_folder=…)`: the settings, but for this."""

    def configured(**over: Any) -> None:
        override(get_settings=replace(container.get_settings(), **over))

    return configured


def found(check: Callable[..., list[framework.CheckMessage]]) -> list[str | None]:
    return [message.id for message in check(databases=["default"])]


class TestSigningKey:
    """Uses fixtures: configured, tmp_path (the folder of the trail)."""

    @pytest.mark.parametrize("mode", [0o600, 0o400])
    def test_one_that_nobody_else_reads_is_fine(
        self, configured: Callable[..., None], tmp_path: Path, mode: int
    ) -> None:
        make(tmp_path, mode)
        configured(audit_folder=str(tmp_path))
        assert found(checks.nobody_else_reads_the_signing_key) == []

    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602, 0o700, 0o610])
    def test_one_that_others_reach_is_an_error(
        self, configured: Callable[..., None], tmp_path: Path, mode: int
    ) -> None:
        make(tmp_path, mode)
        configured(audit_folder=str(tmp_path))
        [message] = checks.nobody_else_reads_the_signing_key()
        assert (message.id, message.is_serious()) == ("audit.E006", True)
        assert f"{mode:04o}" in message.msg
        assert f"chmod 600 {tmp_path / SIGNING_KEY}" in str(message.hint)

    def test_none_is_needed_here(self, configured: Callable[..., None], tmp_path: Path) -> None:
        """The sealer may be elsewhere."""
        configured(audit_folder=str(tmp_path / "nowhere"))
        assert found(checks.nobody_else_reads_the_signing_key) == []

    def test_the_folder_may_be_open(self, configured: Callable[..., None], tmp_path: Path) -> None:
        make(tmp_path, 0o600)
        tmp_path.chmod(0o755)
        configured(audit_folder=str(tmp_path))
        assert found(checks.nobody_else_reads_the_signing_key) == []


def make(folder: Path, mode: int) -> None:
    path = folder / SIGNING_KEY
    path.touch()
    path.chmod(mode)


class TestReadiness:
    """Uses fixtures: monkeypatch. Of the checks of the database, as /health/ready has them."""

    @pytest.mark.parametrize(
        ("kinds", "is_ready"),
        [
            ([], True),
            (["warning"], True),
            (["silenced"], True),
            (["error"], False),
            (["warning", "error"], False),
        ],
    )
    def test_only_an_error_makes_the_service_unready(
        self, monkeypatch: pytest.MonkeyPatch, kinds: list[str], is_ready: bool
    ) -> None:
        def run(tags: list[str], databases: list[str]) -> list[framework.CheckMessage]:
            assert (tags, databases) == ([framework.Tags.database], ["default"])
            return [MESSAGES[kind] for kind in kinds]

        monkeypatch.setattr(health, "run_checks", run)
        assert health._triggers_are_in_place() is is_ready


class TestRegistration:
    @pytest.mark.parametrize(
        "check",
        [
            checks.triggers_are_in_place,
            checks.there_is_a_partition,
            checks.the_application_cannot_change_the_trail,
            checks.what_is_committed_is_on_the_disk,
            checks.there_are_two_roles,
        ],
    )
    def test_what_asks_the_database_runs_only_for_a_database(
        self, check: Callable[..., list[framework.CheckMessage]]
    ) -> None:
        assert list(check.tags) == [framework.Tags.database]  # type: ignore[attr-defined]
        assert check(databases=None) == []
