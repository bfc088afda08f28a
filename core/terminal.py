"""What commands print for people."""

from typing import Any

from rich.console import Console


def printable(text: str) -> str:
    """What came from outside, in one line: it must not colour a line, hide one or move the cursor
    of whoever reads it."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def console(stream: Any) -> Console:
    """On the stream of a command; in colour on a terminal, and never cut to a width."""
    return Console(file=getattr(stream, "_out", stream), soft_wrap=True, highlight=False)
