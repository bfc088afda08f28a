from typing import Any

from rest_framework import serializers

from core.serializers import TextField
from core.validation import LONGEST_PASSWORD


class RegistrationSerializer(serializers.Serializer[Any]):
    email = TextField(max_length=254, help_text="Compared without regard to case.")
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
