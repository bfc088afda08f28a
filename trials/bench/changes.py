"""What recording the change of a row adds to it, in the process and in the database's.

Every arm changes the same number of rows by `save()` in one transaction:

    alone       nobody looks on
    ours        a unit of work, in which each change has its SOLE event, sent through the bus: a
                person, an address, a browser and a personal field, encrypted; the pseudonyms are
                read and their keys unwrapped for each event
    auditlog    django-auditlog writes a LogEntry: what it was and what it is, no actor, no address
    easy        django-easy-audit writes a CRUDEvent: likewise; behind the commit, as it always does
    insert      after each change the row of `ours`, made beforehand: the driver's prepared INSERT
                with all triggers and indexes of the trail, and nothing else. This is the floor

What an arm adds is what it takes more than `alone`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, Final

from django.db import connection, transaction

from audit.application.recording import Recorder
from audit.domain.entry import Entry, mac_of, sole_id
from audit.repositories.subjects import DjangoSubjects
from audit.repositories.trail import INSERT, as_stored
from core import container, context
from core.actions import Phase
from trials.bench.events import REQUEST, ItemChanged
from trials.bench.measures import TIMES, Goal, Measure, at_least, at_most, interleaved
from trials.bench.models import AuditlogItem, EasyItem, Item, Row

_ROWS: Final = 20
_OTHERS: Final = {"auditlog": "django-auditlog", "easy": "django-easy-audit"}


@dataclass(frozen=True)
class Spent:
    """Seconds by the clock, and of processors: ours and, where it can be asked, the database's."""

    clock: float
    cpu: float


def measures(changes: int, rounds: int) -> list[Measure]:
    """For the database of the default connection; on SQLite without waiting for a disk."""
    if _is_sqlite():
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous = OFF")
    with context.bound(REQUEST):
        arms = _arms(changes)
        for arm in arms.values():
            arm()  # prepares statements and makes the pseudonyms
        taken = interleaved(arms, rounds)
    added = {
        name: [
            _less(spent, base, changes) for spent, base in zip(each, taken["alone"], strict=True)
        ]
        for name, each in taken.items()
        if name != "alone"
    }
    return list(_compared(added))


def _less(spent: Spent, base: Spent, changes: int) -> Spent:
    """Of one change."""
    return Spent((spent.clock - base.clock) / changes, (spent.cpu - base.cpu) / changes)


def _compared(added: dict[str, list[Spent]]) -> Iterator[Measure]:
    where = "SQLite without I/O" if _is_sqlite() else "PostgreSQL"
    for kind, how in (("clock", "the clock"), ("cpu", "CPU")):
        of = {name: [getattr(each, kind) for each in spent] for name, spent in added.items()}
        told = partial(_told, where=f"{where}, by {how}")
        yield told("an event against the raw INSERT", of["ours"], of["insert"], at_most(1.5, TIMES))
        for name, product in _OTHERS.items():
            goal = at_least(2 if kind == "clock" else 4, TIMES)
            yield told(f"{product} against an event", of[name], of["ours"], goal)


def _told(what: str, over: list[float], under: list[float], goal: Goal, where: str) -> Measure:
    # Not the median of ratios: a difference of two noisy times may come near to nothing.
    value = median(over) / median(under)
    detail = f"{median(over) * 1e6:.0f} and {median(under) * 1e6:.0f} µs"
    return Measure("3", f"{what}, {where}", value, goal, TIMES, detail)


def _arms(changes: int) -> dict[str, Callable[[], Spent]]:
    return {
        "alone": partial(_in_transaction, Item, changes),
        "ours": partial(_on_record, changes),
        "auditlog": partial(_in_transaction, AuditlogItem, changes),
        "easy": partial(_in_transaction, EasyItem, changes),
        "insert": partial(_inserted, changes),
    }


def _in_transaction(model: type[Row], changes: int) -> Spent:
    items = _items(model)
    with _stopwatch() as spent, transaction.atomic():
        for number in range(changes):
            _change(items[number % _ROWS])
    return spent[0]


def _on_record(changes: int) -> Spent:
    items, bus = _items(Item), container.get_event_bus()
    with _stopwatch() as spent, container.get_database().get_session() as unit:
        for number in range(changes):
            bus.publish(ItemChanged(count=number), session=unit)
            _change(items[number % _ROWS])
    return spent[0]


def _inserted(changes: int) -> Spent:
    items, rows, insert = _items(Item), made(changes), driver()
    with _stopwatch() as spent, transaction.atomic():
        for number, row in enumerate(rows):
            _change(items[number % _ROWS])
            insert(row)
    return spent[0]


def driver() -> Callable[[list[Any]], object]:
    """Without Django between."""
    connection.ensure_connection()
    if _is_sqlite():
        return partial(connection.connection.execute, INSERT.replace("%s", "?"))
    from psycopg import Cursor

    return partial(Cursor(connection.connection).execute, INSERT.encode(), prepare=True)


def made(changes: int) -> list[list[Any]]:
    """Rows that the recorder would write, each with an id of its own."""
    keys, written = container.get_settings().audit_keys, _Written([])
    Recorder(written, DjangoSubjects("default", keys)).record(ItemChanged(), Phase.SOLE, REQUEST)
    entries = [replace(written.entries[0], id=sole_id()) for _ in range(changes)]
    rows = [(entry, entry.encoded()) for entry in entries]
    values = [[*entry.projection, raw, mac_of(raw, keys)] for entry, raw in rows]
    return [list(map(as_stored, row)) for row in values] if _is_sqlite() else values


def _is_sqlite() -> bool:
    return connection.vendor == "sqlite"


@dataclass(frozen=True)
class _Written:
    entries: list[Entry]

    def append(self, entry: Entry) -> None:
        self.entries.append(entry)


def _items(model: type[Row]) -> list[Row]:
    """Read anew: what one arm has changed, the next does not change back."""
    if items := list(model.objects.order_by("pk")):
        return items
    return [model.objects.create(name=f"item {number}", note="new") for number in range(_ROWS)]


def _change(item: Row) -> None:
    item.count += 1
    item.note = f"changed {item.count} times"
    item.save()


@contextmanager
def _stopwatch() -> Iterator[list[Spent]]:
    spent: list[Spent] = []
    clock, cpu = perf_counter(), _cpu()
    yield spent
    spent.append(Spent(perf_counter() - clock, _cpu() - cpu))


def _cpu() -> float:
    return process_time() + _cpu_of_database()


def _cpu_of_database() -> float:
    """Of the process that serves this connection, where it is one of this machine."""
    if connection.vendor != "postgresql":
        return 0.0
    connection.ensure_connection()
    schedule = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat")
    try:
        return int(schedule.read_text().split()[0]) / 1e9
    except (OSError, ValueError):
        return 0.0
