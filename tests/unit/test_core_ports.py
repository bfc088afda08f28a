"""Whoever stands in for a port takes the same arguments, with the same defaults."""

import inspect

import pytest

from core.cache import LocalCache, RedisCache
from core.clock import SystemClock
from core.logging import ConsoleLogger
from core.ports import (
    CacheProtocol,
    Clock,
    LoggerProtocol,
    SecretsProtocol,
    UnitOfWorkProtocol,
)
from core.secrets import EnvironmentSecrets
from core.unit_of_work import UnitOfWork
from tests.fakes.clock import FakeClock
from tests.fakes.secrets import FixedSecrets

STAND_INS: list[tuple[type, type]] = [
    (Clock, SystemClock),
    (Clock, FakeClock),
    (UnitOfWorkProtocol, UnitOfWork),
    (CacheProtocol, RedisCache),
    (CacheProtocol, LocalCache),
    (SecretsProtocol, EnvironmentSecrets),
    (SecretsProtocol, FixedSecrets),
    (LoggerProtocol, ConsoleLogger),
]


def _arguments(of: type, method: str) -> list[tuple[str, object, object]]:
    parameters = inspect.signature(getattr(of, method)).parameters.values()
    return [(each.name, each.kind, each.default) for each in parameters]


@pytest.mark.parametrize(
    ("port", "kind", "method"),
    [
        pytest.param(port, kind, name, id=f"{kind.__name__}.{name}")
        for port, kind in STAND_INS
        for name, found in vars(port).items()
        if inspect.isfunction(found) and not name.startswith("_")
    ],
)
def test_a_stand_in_takes_what_the_port_takes(port: type, kind: type, method: str) -> None:
    assert _arguments(kind, method) == _arguments(port, method)
