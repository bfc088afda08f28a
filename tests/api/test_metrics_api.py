"""What Prometheus is told, and who else is not."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import DjangoAssertNumQueries
from structlog.testing import capture_logs

from audit.adapters.keys import KeyFolder
from audit.domain.checkpoint import SigningKey
from core import container
from core.errors import CacheError, ErrorCode
from core.result import Failure
from mail.models import OutgoingMail
from tests.factories import NOON, PASSWORD, UserFactory
from tests.fakes.clock import FakeClock
from tests.plugin.faults import Faults
from tests.plugin.fixtures import JsonClient
from tests.sealing import SLOW, empty_the_trail, forget_the_seals, make_sealer, seal

TOKEN = "prometheus-alone-knows-this-token"
STORED = {
    "dashtam_accounts",
    "dashtam_sessions_live",
    "dashtam_mails_waiting",
    "dashtam_mails_oldest_seconds",
    "dashtam_mails_given_up",
    "dashtam_events_sealed_total",
    "dashtam_events_unsealed",
    "dashtam_events_unsealed_oldest_seconds",
}


class DeadCache:
    def ping(self) -> Any:
        return Failure(CacheError(ErrorCode.CACHE_ERROR, "refused"))


@pytest.fixture
def told(db: None, override: Callable[..., Any]) -> Callable[[], dict[str, float]]:
    """By name, and by service where there are several of it."""
    override(get_settings=replace(container.get_settings(), metrics_token=TOKEN))

    def scrape() -> dict[str, float]:
        answer = JsonClient().get("/metrics", HTTP_AUTHORIZATION=f"Bearer {TOKEN}")
        assert answer.status_code == 200
        families = text_string_to_metric_families(answer.content.decode())
        samples = [sample for family in families for sample in family.samples]
        return {each.labels.get("service", each.name): each.value for each in samples}

    return scrape


class TestAccess:
    """Uses fixtures: client, told."""

    @pytest.mark.conforms("L18")
    def test_where_no_token_is_set_there_is_nothing(self, client: JsonClient) -> None:
        answers = [client.get(path, HTTP_AUTHORIZATION="Bearer ") for path in ("/metrics", "/none")]
        assert [answer.status_code for answer in answers] == [404, 404]

    @pytest.mark.conforms("L18")
    @pytest.mark.parametrize(
        "sent", ["", "Bearer", "Bearer other", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}é"]
    )
    def test_nobody_else_reads(
        self, client: JsonClient, told: Callable[..., Any], sent: str
    ) -> None:
        refused = client.get("/metrics", HTTP_AUTHORIZATION=sent)
        assert (refused.status_code, refused.content) == (401, b"")
        assert refused["WWW-Authenticate"] == 'Bearer realm="dashtam"'

    def test_an_admin_is_nobody_here(self, client: JsonClient, told: Callable[..., Any]) -> None:
        UserFactory.create(email="admin@example.com", role="admin")
        assert client.as_user("admin@example.com", PASSWORD).get("/metrics").status_code == 401

    def test_it_is_text_of_the_asked_version_that_no_cache_keeps(
        self, client: JsonClient, told: Callable[..., Any]
    ) -> None:
        answer = client.get("/metrics", HTTP_AUTHORIZATION=f"bearer {TOKEN}")
        assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert answer["Cache-Control"] == "no-store"
        assert b'dashtam_build_info{django="' in answer.content

    def test_it_is_only_read(self, client: JsonClient, told: Callable[..., Any]) -> None:
        assert client.post("/metrics", HTTP_AUTHORIZATION=f"Bearer {TOKEN}").status_code == 405


class TestNumbers:
    """Uses fixtures: client, django_assert_num_queries, frozen, told."""

    def test_people_and_their_sessions(
        self, client: JsonClient, told: Callable[[], dict[str, float]], frozen: FakeClock
    ) -> None:
        UserFactory.create(email="gone@example.com", is_active=False)
        UserFactory.create(email="person@example.com", created_at=NOON)
        before = told()["dashtam_sessions_live"]
        client.as_user("person@example.com", PASSWORD)
        assert (told()["dashtam_accounts"], told()["dashtam_sessions_live"]) == (2, before + 1)
        frozen.advance(timedelta(days=15))
        assert told()["dashtam_sessions_live"] == before

    def test_mail_that_waits(self, told: Callable[[], dict[str, float]], frozen: FakeClock) -> None:
        said = {"kind": "users.verification", "created_at": NOON, "due_at": NOON}
        OutgoingMail.objects.create(**said)
        OutgoingMail.objects.create(**said, given_up_at=NOON)
        frozen.advance(timedelta(minutes=5))
        found = told()
        names = ("mails_waiting", "mails_oldest_seconds", "mails_given_up")
        assert [found[f"dashtam_{name}"] for name in names] == [1, 300, 1]

    def test_the_trail_before_its_first_seal(self, told: Callable[[], dict[str, float]]) -> None:
        UserFactory.create()
        before = told()
        assert before["dashtam_events_unsealed"] == 1
        assert before["dashtam_events_sealed_total"] == 0
        assert "dashtam_seal_age_seconds" not in before
        assert before["dashtam_events_unsealed_oldest_seconds"] < 60

    def test_the_cost_does_not_grow(
        self,
        told: Callable[[], dict[str, float]],
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        UserFactory.create_batch(3)
        with django_assert_num_queries(8):
            assert told().keys() >= STORED


@pytest.mark.slow(reason=SLOW)
class TestSeal:
    """Uses fixtures: keeper, told."""

    @pytest.fixture
    def keeper(self, transactional_db: None, tmp_path: Path) -> Iterator[KeyFolder]:
        empty_the_trail()
        folder = KeyFolder(tmp_path)
        folder.add(SigningKey.generate("dashtam.test/audit"))
        yield folder
        forget_the_seals()

    def test_what_is_sealed_is_counted_and_waits_no_more(
        self, keeper: KeyFolder, told: Callable[[], dict[str, float]]
    ) -> None:
        UserFactory.create()
        assert (told()["dashtam_events_unsealed"], told()["dashtam_events_sealed_total"]) == (1, 0)
        seal(make_sealer(keeper))
        found = told()
        assert (found["dashtam_events_unsealed"], found["dashtam_events_sealed_total"]) == (0, 1)
        assert 0 <= found["dashtam_seal_age_seconds"] < 60


class TestWhatIsAway:
    """Uses fixtures: faults, override, told, transactional_db."""

    def test_the_cache(
        self, told: Callable[[], dict[str, float]], override: Callable[..., Any]
    ) -> None:
        assert (told()["database"], told()["cache"]) == (1, 1)
        override(get_cache=DeadCache())
        found = told()
        assert (found["database"], found["cache"]) == (1, 0)
        assert found.keys() >= STORED

    def test_the_database(
        self, transactional_db: None, told: Callable[[], dict[str, float]], faults: Faults
    ) -> None:
        faults.database_at(faults.nobody())
        found = told()
        assert (found["database"], found["cache"]) == (0, 1)
        assert found.keys() & STORED == set()
        faults.over()
        assert told().keys() >= STORED

    def test_one_table_leaves_none_of_the_numbers_standing(
        self, transactional_db: None, told: Callable[[], dict[str, float]], faults: Faults
    ) -> None:
        faults.blocked_table("users_user")
        with capture_logs() as logs:
            found = told()
        assert found["database"] == 1
        assert found.keys() & STORED == set()
        assert [line["event"] for line in logs] == ["metrics_not_read"]
