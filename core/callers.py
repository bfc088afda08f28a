"""Who a request comes from, as far as every app may know."""

from typing import Protocol, runtime_checkable
from uuid import UUID

from rest_framework.request import Request


@runtime_checkable
class Caller(Protocol):
    @property
    def user_id(self) -> UUID: ...

    @property
    def role(self) -> str: ...


def caller_of(request: Request) -> Caller:
    """Of a request that `IsAuthenticated` has let pass."""
    caller: object = request.user
    assert isinstance(caller, Caller)
    return caller
