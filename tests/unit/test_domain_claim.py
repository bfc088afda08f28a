from uuid import UUID

import pytest

from tests.factories import make_user
from users.domain.claim import Claim, Known, KnownBy, Verified

ID = UUID(int=7)


@pytest.mark.parametrize("kind", Known)
def test_who_is_known_is_counted_under_the_kind_and_the_id(kind: Known) -> None:
    assert str(KnownBy(kind, ID)) == f"{kind.name.lower()}:00000000-0000-0000-0000-000000000007"


def test_a_claimant_is_a_stranger_unless_something_tells() -> None:
    claim = Claim(email="ada@example.com", password="correct horse")
    assert (claim.device_token, claim.known_by) == (None, None)


class TestVerified:
    USER = make_user()

    def test_without_more_nothing_went_before(self) -> None:
        verified = Verified(self.USER)
        assert (verified.known_by, verified.password, verified.failures) == (None, "", 0)

    def test_two_are_the_same_whatever_they_typed_before(self) -> None:
        assert Verified(self.USER, password="one", failures=1) == Verified(
            self.USER, password="other", failures=2
        )

    def test_who_is_known_is_another_than_who_is_not(self) -> None:
        assert Verified(self.USER) != Verified(self.USER, KnownBy(Known.LINK, ID))
