"""The limits of `core.quotas` at the doors: before an attempt is recorded, and before its cost."""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeAlias
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from limits import RateLimitItem, RateLimitItemPerSecond

from core import container, context
from core.database import InUnitOfWork
from core.errors import DomainError, ErrorCode, RateLimitedError
from core.events import RequestsThrottled
from core.forwarding import source_of
from core.limiter import Standing
from core.ports import EventBusProtocol
from core.quotas import POLICIES, By, Policy, Quotas
from core.result import Result, Success
from core.validation import validate_email

ThrottlePolicies: TypeAlias = Mapping[str, Sequence[str]]
"""For `throttle_policies` of a view: by method, the names of its policies in the order in which
they are asked. The methods that are not there have that of every view."""
KnownDevice: TypeAlias = Callable[[Any, object], UUID | None]
"""For `throttle_device` of a view: which device of the account at an address sends a request."""


def unknown(request: object, address: object) -> None:
    return None


@dataclass(frozen=True)
class Client:
    """Who asks, as far as it is known. `account` is the address in the request. `device` is one
    that is known: it counts for itself, or strangers could use up what an account may ask."""

    account: Callable[[], object]
    device: Callable[[], UUID | None] = lambda: None
    user_id: UUID | None = None

    def key(self, by: By) -> str | None:
        """None where there is nothing to count by: such a request is refused for what it lacks."""
        if by is By.SOURCE:
            return source_of(context.current().ip_address)
        if by is By.USER:
            return str(self.user_id) if self.user_id else None
        return _hidden(self.account(), self.device())


@dataclass(frozen=True)
class Verdict:
    """What a client may know: nobody is told how often an account is asked for."""

    passed: bool
    wait: int
    """Seconds; 0 when it passed."""
    headers: Mapping[str, str]

    @property
    def error(self) -> RateLimitedError:
        return RateLimitedError(
            ErrorCode.RATE_LIMITED,
            f"That was too often. Try again in {self.wait} seconds.",
            retry_after=self.wait,
        )


View = Callable[..., HttpResponseBase]


def throttled(
    *names: str, account: str = "email", device: KnownDevice = unknown, method: str = "POST"
) -> Callable[[View], View]:
    """For a page: what is counted is its form, or what `method` says. `account` is the field with
    the address."""
    by_user = any(POLICIES[name].by is By.USER for name in names)

    def limit(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method != method:
                return view(request, *args, **kwargs)
            address = request.POST.get(account)
            user_id = request.user.pk if by_user else None
            client = Client(lambda: address, lambda: device(request, address), user_id)
            verdict = judge(names, client)
            response = view(request, *args, **kwargs) if verdict.passed else _page(request, verdict)
            for name, value in verdict.headers.items():
                response.headers[name] = value
            return response

        return answer

    return limit


def judge(names: Iterable[str], client: Client) -> Verdict:
    """Counts the request under each policy, up to the first that refuses it."""
    asked = [(POLICIES[name], _quotas(POLICIES[name])) for name in names]
    standings: list[tuple[Policy, Standing]] = []
    for policy, quotas in asked:
        for quota in quotas:
            standing = _hit(policy, quota, client)
            if standing is None:
                break
            standings.append((policy, standing))
            if not standing.passed:
                return Verdict(False, standing.resets_in, _headers(asked, standings))
    return Verdict(True, 0, _headers(asked, standings))


def _quotas(policy: Policy) -> Quotas:
    return container.get_settings().rate_limits.get(policy.name, policy.quotas)


def _hit(policy: Policy, quota: RateLimitItem, client: Client) -> Standing | None:
    key = client.key(policy.by)
    if key is None:
        return None
    standing = container.get_limiter().hit(quota, policy.name, key)
    if not standing.passed:
        _record_once(policy, quota, key, client)
    return standing


def _record_once(policy: Policy, quota: RateLimitItem, key: str, client: Client) -> None:
    """One event for all that are refused within one window: an attack must not fill the trail."""
    once = RateLimitItemPerSecond(1, quota.get_expiry())
    if not container.get_limiter().hit(once, "refused", policy.name, key).passed:
        return
    event = RequestsThrottled(
        user_id=client.user_id,
        policy=policy.name,
        by=policy.by.value,
        amount=quota.amount,
        seconds=quota.get_expiry(),
    )
    # When it cannot be recorded that is in the log, and the request is refused all the same.
    recorder = RecordThrottling(container.get_event_bus())
    InUnitOfWork(recorder, container.get_database()).handle(event)


@dataclass(frozen=True)
class RecordThrottling:
    event_bus: EventBusProtocol

    def handle(self, event: RequestsThrottled) -> Result[None, DomainError]:
        self.event_bus.publish(event)
        return Success(None)


def _headers(
    asked: Iterable[tuple[Policy, Quotas]], standings: Iterable[tuple[Policy, Standing]]
) -> dict[str, str]:
    """draft-ietf-httpapi-ratelimit-headers-10 §3 and §4: Structured Fields, lists of strings with
    parameters. Without partition keys, and without what strangers do to an account."""
    policies = [
        f"{_name(policy, quota)};q={quota.amount};w={quota.get_expiry()}"
        for policy, quotas in asked
        for quota in quotas
        if policy.by is not By.ACCOUNT
    ]
    limits = [
        f"{_name(policy, standing.quota)};r={standing.remaining};t={standing.resets_in}"
        for policy, standing in standings
        if policy.by is not By.ACCOUNT
    ]
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(limits)}


def _name(policy: Policy, quota: RateLimitItem) -> str:
    return f'"{policy.name}-{quota.get_expiry()}s"'


def _hidden(address: object, device: UUID | None) -> str | None:
    checked = validate_email(address) if isinstance(address, str) else None
    if not isinstance(checked, Success):
        return None
    guard_key = container.get_settings().guard_key
    counted = f"throttle|{checked.value}|{device or ''}"
    return hmac.digest(guard_key, counted.encode(), hashlib.sha256)[:16].hex()


def _page(request: HttpRequest, verdict: Verdict) -> HttpResponse:
    from core.problems import STATUS  # with all of REST framework, which no command needs

    response = render(
        request, "429.html", {"wait": verdict.wait}, status=STATUS[ErrorCode.RATE_LIMITED]
    )
    response.headers["Retry-After"] = str(verdict.wait)
    response.headers["Cache-Control"] = "no-store"
    return response
