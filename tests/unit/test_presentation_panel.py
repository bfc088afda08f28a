"""What the panel's pages are made of."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import RequestFactory

from core.ids import uuid7
from core.panel.dashboard import dashboard_of
from core.panel.parts import Chart, Figure, Parts, Ranking, Section, span_of

NOW = datetime(2024, 1, 31, 17, 20, 5, tzinfo=UTC)


class TestSpans:
    @pytest.mark.parametrize(
        ("asked", "since", "until", "steps", "first"),
        [
            ("24h", "2024-01-30 18:00", "2024-01-31 18:00", 24, "18:00"),
            ("7d", "2024-01-24 18:00", "2024-01-31 18:00", 28, "18:00"),
            ("30d", "2024-01-02 00:00", "2024-02-01 00:00", 30, "02 Jan"),
        ],
    )
    def test_it_ends_with_the_hour_or_day_that_is_not_over(
        self, asked: str, since: str, until: str, steps: int, first: str
    ) -> None:
        span = span_of(asked, NOW)
        assert [f"{one:%Y-%m-%d %H:%M}" for one in (span.since, span.until)] == [since, until]
        assert (len(span.bounds), len(span.labels), span.labels[0]) == (steps + 1, steps, first)

    def test_at_the_full_hour_a_new_step_has_begun(self) -> None:
        noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
        assert span_of("24h", noon).until == noon + timedelta(hours=1)

    @pytest.mark.parametrize("asked", [None, "", "1y"])
    def test_what_is_no_span_is_a_day(self, asked: str | None) -> None:
        assert (span_of(asked, NOW).name, span_of(asked, NOW).text) == ("24h", "24 hours")


class TestDashboard:
    def test_cards_of_a_kind_stand_together(self) -> None:
        figure = Figure(label="Accounts", value="3", link="/accounts")
        ranking = Ranking(title="Sources", rows=[], empty="None.")
        chart = Chart(title="Sign-ins", labels=["1"], series={"failed": [2]}, link="/trail")
        page = dashboard_of([ranking, chart, figure], span_of("7d", NOW))
        assert (page["figures"], page["rankings"]) == ([figure], [ranking])
        assert [chosen for _, _, chosen in page["spans"]] == [False, True, False]

    def test_a_chart_is_data_for_the_picture_and_sums_for_who_sees_none(self) -> None:
        series = {"succeeded": [1, 2], "failed": [0, 0]}
        chart = Chart(title="Sign-ins", labels=["a", "b"], series=series, link="/trail")
        (drawn,) = dashboard_of([chart], span_of("24h", NOW))["charts"]
        data = json.loads(drawn["data"])
        assert (data["labels"], [one["data"] for one in data["datasets"]]) == (
            ["a", "b"],
            [[1, 2], [0, 0]],
        )
        assert drawn["totals"] == [("succeeded", 3), ("failed", 0)]
        assert drawn["is_empty"] is False

    def test_a_chart_of_nothing_says_so(self) -> None:
        chart = Chart(title="Sign-ins", labels=["a"], series={"failed": [0]}, link="/trail")
        (drawn,) = dashboard_of([chart], span_of("24h", NOW))["charts"]
        assert drawn["is_empty"] is True


class TestSections:
    def test_each_context_shows_its_own_or_nothing(self) -> None:
        parts, request, thing = Parts(), RequestFactory().get("/admin/"), uuid7()
        section = Section("Sessions", "x.html", {"of": thing})
        parts.sections["user"] += [lambda request, thing: section, lambda request, thing: None]
        assert parts.sections_of("user", request, thing) == [section]
        assert parts.sections_of("session", request, thing) == []
