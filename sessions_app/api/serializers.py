from typing import Any

from rest_framework import serializers

from core.serializers import FlagField, IdField, NumberField, TextField
from core.validation import LONGEST_PASSWORD
from sessions_app.application.rotation import LONGEST_GRACE
from sessions_app.domain.familiarity import Mark
from sessions_app.domain.personal_token import LONGEST_LIFE, Scope
from users.api.serializers import DevicePassSerializer


class CredentialsSerializer(serializers.Serializer[Any]):
    email = TextField(max_length=254)
    password = TextField(max_length=LONGEST_PASSWORD)


class PasswordSerializer(serializers.Serializer[Any]):
    password = TextField(max_length=LONGEST_PASSWORD)


class RefreshSerializer(serializers.Serializer[Any]):
    refresh_token = TextField(max_length=256)


class TokensSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.CharField(help_text="Bearer")
    expires_in = serializers.IntegerField(help_text="Seconds that the access token lives.")


class SignedInSerializer(TokensSerializer, DevicePassSerializer):
    pass


class SessionSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    device = serializers.CharField()
    ip_address = serializers.IPAddressField(allow_null=True)
    location = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    is_current = serializers.BooleanField()
    marks = serializers.ListField(
        child=serializers.ChoiceField(choices=[mark.value for mark in Mark]),
        help_text="What was new about it when it began.",
    )


class SessionPageSerializer(serializers.Serializer[Any]):
    results = SessionSerializer(many=True)
    next = serializers.URLField(allow_null=True, help_text="The page after this one.")


class NewPersonalTokenSerializer(serializers.Serializer[Any]):
    name = TextField(max_length=64, help_text="What it is for.")
    scope = serializers.ChoiceField(
        choices=[scope.value for scope in Scope],
        help_text="`write` reads too; `introspect` is for admins to give.",
    )
    expires_in_days = NumberField(min_value=1, max_value=LONGEST_LIFE.days, default=90)


class PersonalTokenSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    scope = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    token = serializers.CharField(required=False, help_text="When it is made, and never again.")


class PersonalTokenListSerializer(serializers.Serializer[Any]):
    results = PersonalTokenSerializer(many=True)


class ShownTokenSerializer(serializers.Serializer[Any]):
    token = TextField(max_length=4096)


class IntrospectionSerializer(serializers.Serializer[Any]):
    """RFC 7662 §2.2. Everything but `active` is missing for a token that is not live."""

    active = serializers.BooleanField()
    token_type = serializers.CharField(required=False)
    sub = serializers.UUIDField(required=False)
    username = serializers.EmailField(required=False)
    role = serializers.CharField(required=False)
    scope = serializers.CharField(required=False)
    iat = serializers.IntegerField(required=False)
    exp = serializers.IntegerField(required=False)
    sid = serializers.UUIDField(required=False, help_text="Of a session's token.")


class EndedSessionsSerializer(serializers.Serializer[Any]):
    sessions = serializers.IntegerField(help_text="How many ended.")


class RotationOrderSerializer(serializers.Serializer[Any]):
    user_id = IdField(required=False, help_text="Everybody where it is missing.")
    reason = TextField(max_length=256, help_text="For the audit trail.")
    grace_seconds = NumberField(
        min_value=0, max_value=int(LONGEST_GRACE.total_seconds()), default=0
    )
    dry_run = FlagField(default=False)


class RotationSerializer(serializers.Serializer[Any]):
    sessions = serializers.IntegerField()
    personal_tokens = serializers.IntegerField()
    effective_at = serializers.DateTimeField()
