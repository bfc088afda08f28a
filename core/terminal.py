"""What commands print for people."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from rich.console import Console
from rich.table import Table
from rich.text import Text

Cell: TypeAlias = str | tuple[str, ...]
"""A tuple stands in one column of a terminal, line by line."""


def printable(text: str) -> str:
    """What came from outside, in one line: it must not colour a line, hide one or move the cursor
    of whoever reads it."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def console(stream: Any) -> Console:
    """On the stream of a command; in colour on a terminal, and never cut to a width."""
    return Console(file=getattr(stream, "_out", stream), soft_wrap=True, highlight=False)


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def print_rows(stream: Any, names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """A table on a terminal, as wide as that is; else a line a row, with tabs in between."""
    out = console(stream)
    if not out.is_terminal:
        for row in rows:
            print("\t".join(part for cell in row for part in _parts(cell)), file=out.file)
        return
    table = Table(*names, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in table.columns:
        column.overflow = "fold"
    for row in rows:
        table.add_row(*(Text("\n".join(_parts(cell))) for cell in row))
    out.print(table, soft_wrap=False)


def print_facts(stream: Any, facts: Iterable[tuple[str, str]]) -> None:
    """A name and what it is, a line each; on a terminal in two columns."""
    out = console(stream)
    if not out.is_terminal:
        for name, value in facts:
            print(f"{name}: {printable(value)}", file=out.file)
        return
    table = Table.grid("", "", padding=(0, 2, 0, 0))
    table.columns[0].no_wrap = True
    table.columns[1].overflow = "fold"
    for name, value in facts:
        table.add_row(Text(name, "bold"), Text(printable(value)))
    out.print(table, soft_wrap=False)


def _parts(cell: Cell) -> list[str]:
    return [printable(part) for part in ([cell] if isinstance(cell, str) else cell)]
