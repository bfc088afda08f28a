"""Old months leave the database, and everything stays provable."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from audit import wiring
from audit.adapters.keys import KeyFolder
from audit.application.sealing import Sealer
from audit.application.verification.verifier import Report
from audit.domain.checkpoint import SigningKey
from audit.domain.events import TrailPruned
from audit.domain.findings import Kind
from audit.models import AuditEvent
from audit.repositories.sealed import DjangoSealedLog
from audit.repositories.trail import DjangoTrail
from core import container
from core.ids import first_id_of
from core.keys import KeyRing
from tests.factories import make_entry
from tests.sealing import (
    SLOW,
    empty_the_trail,
    event_tables,
    execute,
    forget_the_seals,
    make_sealer,
    record,
    seal,
    switched_off,
)

pytestmark = pytest.mark.slow(reason=SLOW)
MONTHS = ("2024-01", "2024-02", "2024-03")


@pytest.fixture
def keeper(transactional_db: None, tmp_path: Path) -> Iterator[KeyFolder]:
    empty_the_trail()
    folder = KeyFolder(tmp_path / "audit")
    folder.add(SigningKey.generate("dashtam.test/audit"))
    settings = replace(container.get_settings(), audit_folder=str(folder.path))
    with container.override(get_settings=settings):
        yield folder
    forget_the_seals()
    for month in MONTHS:
        execute(f"DROP TABLE IF EXISTS {table(month)}")


@pytest.fixture
def sealer(keeper: KeyFolder) -> Sealer:
    return make_sealer(keeper)


@pytest.fixture
def old_months(sealer: Sealer) -> None:
    """Of each some events, the second and the third overlapping in the order of the commits."""
    for month in MONTHS:
        execute("SELECT audit_make_partition(%s::timestamptz)", [f"{month}-15"])
    execute("ALTER TABLE audit_event DISABLE TRIGGER audit_event_accept")
    for month in [*["2024-01"] * 3, *["2024-02"] * 2, "2024-03", "2024-02", *["2024-03"] * 2]:
        append(month)
    execute("ALTER TABLE audit_event ENABLE TRIGGER audit_event_accept")
    record(2)
    seal(sealer)


def table(month: str) -> str:
    return f"audit_event_{month.replace('-', '_')}"


def append(month: str) -> None:
    begun = first_id_of(datetime.fromisoformat(f"{month}-10").replace(tzinfo=UTC))
    entry_id = UUID(int=begun.int | make_entry().id.int & (2**64 - 1))
    DjangoTrail("default", container.get_settings().audit_keys).append(make_entry(id=entry_id))


def prune(before: str, folder: Path) -> str:
    out = StringIO()
    call_command("audit_prune", "--before", before, "--out", str(folder), "--yes", stdout=out)
    return out.getvalue()


def verified(keeper: KeyFolder) -> Report:
    return wiring.verifier(keeper.verifier_keys()).verify()


def damage(keeper: KeyFolder) -> list[tuple[Kind, int | None]]:
    found = verified(keeper).findings
    return [(each.kind, each.leaf) for each in found if each.kind is not Kind.CLOCK]


def exists(month: str) -> bool:
    return bool(execute("SELECT to_regclass(%s)", [table(month)])[0][0])


class TestPruning:
    """Uses fixtures: sealer, keeper, old_months, tmp_path."""

    @pytest.mark.conforms("L19")
    def test_months_go_into_archives_that_prove_themselves(
        self, old_months: None, keeper: KeyFolder, tmp_path: Path
    ) -> None:
        told = prune("2024-03", tmp_path / "archive")
        assert [exists(month) for month in MONTHS] == [False, False, True]
        assert told.count("no longer in the database") == 2
        manifests = [
            json.loads((tmp_path / "archive" / month / "manifest.json").read_text())
            for month in MONTHS[:2]
        ]
        assert [(each["first"], each["last"]) for each in manifests] == [(0, 3), (3, 7)]

    def test_what_is_left_is_verified_as_before(
        self, old_months: None, sealer: Sealer, keeper: KeyFolder, tmp_path: Path
    ) -> None:
        prune("2024-03", tmp_path / "archive")
        seal(sealer)
        report = verified(keeper)
        assert report.exit_code == 0, report.findings

    def test_the_next_run_goes_on_where_the_last_one_ended(
        self, old_months: None, sealer: Sealer, keeper: KeyFolder, tmp_path: Path
    ) -> None:
        """The rows of March that stood among those of February are in February's archive."""
        prune("2024-03", tmp_path / "archive")
        prune("2024-04", tmp_path / "archive")
        manifest = json.loads((tmp_path / "archive" / "2024-03" / "manifest.json").read_text())
        assert (manifest["first"], manifest["last"]) == (7, 9)
        seal(sealer)
        assert verified(keeper).exit_code == 0

    def test_rows_that_are_gone_without_a_record_are_a_finding(
        self, old_months: None, keeper: KeyFolder
    ) -> None:
        execute(f"DROP TABLE {table('2024-01')}")
        assert damage(keeper) == [(Kind.DELETED, leaf) for leaf in (0, 1, 2)]

    def test_more_than_was_recorded_may_not_be_gone(
        self, old_months: None, sealer: Sealer, keeper: KeyFolder, tmp_path: Path
    ) -> None:
        prune("2024-02", tmp_path / "archive")
        execute(f"DROP TABLE {table('2024-02')}")
        seal(sealer)
        assert damage(keeper) == [(Kind.DELETED, leaf) for leaf in (3, 4, 6)]

    def test_a_younger_row_that_is_gone_is_no_archived_one(
        self, old_months: None, sealer: Sealer, keeper: KeyFolder, tmp_path: Path
    ) -> None:
        """Whatever its tile is made to say of its id: the tree tells its leaf."""
        prune("2024-02", tmp_path / "archive")
        seal(sealer)
        log = DjangoSealedLog("default")
        ids = log.ids(0)
        leaf = len(ids) - 1
        renamed = [*ids[:leaf], UUID(int=ids[0].int + 4)]
        with switched_off(*event_tables(), "audit_frontier"):
            execute("DELETE FROM audit_event WHERE id = %s", [ids[leaf]])
            execute(
                "UPDATE audit_frontier SET partial_ids = %s",
                [b"".join(each.bytes for each in renamed)],
            )
        assert (Kind.DELETED, leaf) in damage(keeper)

    @pytest.mark.parametrize(
        "context",
        [
            {"month": "1999-01", "before": "ffffffff-ffff-ffff-ffff-ffffffffffff", "last": 10**9},
            {},
        ],
    )
    def test_what_a_forged_record_says_is_nothing(
        self, old_months: None, keeper: KeyFolder, tmp_path: Path, context: dict[str, object]
    ) -> None:
        """As whoever has the application's role could write it, without a key."""
        entry = make_entry(action="audit.pruned", context=context)
        keys = KeyRing("0", {"0": b"x" * 32})
        DjangoTrail("default", keys).append(entry)
        prune("2024-02", tmp_path / "archive")
        assert (tmp_path / "archive" / "2024-01" / "entries.jsonl").exists()

    def test_who_was_moved_in_the_order_is_archived_all_the_same(
        self, old_months: None, keeper: KeyFolder, tmp_path: Path
    ) -> None:
        with switched_off(*event_tables()):
            execute(f"UPDATE {table('2024-01')} SET xid = '0'")
        prune("2024-02", tmp_path / "archive")
        manifest = json.loads((tmp_path / "archive" / "2024-01" / "manifest.json").read_text())
        assert manifest["count"] == 3

    def test_what_is_not_sealed_stays(self, old_months: None, tmp_path: Path) -> None:
        execute("ALTER TABLE audit_event DISABLE TRIGGER audit_event_accept")
        append("2024-01")
        execute("ALTER TABLE audit_event ENABLE TRIGGER audit_event_accept")
        with pytest.raises(CommandError, match="1 events of 2024-01 are not sealed"):
            prune("2024-02", tmp_path / "archive")
        assert exists("2024-01")

    def test_a_legal_hold_keeps_everything(
        self, old_months: None, keeper: KeyFolder, tmp_path: Path
    ) -> None:
        held = replace(container.get_settings(), audit_legal_hold=True)
        with container.override(get_settings=held), pytest.raises(CommandError, match="LEGAL_HOLD"):
            prune("2024-04", tmp_path / "archive")
        assert all(map(exists, MONTHS))

    def test_an_archive_that_does_not_prove_itself_keeps_the_rows(
        self, old_months: None, tmp_path: Path
    ) -> None:
        with switched_off(*event_tables()):
            execute(f"UPDATE {table('2024-01')} SET entry = entry || ' '::bytea")
        with pytest.raises(CommandError, match="does not prove itself"):
            prune("2024-02", tmp_path / "archive")
        assert exists("2024-01")
        assert not AuditEvent.objects.filter(action="audit.pruned").exists()

    def test_an_archive_that_is_there_already_is_not_written_over(
        self, old_months: None, tmp_path: Path
    ) -> None:
        (tmp_path / "archive" / "2024-01").mkdir(parents=True)
        with pytest.raises(CommandError, match="is there already"):
            prune("2024-02", tmp_path / "archive")
        assert exists("2024-01")
        assert not AuditEvent.objects.filter(action="audit.pruned").exists()

    def test_a_run_that_died_before_the_drop_is_finished_by_the_next(
        self, old_months: None, tmp_path: Path
    ) -> None:
        pruner = wiring.pruner()
        [january] = pruner.months.before("2024-02")
        pruner.record(
            TrailPruned(month="2024-01", before=january.end, first=0, last=3, manifest=None)
        )
        execute(f"ALTER TABLE audit_event DETACH PARTITION {table('2024-01')}")
        prune("2024-01", tmp_path / "archive")
        assert not exists("2024-01")

    def test_a_table_that_somebody_else_detached_is_left_alone(
        self, old_months: None, tmp_path: Path
    ) -> None:
        execute(f"ALTER TABLE audit_event DETACH PARTITION {table('2024-01')}")
        prune("2024-01", tmp_path / "archive")
        assert exists("2024-01")

    @pytest.mark.parametrize("before", ["2024", "2024-13", "january", "2024-1"])
    def test_what_is_no_month_is_refused(
        self, keeper: KeyFolder, tmp_path: Path, before: str
    ) -> None:
        with pytest.raises(CommandError, match="not a month"):
            prune(before, tmp_path)

    def test_neither_this_month_nor_the_last_is_pruned(
        self, keeper: KeyFolder, tmp_path: Path
    ) -> None:
        assert wiring.pruner().months.before("9999-12") == []
