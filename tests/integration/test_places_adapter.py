"""Places, out of a database that is made here."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from core import container
from sessions_app.places import GeoPlaces
from tests.factories import PASSWORD, UserFactory
from tests.plugin.fixtures import JsonClient


def names(text: str) -> dict[str, Any]:
    return {"names": {"en": text, "de": "anders"}}


@pytest.fixture
def city(tmp_path: Path) -> str:
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Test-City")
    writer.insert_network(
        IPSet(["192.0.2.0/24", "2001:db8::/32"]),
        {"city": names("Uppsala"), "country": names("Sweden")},
    )
    writer.insert_network(IPSet(["198.51.100.0/24"]), {"country": names("Sweden")})
    writer.insert_network(IPSet(["203.0.113.0/24"]), {"city": ["no", "names"]})
    file = tmp_path / "city.mmdb"
    writer.to_db_file(str(file))
    return str(file)


class TestPlaces:
    """Uses fixtures: caplog, city, tmp_path."""

    @pytest.mark.parametrize(
        ("address", "place"),
        [
            ("192.0.2.7", "Uppsala, Sweden"),
            ("2001:db8::1", "Uppsala, Sweden"),
            ("198.51.100.1", "Sweden"),
            ("203.0.113.1", None),
            ("127.0.0.1", None),
            ("no address", None),
            (None, None),
        ],
    )
    def test_it_says_what_is_known(self, city: str, address: str | None, place: str | None) -> None:
        assert GeoPlaces(city).describe(address) == place

    @pytest.mark.parametrize("content", [None, b"", b"no database"])
    def test_a_file_that_is_none_keeps_nobody_out(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes | None
    ) -> None:
        file = tmp_path / "broken.mmdb"
        if content is not None:
            file.write_bytes(content)
        assert GeoPlaces(str(file)).describe("192.0.2.7") is None
        assert "places_not_opened" in caplog.text


class TestSessions:
    """Uses fixtures: city, client, override."""

    def test_a_session_shows_where_it_began(
        self, client: JsonClient, city: str, override: Callable[..., Any]
    ) -> None:
        override(get_settings=replace(container.get_settings(), geoip_database=city))
        email = UserFactory.create().email
        body = {"email": email, "password": PASSWORD}
        tokens = client.post("/api/v1/sessions", json=body, REMOTE_ADDR="192.0.2.7").json()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens['access_token']}")
        (session,) = client.get("/api/v1/sessions").json()["results"]
        assert session["location"] == "Uppsala, Sweden"
