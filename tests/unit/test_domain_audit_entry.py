import json
import time
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.domain.entry import (
    Entry,
    abandoned,
    attempt_id,
    clipped,
    is_authentic,
    mac_of,
    outcome_id,
    read_projection,
    sole_id,
    tells_phase,
)
from core.actions import AuditAction, Phase
from core.keys import KeyRing

ENTRY = Entry(
    id=UUID(int=5),
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
    ip_bi=bytes(range(8)),
    pii="cGlp",
    source="c3Jj",
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

    def test_an_id_that_was_made_before_keeps_its_moment(self) -> None:
        made = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
        assert str(attempt_id(made)) == "01890a5d-ac96-774b-bcce-b302099a8054"
        assert str(sole_id(made)) == "01890a5d-ac96-774b-bcce-b302099a8056"

    def test_two_attempts_have_two_ids(self) -> None:
        assert attempt_id() != attempt_id()

    def test_later_attempts_sort_later(self) -> None:
        made = [attempt_id() for _ in range(50)]
        assert made == sorted(made)

    @pytest.mark.parametrize(
        ("make", "phases"),
        [
            (attempt_id, {Phase.ATTEMPTED}),
            (
                lambda: outcome_id(attempt_id()),
                {Phase.SUCCEEDED, Phase.FAILED, Phase.ABANDONED},
            ),
            (sole_id, {Phase.SOLE}),
            (lambda: UUID(int=attempt_id().int | 0b11), set()),
        ],
        ids=["00", "01", "10", "11"],
    )
    def test_an_id_tells_the_phase(self, make: Any, phases: set[Phase]) -> None:
        assert {phase for phase in Phase if tells_phase(make(), phase)} == phases

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
            b'"id":"00000000-0000-0000-0000-000000000005","ip_bi":"0001020304050607",'
            b'"phase":"FAILED","pii":"cGlp","resource":["session",null],"src":"c3Jj",'
            b'"subject":"00000000-0000-0000-0000-000000000007","v":1}'
        )

    def test_keys_are_sorted_whatever_the_order_of_the_context(self) -> None:
        turned = dict(reversed(list(ENTRY.context.items())))
        assert replace(ENTRY, context=turned).encoded() == ENTRY.encoded()

    def test_times_are_written_in_utc(self) -> None:
        elsewhere = ENTRY.at.astimezone(timezone(timedelta(hours=14)))
        assert replace(ENTRY, at=elsewhere).encoded() == ENTRY.encoded()

    def test_and_wherever_the_server_stands(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as elsewhere:
            elsewhere.setenv("TZ", "XYZ-14")
            time.tzset()
            written = decoded(ENTRY)["at"]
        time.tzset()
        assert written == "2024-01-01T12:00:00.000250Z"

    def test_text_is_normalised_so_that_one_text_has_one_form(self) -> None:
        composed, decomposed = "\u00e9", "e\u0301"
        entry = replace(ENTRY, context={"reason": decomposed})
        assert decoded(entry)["ctx"]["reason"] == composed

    def test_and_is_written_in_utf_8(self) -> None:
        entry = replace(ENTRY, context={"reason": "\u00e9"})
        assert b'"reason":"\xc3\xa9"' in entry.encoded()

    def test_no_line_break_reaches_the_bytes(self) -> None:
        entry = replace(ENTRY, context={"reason": "a\r\nb\u2028"})
        assert b"\n" not in entry.encoded()
        assert b"\r" not in entry.encoded()

    def test_a_lone_surrogate_has_a_form_too(self) -> None:
        entry = replace(ENTRY, context={"reason": "\udc80"})
        assert b'"reason":"\\udc80"' in entry.encoded()

    @pytest.mark.parametrize("name", ["ip_bi", "pii", "source", "error", "actor", "attempt"])
    def test_what_is_not_there_is_null(self, name: str) -> None:
        key = {"source": "src", "error": "err"}.get(name, name)
        nothing: dict[str, Any] = {name: None}
        assert decoded(replace(ENTRY, **nothing))[key] is None

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
        with pytest.raises(TypeError, match=f"^{type(value).__name__} has no canonical form"):
            replace(ENTRY, context={"value": value}).encoded()

    @pytest.mark.slow(reason="a hundred generated texts")
    @given(st.text(max_size=200))
    def test_any_text_can_be_read_back(self, text: str) -> None:
        entry = replace(ENTRY, context={"text": text})
        assert decoded(entry)["ctx"]["text"] == unicodedata.normalize("NFC", text)


class TestProjection:
    def test_what_nobody_gave_is_not_there(self) -> None:
        entry = Entry(
            id=UUID(int=6),
            at=ENTRY.at,
            action=AuditAction.USER_LOGIN,
            phase=Phase.SOLE,
            attempt=None,
            actor=None,
            subject=None,
            resource_type=None,
            resource_id=None,
            correlation=UUID(int=9),
            context={},
        )
        assert (entry.projection.ip_bi, entry.pii, entry.source, entry.error) == (None,) * 4

    @pytest.mark.parametrize(
        "entry",
        [
            ENTRY,
            replace(ENTRY, subject=None, attempt=None, ip_bi=None, resource_type=None),
            replace(ENTRY, actor=UUID(int=3), resource_id=UUID(int=8)),
        ],
        ids=["some", "few", "all"],
    )
    def test_the_columns_can_be_read_from_the_bytes(self, entry: Entry) -> None:
        assert read_projection(decoded(entry)) == entry.projection

    @pytest.mark.parametrize(
        "name", ["id", "phase", "action", "actor", "resource", "corr", "ip_bi"]
    )
    def test_a_document_without_one_of_them_is_no_entry(self, name: str) -> None:
        document = decoded(ENTRY)
        del document[name]
        with pytest.raises(KeyError):
            read_projection(document)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("id", "x"),
            ("id", None),
            ("phase", "FINISHED"),
            ("resource", "session"),
            ("resource", None),
            ("ip_bi", "0"),
            ("actor", 7),
        ],
    )
    def test_a_document_with_something_else_is_no_entry(self, name: str, value: object) -> None:
        with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
            read_projection(decoded(ENTRY) | {name: value})


class TestAbandoned:
    """In the place of an outcome, from what the attempt told."""

    ATTEMPT = replace(
        ENTRY,
        id=UUID(int=4),
        phase=Phase.ATTEMPTED,
        attempt=None,
        actor=UUID(int=3),
        resource_id=UUID(int=8),
    )
    LATER = ENTRY.at + timedelta(minutes=2)

    def test_it_takes_the_place_of_the_outcome(self) -> None:
        made = abandoned(self.ATTEMPT.encoded(), self.LATER)
        assert (made.id, made.attempt) == (UUID(int=5), UUID(int=4))
        assert (made.phase, made.at) == (Phase.ABANDONED, self.LATER)

    def test_it_tells_of_the_same_action(self) -> None:
        made, attempt = abandoned(self.ATTEMPT.encoded(), self.LATER), self.ATTEMPT
        expected = attempt.projection._replace(id=made.id, phase=Phase.ABANDONED)
        assert made.projection == expected
        assert made.context == attempt.context

    def test_what_is_personal_stays_with_the_attempt(self) -> None:
        """It is bound to the id of the attempt, and could not be read elsewhere."""
        made = abandoned(self.ATTEMPT.encoded(), self.LATER)
        assert (made.pii, made.source, made.error) == (None, None, None)


class TestAuthenticity:
    """Until it is sealed, a MAC alone tells who wrote an entry."""

    OLD, NEW = {"1": b"k" * 32}, {"2": b"n" * 32}
    MAC = bytes.fromhex("509b54c02ef507cc7a07fc6f694ad543456e1ff5e3560fe10fb606a350b06551")

    def test_what_was_written_before_an_update_is_still_authentic(self) -> None:
        """HMAC-SHA-256 of "audit.entry" and the entry, each behind its length."""
        assert mac_of(b"entry", KeyRing("1", self.OLD)) == self.MAC

    def test_the_current_key_writes(self) -> None:
        both = KeyRing("2", self.OLD | self.NEW)
        assert mac_of(b"entry", both) == mac_of(b"entry", KeyRing("2", self.NEW))

    def test_older_keys_still_count(self) -> None:
        assert is_authentic(b"entry", self.MAC, KeyRing("2", self.NEW | self.OLD))

    def test_a_key_that_is_gone_does_not(self) -> None:
        assert not is_authentic(b"entry", self.MAC, KeyRing("2", self.NEW))

    @pytest.mark.parametrize(("entry", "mac"), [(b"entry!", MAC), (b"entry", MAC[:-1]), (b"", b"")])
    def test_no_other_entry_and_no_other_mac_is(self, entry: bytes, mac: bytes) -> None:
        assert not is_authentic(entry, mac, KeyRing("1", self.OLD))


class TestClipped:
    def test_long_text_is_cut_at_every_depth(self) -> None:
        long = "x" * 5000
        cut = clipped({"agent": long, "inner": {"list": [long, (long,)]}})
        short = long[:1024]
        assert cut == {"agent": short, "inner": {"list": [short, [short]]}}

    @pytest.mark.parametrize("value", ["short", "x" * 1024, 7, True, None, UUID(int=1)])
    def test_what_is_short_stays_as_it_is(self, value: object) -> None:
        assert clipped(value) == value


class TestMac:
    """Of an entry that is not sealed yet."""

    OLD = KeyRing("1", {"1": b"k" * 32})
    NEW = KeyRing("2", {"1": b"k" * 32, "2": b"l" * 32})

    def test_what_was_written_under_the_current_key_is_authentic(self) -> None:
        raw = ENTRY.encoded()
        assert is_authentic(raw, mac_of(raw, self.NEW), self.NEW)
        assert not is_authentic(raw, mac_of(raw, self.NEW), self.OLD)

    def test_what_was_written_under_an_older_key_still_is(self) -> None:
        raw = ENTRY.encoded()
        assert mac_of(raw, self.OLD) != mac_of(raw, self.NEW)
        assert is_authentic(raw, mac_of(raw, self.OLD), self.NEW)

    def test_another_entry_is_not(self) -> None:
        raw = ENTRY.encoded()
        assert not is_authentic(raw + b" ", mac_of(raw, self.NEW), self.NEW)
