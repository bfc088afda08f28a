import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from freezegun import freeze_time

from core.clock import SystemClock
from core.ids import uuid7
from core.keys import KeyRing, UnknownKeyError
from tests.factories import NOON
from users.domain.tokens import (
    LIFETIMES,
    OneUseToken,
    Purpose,
    calculate_expiration,
    read_token_id,
)

KEYS = KeyRing("new", {"new": b"n" * 32, "old": b"o" * 32})
LATER = timedelta(microseconds=1)
TOMORROW = NOON + timedelta(hours=24)
GOLDEN = "dsh_once_AYzCUfQAcACAAAAAAAAAAWFaKRVrka0seX_NNA2qGODxeRPLMM9FzIsj70nGW5M1"


def issue(purpose: Purpose = Purpose.EMAIL_VERIFICATION, salt: bytes = b"s" * 32) -> OneUseToken:
    return OneUseToken.issue(purpose, uuid7(), key_id="new", salt=salt, now=NOON)


@pytest.fixture
def token() -> OneUseToken:
    return issue()


class TestExpiration:
    """Uses fixtures: token."""

    @freeze_time("2024-01-01 12:00:00")
    def test_token_expiration(self) -> None:
        expires_at = calculate_expiration(Purpose.EMAIL_VERIFICATION, SystemClock().now())
        expected = datetime(2024, 1, 2, 12, 0, 0, tzinfo=UTC)
        assert expires_at == expected

    @pytest.mark.parametrize(
        ("purpose", "hours"),
        [
            (Purpose.EMAIL_VERIFICATION, 24),
            (Purpose.FIRST_ADMIN, 24),
            (Purpose.PASSWORD_RESET, 1),
            (Purpose.EMAIL_CHANGE, 24),
            (Purpose.INVITATION, 72),
            (Purpose.UNLOCK, 24),
        ],
    )
    def test_a_token_lives_as_long_as_its_purpose_needs(self, purpose: Purpose, hours: int) -> None:
        assert issue(purpose).expires_at == NOON + timedelta(hours=hours)

    def test_it_is_for_no_other_address_unless_it_says_so(self) -> None:
        issued = issue()
        bare = OneUseToken(
            id=issued.id,
            purpose=issued.purpose,
            user_id=None,
            key_id="new",
            salt=issued.salt,
            expires_at=issued.expires_at,
        )
        assert [issued.email, bare.email] == [None, None]

    def test_every_purpose_has_a_lifetime(self) -> None:
        assert set(LIFETIMES) == set(Purpose)

    def test_the_address_in_a_token_is_forgotten_with_its_use(self) -> None:
        token = replace(issue(Purpose.EMAIL_CHANGE), email="new@example.com")
        assert token.spent(NOON).email is None

    @pytest.mark.parametrize(
        ("now", "spendable"),
        [(TOMORROW - LATER, True), (TOMORROW, False)],
    )
    def test_it_is_spendable_until_it_expires(
        self, token: OneUseToken, now: datetime, spendable: bool
    ) -> None:
        assert token.is_spendable(now) is spendable

    def test_it_is_spendable_once(self, token: OneUseToken) -> None:
        spent = token.spent(NOON)
        assert spent.is_spendable(NOON) is False
        assert spent.spent_at == NOON

    def test_spending_changes_nothing_else(self, token: OneUseToken) -> None:
        assert replace(token.spent(NOON), spent_at=None) == token


class TestText:
    """Uses fixtures: token."""

    def test_a_token_is_the_same_text_each_time(self, token: OneUseToken) -> None:
        assert token.text(KEYS) == token.text(KEYS)

    def test_a_token_knows_its_text(self, token: OneUseToken) -> None:
        assert token.is_genuine(token.text(KEYS), KEYS) is True

    def test_what_was_mailed_before_an_update_still_works(self) -> None:
        token = replace(issue(), id=UUID("018cc251-f400-7000-8000-000000000001"), key_id="new")
        assert token.text(KEYS) == GOLDEN

    def test_a_scanner_for_leaked_secrets_finds_it(self, token: OneUseToken) -> None:
        assert token.text(KEYS).startswith("dsh_once_")

    def test_its_text_fits_a_link_without_escaping(self, token: OneUseToken) -> None:
        assert token.text(KEYS).replace("-", "").replace("_", "").isalnum()

    def test_its_text_names_its_row(self, token: OneUseToken) -> None:
        assert read_token_id(token.text(KEYS)) == token.id

    @pytest.mark.parametrize(
        "change",
        [
            {"id": UUID(int=1)},
            {"purpose": Purpose.FIRST_ADMIN},
            {"salt": b"t" * 32},
            {"key_id": "old"},
        ],
        ids=str,
    )
    def test_its_text_depends_on_all_that_makes_it(
        self, token: OneUseToken, change: dict[str, object]
    ) -> None:
        other = replace(token, **change)  # type: ignore[arg-type]
        assert other.is_genuine(token.text(KEYS), KEYS) is False

    def test_its_text_depends_on_the_key(self, token: OneUseToken) -> None:
        thiefs = KeyRing("new", {"new": b"x" * 32})
        assert token.is_genuine(token.text(thiefs), KEYS) is False

    def test_it_stays_genuine_after_the_keys_were_rotated(self, token: OneUseToken) -> None:
        rotated = KeyRing("next", {"next": b"x" * 32, **KEYS.keys})
        assert token.is_genuine(token.text(KEYS), rotated) is True

    def test_a_key_that_is_gone_is_named_and_not_guessed(self, token: OneUseToken) -> None:
        with pytest.raises(UnknownKeyError, match="new"):
            token.text(KeyRing("old", {"old": b"o" * 32}))

    def test_any_changed_character_makes_it_another_text(self, token: OneUseToken) -> None:
        text = token.text(KEYS)
        changed = {
            text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
            for at in range(len(text))
        }
        assert not any(token.is_genuine(one, KEYS) for one in changed)

    def test_neither_salt_nor_mac_prints(self, token: OneUseToken) -> None:
        assert "ssss" not in repr(token)
        assert token.text(KEYS) not in repr(token)


class TestReading:
    """Uses fixtures: token."""

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "dsh_once_",
            "dsh_once_A",
            "dsh_once_AAAA",
            "dsh_once_" + "A" * 63,
            "dsh_once_" + "A" * 65,
            "dsh_once_" + "A" * 68,
            "dsh_once_" + "=" * 64,
            "dsh_once_" + "é" * 64,
            "dsh_once_" + "\ud800" * 64,
            "dsh_access_" + "A" * 64,
            "A" * 64,
            "dsh_once_" + "A" * 100_000,
        ],
    )
    def test_what_is_no_token_names_no_row(self, text: str) -> None:
        assert read_token_id(text) is None

    def test_a_second_spelling_names_no_row(self, token: OneUseToken) -> None:
        text = token.text(KEYS)
        spelled = text[:20] + "\n" + text[20:]
        assert read_token_id(spelled) is None
        assert token.is_genuine(spelled, KEYS) is False

    def test_an_invented_mac_is_not_genuine(self, token: OneUseToken) -> None:
        invented = base64.urlsafe_b64encode(token.id.bytes + bytes(32)).decode()
        assert token.is_genuine(f"dsh_once_{invented}", KEYS) is False


class TestIssuing:
    def test_two_tokens_have_two_ids(self) -> None:
        assert issue().id != issue().id

    def test_a_link_for_the_first_admin_belongs_to_nobody(self) -> None:
        token = OneUseToken.issue(Purpose.FIRST_ADMIN, None, key_id="new", salt=b"s" * 32, now=NOON)
        assert token.user_id is None
        assert token.is_genuine(token.text(KEYS), KEYS) is True
