from typing import Final

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

READERS: Final = frozenset({"auditor", "admin"})


class MayReadTheTrail(BasePermission):
    message = "Auditors and admins may read the trail."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return getattr(request.user, "role", None) in READERS
