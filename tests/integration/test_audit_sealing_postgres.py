"""Sealing and verifying the trail on PostgreSQL. What was committed stays for the next test, so
the tree begins anew for each, and whoever tampers does it in a transaction that is rolled back."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from audit import upkeep, wiring
from audit.adapters.anchors import FileAnchor
from audit.adapters.keys import KeyFolder
from audit.application.sealing import Publisher, Sealer, SealRefusedError
from audit.application.sweeping import Sweeper
from audit.application.verification.verifier import Report, Verified, Verifier
from audit.domain.checkpoint import Checkpoint, SigningKey, read_checkpoint
from audit.domain.entry import mac_of, outcome_id
from audit.domain.findings import Kind
from audit.models import AuditEvent
from audit.repositories.attempts import DjangoOpenAttempts
from audit.repositories.evidence import DjangoEvidence
from audit.repositories.months import make_partitions
from audit.repositories.sealed import DjangoAnchorRecords, DjangoSealedLog
from core import container
from core.actions import Phase
from core.database import Database
from core.logging import ConsoleLogger
from tests.elsewhere import on_another_connection
from tests.factories import make_entry
from tests.fakes.events import Attempted, Succeeded
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
from tests.sql_trail import SqlTrail

pytestmark = pytest.mark.slow(reason=SLOW)


@pytest.fixture
def keeper(transactional_db: None, tmp_path: Path) -> Iterator[KeyFolder]:
    empty_the_trail()  # of what other tests have left
    folder = KeyFolder(tmp_path / "audit")
    folder.add(SigningKey.generate("dashtam.test/audit"))
    yield folder
    forget_the_seals()


@pytest.fixture
def sealer(keeper: KeyFolder) -> Sealer:
    return make_sealer(keeper)


@pytest.fixture
def sealed(sealer: Sealer, keeper: KeyFolder) -> Checkpoint:
    """Some hundred entries, in more than one checkpoint."""
    with transaction.atomic():
        SqlTrail(keeper, [], [], "default").insert(
            *(make_entry(at=datetime.now(UTC)) for _ in range(300))
        )
    seal(sealer)
    record(5)
    return seal(sealer)


def verifier(keeper: KeyFolder) -> Verifier:
    return Verifier(
        evidence=DjangoEvidence("default"),
        vkeys=keeper.verifier_keys(),
        mac_keys=container.get_settings().audit_keys,
    )


def verify_after(keeper: KeyFolder, *statements: str, **options: Any) -> Report:
    """Nothing of it stays: PostgreSQL rolls back what it did to triggers, too."""
    with transaction.atomic():
        for statement in statements:
            execute(statement)
        report = verifier(keeper).verify(**options)
        transaction.set_rollback(True)
    return report


def leaf_ids() -> list[UUID]:
    log = DjangoSealedLog("default")
    return [entry_id for tile in range(2) for entry_id in log.ids(tile)]


class DyingKeeper(KeyFolder):
    def keep(self, note: str) -> None:
        if note.splitlines()[1] != "0":
            raise OSError("no power")
        super().keep(note)


class TestSealing:
    """Uses fixtures: sealer, keeper."""

    def test_what_was_recorded_is_sealed(self, sealer: Sealer, keeper: KeyFolder) -> None:
        record(3)
        made = seal(sealer)
        assert made.size == AuditEvent.objects.count()
        kept = keeper.checkpoint()
        assert kept is not None
        assert read_checkpoint(kept, keeper.verifier_keys()) == made

    def test_who_dies_over_the_first_seal_leaves_no_lost_file(self, keeper: KeyFolder) -> None:
        """Between the commit and the file outside: as if the file had been lost."""
        record(1)
        with pytest.raises(OSError, match="no power"):
            seal(make_sealer(DyingKeeper(keeper.path)))
        record(1)
        assert seal(make_sealer(keeper)).size == 2

    def test_there_is_nothing_to_seal_twice(self, sealer: Sealer) -> None:
        record(1)
        seal(sealer)
        assert sealer.seal() is None

    def test_the_leaves_are_in_the_order_of_the_commits(self, sealer: Sealer) -> None:
        record(3)
        seal(sealer)
        ordered = execute("SELECT id FROM audit_event ORDER BY epoch, xid, seq")
        assert leaf_ids_of_all() == [entry_id for (entry_id,) in ordered]

    def test_batches_lead_to_the_same_tree_as_one_go(
        self, sealer: Sealer, keeper: KeyFolder
    ) -> None:
        record(20)
        root = seal(sealer).root
        forget_the_seals()
        (keeper.path / "checkpoint").unlink()
        in_pieces = make_sealer(keeper, batch=AuditEvent.objects.count() // 3)
        assert seal(in_pieces).root == root

    def test_a_late_commit_is_neither_missed_nor_overtaken(
        self, sealer: Sealer, test_database: Database
    ) -> None:
        """The cursor stops below the oldest transaction that still runs."""
        record(1)
        bus = container.get_event_bus()
        with test_database.get_session():
            bus.publish(Attempted())
            on_another_connection(lambda: seal_if_any(sealer))
            bus.publish(Succeeded())
            on_another_connection(lambda: record(1))
            on_another_connection(lambda: seal_if_any(sealer))
        seal(sealer)
        assert sorted(leaf_ids_of_all()) == sorted(AuditEvent.objects.values_list("id", flat=True))

    def test_who_finds_another_sealer_at_work_goes_away(self, sealer: Sealer) -> None:
        record(1)
        found: list[object] = []
        with sealer.log.held():
            on_another_connection(lambda: found.append(make_sealer(sealer.keeper).seal()))
        assert found == [None]


class TestRefusingToSeal:
    """Uses fixtures: sealer, sealed, keeper."""

    def test_a_lost_checkpoint_outside_stops_the_sealer(
        self, sealer: Sealer, sealed: Checkpoint, keeper: KeyFolder
    ) -> None:
        (keeper.path / "checkpoint").unlink()
        record(1)
        with pytest.raises(SealRefusedError, match="no checkpoint is kept outside"):
            sealer.seal()

    def test_an_older_database_stops_the_sealer(self, sealer: Sealer, sealed: Checkpoint) -> None:
        forget_the_seals()
        with pytest.raises(SealRefusedError, match="older than the checkpoint"):
            sealer.seal()

    def test_a_rewritten_tree_stops_the_sealer(
        self, sealer: Sealer, sealed: Checkpoint, keeper: KeyFolder
    ) -> None:
        """Every hash is computed anew, and signed with the stolen key."""
        kept = keeper.checkpoint()
        assert kept is not None
        forget_the_seals()
        (keeper.path / "checkpoint").unlink()
        backwards = make_sealer(keeper, batch=10)
        with rewritten_history():
            seal(backwards)
        keeper.keep(kept)
        with pytest.raises(SealRefusedError, match="rewritten"):
            sealer.seal()

    def test_a_row_that_the_application_did_not_write_stops_the_sealer(
        self, sealer: Sealer
    ) -> None:
        record(1)
        with switched_off(*event_tables()):
            execute("UPDATE audit_event SET mac = sha256(entry)")
            with pytest.raises(SealRefusedError, match="its MAC is wrong"):
                seal(sealer)
            execute("TRUNCATE audit_event")

    def test_a_foreign_signature_stops_the_sealer(
        self, sealer: Sealer, sealed: Checkpoint, keeper: KeyFolder
    ) -> None:
        kept = keeper.checkpoint()
        assert kept is not None
        keeper.keep(kept.replace("— dashtam.test/audit ", "— dashtam.test/other "))
        with pytest.raises(SealRefusedError, match="not authentic"):
            sealer.seal()


class TestRotation:
    """Uses fixtures: sealer, keeper."""

    @pytest.mark.conforms("L17")
    def test_the_old_and_the_new_key_sign_one_checkpoint_then_the_new_alone(
        self, sealer: Sealer, keeper: KeyFolder
    ) -> None:
        record(1)
        seal(sealer)
        old = keeper.verifier_keys()[0]
        keeper.add(SigningKey.generate(old.name))
        record(1)
        seal(sealer)
        both = keeper.checkpoint()
        assert both is not None
        assert read_checkpoint(both, [old]) == read_checkpoint(both, keeper.verifier_keys()[1:])
        assert len(keeper.signing_keys()) == 1

    def test_the_signing_key_is_for_its_owner_alone(self, keeper: KeyFolder) -> None:
        assert (keeper.path / "signing-key").stat().st_mode & 0o777 == 0o600

    def test_a_newer_key_that_came_meanwhile_is_not_retired(self, keeper: KeyFolder) -> None:
        (signed,) = keeper.signing_keys()
        newer = SigningKey.generate("dashtam.test/audit")
        keeper.add(newer)
        keeper.retire(signed)
        assert keeper.signing_keys() == [newer, signed]

    def test_the_checkpoint_outside_never_goes_back(
        self, sealer: Sealer, keeper: KeyFolder
    ) -> None:
        """As when another sealer was faster between one's commit and its file."""
        record(1)
        seal(sealer)
        older = keeper.checkpoint()
        assert older is not None
        record(1)
        made = seal(sealer)
        keeper.advance(older)
        kept = keeper.checkpoint()
        assert kept is not None
        assert read_checkpoint(kept, keeper.verifier_keys()) == made


class TestTheFirstKey:
    """Uses fixtures: monkeypatch, tmp_path."""

    def test_two_workers_that_start_at_once_come_to_the_same_key(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        folder = KeyFolder(tmp_path / "audit")
        monkeypatch.setattr(wiring, "key_folder", lambda: folder)
        workers = [threading.Thread(target=upkeep._ensure_signing_key) for _ in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len(folder.verifier_keys()) == len(folder.signing_keys()) == 1

    def test_who_dies_between_the_two_files_leaves_a_folder_that_goes_on(
        self, keeper: KeyFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The public key was written, the signing key was not."""
        (keeper.path / "signing-key").unlink()
        monkeypatch.setattr(wiring, "key_folder", lambda: keeper)
        record(1)
        for _ in range(1000):
            if upkeep.seal_and_publish():
                break
        assert len(keeper.verifier_keys()) == 2
        assert DjangoSealedLog("default").frontier().size > 0


class TestAnchors:
    """Uses fixtures: sealed, keeper."""

    def test_every_so_many_checkpoints_are_published(
        self, sealed: Checkpoint, sealer: Sealer, keeper: KeyFolder, tmp_path: Path
    ) -> None:
        anchor = FileAnchor(tmp_path / "anchor")
        publisher = Publisher(
            anchors=[anchor],
            records=DjangoAnchorRecords("default"),
            logger=ConsoleLogger(),
            every=2,
        )
        for _ in range(3):
            record(1)
            made = seal(sealer)
            publisher.publish(made, keeper.checkpoint() or "")
        assert len(execute("SELECT * FROM audit_anchor")) == 2
        assert (tmp_path / "anchor").read_text().count("dashtam.test/audit\n") == 2

    def test_an_anchor_out_of_reach_stops_nothing(self, sealed: Checkpoint, tmp_path: Path) -> None:
        publisher = Publisher(
            anchors=[FileAnchor(tmp_path / "not" / "there")],
            records=DjangoAnchorRecords("default"),
            logger=ConsoleLogger(),
            every=1,
        )
        publisher.publish(sealed, "note")
        assert execute("SELECT * FROM audit_anchor") == []


NO_TRIGGERS = "ALTER TABLE audit_event DISABLE TRIGGER USER"
FIRST = "(SELECT id FROM audit_event ORDER BY epoch, xid, seq LIMIT 1)"
TENTH = "(SELECT id FROM audit_event ORDER BY epoch, xid, seq OFFSET 9 LIMIT 1)"


class TestVerifying:
    """Uses fixtures: sealed, keeper."""

    def test_an_untouched_trail_is_in_order(self, sealed: Checkpoint, keeper: KeyFolder) -> None:
        report = verifier(keeper).verify()
        assert (report.findings, report.exit_code, report.size) == ((), 0, sealed.size)
        assert report.root == sealed.root

    @pytest.mark.parametrize(
        ("damage", "kind", "leaf"),
        [
            (f"UPDATE audit_event SET entry = entry || ' ' WHERE id = {FIRST}", Kind.ALTERED, 0),
            (f"UPDATE audit_event SET entry = entry || ' ' WHERE id = {TENTH}", Kind.ALTERED, 9),
            (f"DELETE FROM audit_event WHERE id = {TENTH}", Kind.DELETED, 9),
            (f"UPDATE audit_event SET action = 'x' WHERE id = {TENTH}", Kind.COLUMN, 9),
            (f"UPDATE audit_event SET actor_ref = id WHERE id = {TENTH}", Kind.COLUMN, 9),
            (f"UPDATE audit_event SET ip_bi = '87654321' WHERE id = {TENTH}", Kind.COLUMN, 9),
            (
                f"UPDATE audit_event SET mac = decode(repeat('00', 32), 'hex') WHERE id = {TENTH}",
                Kind.MAC,
                9,
            ),
        ],
    )
    def test_damage_to_a_row_is_named_with_its_leaf_and_id(
        self, sealed: Checkpoint, keeper: KeyFolder, damage: str, kind: Kind, leaf: int
    ) -> None:
        damaged = leaf_ids()[leaf]
        report = verify_after(keeper, NO_TRIGGERS, damage)
        assert report.exit_code == 1
        assert (kind, leaf, damaged) in {
            (found.kind, found.leaf, found.id) for found in report.findings
        }
        assert {found.leaf for found in report.findings} == {leaf}

    @pytest.mark.parametrize(
        "place",
        [
            "epoch = -32768, xid = '0', seq = -9223372036854775808",
            "xid = '18446744073709551615'",
            "recorded_at = 'infinity'",
            "recorded_at = '0044-01-01 BC'",
        ],
    )
    def test_no_place_is_passed_over_and_none_stops_the_reading(
        self, sealed: Checkpoint, keeper: KeyFolder, place: str
    ) -> None:
        with switched_off(*event_tables()):
            report = verify_after(
                keeper,
                f"UPDATE audit_event SET {place}, mac = sha256(entry) WHERE id = {FIRST}",
            )
        assert Kind.MAC in {found.kind for found in report.findings}
        assert report.exit_code == 1

    def test_a_row_that_was_slipped_in_is_named(
        self, sealed: Checkpoint, keeper: KeyFolder
    ) -> None:
        report = verify_after(
            keeper,
            NO_TRIGGERS,
            "INSERT INTO audit_event (id, epoch, xid, seq, phase, action, correlation, entry,"
            " mac) SELECT overlay(id::text placing '0000' from 10 for 4)::uuid, epoch, xid, 0,"
            f" phase, action, correlation, entry, mac FROM audit_event WHERE id = {TENTH}",
        )
        assert [found.kind for found in report.findings] == [Kind.INSERTED]

    @pytest.mark.parametrize(
        ("damage", "kind"),
        [
            (
                "UPDATE audit_tile SET data = overlay(data placing '\\x00' from 65) WHERE kind = 0"
                " AND level = 0",
                Kind.TILE,
            ),
            ("DELETE FROM audit_tile WHERE kind = 1", Kind.ID_TILE),
            ("DELETE FROM audit_tile WHERE kind = 0", Kind.TILE),
            ("UPDATE audit_frontier SET size = size + 1", Kind.FRONTIER),
            ("UPDATE audit_checkpoint SET root = decode(repeat('00', 32), 'hex')", Kind.CHECKPOINT),
            ("UPDATE audit_checkpoint SET note = replace(note, 'test', 'text')", Kind.CHECKPOINT),
            (
                "DELETE FROM audit_checkpoint WHERE size > 300",
                Kind.FRONTIER,
            ),
        ],
    )
    def test_damage_to_the_tree_is_named(
        self, sealed: Checkpoint, keeper: KeyFolder, damage: str, kind: Kind
    ) -> None:
        table = damage.split()[1] if damage.startswith("UPDATE") else damage.split()[2]
        report = verify_after(keeper, f"ALTER TABLE {table} DISABLE TRIGGER USER", damage)
        assert report.exit_code == 1
        assert kind in {found.kind for found in report.findings}

    def test_an_entry_rewritten_with_its_hash_is_caught_by_the_signed_root(
        self, sealed: Checkpoint, keeper: KeyFolder
    ) -> None:
        report = verify_after(
            keeper,
            NO_TRIGGERS,
            "ALTER TABLE audit_tile DISABLE TRIGGER USER",
            f"UPDATE audit_event SET entry = entry || ' ' WHERE id = {TENTH}",
            "UPDATE audit_tile SET data = overlay(data placing (SELECT sha256('\\x00'::bytea ||"
            f" entry) FROM audit_event WHERE id = {TENTH}) from 289) WHERE kind = 0 AND level = 0",
        )
        assert Kind.REWRITTEN in {found.kind for found in report.findings}

    def test_a_history_rewritten_and_signed_anew_is_caught_by_a_checkpoint_from_outside(
        self, sealed: Checkpoint, sealer: Sealer, keeper: KeyFolder
    ) -> None:
        forget_the_seals()
        (keeper.path / "checkpoint").unlink()
        with rewritten_history():
            seal(sealer)
        alone = verifier(keeper).verify()
        beside = verifier(keeper).verify(outside=[sealed])
        assert Kind.REWRITTEN not in {found.kind for found in alone.findings}
        assert Kind.REWRITTEN in {found.kind for found in beside.findings}

    def test_a_trail_cut_short_is_caught_by_a_checkpoint_from_outside(
        self, sealed: Checkpoint, keeper: KeyFolder
    ) -> None:
        later = Checkpoint(sealed.origin, sealed.size + 1, sealed.root)
        report = verifier(keeper).verify(outside=[later])
        assert [found.kind for found in report.findings] == [Kind.REWRITTEN]

    def test_the_next_verification_begins_where_the_last_one_ended(
        self, sealed: Checkpoint, sealer: Sealer, keeper: KeyFolder
    ) -> None:
        verified = verifier(keeper).verify().verified
        assert isinstance(verified, Verified)
        record(2)
        made = seal(sealer)
        report = verifier(keeper).verify(since=verified)
        assert (report.exit_code, report.size) == (0, made.size)
        assert report.checked == made.size - sealed.size

    def test_rows_that_wait_too_long_for_a_seal_are_incomplete(
        self, sealed: Checkpoint, keeper: KeyFolder
    ) -> None:
        record(1)
        late = Verifier(
            evidence=DjangoEvidence("default"),
            vkeys=keeper.verifier_keys(),
            mac_keys=container.get_settings().audit_keys,
            clock=Later(),
        )
        assert [found.kind for found in late.verify().findings] == [Kind.UNSEALED]


class TestSweeping:
    """Uses fixtures: test_database."""

    def test_an_attempt_that_nobody_finished_is_abandoned(self, test_database: Database) -> None:
        attempt = leave_an_attempt(test_database)
        assert sweeper().sweep(timedelta(0)) >= 1
        assert AuditEvent.objects.get(pk=outcome_id(attempt)).phase == Phase.ABANDONED

    def test_an_attempt_may_take_its_time(self, test_database: Database) -> None:
        attempt = leave_an_attempt(test_database)
        sweeper().sweep()
        assert not AuditEvent.objects.filter(pk=outcome_id(attempt)).exists()

    def test_an_outcome_that_is_being_written_is_left_alone(self, test_database: Database) -> None:
        bus = container.get_event_bus()
        with test_database.get_session() as unit:
            bus.publish(Attempted())
            bus.publish(Succeeded())
            on_another_connection(lambda: sweeper().sweep(timedelta(0)))
            attempt = unit.attempt_id
        assert attempt is not None
        assert AuditEvent.objects.get(pk=outcome_id(attempt)).phase == Phase.SUCCEEDED

    def test_a_second_sweep_finds_nothing(self, test_database: Database) -> None:
        leave_an_attempt(test_database)
        sweep = sweeper()
        sweep.sweep(timedelta(0))
        assert sweep.sweep(timedelta(0)) == 0


class TestPartitions:
    """Uses fixtures: transactional_db."""

    def test_they_are_made_ahead_and_only_once(self, transactional_db: None) -> None:
        make_partitions()
        assert make_partitions() == 0


class Later:
    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(minutes=10)


class rewritten_history:  # noqa: N801
    """One entry, its hash and its MAC are somebody else's; afterwards all is as before."""

    def __enter__(self) -> None:
        found = execute(f"SELECT id, entry FROM audit_event WHERE id = {FIRST}")
        self.id, self.entry = found[0]
        self._write(bytes(self.entry).replace(b"test.arranged", b"test.rewritten"))

    def __exit__(self, *error: object) -> None:
        self._write(bytes(self.entry))

    def _write(self, entry: bytes) -> None:
        with switched_off(*event_tables()):
            mac = mac_of(entry, container.get_settings().audit_keys)
            execute(
                "UPDATE audit_event SET entry = %s, mac = %s WHERE id = %s", [entry, mac, self.id]
            )


def leaf_ids_of_all() -> list[UUID]:
    log = DjangoSealedLog("default")
    tiles = -(-log.frontier().size // 256)
    return [entry_id for tile in range(tiles) for entry_id in log.ids(tile)]


def seal_if_any(sealer: Sealer) -> None:
    make_sealer(sealer.keeper).seal_all()


def sweeper() -> Sweeper:
    keys = container.get_settings().audit_keys
    return Sweeper(DjangoOpenAttempts("default", keys))


def leave_an_attempt(database: Database) -> UUID:
    """As a process that was killed leaves it."""
    with database.get_session() as unit:
        container.get_event_bus().publish(Attempted())
        attempt = unit.attempt_id
        unit._attempt = None  # the unit forgets that anything was begun
    assert attempt is not None
    return attempt
