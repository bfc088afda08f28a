import pytest

from core import unit_of_work
from core.protection import protect, protected
from sessions_app.models import DeviceSession
from users.models import OneUseToken, SignInGuard, User


class TestProtected:
    @pytest.mark.parametrize(
        "column", ["email", "password", "role", "is_active", "is_verified", "token_version", "id"]
    )
    def test_what_makes_an_account_is(self, column: str) -> None:
        assert column in protected[User._meta.db_table]

    @pytest.mark.parametrize(
        "column", ["user_id", "salt", "generation", "revoked_at", "key_id", "version"]
    )
    def test_what_makes_a_session_is(self, column: str) -> None:
        assert column in protected[DeviceSession._meta.db_table]

    @pytest.mark.parametrize("column", ["spent_at", "expires_at", "salt", "purpose", "user_id"])
    def test_what_makes_a_one_use_token_is(self, column: str) -> None:
        assert column in protected[OneUseToken._meta.db_table]

    @pytest.mark.parametrize("column", ["last_seen_at", "first_used_at"])
    def test_what_only_keeps_count_is_not(self, column: str) -> None:
        assert column not in protected[DeviceSession._meta.db_table]

    def test_the_failures_of_an_address_are_not(self) -> None:
        assert SignInGuard._meta.db_table not in protected

    def test_an_app_says_which_columns_only_keep_count(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delitem(protected, SignInGuard._meta.db_table, raising=False)
        protect(SignInGuard, except_for=("updated_at",))
        try:
            assert protected[SignInGuard._meta.db_table] == (
                "key",
                "user_id",
                "failures",
                "locked_until",
            )
        finally:
            del protected[SignInGuard._meta.db_table]


def test_nothing_is_writing_outside_a_unit_of_work() -> None:
    assert unit_of_work.is_writing() is False
