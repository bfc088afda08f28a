"""Every address of the product."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from django.urls import URLPattern, URLResolver, get_resolver

from core.ids import uuid7

PANEL: Final = "/admin/…"
CHANGING: Final = ("/add/", "/delete/")
"""Pages of the panel, or for the forms of such pages."""
DOOR: Final = "/admin/login/"
ACTS: Final = "/admin/…/do/…"
NOT_THERE: Final = ("/^api/", "/admin/(?P<url>.*)$", "/admin/autocomplete/", "/metrics")
"""Answer 404 to everybody; the last one where no METRICS_TOKEN is set."""


def routes(
    patterns: Sequence[URLPattern | URLResolver] | None = None, start: str = "/"
) -> Iterator[tuple[str, Callable[..., Any]]]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        path = start + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, path)
        elif path not in NOT_THERE:
            yield re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path), pattern.callback


def in_panel(path: str) -> bool:
    """Behind its door. Signing out sends whoever asks to the door."""
    return path.startswith("/admin/") and path not in (DOOR, "/admin/logout/")


def operations() -> set[tuple[str, str]]:
    """Of the whole product; of the panel, whose pages are many, what shows and what changes."""
    found = {("GET", PANEL), ("GET", ACTS), ("POST", ACTS), ("GET", DOOR), ("POST", DOOR)}
    for path, callback in routes():
        if path.startswith("/admin/"):
            continue
        view = getattr(callback, "cls", None) or getattr(callback, "view_class", None)
        names = set(view.http_method_names if view else ["get"]) - {"head", "options", "trace"}
        found |= {(name.upper(), path) for name in names if not view or hasattr(view, name)}
    return found


def filled(path: str) -> str:
    return re.sub(r"{\w+}", str(uuid7()), path)
