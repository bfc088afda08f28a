"""Whatever is sent: a problem document (RFC 9457) with the right status, never a 500, and no secret
on the trail, in the logs or in the answer.

One test holds one kind of badness, for every endpoint in turn: what went wrong is told at the
end, a line each.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest

from audit.models import AuditEvent
from core.actions import Phase
from core.ids import uuid7
from sessions_app.models import DeviceSession
from tests.factories import PASSWORD, UserFactory
from tests.mailing import delivered
from tests.plugin.fixtures import JsonClient
from users import models
from users.repositories.accounts import DjangoUserRepository

EMAIL = "test@example.com"
SECRET = "planted-Secret-4711-never-to-be-seen"
TOKEN = "dsh_refresh_" + "plantedToken4711neverToBeSeen".ljust(70, "A")
WRITES: dict[str, dict[str, Any]] = {
    "/api/v1/users": {"email": "new@example.com", "password": SECRET},
    "/api/v1/sessions": {"email": EMAIL, "password": SECRET},
    "/api/v1/tokens": {"refresh_token": TOKEN},
    "/api/v1/email-verifications": {"token": TOKEN},
    "/api/v1/email-changes": {"token": TOKEN},
    "/api/v1/password-resets": {"token": TOKEN, "password": SECRET},
    "/api/v1/invitations": {"token": TOKEN, "password": SECRET},
    "/api/v1/password-reset-tokens": {"email": "new@example.com"},
    "/api/v1/email-verification-tokens": {"email": "new@example.com"},
}
ANSWERED = dict(zip(WRITES, (201, 401, 401, 400, 400, 400, 400, 202, 202), strict=True))
REFUSED = dict(zip(WRITES, (400, 401, 401, 400, 400, 400, 400, 202, 202), strict=True))
READS = {"/api/v1/users/me": "GET", "/api/v1/sessions": "GET", "/api/v1/sessions/current": "DELETE"}
JSON = "application/json"


@dataclass
class Prober:
    """Sends, and notes each answer that is not as it must be; `verdict` tells them all."""

    client: JsonClient
    capfd: pytest.CaptureFixture[str]
    caplog: pytest.LogCaptureFixture
    began: UUID = field(default_factory=uuid7)
    sent: int = 0
    wrong: list[str] = field(default_factory=list)

    def expect(self, status: int, method: str, path: str, body: Any = b"", **extra: Any) -> Any:
        extra = {"content_type": JSON} | extra
        answer = self.client.generic(method, path, body, **extra)
        self.sent += 1
        where = f"{method} {path} {str(body)[:60]!r} {str(extra)[:80]} -> {answer.status_code}"
        if answer.status_code != status:
            self.wrong.append(f"{where}, not {status}: {answer.content[:200]!r}")
        elif status >= 400:
            self.wrong += [f"{where}: {what}" for what in not_a_problem(answer, path)]
        if SECRET in answer.content.decode() or TOKEN in answer.content.decode():
            self.wrong.append(f"{where} repeats the secret")
        return answer

    def expect_in_every_field(self, status: int, path: str, value: Any) -> None:
        for name in WRITES[path]:
            self.expect(status, "POST", path, in_field(path, name, value))

    def verdict(self) -> str:
        """What went wrong, a line each; nothing when nothing did."""
        out = "".join(self.capfd.readouterr()) + self.caplog.text
        trail = [bytes(one.entry).decode() for one in AuditEvent.objects.filter(pk__gt=self.began)]
        for secret in (SECRET, TOKEN, PASSWORD):
            if secret in out:
                self.wrong.append(f"the logs hold {secret}")
            self.wrong += [
                f"the trail holds {secret}: {entry}" for entry in trail if secret in entry
            ]
        return "\n".join(self.wrong)


def not_a_problem(answer: Any, path: str) -> Iterator[str]:
    if answer.headers["Content-Type"] != "application/problem+json":
        yield f"is {answer.headers['Content-Type']}"
        return
    problem = answer.json()
    if missing := PROBLEM - problem.keys():
        yield f"lacks {missing}"
        return
    expected = {
        "type": f"urn:dashtam:problem:{problem['code']}",
        "title": problem["code"].replace("_", " ").capitalize(),
        "status": answer.status_code,
        "instance": path.partition("?")[0],
        "trace_id": answer.headers["X-Trace-Id"],
    }
    for name, value in expected.items():
        if problem[name] != value:
            yield f"says {name} {problem[name]!r}, not {value!r}"
    if not problem["detail"]:
        yield "has no detail"
    if answer.headers["Cache-Control"] != "no-store":
        yield "may be cached"
    if (answer.status_code == 401) != ("WWW-Authenticate" in answer.headers):
        yield "challenges when it must not, or does not when it must"


PROBLEM = {"type", "title", "status", "detail", "instance", "code", "trace_id"}


@pytest.fixture
def prober(
    client: JsonClient, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Iterator[Prober]:
    UserFactory.create(email=EMAIL)
    client.raise_request_exception = False
    with caplog.at_level(logging.DEBUG):
        yield Prober(client, capfd, caplog)


class TestBodies:
    """Uses fixtures: prober."""

    def test_what_is_no_json_object(self, prober: Prober) -> None:
        for path in WRITES:
            for body in (b"", b"null", b"[]", b"[{}]", b"{}", b"1", b'"text"', b"true"):
                prober.expect(400, "POST", path, body)
        assert prober.verdict() == ""
        assert prober.sent == 8 * len(WRITES)

    def test_malformed_json(self, prober: Prober) -> None:
        for path in WRITES:
            example = json.dumps(WRITES[path])
            bodies = [
                b"{",
                b"}{",
                b"{'email': 1}",
                b'{"email": NaN}',
                b'{"email": Infinity}',
                b'{"email": ' + b"9" * 10_000 + b"}",
                b"\xff\xfe",
                b"\xc3\x28",
                b"\x00" * 100,
                example.encode()[:-1],
                example.encode() + b"}",
                example.encode("utf-16"),
            ]
            for body in bodies:
                prober.expect(400, "POST", path, body)
        assert prober.verdict() == ""

    def test_deep_nesting(self, prober: Prober) -> None:
        for path in WRITES:
            for body in (b"[" * 30_000, b"[" * 30_000 + b"]" * 30_000, b'{"a":' * 12_000):
                prober.expect(400, "POST", path, body)
        assert prober.verdict() == ""

    def test_a_body_that_is_too_large(self, prober: Prober) -> None:
        for path in WRITES:
            large = json.dumps(WRITES[path] | {"more": "x" * 1_000_000})
            prober.expect(413, "POST", path, large)
            prober.expect(413, "POST", path, b"x" * (64 * 1024 + 1))
            prober.expect(400, "POST", path, b"x" * (64 * 1024))
        assert prober.verdict() == ""

    def test_another_content_type(self, prober: Prober) -> None:
        for path in WRITES:
            for content_type in (
                "text/plain",
                "application/xml",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
                "application/jsonx",
                "nonsense",
            ):
                prober.expect(415, "POST", path, b'{"a": 1}', content_type=content_type)
        assert prober.verdict() == ""

    def test_a_charset_that_decodes_no_text(self, prober: Prober) -> None:
        for path in WRITES:
            for charset in ("zlib", "rot13", "hex", "undefined", "utf-16"):
                prober.expect(400, "POST", path, b"{}", content_type=f"{JSON}; charset={charset}")
        assert prober.verdict() == ""


class TestFields:
    """Uses fixtures: prober."""

    def test_values_of_another_type(self, prober: Prober) -> None:
        for path in WRITES:
            values: list[Any] = [None, 1, 1.5, True, [], ["a"], {}, {"a": 1}, "", [[]] * 50]
            for value in values:
                prober.expect_in_every_field(400, path, value)
        assert prober.verdict() == ""

    def test_text_that_no_field_takes(self, prober: Prober) -> None:
        for path in WRITES:
            for value in ("\x00", "a\x00b", "\ud800", "a\udfffb", "x" * 60_000):
                prober.expect_in_every_field(400, path, value)
        assert prober.verdict() == ""

    def test_line_breaks_and_other_controls(self, prober: Prober) -> None:
        for path in WRITES:
            name = next(iter(WRITES[path]))
            injected = "a@example.com\r\nBcc: b@example.com"
            for text in (injected, "\r\n", "\x1b[31m", "\u2028", "\x7f", "\u202e@example.com"):
                prober.expect(REFUSED[path], "POST", path, in_field(path, name, text))
        assert prober.verdict() == ""
        assert delivered() == []

    def test_a_field_that_is_missing(self, prober: Prober) -> None:
        for path in WRITES:
            for name in WRITES[path]:
                rest = {other: value for other, value in WRITES[path].items() if other != name}
                answer = prober.expect(400, "POST", path, json.dumps(rest))
                assert answer.json()["errors"].keys() == {name}
        assert prober.verdict() == ""

    def test_fields_that_nobody_knows(self, prober: Prober) -> None:
        for path in WRITES:
            unknown = {
                "__proto__": {},
                "is_admin": True,
                "": "",
                "x" * 1000: SECRET,
                "password2": SECRET,
            }
            answers = [
                prober.client.generic("POST", path, json.dumps(body), content_type=JSON)
                for body in (WRITES[path], WRITES[path] | unknown)
            ]
            assert [answer.status_code for answer in answers] == [ANSWERED[path]] * 2
        assert prober.verdict() == ""

    def test_asking_again_and_again_tells_no_secret(self, prober: Prober) -> None:
        for path in WRITES:
            for _ in range(7):
                prober.expect(ANSWERED[path], "POST", path, json.dumps(WRITES[path]))
        assert prober.verdict() == ""


def in_field(path: str, name: str, value: Any) -> str:
    return json.dumps(WRITES[path] | {name: value})


class TestAddresses:
    """Uses fixtures: prober."""

    def test_methods_that_an_address_does_not_have(self, prober: Prober) -> None:
        prober.client.as_user(EMAIL, PASSWORD)
        for path in (*WRITES, *READS, f"/api/v1/sessions/{UUID(int=7)}"):
            for method in ("PUT", "PATCH", "TRACE", "CONNECT", "PROPFIND", "NONSENSE"):
                prober.expect(405, method, path)
        assert prober.verdict() == ""

    def test_what_is_only_to_be_written_is_neither_read_nor_deleted(self, prober: Prober) -> None:
        for path in WRITES.keys() - READS.keys():
            prober.expect(405, "GET", path)
            prober.expect(405, "DELETE", path)
        assert prober.verdict() == ""

    def test_a_method_that_signing_in_does_not_have_asks_nobody_for_a_token(
        self, prober: Prober
    ) -> None:
        for method in ("PUT", "PATCH", "TRACE", "QUERY", "NONSENSE"):
            prober.expect(405, method, "/api/v1/sessions")
        assert prober.verdict() == ""

    @pytest.mark.parametrize(
        "path",
        [
            "/api/",
            "/api/v1",
            "/api/v1/",
            "/api/v2/users",
            "/api/v1/users/",
            "/api/v1/users/me/",
            "/api/docs/more",
            "/api/v1/sessions/not-an-id",
            f"/api/v1/sessions/{UUID(int=7)}/more",
            "/api/v1/" + "x" * 5000,
        ],
    )
    def test_addresses_that_are_not_there(self, prober: Prober, path: str) -> None:
        for method in ("GET", "POST", "DELETE", "NONSENSE"):
            prober.expect(404, method, path, b'{"a": 1}')
        assert prober.verdict() == ""

    def test_hostile_bytes_in_the_address(self, prober: Prober) -> None:
        hostile = {"%00": "\x00", "%0d%0aSet-Cookie:a=b": "\r\nSet-Cookie:a=b", "..%2f..": "../.."}
        for written, read in hostile.items():
            answer = prober.client.get(f"/api/v1/{written}")
            assert (answer.status_code, answer.json()["instance"]) == (404, f"/api/v1/{read}")
        assert prober.verdict() == ""

    def test_answers_in_a_form_that_nobody_speaks(self, prober: Prober) -> None:
        for path in WRITES:
            prober.expect(406, "POST", path, b"{}", HTTP_ACCEPT="text/html")
            prober.expect(406, "POST", path, b"{}", HTTP_ACCEPT="nonsense\r\n/\x00")
        assert prober.verdict() == ""

    def test_a_page_that_no_session_begins(self, prober: Prober) -> None:
        prober.client.as_user(EMAIL, PASSWORD)
        for text in ("", "x", "%00", "-1", "%ff", "a" * 5000, "1;drop"):
            prober.expect(400, "GET", f"/api/v1/sessions?before={text}")
        assert prober.verdict() == ""


class TestHeaders:
    """Uses fixtures: prober."""

    def test_no_token_and_tokens_that_open_nothing(self, prober: Prober) -> None:
        for path in READS:
            for text in (
                "Bearer",
                "Bearer ",
                "Bearer \x00",
                "Bearer a\r\nSet-Cookie: a=b",
                "Bearer é",
                "Bearer \xed\xa0\x80",
                f"Bearer {SECRET}",
                f"Bearer {TOKEN}",
                f"bearer {TOKEN} {TOKEN}",
                f"Basic {SECRET}",
                f"Digest {SECRET}",
                "Bearer " + "A" * 60_000,
                "",
            ):
                prober.expect(401, READS[path], path, HTTP_AUTHORIZATION=text)
        assert prober.verdict() == ""

    @pytest.mark.parametrize(
        "value",
        # A header is Latin-1 by the time it gets here (PEP 3333): the bytes of a surrogate too.
        ["\x00", "a\r\nSet-Cookie: a=b", "\xed\xa0\x80", "é" * 300, "\x1b[2J", ""],
        ids=["nul", "line break", "surrogate", "long", "escape", "empty"],
    )
    def test_hostile_values_everywhere_a_header_is_read(self, prober: Prober, value: str) -> None:
        right = json.dumps({"email": EMAIL, "password": PASSWORD})
        wrong = json.dumps(WRITES["/api/v1/sessions"])
        headers = {
            "HTTP_USER_AGENT": value,
            "HTTP_X_TRACE_ID": value,
            "HTTP_TRACEPARENT": value,
            "HTTP_X_FORWARDED_FOR": value,
            "HTTP_COOKIE": f"sessionid={value}; csrftoken={value}",
            "HTTP_REFERER": value,
            "HTTP_ORIGIN": value,
        }
        prober.expect(401, "POST", "/api/v1/sessions", wrong, **headers)
        prober.expect(400, "POST", "/api/v1/users", b"{}", **headers)
        answer = prober.expect(201, "POST", "/api/v1/sessions", right, **headers)
        assert "Set-Cookie" not in answer.headers
        assert prober.verdict() == ""

    def test_a_length_that_is_no_number(self, prober: Prober) -> None:
        for path in WRITES:
            for length in ("abc", "-1", "1.5", "\u0661"):
                prober.expect(400, "POST", path, b"{}", CONTENT_LENGTH=length)
        assert prober.verdict() == ""

    def test_a_host_that_is_not_ours(self, prober: Prober) -> None:
        for path in WRITES:
            for host in ("evil.example", "a b", "testserver\r\nX: y", "", "testserver:x"):
                prober.expect(400, "POST", path, b"{}", HTTP_HOST=host)
        assert prober.verdict() == ""


class TestNothingHappened:
    """Uses fixtures: prober."""

    def test_what_was_refused_changed_nothing(self, prober: Prober) -> None:
        before = list(models.User.objects.values())
        for path in WRITES:
            prober.expect(400, "POST", path, b"{}")
            prober.expect_in_every_field(400, path, None)
        assert prober.verdict() == ""
        assert list(models.User.objects.values()) == before
        assert not DeviceSession.objects.exists()

    def test_a_request_that_cannot_be_read_is_no_attempt(self, prober: Prober) -> None:
        before = AuditEvent.objects.count()
        for path in WRITES:
            prober.expect(400, "POST", path, b"{")
            prober.expect(415, "POST", path, b"{}", content_type="text/plain")
        assert prober.verdict() == ""
        assert AuditEvent.objects.count() == before


class TestSurprises:
    """Uses fixtures: prober, monkeypatch."""

    @pytest.mark.conforms("L13", "L15")
    @pytest.mark.parametrize("path", ["/api/v1/users", "/api/v1/sessions"])
    def test_an_error_of_our_own_tells_neither_itself_nor_a_secret(
        self, prober: Prober, monkeypatch: pytest.MonkeyPatch, path: str
    ) -> None:
        def fail(*_: Any) -> None:
            raise ZeroDivisionError("in the repository")

        for method in ("find_by_email", "save"):
            monkeypatch.setattr(DjangoUserRepository, method, fail)
        answer = prober.expect(500, "POST", path, json.dumps(WRITES[path]))
        assert prober.verdict() == ""
        assert answer.json()["code"] == "internal_error"
        assert "repository" not in answer.content.decode()
        assert answer.json()["trace_id"] in prober.caplog.text
        assert AuditEvent.objects.order_by("-pk")[0].phase == Phase.FAILED
