import pytest

from users.domain.roles import Role, SessionTier


class TestSessionTier:
    @pytest.mark.parametrize(
        ("tier", "limit"), [("basic", 2), ("essential", 3), ("plus", 5), ("premium", 10)]
    )
    def test_a_tier_bounds_its_sessions(self, tier: str, limit: int) -> None:
        assert SessionTier(tier).max_sessions == limit

    def test_pro_has_no_bound(self) -> None:
        assert SessionTier.PRO.max_sessions is None

    @pytest.mark.parametrize("tier", SessionTier)
    def test_no_tier_is_without_an_answer(self, tier: SessionTier) -> None:
        assert tier.max_sessions is None or tier.max_sessions > 0


class TestRole:
    def test_the_stored_values_do_not_change(self) -> None:
        assert [role.value for role in Role] == ["user", "auditor", "admin"]

    def test_a_role_that_is_not_there_is_refused(self) -> None:
        with pytest.raises(ValueError, match="owner"):
            Role("owner")
