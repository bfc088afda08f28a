"""What the first page of the panel costs on a million events and a hundred thousand accounts.

    python -m trials.dashboard [EVENTS] [ACCOUNTS]

It starts a PostgreSQL of its own, fills it by `manage.py seed_demo`, and stops it at the end. What
is measured is CPU time, of this process and of its PostgreSQL backend together; the clock on the
wall tells more of the machine than of the page.
"""

import os
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time
from typing import Final

import django

from trials.million import a_database, tell, timed

ALLOWED: Final = 0.3
"""Seconds of CPU for one answer."""
ADMIN: Final = ("admin@example.com", "correct horse battery staple")
PAGES: Final = (
    "/admin/?span=24h",
    "/admin/?span=7d",
    "/admin/?span=30d",
    "/admin/users/user/",
    "/admin/users/user/?q=amara1",
    "/admin/sessions_app/devicesession/?state=live",
    "/admin/audit/auditevent/?action=user.login&phase=FAILED",
)
_TICK: Final = os.sysconf("SC_CLK_TCK")


def main(events: int, accounts: int) -> int:
    with tempfile.TemporaryDirectory() as name, a_database(Path(name)):
        os.environ["TRIALS_AUDIT_FOLDER"] = f"{name}/audit"
        django.setup()
        from django.core.management import call_command

        call_command("migrate", interactive=False, verbosity=0)
        make_admin()
        seed = ("seed_demo", "--yes", f"--size={events}", f"--users={accounts}")

        def make_up() -> None:
            call_command(*seed)

        timed("made up and sealed", events, make_up)
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as autovacuum does within a minute
        return measure()


def make_admin() -> None:
    from users import wiring
    from users.application.administration import CreateAdmin

    made = wiring.create_admin().handle(CreateAdmin(email=ADMIN[0], password=ADMIN[1]))
    assert made.is_success, made


def measure() -> int:
    from django.test import Client

    browser = Client(SERVER_NAME="localhost")
    browser.post("/admin/login/", {"username": ADMIN[0], "password": ADMIN[1]})
    browser.get(PAGES[0])  # templates are read, statements are prepared
    slow = 0
    for page in PAGES:
        seconds, wall = min(cost(browser, page) for _ in range(3))
        is_slow = seconds > ALLOWED and page.startswith("/admin/?")
        slow += is_slow
        verdict = "  too slow" if is_slow else ""
        tell(f"{page:<58} {seconds * 1000:6.0f} ms CPU {wall * 1000:6.0f} ms{verdict}")
    return 1 if slow else 0


def cost(browser: "Client", page: str) -> tuple[float, float]:  # type: ignore[name-defined]  # noqa: F821
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    there, here, began = cpu_of(backend), process_time(), perf_counter()
    answer = browser.get(page)
    wall = perf_counter() - began
    assert answer.status_code == 200, (page, answer.status_code)
    return process_time() - here + cpu_of(backend) - there, wall


def cpu_of(process: int) -> float:
    """proc(5): user and system time, in ticks."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


if __name__ == "__main__":
    wanted = [int(each) for each in sys.argv[1:]]
    sys.exit(main(*(wanted + [1_000_000, 100_000][len(wanted) :])))
