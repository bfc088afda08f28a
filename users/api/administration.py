from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import container
from core.problems import unwrap
from core.serializers import BODY_PROBLEMS, problem_responses
from users import wiring
from users.api.permissions import NO_SCOPE, IsAdmin, RecentlyAuthenticated
from users.api.principal import principal_of
from users.api.serializers import (
    AccountChangesSerializer,
    AccountPageSerializer,
    AccountSerializer,
    AccountsQuerySerializer,
    InvitationOrderSerializer,
    LockedSerializer,
    LockSerializer,
    StatedReasonSerializer,
)
from users.application.accounts import ChangeAccount, InviteUser
from users.application.links import StartPasswordReset
from users.application.locking import LockAccount, UnlockAccount
from users.application.reading import ViewUser, ViewUsers
from users.ports import UserCriteria


class AdministrationView(APIView):
    """For admins who have proved their password just now."""

    token_scopes = NO_SCOPE
    permission_classes = (IsAuthenticated, IsAdmin, RecentlyAuthenticated)


class AccountsView(AdministrationView):
    @extend_schema(
        operation_id="list_accounts",
        summary="List accounts, newest first",
        parameters=[AccountsQuerySerializer],
        responses={200: AccountPageSerializer} | problem_responses(400, 401, 403, 503),
    )
    def get(self, request: Request) -> Response:
        """That an admin looks is on record, with what they asked for."""
        form = AccountsQuerySerializer(data=request.query_params)
        form.is_valid(raise_exception=True)
        asked = dict(form.validated_data)
        before, size = asked.pop("before", None), asked.pop("limit")
        query = ViewUsers(
            viewer=principal_of(request).user_id,
            criteria=UserCriteria(**asked),
            before=before,
            size=size + 1,
        )
        found = unwrap(wiring.view_users().handle(query))
        page = found[:size]
        following = _address_after(request, page[-1].id) if len(found) > size else None
        return Response(AccountPageSerializer({"results": page, "next": following}).data)

    @extend_schema(
        operation_id="invite_user",
        summary="Invite a person: make an account whose password they choose by mail",
        request=InvitationOrderSerializer,
        responses={201: AccountSerializer} | BODY_PROBLEMS | problem_responses(401, 403, 409, 503),
    )
    def post(self, request: Request) -> Response:
        """The link works once, for 72 hours; afterwards a password reset does the same."""
        form = InvitationOrderSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        invited = unwrap(wiring.invite_user().handle(InviteUser(**form.validated_data)))
        return Response(AccountSerializer(invited).data, status=201)


class AccountView(AdministrationView):
    @extend_schema(
        operation_id="get_account",
        summary="Read an account",
        responses={200: AccountSerializer} | problem_responses(401, 403, 404, 503),
    )
    def get(self, request: Request, user_id: UUID) -> Response:
        query = ViewUser(viewer=principal_of(request).user_id, user_id=user_id)
        return Response(AccountSerializer(unwrap(wiring.view_user().handle(query))).data)

    @extend_schema(
        operation_id="change_account",
        summary="Change an account's role, activity or limits, or vouch for its address",
        request=AccountChangesSerializer,
        responses={200: AccountSerializer}
        | BODY_PROBLEMS
        | problem_responses(401, 403, 404, 409, 503),
    )
    def patch(self, request: Request, user_id: UUID) -> Response:
        """All of it or nothing. A deactivation or a lower role ends all sessions of the person.
        Nobody changes their own role, and the last admin stays one."""
        form = AccountChangesSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        command = ChangeAccount(
            user_id=user_id, actor_id=principal_of(request).user_id, **form.validated_data
        )
        return Response(AccountSerializer(unwrap(wiring.change_account().handle(command))).data)


class AccountResetTokensView(AdministrationView):
    @extend_schema(
        operation_id="start_password_reset",
        summary="Mail a person a link on which they choose a new password",
        request=StatedReasonSerializer,
        responses={202: None} | BODY_PROBLEMS | problem_responses(401, 403, 404, 409, 503),
    )
    def post(self, request: Request, user_id: UUID) -> Response:
        """The admin learns nothing of it; the password that there is works meanwhile."""
        form = StatedReasonSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        command = StartPasswordReset(user_id=user_id, **form.validated_data)
        unwrap(wiring.start_password_reset().handle(command))
        return Response(status=202)


class AccountLocksView(AdministrationView):
    @extend_schema(
        operation_id="lock_account",
        summary="Let nobody sign in on an account for some hours",
        request=LockSerializer,
        responses={201: LockedSerializer} | BODY_PROBLEMS | problem_responses(401, 403, 404, 503),
    )
    def post(self, request: Request, user_id: UUID) -> Response:
        """Known devices become strangers; sessions that are there go on. A password reset by mail
        lifts it: to shut a person out, set `is_active` to false."""
        form = LockSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        values = dict(form.validated_data)
        period = timedelta(hours=values.pop("hours"))
        command = LockAccount(user_id=user_id, period=period, **values)
        locked_until = unwrap(wiring.lock_account().handle(command))
        return Response(LockedSerializer({"locked_until": locked_until}).data, status=201)


class AccountUnlocksView(AdministrationView):
    @extend_schema(
        operation_id="unlock_account",
        summary="Lift every lock of an account",
        request=StatedReasonSerializer,
        responses={204: None} | BODY_PROBLEMS | problem_responses(401, 403, 404, 503),
    )
    def post(self, request: Request, user_id: UUID) -> Response:
        """Of strangers and of each device; failures are counted from nothing again."""
        form = StatedReasonSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        unwrap(
            wiring.unlock_account().handle(UnlockAccount(user_id=user_id, **form.validated_data))
        )
        return Response(status=204)


def _address_after(request: Request, last: UUID) -> str:
    asked = {**request.query_params.dict(), "before": str(last)}
    return f"{container.get_settings().public_url}{request.path}?{urlencode(asked)}"
