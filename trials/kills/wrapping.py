"""Putting something before or behind a function, in this process alone."""

from collections.abc import Callable
from typing import Any, Final

COMMIT: Final = "_commit"
"""Of Django's `BaseDatabaseWrapper`: the one place that every COMMIT passes."""


def _nothing(*given: Any) -> None: ...


def wrap(
    owner: Any,
    name: str,
    *,
    before: Callable[..., None] = _nothing,
    after: Callable[..., None] = _nothing,
) -> None:
    """Both are called with what the function was called with, by position."""
    original = getattr(owner, name)

    def wrapped(*given: Any, **named: Any) -> Any:
        before(*given)
        result = original(*given, **named)
        after(*given)
        return result

    setattr(owner, name, wrapped)
