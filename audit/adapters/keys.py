"""What the sealer keeps outside the database."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from audit.adapters.files import write_whole
from audit.domain.checkpoint import Checkpoint, SignedNote, SigningKey, VerifierKey
from audit.domain.errors import NoSigningKeyError

SIGNING_KEY: Final = "signing-key"
VERIFIER_KEYS: Final = "vkeys"
CHECKPOINT: Final = "checkpoint"


@dataclass(frozen=True)
class KeyFolder:
    """The signing key is readable for its owner alone; the other files are for everybody."""

    path: Path

    def signing_keys(self) -> Sequence[SigningKey]:
        try:
            text = (self.path / SIGNING_KEY).read_text()
        except FileNotFoundError:
            way = "--rotate" if self.verifier_keys() else "--init"
            raise NoSigningKeyError(
                f"There is no signing key in {self.path}: put it back, or let `manage.py audit_keys"
                f" {way}` make one."
            ) from None
        return [SigningKey.read(line) for line in text.splitlines() if line]

    def verifier_keys(self) -> Sequence[VerifierKey]:
        with suppress(FileNotFoundError):
            lines = (self.path / VERIFIER_KEYS).read_text().splitlines()
            return [VerifierKey.read(line) for line in lines if line]
        return []

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Two workers that start at once must come to the same key."""
        self.path.mkdir(mode=0o755, parents=True, exist_ok=True)
        folder = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def add(self, key: SigningKey) -> None:
        """The new key signs first; the one before it stays until both have signed."""
        self.path.mkdir(mode=0o755, parents=True, exist_ok=True)
        older = []
        with suppress(NoSigningKeyError):
            older = list(self.signing_keys())[:1]
        known = [*self.verifier_keys(), key.verifier_key]
        write_whole(self.path / VERIFIER_KEYS, "".join(f"{each.text()}\n" for each in known))
        self._write_signing_keys([key, *older])

    def retire(self, signed: SigningKey) -> None:
        """All but the one that has signed; nothing where a newer one has come meanwhile."""
        with self.locked():
            if self.signing_keys()[0] == signed:
                self._write_signing_keys([signed])

    def checkpoint(self) -> str | None:
        with suppress(FileNotFoundError):
            return (self.path / CHECKPOINT).read_text()
        return None

    def advance(self, note: str) -> None:
        """Never backwards: another sealer may have come further meanwhile."""
        with self.locked():
            here = self.checkpoint()
            if here is None or _size(here) < _size(note):
                self.keep(note)

    def keep(self, note: str) -> None:
        write_whole(self.path / CHECKPOINT, note)

    def _write_signing_keys(self, keys: Sequence[SigningKey]) -> None:
        text = "".join(f"{key.text()}\n" for key in keys)
        write_whole(self.path / SIGNING_KEY, text, 0o600)


def _size(note: str) -> int:
    return Checkpoint.read(SignedNote.read(note).text).size
