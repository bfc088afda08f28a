"""The first page of the panel, from what the contexts contribute."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from core.panel.parts import SPANS, Card, Chart, Figure, Ranking, Span

_COLOURS: Final = ("var(--color-primary-600)", "#f87171")


def dashboard_of(cards: Iterable[Card], span: Span) -> dict[str, Any]:
    shown = list(cards)
    return {
        "spans": [(name, label, name == span.name) for name, (label, _, _) in SPANS.items()],
        "figures": [card for card in shown if isinstance(card, Figure)],
        "charts": [_drawn(card) for card in shown if isinstance(card, Chart)],
        "rankings": [card for card in shown if isinstance(card, Ranking)],
    }


def _drawn(chart: Chart) -> Mapping[str, Any]:
    """For Chart.js; the table beneath it is for who sees no pictures."""
    datasets = [
        {
            "label": name,
            "data": list(counts),
            "backgroundColor": _COLOURS[place % len(_COLOURS)],
            "grouped": True,
            "maxTicksXLimit": 8,
            "displayYAxis": True,
        }
        for place, (name, counts) in enumerate(chart.series.items())
    ]
    totals = [(name, sum(counts)) for name, counts in chart.series.items()]
    return {
        "title": chart.title,
        "link": chart.link,
        "data": json.dumps({"labels": list(chart.labels), "datasets": datasets}),
        "totals": totals,
        "is_empty": not any(total for _, total in totals),
    }
