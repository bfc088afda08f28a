"""Where checkpoints are published."""

import fcntl
import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FileAnchor:
    """A file that only grows, best on another volume, or one that can be written once."""

    path: Path

    @property
    def name(self) -> str:
        return f"file:{self.path}"

    def publish(self, note: str) -> str:
        with self.path.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            at = file.tell()
            file.write(f"{note}\n")
            file.flush()
            os.fsync(file.fileno())
        return f"byte {at}"


@dataclass(frozen=True)
class OutputAnchor:
    """Standard output, for whoever collects what a service says."""

    name: str = "stdout"

    def publish(self, note: str) -> str:
        sys.stdout.write(f"{note}\n")
        sys.stdout.flush()
        return "printed"
