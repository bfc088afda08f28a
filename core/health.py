"""For load balancers: alive means that the process answers, ready that its services do."""

from collections.abc import Callable

from django.core.checks import Tags, run_checks
from django.db import Error, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from core import container
from core.checks import UPKEEP
from core.result import Success


def live(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def services() -> dict[str, bool]:
    """Which of those that this process needs answer it."""
    return {name: _holds(_CHECKS[name]) for name in ("database", "cache")}


def ready(request: HttpRequest) -> JsonResponse:
    checks = {name: _holds(check) for name, check in _CHECKS.items()}
    healthy = all(checks.values())
    status = _condition() if healthy else "unavailable"
    return JsonResponse({"status": status, "checks": checks}, status=200 if healthy else 503)


def _condition() -> str:
    """Degraded is not unready: users must not wait for what only an operator can do."""
    return "degraded" if run_checks(tags=[UPKEEP], databases=["default"]) else "ok"


def _holds(check: Callable[[], bool]) -> bool:
    try:
        return check()
    except Error:
        return False


def _database_answers() -> bool:
    container.get_database().ping()
    return True


def _cache_answers() -> bool:
    return isinstance(container.get_cache().ping(), Success)


def migrations_are_applied() -> bool:
    executor = MigrationExecutor(connections["default"])
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _triggers_are_in_place() -> bool:
    """A warning is for whoever looks after the service: it serves no less for that."""
    found = run_checks(tags=[Tags.database], databases=["default"])
    return not any(message.is_serious() for message in found if not message.is_silenced())


_CHECKS: dict[str, Callable[[], bool]] = {
    "database": _database_answers,
    "cache": _cache_answers,
    "migrations": migrations_are_applied,
    "triggers": _triggers_are_in_place,
}
