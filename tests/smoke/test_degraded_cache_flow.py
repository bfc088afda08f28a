"""The cache is away: people still sign in."""

import redis

from core import container
from core.cache import RedisCache
from tests.factories import PASSWORD, UserFactory
from tests.smoke.conftest import Program


def test_signing_in_does_not_need_the_cache(program: Program) -> None:
    email = UserFactory.create().email
    gone = RedisCache(redis.Redis(host="127.0.0.1", port=1, socket_connect_timeout=1))
    with container.override(get_cache=gone):
        assert program.sign_in(email, PASSWORD).status == 201
        assert program.call("GET", "users/me")["email"] == email
        assert program.call("POST", "users", email="x@example.com", password=PASSWORD).status == 201
