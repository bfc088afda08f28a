"""Where the trail's own work is put together."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from django.db import connections

from audit.adapters.anchors import FileAnchor, OutputAnchor
from audit.adapters.archives import BundleArchives
from audit.adapters.bundles import Bundle as Bundle
from audit.adapters.keys import KeyFolder
from audit.adapters.verified import VerifiedFile
from audit.application.erasing import (
    EraseSubject,
    EraseSubjectHandler,
    ExpirePseudonyms,
    ExpirePseudonymsHandler,
)
from audit.application.explaining import Explainer
from audit.application.figures import Figures
from audit.application.following import Follower
from audit.application.proving import Proof, Prover
from audit.application.pruning import Pruner
from audit.application.reading import (
    ExportEvents,
    ExportEventsHandler,
    Reader,
    SeenEvent,
    ViewEvent,
    ViewEventHandler,
    ViewEvents,
    ViewEventsHandler,
)
from audit.application.recording import Recorder
from audit.application.sealing import Publisher, Sealer
from audit.application.status import FORGOTTEN, Seals, TrailStatus
from audit.application.sweeping import Sweeper
from audit.application.verification.verifier import Verifier
from audit.domain.checkpoint import (
    Checkpoint,
    SignedNote,
    VerifierKey,
    read_checkpoint,
)
from audit.domain.errors import PruneRefusedError
from audit.domain.events import (
    TrailExported,
    TrailViewRefused,
)
from audit.grants import OWNER
from audit.ports import Anchor, Criteria
from audit.queries import lag
from audit.queries.counts import DjangoEventCounts
from audit.queries.events import DjangoRecordedEvents, DjangoSubjectDirectory
from audit.repositories.attempts import DjangoOpenAttempts
from audit.repositories.evidence import DjangoEvidence
from audit.repositories.months import PartitionedMonths
from audit.repositories.sealed import DjangoAnchorRecords, DjangoSealedLog
from audit.repositories.subjects import DjangoErasableSubjects, DjangoSubjects
from audit.repositories.trail import DjangoTrail
from core import container, context
from core.database import InUnitOfWork
from core.events import DomainEvent
from core.ids import first_id_of


def recorder(alias: str) -> Recorder:
    keys = container.get_settings().audit_keys
    return Recorder(DjangoTrail(alias, keys), DjangoSubjects(alias, keys))


def key_folder() -> KeyFolder:
    return KeyFolder(Path(container.get_settings().audit_folder))


def reader() -> Reader:
    directory = DjangoSubjectDirectory(container.get_settings().audit_keys)
    return Reader(events=DjangoRecordedEvents(directory), subjects=directory)


def figures() -> Figures:
    return Figures(DjangoEventCounts(), reader())


def explainer() -> Explainer:
    return Explainer(reader())


def seals(alias: str = "default") -> Seals:
    waiting = lag.waiting(alias)
    return Seals(
        size=DjangoSealedLog(alias).frontier().size,
        sealed_ago=lag.sealed_ago(alias),
        waiting=waiting.events,
        waits=waiting.longest,
    )


def status(alias: str = "default") -> TrailStatus:
    folder = key_folder()
    outside = folder.checkpoint()
    open_attempts = DjangoOpenAttempts(alias, container.get_settings().audit_keys)
    anchors = [_anchor(text).name for text in container.get_settings().audit_anchors]
    return TrailStatus(
        **asdict(seals(alias)),
        open_attempts=len(open_attempts.without_outcome(FORGOTTEN)),
        outside=Checkpoint.read(SignedNote.read(outside).text).size if outside else None,
        keys=tuple(key.text() for key in folder.verifier_keys()),
        anchors={name: DjangoAnchorRecords(alias).size(name) for name in anchors},
    )


def follower(criteria: Criteria) -> Follower:
    return Follower(DjangoSealedLog("default"), reader(), criteria)


def prover(alias: str = "default") -> Prover:
    return Prover(DjangoSealedLog(alias))


def view_events() -> InUnitOfWork[ViewEvents, list[SeenEvent]]:
    handler = ViewEventsHandler(reader=reader(), event_bus=container.get_event_bus())
    return InUnitOfWork(handler, container.get_database())


def view_event() -> InUnitOfWork[ViewEvent, tuple[SeenEvent, Proof | None]]:
    handler = ViewEventHandler(
        reader=reader(), prover=prover(), event_bus=container.get_event_bus()
    )
    return InUnitOfWork(handler, container.get_database())


def export_events() -> InUnitOfWork[ExportEvents, Iterable[SeenEvent]]:
    handler = ExportEventsHandler(reader=reader(), event_bus=container.get_event_bus())
    return InUnitOfWork(handler, container.get_database())


def refuse_view(path: str) -> None:
    """On record: somebody without the right tried to read the trail."""
    record(TrailViewRefused(user_id=context.current().actor_id, path=path))


def record(event: DomainEvent) -> None:
    """A fact of its own, in a unit of its own."""
    with container.get_database().get_session() as unit:
        container.get_event_bus().publish(event, session=unit)


def sealer(alias: str = "default") -> Sealer:
    keys = container.get_settings().audit_keys
    return Sealer(log=DjangoSealedLog(alias), keeper=key_folder(), mac_keys=keys)


def sweeper(alias: str = "default") -> Sweeper:
    return Sweeper(DjangoOpenAttempts(alias, container.get_settings().audit_keys))


def publisher(alias: str = "default") -> Publisher:
    settings = container.get_settings()
    return Publisher(
        anchors=[_anchor(text) for text in settings.audit_anchors],
        records=DjangoAnchorRecords(alias),
        logger=container.get_logger(),
        every=settings.audit_anchor_every,
    )


def is_sealed(alias: str = "default") -> bool:
    return DjangoSealedLog(alias).last_checkpoint() is not None


def erasing() -> EraseSubjectHandler:
    """Inside the unit of work that is open."""
    return EraseSubjectHandler(
        subjects=DjangoErasableSubjects(container.get_database()),
        event_bus=container.get_event_bus(),
    )


def erase_subject() -> InUnitOfWork[EraseSubject, None]:
    return InUnitOfWork(erasing(), container.get_database())


def expire_pseudonyms() -> InUnitOfWork[ExpirePseudonyms, int]:
    database = container.get_database()
    handler = ExpirePseudonymsHandler(
        subjects=DjangoErasableSubjects(database), event_bus=container.get_event_bus()
    )
    return InUnitOfWork(handler, database)


def bundle(first: int, last: int | None, alias: str = "default") -> Bundle:
    """Raises `ValueError` where there are no such leaves."""
    evidence, vkeys = DjangoEvidence(alias), key_folder().verifier_keys()
    note = evidence.last_checkpoint()
    if note is None:
        raise ValueError("Nothing is sealed yet: `manage.py audit_seal` seals what is there.")
    checkpoint = read_checkpoint(note, vkeys)
    end = checkpoint.size if last is None else last
    if not 0 <= first < end <= checkpoint.size:
        raise ValueError(f"Choose leaves between 0 and {checkpoint.size}, at least one.")
    return Bundle(
        evidence=evidence, checkpoint=checkpoint, note=note, vkeys=vkeys, first=first, last=end
    )


def bundle_of(since: datetime | None, until: datetime | None) -> Bundle:
    """Of the leaves from the first to the last whose ids were made in this time; some beside them
    may be among those. Raises `ValueError` where there are none."""
    begin, end = (first_id_of(each) if each else None for each in (since, until))
    leaves = [
        leaf
        for leaf, entry_id in DjangoSealedLog("default").leaves()
        if (begin is None or begin <= entry_id) and (end is None or entry_id < end)
    ]
    if not leaves:
        raise ValueError("No sealed event was made in this time.")
    return bundle(leaves[0], leaves[-1] + 1)


def owner() -> str:
    """The alias of the connection of whoever owns the tables."""
    return OWNER if OWNER in connections else "default"


def pruner() -> Pruner:
    """As the owner of the tables. Raises `PruneRefusedError` where there are no partitions."""
    if connections["default"].vendor != "postgresql":
        raise PruneRefusedError("SQLite keeps all in one file: there is nothing to prune.")
    return Pruner(
        months=PartitionedMonths(owner()),
        archives=BundleArchives(bundle),
        pruned=lambda: verifier(key_folder().verifier_keys()).pruned(),
        record=record,
        legal_hold=container.get_settings().audit_legal_hold,
    )


def record_export(exported: Bundle) -> None:
    record(TrailExported(first=exported.first, last=exported.last))


def verifier(vkeys: Sequence[VerifierKey], alias: str = "default") -> Verifier:
    return Verifier(
        evidence=DjangoEvidence(alias), vkeys=vkeys, mac_keys=container.get_settings().audit_keys
    )


def _anchor(text: str) -> Anchor:
    kind, _, path = text.partition(":")
    return OutputAnchor() if kind == "stdout" else FileAnchor(Path(path))


def verified_file() -> VerifiedFile:
    return VerifiedFile(key_folder().path)
