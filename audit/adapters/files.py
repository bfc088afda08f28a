"""Files that are whole, or as they were."""

import os
from pathlib import Path
from uuid import uuid4


def write_whole(path: Path, text: str, mode: int = 0o644) -> None:
    """On the disk before it counts. The mode is less the umask, as for any new file. Raises
    `OSError`."""
    # Of no other writer: containers that share a volume share their process ids, too.
    unfinished = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with open(unfinished, "x", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
