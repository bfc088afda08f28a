"""How far the trail was found in order: a file in the folder of the keys, outside the database."""

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from audit.adapters.files import write_whole
from audit.domain.findings import Verified
from audit.domain.log import Cursor, packed, unpacked
from audit.domain.merkle import HASH_BYTES, TILE_WIDTH, Edge

VERIFIED: Final = "verified"
_FORMAT: Final = "dashtam.verified/v1"


@dataclass(frozen=True)
class VerifiedFile:
    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / VERIFIED

    def read(self) -> Verified | None:
        """Raises `ValueError` for a file that says something else, `OSError` for one that cannot
        be read."""
        try:
            text = self.path.read_text()
        except FileNotFoundError:
            return None
        try:
            return _verified(json.loads(text))
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError(f"{self.path} is not what a verification has left") from error

    def written_at(self) -> datetime | None:
        try:
            return datetime.fromtimestamp(self.path.stat().st_mtime, UTC)
        except OSError:
            return None

    def keep(self, verified: Verified) -> None:
        """Raises `OSError`."""
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        write_whole(self.path, _text(verified))


def _text(verified: Verified) -> str:
    document = {
        "format": _FORMAT,
        "size": verified.size,
        "root": verified.edge.root().hex(),
        "edge": b64encode(packed(verified.edge.partials)).decode(),
        "cursor": verified.cursor,
        "attempts": str(verified.attempts),
    }
    return json.dumps(document, indent=2) + "\n"


def _verified(document: dict[str, object]) -> Verified:
    """The root shows whether the rest was cut or mistyped."""
    edge = Edge(int(str(document["size"])), unpacked(b64decode(str(document["edge"]))))
    if document["format"] != _FORMAT or not _has_its_size(edge):
        raise ValueError("not the edge of a tree of this size")
    if edge.root().hex() != document["root"]:
        raise ValueError("the hashes do not lead to the root beside them")
    epoch, xid, seq = map(int, json.loads(json.dumps(document["cursor"])))
    return Verified(edge, Cursor(epoch, xid, seq), UUID(str(document["attempts"])))


def _has_its_size(edge: Edge) -> bool:
    widths = [len(partial) / HASH_BYTES for partial in edge.partials]
    leaves = sum(width * TILE_WIDTH**level for level, width in enumerate(widths))
    return bool(leaves == edge.size)
