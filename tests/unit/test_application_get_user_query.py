from dataclasses import asdict

from core.errors import ErrorCode
from core.ids import uuid7
from tests.assertions import assert_failure, assert_success
from tests.factories import NOON, make_user
from tests.fakes.users import InMemoryUserRepository
from users.application.reading import GetUser, GetUserHandler
from users.domain.roles import Role


class TestGetUserQuery:
    def test_an_account_is_shown_as_what_may_be_read_of_it(self) -> None:
        user = make_user(role=Role.AUDITOR)
        handler = GetUserHandler(user_repo=InMemoryUserRepository({user.id: user}))
        profile = assert_success(handler.handle(GetUser(user_id=user.id)))
        assert asdict(profile) == {
            "id": user.id,
            "email": "test@example.com",
            "is_verified": True,
            "role": Role.AUDITOR,
            "created_at": NOON,
        }

    def test_an_account_that_is_not_there_is_not_found(self) -> None:
        handler = GetUserHandler(user_repo=InMemoryUserRepository())
        error = assert_failure(handler.handle(GetUser(user_id=uuid7())), ErrorCode.USER_NOT_FOUND)
        assert error.resource_type == "user"
