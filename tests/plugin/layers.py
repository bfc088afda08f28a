"""Coverage by layer, from the tier that is to cover it.

A line of the domain counts when a unit test runs it, one of an adapter when an integration test
does. What modules do while they are imported belongs to no test and counts for all.
`python -m tests.plugin.layers` reads the data of the last run, prints the table, and fails where a
layer is below its target (docs/how-to/test.md).
"""

import os
import sys
from collections.abc import Generator
from dataclasses import dataclass
from importlib import import_module

import pytest
from coverage import Coverage
from coverage.exceptions import CoverageException, NoDataError

from tests.plugin.tiers import TIERS, tier_of

APPS = ("users", "sessions_app", "audit")
PURE = ("actions", "clock", "errors", "events", "ids", "ports", "result", "validation")


@dataclass(frozen=True)
class Layer:
    name: str
    tiers: tuple[str, ...]
    target: float
    files: tuple[str, ...]


def _of_apps(*names: str) -> tuple[str, ...]:
    return tuple(f"{app}/{name}" for app in APPS for name in names)


LAYERS = (
    Layer("domain", ("unit",), 100, _of_apps("domain/*")),
    Layer("pure core", ("unit",), 95, tuple(f"core/{name}.py" for name in PURE)),
    Layer("application", ("unit",), 95, _of_apps("application/*")),
    Layer(
        "adapters",
        ("integration",),
        90,
        (
            *_of_apps("adapters.py", "adapters/*", "repositories.py", "repositories/*"),
            *_of_apps("queries.py", "queries/*", "mapping.py"),
            *(f"core/{name}.py" for name in ("cache", "database", "limiter", "logging", "secrets")),
            "mail/delivery.py",
            "mail/outbox.py",
        ),
    ),
    Layer(
        "presentation",
        ("api", "smoke"),
        85,
        (
            *_of_apps("api/*", "admin.py", "door.py", "pages.py", "panel.py"),
            "core/panel/*",
            *(f"core/{name}.py" for name in ("middleware", "parsers", "problems", "serializers")),
        ),
    ),
    Layer("all", TIERS, 90, ("*",)),
)


def pytest_collection_finish() -> None:
    """Views are imported with the first request, whichever test makes it: here for all of them."""
    django = sys.modules.get("django.conf")
    if Coverage.current() and django and django.settings.configured:
        import_module(django.settings.ROOT_URLCONF)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    measured = Coverage.current()
    if not measured or not (tier := tier_of(item.nodeid)):
        return (yield)
    measured.switch_context(tier)
    try:
        return (yield)
    finally:
        measured.switch_context("")


def covered(measured: Coverage, layer: Layer) -> float:
    """In percent of lines and branches; 100 where there is nothing to cover."""
    contexts = None if layer.tiers == TIERS else ["^$", *(f"^{tier}$" for tier in layer.tiers)]
    with open(os.devnull, "w") as nowhere:
        try:
            return measured.report(file=nowhere, include=[*layer.files], contexts=contexts)
        except NoDataError:
            if not measured.get_data().measured_files():
                raise
            return 100.0


def table(measured: Coverage) -> tuple[list[str], bool]:
    """Its lines, and whether each layer reaches its target."""
    rows = [("layer", "covered by", "lines and branches", "target")]
    reached = True
    for layer in LAYERS:
        share = covered(measured, layer)
        enough = round(share, 2) >= layer.target
        reached = reached and enough
        tiers = "any test" if layer.tiers == TIERS else " and ".join(layer.tiers)
        rows.append(
            (
                layer.name,
                tiers,
                f"{share:.2f} %",
                f"{layer.target:.0f} %" + " missed" * (not enough),
            )
        )
    return ["".join(cell.ljust(20) for cell in row).rstrip() for row in rows], reached


def main() -> int:
    measured = Coverage()
    try:
        measured.load()
        lines, reached = table(measured)
    except CoverageException as problem:
        sys.stderr.write(f"{problem} make test measures.\n")
        return 3
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
