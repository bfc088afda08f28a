"""Everything on one machine, for a first look and for small installations."""

import os
import signal
import socket
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.db import InterfaceError, OperationalError, connections

from config import serving
from core.result import Success
from users import wiring
from users.application.administration import IssueSetupLink

_HOST = "127.0.0.1"


class Command(BaseCommand):
    help = (
        "Migrates, and serves API, pages and admin panel on 127.0.0.1. "
        "Example: PORT=9000 manage.py serve"
    )

    def run_from_argv(self, argv: list[str]) -> None:
        # Until the server is up, Ctrl-C has nothing to end but this process.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        super().run_from_argv(argv)

    def handle(self, *args: Any, **options: Any) -> None:
        port = _free_port(os.environ.get("PORT", "8000"))
        try:
            call_command("migrate", verbosity=0)
            self._print_addresses()
        except (OperationalError, InterfaceError) as error:
            reason = str(error).strip().splitlines()[0]
            raise CommandError(
                f"The database does not answer ({reason}): see DATABASE_URL."
            ) from None
        # A forked worker must not share them: SQLite forbids it, PostgreSQL mixes up the answers.
        connections.close_all()
        serving.serve(_HOST, port)

    def _print_addresses(self) -> None:
        home = settings.PUBLIC_URL
        lines = {
            "API": f"{home}/api/v1",
            "Documentation": f"{home}/api/docs",
            "Admin panel": f"{home}/admin/",
            "Mails": _where_mails_go(),
        }
        issued = wiring.issue_setup_link().handle(IssueSetupLink())
        if isinstance(issued, Success):
            token = issued.value.text(wiring.token_keys())
            lines["First admin"] = f"{home}/setup#{token}\n  (this link works once, for 24 hours)"
        width = max(map(len, lines))
        self.stdout.write("\nDashtam is starting. Stop it with Ctrl-C.\n\n")
        for name, place in lines.items():
            self.stdout.write(f"  {name:<{width}}  {place}")
        self.stdout.write("")
        self.stdout.flush()


def _free_port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise CommandError(f"PORT={text} is not a port: take a number from 1 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, int(text)))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {_HOST}:{text} ({error.strerror}). "
                f"Choose another port: make run PORT={int(text) % 65535 + 1}"
            ) from None
    return int(text)


def _where_mails_go() -> str:
    backend = settings.EMAIL_BACKEND.rpartition(".")[0].rpartition(".")[2]
    places = {
        "console": "printed below",
        "filebased": f"files in {settings.EMAIL_FILE_PATH}",
        "smtp": f"sent through {settings.EMAIL_HOST}:{settings.EMAIL_PORT}",
    }
    return places.get(backend) or str(backend)
