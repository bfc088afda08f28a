"""The rows. They change through repositories alone; the entities are in `domain`."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from core.ids import uuid7
from users.domain.roles import Role, SessionTier
from users.domain.tokens import Purpose


def _choices(enum: type[Role] | type[SessionTier] | type[Purpose]) -> list[tuple[str, str]]:
    return [(member.value, member.value.replace("_", " ")) for member in enum]


class User(AbstractBaseUser):
    """The column `password` holds the hash, under the name that Django gives it. Those that were
    brought along can be longer than Django's own."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    password = models.CharField(max_length=255)
    email = models.EmailField(max_length=254)
    is_verified = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    role = models.CharField(max_length=16, choices=_choices(Role), default=Role.USER)
    session_tier = models.CharField(
        max_length=16, choices=_choices(SessionTier), default=SessionTier.BASIC
    )
    max_sessions = models.PositiveIntegerField(null=True, blank=True)
    token_version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    # Sessions know when somebody signed in; a column here would be written at each one.
    last_login = None
    USERNAME_FIELD = "email"
    objects = BaseUserManager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="users_email_unique")]

    def __str__(self) -> str:
        return self.email

    @property
    def is_staff(self) -> bool:
        return self.is_active and self.role in (Role.ADMIN, Role.AUDITOR)

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """The panel shows; what changes something is a handler with a rule of its own."""
        return self.is_staff and perm.partition(".")[2].startswith("view_")

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff


class OneUseToken(models.Model):
    """No column here, and no key alone, yields the token's text."""

    id = models.UUIDField(primary_key=True, editable=False)
    purpose = models.CharField(max_length=32, choices=_choices(Purpose))
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True)
    key_id = models.CharField(max_length=16)
    salt = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)
    email = models.EmailField(max_length=254, null=True)


class DevicePass(models.Model):
    """No column here, and no key alone, yields the pass's text."""

    id = models.UUIDField(primary_key=True, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    salt = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()


class SignInGuard(models.Model):
    """`key` is an HMAC of whose failures are counted: an address, known or not, or a device."""

    key = models.BinaryField(primary_key=True, max_length=32)
    # No constraint: looking for the account would take longer where there is one, and tell of it.
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, db_constraint=False)
    failures = models.PositiveIntegerField(default=0)
    locked_until = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()
