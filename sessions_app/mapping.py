"""From rows to entities, and an entity's rule for the database."""

from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from sessions_app import models
from sessions_app.domain.familiarity import Mark
from sessions_app.domain.personal_token import PersonalToken, Scope
from sessions_app.domain.session import (
    ABSOLUTE_LIMIT,
    IDLE_LIMIT,
    DeviceSession,
    EndReason,
    SessionKind,
)


def live_sessions(now: datetime) -> Q:
    """As `DeviceSession.is_live` has it, for the database."""
    return Q(
        ~Exists(_rotations().filter(effective_at__lte=now)),
        revoked_at__isnull=True,
        last_seen_at__gt=now - IDLE_LIMIT,
        created_at__gt=now - ABSOLUTE_LIMIT,
    )


def sessions_over(before: datetime) -> Q:
    return (
        Q(revoked_at__lt=before)
        | Q(last_seen_at__lt=before - IDLE_LIMIT)
        | Q(created_at__lt=before - ABSOLUTE_LIMIT)
    )


def tokens_over(before: datetime) -> Q:
    return Q(revoked_at__lt=before) | Q(expires_at__lt=before)


def rotated_at() -> Subquery:
    """Of a session or a token: when the first of the rotations since it began takes effect."""
    return Subquery(_rotations().order_by("effective_at").values("effective_at")[:1])


def _rotations() -> QuerySet[models.TokenRotation]:
    of_everybody_or_its_owner = Q(user__isnull=True) | Q(user=OuterRef("user_id"))
    return models.TokenRotation.objects.filter(
        of_everybody_or_its_owner, number__gt=OuterRef("rotation")
    )


def session_entity(row: models.DeviceSession) -> DeviceSession:
    return DeviceSession(
        id=row.id,
        user_id=row.user_id,
        kind=SessionKind(row.kind),
        device=row.device,
        ip_address=row.ip_address,
        location=row.location,
        created_at=row.created_at,
        authenticated_at=row.authenticated_at,
        last_seen_at=row.last_seen_at,
        generation=row.generation,
        generation_began_at=row.generation_began_at,
        first_used_at=row.first_used_at,
        key_id=row.key_id,
        previous_key_id=row.previous_key_id,
        previous_ends_at=row.previous_ends_at,
        salt=bytes(row.salt),
        version=row.version,
        rotation=row.rotation,
        rotated_at=getattr(row, "rotated_at", None),
        marks=tuple(map(Mark, row.marks)),
        revoked_at=row.revoked_at,
        revoked_reason=EndReason(row.revoked_reason) if row.revoked_reason else None,
    )


def live_tokens(now: datetime) -> Q:
    """As `PersonalToken.is_live` has it, for the database."""
    return Q(
        ~Exists(_rotations().filter(effective_at__lte=now)),
        revoked_at__isnull=True,
        expires_at__gt=now,
    )


def token_entity(row: models.PersonalToken) -> PersonalToken:
    return PersonalToken(
        id=row.id,
        user_id=row.user_id,
        name=row.name,
        scope=Scope(row.scope),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        key_id=row.key_id,
        salt=bytes(row.salt),
        version=row.version,
        rotation=row.rotation,
        rotated_at=getattr(row, "rotated_at", None),
        revoked_at=row.revoked_at,
    )
