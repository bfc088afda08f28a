"""Real HTTP against a server in this process, as a program would use it."""

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from pytest_django.live_server_helper import LiveServer

from core import container
from tests.mailing import delivered
from tests.plugin.services import Services


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: Any

    def __getitem__(self, name: str) -> Any:
        return self.body[name]


@dataclass
class Program:
    """Speaks to the API; carries its access token once it has signed in."""

    home: str
    headers: dict[str, str] = field(default_factory=lambda: {"User-Agent": "smoke/1"})

    def call(self, method: str, path: str, **body: Any) -> Answer:
        request = Request(f"{self.home}/api/v1/{path}", method=method, headers=self.headers)
        if body:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urlopen(request) as response:
                return self._answer(response.status, response)
        except HTTPError as error:
            with error:
                return self._answer(error.code, error)

    def sign_in(self, email: str, password: str) -> Answer:
        answer = self.call("POST", "sessions", email=email, password=password)
        if answer.status == 201:
            self.carry(answer)
        return answer

    def refresh(self, refresh_token: str) -> Answer:
        return self.call("POST", "tokens", refresh_token=refresh_token)

    def carry(self, tokens: Answer) -> None:
        self.headers["Authorization"] = f"Bearer {tokens['access_token']}"

    def _answer(self, status: int, response: Any) -> Answer:
        raw = response.read()
        return Answer(status, dict(response.headers), json.loads(raw) if raw else None)


@pytest.fixture
def program(live_server: LiveServer, services: Services) -> Program:
    container.get_cache().flush()
    return Program(live_server.url)


@pytest.fixture
def another_program(live_server: LiveServer) -> Program:
    return Program(live_server.url)


def token_from_mail() -> str:
    found = re.search(r"dsh_once_\S+", str(delivered()[-1].body))
    assert found, "no token in the mail"
    return found[0]
