"""Making and ending personal access tokens."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from core.clock import SystemClock
from core.errors import DomainError
from core.keys import KeyRing
from core.ports import Clock, EventBusProtocol
from core.result import Failure, Result, Success
from sessions_app.domain.errors import (
    INVALID_LIFETIME,
    PERSONAL_TOKEN_NOT_FOUND,
    SCOPE_NOT_ALLOWED,
    TOO_MANY_TOKENS,
)
from sessions_app.domain.events import (
    PersonalTokenCreationAttempted,
    PersonalTokenCreationFailed,
    PersonalTokenCreationSucceeded,
    PersonalTokenRevocationAttempted,
    PersonalTokenRevocationFailed,
    PersonalTokenRevocationSucceeded,
)
from sessions_app.domain.personal_token import LONGEST_LIFE, MOST_TOKENS, PersonalToken, Scope
from sessions_app.ports import Owners, PersonalTokenRepository, RotationRepository
from users.domain.roles import Role
from users.domain.user import User


@dataclass(frozen=True, kw_only=True)
class CreatePersonalToken:
    user_id: UUID
    name: str
    scope: Scope
    lifetime: timedelta


@dataclass(frozen=True, kw_only=True)
class CreatePersonalTokenHandler:
    """The text of the token is told once; it can be derived again, and nobody does."""

    owners: Owners
    token_repo: PersonalTokenRepository
    rotations: RotationRepository
    event_bus: EventBusProtocol
    keys: KeyRing
    clock: Clock = SystemClock()
    new_salt: Callable[[], bytes] = field(default=lambda: secrets.token_bytes(32))

    def handle(self, command: CreatePersonalToken) -> Result[PersonalToken, DomainError]:
        self.event_bus.publish(
            PersonalTokenCreationAttempted(
                user_id=command.user_id, name=command.name, scope=command.scope
            )
        )
        now = self.clock.now()
        # Held: two requests at once do not come to one token more than there may be.
        owner = self.owners.lock(command.user_id)
        refusal = self._refusal(command, owner, now)
        if refusal is not None or owner is None:
            return self._refuse(command, refusal or PERSONAL_TOKEN_NOT_FOUND)
        token = PersonalToken(
            user_id=owner.id,
            name=command.name,
            scope=command.scope,
            created_at=now,
            expires_at=now + command.lifetime,
            key_id=self.keys.current,
            salt=self.new_salt(),
            version=owner.token_version,
            rotation=self.rotations.last(owner.id),
        )
        self.token_repo.save(token)
        self.event_bus.publish(
            PersonalTokenCreationSucceeded(
                user_id=owner.id, token_id=token.id, name=token.name, scope=token.scope
            )
        )
        return Success(token)

    def _refusal(
        self, command: CreatePersonalToken, owner: User | None, now: datetime
    ) -> DomainError | None:
        if owner is None or not owner.can_login():
            return PERSONAL_TOKEN_NOT_FOUND
        if not timedelta(0) < command.lifetime <= LONGEST_LIFE:
            return INVALID_LIFETIME
        if command.scope is Scope.INTROSPECT and owner.role is not Role.ADMIN:
            return SCOPE_NOT_ALLOWED
        if self.token_repo.count_live(owner.id, now) >= MOST_TOKENS:
            return TOO_MANY_TOKENS
        return None

    def _refuse(self, command: CreatePersonalToken, error: DomainError) -> Failure[DomainError]:
        self.event_bus.publish(
            PersonalTokenCreationFailed(user_id=command.user_id, reason=error.code)
        )
        return Failure(error)


@dataclass(frozen=True, kw_only=True)
class RevokePersonalToken:
    token_id: UUID
    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class RevokePersonalTokenHandler:
    token_repo: PersonalTokenRepository
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def handle(self, command: RevokePersonalToken) -> Result[None, DomainError]:
        user_id, token_id = command.user_id, command.token_id
        self.event_bus.publish(PersonalTokenRevocationAttempted(user_id=user_id, token_id=token_id))
        if not self.token_repo.end(token_id, user_id, self.clock.now()):
            self.event_bus.publish(
                PersonalTokenRevocationFailed(
                    user_id=user_id, token_id=token_id, reason=PERSONAL_TOKEN_NOT_FOUND.code
                )
            )
            return Failure(PERSONAL_TOKEN_NOT_FOUND)
        self.event_bus.publish(PersonalTokenRevocationSucceeded(user_id=user_id, token_id=token_id))
        return Success(None)
