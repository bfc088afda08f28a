"""The servers of a run: nobody else's are used, and nothing of them is left behind."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from psycopg import sql

from tests.plugin import binaries, servers, services, supervisor
from tests.plugin.accounts import Account, account, is_reachable
from tests.plugin.services import Services, _create_database
from tests.plugin.supervisor import Answer, Order


@pytest.fixture
def owner() -> Iterator[subprocess.Popen[bytes]]:
    """Stands for a run of pytest: a process that waits."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


@pytest.fixture
def order(owner: subprocess.Popen[bytes]) -> Order:
    """Only for a Valkey, which starts in no time."""
    folder = services._new_order().folder
    return Order(folder=folder, owner=owner.pid, database_url="postgres://given.invalid/x")


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=services._roomy_folder()) as made:
        path = Path(made)
        path.chmod(0o711)
        yield path


def listens(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", urlsplit(url).port or 0)) == 0


def test_a_killed_run_leaves_no_server_behind(order: Order, owner: subprocess.Popen[bytes]) -> None:
    answer = services._answer(order)
    assert listens(answer.redis_url)
    keeper = int(services._pid_file(order).read_text())

    owner.kill()
    supervisor.wait_for_exit(keeper)

    assert not Path(order.folder).exists()
    assert not listens(answer.redis_url)


def test_a_run_waits_until_its_servers_are_gone(
    order: Order, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = replace(order, owner=os.getpid())
    answer = services._answer(order)
    monkeypatch.setitem(pytestconfig.stash._storage, services._ORDER, order)

    services.pytest_unconfigure(pytestconfig)

    assert not Path(order.folder).exists()
    assert not listens(answer.redis_url)


def test_ctrl_c_does_not_reach_the_servers(order: Order) -> None:
    services._answer(order)
    keeper = int(services._pid_file(order).read_text())
    assert os.getsid(keeper) == keeper


def test_workers_share_the_servers(order: Order) -> None:
    assert services._answer(order) == services._answer(order)


def test_a_busy_port_is_left_to_its_owner(services: Services, folder: Path) -> None:
    ours = servers.Servers(folder)
    try:
        url = ours.start_redis()
        assert urlsplit(url).port != urlsplit(services.redis_url).port
        assert redis.Redis.from_url(url).ping()
    finally:
        ours.stop()


def test_a_stranger_on_this_machine_is_not_let_in(services: Services) -> None:
    stranger = urlsplit(services.server_url)._replace(netloc=services.server_url.split("@")[1])
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(stranger.geturl().replace("/postgres", ""), user="dashtam")


@pytest.mark.slow(reason="initdb takes half a second, and the programs are copied")
def test_programs_out_of_reach_are_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "is_reachable", lambda *_: False)
    ourselves: Account = {"user": os.getuid(), "group": os.getgid()}
    ours = servers.Servers(folder, run_as=account() or ourselves)
    try:
        with psycopg.connect(ours.start_postgres()) as connection:
            assert connection.info.server_version >= 150000
        assert list(folder.glob("programs/*/*/bin/postgres"))
    finally:
        ours.stop()


@pytest.mark.parametrize(
    ("mode", "reachable"), [(0o700, False), (0o710, False), (0o701, True), (0o755, True)]
)
def test_reach_is_read_from_the_permission_bits(mode: int, reachable: bool, folder: Path) -> None:
    program = folder / "home" / "program"
    program.parent.mkdir()
    program.touch()
    program.chmod(0o755)
    program.parent.chmod(mode)
    assert is_reachable(program, {"user": 64_001, "group": 64_001}) is reachable


def test_missing_programs_are_one_sentence_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(binaries, "_system_postgres", list)
    monkeypatch.setattr(binaries, "_PATH", "")
    with pytest.raises(binaries.NoServersError, match="apt-get install postgresql"):
        binaries.postgres_folder(only_system=True)
    with pytest.raises(binaries.NoServersError, match="apt-get install redis-server"):
        binaries.redis_program(only_system=True)


def test_postgres_older_than_15_is_passed_over(tmp_path: Path) -> None:
    old = tmp_path / "postgres"
    old.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.11'\n")
    old.chmod(0o755)
    assert binaries._major(old) == 14 < binaries.OLDEST_POSTGRES


def test_a_server_that_dies_says_why(folder: Path) -> None:
    ours = servers.Servers(folder)
    with pytest.raises(binaries.NoServersError, match="No such file"):
        ours._start(["/bin/sh", "-c", "ls /nowhere"], b"ready")


def test_every_worker_has_databases_of_its_own() -> None:
    answer = Answer(database_url="postgres://u:p@h:1/postgres", redis_url="redis://h:2/0")
    order = Order(folder="/dev/shm/dashtam-ab12", owner=1)
    found = [services._of_worker(order, answer, worker) for worker in ("", "gw0", "gw1")]
    assert [each.database_url.rpartition("/")[2] for each in found] == [
        "test_dashtam",
        "test_dashtam_gw0",
        "test_dashtam_gw1",
    ]
    assert [each.redis_url for each in found] == [f"redis://h:2/{n}" for n in range(3)]


def test_on_a_given_server_names_belong_to_the_run() -> None:
    url = "postgres://u:p@h:1/postgres"
    order = Order(folder="/dev/shm/dashtam-ab12", owner=1, database_url=url)
    found = services._of_worker(order, Answer(database_url=url, redis_url="redis://h"), "gw0")
    assert order.token in found.template
    assert order.token in found.database_url


def test_a_given_server_keeps_nothing_of_ours(services: Services) -> None:
    create = sql.SQL("CREATE DATABASE {} TEMPLATE template0")
    with psycopg.connect(services.server_url, autocommit=True) as server:
        server.execute(create.format(sql.Identifier("test_dashtam_token77_gw0")))
        supervisor.drop_databases(services.server_url, "token77")
        left = server.execute("SELECT datname FROM pg_database").fetchall()
    assert not [name for (name,) in left if "token77" in name]
    assert (urlsplit(services.server_url).path.strip("/"),) in left


@pytest.mark.django_db
def test_migrations_run_once_for_all_workers(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("migrated again")

    monkeypatch.setattr("tests.plugin.services._migrate", refuse)
    url = services.database_url + "_token78"
    _create_database(replace(services, database_url=url))
    with psycopg.connect(url) as clone:
        assert clone.execute("SELECT count(*) FROM django_migrations").fetchone() != (0,)
    supervisor.drop_databases(services.server_url, "token78")


def test_a_run_of_unit_tests_starts_nothing(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(
        """
        from pathlib import Path
        from tests.plugin import services

        pytest_plugins = ["tests.plugin.services"]

        def pytest_sessionfinish(session):
            print("started:", Path(session.config.stash[services._ORDER].folder).exists())
        """
    )
    pytester.makepyfile("def test_nothing():\n    assert True\n")
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines("*started: False*")


def test_a_signal_while_starting_is_obeyed_afterwards(order: Order) -> None:
    Path(order.folder).mkdir()
    services._start_supervisor(order)
    keeper = int(services._pid_file(order).read_text())
    os.kill(keeper, signal.SIGTERM)
    supervisor.wait_for_exit(keeper)
    assert not Path(order.folder).exists()
