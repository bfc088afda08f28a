"""The limits of `core.quotas` at the API: REST framework's part of `core.throttling`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core.problems import Refused
from core.throttling import Client, KnownDevice, ThrottlePolicies, judge, unknown

if TYPE_CHECKING:  # it imports this module, by the setting
    from rest_framework.views import APIView

_USER: Final = ("api",)
_STRANGER: Final = ("public",)


class PolicyThrottle(BaseThrottle):
    """For DEFAULT_THROTTLE_CLASSES: REST framework asks it before the view's own method runs."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        user_id = getattr(request.user, "user_id", None)  # as `core.callers.Caller` has it
        policies: ThrottlePolicies = getattr(view, "throttle_policies", {})
        names = policies.get(request.method or "", _USER if user_id else _STRANGER)
        device: KnownDevice = getattr(view, "throttle_device", unknown)

        def account() -> object:
            return _field(request.data, "email")

        client = Client(account, lambda: device(request, account()), user_id)
        verdict = judge(names, client)
        view.headers |= verdict.headers
        if not verdict.passed:
            raise Refused(verdict.error)
        return True


def _field(data: object, name: str) -> object:
    return data.get(name) if isinstance(data, Mapping) else None
