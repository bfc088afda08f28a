import json
from typing import Any

from core.errors import SecretsError
from core.ports import SecretsProtocol
from core.result import Result, Success


class FixedSecrets:
    implements = SecretsProtocol

    def get_secret(self, path: str) -> Result[str, SecretsError]:
        return Success("mock-secret")

    def get_secret_json(self, path: str) -> Result[Any, SecretsError]:
        return Success(json.loads('{"value": "mock-secret"}'))

    def refresh_cache(self) -> None:
        """There is nothing to forget."""
