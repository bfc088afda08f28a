import pytest

from core.quotas import POLICIES, By, read_overrides, read_quotas


class TestQuotas:
    def test_the_shortest_window_comes_first(self):
        found = [(quota.amount, quota.get_expiry()) for quota in read_quotas("100/hour;10/minute")]
        assert found == [(10, 60), (100, 3600)]

    def test_a_window_may_be_a_multiple(self):
        assert read_quotas("10 per 5 minute")[0].get_expiry() == 300

    @pytest.mark.parametrize(
        "text",
        ["", "10", "ten/minute", "10/fortnight", "0/minute", "10/minute;20/minute", "-1/hour"],
    )
    def test_what_is_no_limit_is_refused(self, text: str):
        with pytest.raises(ValueError):  # noqa: PT011  the caller names the variable
            read_quotas(text)


class TestOverrides:
    def test_each_policy_has_its_own(self):
        found = read_overrides("sign_in=1/second;2/hour, api=5/day,")
        assert found == {"sign_in": read_quotas("1/second;2/hour"), "api": read_quotas("5/day")}

    @pytest.mark.parametrize(
        "text", ["no_such_policy=1/minute", "api", "api=", "api=1/minute,api=2/minute", "=1/minute"]
    )
    def test_what_says_nothing_is_refused(self, text: str):
        with pytest.raises((ValueError, KeyError)):
            read_overrides(text)


class TestPolicies:
    """The table."""

    @pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
    def test_a_policy_has_a_limit_and_the_name_that_it_is_found_by(self, policy):
        assert policy.quotas
        assert POLICIES[policy.name] is policy

    @pytest.mark.parametrize("name", ["sign_in", "register", "link", "one_use_token", "refresh"])
    def test_what_needs_no_token_is_counted_by_source(self, name: str):
        assert POLICIES[name].by is By.SOURCE
