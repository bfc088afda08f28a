"""Bundles: a part of the trail with all that is needed to check it, for somebody who trusts
neither this program nor its database."""

import base64
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from audit.domain.checkpoint import Checkpoint, VerifierKey
from audit.domain.errors import MissingRowError
from audit.domain.merkle import HASH_BYTES, TILE_WIDTH, RangeProof, range_proof
from audit.ports import Evidence

FORMAT: Final = "dashtam.audit-bundle/v1"
_VERIFIERS: Final = Path(__file__).resolve().parent.parent / "standalone"


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """Leaves `first` to `last`, the last one not included, under the root of `checkpoint`."""

    evidence: Evidence
    checkpoint: Checkpoint
    note: str
    vkeys: Sequence[VerifierKey]
    first: int
    last: int

    def write(self, folder: Path, progress: Callable[[int], None] = lambda leaves: None) -> None:
        """`progress` is told how many leaves are written. Raises `FileExistsError` where the folder
        is there already."""
        folder.mkdir(parents=True)
        self._write_leaves(folder, progress)
        proof = range_proof(self.evidence, self.first, self.last, self.checkpoint.size)
        (folder / "range.proof").write_text("\n".join(_lines(proof)) + "\n")
        (folder / "checkpoint").write_text(self.note)
        (folder / "vkey").write_text("".join(f"{key.text()}\n" for key in self.vkeys))
        for verifier in _VERIFIERS.iterdir():
            if verifier.is_file():
                shutil.copy(verifier, folder)
        self._write_manifest(folder)

    def _write_leaves(self, folder: Path, progress: Callable[[int], None]) -> None:
        with (folder / "entries.jsonl").open("wb") as entries, (folder / "leaves").open("w") as to:
            for index in range(self.first // TILE_WIDTH, -(-self.last // TILE_WIDTH)):
                start = index * TILE_WIDTH
                cut = slice(max(self.first - start, 0), self.last - start)
                ids = self.evidence.ids(index)[cut]
                hashes = _split(self.evidence.tile(0, index))[cut]
                rows = self.evidence.rows(ids)
                for entry_id, leaf in zip(ids, hashes, strict=True):
                    if entry_id not in rows:
                        raise MissingRowError(f"{entry_id} was sealed, and is not there any more")
                    entries.write(rows[entry_id].entry + b"\n")
                    to.write(f"{entry_id} {leaf.hex()}\n")
                progress(min(start + TILE_WIDTH, self.last) - self.first)

    def _write_manifest(self, folder: Path) -> None:
        manifest = {
            "format": FORMAT,
            "origin": self.checkpoint.origin,
            "size": self.checkpoint.size,
            "first": self.first,
            "last": self.last,
            "count": self.last - self.first,
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "files": {path.name: _sha256(path) for path in sorted(folder.iterdir())},
        }
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def _split(raw: bytes) -> list[bytes]:
    return [raw[at : at + HASH_BYTES] for at in range(0, len(raw), HASH_BYTES)]


def _lines(proof: RangeProof) -> Iterator[str]:
    yield "dashtam.range-proof/v1"
    yield f"first {proof.first}"
    yield f"last {proof.last}"
    yield f"size {proof.size}"
    for side, hashes in (("left", proof.left), ("right", proof.right)):
        for each in hashes:
            yield f"{side} {base64.b64encode(each).decode()}"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
