"""Where handlers are put together; see `users.wiring`."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from core import container
from core.database import InUnitOfWork
from core.errors import DomainError
from core.jobs import Job
from core.result import Result, Success
from mail import wiring as mail_wiring
from mail.letters import Letters
from sessions_app import exports
from sessions_app.adapters import NEW_SIGN_IN, REUSE, OutboxNotices, UserAgentNames
from sessions_app.application.authenticating import (
    AccessTokenAuthenticator,
    PersonalTokenAuthenticator,
)
from sessions_app.application.forfeiting import ForfeitedSessions
from sessions_app.application.introspecting import Introspector
from sessions_app.application.naming import TokenNames
from sessions_app.application.personal_tokens import (
    CreatePersonalToken,
    CreatePersonalTokenHandler,
    RevokePersonalToken,
    RevokePersonalTokenHandler,
)
from sessions_app.application.purging import PurgedSessions, PurgeSessions, PurgeSessionsHandler
from sessions_app.application.reauthenticating import Reauthenticate, ReauthenticateHandler
from sessions_app.application.refreshing import RefreshSession, RefreshSessionHandler
from sessions_app.application.revocation import (
    RevokeSession,
    RevokeSessionHandler,
    RevokeSessions,
    RevokeSessionsHandler,
)
from sessions_app.application.rotation import RotateTokens, RotateTokensHandler, Rotation
from sessions_app.application.signing_in import SignedIn, SignIn, SignInHandler
from sessions_app.domain.personal_token import PersonalToken
from sessions_app.domain.tokens import TokenPair
from sessions_app.places import GeoPlaces, Nowhere
from sessions_app.ports import Places
from sessions_app.queries import DjangoPersonalTokenReader, DjangoSessionReader
from sessions_app.repositories import (
    DjangoPersonalTokenRepository,
    DjangoRotationRepository,
    DjangoSessionRepository,
)
from users import wiring as users_wiring
from users.application.exporting import Sections
from users.repositories.accounts import DjangoUserRepository

_DAY: Final = timedelta(days=1).total_seconds()


def sign_in() -> InUnitOfWork[SignIn, SignedIn]:
    database = container.get_database()
    handler = SignInHandler(
        credentials=users_wiring.credentials(),
        session_repo=DjangoSessionRepository(database),
        device_names=UserAgentNames(),
        places=_places(),
        rotations=DjangoRotationRepository(database),
        notices=OutboxNotices(mail_wiring.outbox()),
        event_bus=container.get_event_bus(),
        keys=container.get_settings().token_keys,
    )
    return InUnitOfWork(handler, database)


def _places() -> Places:
    file = container.get_settings().geoip_database
    return GeoPlaces(file) if file else Nowhere()


def refresh_session() -> InUnitOfWork[RefreshSession, TokenPair]:
    database = container.get_database()
    handler = RefreshSessionHandler(
        session_repo=DjangoSessionRepository(database),
        session_reader=DjangoSessionReader(),
        notices=OutboxNotices(mail_wiring.outbox()),
        event_bus=container.get_event_bus(),
        keys=container.get_settings().token_keys,
    )
    return InUnitOfWork(handler, database)


def reauthenticate() -> InUnitOfWork[Reauthenticate, TokenPair]:
    database = container.get_database()
    handler = ReauthenticateHandler(
        credentials=users_wiring.credentials(),
        session_repo=DjangoSessionRepository(database),
        event_bus=container.get_event_bus(),
        keys=container.get_settings().token_keys,
    )
    return InUnitOfWork(handler, database)


def revoke_session() -> InUnitOfWork[RevokeSession, None]:
    database = container.get_database()
    handler = RevokeSessionHandler(
        session_repo=DjangoSessionRepository(database), event_bus=container.get_event_bus()
    )
    return InUnitOfWork(handler, database)


def forfeited_sessions() -> ForfeitedSessions:
    return ForfeitedSessions(
        session_repo=DjangoSessionRepository(container.get_database()),
        event_bus=container.get_event_bus(),
    )


def register_exports(sections: Sections) -> None:
    """What a person's export holds of this context."""
    sections.register("sessions", exports.sessions_of)
    sections.register("personal_tokens", exports.personal_tokens_of)


def revoke_sessions() -> InUnitOfWork[RevokeSessions, int]:
    database = container.get_database()
    handler = RevokeSessionsHandler(
        owners=DjangoUserRepository(database),
        session_repo=DjangoSessionRepository(database),
        devices=users_wiring.device_passes(),
        event_bus=container.get_event_bus(),
    )
    return InUnitOfWork(handler, database)


def authenticator() -> AccessTokenAuthenticator:
    return AccessTokenAuthenticator(
        session_reader=DjangoSessionReader(), keys=container.get_settings().token_keys
    )


def personal_token_authenticator() -> PersonalTokenAuthenticator:
    return PersonalTokenAuthenticator(
        token_reader=DjangoPersonalTokenReader(), keys=container.get_settings().token_keys
    )


def introspector() -> Introspector:
    return Introspector(sessions=authenticator(), tokens=personal_token_authenticator())


def end_by_token(text: str) -> Result[None, DomainError]:
    """Also a success where the token names nothing."""
    names = TokenNames(
        session_reader=DjangoSessionReader(),
        token_reader=DjangoPersonalTokenReader(),
        keys=container.get_settings().token_keys,
    )
    command = names.ending(text)
    if isinstance(command, RevokeSession):
        return revoke_session().handle(command)
    if isinstance(command, RevokePersonalToken):
        return revoke_personal_token().handle(command)
    return Success(None)


def create_personal_token() -> InUnitOfWork[CreatePersonalToken, PersonalToken]:
    database = container.get_database()
    handler = CreatePersonalTokenHandler(
        owners=DjangoUserRepository(database),
        token_repo=DjangoPersonalTokenRepository(database),
        rotations=DjangoRotationRepository(database),
        event_bus=container.get_event_bus(),
        keys=container.get_settings().token_keys,
    )
    return InUnitOfWork(handler, database)


def revoke_personal_token() -> InUnitOfWork[RevokePersonalToken, None]:
    database = container.get_database()
    handler = RevokePersonalTokenHandler(
        token_repo=DjangoPersonalTokenRepository(database), event_bus=container.get_event_bus()
    )
    return InUnitOfWork(handler, database)


def purge_sessions() -> InUnitOfWork[PurgeSessions, PurgedSessions]:
    return InUnitOfWork(_purge_of_sessions(), container.get_database())


def look_at_purge() -> PurgedSessions:
    """What would go, while nothing goes."""
    return _purge_of_sessions().look()


def _purge_of_sessions() -> PurgeSessionsHandler:
    database = container.get_database()
    return PurgeSessionsHandler(
        session_repo=DjangoSessionRepository(database),
        token_repo=DjangoPersonalTokenRepository(database),
        event_bus=container.get_event_bus(),
    )


def jobs() -> Sequence[Job]:
    """For `manage.py worker`."""
    return [Job("purge sessions", _DAY, _purge)]


def _purge() -> int:
    purged = purge_sessions().handle(PurgeSessions())
    return purged.value.total if isinstance(purged, Success) else 0


def rotate_tokens() -> InUnitOfWork[RotateTokens, Rotation]:
    return InUnitOfWork(_rotation(), container.get_database())


def look_at_rotation(command: RotateTokens) -> Result[Rotation, DomainError]:
    """What it would end, without ending it."""
    return _rotation().look(command)


def _rotation() -> RotateTokensHandler:
    database = container.get_database()
    return RotateTokensHandler(
        owners=DjangoUserRepository(database),
        rotations=DjangoRotationRepository(database),
        event_bus=container.get_event_bus(),
    )


def register_letters(letters: Letters) -> None:
    """The mails of this context, for whoever sends them."""
    for kind in (NEW_SIGN_IN, REUSE):
        letters.register(kind, lambda order: {})
