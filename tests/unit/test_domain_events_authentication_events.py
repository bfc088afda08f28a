"""Every event. One that is new must be added to the table: what is on the trail is read by it for
as long as the trail is kept."""

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from datetime import UTC, datetime
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest

from audit.domain import events as audit_events
from config.demo import events as demo_events
from core import events as core_events
from core.actions import AuditAction, Phase
from core.events import DomainEvent
from core.ids import uuid7
from sessions_app.domain import events as session_events
from sessions_app.domain.events import SessionEvent
from tests.factories import NOON
from users.domain import events as user_events
from users.domain.events import UserEvent

# Name, action, phase, what it is about, and what it says: a * marks what is personal, a ? what may
# be left out, = what is said where nobody says anything else.
TABLE = """
RequestsThrottled requests.throttled SOLE - policy by amount seconds
UserRegistrationAttempted user.registered ATTEMPTED user *email
UserRegistrationSucceeded user.registered SUCCEEDED user *email
UserRegistrationFailed user.registered FAILED user *email reason
EmailVerificationAttempted user.email_verified ATTEMPTED user
EmailVerificationSucceeded user.email_verified SUCCEEDED user
EmailVerificationFailed user.email_verified FAILED user reason
EmailVouchedFor user.email_verified SOLE user
AdminCreationAttempted user.admin_created ATTEMPTED user *email
AdminCreationSucceeded user.admin_created SUCCEEDED user *email
AdminCreationFailed user.admin_created FAILED user *email reason
SetupLinkIssued user.setup_link_issued SOLE user
VerificationRequestAttempted user.verification_requested ATTEMPTED user *email
VerificationRequestSucceeded user.verification_requested SUCCEEDED user *email
VerificationRequestFailed user.verification_requested FAILED user *email reason
PasswordChangeAttempted user.password_changed ATTEMPTED user
PasswordChangeSucceeded user.password_changed SUCCEEDED user kept?
PasswordChangeFailed user.password_changed FAILED user reason
PasswordResetRequestAttempted user.password_reset_requested ATTEMPTED user *email? *stated_reason?
PasswordResetRequestSucceeded user.password_reset_requested SUCCEEDED user *email?
PasswordResetRequestFailed user.password_reset_requested FAILED user *email? reason
PasswordResetAttempted user.password_reset ATTEMPTED user
PasswordResetSucceeded user.password_reset SUCCEEDED user
PasswordResetFailed user.password_reset FAILED user reason
InvitationAcceptanceAttempted user.invitation_accepted ATTEMPTED user
InvitationAcceptanceSucceeded user.invitation_accepted SUCCEEDED user
InvitationAcceptanceFailed user.invitation_accepted FAILED user reason
PasswordRehashed user.password_rehashed SOLE user
SessionsForfeited user.sessions_forfeited SOLE user kept? reason
EmailChangeRequestAttempted user.email_change_requested ATTEMPTED user *email
EmailChangeRequestSucceeded user.email_change_requested SUCCEEDED user *email
EmailChangeRequestFailed user.email_change_requested FAILED user *email reason
EmailChangeAttempted user.email_changed ATTEMPTED user
EmailChangeSucceeded user.email_changed SUCCEEDED user *old_email *new_email
EmailChangeFailed user.email_changed FAILED user reason
DeletionAttempted user.deleted ATTEMPTED user
DeletionSucceeded user.deleted SUCCEEDED user
DeletionFailed user.deleted FAILED user reason
AccountExported user.exported SOLE user
InvitationAttempted user.invited ATTEMPTED user *email role
InvitationSucceeded user.invited SUCCEEDED user *email role
InvitationFailed user.invited FAILED user *email reason
UserImportAttempted user.imported ATTEMPTED user *email
UserImportSucceeded user.imported SUCCEEDED user *email role is_verified is_active
UserImportFailed user.imported FAILED user *email reason
AccountChangeAttempted user.changed ATTEMPTED user *stated_reason?
AccountChangeSucceeded user.changed SUCCEEDED user
AccountChangeFailed user.changed FAILED user reason
RoleChanged user.role_changed SOLE user old new
ActivityChanged user.activity_changed SOLE user old new
LimitsChanged user.limits_changed SOLE user old_tier new_tier old_max_sessions new_max_sessions
AccountsViewed user.viewed SOLE user whose? *asked_for={}
TokensPurged user.tokens_purged SOLE - tokens device_passes=0 failure_counts=0
SignInLocked user.locked SOLE user *email failures until known_by?
AccountLockAttempted user.locked ATTEMPTED user *stated_reason?
AccountLockSucceeded user.locked SUCCEEDED user until
AccountLockFailed user.locked FAILED user reason
AccountUnlockAttempted user.unlocked ATTEMPTED user *stated_reason?
AccountUnlockSucceeded user.unlocked SUCCEEDED user
AccountUnlockFailed user.unlocked FAILED user reason
DevicePassGrantAttempted user.device_pass_granted ATTEMPTED user
DevicePassGrantSucceeded user.device_pass_granted SUCCEEDED user device_pass
DevicePassGrantFailed user.device_pass_granted FAILED user reason
DevicesForgotten user.devices_forgotten SOLE user devices
UserLoginAttempted user.login ATTEMPTED session session_id? *email
UserLoginSucceeded user.login SUCCEEDED session session_id? *device marks=() known_device=False
UserLoginFailed user.login FAILED session session_id? *email reason known_device=False
SessionRefreshAttempted session.refreshed ATTEMPTED session session_id?
SessionRefreshSucceeded session.refreshed SUCCEEDED session session_id? generation repeated=False
SessionRefreshFailed session.refreshed FAILED session session_id? reason
ReauthenticationAttempted session.reauthenticated ATTEMPTED session session_id?
ReauthenticationSucceeded session.reauthenticated SUCCEEDED session session_id?
ReauthenticationFailed session.reauthenticated FAILED session session_id? reason
SessionRevocationAttempted session.revoked ATTEMPTED session session_id? *stated_reason?
SessionRevocationSucceeded session.revoked SUCCEEDED session session_id?
SessionRevocationFailed session.revoked FAILED session session_id? reason
SessionsRevocationAttempted sessions.revoked ATTEMPTED - *stated_reason?
SessionsRevocationSucceeded sessions.revoked SUCCEEDED - kept sessions
SessionsRevocationFailed sessions.revoked FAILED - reason
SessionEnded session.ended SOLE session session_id? reason
SessionsPurged sessions.purged SOLE - sessions personal_tokens
TokenRotationAttempted tokens.rotated ATTEMPTED user reason
TokenRotationSucceeded tokens.rotated SUCCEEDED user reason effective_at sessions personal_tokens
TokenRotationFailed tokens.rotated FAILED user reason
PersonalTokenCreationAttempted token.created ATTEMPTED personal_token token_id? *name scope
PersonalTokenCreationSucceeded token.created SUCCEEDED personal_token token_id? *name scope
PersonalTokenCreationFailed token.created FAILED personal_token token_id? reason
PersonalTokenRevocationAttempted token.revoked ATTEMPTED personal_token token_id?
PersonalTokenRevocationSucceeded token.revoked SUCCEEDED personal_token token_id?
PersonalTokenRevocationFailed token.revoked FAILED personal_token token_id? reason
TrailViewed audit.viewed SOLE user whose? *asked_for={}
EventsExported audit.exported SOLE user whose? *asked_for={}
EventViewed audit.viewed SOLE event event
TrailViewRefused audit.view_refused SOLE - path
TrailExported audit.exported SOLE - first last
TrailPruned audit.pruned SOLE - month before first last manifest
SubjectErased audit.subject_erased SOLE -
PseudonymsExpired audit.subject_erased SOLE - refs
KeyRotated audit.key_rotated SOLE - vkey
EpochBegun audit.epoch_begun SOLE - epoch
DatabaseTrusted audit.database_trusted SOLE - size
DemoSeeded demo.seeded SOLE - people seed
"""
LINES = {line.split()[0]: line for line in TABLE.strip().split("\n")}
OF_EVERY_EVENT = {"event_id", "occurred_at", "user_id"}
SECRETS = ("password", "passwd", "secret", "token", "hash", "salt", "key", "mac", "cookie")
HARMLESS = {"tokens", "personal_tokens", "token_id", "vkey"}  # counts, an id, a public key
EXAMPLES: dict[str, Any] = {
    "email": "test@example.com",
    "reason": "locked",
    "device": "Firefox on Linux",
    "until": NOON,
    "generation": 2,
}


def events_of(module: ModuleType) -> Iterator[type[DomainEvent]]:
    """But for those that others are made of."""
    for thing in vars(module).values():
        if isinstance(thing, type) and issubclass(thing, DomainEvent) and hasattr(thing, "action"):
            yield thing


CONTEXTS = (core_events, user_events, session_events, audit_events, demo_events)
EVENTS = {event.__name__: event for context in CONTEXTS for event in events_of(context)}
OF_PEOPLE = {name: one for name, one in EVENTS.items() if issubclass(one, UserEvent | SessionEvent)}


def all_of(base: type[DomainEvent]) -> Iterator[type[DomainEvent]]:
    for event in base.__subclasses__():
        yield event
        yield from all_of(event)


def standing(event: type[DomainEvent]) -> str:
    own = (field for field in fields(event) if field.name not in OF_EVERY_EVENT)
    about = event.resource_type or "-"
    return " ".join([event.__name__, event.action, event.phase.name, about, *map(told, own)])


def told(field: Field[Any]) -> str:
    name = f"*{field.name}" if field.metadata.get("personal") else field.name
    if field.default_factory is not MISSING:
        return f"{name}={field.default_factory()!r}"
    default = {MISSING: "", None: "?"}.get(field.default, f"={field.default!r}")
    return f"{name}{default}"


def example(name: str, **over: Any) -> DomainEvent:
    needed = {field.name for field in fields(EVENTS[name])} & EXAMPLES.keys()
    return EVENTS[name](**{one: EXAMPLES[one] for one in needed} | over)


class TestCatalogue:
    def test_the_table_has_every_event_that_there_is(self) -> None:
        assert EVENTS.keys() == LINES.keys()

    def test_no_event_lives_anywhere_else(self) -> None:
        ours = {each for each in all_of(DomainEvent) if not each.__module__.startswith("tests.")}
        assert {each for each in ours if hasattr(each, "action")} == set(EVENTS.values())

    @pytest.mark.conforms("L6")
    def test_every_action_that_is_attempted_has_both_outcomes(self) -> None:
        phases: dict[AuditAction, set[Phase]] = {}
        for event in OF_PEOPLE.values():
            phases.setdefault(event.action, set()).add(event.phase)
        attempted = {action: seen for action, seen in phases.items() if Phase.SOLE not in seen}
        whole = {Phase.ATTEMPTED, Phase.SUCCEEDED, Phase.FAILED}
        assert attempted == dict.fromkeys(attempted, whole)

    def test_no_two_events_say_the_same(self) -> None:
        said = [(event.action, event.phase) for event in OF_PEOPLE.values()]
        assert len(said) == len(set(said))


class TestEveryEvent:
    @pytest.mark.parametrize("name", LINES)
    def test_it_stands_on_the_trail_as_the_table_says(self, name: str) -> None:
        assert standing(EVENTS[name]) == LINES[name]

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
            "TrailViewRefused",
        }

    def test_only_a_deletion_erases_the_person(self) -> None:
        erasing = {name for name, event in EVENTS.items() if event.erases_subject}
        assert erasing == {"DeletionSucceeded"}

    @pytest.mark.conforms("L5")
    def test_no_field_could_carry_a_secret(self) -> None:
        names = {field.name for event in EVENTS.values() for field in fields(event)}
        assert {"email", "reason"} < names
        assert {name for name in names for secret in SECRETS if secret in name} == HARMLESS

    def test_none_can_be_changed(self) -> None:
        made: dict[str, Any] = {name: vars(event) for name, event in EVENTS.items()}
        frozen = {name for name, one in made.items() if one["__dataclass_params__"].frozen}
        assert frozen == LINES.keys()

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
