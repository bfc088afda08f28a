"""The seed's fixtures, and those that grew beside them. No test imports from here."""

import asyncio
import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import MagicMock, create_autospec, patch

import pytest
import redis
from asgiref.sync import async_to_sync
from freezegun import configure, freeze_time
from rest_framework.test import APIClient

from core import container
from core.cache import RedisCache
from core.database import Database
from core.events import DomainEvent
from core.ports import CacheProtocol, EventBusProtocol, LoggerProtocol, SecretsProtocol
from core.result import Success
from core.settings import VARIABLES, Settings, get_settings
from core.signals import trail
from core.unit_of_work import UnitOfWork
from tests.fakes.clock import FakeClock
from tests.interleaving import Interleave, holding_records
from tests.plugin.documented import assert_documented
from tests.plugin.faults import Faults
from tests.plugin.services import Services
from users.domain.user import User

# The trail refuses ids outside its window: they take the wall clock, whatever a test freezes.
# And pytest must measure in real time what it measures.
configure(extend_ignore_list=["core.ids", "_pytest.timing"])


@pytest.fixture(autouse=True)
def _fresh_container() -> Iterator[None]:
    yield
    container.reset()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def frozen(clock: FakeClock) -> Iterator[FakeClock]:
    """The system's clock stands where `clock` stands, for code at the edges."""
    with freeze_time(clock.now()) as frozen_time:
        advance = clock.advance

        def advance_both(step: Any) -> Any:
            frozen_time.move_to(advance(step))
            return clock.now()

        clock.advance = advance_both  # type: ignore[method-assign]
        yield clock


@pytest.fixture
def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    return asyncio.DefaultEventLoopPolicy()


@pytest.fixture
def event_loop(
    event_loop_policy: asyncio.AbstractEventLoopPolicy,
) -> Iterator[asyncio.AbstractEventLoop]:
    """For a synchronous test that wants a loop of its own; an async test gets one anyway."""
    loop = event_loop_policy.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def mock_async_context_manager() -> Callable[..., MagicMock]:
    def factory(return_value: Any = None, spec: Any = None) -> MagicMock:
        mock = MagicMock(spec=spec or _AsyncContextManager)
        mock.__aenter__.return_value = mock if return_value is None else return_value
        mock.__aexit__.return_value = None
        return mock

    return factory


class _AsyncContextManager:
    async def __aenter__(self) -> Any: ...

    async def __aexit__(self, *error: object) -> None: ...


@pytest.fixture
def environ() -> Iterator[Callable[..., Settings]]:
    """`environ(SECRET_KEY=…)`: the settings that an environment of just these variables gives."""
    with patch.dict(os.environ):

        def read(**variables: str) -> Settings:
            for name in VARIABLES:
                os.environ.pop(name, None)
            os.environ.update(variables)
            get_settings.cache_clear()
            return get_settings()

        yield read
    get_settings.cache_clear()


@pytest.fixture
def mock_container_dependencies() -> Iterator[dict[str, Any]]:
    """Every container function answers with a mock that has the signature of its port."""
    mocks = {
        "cache": create_autospec(CacheProtocol, instance=True),
        "secrets": create_autospec(SecretsProtocol, instance=True),
        "database": create_autospec(Database, instance=True),
        "logger": create_autospec(LoggerProtocol, instance=True),
        "event_bus": create_autospec(EventBusProtocol, instance=True),
    }
    mocks["cache"].get.return_value = Success(None)
    mocks["cache"].set.return_value = Success(None)
    mocks["secrets"].get_secret.return_value = "mock-secret"
    with container.override(**{f"get_{name}": mock for name, mock in mocks.items()}):
        yield mocks


@pytest.fixture
def override() -> Iterator[Callable[..., AbstractContextManager[None]]]:
    """`override(get_cache=fake)` until the test ends; live-server threads see it too."""
    opened: list[AbstractContextManager[None]] = []

    def begin(**providers: Any) -> AbstractContextManager[None]:
        layer = container.override(**providers)
        layer.__enter__()
        opened.append(layer)
        return layer

    yield begin
    for layer in reversed(opened):
        layer.__exit__(None, None, None)


@pytest.fixture
def faults() -> Iterator[Faults]:
    """`faults.fail("cache.set", nth=2, error=…)`: a real dependency fails, until the test ends."""
    faults = Faults()
    yield faults
    faults.over()


@pytest.fixture
def interleave(transactional_db: None) -> Iterator[Interleave]:
    """`interleave(one, other, "A lock, B, A", steps)`: two at once, in this order of steps."""
    interleave = Interleave()
    with holding_records():
        yield interleave
        interleave.end()


class CleanupTracker:
    """What a test leaves outside itself, undone in reverse order; nothing that fails is hidden."""

    def __init__(self) -> None:
        self.cleanups: list[Callable[[], Any]] = []

    def add(self, cleanup: Callable[[], Any]) -> None:
        self.cleanups.append(cleanup)

    def cleanup_all(self) -> None:
        errors: list[Exception] = []
        while self.cleanups:
            cleanup = self.cleanups.pop()
            try:
                run = async_to_sync(cleanup) if inspect.iscoroutinefunction(cleanup) else cleanup
                run()
            except Exception as error:  # noqa: BLE001  raised below, with the others
                errors.append(error)
        if errors:
            raise ExceptionGroup("cleanup failed", errors)


@pytest.fixture
def cleanup_tracker() -> Iterator[CleanupTracker]:
    tracker = CleanupTracker()
    yield tracker
    tracker.cleanup_all()


@pytest.fixture
def isolated_database_session(db: None) -> Iterator[UnitOfWork]:
    """A unit of work inside a transaction that is rolled back: nothing stays."""
    with Database().get_session() as session:
        yield session


@pytest.fixture
def test_database(transactional_db: None) -> Database:
    """Sessions on connections of their own: what one sees of another has been committed."""
    return Database(independent=True)


@pytest.fixture
def redis_test_client(services: Services) -> Iterator[redis.Redis]:
    pool = redis.ConnectionPool.from_url(
        services.redis_url,
        max_connections=10,
        decode_responses=True,
        socket_keepalive=True,
        socket_connect_timeout=5,
        retry_on_timeout=True,
    )
    client = redis.Redis(connection_pool=pool)
    client.ping()
    client.flushdb()
    yield client
    client.close()
    pool.disconnect()


@pytest.fixture
def cache_adapter(redis_test_client: redis.Redis) -> RedisCache:
    return RedisCache(redis_client=redis_test_client)


class JsonClient(APIClient):
    """Takes `json=` as the seed's client does; Django's would silently send an empty body."""

    def post(  # type: ignore[override]
        self, path: str, data: Any = None, *, json: Any = None, **extra: Any
    ) -> Any:
        return super().post(path, data if json is None else json, **extra)

    def request(self, **kwargs: Any) -> Any:
        """What no line of the OpenAPI document allows is a fault of the document, or of the API."""
        answer = super().request(**kwargs)
        assert_documented(answer)
        return answer

    def as_user(self, email: str, password: str) -> "JsonClient":
        answer = self.post("/api/v1/sessions", json={"email": email, "password": password})
        assert answer.status_code == 201, answer.content
        self.credentials(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access_token']}")
        return self


@pytest.fixture
def client(db: None, services: Services) -> JsonClient:
    container.get_cache().flush()
    return JsonClient()


@pytest.fixture
def api_client(client: JsonClient) -> JsonClient:
    return client


@pytest.fixture
def published() -> Iterator[list[DomainEvent]]:
    """Every event that reaches the trail, in order."""
    events: list[DomainEvent] = []

    def hear(sender: type[DomainEvent], event: DomainEvent, **_: Any) -> None:
        events.append(event)

    trail.connect(hear, weak=False)
    yield events
    trail.disconnect(hear)


@pytest.fixture
def create_user() -> Callable[..., User]:
    from tests.factories import make_user

    return make_user
