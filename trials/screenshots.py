"""Pictures of every page, to look at: light, dark, and on a telephone.

    python -m trials.screenshots [FOLDER]

It starts an installation of its own with demo data, on SQLite, and stops it at the end. Needs
Chromium (`apt install chromium`).
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, sync_playwright

ROOT: Final = Path(__file__).resolve().parent.parent
ADMIN: Final = ("admin@example.com", "correct horse battery staple")
FLAGS: Final = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SIZES: Final = {"wide": (1360, 900), "phone": (390, 844)}


def main(folder: Path) -> int:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.stderr.write("No Chromium here: apt install chromium\n")
        return 3
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as name,
        an_installation(Path(name)) as home,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        wrong = [each for size in SIZES for each in take(browser, home, folder, size)]
        browser.close()
    sys.stdout.write("".join(f"{each}\n" for each in wrong) or f"Every page is in {folder}\n")
    return 1 if wrong else 0


@contextmanager
def an_installation(folder: Path) -> Iterator[str]:
    """Its address, once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {
        "PATH": os.environ["PATH"],
        "ENVIRONMENT": "development",
        "SECRET_KEY": "of-these-pictures-of-these-pictures-of-these",
        "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
        "AUDIT_FOLDER": f"{folder}/audit",
        "PORT": str(port),
    }
    manage = [sys.executable, "manage.py"]
    for command in ("migrate", "seed_demo --yes", f"create_admin --email {ADMIN[0]}"):
        subprocess.run(  # noqa: S603  ourselves
            [*manage, *command.split()],
            cwd=ROOT,
            env=env,
            input=f"{ADMIN[1]}\n",
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    with (folder / "served.txt").open("w") as log:
        server = subprocess.Popen(  # noqa: S603  ourselves
            [*manage, "serve"], cwd=ROOT, env=env, stdout=log, stderr=log
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/health/live")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def wait_for(address: str, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urlopen(address):  # noqa: S310  our own
                return
        except URLError:
            time.sleep(0.1)  # noqa: TID251  a process starts
    raise TimeoutError(address)


def take(browser: Browser, home: str, folder: Path, size: str) -> Iterator[str]:
    """What does not fit, page by page."""
    width, height = SIZES[size]
    for scheme in ("light", "dark"):
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        page = context.new_page()
        for name, address in public_pages():
            page.goto(home + address)
            yield from keep(page, folder / f"{name}-{size}-{scheme}.png")
        sign_in(page, home)
        for name, address in panel_pages(page, home):
            page.goto(home + address)
            yield from keep(page, folder / f"{name}-{size}-{scheme}.png")
        context.close()


def keep(page: Page, file: Path) -> Iterator[str]:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=file, full_page=True)
    too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if too_wide > 0:
        yield f"{file.name}: {too_wide} px too wide"


def sign_in(page: Page, home: str) -> None:
    page.goto(f"{home}/admin/login/")
    page.fill("#id_username", ADMIN[0])
    page.fill("#id_password", ADMIN[1])
    page.click("#login-form [type=submit]")
    page.wait_for_url(f"{home}/admin/")


def public_pages() -> Iterator[tuple[str, str]]:
    yield "home", "/"
    for path in (
        *("verify-email", "forgotten-password", "reset-password", "invitation", "unlock"),
        *("change-email", "setup"),
    ):
        yield path, f"/{path}"
    yield "api-docs", "/api/docs"
    yield "login", "/admin/login/"


def panel_pages(page: Page, home: str) -> Iterator[tuple[str, str]]:
    yield "dashboard", "/admin/"
    yield "dashboard-month", "/admin/?span=30d"
    yield "accounts", "/admin/users/user/"
    user = first(page, home, "/admin/users/user/?role__exact=user", r"/user/([0-9a-f-]{36})/")
    yield "account", f"/admin/users/user/{user}/change/"
    for act in ("lock", "role", "rotate-tokens"):
        yield f"act-{act}", f"/admin/users/user/{user}/do/{act}/"
    yield "prove", "/admin/prove/"
    yield "sessions", "/admin/sessions_app/devicesession/"
    session = first(
        page, home, "/admin/sessions_app/devicesession/", r"/devicesession/([0-9a-f-]{36})/"
    )
    yield "session", f"/admin/sessions_app/devicesession/{session}/change/"
    yield "trail", "/admin/audit/auditevent/"
    yield "trail-narrowed", "/admin/audit/auditevent/?action=user.login&phase=FAILED"
    yield "trail-empty", "/admin/audit/auditevent/?trace=none"
    event = first(
        page, home, "/admin/audit/auditevent/?action=user.login", r"/auditevent/([0-9a-f-]{36})/"
    )
    yield "event", f"/admin/audit/auditevent/{event}/change/?verify=1"
    yield "not-there", "/admin/nowhere/"


def first(page: Page, home: str, address: str, pattern: str) -> str:
    page.goto(home + address)
    found = re.search(pattern, page.content())
    assert found, f"nothing at {address}"
    return found[1]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / ".cache" / "screenshots"))
