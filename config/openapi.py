"""The OpenAPI document: examples, and with which codes each operation refuses."""

from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Any, Final

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiExample

from audit.api.examples import EXAMPLES as OF_AUDIT
from audit.api.permissions import MayReadTheTrail
from core.documentation import Table, Told, status_of
from core.errors import ErrorCode
from core.problems import CONTENT_TYPE
from sessions_app.api.examples import EXAMPLES as OF_SESSIONS
from users.api.examples import EXAMPLES as OF_USERS
from users.api.permissions import IsAdmin, RecentlyAuthenticated

OPERATIONS: Final[Table] = {**OF_USERS, **OF_SESSIONS, **OF_AUDIT}
_ANYWHERE: Final = (
    ErrorCode.NOT_ACCEPTABLE,
    ErrorCode.RATE_LIMITED,
    ErrorCode.DATABASE_UNAVAILABLE,
)
_OF_A_BODY: Final = (
    ErrorCode.MALFORMED_REQUEST,
    ErrorCode.VALIDATION_FAILED,
    ErrorCode.LENGTH_REQUIRED,
    ErrorCode.REQUEST_TOO_LARGE,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE,
)
_OF_A_TOKEN: Final = (ErrorCode.NOT_AUTHENTICATED, ErrorCode.INVALID_TOKEN)
_BY_PERMISSION: Final = {
    RecentlyAuthenticated: ErrorCode.REAUTHENTICATION_REQUIRED,
    IsAdmin: ErrorCode.PERMISSION_DENIED,
    MayReadTheTrail: ErrorCode.PERMISSION_DENIED,
}


class DocumentedSchema(AutoSchema):
    """A status that has codes is told with them, whether or not the view names it."""

    def get_examples(self) -> list[OpenApiExample]:
        return list(self._told().examples())

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is not None:
            responses = operation["responses"]
            for status, codes in _by_status(self._codes(operation)):
                responses[str(status)] = self._refusal(status, codes)
            operation["responses"] = dict(sorted(responses.items()))
        return operation

    def _told(self) -> Told:
        return OPERATIONS.get(self.get_operation_id(), Told())

    def _codes(self, operation: dict[str, Any]) -> Iterator[ErrorCode]:
        told = self._told()
        yield from _ANYWHERE
        if told.is_recorded:
            yield ErrorCode.AUDIT_UNAVAILABLE
        places = {each["in"] for each in operation.get("parameters", [])}
        if "path" in places:  # what is no id is at no address
            yield ErrorCode.NOT_FOUND
        if "requestBody" in operation:
            yield from _OF_A_BODY
        elif "query" in places:
            yield ErrorCode.VALIDATION_FAILED
        if {"bearer": []} in operation.get("security", []):
            yield from self._codes_of_a_caller()
        yield from told.codes

    def _codes_of_a_caller(self) -> Iterator[ErrorCode]:
        yield from _OF_A_TOKEN
        needs_a_session = getattr(self.view, "token_scopes", None) == frozenset()
        yield ErrorCode.SESSION_REQUIRED if needs_a_session else ErrorCode.INSUFFICIENT_SCOPE
        for permission, code in _BY_PERMISSION.items():
            if permission in self.view.permission_classes:
                yield code

    def _refusal(self, status: int, codes: Sequence[ErrorCode]) -> dict[str, Any]:
        """Kept once for all that refuse so: the name says how."""
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name=".".join([str(status), *codes]),
            type=ResolvedComponent.RESPONSE,
            schema=_problem(status, codes),
            object=status,
        )
        self.registry.register_on_missing(component)
        return {"$ref": f"#/components/responses/{component.name}"}


def _by_status(codes: Iterable[ErrorCode]) -> list[tuple[int, list[ErrorCode]]]:
    found: dict[int, set[ErrorCode]] = {}
    for code in codes:
        found.setdefault(status_of(code), set()).add(code)
    return [(status, sorted(found[status])) for status in sorted(found)]


def _problem(status: int, codes: Sequence[ErrorCode]) -> dict[str, Any]:
    told = {"status": {"const": status}, "code": {"enum": [str(code) for code in codes]}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Problem"}, {"properties": told}]}
    return {
        "description": f"{HTTPStatus(status).phrase}: {', '.join(f'`{code}`' for code in codes)}",
        "content": {CONTENT_TYPE: {"schema": schema}},
    }
