"""Bundles of a log that is made here, by the definitions of RFC 9162 word for word, to be delivered
to a verifier whole or damaged. Nothing of the application is used: it is not asked about itself."""

import io
import json
import re
import tarfile
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ORIGIN = "audit.example.com/log"
SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
THIEF = Ed25519PrivateKey.from_private_bytes(bytes(32))
BEGIN = datetime(2024, 1, 1, 12, tzinfo=UTC)

Files = dict[str, bytes]
"""The contents of a bundle by their names."""
Json = dict[str, Any]
Edit = Callable[[list[bytes]], object]
"""Of the lines of a file, in place."""


# The tree: RFC 9162 §2.1.


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def root_of(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01" + root_of(leaves[:half]) + root_of(leaves[half:])).digest()


def path_to(index: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    left, right = leaves[:half], leaves[half:]
    if index < half:
        return [*path_to(index, left), root_of(right)]
    return [*path_to(index - half, right), root_of(left)]


def whole_subtrees(leaves: list[bytes], first: int, last: int, start: int = 0) -> list[bytes]:
    """The roots of the largest whole subtrees of the log that cover [first, last)."""
    end = start + len(leaves)
    if end <= first or start >= last or not leaves:
        return []
    width = len(leaves)
    if first <= start and end <= last and width & (width - 1) == 0:
        return [root_of(leaves)]
    half = 1
    while half * 2 < width:
        half *= 2
    return [
        *whole_subtrees(leaves[:half], first, last, start),
        *whole_subtrees(leaves[half:], first, last, start + half),
    ]


def vkey_of(signer: Ed25519PrivateKey, name: str = ORIGIN) -> str:
    raw = b"\x01" + signer.public_key().public_bytes_raw()
    key_id = sha256(name.encode() + b"\n" + raw).hexdigest()[:8]
    return f"{name}+{key_id}+{b64encode(raw).decode()}"


def note_of(leaves: list[bytes], *signers: Ed25519PrivateKey, origin: str = ORIGIN) -> bytes:
    body = f"{origin}\n{len(leaves)}\n{b64encode(root_of(leaves)).decode()}\n"
    lines = ""
    for signer in signers or (SIGNER,):
        key_id = bytes.fromhex(vkey_of(signer, origin).split("+")[1])
        lines += f"— {origin} {b64encode(key_id + signer.sign(body.encode())).decode()}\n"
    return f"{body}\n{lines}".encode()


# Records: an attempt, its outcome, one that stands alone, and so on; three in each second.


def record(n: int, **changes: Any) -> Json:
    at = BEGIN + timedelta(seconds=n // 3, microseconds=n % 3)
    attempt = UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | n // 3 << 2)
    phase = ("ATTEMPTED", "SUCCEEDED", "SOLE")[n % 3]
    plain: Json = {
        "v": 1,
        "id": str(UUID(int=attempt.int | n % 3)),
        "at": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "action": "user.login",
        "phase": phase,
        "attempt": str(attempt) if phase == "SUCCEEDED" else None,
        "actor": None,
        "subject": str(UUID(int=7)),
        "resource": ["session", None],
        "corr": str(UUID(int=9)),
        "ip_bi": "00ff00ff00ff00ff",
        "ctx": {"door": "api", "name": "Zoe" if n % 4 else "Zoë\n\u0303"},
        "pii": None,
        "err": None,
    }
    return plain | changes


def encoded(document: Json) -> bytes:
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def id_of(n: int) -> str:
    return str(record(n)["id"])


@cache
def log(size: int) -> tuple[bytes, ...]:
    return tuple(encoded(record(n)) for n in range(size))


@dataclass(frozen=True)
class Delivery:
    """What is put into a bundle: the records of [first, last) of a log."""

    log: tuple[bytes, ...]
    first: int = 0
    last: int = -1

    @property
    def end(self) -> int:
        return len(self.log) if self.last < 0 else self.last

    def files(self) -> Files:
        leaves = [leaf_hash(entry) for entry in self.log]
        ids = [id_read(entry, n) for n, entry in enumerate(self.log)]
        inside = range(self.first, self.end)
        return with_manifest(
            {
                "entries.jsonl": b"".join(self.log[n] + b"\n" for n in inside),
                "leaves": "".join(f"{ids[n]} {leaves[n].hex()}\n" for n in inside).encode(),
                "range.proof": self._proof(leaves),
                "checkpoint": note_of(leaves),
                "vkey": vkey_of(SIGNER).encode() + b"\n",
            },
            size=len(self.log),
            first=self.first,
            last=self.end,
        )

    def _proof(self, leaves: list[bytes]) -> bytes:
        size = len(leaves)
        head = f"dashtam.range-proof/v1\nfirst {self.first}\nlast {self.end}\nsize {size}\n"
        left = whole_subtrees(leaves, 0, self.first)
        right = whole_subtrees(leaves, self.end, size)
        sides = [("left", each) for each in left] + [("right", each) for each in right]
        return (head + "".join(f"{side} {b64encode(h).decode()}\n" for side, h in sides)).encode()


def id_read(entry: bytes, n: int) -> str:
    """What stood in the column of an odd record. Its own id comes after what the context says."""
    found = re.findall(rb'"id":"([0-9a-f-]{36})"', entry)
    return found[-1].decode() if found else id_of(n)


def with_manifest(files: Files, **facts: int) -> Files:
    """A thief writes a new manifest, too: nobody signs it."""
    if not facts:
        old = json.loads(files["manifest.json"])
        facts = {name: old[name] for name in ("size", "first", "last")}
    files = {name: content for name, content in files.items() if name != "manifest.json"}
    manifest = {
        "format": "dashtam.audit-bundle/v1",
        "origin": ORIGIN,
        **facts,
        "count": files["entries.jsonl"].count(b"\n"),
        "created_at": "2024-01-01T12:00:00Z",
        "files": {name: sha256(content).hexdigest() for name, content in files.items()},
    }
    return files | {"manifest.json": json.dumps(manifest).encode()}


def written(files: Files, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def tarred(files: Files, path: Path, top: str = "") -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(top + name)
            member.size, member.mtime = len(content), 1.5  # a fraction needs an extended header
            tar.addfile(member, io.BytesIO(content))
    return path


# Damage.


def edited(name: str, edit: Edit) -> Callable[[Files], None]:
    def damage(files: Files) -> None:
        lines = files[name].splitlines(keepends=True)
        edit(lines)
        files[name] = b"".join(lines)

    return damage


def put(at: int, line: bytes) -> Edit:
    return lambda lines: lines.__setitem__(at, line + b"\n")


def insert(at: int, line: bytes) -> Edit:
    return lambda lines: lines.insert(at, line + b"\n")


def swap(one: int, other: int) -> Edit:
    def edit(lines: list[bytes]) -> None:
        lines[one], lines[other] = lines[other], lines[one]

    return edit
