"""The cache is away: people still register and sign in."""

from dataclasses import replace

from core import container
from tests.factories import PASSWORD, UserFactory
from tests.smoke.conftest import Program


def test_nobody_needs_the_cache_to_register_or_to_sign_in(program: Program) -> None:
    email = UserFactory.create().email
    nowhere = replace(container.get_settings(), redis_url="redis://127.0.0.1:1/0")
    with container.override(get_settings=nowhere):
        container.reset()
        assert program.sign_in(email, PASSWORD).status == 201
        assert program.call("GET", "users/me")["email"] == email
        assert program.call("POST", "users", email="x@example.com", password=PASSWORD).status == 201
