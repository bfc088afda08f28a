"""When the cache dies between counting and setting the end of the count."""

from unittest.mock import create_autospec

from core.errors import CacheError, ErrorCode
from core.ports import CacheProtocol
from core.result import Failure, Success
from users.adapters import CacheCooldown

DEAD = Failure(CacheError(ErrorCode.CACHE_ERROR, "away"))


def test_a_count_that_got_no_end_is_taken_back() -> None:
    cache = create_autospec(CacheProtocol, instance=True)
    cache.increment.return_value = Success(1)
    cache.expire.return_value = DEAD
    assert CacheCooldown(cache).claim("ada@example.com") is False
    cache.delete.assert_called_once_with(*cache.increment.call_args.args)


def test_nobody_can_say_so_no_mail_goes_out() -> None:
    cache = create_autospec(CacheProtocol, instance=True)
    cache.increment.return_value = DEAD
    assert CacheCooldown(cache).claim("ada@example.com") is False
