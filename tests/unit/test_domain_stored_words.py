"""Words that stand in the database, on the trail and in answers: none ever changes its spelling."""

from enum import StrEnum

import pytest

from sessions_app.domain.familiarity import Mark
from sessions_app.domain.personal_token import Scope
from sessions_app.domain.session import SessionKind
from users.domain.claim import Known
from users.domain.notices import Notice
from users.domain.roles import Role, SessionTier
from users.domain.tokens import Purpose


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (Known, "device session link"),
        (Mark, "new_device new_network after_failures"),
        (
            Notice,
            "password_changed email_change_requested email_taken email_changed account_deleted",
        ),
        (
            Purpose,
            "email_verification first_admin password_reset email_change invitation unlock",
        ),
        (Role, "user auditor admin"),
        (Scope, "read write introspect"),
        (SessionKind, "api browser"),
        (SessionTier, "basic essential plus premium pro"),
    ],
)
def test_a_word_is_spelt_as_it_always_was(words: type[StrEnum], expected: str) -> None:
    assert " ".join(words) == expected
    assert [word.name.lower() for word in words] == list(words)
