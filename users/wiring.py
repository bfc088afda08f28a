"""Where handlers are put together. Dependencies are looked up at each call, so that
`container.override(…)` reaches every view; a test passes the ports that it replaces."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from core import container
from core.database import Database, InUnitOfWork
from core.jobs import Job
from core.keys import KeyRing
from core.result import Success
from mail import wiring as mail_wiring
from mail.letters import Letters, Order
from users.adapters import (
    ALREADY_REGISTERED,
    LINKS,
    CacheCooldown,
    DjangoPasswordService,
    OutboxMailer,
    TokenLetters,
    addresses_on_disk,
    notice_kind,
    password_policy,
)
from users.application import links, passwords
from users.application.accounts import (
    ChangeAccount,
    ChangeAccountHandler,
    DeleteAccount,
    DeleteAccountHandler,
    InviteUser,
    InviteUserHandler,
    PurgedTokens,
    PurgeTokens,
    PurgeTokensHandler,
)
from users.application.addresses import (
    ChangeEmail,
    ChangeEmailHandler,
    RequestEmailChange,
    RequestEmailChangeHandler,
)
from users.application.administration import (
    CreateAdmin,
    CreateAdminHandler,
    IssueSetupLink,
    IssueSetupLinkHandler,
)
from users.application.credentials import PasswordCredentials
from users.application.device_passes import (
    DevicePasses,
    GrantDevicePass,
    GrantDevicePassHandler,
)
from users.application.exporting import ExportAccount, ExportAccountHandler, Sections
from users.application.importing import ImportUser, ImportUserHandler, RehearseImportHandler
from users.application.links import (
    LinkKind,
    OwnersLinks,
    RequestLink,
    RequestLinkHandler,
    StartPasswordReset,
    StartPasswordResetHandler,
)
from users.application.locking import (
    LockAccount,
    LockAccountHandler,
    UnlockAccount,
    UnlockAccountHandler,
)
from users.application.passwords import (
    ChangePassword,
    ChangePasswordHandler,
    ChoiceKind,
    ChoosePassword,
    ChoosePasswordHandler,
)
from users.application.reading import (
    GetUserHandler,
    ViewUser,
    ViewUserHandler,
    ViewUsers,
    ViewUsersHandler,
)
from users.application.registration import (
    RegisterUser,
    RegisterUserHandler,
    VerifyEmail,
    VerifyEmailHandler,
)
from users.domain.lockout import FailureCount
from users.domain.notices import Notice
from users.domain.tokens import OneUseToken
from users.domain.user import User
from users.queries import DjangoAccountRecords, DjangoUserDirectory
from users.repositories.accounts import DjangoUserRepository
from users.repositories.sign_in import DjangoDevicePassRepository, DjangoSignInGuard
from users.repositories.tokens import DjangoOneUseTokenRepository

_DAY: Final = timedelta(days=1).total_seconds()

export_sections = Sections()
"""What other contexts keep of a person, for the export."""


def register_user(**ports: Any) -> InUnitOfWork[RegisterUser, UUID]:
    database = container.get_database()
    defaults: dict[str, Any] = {
        "user_repo": DjangoUserRepository(database),
        "verification_token_repo": one_use_tokens(database),
        "password_service": DjangoPasswordService(),
        "event_bus": container.get_event_bus(),
        "policy": password_policy(),
        "cooldown": CacheCooldown(container.get_cache()),
        "mailer": mailer(),
        "is_open": container.get_settings().registration_open,
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


def import_user() -> InUnitOfWork[ImportUser, UUID]:
    database = container.get_database()
    handler = ImportUserHandler(
        user_repo=DjangoUserRepository(database),
        password_service=DjangoPasswordService(),
        event_bus=container.get_event_bus(),
    )
    return InUnitOfWork(handler, database)


@contextmanager
def rehearsed_import() -> Iterator[RehearseImportHandler]:
    """For the lines of one file."""
    with addresses_on_disk() as met:
        yield RehearseImportHandler(
            user_repo=DjangoUserRepository(container.get_database()), met=met
        )


def request_verification() -> InUnitOfWork[RequestLink, None]:
    return _request_link(links.VERIFICATION, CacheCooldown(container.get_cache()))


def request_password_reset() -> InUnitOfWork[RequestLink, None]:
    return _request_link(links.RESET, CacheCooldown(container.get_cache(), "reset"))


def _request_link(kind: LinkKind, cooldown: CacheCooldown) -> InUnitOfWork[RequestLink, None]:
    database = container.get_database()
    handler = RequestLinkHandler(
        kind=kind,
        user_repo=DjangoUserRepository(database),
        token_repo=one_use_tokens(database),
        cooldown=cooldown,
        mailer=mailer(),
        event_bus=container.get_event_bus(),
    )
    return InUnitOfWork(handler, database)


def start_password_reset() -> InUnitOfWork[StartPasswordReset, None]:
    database = container.get_database()
    handler = StartPasswordResetHandler(
        user_repo=DjangoUserRepository(database),
        token_repo=one_use_tokens(database),
        mailer=mailer(),
        event_bus=container.get_event_bus(),
    )
    return InUnitOfWork(handler, database)


def change_password() -> InUnitOfWork[ChangePassword, None]:
    database = container.get_database()
    handler = ChangePasswordHandler(
        user_repo=DjangoUserRepository(database),
        token_repo=one_use_tokens(database),
        credentials=credentials(),
        password_service=DjangoPasswordService(),
        mailer=mailer(),
        event_bus=container.get_event_bus(),
        policy=password_policy(),
    )
    return InUnitOfWork(handler, database)


def reset_password() -> InUnitOfWork[ChoosePassword, UUID]:
    return _choose_password(passwords.RESET)


def accept_invitation() -> InUnitOfWork[ChoosePassword, UUID]:
    return _choose_password(passwords.INVITATION)


def _choose_password(kind: ChoiceKind) -> InUnitOfWork[ChoosePassword, UUID]:
    database = container.get_database()
    handler = ChoosePasswordHandler(
        kind=kind,
        user_repo=DjangoUserRepository(database),
        token_repo=one_use_tokens(database),
        guard=_guard(database),
        passes=device_passes(),
        password_service=DjangoPasswordService(),
        mailer=mailer(),
        event_bus=container.get_event_bus(),
        policy=password_policy(),
    )
    return InUnitOfWork(handler, database)


def grant_device_pass() -> InUnitOfWork[GrantDevicePass, str]:
    database = container.get_database()
    handler = GrantDevicePassHandler(
        user_repo=DjangoUserRepository(database),
        token_repo=one_use_tokens(database),
        passes=device_passes(),
        event_bus=container.get_event_bus(),
    )
    return InUnitOfWork(handler, database)


def request_email_change() -> InUnitOfWork[RequestEmailChange, None]:
    database = container.get_database()
    handler = RequestEmailChangeHandler(
        user_repo=DjangoUserRepository(database),
        token_repo=one_use_tokens(database),
        cooldown=CacheCooldown(container.get_cache(), "email-change"),
        mailer=mailer(),
        event_bus=container.get_event_bus(),
    )
    return InUnitOfWork(handler, database)


def change_email() -> InUnitOfWork[ChangeEmail, UUID]:
    database = container.get_database()
    handler = ChangeEmailHandler(
        user_repo=DjangoUserRepository(database),
        token_repo=one_use_tokens(database),
        credentials=credentials(),
        mailer=mailer(),
        event_bus=container.get_event_bus(),
    )
    return InUnitOfWork(handler, database)


def change_account() -> InUnitOfWork[ChangeAccount, User]:
    database = container.get_database()
    handler = ChangeAccountHandler(
        user_repo=DjangoUserRepository(database),
        token_repo=one_use_tokens(database),
        event_bus=container.get_event_bus(),
    )
    return InUnitOfWork(handler, database)


def lock_account() -> InUnitOfWork[LockAccount, datetime]:
    database = container.get_database()
    handler = LockAccountHandler(
        user_repo=DjangoUserRepository(database),
        guard=_guard(database),
        passes=device_passes(),
        event_bus=container.get_event_bus(),
    )
    return InUnitOfWork(handler, database)


def unlock_account() -> InUnitOfWork[UnlockAccount, None]:
    database = container.get_database()
    handler = UnlockAccountHandler(
        user_repo=DjangoUserRepository(database),
        guard=_guard(database),
        event_bus=container.get_event_bus(),
    )
    return InUnitOfWork(handler, database)


def invite_user() -> InUnitOfWork[InviteUser, User]:
    database = container.get_database()
    handler = InviteUserHandler(
        user_repo=DjangoUserRepository(database),
        token_repo=one_use_tokens(database),
        password_service=DjangoPasswordService(),
        mailer=mailer(),
        event_bus=container.get_event_bus(),
    )
    return InUnitOfWork(handler, database)


def delete_account() -> InUnitOfWork[DeleteAccount, None]:
    database = container.get_database()
    handler = DeleteAccountHandler(
        user_repo=DjangoUserRepository(database),
        guard=_guard(database),
        mailer=mailer(),
        event_bus=container.get_event_bus(),
    )
    return InUnitOfWork(handler, database)


def export_account() -> InUnitOfWork[ExportAccount, Mapping[str, Any]]:
    database = container.get_database()
    handler = ExportAccountHandler(
        user_repo=DjangoUserRepository(database),
        records=DjangoAccountRecords(),
        sections=export_sections,
        event_bus=container.get_event_bus(),
    )
    return InUnitOfWork(handler, database)


def view_users() -> InUnitOfWork[ViewUsers, list[User]]:
    handler = ViewUsersHandler(directory=DjangoUserDirectory(), event_bus=container.get_event_bus())
    return InUnitOfWork(handler, container.get_database())


def view_user() -> InUnitOfWork[ViewUser, User]:
    database = container.get_database()
    handler = ViewUserHandler(
        user_repo=DjangoUserRepository(database), event_bus=container.get_event_bus()
    )
    return InUnitOfWork(handler, database)


def failures_of_strangers(user: User) -> FailureCount:
    """Of those who tried to sign in as `user` and are not known: their lock is the account's."""
    return _guard(container.get_database()).count(user.email)


def purge_tokens() -> InUnitOfWork[PurgeTokens, PurgedTokens]:
    return InUnitOfWork(_purge_of_tokens(), container.get_database())


def look_at_purge() -> PurgedTokens:
    """What would go, while nothing goes."""
    return _purge_of_tokens().look()


def _purge_of_tokens() -> PurgeTokensHandler:
    database = container.get_database()
    return PurgeTokensHandler(
        token_repo=one_use_tokens(database),
        pass_repo=DjangoDevicePassRepository(database),
        guard=_guard(database),
        event_bus=container.get_event_bus(),
    )


def jobs() -> Sequence[Job]:
    """For `manage.py worker`."""
    return [Job("purge one-use tokens", _DAY, _purge)]


def _purge() -> int:
    purged = purge_tokens().handle(PurgeTokens())
    return purged.value.total if isinstance(purged, Success) else 0


def get_user() -> GetUserHandler:
    return GetUserHandler(user_repo=DjangoUserRepository(container.get_database()))


def credentials() -> PasswordCredentials:
    """For the sign-in of `sessions_app`, inside its unit of work."""
    database = container.get_database()
    return PasswordCredentials(
        user_repo=DjangoUserRepository(database),
        guard=_guard(database),
        password_service=DjangoPasswordService(),
        passes=device_passes(),
        links=OwnersLinks(
            user_repo=DjangoUserRepository(database),
            token_repo=one_use_tokens(database),
            cooldown=CacheCooldown(container.get_cache(), "sign-in"),
            mailer=mailer(),
        ),
        event_bus=container.get_event_bus(),
    )


def device_passes() -> DevicePasses:
    return DevicePasses(
        pass_repo=DjangoDevicePassRepository(container.get_database()),
        event_bus=container.get_event_bus(),
        keys=token_keys(),
    )


def mailer() -> OutboxMailer:
    return OutboxMailer(mail_wiring.outbox())


def sign_in_guard() -> DjangoSignInGuard:
    return _guard(container.get_database())


def _guard(database: Database) -> DjangoSignInGuard:
    return DjangoSignInGuard(database, container.get_settings().guard_key)


def one_use_tokens(database: Database) -> DjangoOneUseTokenRepository:
    return DjangoOneUseTokenRepository(database, token_keys())


def register_letters(letters: Letters) -> None:
    """The mails of this context, for whoever sends them."""
    for kind in LINKS.values():
        letters.register(kind, _token_values)
    for kind in (ALREADY_REGISTERED, *map(notice_kind, Notice)):
        letters.register(kind, lambda order: {})


def _token_values(order: Order) -> Mapping[str, Any] | None:
    return TokenLetters(one_use_tokens(container.get_database()), token_keys()).values(order)


def token_keys() -> KeyRing:
    return container.get_settings().token_keys
