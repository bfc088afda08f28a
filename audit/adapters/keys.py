"""What the sealer keeps outside the database."""

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
        known = [each.text() for each in self.verifier_keys()]
        self._write(VERIFIER_KEYS, "\n".join([*known, key.verifier_key.text()]) + "\n", 0o644)
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
        self._write(CHECKPOINT, note, 0o644)

    def _write_signing_keys(self, keys: Sequence[SigningKey]) -> None:
        self._write(SIGNING_KEY, "".join(f"{key.text()}\n" for key in keys), 0o600)

    def _write(self, name: str, text: str, mode: int) -> None:
        """Whole or not at all, and on the disk before it counts."""
        unfinished = self.path / f".{name}.{os.getpid()}"
        with open(os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self.path / name)
        folder = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _size(note: str) -> int:
    return Checkpoint.read(SignedNote.read(note).text).size
