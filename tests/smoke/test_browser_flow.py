"""The panel in a real browser, as an operator uses it."""

import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from audit import wiring
from audit.adapters.keys import KeyFolder
from audit.domain.checkpoint import SigningKey
from tests.factories import PASSWORD, UserFactory
from tests.sealing import empty_the_trail, forget_the_seals, make_sealer, seal
from tests.smoke.conftest import Program

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
ADMIN, ADA = "admin@example.com", "ada@example.com"

pytestmark = [
    pytest.mark.slow(reason="a browser starts"),
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt install chromium"),
]


@pytest.fixture
def keeper(
    transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[KeyFolder]:
    empty_the_trail()
    folder = KeyFolder(tmp_path)
    folder.add(SigningKey.generate("dashtam.test/audit"))
    monkeypatch.setattr(wiring, "key_folder", lambda: folder)
    yield folder
    forget_the_seals()


@pytest.fixture
def people(keeper: KeyFolder, program: Program) -> Program:
    """An admin, demo data, and Ada, who has signed in with a program; all of it is sealed."""
    UserFactory.create(email=ADMIN, role="admin")
    call_command("seed_demo", "--yes", "--size=600", stdout=StringIO())
    UserFactory.create(email=ADA)
    assert program.sign_in(ADA, PASSWORD).status == 201
    seal(make_sealer(keeper))
    return program


@pytest.fixture
def browser() -> Iterator[Browser]:
    """While it is open, this thread must not ask the database: it runs an event loop."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


def sign_in(page: Page, home: str, password: str = PASSWORD) -> None:
    page.goto(f"{home}/admin/login/")
    page.fill("#id_username", ADMIN)
    page.fill("#id_password", password)
    page.click("#login-form [type=submit]")


def act(page: Page, label: str) -> None:
    """Its button, the reason, and the button of the page that asks."""
    page.get_by_role("link", name=label, exact=True).click()
    page.fill("#id_reason", "she called and asked for it")
    page.get_by_role("button", name=label, exact=True).click()


def open_account(page: Page, home: str, email: str) -> None:
    page.goto(f"{home}/admin/users/user/?q={email}")
    page.get_by_role("link", name=email).first.click()


def test_an_operator_at_work(people: Program, live_server: LiveServer, browser: Browser) -> None:
    home, page = live_server.url, browser.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("response", lambda answer: wrong.append(answer.url) if answer.status >= 500 else None)

    sign_in(page, home)
    expect(page.get_by_text("Live sessions")).to_be_visible()
    expect(page.get_by_text("Most failing sources")).to_be_visible()
    expect(page.get_by_text("203.0.113.12")).to_be_visible()  # from the demo data
    expect(page.locator("canvas.chart")).to_be_visible()

    open_account(page, home, ADA)
    page.get_by_role("link", name="All sessions of this person").click()
    page.locator("#result_list tbody a").first.click()
    assert people.call("GET", "users/me").status == 200
    act(page, "End this session")
    expect(page.get_by_text("The session has ended.")).to_be_visible()
    assert people.call("GET", "users/me").status == 401

    open_account(page, home, ADA)
    act(page, "Lock")
    expect(page.get_by_text("Nobody signs in on this account until")).to_be_visible()
    assert people.sign_in(ADA, PASSWORD).status == 401
    act(page, "Unlock")
    expect(page.get_by_text("The account is unlocked.")).to_be_visible()
    assert people.sign_in(ADA, PASSWORD).status == 201

    page.goto(f"{home}/admin/audit/auditevent/?action=user.login&subject={ADA}")
    page.locator("td.panel-when a").last.click()  # the oldest, which is sealed
    page.get_by_role("button", name="Verify the proof").click()
    expect(page.get_by_role("status")).to_contain_text("byte for byte")
    assert wrong == []


@pytest.mark.conforms("A19")
def test_the_door_is_locked_after_five_wrong_passwords(
    transactional_db: None, program: Program, live_server: LiveServer, browser: Browser
) -> None:
    page = browser.new_page()
    for _ in range(5):
        sign_in(page, live_server.url, "not the password")
    sign_in(page, live_server.url)
    expect(page.locator("#login-form")).to_be_visible()
    expect(page.get_by_text("Please enter the correct email and password")).to_be_visible()
