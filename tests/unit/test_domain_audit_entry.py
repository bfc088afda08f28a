import json
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.domain.entry import Entry, attempt_id, outcome_id, sole_id
from core.actions import AuditAction, Phase

ENTRY = Entry(
    id=UUID(int=4),
    at=datetime(2024, 1, 1, 12, 0, 0, 250, tzinfo=UTC),
    action=AuditAction.USER_LOGIN,
    phase=Phase.FAILED,
    attempt=UUID(int=4),
    actor=None,
    subject=UUID(int=7),
    resource_type="session",
    resource_id=None,
    correlation=UUID(int=9),
    context={"reason": "wrong_password", "door": "api"},
    personal={"ip": "192.0.2.1"},
)


def decoded(entry: Entry) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(entry.encoded())
    return document


class TestIds:
    def test_an_attempt_ends_in_00(self) -> None:
        assert attempt_id().int & 0b11 == 0b00

    def test_its_outcome_is_the_same_number_ending_in_01(self) -> None:
        attempt = attempt_id()
        assert outcome_id(attempt).int == attempt.int + 1

    def test_a_record_that_stands_alone_ends_in_10(self) -> None:
        assert sole_id().int & 0b11 == 0b10

    def test_two_attempts_have_two_ids(self) -> None:
        assert attempt_id() != attempt_id()

    def test_later_attempts_sort_later(self) -> None:
        made = [attempt_id() for _ in range(50)]
        assert made == sorted(made)

    @pytest.mark.parametrize("make", [attempt_id, sole_id])
    def test_ids_stay_uuids_of_version_7(self, make: Any) -> None:
        assert make().version == 7


class TestEncoding:
    def test_the_exact_bytes_are_these(self) -> None:
        assert ENTRY.encoded() == (
            b'{"action":"user.login","actor":null,"at":"2024-01-01T12:00:00.000250Z",'
            b'"attempt":"00000000-0000-0000-0000-000000000004",'
            b'"corr":"00000000-0000-0000-0000-000000000009",'
            b'"ctx":{"door":"api","reason":"wrong_password"},"err":null,'
            b'"id":"00000000-0000-0000-0000-000000000004","phase":"FAILED",'
            b'"pii":{"ip":"192.0.2.1"},"resource":["session",null],'
            b'"subject":"00000000-0000-0000-0000-000000000007","v":1}'
        )

    def test_keys_are_sorted_whatever_the_order_of_the_context(self) -> None:
        turned = dict(reversed(list(ENTRY.context.items())))
        assert replace(ENTRY, context=turned).encoded() == ENTRY.encoded()

    def test_times_are_written_in_utc(self) -> None:
        elsewhere = ENTRY.at.astimezone(timezone(timedelta(hours=14)))
        assert replace(ENTRY, at=elsewhere).encoded() == ENTRY.encoded()

    def test_text_is_normalised_so_that_one_text_has_one_form(self) -> None:
        composed, decomposed = "\u00e9", "e\u0301"
        entry = replace(ENTRY, context={"reason": decomposed})
        assert decoded(entry)["ctx"]["reason"] == composed

    def test_no_line_break_reaches_the_bytes(self) -> None:
        entry = replace(ENTRY, context={"reason": "a\r\nb\u2028"})
        assert b"\n" not in entry.encoded()
        assert b"\r" not in entry.encoded()

    def test_a_lone_surrogate_has_a_form_too(self) -> None:
        entry = replace(ENTRY, context={"reason": "\udc80"})
        assert b'"reason":"\\udc80"' in entry.encoded()

    def test_long_text_is_cut(self) -> None:
        entry = replace(ENTRY, personal={"agent": "x" * 5000})
        assert len(decoded(entry)["pii"]["agent"]) == 1024

    def test_lists_and_mappings_keep_their_shape(self) -> None:
        entry = replace(ENTRY, context={"ids": [UUID(int=1)], "inner": {"at": ENTRY.at}})
        assert decoded(entry)["ctx"] == {
            "ids": ["00000000-0000-0000-0000-000000000001"],
            "inner": {"at": "2024-01-01T12:00:00.000250Z"},
        }

    def test_booleans_and_numbers_stay_themselves(self) -> None:
        entry = replace(ENTRY, context={"repeated": True, "generation": 3})
        assert decoded(entry)["ctx"] == {"repeated": True, "generation": 3}

    @pytest.mark.parametrize("value", [1.5, b"raw", {1, 2}, object()])
    def test_what_has_no_canonical_form_is_refused(self, value: object) -> None:
        with pytest.raises(TypeError, match="no canonical form"):
            replace(ENTRY, context={"value": value}).encoded()

    @pytest.mark.slow(reason="a hundred generated texts")
    @given(st.text(max_size=200))
    def test_any_text_can_be_read_back(self, text: str) -> None:
        entry = replace(ENTRY, context={"text": text})
        assert decoded(entry)["ctx"]["text"] == unicodedata.normalize("NFC", text)
