import re

from tests.mailing import delivered
from tests.plugin.fixtures import JsonClient
from users import models

EMAIL = "test@example.com"
PASSWORD = "SecurePass123!"


def register(client: JsonClient) -> str:
    client.post("/api/v1/users", json={"email": EMAIL, "password": PASSWORD})
    (token,) = set(re.findall(r"dsh_once_[\w-]+", str(delivered()[-1].body)))
    return str(token)


class TestEmailVerifications:
    """Uses fixtures: client."""

    def test_the_token_from_the_mail_opens_the_account(self, client: JsonClient) -> None:
        token = register(client)
        answer = client.post("/api/v1/email-verifications", json={"token": token})
        assert (answer.status_code, answer.content) == (204, b"")
        assert client.as_user(EMAIL, PASSWORD).get("/api/v1/users/me").status_code == 200

    def test_it_does_so_once(self, client: JsonClient) -> None:
        token = register(client)
        client.post("/api/v1/email-verifications", json={"token": token})
        answer = client.post("/api/v1/email-verifications", json={"token": token})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_one_use_token")
        assert answer.json()["errors"].keys() == {"token"}

    def test_a_token_that_is_used_and_one_that_never_was_are_answered_alike(
        self, client: JsonClient
    ) -> None:
        token = register(client)
        client.post("/api/v1/email-verifications", json={"token": token})
        tries = [token, token[:-5] + "AAAAA", "nonsense"]
        answers = [client.post("/api/v1/email-verifications", json={"token": one}) for one in tries]
        bodies = [answer.json() | {"trace_id": ""} for answer in answers]
        assert bodies == [bodies[0]] * 3
        assert models.User.objects.get().is_verified is True
