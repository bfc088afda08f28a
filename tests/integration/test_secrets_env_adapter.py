"""Secrets from the environment that a real process was started with."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]

ASK = """
import json, sys
from core.result import Success
from core.secrets import EnvironmentSecrets
secrets = EnvironmentSecrets()
def told(found):
    return found.value if isinstance(found, Success) else str(found.error.code)
print(json.dumps({
    "text": told(secrets.get_secret("provider/key")),
    "json": told(secrets.get_secret_json("provider/account")),
    "absent": told(secrets.get_secret("provider/absent")),
    "lower": told(secrets.get_secret("provider/lower")),
}))
"""


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    """What a process that was given these variables is told."""
    answer = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=ROOT,
        env={name: text for name, text in os.environ.items() if name.startswith("COVERAGE_")}
        | {
            "PATH": os.environ["PATH"],
            "PROVIDER_KEY": "naïve $HOME 'quoted'",
            "PROVIDER_ACCOUNT": '{"user": "ada", "retries": 3}',
            "provider_lower": "lower case",
        },
        check=True,
        capture_output=True,
        text=True,
        timeout=30,
    )
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


class TestEnvironmentOfAProcess:
    """Uses `answers`."""

    def test_a_secret_comes_as_it_was_given(self, answers: dict[str, Any]):
        assert answers["text"] == "naïve $HOME 'quoted'"

    def test_json_comes_parsed(self, answers: dict[str, Any]):
        assert answers["json"] == {"user": "ada", "retries": 3}

    def test_what_was_not_given_is_not_found(self, answers: dict[str, Any]):
        assert answers["absent"] == "secret_not_found"

    def test_a_variable_in_lower_case_is_another_one(self, answers: dict[str, Any]):
        assert answers["lower"] == "secret_not_found"
