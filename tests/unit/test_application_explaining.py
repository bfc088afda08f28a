"""Why something was refused, locked or ended, told from events as they are recorded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

from audit.application.explaining import Doer, Explainer, Explanation
from audit.application.reading import Reader
from audit.application.recording import Recorder
from audit.application.wording import ACTIONS, REASONS, sentence
from audit.domain.entry import Entry
from audit.domain.subject import NamedSubject, named_user
from audit.ports import Criteria, Recorded
from core.actions import AuditAction, Phase
from core.errors import ErrorCode
from core.events import DomainEvent, EventMetadata
from core.ids import uuid7
from sessions_app.domain.events import (
    SessionEnded,
    SessionRefreshSucceeded,
    SessionRevocationAttempted,
    SessionRevocationSucceeded,
    SessionsRevocationAttempted,
    SessionsRevocationSucceeded,
    UserLoginFailed,
    UserLoginSucceeded,
)
from sessions_app.domain.familiarity import Mark
from sessions_app.domain.session import EndReason
from tests.factories import NOON
from tests.fakes.audit import InMemorySubjects, InMemoryTrail
from tests.fakes.clock import FakeClock
from users.domain.events import ActivityChanged, SignInLocked

ADA, BOB, ADMIN = uuid7(), uuid7(), uuid7()
SESSION = uuid7()


@dataclass
class House:
    clock: FakeClock
    trail: InMemoryTrail = field(default_factory=InMemoryTrail)
    people: InMemorySubjects = field(default_factory=InMemorySubjects)

    def record(self, *events: DomainEvent, by: UUID | None = None, door: str = "api") -> None:
        """What one request does."""
        recorder, metadata = self._recorder, EventMetadata(actor_id=by, door=door)
        attempt = None
        for event in events:
            recorded = recorder.record(event, event.phase, metadata, attempt=attempt)
            attempt = recorded if event.phase is Phase.ATTEMPTED else attempt
        self.clock.advance(timedelta(minutes=1))

    @property
    def _recorder(self) -> Recorder:
        return Recorder(self.trail, self.people, self.clock)

    @property
    def explainer(self) -> Explainer:
        return Explainer(Reader(events=self, subjects=self))

    def session(self, owner: UUID | None = None) -> Explanation:
        found = self.explainer.session(SESSION, owner)
        assert found is not None
        return found

    def account(self) -> Explanation:
        found = self.explainer.account(ADA)
        assert found is not None
        return found

    # What it is read through.

    def newest(self, criteria: Criteria, before: UUID | None, size: int) -> list[Recorded]:
        matching = [entry for entry in self.trail.entries if self._matches(entry, criteria)]
        return [Recorded(entry.encoded(), NOON, True) for entry in matching[::-1][:size]]

    def _matches(self, entry: Entry, criteria: Criteria) -> bool:
        subject = self.people.subjects.get(named_user(criteria.subject or uuid7()))
        return (
            (criteria.subject is None or (subject is not None and entry.subject == subject.ref))
            and criteria.resource_id in (None, entry.resource_id)
            and criteria.correlation in (None, entry.correlation)
        )

    def by_ref(self, *refs: UUID) -> Sequence[NamedSubject]:
        return [one for one in self._named() if one.subject.ref in refs]

    def by_name(self, *names: str) -> Sequence[NamedSubject]:
        return [one for one in self._named() if one.name in names]

    def _named(self) -> Iterator[NamedSubject]:
        return (NamedSubject(name, subject) for name, subject in self.people.subjects.items())

    def oldest(self, criteria: Criteria, after: UUID | None, size: int) -> list[Recorded]:
        raise NotImplementedError

    def among(self, criteria: Criteria, ids: Sequence[UUID]) -> list[Recorded]:
        raise NotImplementedError

    def find(self, entry_id: UUID) -> Recorded | None:
        raise NotImplementedError


@pytest.fixture
def house(clock: FakeClock) -> House:
    return House(clock)


def signed_in(**over: object) -> UserLoginSucceeded:
    return UserLoginSucceeded(user_id=ADA, session_id=SESSION, device="Firefox on Linux", **over)  # type: ignore[arg-type]


def ended(reason: EndReason) -> SessionEnded:
    return SessionEnded(user_id=ADA, session_id=SESSION, reason=reason)


class TestSessions:
    """Uses fixtures: house."""

    def test_a_session_that_no_event_has_ended_says_how_it_may_be_over(self, house: House) -> None:
        house.record(signed_in())
        assert house.session().summary.startswith("No event has ended it.")
        assert [step.text for step in house.session().steps] == ["Signed in on Firefox on Linux."]

    def test_the_limit_is_told_and_what_brought_it_about(self, house: House) -> None:
        house.record(signed_in())
        newer = UserLoginSucceeded(user_id=ADA, session_id=uuid7(), device="Safari on iOS")
        house.record(ended(EndReason.LIMIT), newer, door="api")
        found = house.session()
        assert "as many sessions as the account may have" in found.summary
        assert [step.text for step in found.steps] == [
            "Signed in on Safari on iOS.",
            "The session ended: there were as many sessions as the account may have, and it was"
            " the oldest.",
            "Signed in on Firefox on Linux.",
        ]

    def test_who_ended_it_and_what_they_said(self, house: House) -> None:
        house.record(signed_in())
        house.record(
            SessionRevocationAttempted(user_id=ADA, session_id=SESSION, stated_reason="a theft"),
            SessionRevocationSucceeded(user_id=ADA, session_id=SESSION),
            by=ADMIN,
        )
        found = house.session()
        assert found.summary.endswith(
            "UTC, by somebody else who had signed in: The session was ended."
        )
        assert (found.steps[0].doer, found.steps[0].stated_reason) == (
            Doer.SOMEBODY_ELSE,
            "a theft",
        )
        assert "theft" not in found.summary  # which is for its owner, too

    def test_one_of_many_that_ended_together(self, house: House) -> None:
        house.record(signed_in())
        house.record(
            SessionsRevocationAttempted(user_id=ADA, stated_reason="a lost bag"),
            ended(EndReason.REVOKED),
            SessionsRevocationSucceeded(user_id=ADA, kept=None, sessions=1),
            by=ADA,
        )
        found = house.session()
        assert "by its owner" in found.summary
        assert [step.stated_reason for step in found.steps] == ["a lost bag", "a lost bag", None]

    def test_what_the_same_request_did_to_others_is_not_told(self, house: House) -> None:
        house.record(signed_in())
        house.record(
            SessionRevocationAttempted(user_id=ADA, session_id=SESSION, stated_reason="a theft"),
            SessionRevocationSucceeded(user_id=ADA, session_id=SESSION),
            ActivityChanged(user_id=BOB, old=True, new=False),
            by=ADMIN,
        )
        texts = ["The session was ended.", "Signed in on Firefox on Linux."]
        assert [step.text for step in house.session(ADA).steps] == texts
        assert [step.text for step in house.session().steps] == texts

    def test_refreshing_as_it_should_be_is_not_worth_a_word(self, house: House) -> None:
        house.record(signed_in())
        house.record(SessionRefreshSucceeded(user_id=ADA, session_id=SESSION, generation=2))
        house.record(
            SessionRefreshSucceeded(user_id=ADA, session_id=SESSION, generation=2, repeated=True)
        )
        assert [step.text[:15] for step in house.session().steps] == [
            "The same answer",
            "Signed in on Fi",
        ]

    def test_another_persons_session_is_not_there(self, house: House) -> None:
        house.record(signed_in())
        assert house.explainer.session(SESSION, ADA) is not None
        assert house.explainer.session(SESSION, ADMIN) is None
        assert house.explainer.session(uuid7()) is None

    def test_the_newest_fifty_are_told_and_that_there_are_more(self, house: House) -> None:
        for _ in range(51):
            house.record(signed_in())
        assert (len(house.session().steps), house.session().is_whole) == (50, False)


class TestAccounts:
    """Uses fixtures: house."""

    def test_refusals_and_locks_are_told_and_nothing_else(self, house: House) -> None:
        house.record(signed_in())
        house.record(UserLoginFailed(user_id=ADA, email="ada@example.com", reason="wrong_password"))
        house.record(SignInLocked(user_id=ADA, email="ada@example.com", failures=5, until=NOON))
        found = house.account()
        assert [step.text for step in found.steps] == [
            "Signing in was locked for devices that are not known until 2024-01-01 12:00 UTC,"
            " after 5 wrong passwords in a row.",
            "Signing in was refused: the password was wrong.",
        ]
        assert found.summary.startswith("Last of all, ")
        assert found.summary.endswith(found.steps[0].text)
        assert [step.doer for step in found.steps] == [Doer.HOUSE, Doer.NOBODY_KNOWN]

    def test_an_account_without_trouble(self, house: House) -> None:
        house.record(signed_in())
        assert house.account().summary.startswith("Nothing was refused, locked or ended")
        assert house.account().is_whole

    def test_at_the_command_line_there_are_no_users(self, house: House) -> None:
        house.record(ActivityChanged(user_id=ADA, old=True, new=False), door="command")
        (step,) = house.account().steps
        assert (step.text, step.doer) == ("The account was deactivated.", Doer.COMMAND)

    def test_of_whom_nothing_is_recorded_nothing_is_told(self, house: House) -> None:
        assert house.explainer.account(ADA) is None


class TestAround:
    """Uses fixtures: house."""

    def test_what_one_request_did_oldest_first(self, house: House) -> None:
        house.record(signed_in())
        house.record(
            SessionRevocationAttempted(user_id=ADA, session_id=SESSION),
            SessionRevocationSucceeded(user_id=ADA, session_id=SESSION),
            by=ADA,
        )
        event = house.session().steps[0].event
        assert [step.text for step in house.explainer.around(event)] == [
            "Ending the session was begun.",
            "The session was ended.",
        ]


class TestWords:
    def test_every_action_has_words(self) -> None:
        assert ACTIONS.keys() == set(AuditAction)
        for words in ACTIONS.values():
            assert words.done.endswith(".")
            assert not words.doing.endswith(".")

    @pytest.mark.parametrize("reason", list(EndReason))
    def test_every_end_of_a_session_has_a_reason_in_words(self, reason: EndReason) -> None:
        assert reason in REASONS

    def test_what_has_no_words_is_told_as_it_is_written(self) -> None:
        assert sentence("new.action", Phase.SOLE, {}, {}) == "new.action."
        refused = sentence("new.action", Phase.FAILED, {"reason": "full_moon"}, {})
        assert refused == "new.action was refused: full_moon."

    @pytest.mark.parametrize(
        ("phase", "error", "told"),
        [
            (Phase.ATTEMPTED, None, "Signing in was begun."),
            (
                Phase.ABANDONED,
                None,
                "Signing in was begun and never ended: the process died, and nothing changed.",
            ),
            (
                Phase.FAILED,
                "OperationalError",
                "Signing in stopped at a fault (OperationalError), and nothing changed.",
            ),
            (Phase.FAILED, None, "Signing in was refused: the account is deactivated."),
        ],
    )
    def test_how_far_it_came_is_told(self, phase: Phase, error: str | None, told: str) -> None:
        assert sentence("user.login", phase, {"reason": "inactive"}, {}, error) == told

    @pytest.mark.parametrize(
        ("action", "details", "told"),
        [
            (
                "user.login",
                {"marks": [Mark.NEW_DEVICE, Mark.AFTER_FAILURES]},
                "Signed in: a device that had not been seen before, after several wrong passwords.",
            ),
            (
                "user.locked",
                {"known_by": "device", "failures": 5},
                "Signing in was locked for this device, after 5 wrong passwords in a row.",
            ),
            (
                "user.role_changed",
                {"old": "user", "new": "admin"},
                "The role was changed from user to admin.",
            ),
            ("user.activity_changed", {"new": True}, "The account was reactivated."),
            ("user.email_verified", {}, "An admin vouched for the address."),
            (
                "user.sessions_forfeited",
                {"reason": "password_changed"},
                "The sessions of the person ended: the password was changed on another device.",
            ),
            (
                "tokens.rotated",
                {"reason": "a leak", "effective_at": "2024-01-01T12:00:00Z"},
                "Tokens of before are over from 2024-01-01 12:00 UTC on: a leak.",
            ),
            (
                "requests.throttled",
                {"amount": 5, "seconds": 60, "policy": "sign_in"},
                "Requests were refused for a while: more than 5 in 60 seconds (sign_in).",
            ),
            (
                "sessions.revoked",
                {"kept": "x", "sessions": 3},
                "All sessions of the person were ended, but for the one it was done from: 3.",
            ),
        ],
    )
    def test_what_matters_is_in_the_sentence(
        self, action: str, details: dict[str, object], told: str
    ) -> None:
        assert sentence(action, Phase.SOLE, details, {}) == told

    def test_an_admins_lock_and_a_confirmed_address(self) -> None:
        locked = sentence("user.locked", Phase.SUCCEEDED, {"until": "2024-01-01T12:00:00Z"}, {})
        assert locked == "An admin locked signing in until 2024-01-01 12:00 UTC, on every device."
        confirmed = sentence("user.email_verified", Phase.SUCCEEDED, {}, {})
        assert confirmed == "The address was confirmed by its link."

    def test_a_lock_of_a_device_is_told_apart(self) -> None:
        details = {"reason": "locked", "known_device": True}
        told = sentence("user.login", Phase.FAILED, details, {})
        assert told.endswith("refused: there had been too many wrong passwords on this device.")

    def test_every_code_that_an_account_can_be_refused_with_has_words(self) -> None:
        of_accounts = [
            code
            for code in ErrorCode
            if list(ErrorCode).index(ErrorCode.INVALID_EMAIL)
            <= list(ErrorCode).index(code)
            <= list(ErrorCode).index(ErrorCode.ACCOUNT_INACTIVE)
        ]
        assert set(of_accounts) <= REASONS.keys()
