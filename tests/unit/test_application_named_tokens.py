"""What a token tells of itself: whose it is, and what ends it."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from core.keys import KeyRing
from sessions_app.application.authenticating import (
    AccessTokenAuthenticator,
    PersonalTokenAuthenticator,
)
from sessions_app.application.introspecting import Introspection, Introspector
from sessions_app.application.naming import TokenNames
from sessions_app.application.personal_tokens import RevokePersonalToken
from sessions_app.application.revocation import RevokeSession
from sessions_app.domain.personal_token import PersonalToken, Scope
from sessions_app.domain.tokens import tokens_of
from tests.factories import NOON
from tests.fakes.clock import FakeClock
from tests.fakes.sessions import InMemoryPersonalTokens, SessionHouse

KEYS = KeyRing("1", {"1": b"k" * 32})
OTHERS_KEYS = KeyRing("1", {"1": b"x" * 32})
DAY = timedelta(days=1)


@dataclass
class House(SessionHouse):
    tokens: InMemoryPersonalTokens = field(default_factory=InMemoryPersonalTokens)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.tokens.users[self.user.id] = self.user

    def token(self, scope: Scope = Scope.READ) -> PersonalToken:
        made = PersonalToken(
            user_id=self.user.id,
            name="backup",
            scope=scope,
            created_at=NOON,
            expires_at=NOON + DAY,
            key_id="1",
            salt=b"s" * 32,
            version=self.user.token_version,
        )
        self.tokens.save(made)
        return made

    def introspect(self, text: str) -> Introspection | None:
        readers: dict[str, Any] = {"keys": KEYS, "clock": self.clock}
        return Introspector(
            sessions=AccessTokenAuthenticator(session_reader=self.sessions, **readers),
            tokens=PersonalTokenAuthenticator(token_reader=self.tokens, **readers),
        ).introspect(text)

    def ending(self, text: str) -> RevokeSession | RevokePersonalToken | None:
        names = TokenNames(session_reader=self.sessions, token_reader=self.tokens, keys=KEYS)
        return names.ending(text)


@pytest.fixture
def house(clock: FakeClock) -> House:
    return House(clock)


class TestIntrospection:
    """Uses fixtures: house, clock."""

    def test_a_session_may_do_everything_until_its_access_ends(self, house: House) -> None:
        session = house.session
        text = tokens_of(session, KEYS).access_token
        assert house.introspect(text) == Introspection(
            user_id=house.user.id,
            email=house.user.email,
            role=house.user.role,
            scope="read write",
            issued_at=session.generation_began_at,
            expires_at=session.access_ends_at,
            session_id=session.id,
        )

    @pytest.mark.parametrize(
        ("scope", "told"),
        [(Scope.READ, "read"), (Scope.WRITE, "read write"), (Scope.INTROSPECT, "introspect")],
    )
    def test_a_personal_token_may_do_what_its_scope_says(
        self, house: House, scope: Scope, told: str
    ) -> None:
        found = house.introspect(house.token(scope).text(KEYS))
        assert found is not None
        assert (found.scope, found.issued_at, found.expires_at) == (told, NOON, NOON + DAY)
        assert found.session_id is None

    def test_of_a_personal_token_that_is_over_nothing_is_told(
        self, house: House, clock: FakeClock
    ) -> None:
        text = house.token().text(KEYS)
        clock.advance(DAY)
        assert house.introspect(text) is None

    def test_of_a_personal_token_below_the_accounts_version_nothing_is_told(
        self, house: House
    ) -> None:
        text = house.token().text(KEYS)
        changed = replace(house.user, token_version=house.user.token_version + 1)
        house.tokens.users[house.user.id] = changed
        assert house.introspect(text) is None

    @pytest.mark.parametrize("text", ["", "dsh_pat_" + "A" * 64, "dsh_access_", "nonsense"])
    def test_of_what_is_no_token_nothing_is_told(self, house: House, text: str) -> None:
        assert house.introspect(text) is None

    def test_a_refresh_token_opens_no_door(self, house: House) -> None:
        assert house.introspect(tokens_of(house.session, KEYS).refresh_token) is None


class TestEnding:
    """Uses fixtures: house."""

    @pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
    def test_either_token_of_a_session_ends_it(self, house: House, kind: str) -> None:
        text = getattr(tokens_of(house.session, KEYS), kind)
        assert house.ending(text) == RevokeSession(
            session_id=house.session_id, user_id=house.user.id
        )

    def test_a_personal_token_ends_itself(self, house: House) -> None:
        token = house.token()
        assert house.ending(token.text(KEYS)) == RevokePersonalToken(
            token_id=token.id, user_id=house.user.id
        )

    def test_what_was_made_under_other_keys_ends_nothing(self, house: House) -> None:
        forged = tokens_of(house.session, OTHERS_KEYS)
        texts = [forged.access_token, forged.refresh_token, house.token().text(OTHERS_KEYS)]
        assert [house.ending(text) for text in texts] == [None] * 3

    def test_what_is_gone_ends_nothing(self, house: House) -> None:
        texts = [tokens_of(house.session, KEYS).access_token, house.token().text(KEYS)]
        house.sessions.sessions.clear()
        house.tokens.tokens.clear()
        assert [house.ending(text) for text in texts] == [None, None]

    @pytest.mark.parametrize("text", ["", "nonsense", "dsh_pat_", "dsh_access_" + "A" * 69])
    def test_what_is_no_token_ends_nothing(self, house: House, text: str) -> None:
        assert house.ending(text) is None
