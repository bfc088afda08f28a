"""A container of fakes, for tests that put it in the place of `core.container`."""

from functools import lru_cache

from core.cache import LocalCache
from core.ports import CacheProtocol, EventBusProtocol, SecretsProtocol
from tests.fakes.event_bus import StubEventBus
from tests.fakes.secrets import FixedSecrets


@lru_cache
def get_cache() -> CacheProtocol:
    return LocalCache()


@lru_cache
def get_secrets() -> SecretsProtocol:
    return FixedSecrets()


@lru_cache
def get_event_bus() -> EventBusProtocol:
    return StubEventBus()
