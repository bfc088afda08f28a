"""docs/how-to/rotate-keys.md: new keys while people go on working."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from trials.production.clients import HOME, begin_session, statuses
from trials.production.house import House, expect
from trials.production.preparing import new_key


def token_keys(house: House) -> str:
    old = begin_session(house)
    first, second = house.environment["TOKEN_KEYS"], new_key("2")
    with _somebody_at_work(house, old["access_token"]) as answers:
        for keys in (f"{first},{second}", f"{second},{first}"):
            house.environment["TOKEN_KEYS"] = keys
            for number in range(len(house.web)):
                house.restart_web(number)
    expect(set(answers) == {200}, f"during the rolling restart: {answers}")
    _is_taken_everywhere(house, old)
    _is_taken_everywhere(house, begin_session(house))
    said = house.manage("doctor")
    expect("2 is current; older: 1" in said, said)
    return f"TOKEN_KEYS rotated by two rolling restarts: {len(answers)} requests, none refused"


def signing_key(house: House) -> str:
    said = house.manage("audit_keys", "--rotate")
    expect(said.count("+") >= 2, f"audit_keys --rotate: {said}")
    house.manage("audit_verify")
    return "audit_keys --rotate; audit_verify: exit code 0"


def _is_taken_everywhere(house: House, tokens: dict[str, str]) -> None:
    seen = statuses(house, tokens["access_token"])
    expect(seen == {200}, f"after the rotation the processes answered {seen}")
    fresh = house.client(HOME).ask(
        "POST", "/api/v1/tokens", {"refresh_token": tokens["refresh_token"]}
    )
    expect(fresh.status == 201, f"refresh after the rotation: {fresh.status} {fresh.text}")


@contextmanager
def _somebody_at_work(house: House, token: str) -> Iterator[list[int]]:
    answers: list[int] = []
    over = Event()

    def ask() -> None:
        while not over.wait(0.1):
            answer = house.client(HOME).ask("GET", "/api/v1/users/me", token=token)
            answers.append(answer.status)

    thread = Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join()
