"""What becomes of each line of a file."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from core.errors import ConflictError, DomainError, InfrastructureError, ValidationError
from core.result import Failure, Result
from users.application.importing import AccountReader, ImportUser
from users.management.records import Record

Take: TypeAlias = Callable[[ImportUser], Result[Any, DomainError]]


class Status(StrEnum):
    IMPORTED = "imported"
    EXISTING = "existing"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Told:
    """`where` is a column, or the address of an account that is there already."""

    line: int
    status: Status
    where: str | None = None
    message: str = ""

    def __str__(self) -> str:
        return ": ".join(part for part in (f"line {self.line}", self.where, self.message) if part)

    def as_document(self) -> str:
        return json.dumps(asdict(self))


@dataclass
class Tally:
    line: int = 0
    counts: Counter[Status] = field(default_factory=Counter)

    def add(self, told: Told) -> None:
        self.line = told.line
        self.counts[told.status] += 1


class UnavailableError(Exception):
    """The database can no longer do and record it."""


def outcomes(records: Iterable[Record], reader: AccountReader, take: Take) -> Iterator[Told]:
    """Raises `UnavailableError` where the lines that follow would fail alike."""
    for line, values in records:
        command = values if isinstance(values, Failure) else reader.read(values.value)
        if isinstance(command, Failure):
            yield _refused(line, command.error)
            continue
        taken = take(command.value)
        if not isinstance(taken, Failure):
            yield Told(line=line, status=Status.IMPORTED)
        elif isinstance(taken.error, InfrastructureError):
            raise UnavailableError(taken.error.message)
        elif isinstance(taken.error, ConflictError):
            yield Told(
                line=line,
                status=Status.EXISTING,
                where=command.value.email,
                message=taken.error.message,
            )
        else:
            yield _refused(line, taken.error)


def _refused(line: int, error: DomainError) -> Told:
    where = error.field if isinstance(error, ValidationError) else None
    return Told(line=line, status=Status.REFUSED, where=where, message=error.message)
