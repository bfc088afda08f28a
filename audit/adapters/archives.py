"""Where months go that leave the database: bundles, each checked by the program that is in it."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audit.adapters.bundles import Bundle
from audit.domain.errors import ArchiveError


@dataclass(frozen=True)
class BundleArchives:
    make: Callable[[int, int], Bundle]

    def write(self, first: int, last: int, folder: Path) -> str:
        try:
            self.make(first, last).write(folder)
        except FileExistsError:
            raise ArchiveError(f"{folder} is there already: name another folder.") from None
        # Isolated: nothing that is installed here can speak for the bundle.
        command = [sys.executable, "-I", str(folder / "audit_verify.py"), str(folder)]
        told = subprocess.run(  # noqa: S603  our own program, on our own file
            [*command, "--vkey", str(folder / "vkey")], capture_output=True, text=True, check=False
        )
        if told.returncode:
            raise ArchiveError(f"{folder} does not prove itself:\n{told.stdout}{told.stderr}")
        return hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
