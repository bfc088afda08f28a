"""Secrets go in at every door; nothing that stays behind may show one of them."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from django.contrib.auth.hashers import make_password
from django.db import connection

from audit import upkeep, wiring
from core import container
from core.logging import ConsoleLogger
from tests.factories import UserFactory
from tests.mailing import delivered
from tests.sealing import empty_the_trail, forget_the_seals
from tests.smoke.conftest import Program, token_from_mail

EMAIL = "canary@example.com"
PASSWORD = "canary-right-7f3a9c41-password"
WRONG = "canary-wrong-51d2be08-password"
STOLEN = "dsh_access_canary-stolen-c0ffee00-token"
AUDITOR, AUDITOR_PASSWORD = "canary-auditor@example.com", "canary-auditor-90ab12ef-password"


@pytest.fixture
def trail(transactional_db: None) -> Iterator[None]:
    empty_the_trail()
    yield
    forget_the_seals()


@pytest.mark.conforms("L5")
@pytest.mark.slow(reason="every row, every log line and an export are looked through")
def test_no_planted_secret_can_be_read_anywhere(
    trail: None,
    override: Callable[..., object],
    program: Program,
    another_program: Program,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    UserFactory.create(email=AUDITOR, role="auditor", password=make_password(AUDITOR_PASSWORD))
    override(get_settings=replace(container.get_settings(), audit_folder=str(tmp_path / "keys")))
    ConsoleLogger("canary").info("sign_in", password=WRONG)  # redacted by its name
    with caplog.at_level(logging.DEBUG):
        secrets = [*journey(program), *mishaps(another_program)]
        exported = export(Program(program.home))
    left_behind = {
        "the database": rows_of_every_table(),
        "the log": "".join(capfd.readouterr()) + caplog.text,
        "the export": exported,
        "the bundle": bundle(tmp_path),
        "later mails": "".join(str(each.message()) for each in delivered()[1:]),
    }
    assert len(secrets) == len(set(secrets)) == 10
    found = [
        (place, secret)
        for place, text in left_behind.items()
        for secret in secrets
        if secret in text
    ]
    assert found == []
    assert EMAIL in left_behind["the database"]  # the looking itself works
    assert EMAIL in left_behind["the export"]


def journey(program: Program) -> list[str]:
    program.call("POST", "users", email=EMAIL, password=PASSWORD)
    one_use = token_from_mail()
    program.call("POST", "email-verifications", token=one_use)
    first = program.sign_in(EMAIL, PASSWORD)
    second = program.refresh(first["refresh_token"])
    program.carry(second)
    assert program.call("GET", "users/me").status == 200
    kinds = ("access_token", "refresh_token")
    return [PASSWORD, one_use, *(answer[kind] for answer in (first, second) for kind in kinds)]


def mishaps(program: Program) -> list[str]:
    """What people paste into the wrong field."""
    once = "dsh_once_canary-invented-0badf00d"
    program.sign_in(EMAIL, WRONG)
    program.call("POST", "users", email=EMAIL, password=WRONG)
    program.call("POST", "email-verifications", token=once)
    program.call("POST", "tokens", refresh_token=STOLEN)
    program.headers["Authorization"] = f"Bearer {STOLEN}"
    assert program.call("GET", "users/me").status == 401
    return [WRONG, once, STOLEN, AUDITOR_PASSWORD]


def export(auditor: Program) -> str:
    auditor.sign_in(AUDITOR, AUDITOR_PASSWORD)
    request = Request(f"{auditor.home}/api/v1/audit/export", headers=auditor.headers)
    with urlopen(request) as response:
        text: str = response.read().decode()
        return text


def bundle(folder: Path) -> str:
    while upkeep.seal_and_publish():
        pass
    wiring.bundle(0, None).write(folder / "bundle")
    return "".join(path.read_text() for path in (folder / "bundle").iterdir())


def rows_of_every_table() -> str:
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {table}")
            rows += cursor.fetchall()
    return "\n".join(_text(value) for row in rows for value in row)


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
