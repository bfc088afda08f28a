"""Every event of accounts and sessions. An event that is new must be added to the table."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from core.actions import AuditAction, Phase
from core.events import DomainEvent
from core.ids import uuid7
from sessions_app.domain import events as session_events
from sessions_app.domain.events import SessionEvent
from tests.factories import NOON
from users.domain import events as user_events
from users.domain.events import UserEvent

TABLE = {
    "UserRegistrationAttempted": ("user.registered", Phase.ATTEMPTED, {"email"}, set()),
    "UserRegistrationSucceeded": ("user.registered", Phase.SUCCEEDED, {"email"}, set()),
    "UserRegistrationFailed": ("user.registered", Phase.FAILED, {"email"}, {"reason"}),
    "EmailVerificationAttempted": ("user.email_verified", Phase.ATTEMPTED, set(), set()),
    "EmailVerificationSucceeded": ("user.email_verified", Phase.SUCCEEDED, set(), set()),
    "EmailVerificationFailed": ("user.email_verified", Phase.FAILED, set(), {"reason"}),
    "AdminCreationAttempted": ("user.admin_created", Phase.ATTEMPTED, {"email"}, set()),
    "AdminCreationSucceeded": ("user.admin_created", Phase.SUCCEEDED, {"email"}, set()),
    "AdminCreationFailed": ("user.admin_created", Phase.FAILED, {"email"}, {"reason"}),
    "SetupLinkIssued": ("user.setup_link_issued", Phase.SOLE, set(), set()),
    "VerificationRequestAttempted": (
        "user.verification_requested",
        Phase.ATTEMPTED,
        {"email"},
        set(),
    ),
    "VerificationRequestSucceeded": (
        "user.verification_requested",
        Phase.SUCCEEDED,
        {"email"},
        set(),
    ),
    "VerificationRequestFailed": (
        "user.verification_requested",
        Phase.FAILED,
        {"email"},
        {"reason"},
    ),
    "PasswordChangeAttempted": ("user.password_changed", Phase.ATTEMPTED, set(), set()),
    "PasswordChangeSucceeded": ("user.password_changed", Phase.SUCCEEDED, set(), {"kept"}),
    "PasswordChangeFailed": ("user.password_changed", Phase.FAILED, set(), {"reason"}),
    "PasswordResetRequestAttempted": (
        "user.password_reset_requested",
        Phase.ATTEMPTED,
        {"email", "stated_reason"},
        set(),
    ),
    "PasswordResetRequestSucceeded": (
        "user.password_reset_requested",
        Phase.SUCCEEDED,
        {"email"},
        set(),
    ),
    "PasswordResetRequestFailed": (
        "user.password_reset_requested",
        Phase.FAILED,
        {"email"},
        {"reason"},
    ),
    "PasswordResetAttempted": ("user.password_reset", Phase.ATTEMPTED, set(), set()),
    "PasswordResetSucceeded": ("user.password_reset", Phase.SUCCEEDED, set(), set()),
    "PasswordResetFailed": ("user.password_reset", Phase.FAILED, set(), {"reason"}),
    "InvitationAcceptanceAttempted": ("user.invitation_accepted", Phase.ATTEMPTED, set(), set()),
    "InvitationAcceptanceSucceeded": ("user.invitation_accepted", Phase.SUCCEEDED, set(), set()),
    "InvitationAcceptanceFailed": ("user.invitation_accepted", Phase.FAILED, set(), {"reason"}),
    "PasswordRehashed": ("user.password_rehashed", Phase.SOLE, set(), set()),
    "SessionsForfeited": ("user.sessions_forfeited", Phase.SOLE, set(), {"kept", "reason"}),
    "EmailChangeRequestAttempted": (
        "user.email_change_requested",
        Phase.ATTEMPTED,
        {"email"},
        set(),
    ),
    "EmailChangeRequestSucceeded": (
        "user.email_change_requested",
        Phase.SUCCEEDED,
        {"email"},
        set(),
    ),
    "EmailChangeRequestFailed": (
        "user.email_change_requested",
        Phase.FAILED,
        {"email"},
        {"reason"},
    ),
    "EmailChangeAttempted": ("user.email_changed", Phase.ATTEMPTED, set(), set()),
    "EmailChangeSucceeded": (
        "user.email_changed",
        Phase.SUCCEEDED,
        {"old_email", "new_email"},
        set(),
    ),
    "EmailChangeFailed": ("user.email_changed", Phase.FAILED, set(), {"reason"}),
    "DeletionAttempted": ("user.deleted", Phase.ATTEMPTED, set(), set()),
    "DeletionSucceeded": ("user.deleted", Phase.SUCCEEDED, set(), set()),
    "DeletionFailed": ("user.deleted", Phase.FAILED, set(), {"reason"}),
    "AccountExported": ("user.exported", Phase.SOLE, set(), set()),
    "InvitationAttempted": ("user.invited", Phase.ATTEMPTED, {"email"}, {"role"}),
    "InvitationSucceeded": ("user.invited", Phase.SUCCEEDED, {"email"}, {"role"}),
    "InvitationFailed": ("user.invited", Phase.FAILED, {"email"}, {"reason"}),
    "UserImportAttempted": ("user.imported", Phase.ATTEMPTED, {"email"}, set()),
    "UserImportSucceeded": (
        "user.imported",
        Phase.SUCCEEDED,
        {"email"},
        {"role", "is_verified", "is_active"},
    ),
    "UserImportFailed": ("user.imported", Phase.FAILED, {"email"}, {"reason"}),
    "AccountChangeAttempted": ("user.changed", Phase.ATTEMPTED, {"stated_reason"}, set()),
    "AccountChangeSucceeded": ("user.changed", Phase.SUCCEEDED, set(), set()),
    "AccountChangeFailed": ("user.changed", Phase.FAILED, set(), {"reason"}),
    "RoleChanged": ("user.role_changed", Phase.SOLE, set(), {"old", "new"}),
    "ActivityChanged": ("user.activity_changed", Phase.SOLE, set(), {"old", "new"}),
    "LimitsChanged": (
        "user.limits_changed",
        Phase.SOLE,
        set(),
        {"old_tier", "new_tier", "old_max_sessions", "new_max_sessions"},
    ),
    "SignInLocked": ("user.locked", Phase.SOLE, {"email"}, {"failures", "until", "known_by"}),
    "AccountLockAttempted": ("user.locked", Phase.ATTEMPTED, {"stated_reason"}, set()),
    "AccountLockSucceeded": ("user.locked", Phase.SUCCEEDED, set(), {"until"}),
    "AccountLockFailed": ("user.locked", Phase.FAILED, set(), {"reason"}),
    "AccountUnlockAttempted": ("user.unlocked", Phase.ATTEMPTED, {"stated_reason"}, set()),
    "AccountUnlockSucceeded": ("user.unlocked", Phase.SUCCEEDED, set(), set()),
    "AccountUnlockFailed": ("user.unlocked", Phase.FAILED, set(), {"reason"}),
    "EmailVouchedFor": ("user.email_verified", Phase.SOLE, set(), set()),
    "DevicePassGrantAttempted": ("user.device_pass_granted", Phase.ATTEMPTED, set(), set()),
    "DevicePassGrantSucceeded": (
        "user.device_pass_granted",
        Phase.SUCCEEDED,
        set(),
        {"device_pass"},
    ),
    "DevicePassGrantFailed": ("user.device_pass_granted", Phase.FAILED, set(), {"reason"}),
    "DevicesForgotten": ("user.devices_forgotten", Phase.SOLE, set(), {"devices"}),
    "UserLoginAttempted": ("user.login", Phase.ATTEMPTED, {"email"}, {"session_id"}),
    "UserLoginSucceeded": (
        "user.login",
        Phase.SUCCEEDED,
        {"device"},
        {"session_id", "marks", "known_device"},
    ),
    "UserLoginFailed": (
        "user.login",
        Phase.FAILED,
        {"email"},
        {"session_id", "reason", "known_device"},
    ),
    "SessionRefreshAttempted": ("session.refreshed", Phase.ATTEMPTED, set(), {"session_id"}),
    "SessionRefreshSucceeded": (
        "session.refreshed",
        Phase.SUCCEEDED,
        set(),
        {"session_id", "generation", "repeated"},
    ),
    "SessionRefreshFailed": (
        "session.refreshed",
        Phase.FAILED,
        set(),
        {"session_id", "reason"},
    ),
    "ReauthenticationAttempted": (
        "session.reauthenticated",
        Phase.ATTEMPTED,
        set(),
        {"session_id"},
    ),
    "ReauthenticationSucceeded": (
        "session.reauthenticated",
        Phase.SUCCEEDED,
        set(),
        {"session_id"},
    ),
    "ReauthenticationFailed": (
        "session.reauthenticated",
        Phase.FAILED,
        set(),
        {"session_id", "reason"},
    ),
    "SessionRevocationAttempted": (
        "session.revoked",
        Phase.ATTEMPTED,
        {"stated_reason"},
        {"session_id"},
    ),
    "SessionRevocationSucceeded": ("session.revoked", Phase.SUCCEEDED, set(), {"session_id"}),
    "SessionRevocationFailed": (
        "session.revoked",
        Phase.FAILED,
        set(),
        {"session_id", "reason"},
    ),
    "SessionEnded": ("session.ended", Phase.SOLE, set(), {"session_id", "reason"}),
}
OF_EVERY_EVENT = {"event_id", "occurred_at", "user_id"}
SECRETS = ("password", "passwd", "secret", "token", "hash", "salt", "key", "mac", "cookie")
EXAMPLES: dict[str, Any] = {
    "email": "test@example.com",
    "reason": "locked",
    "device": "Firefox on Linux",
    "until": NOON,
    "generation": 2,
}


def all_of(base: type[DomainEvent]) -> Iterator[type[DomainEvent]]:
    for event in base.__subclasses__():
        yield event
        yield from all_of(event)


EVENTS = {event.__name__: event for base in (UserEvent, SessionEvent) for event in all_of(base)}


def example(name: str, **over: Any) -> DomainEvent:
    needed = {field.name for field in fields(EVENTS[name])} & EXAMPLES.keys()
    return EVENTS[name](**{one: EXAMPLES[one] for one in needed} | over)


class TestCatalogue:
    def test_the_table_has_every_event_that_there_is(self) -> None:
        assert EVENTS.keys() == TABLE.keys()

    def test_events_live_in_the_modules_of_their_contexts(self) -> None:
        modules = {event.__module__ for event in EVENTS.values()}
        assert modules == {user_events.__name__, session_events.__name__}

    @pytest.mark.conforms("L6")
    def test_every_action_that_is_attempted_has_both_outcomes(self) -> None:
        phases: dict[AuditAction, set[Phase]] = {}
        for event in EVENTS.values():
            phases.setdefault(event.action, set()).add(event.phase)
        attempted = {action: seen for action, seen in phases.items() if Phase.SOLE not in seen}
        whole = {Phase.ATTEMPTED, Phase.SUCCEEDED, Phase.FAILED}
        assert attempted == dict.fromkeys(attempted, whole)

    def test_no_two_events_say_the_same(self) -> None:
        said = [(event.action, event.phase) for event in EVENTS.values()]
        assert len(said) == len(set(said))


class TestEveryEvent:
    @pytest.mark.parametrize("name", TABLE)
    def test_it_names_its_action_and_phase_and_marks_what_is_personal(self, name: str) -> None:
        action, phase, personal, plain = TABLE[name]
        own = [field for field in fields(EVENTS[name]) if field.name not in OF_EVERY_EVENT]
        assert (EVENTS[name].action, EVENTS[name].phase) == (AuditAction(action), phase)
        assert {field.name for field in own if field.metadata.get("personal")} == personal
        assert {field.name for field in own if not field.metadata.get("personal")} == plain

    def test_whoever_proved_to_be_the_person_did_it(self) -> None:
        proved = {name for name, event in EVENTS.items() if event.by_subject}
        assert proved == {
            "EmailVerificationSucceeded",
            "UserLoginSucceeded",
            "SessionRefreshSucceeded",
            "PasswordChangeSucceeded",
            "PasswordResetSucceeded",
            "InvitationAcceptanceSucceeded",
            "EmailChangeSucceeded",
            "DeletionSucceeded",
            "DevicePassGrantSucceeded",
            "AccountExported",
        }

    def test_only_a_deletion_erases_the_person(self) -> None:
        erasing = {name for name, event in EVENTS.items() if event.erases_subject}
        assert erasing == {"DeletionSucceeded"}

    @pytest.mark.conforms("L5")
    def test_no_field_could_carry_a_secret(self) -> None:
        names = {field.name for event in EVENTS.values() for field in fields(event)}
        assert {"email", "reason"} < names
        assert not {name for name in names for secret in SECRETS if secret in name}

    def test_none_can_be_changed(self) -> None:
        made: dict[str, Any] = {name: vars(event) for name, event in EVENTS.items()}
        assert {name for name, one in made.items() if one["__dataclass_params__"].frozen} == set(
            TABLE
        )

    def test_all_of_them_name_their_fields(self) -> None:
        by_place = [
            (name, field.name)
            for name, event in EVENTS.items()
            for field in fields(event)
            if not field.kw_only
        ]
        assert by_place == []

    @pytest.mark.parametrize("name", ["UserRegistrationFailed", "SetupLinkIssued"])
    def test_an_event_of_an_account_is_about_the_account(self, name: str) -> None:
        person = uuid7()
        event = example(name, user_id=person)
        assert (event.resource_type, event.resource_id) == ("user", person)

    @pytest.mark.parametrize("name", ["UserLoginSucceeded", "SessionEnded"])
    def test_an_event_of_a_session_is_about_the_session(self, name: str) -> None:
        session = uuid7()
        event = example(name, user_id=uuid7(), session_id=session)
        assert (event.resource_type, event.resource_id) == ("session", session)


class TestDefaults:
    def test_an_event_gets_an_id_and_its_time(self) -> None:
        before = datetime.now(UTC)
        event = example("UserLoginAttempted")
        assert isinstance(event.event_id, UUID)
        assert before <= event.occurred_at <= datetime.now(UTC)

    def test_an_event_takes_the_time_that_it_is_given(self) -> None:
        assert example("UserLoginAttempted", occurred_at=NOON).occurred_at == NOON

    def test_two_events_have_two_ids(self) -> None:
        assert example("SessionEnded").event_id != example("SessionEnded").event_id

    def test_an_event_takes_keywords_alone(self) -> None:
        event: Any = user_events.UserRegistrationAttempted
        with pytest.raises(TypeError, match="positional"):
            event("test@example.com")

    def test_a_refresh_is_not_repeated_unless_it_says_so(self) -> None:
        event = session_events.SessionRefreshSucceeded(generation=2)
        assert event.repeated is False
