"""Secrets from the environment: the path 'database/url' is the variable DATABASE_URL."""

import json
import os
from typing import Any

from core.errors import ErrorCode, SecretsError
from core.result import Failure, Result, Success


class EnvironmentSecrets:
    def get_secret(self, path: str) -> Result[str, SecretsError]:
        name = path.strip("/").replace("/", "_").replace("-", "_").upper()
        value = os.environ.get(name)
        if value is None:
            return Failure(
                SecretsError(ErrorCode.SECRET_NOT_FOUND, f"Set the environment variable {name}.")
            )
        return Success(value)

    def get_secret_json(self, path: str) -> Result[Any, SecretsError]:
        found = self.get_secret(path)
        if isinstance(found, Failure):
            return found
        try:
            return Success(json.loads(found.value))
        except (ValueError, RecursionError):
            # Without the parser's words: they would quote the secret.
            return Failure(
                SecretsError(ErrorCode.INVALID_SECRET, f"The secret {path!r} is not JSON.")
            )

    def refresh_cache(self) -> None:
        """The environment is read at each call: there is nothing to forget."""
