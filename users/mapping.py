"""From rows to entities."""

from users import models
from users.domain.roles import Role, SessionTier
from users.domain.user import User


def user_entity(row: models.User) -> User:
    return User(
        id=row.id,
        email=row.email,
        password_hash=row.password,
        is_verified=row.is_verified,
        is_active=row.is_active,
        role=Role(row.role),
        session_tier=SessionTier(row.session_tier),
        max_sessions=row.max_sessions,
        token_version=row.token_version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def user_or_none(row: models.User | None) -> User | None:
    return user_entity(row) if row else None
