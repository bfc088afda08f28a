"""How often: every rate limit of the house, in one table.

When the store of the counts (Redis or Valkey) is away, each process counts for itself, by the same
limits: N processes then let pass up to N times as much, and never everything. So it is for every
policy below, for reading too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from limits import RateLimitItem, parse_many

Quotas: TypeAlias = tuple[RateLimitItem, ...]


class By(StrEnum):
    """Who shares a count."""

    SOURCE = "source"
    """An IPv4 address; of IPv6 the /64, which is what one customer gets at least."""
    ACCOUNT = "account"
    """The address in the request, whether or not somebody has it."""
    USER = "user"


@dataclass(frozen=True)
class Policy:
    name: str
    by: By
    quotas: Quotas


def read_quotas(text: str) -> Quotas:
    """`10/minute;100/hour`, the shortest window first. Raises ValueError."""
    quotas = tuple(sorted(parse_many(text), key=lambda quota: quota.get_expiry()))
    if any(quota.amount < 1 for quota in quotas):
        raise ValueError("a limit lets at least one request pass")
    if len({quota.get_expiry() for quota in quotas}) < len(quotas):
        raise ValueError("two limits over the same time")
    return quotas


def read_overrides(text: str) -> Mapping[str, Quotas]:
    """`sign_in=10/minute;100/hour,refresh=60/minute`. Raises ValueError, or KeyError for a name
    that no policy has."""
    pairs = [entry.partition("=") for entry in text.split(",") if entry.strip()]
    overrides = {POLICIES[name.strip()].name: read_quotas(quotas) for name, _, quotas in pairs}
    if len(overrides) < len(pairs):
        raise ValueError("a policy is there twice")
    return overrides


def _policy(name: str, by: By, quotas: str) -> tuple[str, Policy]:
    return name, Policy(name, by, read_quotas(quotas))


POLICIES: Final = dict(
    (
        _policy("sign_in", By.SOURCE, "10/minute;100/hour"),
        _policy("sign_in_account", By.ACCOUNT, "30/hour"),
        _policy("register", By.SOURCE, "5/minute;20/hour"),
        # Each of these may send a mail.
        _policy("link", By.SOURCE, "10/minute"),
        # Each of these spends one.
        _policy("one_use_token", By.SOURCE, "10/minute"),
        _policy("refresh", By.SOURCE, "60/minute"),
        # A stolen session must not become a place to guess passwords at.
        _policy("reauthenticate", By.USER, "10/minute"),
        _policy("audit_export", By.USER, "6/minute"),
        # Where a view names no policy: with a user, and without.
        _policy("api", By.USER, "600/minute"),
        _policy("public", By.SOURCE, "120/minute"),
    )
)
