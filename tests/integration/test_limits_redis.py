"""The counts of all processes together, and what happens while their store is away."""

import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from core import container
from core.limiter import Limiter, Standing, local_limiter
from core.quotas import read_quotas
from tests.plugin.services import Services

ROOT = Path(__file__).resolve().parents[2]
TEN = read_quotas("10/minute")[0]
PROCESS = """
import sys
import redis
from core.limiter import shared_limiter
from core.quotas import read_quotas
client = redis.Redis.from_url(sys.argv[1], decode_responses=True)
limiter = shared_limiter(sys.argv[1], client, "dashtam:limits")
quota, = read_quotas("10/minute")
print("ready", flush=True)
sys.stdin.readline()
print(sum(limiter.hit(quota, "key").passed for _ in range(25)))
"""


@pytest.fixture
def limiter(redis_test_client: redis.Redis, services: Services) -> Iterator[Limiter]:
    settings = replace(container.get_settings(), redis_url=services.redis_url)
    with container.override(get_settings=settings):
        container.reset()
        yield container.get_limiter()
    container.reset()


def at_once(limiter: Limiter, times: int) -> list[Standing]:
    start = threading.Barrier(times)

    def hit() -> Standing:
        start.wait(10)
        return limiter.hit(TEN, "key")

    with ThreadPoolExecutor(times) as pool:
        return [done.result() for done in [pool.submit(hit) for _ in range(times)]]


class TestTogether:
    """Uses `limiter`."""

    def test_of_fifty_threads_at_once_exactly_ten_pass(self, limiter: Limiter):
        standings = at_once(limiter, 50)
        assert Counter(standing.passed for standing in standings) == {True: 10, False: 40}
        assert {standing.remaining for standing in standings if not standing.passed} == {0}

    @pytest.mark.slow(reason="starts two processes")
    def test_of_two_processes_exactly_ten_requests_pass(self, limiter: Limiter, services: Services):
        with self._process(services) as one, self._process(services) as other:
            for process in (one, other):
                assert process.stdout
                assert process.stdout.readline() == "ready\n"
            passed = [int(process.communicate("go\n", 20)[0]) for process in (one, other)]
        assert sum(passed) == 10
        assert not limiter.hit(TEN, "key").passed

    def _process(self, services: Services) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", PROCESS, services.redis_url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def test_a_count_ends_by_itself_and_is_found_by_the_prefix_of_the_cache(
        self, limiter: Limiter, redis_test_client: redis.Redis
    ):
        standing = limiter.hit(TEN, "policy", "key")
        [name] = map(str, redis_test_client.keys())
        assert name.startswith("dashtam:limits")
        assert 0 < redis_test_client.ttl(name) <= 60
        assert (standing.remaining, standing.resets_in) == (9, 60)

    def test_the_local_one_is_exact_among_threads_too(self):
        passed = [standing.passed for standing in at_once(local_limiter(), 50)]
        assert passed.count(True) == 10


@pytest.fixture
def dead(override: Callable[..., object]) -> Iterator[Limiter]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    settings = replace(container.get_settings(), redis_url=f"redis://127.0.0.1:{port}/0")
    override(get_settings=settings)
    container.reset()
    yield container.get_limiter()
    container.reset()


class TestAway:
    """Uses `dead`: nobody listens where the store should be."""

    @pytest.mark.fault
    @pytest.mark.conforms("L14")
    def test_it_is_never_open(self, dead: Limiter):
        passed = [dead.hit(TEN, "key").passed for _ in range(30)]
        assert passed == [True] * 10 + [False] * 20

    @pytest.mark.fault
    def test_fifty_threads_find_the_same_limit(self, dead: Limiter):
        assert [standing.passed for standing in at_once(dead, 50)].count(True) == 10
