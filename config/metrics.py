"""For Prometheus: what the services and the database say at the time of the question, so that each
process gives the same answer, and none has to remember anything."""

import platform
from collections.abc import Iterable, Iterator
from typing import Final

import django
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from audit.queries import lag
from core import container, health
from core.clock import SystemClock
from mail.queries import queue
from sessions_app.queries import count_live
from users.queries import count_accounts

_DATABASE: Final = "default"
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="dashtam"'}


def metrics(request: HttpRequest) -> HttpResponse:
    """Where no token is set there is nothing at this address."""
    token = container.get_settings().metrics_token
    if token is None:
        raise Http404
    if not constant_time_compare(_bearer_of(request), token):
        return HttpResponse(status=401, headers=_CHALLENGE)
    return HttpResponse(
        generate_latest(_House()),
        content_type=CONTENT_TYPE_PLAIN_0_0_4,
        headers={"Cache-Control": "no-store"},
    )


def _bearer_of(request: HttpRequest) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


class _House(Collector):
    def collect(self) -> Iterable[Metric]:
        services = health.services()
        yield _build()
        yield _up(services)
        if services["database"]:
            yield from _stored()


def _build() -> Metric:
    versions = {"python": platform.python_version(), "django": django.get_version()}
    return InfoMetricFamily("dashtam_build", "What answers.", value=versions)


def _up(services: dict[str, bool]) -> Metric:
    up = GaugeMetricFamily("dashtam_up", "1 where the service answers.", labels=["service"])
    for name, answers in services.items():
        up.add_metric([name], float(answers))
    return up


def _stored() -> Iterable[Metric]:
    """All or none: whoever sees one of them knows that the database could be read."""
    try:
        return [*_people(), *_mails(), *_trail()]
    except Error as error:
        container.get_logger().error("metrics_not_read", error=type(error).__name__)
        return []


def _people() -> Iterator[Metric]:
    live = count_live(SystemClock().now())
    yield _gauge("dashtam_accounts", "Accounts, deactivated ones too.", count_accounts())
    yield _gauge("dashtam_sessions_live", "Device sessions that still open something.", live)


def _mails() -> Iterator[Metric]:
    mails = queue(SystemClock().now())
    yield _gauge("dashtam_mails_waiting", "Mails that are still to leave.", mails.waiting)
    yield _gauge(
        "dashtam_mails_oldest_seconds", "How long the oldest of them has waited.", mails.longest
    )
    yield _gauge("dashtam_mails_given_up", "Mails that nobody tries to send.", mails.given_up)


def _trail() -> Iterator[Metric]:
    waiting, ago = lag.waiting(_DATABASE), lag.sealed_ago(_DATABASE)
    sealed = lag.sealed(_DATABASE)
    yield CounterMetricFamily("dashtam_events_sealed", "Events of the sealed trail.", value=sealed)
    at_most = f"Events that wait for their seal, {lag.COUNTED} at most."
    yield _gauge("dashtam_events_unsealed", at_most, waiting.events)
    yield _gauge(
        "dashtam_events_unsealed_oldest_seconds",
        "How long the oldest of them has waited.",
        waiting.longest,
    )
    if ago is not None:
        yield _gauge("dashtam_seal_age_seconds", "Since the last checkpoint was signed.", ago)


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(name, told, value=value)
