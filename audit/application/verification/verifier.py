"""Reading the trail against what was signed: all of it, what is new, or single leaves.

Leaf by leaf, between one checkpoint and the next: the hashes that are stored must lead to the root
that was signed; each row must have the hash that is stored for it; and each column must say what
the entry says. A row that no leaf names is a finding as well.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias
from uuid import UUID

from audit.application.verification.personchecking import findings_of_people
from audit.application.verification.rowchecking import RowCheck
from audit.application.verification.spotchecking import Pruned, SpotCheck, last_signed, pruned
from audit.application.verification.walking import LATE, Walk
from audit.domain.checkpoint import Checkpoint, NotAuthentic, VerifierKey
from audit.domain.findings import INCOMPLETE, WARNINGS, Finding, Kind
from audit.domain.findings import Verified as Verified
from audit.domain.merkle import EMPTY_ROOT
from audit.ports import Evidence
from core.clock import SystemClock
from core.ids import first_id_since
from core.keys import KeyRing
from core.ports import Clock

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many leaves were checked, and of how many."""
_FROM_THE_BEGINNING: Final = Verified()


def _quietly(done: int, of: int) -> None: ...


@dataclass(frozen=True)
class Report:
    findings: tuple[Finding, ...]
    checked: int
    size: int
    root: bytes
    verified: Verified | None = None
    """None where something was found, and where not everything was looked at."""

    def with_finding(self, finding: Finding) -> "Report":
        return replace(self, findings=(*self.findings, finding))

    @property
    def tampered(self) -> bool:
        return any(found.kind not in INCOMPLETE | WARNINGS for found in self.findings)

    @property
    def exit_code(self) -> int:
        """0 in order, 1 tampered with, 2 incomplete."""
        if self.tampered:
            return 1
        return 2 if any(found.kind in INCOMPLETE for found in self.findings) else 0


@dataclass(frozen=True, kw_only=True)
class Verifier:
    evidence: Evidence
    vkeys: Sequence[VerifierKey]
    mac_keys: KeyRing
    clock: Clock = SystemClock()

    def verify(
        self,
        since: Verified | None = None,
        outside: Sequence[Checkpoint] = (),
        progress: Progress = _quietly,
    ) -> Report:
        """`outside` are checkpoints from elsewhere, already authenticated: somebody who recomputed
        every hash and signed it cannot have changed those."""
        since = since or _FROM_THE_BEGINNING
        walk = Walk(self.evidence, self.vkeys, RowCheck(self.mac_keys), since, progress)
        settled = first_id_since(LATE)
        with self.evidence.snapshot():
            found = _in_order(
                [
                    *_readable(walk.findings(outside, self.clock)),
                    *_readable(findings_of_people(self.evidence, self.mac_keys)),
                ]
            )
        size, root = walk.edge.size, walk.edge.root()
        report = Report(found, max(size - since.size, 0), size, root)
        if report.tampered:
            return report
        verified = Verified(walk.edge, walk.cursor, settled)
        return Report(found, report.checked, size, root, verified)

    def verify_some(self, number: int, progress: Progress = _quietly) -> Report:
        """As many random leaves."""
        return self._spot_check(number, lambda check: check.any(number, progress))

    def verify_one(self, entry_id: UUID) -> Report:
        return self._spot_check(1, lambda check: check.one(entry_id))

    def pruned(self) -> tuple[Pruned, ...]:
        """What left the database on record, as far as that can be proved."""
        with self.evidence.snapshot():
            if self._is_empty():
                return ()
            checkpoint = last_signed(self.evidence, self.vkeys)
            return pruned(self.evidence, RowCheck(self.mac_keys), checkpoint)

    def _spot_check(self, number: int, look: Callable[[SpotCheck], Iterator[Finding]]) -> Report:
        with self.evidence.snapshot():
            if self._is_empty():
                checkpoint = Checkpoint("nothing", 0, EMPTY_ROOT)
            else:
                try:
                    checkpoint = last_signed(self.evidence, self.vkeys)
                except NotAuthentic as error:
                    found = Finding(Kind.CHECKPOINT, f"the last one: {error}")
                    return Report((found,), 0, 0, EMPTY_ROOT)
            check = RowCheck(self.mac_keys)
            gone = pruned(self.evidence, check, checkpoint)
            findings = _in_order(look(SpotCheck(self.evidence, check, checkpoint, gone)))
        checked = min(number, checkpoint.size)
        return Report(findings, checked, checkpoint.size, checkpoint.root)

    def _is_empty(self) -> bool:
        return self.evidence.last_checkpoint() is None and self.evidence.frontier().size == 0


def _readable(findings: Iterator[Finding]) -> Iterator[Finding]:
    """Whoever owns the tables can put anything anywhere: that is a finding, and the last one."""
    try:
        yield from findings
    except (TypeError, ValueError, AttributeError, OverflowError, LookupError) as error:
        yield Finding(Kind.UNREADABLE, f"the tables of the trail: {type(error).__name__}: {error}")


def _in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The first one names the first bad leaf; what is only late, or odd, comes last."""

    def place(found: Finding) -> tuple[bool, bool, int]:
        return found.kind in INCOMPLETE | WARNINGS, found.leaf is None, found.leaf or 0

    return tuple(sorted(findings, key=place))
