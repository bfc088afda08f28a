"""A client of the installation: by HTTP, from an address of its own."""

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

HOST: Final = "accounts.example.com"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def document(self) -> Any:
        return json.loads(self.text)


@dataclass(frozen=True)
class Client:
    """All of 127.0.0.0/8 is this machine: `address` tells clients from each other."""

    port: int
    address: str = "127.0.0.1"

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, str] | None = None,
        token: str | None = None,
        **headers: str,
    ) -> Answer:
        sent = {"Host": HOST, "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        sent |= {"Authorization": f"Bearer {token}"} if token else {}
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=30, source_address=(self.address, 0)
        )
        try:
            connection.request(method, path, json.dumps(body) if body else None, sent)
            got = connection.getresponse()
            told = {name.lower(): value for name, value in got.getheaders()}
            return Answer(got.status, told, got.read().decode())
        finally:
            connection.close()
