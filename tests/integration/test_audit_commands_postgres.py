"""What an operator asks the trail at the command line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit import wiring
from audit.adapters.keys import KeyFolder
from audit.application.sealing import Sealer
from audit.domain.checkpoint import SigningKey
from audit.domain.inclusion import check
from audit.models import AuditEvent
from audit.ports import Criteria
from core import container
from core.database import Database
from core.ids import uuid7
from tests.elsewhere import on_another_connection
from tests.factories import arranged
from tests.fakes.events import Attempted, Sole, Succeeded
from tests.sealing import (
    SLOW,
    empty_the_trail,
    execute,
    forget_the_seals,
    make_sealer,
    record,
    seal,
)

pytestmark = pytest.mark.slow(reason=SLOW)


@dataclass(frozen=True, kw_only=True)
class Hostile(Sole):
    reason: str = "\x1b[2Kgone\x9b"


@pytest.fixture
def keeper(transactional_db: None, tmp_path: Path) -> Iterator[KeyFolder]:
    empty_the_trail()
    folder = KeyFolder(tmp_path / "audit")
    folder.add(SigningKey.generate("dashtam.test/audit"))
    settings = replace(container.get_settings(), audit_folder=str(folder.path))
    with container.override(get_settings=settings):
        yield folder
    forget_the_seals()


@pytest.fixture
def sealer(keeper: KeyFolder) -> Sealer:
    return make_sealer(keeper)


def run(command: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    out, err = StringIO(), StringIO()
    try:
        call_command(command, *arguments, stdout=out, stderr=err)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def last_event() -> AuditEvent:
    event = AuditEvent.objects.order_by("pk").last()
    assert event is not None
    return event


class TestProve:
    """Uses fixtures: sealer, keeper, tmp_path."""

    def test_a_proof_holds_for_the_exact_bytes(
        self, sealer: Sealer, keeper: KeyFolder, tmp_path: Path
    ) -> None:
        record(5)
        seal(sealer)
        event = last_event()
        file = tmp_path / "event.json"
        code, proof, _ = run("audit_prove", str(event.pk), "--entry", str(file))
        assert code == 0
        assert check(proof, file.read_bytes(), keeper.verifier_keys()) == 4

    def test_that_it_was_looked_at_is_on_record(self, sealer: Sealer) -> None:
        record(1)
        seal(sealer)
        event = last_event()
        run("audit_prove", str(event.pk))
        viewed = last_event()
        assert (viewed.action, viewed.resource_id) == ("audit.viewed", event.pk)

    def test_what_is_not_sealed_yet_is_no_error_of_the_trail(self, keeper: KeyFolder) -> None:
        record(1)
        code, proof, told = run("audit_prove", str(last_event().pk))
        assert (code, proof) == (2, "")
        assert "not sealed yet" in told

    def test_what_is_not_there_is_wrong_usage(self, keeper: KeyFolder) -> None:
        code, _, told = run("audit_prove", str(uuid7()))
        assert code == 3
        assert "no event of this id" in told

    def test_what_was_changed_is_not_proved(self, sealer: Sealer) -> None:
        record(2)
        seal(sealer)
        event = last_event()
        table = execute("SELECT tableoid::regclass::text FROM audit_event LIMIT 1")[0][0]
        execute(f"ALTER TABLE {table} DISABLE TRIGGER audit_event_append_only")
        execute("UPDATE audit_event SET entry = entry || ' '::bytea WHERE id = %s", [event.pk])
        execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER audit_event_append_only")
        code, proof, told = run("audit_prove", str(event.pk))
        assert (code, proof) == (1, "")
        assert "audit_verify" in told

    def test_a_damaged_tree_proves_nothing(self, sealer: Sealer) -> None:
        record(2)
        seal(sealer)
        event = last_event()
        execute("ALTER TABLE audit_frontier DISABLE TRIGGER USER")
        execute("UPDATE audit_frontier SET partial_ids = ''")
        execute("ALTER TABLE audit_frontier ENABLE ALWAYS TRIGGER audit_frontier_append_only")
        execute("ALTER TABLE audit_frontier ENABLE ALWAYS TRIGGER audit_frontier_no_truncate")
        assert run("audit_prove", str(event.pk))[0] == 1


class TestTail:
    """Uses fixtures: keeper, test_database."""

    def test_the_last_events_come_from_the_oldest(self, keeper: KeyFolder) -> None:
        record(3)
        code, out, _ = run("audit_tail", "--json", "-n", "3", "--action", "test.arranged")
        assert code == 0
        found = [json.loads(line)["id"] for line in out.splitlines()]
        ids = AuditEvent.objects.filter(action="test.arranged").order_by("pk")
        assert found == [str(each) for each in ids.values_list("pk", flat=True)]

    def test_a_line_is_for_people(self, keeper: KeyFolder) -> None:
        record(1)
        _, out, _ = run("audit_tail", "-n", "1", "--action", "test.arranged")
        assert "test.arranged" in out
        assert str(last_event().pk) not in out  # the record of the looking is not shown

    def test_a_line_cannot_be_coloured_or_hidden_by_what_it_tells(self, keeper: KeyFolder) -> None:
        with arranged():
            container.get_event_bus().publish(Hostile())
        _, out, _ = run("audit_tail", "-n", "1", "--action", "test.arranged")
        assert "(\\x1b[2Kgone\\x9b)" in out

    def test_an_outcome_that_commits_late_is_shown(
        self, keeper: KeyFolder, test_database: Database
    ) -> None:
        """Its id is older than those that were shown already."""
        follower = wiring.follower(Criteria(action="test.arranged"))
        follower.begin(0)
        bus = container.get_event_bus()
        with test_database.get_session() as unit:
            bus.publish(Attempted())
            on_another_connection(lambda: record(2))
            seen = shown(follower, 3)
            bus.publish(Succeeded())
        late = shown(follower, 1)
        assert [event.phase for event in seen] == ["ATTEMPTED", "SOLE", "SOLE"]
        assert [(event.phase, event.attempt) for event in late] == [("SUCCEEDED", unit.attempt_id)]

    def test_what_was_shown_at_the_beginning_is_not_shown_again(self, keeper: KeyFolder) -> None:
        record(2)
        follower = wiring.follower(Criteria(action="test.arranged"))
        begun = follower.begin(10)
        record(1)
        assert len(begun) == 2
        assert [event.id for event in shown(follower, 1)] == [last_event().pk]


def shown(follower: Any, count: int) -> list[Any]:
    """Transactions in other databases of the server may hold rows back."""
    found: list[Any] = []
    for _ in range(1000):
        found += follower.more()
        if len(found) >= count:
            return found
        execute("SELECT pg_sleep(0.01)")
    pytest.fail("Something was never shown.")


class TestStatus:
    """Uses fixtures: sealer, keeper."""

    def test_a_sound_trail_needs_no_attention(self, sealer: Sealer) -> None:
        record(3)
        seal(sealer)
        code, out, _ = run("audit_status", "--json")
        status = json.loads(out)
        assert (code, status["warnings"]) == (0, [])
        assert (status["size"], status["outside"], status["waiting"]) == (3, 3, 0)
        assert status["open_attempts"] == 0

    def test_what_waits_is_counted(self, sealer: Sealer) -> None:
        record(2)
        status = json.loads(run("audit_status", "--json")[1])
        assert (status["size"], status["waiting"]) == (0, 2)

    @pytest.mark.parametrize(
        ("outside", "told"),
        [(None, "No checkpoint is kept outside"), (9, "older than the checkpoint outside")],
    )
    def test_a_file_outside_that_disagrees_needs_attention(
        self, sealer: Sealer, keeper: KeyFolder, outside: int | None, told: str
    ) -> None:
        record(1)
        seal(sealer)
        note = keeper.checkpoint()
        assert note is not None
        if outside is None:
            (keeper.path / "checkpoint").unlink()
        else:
            keeper.keep(note.replace("\n1\n", f"\n{outside}\n"))
        code, out, _ = run("audit_status")
        assert code == 2
        assert told in out

    def test_a_file_outside_that_cannot_be_read_leaves_no_answer(self, keeper: KeyFolder) -> None:
        (keeper.path / "checkpoint").mkdir()
        code, _, err = run("audit_status")
        assert code == 3
        assert "cannot be read" in err


class TestExport:
    """Uses fixtures: sealer, tmp_path."""

    def test_a_time_chooses_the_leaves(self, sealer: Sealer, tmp_path: Path) -> None:
        record(3)
        seal(sealer)
        hour = timedelta(hours=1)
        now = datetime.now(UTC)
        times = ("--from", (now - hour).isoformat(), "--to", (now + hour).isoformat())
        code, out, _ = run("audit_export", *times, "--out", str(tmp_path / "b"), "--json")
        assert code == 0
        assert json.loads(out) == {
            "out": str(tmp_path / "b"),
            "first": 0,
            "last": 3,
            "count": 3,
        }

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            (("--from", "2000-01-01", "--to", "2000-01-02"), "in this time"),
            (("--from", "2000-01-01", "--first", "0"), "not by both"),
            (("--first", "7"), "Choose leaves between 0 and 1"),
        ],
    )
    def test_what_is_not_there_is_told(
        self, sealer: Sealer, tmp_path: Path, options: tuple[str, ...], told: str
    ) -> None:
        record(1)
        seal(sealer)
        with pytest.raises(CommandError, match=told):
            run("audit_export", *options, "--out", str(tmp_path / "b"))
        assert not (tmp_path / "b").exists()


class TestKeys:
    """Uses fixtures: keeper."""

    def test_a_rotation_is_on_record(self, keeper: KeyFolder) -> None:
        _, out, _ = run("audit_keys", "--rotate")
        event = last_event()
        assert event.action == "audit.key_rotated"
        new = json.loads(bytes(event.entry))["ctx"]["vkey"]
        assert out.splitlines()[-1] == new
        assert len(out.splitlines()) == 2
