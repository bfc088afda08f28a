"""When the cache dies before, between and after what a period asks of it."""

from datetime import timedelta
from unittest.mock import create_autospec

import pytest

from core.cache import LocalCache
from core.errors import CacheError, ErrorCode
from core.ports import CacheProtocol
from core.result import Failure, Success
from tests.fakes.clock import FakeClock
from users.adapters import COOLDOWN_SECONDS, CacheCooldown

DEAD = Failure(CacheError(ErrorCode.CACHE_ERROR, "away"))
ADA, BOB = "ada@example.com", "bob@example.com"
PERIOD = timedelta(seconds=COOLDOWN_SECONDS)


@pytest.fixture
def dead() -> CacheProtocol:
    cache: CacheProtocol = create_autospec(CacheProtocol, instance=True)
    for method in ("increment", "set", "ttl", "expire", "delete"):
        getattr(cache, method).return_value = DEAD
    return cache


class TestAway:
    """Uses `dead` and `clock`."""

    def test_the_process_grants_one_claim_per_period(self, dead: CacheProtocol, clock: FakeClock):
        cooldown = CacheCooldown(dead, meanwhile=LocalCache(clock))
        assert [cooldown.claim(each) for each in (ADA, ADA, BOB)] == [True, False, True]
        clock.advance(PERIOD)
        assert cooldown.claim(ADA) is True

    def test_a_period_that_began_then_holds(self, dead: CacheProtocol, clock: FakeClock):
        cooldown = CacheCooldown(dead, meanwhile=LocalCache(clock))
        cooldown.start(ADA)
        assert cooldown.claim(ADA) is False

    def test_all_who_ask_share_the_count_of_the_process(self, dead: CacheProtocol):
        assert [CacheCooldown(dead).claim(ADA) for _ in range(2)] == [True, False]

    def test_where_the_process_cannot_count_either_no_mail_goes_out(self, dead: CacheProtocol):
        assert CacheCooldown(dead, meanwhile=dead).claim(ADA) is False


class TestCutOff:
    """Uses `clock`."""

    def test_a_count_that_got_no_end_is_taken_back(self):
        cache = create_autospec(CacheProtocol, instance=True)
        cache.increment.return_value = Success(1)
        cache.expire.return_value = DEAD
        assert CacheCooldown(cache).claim(ADA) is True
        cache.delete.assert_called_once_with(*cache.increment.call_args.args)

    @pytest.mark.parametrize("claims", [1, 3])
    def test_one_that_nobody_took_back_gets_its_end_with_the_next_claim(
        self, clock: FakeClock, claims: int
    ):
        cache = LocalCache(clock)
        cooldown = CacheCooldown(cache)
        cache.increment(cooldown._key(ADA))  # and then the cache, or whoever asked, was gone
        assert [cooldown.claim(ADA) for _ in range(claims)] == [False] * claims
        clock.advance(PERIOD)
        assert cooldown.claim(ADA) is True

    def test_later_claims_do_not_put_the_end_off(self, clock: FakeClock):
        cooldown = CacheCooldown(LocalCache(clock))
        assert cooldown.claim(ADA) is True
        clock.advance(PERIOD / 2)
        assert cooldown.claim(ADA) is False
        clock.advance(PERIOD / 2)
        assert cooldown.claim(ADA) is True
