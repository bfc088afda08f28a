"""Every error under `/api/` as a problem document (RFC 9457). The only place with HTTP numbers."""

from http import HTTPStatus
from typing import Any, Final, TypeVar

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework import exceptions

from core import context
from core.errors import DomainError, ErrorCode, RateLimitedError, ValidationError
from core.logging import ConsoleLogger
from core.result import Failure, Result

T = TypeVar("T")

CONTENT_TYPE: Final = "application/problem+json"

STATUS: Final[dict[ErrorCode, int]] = {
    ErrorCode.MALFORMED_REQUEST: 400,
    ErrorCode.VALIDATION_FAILED: 400,
    ErrorCode.INVALID_EMAIL: 400,
    ErrorCode.WEAK_PASSWORD: 400,
    ErrorCode.INVALID_ONE_USE_TOKEN: 400,
    ErrorCode.INVALID_CREDENTIALS: 401,
    ErrorCode.NOT_AUTHENTICATED: 401,
    ErrorCode.INVALID_TOKEN: 401,
    ErrorCode.INVALID_GRANT: 401,
    ErrorCode.REAUTHENTICATION_REQUIRED: 401,
    ErrorCode.PERMISSION_DENIED: 403,
    ErrorCode.REGISTRATION_CLOSED: 403,
    ErrorCode.OWN_ROLE: 403,
    ErrorCode.SESSION_REQUIRED: 403,
    ErrorCode.INSUFFICIENT_SCOPE: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.USER_NOT_FOUND: 404,
    ErrorCode.SESSION_NOT_FOUND: 404,
    ErrorCode.PERSONAL_TOKEN_NOT_FOUND: 404,
    ErrorCode.EVENT_NOT_FOUND: 404,
    ErrorCode.NOTHING_SEALED: 404,
    ErrorCode.METHOD_NOT_ALLOWED: 405,
    ErrorCode.NOT_ACCEPTABLE: 406,
    ErrorCode.EMAIL_ALREADY_EXISTS: 409,
    ErrorCode.ADMIN_ALREADY_EXISTS: 409,
    ErrorCode.LAST_ADMIN: 409,
    ErrorCode.ACCOUNT_INACTIVE: 409,
    ErrorCode.TOO_MANY_TOKENS: 409,
    ErrorCode.NOT_SEALED_YET: 409,
    ErrorCode.LENGTH_REQUIRED: 411,
    ErrorCode.REQUEST_TOO_LARGE: 413,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: 415,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.CACHE_ERROR: 503,
    ErrorCode.AUDIT_UNAVAILABLE: 503,
    ErrorCode.DATABASE_UNAVAILABLE: 503,
}
CODES: Final[dict[type[Exception], ErrorCode]] = {
    exceptions.ValidationError: ErrorCode.VALIDATION_FAILED,
    exceptions.ParseError: ErrorCode.MALFORMED_REQUEST,
    RequestDataTooBig: ErrorCode.REQUEST_TOO_LARGE,
    SuspiciousOperation: ErrorCode.MALFORMED_REQUEST,
    exceptions.AuthenticationFailed: ErrorCode.INVALID_TOKEN,
    exceptions.NotAuthenticated: ErrorCode.NOT_AUTHENTICATED,
    exceptions.PermissionDenied: ErrorCode.PERMISSION_DENIED,
    PermissionDenied: ErrorCode.PERMISSION_DENIED,
    exceptions.NotFound: ErrorCode.NOT_FOUND,
    Http404: ErrorCode.NOT_FOUND,
    exceptions.MethodNotAllowed: ErrorCode.METHOD_NOT_ALLOWED,
    exceptions.NotAcceptable: ErrorCode.NOT_ACCEPTABLE,
    exceptions.UnsupportedMediaType: ErrorCode.UNSUPPORTED_MEDIA_TYPE,
    exceptions.Throttled: ErrorCode.RATE_LIMITED,
}
_INTERNAL: Final = DomainError(
    ErrorCode.INTERNAL_ERROR, "Something went wrong here; it is logged under this trace id."
)
_NOT_AUTHENTICATED: Final = DomainError(
    ErrorCode.NOT_AUTHENTICATED,
    "Send an access token as `Authorization: Bearer …`; POST /api/v1/sessions gives one.",
)
_DATABASE_AWAY: Final = DomainError(
    ErrorCode.DATABASE_UNAVAILABLE, "The database does not answer now; try again."
)


class Refused(Exception):
    """Carries a refusal from a view to `handle_exception`."""

    def __init__(self, error: DomainError) -> None:
        super().__init__(error.code)
        self.error = error


def unwrap(result: Result[T, DomainError]) -> T:
    """The value of a Success; a Failure becomes the problem document of the response."""
    if isinstance(result, Failure):
        raise Refused(result.error)
    return result.value


def handle_exception(exception: Exception, handler_context: dict[str, Any]) -> HttpResponse:
    """For DRF's EXCEPTION_HANDLER."""
    request = handler_context["request"]
    error, headers = _as_error(exception)
    status = STATUS.get(error.code, 500)
    if status >= 500:
        _report(exception, error)
    if status == 401:
        headers["WWW-Authenticate"] = _challenge(error)
    return problem_response(status, error, instance=request.path, headers=headers)


def problem_response(
    status: int, error: DomainError, *, instance: str, headers: dict[str, str] | None = None
) -> HttpResponse:
    document: dict[str, Any] = {
        "type": f"urn:dashtam:problem:{error.code}",
        "title": error.code.replace("_", " ").capitalize(),
        "status": status,
        "detail": error.message,
        "instance": instance,
        "code": error.code,
        "trace_id": context.current().trace_id,
    }
    if errors := _field_errors(error):
        document["errors"] = errors
    response = JsonResponse(document, status=status, content_type=CONTENT_TYPE, headers=headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def _as_error(exception: Exception) -> tuple[DomainError, dict[str, str]]:
    if isinstance(exception, Refused):
        return exception.error, _retry_after(exception.error)
    if isinstance(exception, OperationalError | InterfaceError):
        return _DATABASE_AWAY, {}
    code = next((code for kind, code in CODES.items() if isinstance(exception, kind)), None)
    if code is None:
        return _INTERNAL, {}
    if isinstance(exception, exceptions.ValidationError):
        return _invalid(exception.detail), {}
    if code is ErrorCode.NOT_AUTHENTICATED:
        return _NOT_AUTHENTICATED, {}
    headers = {}
    if wait := getattr(exception, "wait", None):
        headers["Retry-After"] = str(wait)
    detail = getattr(exception, "detail", HTTPStatus(STATUS[code]).description)
    return DomainError(code, str(detail)), headers


def _invalid(detail: Any) -> DomainError:
    fields = detail if isinstance(detail, dict) else {"non_field_errors": detail}
    return DomainError(
        ErrorCode.VALIDATION_FAILED,
        "Some fields are not valid; see errors.",
        {"errors": {name: _sentences(errors) for name, errors in fields.items()}},
    )


def _sentences(errors: Any) -> list[str]:
    return [str(error) for error in errors] if isinstance(errors, list) else [str(errors)]


def _field_errors(error: DomainError) -> dict[str, list[str]]:
    if isinstance(error, ValidationError) and error.field:
        return {error.field: [error.message]}
    errors: dict[str, list[str]] = error.details.get("errors", {})
    return errors


def _retry_after(error: DomainError) -> dict[str, str]:
    return {"Retry-After": str(error.retry_after)} if isinstance(error, RateLimitedError) else {}


def _challenge(error: DomainError) -> str:
    """RFC 6750 §3: no error code when no credentials were given. RFC 9470 §3: the step up."""
    if error.code is ErrorCode.REAUTHENTICATION_REQUIRED:
        age = error.details["max_age"]
        return f'Bearer realm="dashtam", error="insufficient_user_authentication", max_age="{age}"'
    if error.code is ErrorCode.INVALID_TOKEN:
        return 'Bearer realm="dashtam", error="invalid_token"'
    return 'Bearer realm="dashtam"'


def _report(exception: Exception, error: DomainError) -> None:
    told = isinstance(exception, Refused)
    ConsoleLogger("dashtam.http").error(
        "request_failed",
        code=error.code,
        reason=getattr(error, "infrastructure_code", None),
        exc_info=None if told else exception,
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if not _is_api(request):
        return defaults.page_not_found(request, exception or Http404())
    error = DomainError(ErrorCode.NOT_FOUND, "There is nothing at this address.")
    return problem_response(404, error, instance=request.path)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _is_api(request):
        return defaults.bad_request(request, exception)
    error = DomainError(ErrorCode.MALFORMED_REQUEST, "This request cannot be read.")
    return problem_response(400, error, instance=request.path)


def server_error(request: HttpRequest) -> HttpResponse:
    if not _is_api(request):
        return defaults.server_error(request)
    return problem_response(500, _INTERNAL, instance=request.path)


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
