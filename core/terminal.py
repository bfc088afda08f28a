"""What commands print for people."""

from typing import Any

from rich.console import Console


def console(stream: Any) -> Console:
    """On the stream of a command; in colour on a terminal, and never cut to a width."""
    return Console(file=getattr(stream, "_out", stream), soft_wrap=True, highlight=False)
