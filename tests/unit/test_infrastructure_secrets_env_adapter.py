import pytest

from core.errors import ErrorCode
from core.ports import SecretsProtocol
from core.secrets import EnvironmentSecrets
from tests.assertions import assert_failure, assert_success


class TestGetSecret:
    """Uses `monkeypatch` for the environment."""

    @pytest.mark.parametrize(
        ("path", "variable"),
        [
            ("database/url", "DATABASE_URL_FOR_TESTS"),
            ("database/url/", "DATABASE_URL_FOR_TESTS"),
            ("/database/url", "DATABASE_URL_FOR_TESTS"),
            ("Database/Url", "DATABASE_URL_FOR_TESTS"),
        ],
    )
    def test_a_path_is_the_variable_of_the_same_words(
        self, monkeypatch: pytest.MonkeyPatch, path: str, variable: str
    ):
        monkeypatch.setenv(variable, "hunter2")
        found = EnvironmentSecrets().get_secret(path.rstrip("/") + "-for/tests")
        assert assert_success(found) == "hunter2"

    def test_slashes_around_a_path_do_not_matter(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("PROVIDER_KEY", "hunter2")
        assert assert_success(EnvironmentSecrets().get_secret("/provider/key/")) == "hunter2"

    @pytest.mark.parametrize("value", ["", " padded ", "$OTHER", "line\nbreak", "naïve"])
    def test_a_secret_comes_as_it_stands(self, monkeypatch: pytest.MonkeyPatch, value: str):
        monkeypatch.setenv("PROVIDER_KEY", value)
        assert assert_success(EnvironmentSecrets().get_secret("provider/key")) == value

    def test_a_secret_that_is_not_set_says_what_to_set(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.delenv("PROVIDER_API_KEY", raising=False)
        found = EnvironmentSecrets().get_secret("provider/api-key")
        error = assert_failure(found, ErrorCode.SECRET_NOT_FOUND)
        assert error.message == "Set the environment variable PROVIDER_API_KEY."

    def test_a_change_is_seen_at_once(self, monkeypatch: pytest.MonkeyPatch):
        secrets = EnvironmentSecrets()
        monkeypatch.setenv("PROVIDER_KEY", "old")
        secrets.get_secret("provider/key")
        monkeypatch.setenv("PROVIDER_KEY", "new")
        assert assert_success(secrets.get_secret("provider/key")) == "new"

    def test_to_refresh_changes_nothing(self, monkeypatch: pytest.MonkeyPatch):
        secrets = EnvironmentSecrets()
        monkeypatch.setenv("PROVIDER_KEY", "hunter2")
        secrets.refresh_cache()
        assert assert_success(secrets.get_secret("provider/key")) == "hunter2"

    def test_it_stands_in_for_its_port(self):
        assert isinstance(EnvironmentSecrets(), SecretsProtocol)


class TestGetSecretJson:
    """Uses `monkeypatch` for the environment."""

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ('{"user": "ada"}', {"user": "ada"}),
            ("[1, 2]", [1, 2]),
            ('"text"', "text"),
            ("null", None),
        ],
    )
    def test_json_comes_parsed(self, monkeypatch: pytest.MonkeyPatch, text: str, value: object):
        monkeypatch.setenv("PROVIDER_KEY", text)
        assert assert_success(EnvironmentSecrets().get_secret_json("provider/key")) == value

    @pytest.mark.parametrize("text", ["", "hunter2", "{", "[" * 100_000], ids=len)
    def test_what_is_no_json_is_a_failure(self, monkeypatch: pytest.MonkeyPatch, text: str):
        monkeypatch.setenv("PROVIDER_KEY", text)
        found = EnvironmentSecrets().get_secret_json("provider/key")
        error = assert_failure(found, ErrorCode.INVALID_SECRET)
        assert error.message == "The secret 'provider/key' is not JSON."

    def test_the_failure_does_not_quote_the_secret(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("PROVIDER_KEY", "hunter2")
        found = EnvironmentSecrets().get_secret_json("provider/key")
        assert "hunter2" not in repr(assert_failure(found, ErrorCode.INVALID_SECRET))

    def test_what_is_not_set_is_told_as_such(self, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.delenv("PROVIDER_KEY", raising=False)
        found = EnvironmentSecrets().get_secret_json("provider/key")
        assert_failure(found, ErrorCode.SECRET_NOT_FOUND)
