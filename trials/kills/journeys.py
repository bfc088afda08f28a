"""What goes on in a trial: people who register, verify, sign in, refresh and revoke, through the
wiring that the API uses; some of it is refused, some of it fails."""

import hashlib
import hmac
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError

from core import container, context
from core.events import EventMetadata
from core.result import Success
from sessions_app import wiring as sessions_wiring
from sessions_app.application.refreshing import RefreshSession
from sessions_app.application.revocation import RevokeSession
from sessions_app.application.signing_in import SignIn
from trials.kills.checker import GUESS
from users import wiring
from users.application.administration import IssueSetupLink
from users.application.registration import RegisterUser, VerifyEmail
from users.models import OneUseToken

PASSWORD: Final = "correct horse battery staple"  # noqa: S105
_GUESSES: Final = 4
"""The fifth would lock the address, and the count would stand still."""


class BrokenError(Exception):
    """What a business raises that fails."""


class _BrokenCooldown:
    """Asked after the account is written."""

    def start(self, email: str) -> None:
        raise BrokenError

    def claim(self, email: str) -> bool:
        return False


@dataclass
class Person:
    email: str
    id: UUID
    sessions: dict[UUID, list[str]] = field(default_factory=dict)
    """Refresh tokens by session, the newest last."""


@dataclass
class Walk:
    """A writer's way. Its addresses and the door that it comes by name the trial."""

    trial: int
    number: int
    random: Random
    people: list[Person] = field(default_factory=list)
    made: int = 0

    def step(self) -> None:
        step = self.random.choice(self._steps())
        # A sweeper without patience was faster: the business is rolled back, as it should be.
        with suppress(IntegrityError, BrokenError):
            step()

    def _steps(self) -> list[Callable[[], None]]:
        if not self.made:
            return [self.arrive]
        anybody = [self.arrive, self.guess, self.stumble, self.present_nonsense, self.ask_for_setup]
        if not self.people:
            return anybody
        often = [self.sign_in, self.refresh] * 2
        return [
            *anybody,
            *often,
            self.refresh_again,
            self.revoke,
            self.mistype,
            self.register_again,
        ]

    def arrive(self) -> None:
        """The first address is everybody's in this trial: one of the writers gets it."""
        email = self._fresh("shared" if self.made == 0 else "")
        registered = self._do(wiring.register_user(), RegisterUser(email=email, password=PASSWORD))
        if registered is None:
            return
        person = Person(email, registered)
        self._verify(person)
        self.people.append(person)
        self._sign_in(person, PASSWORD)

    def register_again(self) -> None:
        email = self._somebody().email
        self._do(wiring.register_user(), RegisterUser(email=email, password=PASSWORD))

    def stumble(self) -> None:
        handler = wiring.register_user(cooldown=_BrokenCooldown())
        self._do(handler, RegisterUser(email=self._fresh(), password=PASSWORD))

    def present_nonsense(self) -> None:
        self._do(wiring.verify_email(), VerifyEmail(token="dsh_once_nonsense"))  # noqa: S106
        self._do(sessions_wiring.refresh_session(), RefreshSession(refresh_token="nonsense"))  # noqa: S106

    def sign_in(self) -> None:
        self._sign_in(self._somebody(), PASSWORD)

    def mistype(self) -> None:
        person = self._somebody()
        self._sign_in(person, "another " + PASSWORD)
        self._sign_in(person, PASSWORD)

    def guess(self) -> None:
        """At an address that nobody has; the correlation tells the checker which one it was."""
        email = self._fresh("nobody")
        key = hmac.digest(container.get_settings().guard_key, email.encode(), hashlib.sha256)
        command = SignIn(email=email, password=PASSWORD)
        for _ in range(self.random.randint(1, _GUESSES)):
            self._do(
                sessions_wiring.sign_in(),
                command,
                correlation=UUID(bytes=key[:16]),
                trace_id=GUESS,
            )

    def refresh(self) -> None:
        self._refresh(newest=0)

    def refresh_again(self) -> None:
        """With a token that was used: one that is just used up is answered alike, an older one
        ends the session."""
        self._refresh(newest=self.random.randint(1, 2))

    def revoke(self) -> None:
        person = self._somebody()
        for session_id in list(person.sessions)[:2]:
            command = RevokeSession(session_id=session_id, user_id=person.id)
            self._do(sessions_wiring.revoke_session(), command)

    def ask_for_setup(self) -> None:
        self._do(wiring.issue_setup_link(), IssueSetupLink())

    def _verify(self, person: Person) -> None:
        tokens = wiring.one_use_tokens(container.get_database())
        row = OneUseToken.objects.filter(user_id=person.id, spent_at=None).first()
        token = tokens.find_by_id(row.id) if row else None
        if token is None:
            return
        text = token.text(wiring.token_keys())
        if self.random.random() < 0.2:
            self._do(wiring.verify_email(), VerifyEmail(token=text, password="a wrong one"))  # noqa: S106
        self._do(wiring.verify_email(), VerifyEmail(token=text, password=PASSWORD))

    def _sign_in(self, person: Person, password: str) -> None:
        command = SignIn(email=person.email, password=password, user_agent="Trial/1.0")
        signed_in = self._do(sessions_wiring.sign_in(), command)
        if signed_in is not None:
            person.sessions[signed_in.session_id] = [signed_in.tokens.refresh_token]

    def _refresh(self, *, newest: int) -> None:
        sessions = self._somebody().sessions
        if not sessions:
            return
        tokens = sessions[self.random.choice(list(sessions))]
        command = RefreshSession(refresh_token=tokens[max(-1 - newest, -len(tokens))])
        pair = self._do(sessions_wiring.refresh_session(), command)
        if pair is not None and pair.refresh_token not in tokens:
            tokens.append(pair.refresh_token)

    def _somebody(self) -> Person:
        return self.random.choice(self.people)

    def _fresh(self, name: str = "") -> str:
        self.made += 1
        local = name if name == "shared" else f"{name}{self.number}.{self.made}"
        return f"t{self.trial}.{local}@example.com"

    def _do(self, handler: Any, command: Any, **metadata: Any) -> Any:
        """The value; None where it was refused."""
        bound = EventMetadata(door=f"trial-{self.trial}", ip_address="192.0.2.1", **metadata)
        with context.bound(bound):
            result = handler.handle(command)
        return result.value if isinstance(result, Success) else None
