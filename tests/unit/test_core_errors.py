from dataclasses import FrozenInstanceError

import pytest

from core.errors import (
    AuditError,
    AuthenticationError,
    AuthorizationError,
    CacheError,
    ConflictError,
    DomainError,
    ErrorCode,
    InfrastructureError,
    NotFoundError,
    RateLimitedError,
    SecretsError,
    ValidationError,
)
from core.ids import uuid7

KINDS = [
    ValidationError,
    NotFoundError,
    ConflictError,
    AuthenticationError,
    AuthorizationError,
    RateLimitedError,
    InfrastructureError,
    CacheError,
    SecretsError,
    AuditError,
]


class TestErrorCode:
    """A contract with programs: what stands here never changes its spelling."""

    @pytest.mark.parametrize("code", list(ErrorCode))
    def test_a_code_is_its_name_in_snake_case(self, code: ErrorCode):
        assert code.value == code.name.lower()

    def test_no_two_codes_are_the_same(self):
        assert len({code.value for code in ErrorCode}) == len(ErrorCode.__members__)


class TestDomainError:
    """A refusal is a value: returned in a Failure, never raised."""

    def test_it_is_not_an_exception(self):
        assert not issubclass(DomainError, BaseException)

    def test_its_text_is_code_and_message(self):
        error = DomainError(ErrorCode.INVALID_EMAIL, "Enter an e-mail address.")
        assert str(error) == "invalid_email: Enter an e-mail address."

    def test_it_has_no_details_unless_given(self):
        assert DomainError(ErrorCode.NOT_FOUND, "Nothing.").details == {}

    def test_details_are_not_shared_between_errors(self):
        one = DomainError(ErrorCode.NOT_FOUND, "Nothing.")
        assert one.details is not DomainError(ErrorCode.NOT_FOUND, "Nothing.").details

    @pytest.mark.parametrize("field", ["code", "message", "details"])
    def test_it_cannot_be_changed(self, field: str):
        error = DomainError(ErrorCode.NOT_FOUND, "Nothing.")
        with pytest.raises(FrozenInstanceError):
            setattr(error, field, None)

    @pytest.mark.parametrize("kind", KINDS)
    def test_every_refusal_is_a_domain_error(self, kind: type[DomainError]):
        error = kind(ErrorCode.NOT_FOUND, "Nothing.", {"more": 1})
        assert (error.code, error.message, error.details) == (
            ErrorCode.NOT_FOUND,
            "Nothing.",
            {"more": 1},
        )

    def test_errors_of_two_kinds_differ_though_their_words_are_the_same(self):
        conflict: DomainError = ConflictError(ErrorCode.NOT_FOUND, "Nothing.")
        assert conflict != AuthorizationError(ErrorCode.NOT_FOUND, "Nothing.")


class TestKinds:
    """What a kind of refusal knows beside code, message and details."""

    def test_a_validation_error_names_the_field(self):
        error = ValidationError(ErrorCode.INVALID_EMAIL, "No.", field="email")
        assert error.field == "email"

    def test_a_validation_error_may_be_about_no_field(self):
        assert ValidationError(ErrorCode.VALIDATION_FAILED, "No.").field is None

    def test_a_not_found_error_names_the_resource(self):
        user_id = uuid7()
        error = NotFoundError(
            ErrorCode.USER_NOT_FOUND, "No.", resource_type="user", resource_id=user_id
        )
        assert (error.resource_type, error.resource_id) == ("user", user_id)

    def test_a_not_found_error_may_name_none(self):
        error = NotFoundError(ErrorCode.NOT_FOUND, "No.")
        assert (error.resource_type, error.resource_id) == (None, None)

    def test_a_rate_limited_error_says_when_to_come_back(self):
        assert RateLimitedError(ErrorCode.RATE_LIMITED, "No.").retry_after == 60

    @pytest.mark.parametrize("kind", [CacheError, SecretsError, AuditError])
    def test_an_infrastructure_error_keeps_what_the_driver_said(
        self, kind: type[InfrastructureError]
    ):
        error = kind(ErrorCode.CACHE_ERROR, "No.", infrastructure_code="ConnectionError")
        assert error.infrastructure_code == "ConnectionError"
        assert kind(ErrorCode.CACHE_ERROR, "No.").infrastructure_code is None

    @pytest.mark.parametrize("kind", [CacheError, SecretsError, AuditError])
    def test_what_the_driver_said_is_not_in_the_text(self, kind: type[InfrastructureError]):
        error = kind(ErrorCode.CACHE_ERROR, "No.", infrastructure_code="ConnectionError")
        assert str(error) == "cache_error: No."
