"""What a request with an access token costs when nothing is due to be noted. Run as a program, it
says so of the database in DATABASE_URL."""

import sys
from unittest import mock


def cost_of_a_request() -> tuple[list[str], int]:
    """The SQL of `GET /users/me`, and how many MACs were made."""
    from django.contrib.auth.hashers import make_password
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from core.keys import KeyRing
    from tests.factories import PASSWORD, UserFactory

    user = UserFactory.create(password=make_password(PASSWORD))
    client = Client(SERVER_NAME="127.0.0.1")
    credentials = {"email": user.email, "password": PASSWORD}
    tokens = client.post("/api/v1/sessions", credentials, "application/json").json()
    header = {"HTTP_AUTHORIZATION": f"Bearer {tokens['access_token']}"}
    client.get("/api/v1/users/me", **header)  # type: ignore[arg-type]  # its first use is noted
    with (
        CaptureQueriesContext(connection) as queries,
        mock.patch.object(KeyRing, "mac", autospec=True, side_effect=KeyRing.mac) as mac,
    ):
        answer = client.get("/api/v1/users/me", **header)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.content
    return [query["sql"] for query in queries], mac.call_count


if __name__ == "__main__":
    import django

    django.setup()
    statements, macs = cost_of_a_request()
    sys.stdout.write(f"{len(statements)} {macs}\n")
