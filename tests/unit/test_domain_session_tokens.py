import base64
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.keys import KeyRing
from sessions_app.domain.session import DeviceSession
from sessions_app.domain.tokens import PresentedToken, TokenType, tokens_of
from tests.factories import NOON, make_session

KEYS = KeyRing("1", {"1": b"k" * 32, "2": b"l" * 32})
GOLDEN = (
    "dsh_access_AYzCUfQAcACAAAAAAAAAAQAAAAd0hvflGw5KcZaD9DaZK_1W1I0FnCjl9WdC-vXMGihCZw",
    "dsh_refresh_AYzCUfQAcACAAAAAAAAAAQAAAAd487qW0q6fpF0CP4oJxuIsDM29c3Ugu0GGsp5_mE479A",
)


def read(text: str, token_type: TokenType = TokenType.ACCESS) -> PresentedToken:
    presented = PresentedToken.read(text, token_type)
    assert presented is not None
    return presented


@pytest.fixture
def session() -> DeviceSession:
    return make_session(generation=7)


class TestPair:
    """Uses fixtures: session."""

    def test_a_generation_has_the_same_tokens_at_every_call(self, session: DeviceSession) -> None:
        assert tokens_of(session, KEYS) == tokens_of(session, KEYS)

    def test_what_was_handed_out_before_an_update_still_works(self) -> None:
        session = make_session(id=UUID("018cc251-f400-7000-8000-000000000001"), generation=7)
        tokens = tokens_of(session, KEYS)
        assert (tokens.access_token, tokens.refresh_token) == GOLDEN
        assert tokens.access_ends_at == session.access_ends_at

    @pytest.mark.conforms("S3")
    def test_each_generation_has_tokens_of_its_own(self, session: DeviceSession) -> None:
        before = tokens_of(session, KEYS)
        after = tokens_of(session.refreshed(key_id="1", now=NOON), KEYS)
        tokens = {
            before.access_token,
            before.refresh_token,
            after.access_token,
            after.refresh_token,
        }
        assert len(tokens) == 4

    def test_a_scanner_for_leaked_secrets_tells_them_apart(self, session: DeviceSession) -> None:
        tokens = tokens_of(session, KEYS)
        assert tokens.access_token.startswith("dsh_access_")
        assert tokens.refresh_token.startswith("dsh_refresh_")

    def test_tokens_do_not_print(self, session: DeviceSession) -> None:
        tokens = tokens_of(session, KEYS)
        assert tokens.access_token not in repr(tokens)
        assert tokens.refresh_token not in repr(tokens)


class TestPresentedToken:
    """Uses fixtures: session."""

    def test_a_token_tells_its_session_and_generation(self, session: DeviceSession) -> None:
        presented = read(tokens_of(session, KEYS).access_token)
        assert presented.session_id == session.id
        assert presented.generation == 7
        assert presented.type is TokenType.ACCESS

    @pytest.mark.parametrize("token_type", TokenType)
    def test_what_was_made_here_is_genuine(
        self, session: DeviceSession, token_type: TokenType
    ) -> None:
        tokens = tokens_of(session, KEYS)
        text = {"access": tokens.access_token, "refresh": tokens.refresh_token}[token_type]
        assert read(text, token_type).is_genuine(session, KEYS) is True

    @pytest.mark.conforms("S26", "S31")
    def test_a_refresh_token_under_the_prefix_of_an_access_token_is_not(
        self, session: DeviceSession
    ) -> None:
        refresh_token = tokens_of(session, KEYS).refresh_token
        disguised = refresh_token.replace("dsh_refresh_", "dsh_access_")
        assert read(disguised).is_genuine(session, KEYS) is False

    def test_a_token_is_not_read_as_one_of_the_other_type(self, session: DeviceSession) -> None:
        assert PresentedToken.read(tokens_of(session, KEYS).access_token, TokenType.REFRESH) is None

    @pytest.mark.conforms("S26")
    @pytest.mark.parametrize(
        "change",
        [{"id": UUID(int=1)}, {"salt": b"t" * 32}, {"key_id": "2"}, {"key_id": "3"}],
        ids=str,
    )
    def test_another_session_does_not_take_it(
        self, session: DeviceSession, change: dict[str, Any]
    ) -> None:
        presented = read(tokens_of(session, KEYS).access_token)
        assert presented.is_genuine(replace(session, **change), KEYS) is False

    @pytest.mark.conforms("S26", "S31")
    @pytest.mark.parametrize("generation", [0, 6, 8])
    def test_a_claim_to_another_generation_is_not_genuine(
        self, session: DeviceSession, generation: int
    ) -> None:
        presented = read(tokens_of(session, KEYS).access_token)
        assert replace(presented, generation=generation).is_genuine(session, KEYS) is False

    def test_its_mac_does_not_print(self, session: DeviceSession) -> None:
        presented = read(tokens_of(session, KEYS).access_token)
        assert "mac" not in repr(presented)


class TestRotatedKeys:
    """Uses fixtures: session."""

    @pytest.mark.conforms("L17")
    def test_the_generation_before_is_checked_under_the_key_it_was_made_with(
        self, session: DeviceSession
    ) -> None:
        presented = read(tokens_of(session, KEYS).access_token)
        rotated = session.refreshed(key_id="2", now=NOON)
        assert presented.is_genuine(rotated, KEYS) is True

    def test_and_under_no_other_so_that_it_has_one_successor(self, session: DeviceSession) -> None:
        other = tokens_of(replace(session, key_id="2"), KEYS).access_token
        rotated = session.refreshed(key_id="2", now=NOON)
        assert read(other).is_genuine(rotated, KEYS) is False

    @pytest.mark.parametrize("key_id", ["1", "2"])
    def test_an_older_generation_is_known_under_any_key(
        self, session: DeviceSession, key_id: str
    ) -> None:
        old = read(tokens_of(replace(session, key_id=key_id), KEYS).access_token)
        later = replace(session, generation=9, key_id="2", previous_key_id="2")
        assert old.is_genuine(later, KEYS) is True

    def test_what_was_made_under_a_key_that_is_gone_is_over(self, session: DeviceSession) -> None:
        presented = read(tokens_of(session, KEYS).access_token)
        assert presented.is_genuine(session, KeyRing("2", {"2": b"l" * 32})) is False

    def test_the_first_generation_has_no_predecessor(self) -> None:
        first = make_session(generation=1)
        forged = replace(read(tokens_of(first, KEYS).access_token), generation=0)
        assert forged.is_genuine(first, KEYS) is False


class TestReading:
    """Uses fixtures: session."""

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "dsh_access_",
            "dsh_access_A",
            "dsh_access_" + "A" * 68,
            "dsh_access_" + "A" * 71,
            "dsh_access_" + "A" * 100_000,
            "dsh_access_" + "é" * 70,
            "dsh_access_" + "\ud800" * 70,
            "dsh_access_" + "!" * 70,
            "dsh_access_" + "=" * 72,
            "dsh_once_" + "A" * 70,
            "A" * 70,
        ],
    )
    def test_what_is_no_token_is_not_read(self, text: str) -> None:
        assert PresentedToken.read(text, TokenType.ACCESS) is None

    @pytest.mark.parametrize(
        "respell",
        [
            lambda text: text + "=",
            lambda text: text + "==",
            lambda text: text + "\n",
            lambda text: " " + text,
            lambda text: text[:30] + "\n" + text[30:],
            lambda text: text[:30] + "!" + text[30:],
            lambda text: text.upper(),
        ],
        ids=["padding", "paddings", "newline", "space", "break", "junk", "upper"],
    )
    def test_a_token_has_one_spelling(self, session: DeviceSession, respell: Any) -> None:
        text = tokens_of(session, KEYS).access_token
        assert PresentedToken.read(respell(text), TokenType.ACCESS) is None

    def test_bits_that_carry_nothing_must_be_zero(self, session: DeviceSession) -> None:
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        text = tokens_of(session, KEYS).access_token
        others = [text[:-1] + last for last in alphabet if last != text[-1]]
        read_at_all = [PresentedToken.read(other, TokenType.ACCESS) for other in others]
        assert not any(
            presented and presented.is_genuine(session, KEYS) for presented in read_at_all
        )

    @pytest.mark.conforms("S25")
    @given(st.binary(min_size=52, max_size=52))
    def test_no_invented_token_is_genuine(self, raw: bytes) -> None:
        text = "dsh_access_" + base64.urlsafe_b64encode(raw).decode().rstrip("=")
        presented = PresentedToken.read(text, TokenType.ACCESS)
        session = make_session(id=UUID(bytes=raw[:16]), generation=int.from_bytes(raw[16:20]))
        assert presented is not None
        assert presented.session_id == session.id
        assert presented.is_genuine(session, KEYS) is False

    @given(st.text())
    def test_no_text_raises(self, text: str) -> None:
        assert PresentedToken.read("dsh_access_" + text, TokenType.ACCESS) is None
