"""Importing on a real PostgreSQL: races, the trail, and the column that holds longer hashes."""

import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from environ import Env
from psycopg import sql

from audit.models import AuditEvent
from core.errors import ErrorCode
from core.ids import uuid7
from core.result import Success
from tests.assertions import assert_failure, assert_success
from tests.contracts.helpers import AddressesContract
from tests.imported_hashes import HASHES
from tests.migrating import migrate
from tests.plugin.services import Services
from users import models, wiring
from users.adapters import addresses_on_disk
from users.application.importing import ImportUser
from users.domain.hashes import adopt
from users.ports import Addresses

EMAIL = "ada@example.com"
LONGEST = f"$argon2id$v=19$m=131072,t=8,p=16${'A' * 86}${'A' * 86}"


@pytest.mark.django_db(transaction=True)
class TestImport:
    def test_of_two_at_once_one_imports_the_address(self) -> None:
        start = threading.Barrier(2)

        def take(email: str) -> object:
            try:
                connections["default"].ensure_connection()
                start.wait(30)
                return wiring.import_user().handle(ImportUser(email=email))
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(take, [EMAIL, EMAIL]))
        won, lost = sorted(results, key=lambda result: not isinstance(result, Success))
        assert isinstance(won, Success)
        assert_failure(lost, ErrorCode.EMAIL_ALREADY_EXISTS)  # type: ignore[arg-type]
        assert models.User.objects.get().pk == won.value

    @pytest.mark.parametrize("text", [LONGEST, *HASHES.values()])
    def test_each_form_fits_the_column(self, text: str) -> None:
        hashed = assert_success(adopt(text))
        assert_success(wiring.import_user().handle(ImportUser(email=EMAIL, password_hash=hashed)))
        assert models.User.objects.get().password == hashed.stored

    def test_the_trail_says_whom_and_nothing_of_the_hash(self) -> None:
        hashed = assert_success(adopt(HASHES["bcrypt_2b"]))
        user_id = assert_success(
            wiring.import_user().handle(
                ImportUser(email=EMAIL, password_hash=hashed, is_verified=True)
            )
        )
        (entry,) = AuditEvent.objects.for_user(user_id).values_list("entry", flat=True)
        assert b'"is_verified":true' in bytes(entry)
        assert hashed.stored[-20:].encode() not in bytes(entry)
        assert EMAIL.encode() not in bytes(entry)


@pytest.mark.contract(of=Addresses)
class TestAddressesOnDisk(AddressesContract):
    @pytest.fixture
    def addresses(self) -> Iterator[Addresses]:
        with addresses_on_disk() as addresses:
            yield addresses


@pytest.fixture(params=["postgresql", "sqlite"])
def empty(
    request: pytest.FixtureRequest, tmp_path: Path, transactional_db: None, services: Services
) -> Iterator[BaseDatabaseWrapper]:
    """An empty database."""
    if request.param == "sqlite":
        yield from connected(f"sqlite:///{tmp_path / 'database.sqlite3'}")
        return
    name = f"widened_{secrets.token_hex(6)}"
    with psycopg.connect(services.server_url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield from connected(f"{services.server_url.rpartition('/')[0]}/{name}")
        finally:
            server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def connected(url: str) -> Iterator[BaseDatabaseWrapper]:
    connection = ConnectionHandler({"default": Env.db_url_config(url)})["default"]
    try:
        yield connection
    finally:
        connection.close()


@pytest.mark.slow(reason="migrates a database of its own")
def test_accounts_that_are_there_stay_as_the_column_gets_wider(empty: BaseDatabaseWrapper) -> None:
    """Uses fixtures: empty."""
    migrate(empty, [("users", "0003_device_passes")])
    with empty.cursor() as cursor:
        cursor.execute(
            "INSERT INTO users_user (id, email, password, is_verified, is_active, role,"
            " session_tier, token_version, created_at, updated_at) VALUES"
            " (%s, %s, 'hash', true, true, 'user', 'basic', 1, '2024-01-01', '2024-01-01')",
            [uuid7().hex, EMAIL],
        )
        migrate(empty, [("users", "0004_longer_hashes")])
        cursor.execute("SELECT email, password FROM users_user")
        assert cursor.fetchall() == [(EMAIL, "hash")]
        cursor.execute("UPDATE users_user SET password = %s", ["x" * 255])
        assert cursor.rowcount == 1
