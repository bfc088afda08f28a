from typing import Any

from rest_framework import serializers

from core.serializers import TextField
from core.validation import LONGEST_PASSWORD


class CredentialsSerializer(serializers.Serializer[Any]):
    email = TextField(max_length=254)
    password = TextField(max_length=LONGEST_PASSWORD)


class RefreshSerializer(serializers.Serializer[Any]):
    refresh_token = TextField(max_length=256)


class TokensSerializer(serializers.Serializer[Any]):
    access_token = serializers.CharField()
    refresh_token = serializers.CharField()
    token_type = serializers.CharField(help_text="Bearer")
    expires_in = serializers.IntegerField(help_text="Seconds that the access token lives.")


class SessionSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    device = serializers.CharField()
    ip_address = serializers.IPAddressField(allow_null=True)
    location = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    is_current = serializers.BooleanField()


class SessionPageSerializer(serializers.Serializer[Any]):
    results = SessionSerializer(many=True)
    next = serializers.URLField(allow_null=True, help_text="The page after this one.")
