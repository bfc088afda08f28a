import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth.hashers import identify_hasher

from core import container
from core.errors import ErrorCode
from core.settings import Settings
from tests.assertions import assert_failure, assert_success
from tests.contracts.helpers import PasswordServiceContract
from users import adapters
from users.adapters import Argon2idHasher, DjangoPasswordService, common_passwords, password_policy
from users.ports import PasswordService

PASSWORD = "correct horse battery staple"
Configure = Callable[..., None]


def forget() -> None:
    """What the adapter makes once per process depends on settings that these tests change."""
    adapters._hashing_slots.cache_clear()
    adapters._decoy.cache_clear()


@pytest.fixture
def configured(override: Callable[..., AbstractContextManager[None]]) -> Iterator[Configure]:
    def configure(**settings: Any) -> None:
        override(get_settings=replace(container.get_settings(), **settings))
        forget()

    forget()
    yield configure
    forget()


class TestArgon2id:
    """Uses fixtures: configured."""

    @pytest.mark.conforms("A10")
    def test_a_hash_is_argon2id_with_the_parameters_of_the_settings(
        self, configured: Configure
    ) -> None:
        configured(argon2_memory_kib=64, argon2_time_cost=3, argon2_parallelism=2)
        hashed = DjangoPasswordService().hash_password(PASSWORD)
        assert hashed.startswith("argon2$argon2id$v=19$m=64,t=3,p=2$")

    @pytest.mark.conforms("A10")
    def test_the_settings_default_to_the_owasp_minimum(self) -> None:
        parameters = (Settings.argon2_memory_kib, Settings.argon2_time_cost)
        assert parameters == (19 * 1024, 2)

    @pytest.mark.conforms("A10")
    def test_a_password_has_a_new_hash_each_time(self) -> None:
        service = DjangoPasswordService()
        assert service.hash_password(PASSWORD) != service.hash_password(PASSWORD)

    def test_the_hash_does_not_hold_the_password(self) -> None:
        assert PASSWORD not in DjangoPasswordService().hash_password(PASSWORD)

    def test_a_hash_that_was_made_with_other_parameters_still_verifies(
        self, configured: Configure
    ) -> None:
        configured(argon2_memory_kib=64, argon2_time_cost=2)
        hashed = DjangoPasswordService().hash_password(PASSWORD)
        configured(argon2_memory_kib=32, argon2_time_cost=1)
        assert DjangoPasswordService().verify_password(PASSWORD, hashed) is True
        assert identify_hasher(hashed).must_update(hashed) is True


@pytest.mark.contract(of=PasswordService)
class TestDjangoPasswordService(PasswordServiceContract):
    @pytest.fixture
    def service(self) -> PasswordService:
        return DjangoPasswordService()


class TestVerifying:
    @pytest.mark.parametrize("password", [PASSWORD, "пароль из букв", "🔑" * 12, "x" * 1024])
    def test_the_password_verifies_and_another_does_not(self, password: str) -> None:
        service = DjangoPasswordService()
        hashed = service.hash_password(password)
        assert service.verify_password(password, hashed) is True
        assert service.verify_password(password[:-1], hashed) is False

    @pytest.mark.conforms("A4")
    @pytest.mark.parametrize("other", [f" {PASSWORD}", f"{PASSWORD} ", PASSWORD.upper(), ""])
    def test_nothing_is_trimmed_or_folded(self, other: str) -> None:
        service = DjangoPasswordService()
        assert service.verify_password(other, service.hash_password(PASSWORD)) is False

    @pytest.mark.parametrize("password_hash", [None, "", "!unusable", "plain text"])
    def test_nothing_verifies_against_what_is_no_hash(self, password_hash: str | None) -> None:
        service = DjangoPasswordService()
        assert service.verify_password("nobody has this password", password_hash) is False
        assert service.verify_password(PASSWORD, password_hash) is False

    @pytest.mark.parametrize("password_hash", [None, ""])
    def test_no_hash_at_all_costs_one_all_the_same(self, password_hash: str | None) -> None:
        service = DjangoPasswordService()
        service.verify_password(PASSWORD, None)  # makes the decoy, once
        with patch.object(
            Argon2idHasher, "verify", autospec=True, side_effect=Argon2idHasher.verify
        ) as verify:
            service.verify_password(PASSWORD, password_hash)
        assert verify.call_count == 1

    def test_the_decoy_costs_what_a_real_hash_costs(self, configured: Configure) -> None:
        configured(argon2_memory_kib=64, argon2_time_cost=3, argon2_parallelism=1)
        service = DjangoPasswordService()
        real = service.hash_password(PASSWORD)
        with patch.object(
            Argon2idHasher, "verify", autospec=True, side_effect=Argon2idHasher.verify
        ) as verify:
            service.verify_password(PASSWORD, None)
        _, _, decoy = verify.call_args.args
        assert decoy.split("$")[:4] == real.split("$")[:4]


class TestConcurrency:
    """Uses fixtures: configured."""

    @pytest.mark.parametrize("method", ["hash_password", "verify_password"])
    def test_only_so_many_hashes_are_made_at_once(self, configured: Configure, method: str) -> None:
        configured(argon2_concurrency=2)
        service = DjangoPasswordService()
        service.verify_password(PASSWORD, None)
        inside, together, release = Inside(), threading.Barrier(3), threading.Event()

        def hash_slowly(*_: Any, **__: Any) -> str:
            with inside:
                together.wait(5)
                release.wait(5)
            return "hash"

        call = {
            "hash_password": lambda: service.hash_password(PASSWORD),
            "verify_password": lambda: service.verify_password(PASSWORD, "hash"),
        }[method]
        with (
            patch.object(adapters, "make_password", autospec=True, side_effect=hash_slowly),
            patch.object(adapters, "check_password", autospec=True, side_effect=hash_slowly),
            ThreadPoolExecutor(4) as pool,
        ):
            calls = [pool.submit(call) for _ in range(4)]
            together.wait(5)  # two are inside, as many as may be
            assert inside.most == 2
            release.set()
            together.wait(5)  # and the other two after them
            assert all(call.result(5) for call in calls)
        assert inside.most == 2

    def test_an_error_gives_its_slot_back(self, configured: Configure) -> None:
        configured(argon2_concurrency=1)
        service = DjangoPasswordService()
        with (
            patch.object(adapters, "make_password", autospec=True, side_effect=MemoryError),
            pytest.raises(MemoryError),
        ):
            service.hash_password(PASSWORD)
        assert service.verify_password(PASSWORD, service.hash_password(PASSWORD)) is True


class Inside:
    """How many are in here, at most, at one time."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self.now -= 1


class TestPolicy:
    """Uses fixtures: configured."""

    def test_the_list_of_common_passwords_is_there_in_lower_case(self) -> None:
        common = common_passwords()
        assert len(common) > 15_000
        assert {"password", "qwerty123"} <= common
        assert all(password == password.lower() for password in common)

    def test_a_common_password_is_refused(self) -> None:
        long_enough = next(one for one in sorted(common_passwords()) if len(one) >= 12)
        checked = password_policy().check(long_enough.upper(), "test@example.com")
        assert_failure(checked, ErrorCode.WEAK_PASSWORD)

    @pytest.mark.conforms("A5")
    def test_common_passwords_that_are_long_enough_are_refused_by_the_thousand(self) -> None:
        policy, words = password_policy(), sorted(filter(str.isalpha, common_passwords()))
        made_longer = [one + more for one in words[:2500] for more in (one, "123456")]
        guesses = [guess for guess in made_longer if len(guess) >= 12]
        assert len(guesses) >= 3000
        assert [one for one in guesses if policy.check(one, "q@example.org").is_success] == []

    def test_the_least_length_is_that_of_the_settings(self, configured: Configure) -> None:
        configured(password_min_length=20)
        short = password_policy().check("nineteen characters", "test@example.com")
        assert_failure(short, ErrorCode.WEAK_PASSWORD)
        assert_success(password_policy().check("twenty characters ok", "test@example.com"))
