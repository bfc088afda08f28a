from datetime import timedelta
from typing import Any

from rest_framework import serializers

from core.serializers import (
    EmailTextField,
    FlagField,
    NumberField,
    QuerySerializer,
    TextField,
    YesField,
)
from core.validation import LONGEST_PASSWORD, LONGEST_REASON
from users.application.locking import LONGEST_LOCK
from users.domain.roles import Role, SessionTier


class RegistrationSerializer(serializers.Serializer[Any]):
    email = EmailTextField(max_length=254, help_text="Compared without regard to case.")
    password = TextField(
        max_length=LONGEST_PASSWORD,
        help_text="At least 12 characters, not a common one; spaces and any Unicode count.",
    )


class UserSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    is_verified = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class ProfileSerializer(UserSerializer):
    role = serializers.CharField()


class EmailVerificationSerializer(serializers.Serializer[Any]):
    token = TextField(max_length=256, help_text="From the mail.")


class DevicePassSerializer(serializers.Serializer[Any]):
    device_token = serializers.CharField(
        help_text="For `X-Device-Token`: strangers cannot lock this device out."
    )


class EmailSerializer(serializers.Serializer[Any]):
    """Any text: the answer is the same for each."""

    email = TextField(max_length=254)


class NewEmailSerializer(serializers.Serializer[Any]):
    email = EmailTextField(max_length=254)


class NewPasswordSerializer(serializers.Serializer[Any]):
    token = TextField(max_length=256, help_text="From the mail.")
    password = TextField(max_length=LONGEST_PASSWORD)


class PasswordChangeSerializer(serializers.Serializer[Any]):
    current_password = TextField(max_length=LONGEST_PASSWORD)
    new_password = TextField(max_length=LONGEST_PASSWORD)


class AccountSerializer(ProfileSerializer):
    """As admins see it."""

    is_active = serializers.BooleanField()
    session_tier = serializers.CharField()
    max_sessions = serializers.IntegerField(allow_null=True)
    updated_at = serializers.DateTimeField()


class AccountPageSerializer(serializers.Serializer[Any]):
    results = AccountSerializer(many=True)
    next = serializers.URLField(allow_null=True, help_text="The page after this one.")


class AccountsQuerySerializer(QuerySerializer):
    email = TextField(required=False, max_length=254, help_text="The whole address, in any case.")
    role = serializers.ChoiceField(list(Role), required=False)
    is_active = serializers.BooleanField(required=False, allow_null=True, default=None)
    before = serializers.UUIDField(required=False, help_text="Continue after this account.")
    limit = serializers.IntegerField(required=False, default=50, min_value=1, max_value=200)


class InvitationOrderSerializer(NewEmailSerializer):
    role = serializers.ChoiceField(list(Role), default=Role.USER)


class StatedReasonSerializer(serializers.Serializer[Any]):
    reason = TextField(
        required=False,
        max_length=LONGEST_REASON,
        source="stated_reason",
        help_text="Why, in words: it stands on the trail.",
    )


class AccountChangesSerializer(StatedReasonSerializer):
    """What is left out stays."""

    is_verified = YesField(required=False, help_text="Only true: an admin vouches for it.")
    role = serializers.ChoiceField(list(Role), required=False)
    is_active = FlagField(required=False)
    session_tier = serializers.ChoiceField(list(SessionTier), required=False)
    max_sessions = NumberField(
        required=False,
        allow_null=True,
        min_value=1,
        max_value=1000,
        help_text="In the place of the tier's limit; null: the tier's.",
    )


class LockSerializer(StatedReasonSerializer):
    hours = NumberField(
        required=False, default=24, min_value=1, max_value=LONGEST_LOCK // timedelta(hours=1)
    )


class LockedSerializer(serializers.Serializer[Any]):
    locked_until = serializers.DateTimeField()


class ExportSerializer(serializers.Serializer[Any]):
    """Sections that other contexts add stand beside these."""

    account = serializers.DictField()
    mailed_links = serializers.ListField(child=serializers.DictField())
    known_devices = serializers.ListField(child=serializers.DictField())
    sessions = serializers.ListField(child=serializers.DictField())
    personal_tokens = serializers.ListField(child=serializers.DictField())
