"""A cluster with the two roles of docs/how-to/production.md, and copies of a database."""

import os
import secrets
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.plugin.binaries import postgres_folder

OWNER: Final = "dashtam_owner"
# `dashtam` is the superuser of the trials' servers.
APPLICATION: Final = "dashtam_application"


@dataclass(frozen=True)
class Cluster:
    server_url: str = field(repr=False)
    passwords: dict[str, str] = field(repr=False)

    @classmethod
    def made_in(cls, server_url: str) -> "Cluster":
        made = cls(server_url, {role: secrets.token_hex(16) for role in (OWNER, APPLICATION)})
        for role, password in made.passwords.items():
            statement = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
            made._run(statement.format(sql.Identifier(role), sql.Literal(password)))
        return made

    def create(self, database: str) -> None:
        statement = sql.SQL("CREATE DATABASE {} OWNER {}")
        self._run(statement.format(sql.Identifier(database), sql.Identifier(OWNER)))

    def url(self, database: str, role: str) -> str:
        parts = urlsplit(self.server_url)
        place = f"{role}:{self.passwords[role]}@{parts.hostname}:{parts.port}"
        return urlunsplit(parts._replace(netloc=place, path=f"/{database}"))

    def owner(self, database: str) -> dict[str, str]:
        """For those commands alone that need it."""
        return {"DATABASE_OWNER_URL": self.url(database, OWNER)}

    def dump(self, database: str, file: Path) -> None:
        self._client("pg_dump", "--format=custom", f"--file={file}", database)

    def restore(self, file: Path, database: str) -> None:
        """Into a new database, by its owner."""
        self.create(database)
        self._client("pg_restore", "--exit-on-error", f"--dbname={database}", str(file))

    def _client(self, program: str, *arguments: str) -> None:
        parts = urlsplit(self.server_url)
        folder = postgres_folder(os.environ.get("DASHTAM_TEST_BINARIES") == "system")
        where = [f"--host={parts.hostname}", f"--port={parts.port}", f"--username={OWNER}"]
        done = subprocess.run(  # noqa: S603  of PostgreSQL
            [folder / program, *where, *arguments],
            env=os.environ | {"PGPASSWORD": self.passwords[OWNER]},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.strip()}")

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.server_url, autocommit=True) as server:
            server.execute(statement)
