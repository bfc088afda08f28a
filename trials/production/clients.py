"""What clients see, through the proxy and past it."""

import email
import email.policy
import re
import time
from threading import Event
from typing import Any, Final

from trials.production.client import Client
from trials.production.house import Broken, House, expect

ADA: Final = {"email": "ada@example.com", "password": "correct horse battery staple"}
HOME: Final = "127.0.0.7"
FORGED: Final = "203.0.113.9"
_LIMIT: Final = 10
"""Attempts to sign in a minute, of one source."""
_MAIL: Final = 20.0
_PAUSE: Final = Event()


def register(house: House) -> str:
    client = house.client(HOME)
    made = client.ask("POST", "/api/v1/users", ADA)
    expect(made.status in {201, 202}, f"register: {made.status} {made.text}")
    token = _mailed_token(house)
    verified = client.ask("POST", "/api/v1/email-verifications", {"token": token})
    expect(verified.status == 204, f"verify: {verified.status} {verified.text}")
    return "register, the token from the mail, verify"


def sign_in(house: House) -> str:
    tokens = begin_session(house)
    fresh = house.client(HOME).ask(
        "POST", "/api/v1/tokens", {"refresh_token": tokens["refresh_token"]}
    )
    expect(fresh.status == 201, f"refresh: {fresh.status} {fresh.text}")
    house.kept["access"] = fresh.document["access_token"]
    expect(statuses(house, house.kept["access"]) == {200}, "a process refuses a new token")
    return "sign in, refresh: all three processes take the token"


def sign_out(house: House) -> str:
    token = house.kept["access"]
    ended = house.client(HOME).ask("DELETE", "/api/v1/sessions/current", token=token)
    seen = statuses(house, token)
    expect(ended.status == 204, f"sign out: {ended.status} {ended.text}")
    expect(seen == {401}, f"right after signing out the processes answered {seen}")
    return "sign out: all three processes refuse the token at once"


def share_limits(house: House) -> str:
    guess = {"email": "nobody@example.com", "password": "not the right one at all"}
    client = house.client("127.0.0.9")
    seen = [client.ask("POST", "/api/v1/sessions", guess) for _ in range(_LIMIT + 2)]
    found = [answer.status for answer in seen]
    expect(found == [401] * _LIMIT + [429] * 2, f"signing in too often: {found}")
    expect("retry-after" in seen[-1].headers, "429 without Retry-After")
    return f"limits are shared: {_LIMIT} attempts a minute of one source, not {_LIMIT * 3}"


def forged_address(house: House) -> str:
    """By the list of one's own sessions."""
    through_proxy = begin_session(house, X_Forwarded_For=FORGED)
    seen = _address(house, through_proxy["access_token"])
    expect(seen == HOME, f"through the proxy the client {HOME} was recorded as {seen}")
    direct = Client(house.ports[0], "127.0.0.8")
    past_proxy = direct.ask("POST", "/api/v1/sessions", ADA, X_Forwarded_For=FORGED).document
    seen = _address(house, past_proxy["access_token"])
    expect(seen == "127.0.0.8", f"past the proxy the client 127.0.0.8 was recorded as {seen}")
    return "the client's address is recorded; a forged X-Forwarded-For is not believed"


def metrics(house: House) -> str:
    client = house.client("127.0.0.3")
    token = house.environment["METRICS_TOKEN"]
    shown = client.ask("GET", "/metrics", token=token)
    refused = client.ask("GET", "/metrics")
    expect(refused.status == 401, f"/metrics without its token: {refused.status}")
    expect("dashtam_accounts 2.0" in shown.text, f"/metrics: {shown.status} {shown.text}")
    return "/metrics with its token alone"


def begin_session(house: House, **headers: str) -> dict[str, Any]:
    answer = house.client(HOME).ask("POST", "/api/v1/sessions", ADA, **headers)
    expect(answer.status == 201, f"sign in: {answer.status} {answer.text}")
    found: dict[str, Any] = answer.document
    return found


def statuses(house: House, token: str) -> set[int]:
    """Of each process, asked directly."""
    ask = "/api/v1/users/me"
    return {Client(port).ask("GET", ask, token=token).status for port in house.ports}


def _address(house: House, token: str) -> str:
    listed = house.client(HOME).ask("GET", "/api/v1/sessions", token=token)
    (own,) = [each for each in listed.document["results"] if each["is_current"]]
    return str(own["ip_address"])


def _mailed_token(house: House) -> str:
    """The worker sends within a second or two."""
    until = time.monotonic() + _MAIL
    while time.monotonic() < until:
        for file in house.mails.iterdir():
            mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            body = mail.get_body(("plain",))
            text = body.get_content() if body else ""
            if found := re.search(r"^(dsh_once_\S+)$", text, re.MULTILINE):
                return found[1]
        _PAUSE.wait(0.05)
    raise Broken(f"No mail after {_MAIL:.0f} s:\n{house.log}")
