"""Sealing: what was recorded becomes leaves of a tree, and its root is signed and published.

Writers never wait for it. Before a new root is signed, the tree must still contain every root that
was signed before: the last one in the database, and the last one in a file outside of it, which
somebody who can rewrite the database cannot rewrite with it.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from audit.domain.checkpoint import (
    Checkpoint,
    NotAuthentic,
    SigningKey,
    read_checkpoint,
    sign_checkpoint,
)
from audit.domain.entry import is_authentic
from audit.domain.log import Frontier, Row
from audit.domain.merkle import Edge, root_of
from audit.ports import Anchor, AnchorRecords, Keeper, SealedLog
from core.keys import KeyRing
from core.ports import LoggerProtocol

BATCH: Final = 10_000


class SealRefusedError(Exception):
    """The tree is not the one that was signed before: nothing is signed on top of it."""


@dataclass(frozen=True, kw_only=True)
class Sealer:
    log: SealedLog
    keeper: Keeper
    mac_keys: KeyRing
    batch: int = BATCH

    def seal(self) -> Checkpoint | None:
        """Seals one batch. None when there is nothing to seal, or somebody else is sealing.

        Raises `SealRefusedError`."""
        with self._held() as frontier:
            if frontier is None:
                return None
            self._agree(frontier)
            rows = self.log.unsealed(frontier.cursor, self.batch)
            if not rows:
                return None
            self._refuse_forged(rows)
            keys = self.keeper.signing_keys()
            if frontier.size == 0:
                # From now on a file that is missing was lost, whoever dies when.
                self.keeper.advance(_signed(frontier.edge, keys)[1])
            advance = frontier.grown(rows)
            checkpoint, note = _signed(advance.frontier.edge, keys)
            self.log.advance(advance, checkpoint, note, rows)
        # After the commit: a file that knew more than the database would look like a rollback.
        self.keeper.advance(note)
        if len(keys) > 1:
            self.keeper.retire(keys[0])
        return checkpoint

    @contextmanager
    def _held(self) -> Iterator[Frontier | None]:
        with ExitStack() as stack:
            try:
                frontier = stack.enter_context(self.log.held())
            except LookupError as error:
                raise SealRefusedError(
                    f"The right edge of the tree is gone: {error}. Nothing is sealed before"
                    " somebody has looked at it: docs/how-to/audit-incident.md."
                ) from error
            yield frontier

    def seal_all(self) -> Checkpoint | None:
        """Until nothing is left that can be sealed now: the last checkpoint that was made."""
        last = None
        while (made := self.seal()) is not None:
            last = made
        return last

    def _refuse_forged(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if not is_authentic(row.entry, row.mac, self.mac_keys):
                raise SealRefusedError(
                    f"Event {row.id} was not written by this application: its MAC is wrong. Nothing"
                    " is sealed before somebody has looked at it: docs/how-to/audit-incident.md."
                )

    def _agree(self, frontier: Frontier) -> None:
        here = self._signed(self.log.last_checkpoint(), "The last checkpoint in the database")
        if (here.size if here else 0) != frontier.size:
            raise SealRefusedError(
                f"The tree has {frontier.size} leaves, the last checkpoint in the database"
                f" {here.size if here else 0}."
            )
        if here and here.root != frontier.edge.root():
            raise SealRefusedError("The tree is not the one of the last checkpoint.")
        self._agree_with_outside(frontier)

    def _agree_with_outside(self, frontier: Frontier) -> None:
        outside = self._signed(self.keeper.checkpoint(), "The checkpoint outside the database")
        if outside is None:
            if frontier.size:
                raise SealRefusedError(
                    f"{frontier.size} entries are sealed, but no checkpoint is kept outside the"
                    " database. Put the file back; if it is lost, `manage.py audit_reconcile"
                    " --trust-database` takes the database's word, and records that you did."
                )
            return
        if outside.size > frontier.size:
            raise SealRefusedError(
                f"{outside.size} entries were sealed once, and {frontier.size} are left: the"
                " database is older than the checkpoint outside of it."
            )
        if self._root_of(outside.size) != outside.root:
            raise SealRefusedError(
                f"The first {outside.size} entries are not those that were signed: the trail was"
                " rewritten. `manage.py audit_verify` tells where."
            )

    def _root_of(self, size: int) -> bytes | None:
        """None where something of the stored tree is missing."""
        try:
            return root_of(self.log, size)
        except (LookupError, ValueError):
            return None

    def _signed(self, note: str | None, what: str) -> Checkpoint | None:
        if note is None:
            return None
        try:
            return read_checkpoint(note, self.keeper.verifier_keys())
        except NotAuthentic as error:
            raise SealRefusedError(f"{what} is not authentic: {error}") from error


def _signed(edge: Edge, keys: Sequence[SigningKey]) -> tuple[Checkpoint, str]:
    checkpoint = Checkpoint(keys[0].name, edge.size, edge.root())
    return checkpoint, sign_checkpoint(checkpoint, *keys).encoded()


@dataclass(frozen=True, kw_only=True)
class Publisher:
    """Every so many checkpoints, to each anchor; one that fails is tried again at the next."""

    anchors: Sequence[Anchor]
    records: AnchorRecords
    logger: LoggerProtocol
    every: int

    def publish(self, checkpoint: Checkpoint, note: str) -> None:
        for anchor in self.anchors:
            if not self.records.is_due(anchor.name, self.every):
                continue
            try:
                receipt = anchor.publish(note)
            except OSError as error:
                self.logger.error("checkpoint_not_anchored", anchor=anchor.name, error=str(error))
                continue
            self.records.add(anchor.name, checkpoint.size, receipt)
