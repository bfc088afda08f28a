"""Where handlers are put together. Dependencies are looked up at each call, so that
`container.override(…)` reaches every view; a test passes the ports that it replaces."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from core import container
from core.database import Database, InUnitOfWork
from core.keys import KeyRing
from mail import wiring as mail_wiring
from mail.letters import Letters, Order
from users.adapters import (
    ALREADY_REGISTERED,
    VERIFICATION,
    CacheCooldown,
    DjangoPasswordService,
    OutboxMailer,
    TokenLetters,
    password_policy,
)
from users.application.administration import (
    CreateAdmin,
    CreateAdminHandler,
    IssueSetupLink,
    IssueSetupLinkHandler,
)
from users.application.credentials import PasswordCredentials
from users.application.reading import GetUserHandler
from users.application.registration import (
    RegisterUser,
    RegisterUserHandler,
    VerifyEmail,
    VerifyEmailHandler,
)
from users.domain.tokens import OneUseToken
from users.repositories import (
    DjangoOneUseTokenRepository,
    DjangoSignInGuard,
    DjangoUserRepository,
)


def register_user(**ports: Any) -> InUnitOfWork[RegisterUser, UUID]:
    database = container.get_database()
    defaults: dict[str, Any] = {
        "user_repo": DjangoUserRepository(database),
        "verification_token_repo": one_use_tokens(database),
        "password_service": DjangoPasswordService(),
        "event_bus": container.get_event_bus(),
        "policy": password_policy(),
        "cooldown": CacheCooldown(container.get_cache()),
        "mailer": OutboxMailer(mail_wiring.outbox()),
    }
    return InUnitOfWork(RegisterUserHandler(**defaults | ports), database)


def verify_email() -> InUnitOfWork[VerifyEmail, UUID]:
    database = container.get_database()
    handler = VerifyEmailHandler(
        user_repo=DjangoUserRepository(database),
        verification_token_repo=one_use_tokens(database),
        password_service=DjangoPasswordService(),
        event_bus=container.get_event_bus(),
    )
    return InUnitOfWork(handler, database)


def issue_setup_link() -> InUnitOfWork[IssueSetupLink, OneUseToken]:
    database = container.get_database()
    handler = IssueSetupLinkHandler(
        user_repo=DjangoUserRepository(database),
        setup_token_repo=one_use_tokens(database),
        event_bus=container.get_event_bus(),
    )
    return InUnitOfWork(handler, database)


def create_admin() -> InUnitOfWork[CreateAdmin, UUID]:
    database = container.get_database()
    handler = CreateAdminHandler(
        user_repo=DjangoUserRepository(database),
        setup_token_repo=one_use_tokens(database),
        password_service=DjangoPasswordService(),
        event_bus=container.get_event_bus(),
        policy=password_policy(),
    )
    return InUnitOfWork(handler, database)


def get_user() -> GetUserHandler:
    return GetUserHandler(user_repo=DjangoUserRepository(container.get_database()))


def credentials() -> PasswordCredentials:
    """For the sign-in of `sessions_app`, inside its unit of work."""
    database = container.get_database()
    return PasswordCredentials(
        user_repo=DjangoUserRepository(database),
        guard=DjangoSignInGuard(database, container.get_settings().guard_key),
        password_service=DjangoPasswordService(),
    )


def one_use_tokens(database: Database) -> DjangoOneUseTokenRepository:
    return DjangoOneUseTokenRepository(database, token_keys())


def register_letters(letters: Letters) -> None:
    """The mails of this context, for whoever sends them."""
    letters.register(VERIFICATION, _token_values)
    letters.register(ALREADY_REGISTERED, lambda order: {})


def _token_values(order: Order) -> Mapping[str, Any] | None:
    return TokenLetters(one_use_tokens(container.get_database()), token_keys()).values(order)


def token_keys() -> KeyRing:
    return container.get_settings().token_keys
