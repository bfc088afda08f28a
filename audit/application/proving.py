"""That an event is on the trail, and that the trail of today continues the one of yesterday."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from audit.domain.checkpoint import Checkpoint, SignedNote
from audit.domain.inclusion import InclusionProof
from audit.domain.merkle import consistency_proof, inclusion_proof, leaf_hash, verify_inclusion
from audit.ports import ProvableLog
from core.errors import DomainError, ErrorCode, ValidationError
from core.result import Failure, Result, Success

NOTHING_SEALED: Final = DomainError(
    ErrorCode.NOTHING_SEALED, "Nothing is sealed yet: `manage.py worker` seals every second."
)
NOT_SEALED_YET: Final = DomainError(
    ErrorCode.NOT_SEALED_YET,
    "This event is not sealed yet; `manage.py worker` seals every second. Try again.",
)
NOT_AS_SEALED: Final = DomainError(
    ErrorCode.NOT_AS_SEALED,
    "This event is not what was sealed: `manage.py audit_verify` tells what was tampered with.",
)
_DAMAGED: Final = (LookupError, ValueError)
"""What reading a stored tree raises where something of it is missing, or cut."""


@dataclass(frozen=True)
class Proof:
    """`text` is a C2SP tlog-proof@v1: it carries the signed checkpoint."""

    leaf: int
    text: str


@dataclass(frozen=True)
class Consistency:
    """RFC 9162 §2.1.4.1. Nothing to prove, no hashes: from nothing, or to the same size."""

    old: int
    new: int
    hashes: tuple[bytes, ...]


@dataclass(frozen=True)
class Prover:
    """Signatures are for whoever checks: here is what was signed, as it was."""

    log: ProvableLog

    def latest(self) -> Result[tuple[Checkpoint, str], DomainError]:
        note = self.log.last_checkpoint()
        if note is None:
            return Failure(NOTHING_SEALED)
        try:
            return Success((Checkpoint.read(SignedNote.read(note).text), note))
        except ValueError:
            return Failure(NOT_AS_SEALED)

    def prove(self, entry_id: UUID, entry: bytes) -> Result[Proof, DomainError]:
        """What is handed out was checked: a proof that does not hold would only confuse."""
        latest = self.latest()
        if isinstance(latest, Failure):
            return latest
        tree, note = latest.value
        try:
            leaf = self.log.leaf_of(entry_id)
            if leaf is None or leaf >= tree.size:
                return Failure(NOT_SEALED_YET)
            hashes = inclusion_proof(self.log, leaf, tree.size)
        except _DAMAGED:
            return Failure(NOT_AS_SEALED)
        if not verify_inclusion(leaf_hash(entry), leaf, tree.size, hashes, tree.root):
            return Failure(NOT_AS_SEALED)
        return Success(Proof(leaf, InclusionProof(leaf, hashes, note).text()))

    def consistency(self, old: int, new: int | None = None) -> Result[Consistency, DomainError]:
        """From a tree of `old` leaves to one of `new`, or to the one that was signed last."""
        latest = self.latest()
        if isinstance(latest, Failure):
            return latest
        size = latest.value[0].size
        end = size if new is None else new
        if end > size:
            return Failure(_beyond("to", f"Only {size} events are sealed."))
        if not 0 <= old <= end:
            return Failure(_beyond("from", f"This must be a size from 0 to {end}."))
        try:
            return Success(Consistency(old, end, consistency_proof(self.log, old, end)))
        except _DAMAGED:
            return Failure(NOT_AS_SEALED)


def _beyond(field: str, message: str) -> ValidationError:
    return ValidationError(ErrorCode.VALIDATION_FAILED, message, field=field)
