#!/usr/bin/env python3
"""Check an audit bundle of Dashtam, or the proof of one record, without Dashtam.

    python3 audit_verify.py BUNDLE [--vkey KEY|FILE]... [--checkpoint OLDER_NOTE]... [--json]
    python3 audit_verify.py --proof X.tlog-proof --entry ENTRY.json --vkey KEY|FILE [--json]

BUNDLE is a folder or an uncompressed .tar of it. Nothing but Python 3.8 is needed; nothing is
unpacked, written or sent.

What is checked, in this order:
  1. `checkpoint` is signed by a key you trust. It says how many records the log has (its size)
     and one hash that depends on every bit of all of them (its root).
  2. Each line of `entries.jsonl` is hashed (RFC 9162: SHA-256 of 0x00 and the line). With the
     hashes of `range.proof`, which stand for the records before and behind, they must lead to
     the signed root. If they do, no record was altered, removed, added or moved.
  3. `leaves` lists the id and the hash of each record as it was sealed. Where 2 fails, it names
     the records that are to blame, if it still leads to the signed root itself.
  4. Each record is canonical JSON, its id occurs once and tells its phase, an outcome has its
     attempt, and an attempt has its outcome.
  5. Each checkpoint of an earlier day that you kept (`--checkpoint`) agrees with the records.
  6. `manifest.json` has the hash of every file. It is not signed: it finds accidents.

What this cannot show:
  - That a record is true. It shows what was written at the time, not who wrote it.
  - That the key is right. Take it from somewhere else than this bundle and give it as `--vkey`.
  - A history that was rewritten and signed again with the real key. A checkpoint from before
    shows it, so keep one of each delivery and give them as `--checkpoint`.
  - Which record is to blame, where somebody changed `leaves` alike; and the id of a deleted one
    is as `leaves` has it. That something is wrong is still found.
  - What lies outside the range [first, last) of the bundle, or was recorded after its checkpoint.

Exit code: 0 in order; 1 tampered with; 2 nothing wrong was found but something could not be
shown; 3 no such file, not a bundle, or wrong options.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import stat
import sys
import time
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256, sha512
from typing import Any, BinaryIO, NamedTuple

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:  # verified in Python below, which takes some milliseconds
    Ed25519PublicKey = None  # type: ignore[assignment, misc]

BUNDLE_FORMAT = "dashtam.audit-bundle/v1"
RANGE_FORMAT = "dashtam.range-proof/v1"
PROOF_FORMAT = "c2sp.org/tlog-proof@v1"
INCOMPLETE = frozenset({"open_attempt", "unknown_version", "not_covered"})
"""The kinds of findings that are no sign of tampering."""
LATE = timedelta(minutes=5)
"""An attempt gets its outcome within two minutes, be it that it was abandoned."""
LONGEST_ENTRY = 60_000
LONGEST_TEXT = 1_000_000
MOST_FILES = 10_000
MOST_SIGNATURES = 100
MOST_SHOWN = 100
BLOCK = 1 << 20
HASH = 32


class Unusable(Exception):
    """Not a bundle, not a file or not an option: exit code 3."""


class Finding(NamedTuple):
    kind: str
    detail: str
    leaf: int | None = None
    id: str | None = None

    def __str__(self) -> str:
        place = "the bundle" if self.leaf is None else f"leaf {self.leaf}"
        event = f", event {self.id}" if self.id else ""
        return printable(f"{place}{event}: {self.kind} ({self.detail})")


class Report:
    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.entries = 0
        self.first: int | None = None
        self.last: int | None = None
        self.size: int | None = None
        self.root: str | None = None
        self.origin: str | None = None
        self.key: str | None = None
        self.notes: list[str] = []

    def tell(self, kind: str, detail: str, leaf: int | None = None, id: str | None = None) -> None:  # noqa: A002
        self.findings.append(Finding(kind, detail, leaf, id))

    @property
    def exit_code(self) -> int:
        if any(found.kind not in INCOMPLETE for found in self.findings):
            return 1
        return 2 if self.findings else 0

    def in_order(self) -> list[Finding]:
        """The first bad leaf first; what concerns no single leaf last."""
        return sorted(self.findings, key=lambda found: (found.leaf is None, found.leaf or 0))


def printable(text: str) -> str:
    """What a stranger wrote must not move the cursor of whoever reads it."""
    return "".join(c if " " <= c <= "~" else ascii(c)[1:-1] for c in text[:500])


# Numbers and hashes as text: of the spellings that mean the same, one is accepted.


def read_number(text: str) -> int:
    if not re.fullmatch("0|[1-9][0-9]{0,18}", text) or int(text) >= 2**63:
        raise ValueError(f"{text[:32]!r} is not a number")
    return int(text)


def read_base64(text: str) -> bytes:
    raw = b64decode(text, validate=True)
    if b64encode(raw).decode() != text:
        raise ValueError("base64 that is not canonical")
    return raw


def read_hash(text: str) -> bytes:
    raw = read_base64(text)
    if len(raw) != HASH:
        raise ValueError(f"a hash of {len(raw)} bytes")
    return raw


# Ed25519 (RFC 8032 §5.1). A point is x, y, z and t = xy/z, so that no step needs to divide.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQUARE_ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)


class Point(NamedTuple):
    x: int
    y: int
    z: int
    t: int

    def plus(self, other: Point) -> Point:
        a = (self.y - self.x) * (other.y - other.x)
        b = (self.y + self.x) * (other.y + other.x)
        c = 2 * self.t * other.t * D
        d = 2 * self.z * other.z
        e, f, g, h = (b - a) % P, (d - c) % P, (d + c) % P, (b + a) % P
        return Point(e * f % P, g * h % P, f * g % P, e * h % P)

    def times(self, number: int) -> Point:
        product, double = Point(0, 1, 1, 0), self
        while number:
            if number & 1:
                product = product.plus(double)
            double, number = double.plus(double), number >> 1
        return product

    def encoded(self) -> bytes:
        inverse = pow(self.z, P - 2, P)
        x, y = self.x * inverse % P, self.y * inverse % P
        return (y | (x & 1) << 255).to_bytes(32, "little")


def read_point(raw: bytes) -> Point | None:
    number = int.from_bytes(raw, "little")
    y, is_odd = number & (2**255 - 1), number >> 255
    if len(raw) != 32 or y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * SQUARE_ROOT_OF_MINUS_1 % P
    if x * x % P != square or (x == 0 and is_odd):
        return None
    x = P - x if x & 1 != is_odd else x
    return Point(x, y, 1, x * y % P)


_base = read_point(bytes([0x58]) + bytes([0x66]) * 31)
assert _base is not None
BASE: Point = _base


def is_signature(public: bytes, message: bytes, signature: bytes) -> bool:
    """Both ways of checking refuse a second spelling of a key or of a signature."""
    point = read_point(public)
    if point is None or len(signature) != 64:
        return False
    if int.from_bytes(signature[32:], "little") >= ORDER:
        return False
    if Ed25519PublicKey is None:
        return is_signature_in_python(point, public, message, signature)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def is_signature_in_python(point: Point, public: bytes, message: bytes, signature: bytes) -> bool:
    challenge = sha512(signature[:32] + public + message).digest()
    k = int.from_bytes(challenge, "little") % ORDER
    s = int.from_bytes(signature[32:], "little")
    minus = Point(P - point.x, point.y, 1, P - point.t)
    return BASE.times(s).plus(minus.times(k)).encoded() == signature[:32]


# Keys and signed checkpoints: C2SP signed-note and tlog-checkpoint.


class Key(NamedTuple):
    name: str
    id: bytes
    public: bytes

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}"

    @classmethod
    def read(cls, text: str) -> Key:
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        raw = read_base64(encoded)
        if not is_name(name) or raw[:1] != b"\x01" or len(raw) != 33:
            raise ValueError("not the verifier key of an Ed25519 key")
        known = sha256(name.encode() + b"\n" + raw).digest()[:4]
        if known.hex() != key_id:
            raise ValueError("the key has another id")
        return cls(name, known, raw[1:])


class Note(NamedTuple):
    """A checkpoint and who claims to have signed it."""

    origin: str
    size: int
    root: bytes
    message: bytes
    signatures: list[tuple[str, bytes]]

    @classmethod
    def read(cls, raw: bytes) -> Note:
        text = raw.decode()
        if len(raw) > LONGEST_TEXT or re.search(r"[\x00-\x09\x0b-\x1f]", text):
            raise ValueError("too long, or with control characters")
        body, gap, tail = text.rpartition("\n\n")
        lines = body.split("\n")
        if not gap or not tail.endswith("\n") or len(lines) < 3 or not all(lines):
            raise ValueError("not a signed checkpoint")
        signatures = [read_signature(line) for line in tail[:-1].split("\n")]
        if len(signatures) > MOST_SIGNATURES:
            raise ValueError(f"more than {MOST_SIGNATURES} signatures")
        size, root = read_number(lines[1]), read_hash(lines[2])
        return cls(lines[0], size, root, (body + "\n").encode(), signatures)

    def signers(self, keys: Iterable[Key]) -> list[Key]:
        """Raises `ValueError` unless the origin's key is known and signed it, and no known key's
        signature is wrong. Those of unknown keys are passed over."""
        signers = []
        for key in keys:
            for name, raw in self.signatures:
                if (name, raw[:4]) == (key.name, key.id):
                    if not is_signature(key.public, self.message, raw[4:]):
                        raise ValueError(f"the signature of {key} is wrong")
                    signers.append(key)
        if not signers:
            raise ValueError("none of the keys has signed it")
        if self.origin not in {key.name for key in signers}:
            raise ValueError("no key of the name of its origin has signed it")
        return signers


def read_signature(line: str) -> tuple[str, bytes]:
    found = re.fullmatch("— ([^ ]+) ([^ ]+)", line)
    if not found or not is_name(found[1]):
        raise ValueError("not a line of a signature")
    raw = read_base64(found[2])
    if len(raw) <= 4:
        raise ValueError("a signature of no bytes")
    return found[1], raw


def is_name(text: str) -> bool:
    return bool(text) and not any(c.isspace() or c < " " or c == "+" for c in text)


# The tree: RFC 9162 §2.1.


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root_of_whole(row: bytes) -> bytes:
    """The root over 2**n hashes, one level after the other."""
    while len(row) > HASH:
        pairs = range(0, len(row), 2 * HASH)
        row = b"".join([sha256(b"\x01" + row[at : at + 2 * HASH]).digest() for at in pairs])
    return row


def whole_subtrees(first: int, last: int) -> Iterator[tuple[int, int]]:
    """The height and the first leaf of the largest whole subtrees within [first, last)."""
    while first < last:
        height = (last - first).bit_length() - 1
        if first:
            height = min(height, (first & -first).bit_length() - 1)
        yield height, first
        first += 1 << height


def root_over(subtrees: Iterable[tuple[int, bytes]]) -> bytes:
    """Of heights and roots of whole subtrees, left to right from leaf 0."""
    stack: list[tuple[int, bytes]] = []
    for height, node in subtrees:
        while stack and stack[-1][0] == height:
            node = node_hash(stack.pop()[1], node)
            height += 1
        stack.append((height, node))
    if not stack:
        return sha256(b"").digest()
    root = stack.pop()[1]
    while stack:
        root = node_hash(stack.pop()[1], root)
    return root


def root_by_path(leaf: bytes, index: int, size: int, path: Iterable[bytes]) -> bytes | None:
    """RFC 9162 §2.1.3.2. None where the path has not the length that it must have."""
    node, last = leaf, size - 1
    for sibling in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            node = node_hash(sibling, node)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        index, last = index >> 1, last >> 1
    return node if last == 0 else None


class Range(NamedTuple):
    """The place of the bundle's leaves in the log, and the subtrees on either side of them."""

    first: int
    last: int
    size: int
    left: list[bytes]
    right: list[bytes]

    @classmethod
    def read(cls, raw: bytes) -> Range:
        lines = raw.decode("ascii").split("\n")
        if lines[0] != RANGE_FORMAT or lines.pop() or len(lines) < 4:
            raise ValueError("not a range proof")
        first, last, size = (
            read_field(*pair) for pair in zip(("first", "last", "size"), lines[1:])
        )
        if not first <= last <= size:
            raise ValueError("not a range of the log")
        lefts = len(list(whole_subtrees(0, first)))
        names = ["left"] * lefts + ["right"] * len(list(whole_subtrees(last, size)))
        if len(lines) - 4 != len(names):
            raise ValueError("too many or too few hashes")
        hashes = [read_hash(after(name, line)) for name, line in zip(names, lines[4:])]
        return cls(first, last, size, hashes[:lefts], hashes[lefts:])

    def root_at(self, leaves: bytes, size: int) -> bytes | None:
        """The root over the first `size` leaves of the log; None where it cannot be told."""
        if len(leaves) != (self.last - self.first) * HASH:
            return None
        here = [
            (height, start, root_of_whole(self._cut(leaves, start, height)))
            for height, start in whole_subtrees(self.first, min(self.last, size))
        ]
        left = [(*at, node) for at, node in zip(whole_subtrees(0, self.first), self.left)]
        right = [(*at, node) for at, node in zip(whole_subtrees(self.last, self.size), self.right)]
        nodes = [each for each in (*left, *here, *right) if each[1] + (1 << each[0]) <= size]
        if sum(1 << height for height, _, _ in nodes) != size:
            return None
        return root_over((height, node) for height, _, node in nodes)

    def _cut(self, leaves: bytes, start: int, height: int) -> bytes:
        at = (start - self.first) * HASH
        return leaves[at : at + (HASH << height)]


def after(name: str, line: str) -> str:
    if not line.startswith(name + " "):
        raise ValueError(f"no line tells the {name}")
    return line[len(name) + 1 :]


def read_field(name: str, line: str) -> int:
    return read_number(after(name, line))


# The files of a bundle: plain ones in a folder, or pieces of a tar.


class Piece(NamedTuple):
    path: str
    start: int
    length: int


class Bundle:
    def __init__(self, pieces: dict[str, Piece]) -> None:
        self.pieces = pieces
        self._digests: dict[str, str] = {}

    def blocks(self, name: str) -> Iterator[bytes]:
        """Hashed on the way, so that no file is read twice. A missing file has none."""
        if name not in self.pieces:
            return
        piece, digest = self.pieces[name], sha256()
        with open(piece.path, "rb") as file:
            file.seek(piece.start)
            left = piece.length
            while left > 0 and (block := file.read(min(BLOCK, left))):
                left -= len(block)
                digest.update(block)
                yield block
        self._digests[name] = digest.hexdigest()

    def read(self, name: str) -> bytes:
        """Raises `ValueError` for what is missing or too long."""
        if name not in self.pieces or self.pieces[name].length > LONGEST_TEXT:
            raise ValueError("missing" if name not in self.pieces else "too long")
        return b"".join(self.blocks(name))

    def digest(self, name: str) -> str:
        if name not in self._digests:
            for _ in self.blocks(name):
                pass
        return self._digests[name]


def open_bundle(path: str) -> Bundle:
    try:
        pieces = files_of_folder(path) if os.path.isdir(path) else files_of_tar(path)
    except (OSError, ValueError) as error:
        raise Unusable(f"{path} cannot be read: {error}") from error
    if "manifest.json" not in pieces:
        raise Unusable(f"{path} is not a bundle: it has no manifest.json")
    return Bundle(pieces)


def files_of_folder(root: str) -> dict[str, Piece]:
    """Links, pipes and devices are not the bundle's."""
    pieces: dict[str, Piece] = {}
    for folder, _, names in os.walk(root):
        for path in (os.path.join(folder, name) for name in names):
            about = os.lstat(path)
            if stat.S_ISREG(about.st_mode):
                pieces[os.path.relpath(path, root).replace(os.sep, "/")] = Piece(
                    path, 0, about.st_size
                )
        if len(pieces) > MOST_FILES:
            raise ValueError(f"more than {MOST_FILES} files")
    return pieces


def files_of_tar(path: str) -> dict[str, Piece]:
    """Refuses what no bundle has, so that it can be unpacked without fear afterwards."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError("neither a folder nor a file")
    pieces: dict[str, Piece] = {}
    with open(path, "rb") as file:
        end = os.fstat(file.fileno()).st_size
        for name, start, length in tar_members(file, end):
            if name in pieces or len(pieces) > MOST_FILES:
                raise ValueError(f"{printable(name)} is there twice, or there are too many files")
            pieces[name] = Piece(path, start, length)
    tops = [name[: -len("manifest.json")] for name in pieces if name.endswith("/manifest.json")]
    if "manifest.json" in pieces or len(tops) != 1:
        return pieces
    top = tops[0]
    return {name[len(top) :]: piece for name, piece in pieces.items() if name.startswith(top)}


def tar_members(file: BinaryIO, end: int) -> Iterator[tuple[str, int, int]]:
    for _ in range(2 * MOST_FILES):
        header = file.read(512)
        if not header.strip(b"\0"):
            return
        length, kind = tar_number(header[124:136]), header[156:157]
        if sum(header[:148] + b" " * 8 + header[156:]) != tar_number(header[148:156]):
            raise ValueError(
                "not a tar (a compressed one must be unpacked first), or a damaged one"
            )
        start = file.tell()
        if start + length > end:
            raise ValueError("the tar is cut off")
        name = tar_name(header)
        if kind in (b"x", b"g"):
            check_extended(file.read(min(length, LONGEST_TEXT)), length)
        elif kind in (b"0", b"\0"):
            yield name, start, length
        elif kind != b"5":
            raise ValueError(f"{printable(name)} in the tar is neither a file nor a folder")
        file.seek(start + (length + 511) // 512 * 512)
    raise ValueError("the tar has too many members")


def tar_number(field: bytes) -> int:
    return int(field.strip(b" \0") or b"0", 8)


def tar_name(header: bytes) -> str:
    parts = header[345:500] if header[257:263] == b"ustar\0" else b"", header[:100]
    name = "/".join(part.split(b"\0")[0].decode() for part in parts if part.strip(b"\0"))
    name = name[2:] if name.startswith("./") else name
    if name.startswith("/") or ".." in name.split("/") or "\\" in name:
        raise ValueError(f"{printable(name)} in the tar points outside of it")
    return name


def check_extended(record: bytes, length: int) -> None:
    # Another program that unpacks the tar would see other files than were verified.
    if length > LONGEST_TEXT or re.search(rb" (path|linkpath|size|GNU\.[a-z.]+)=", record):
        raise ValueError("the tar renames files or tells other sizes")


def lines_of(blocks: Iterable[bytes]) -> Iterator[list[bytes]]:
    """By the thousand. Of a line that never ends no more is kept than shows that it is too long."""
    rest = b""
    for block in blocks:
        lines = (rest + block).split(b"\n")
        rest = lines.pop()[: LONGEST_ENTRY + 1]
        yield lines
    if rest:
        yield [rest]


# The records.

ID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
FIELDS = frozenset(
    ("v", "id", "at", "action", "phase", "attempt", "actor", "subject", "resource", "corr")
) | {"ip_bi", "ctx", "pii", "err"}
PHASE_BITS = {"ATTEMPTED": 0, "SUCCEEDED": 1, "FAILED": 1, "ABANDONED": 1, "SOLE": 2}
ATTEMPT_OF = {"1": "0", "5": "4", "9": "8", "d": "c"}
"""By the last digit of an outcome's id, that of its attempt's."""


class BadEntry(ValueError):
    def __init__(self, kind: str, detail: str, id: str | None = None) -> None:  # noqa: A002
        super().__init__(detail)
        self.kind, self.detail, self.id = kind, detail, id


class Entry(NamedTuple):
    id: str
    phase: str
    at: str
    attempt: str | None


def refuse_number(text: str) -> None:
    raise BadEntry("not_canonical", f"{text[:20]} is not a whole number")


decode = json.JSONDecoder(parse_float=refuse_number, parse_constant=refuse_number).decode
encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def read_entry(raw: bytes) -> Entry:
    """Raises `BadEntry`."""
    document = parse(raw)
    entry_id = id_in(document)
    if entry_id is None:
        raise BadEntry("not_an_entry", "it has no id")
    if type(document.get("v")) is not int or document["v"] != 1:
        raise BadEntry("unknown_version", "this program reads version 1", entry_id)
    if not is_canonical(document, raw):
        raise BadEntry("not_canonical", "the same record has another spelling", entry_id)
    try:
        phase, at, attempt = fields_of(document)
    except (KeyError, TypeError, ValueError):
        raise BadEntry(
            "not_an_entry", "a field is missing or not what it must be", entry_id
        ) from None
    if PHASE_BITS[phase] != int(entry_id[-1], 16) & 3:
        raise BadEntry("bad_phase", f"its id is not that of an entry that is {phase}", entry_id)
    if attempt != (attempt_of(entry_id) if PHASE_BITS[phase] == 1 else None):
        raise BadEntry("bad_phase", "it names another attempt than its id", entry_id)
    return Entry(entry_id, phase, at, attempt)


def parse(raw: bytes) -> Any:
    if len(raw) > LONGEST_ENTRY:
        raise BadEntry("not_an_entry", f"it is longer than {LONGEST_ENTRY} bytes")
    try:
        return decode(raw.decode())
    except BadEntry:
        raise
    except (ValueError, RecursionError):
        raise BadEntry("not_json", "it cannot be read") from None


def id_in(document: Any) -> str | None:
    found = document.get("id") if isinstance(document, dict) else None
    return found if isinstance(found, str) and ID.fullmatch(found) else None


def attempt_of(outcome: str) -> str:
    return outcome[:-1] + ATTEMPT_OF[outcome[-1]]


def fields_of(document: dict[str, Any]) -> tuple[str, str, str | None]:
    phase, at = document["phase"], document["at"]
    if (
        not FIELDS.issubset(document)
        or len(document["resource"]) != 2
        or phase not in [*PHASE_BITS]
    ):
        raise ValueError
    if read_time(at).isoformat(timespec="microseconds") + "Z" != at:
        raise ValueError
    return phase, at, document["attempt"]


def read_time(at: str) -> datetime:
    return datetime.fromisoformat(at[:-1])


def is_canonical(document: dict[str, Any], raw: bytes) -> bool:
    try:
        text = encode(document)
        # A lone surrogate has no UTF-8; it is written as its JSON escape.
        return text.encode("utf-8", "backslashreplace") == raw and (
            text.isascii() or all(map(is_normal, strings_in(document)))
        )
    except RecursionError:
        return False


def is_normal(text: str) -> bool:
    return unicodedata.is_normalized("NFC", text)


def strings_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings_in(item)


class Hashes(bytearray):
    """One behind the other: a million take 32 MB."""

    def at(self, n: int) -> bytes:
        return bytes(self[n * HASH : (n + 1) * HASH])


class Sealed:
    """The lines of `leaves`. One that is damaged stands for a hash that no record has."""

    LINE = re.compile(rb"([0-9a-f-]{36}) ([0-9a-f]{64})")

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.ids: list[str] = []
        self.hashes = Hashes()
        for line in lines:
            found = self.LINE.fullmatch(line)
            self.ids.append(found[1].decode() if found else "")
            self.hashes += bytes.fromhex(found[2].decode()) if found else bytes(HASH)
            if not found and self.ids.count("") > MOST_SHOWN:
                return


class Trail:
    """The lines of `entries.jsonl`: their hashes, and what they say of each other. Leaves are
    counted by lines here, which is put right afterwards where lines are missing."""

    def __init__(self, report: Report, first: int, sealed: Sealed) -> None:
        self.report, self.first, self.sealed = report, first, sealed
        self.hashes = Hashes()
        self.ids: list[str | None] = []
        self.seen: dict[str, int] = {}
        self.open: dict[str, str] = {}
        self.early: list[str] = []
        self.newest = ""
        self.since: int | None = None

    def read(self, batches: Iterable[list[bytes]], progress: Callable[[int], None]) -> None:
        most = len(self.sealed.ids) + MOST_FILES
        for batch in batches:
            hashes = [sha256(b"\x00" + entry).digest() for entry in batch]
            self.hashes += b"".join(hashes)
            for entry in batch:
                self._read(entry)
            progress(len(self.ids))
            if len(self.ids) > most:
                self.report.tell("inserted", "many more lines than leaves; not all were read")
                return

    def _read(self, raw: bytes) -> None:
        leaf = self.first + len(self.ids)
        try:
            entry = read_entry(raw)
        except BadEntry as bad:
            self.report.tell(bad.kind, bad.detail, leaf, bad.id or self._sealed_id(len(self.ids)))
            self.ids.append(bad.id)
            return
        self.ids.append(entry.id)
        earlier = self.seen.setdefault(entry.id, leaf)
        if earlier != leaf:
            self._is_second(entry, earlier, leaf)
        elif entry.phase == "ATTEMPTED":
            self.open[entry.id] = entry.at
            self.since = milliseconds(entry.id) if self.since is None else self.since
        elif entry.attempt and self.open.pop(entry.attempt, None) is None:
            self.early.append(entry.id)
        self.newest = max(self.newest, entry.at)

    def _sealed_id(self, line: int) -> str | None:
        is_as_sealed = self.hashes.at(line) == self.sealed.hashes.at(line)
        return self.sealed.ids[line] or None if is_as_sealed else None

    def _is_second(self, entry: Entry, earlier: int, leaf: int) -> None:
        same = self.hashes.at(earlier - self.first) == self.hashes.at(leaf - self.first)
        kind = "two_outcomes" if entry.attempt and not same else "duplicate_id"
        self.report.tell(kind, f"leaf {earlier} has this id", leaf, entry.id)

    def check_attempts(self) -> None:
        for outcome in self.early:
            attempt = attempt_of(outcome)
            self.open.pop(attempt, None)
            if attempt not in self.seen and self._began_inside(attempt):
                detail = f"the attempt {attempt} is not in the bundle"
                self.report.tell("orphan_outcome", detail, self.seen[outcome], outcome)
        for attempt, at in self.open.items():
            if read_time(self.newest) - read_time(at) > LATE:
                self.report.tell("open_attempt", "no outcome", self.seen[attempt], attempt)

    def _began_inside(self, attempt: str) -> bool:
        """Records stand in the order of their commits, which is not quite that of their ids."""
        late = LATE // timedelta(milliseconds=1)
        return self.first == 0 or (
            self.since is not None and milliseconds(attempt) > self.since + late
        )


def milliseconds(entry_id: str) -> int:
    """When a UUIDv7 was made."""
    return int(entry_id[:8] + entry_id[9:13], 16)


# What happened to the records, where they are not those that were sealed.


class Comparison:
    def __init__(self, sealed: Sealed, trail: Trail) -> None:
        self.sealed, self.trail = sealed, trail
        self.leaf_of = {sealed.hashes.at(n): n for n in range(len(sealed.ids))}
        self.by_id = {id_: n for n, id_ in enumerate(sealed.ids)}
        self.found = self._recognised()
        self.missing = set(range(len(sealed.ids))).difference(
            n for n in self.found if n is not None
        )

    def _recognised(self) -> list[int | None]:
        """For each line the leaf that it was sealed as. Of two copies the one that follows its
        neighbour is the original."""
        found: list[int | None] = []
        line_of: dict[int, int] = {}
        for line in range(len(self.trail.ids)):
            leaf = self.leaf_of.get(self.trail.hashes.at(line))
            before = found[-1] if found else -1
            if leaf in line_of and before is not None and before == leaf - 1:
                found[line_of[leaf]] = None
            elif leaf in line_of:
                leaf = None
            if leaf is not None:
                line_of[leaf] = line
            found.append(leaf)
        return found

    def tell(self, report: Report, first: int) -> list[int]:
        """For each line the leaf that it is, or that it stands before."""
        places, next_leaf = [], 0
        for line, known in enumerate(self.found):
            leaf = self._altered(line, next_leaf) if known is None else known
            places.append(next_leaf if leaf is None else leaf)
            if leaf is None:
                detail = "this record was never sealed"
                report.tell("inserted", detail, first + next_leaf, self.trail.ids[line])
                continue
            if known is None:
                detail = "not the record that was sealed"
                report.tell("altered", detail, first + leaf, self.sealed.ids[leaf])
            next_leaf = leaf + 1
        self._tell_missing(report, first)
        return places

    def _altered(self, line: int, next_leaf: int) -> int | None:
        """The missing leaf that has the id of this line, or else stood in its place."""
        by_id = self.by_id.get(self.trail.ids[line] or "")
        leaf = by_id if by_id in self.missing else next_leaf
        if leaf not in self.missing:
            return None
        self.missing.remove(leaf)
        return leaf

    def _tell_missing(self, report: Report, first: int) -> None:
        for leaf in self.missing:
            detail = "no line has the record that was sealed"
            report.tell("deleted", detail, first + leaf, self.sealed.ids[leaf])
        moved = [leaf for leaf in self.found if leaf is not None]
        for leaf, other in zip(sorted(moved), moved):
            if leaf != other:
                detail = f"leaf {first + other} stands in its place"
                report.tell("reordered", detail, first + leaf, self.sealed.ids[leaf])


# The verification of a bundle.

NEEDED = ("checkpoint", "entries.jsonl", "leaves", "range.proof", "vkey")
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")


class Verification:
    def __init__(self, bundle: Bundle, progress: Callable[[int], None]) -> None:
        self.bundle, self.progress = bundle, progress
        self.report = Report()
        self.manifest: dict[str, Any] = {}
        self.note: Note | None = None
        self.range: Range | None = None
        self.sealed = Sealed([])
        self.trail = Trail(self.report, 0, self.sealed)

    def run(self, trusted: list[Key], older: list[tuple[str, Note]]) -> Report:
        self._read_manifest()
        keys = trusted or self._own_keys()
        self.note = self._read_checkpoint(keys)
        self.range = self._read_range()
        self._read_records()
        leaves = self._check_leaves()
        self._check_older(leaves, older, keys)
        self._check_manifest()
        return self.report

    def _read_manifest(self) -> None:
        try:
            found = json.loads(self.bundle.read("manifest.json").decode())
            if not isinstance(found, dict) or not isinstance(found.get("files"), dict):
                raise ValueError("not a manifest")
        except (ValueError, RecursionError) as error:
            self.report.tell("manifest_mismatch", f"manifest.json: {error}")
            return
        self.manifest = found
        if found.get("format") != BUNDLE_FORMAT:
            self.report.tell("unknown_version", f"the bundle is not a {BUNDLE_FORMAT}")

    def _own_keys(self) -> list[Key]:
        self.report.notes.append(
            "Only the key that came with the bundle was used. Whoever can forge a bundle can put"
            " a key of their own into it: get the key another way and give it as --vkey."
        )
        try:
            return read_keys(self.bundle.read("vkey").decode())
        except ValueError as error:
            self.report.tell("bad_signature", f"vkey: {error}")
            return []

    def _read_checkpoint(self, keys: list[Key]) -> Note | None:
        try:
            note = Note.read(self.bundle.read("checkpoint"))
        except ValueError as error:
            self.report.tell("bad_signature", f"checkpoint: {error}")
            return None
        self.report.origin, self.report.size = note.origin, note.size
        self.report.root = b64encode(note.root).decode()
        try:
            self.report.key = ", ".join(map(str, note.signers(keys)))
        except ValueError as error:
            self.report.tell("bad_signature", f"checkpoint: {error}")
        return note

    def _read_range(self) -> Range | None:
        try:
            return Range.read(self.bundle.read("range.proof"))
        except ValueError as error:
            self.report.tell("bad_proof", f"range.proof: {error}")
            return None

    def _read_records(self) -> None:
        first = self.range.first if self.range else 0
        batches = lines_of(self.bundle.blocks("leaves"))
        self.sealed = Sealed(line for batch in batches for line in batch)
        self.trail = Trail(self.report, first, self.sealed)
        self.trail.read(lines_of(self.bundle.blocks("entries.jsonl")), self.progress)
        self.trail.check_attempts()
        self.report.entries, self.report.first = len(self.trail.ids), first
        self.report.last = self.range.last if self.range else None

    def _check_leaves(self) -> bytes:
        """The hashes that lead to the signed root, or else those of the records."""
        found, sealed = bytes(self.trail.hashes), bytes(self.sealed.hashes)
        is_found = self._leads_to_root(found)
        if found != sealed and not is_found and self.sealed.ids:
            self._compare()
        else:
            self._check_lines()
        if is_found or not self._leads_to_root(sealed):
            if not is_found:
                detail = "the records do not lead to the root that was signed"
                self.report.tell("wrong_root", detail)
            return found
        return sealed

    def _leads_to_root(self, leaves: bytes) -> bool:
        if self.note is None or self.range is None or self.note.size != self.range.size:
            return False
        return self.range.root_at(leaves, self.range.size) == self.note.root

    def _compare(self) -> None:
        first, by_line = self.trail.first, self.report.findings
        self.report.findings = []
        places = Comparison(self.sealed, self.trail).tell(self.report, first)
        self.report.findings += [
            found if found.leaf is None else found._replace(leaf=first + places[found.leaf - first])
            for found in by_line
        ]

    def _check_lines(self) -> None:
        """The lines of `leaves`, which no signature covers, against records that are right."""
        if self.trail.ids == self.sealed.ids and self.trail.hashes == self.sealed.hashes:
            return
        for n, (entry_id, sealed_id) in enumerate(zip(self.trail.ids, self.sealed.ids)):
            leaf = self.trail.first + n
            if self.trail.hashes.at(n) != self.sealed.hashes.at(n):
                self.report.tell("leaf_mismatch", "leaves: another hash", leaf, entry_id)
            elif entry_id is not None and entry_id != sealed_id:
                detail = f"leaves: it was sealed as {sealed_id}"
                self.report.tell("id_mismatch", detail, leaf, entry_id)
        if len(self.trail.ids) != len(self.sealed.ids):
            self.report.tell("leaf_mismatch", "leaves: not as many lines as records")

    def _check_older(self, leaves: bytes, older: list[tuple[str, Note]], keys: list[Key]) -> None:
        agreed = 0
        for path, note in sorted(older, key=lambda each: each[1].size):
            try:
                note.signers(keys)
            except ValueError as error:
                self.report.tell("bad_signature", f"{path}: {error}")
                continue
            if self.report.key and note.origin != self.report.origin:
                raise Unusable(f"{path} is a checkpoint of another log: {note.origin}")
            root = self.range.root_at(leaves, note.size) if self.range else None
            if root is None:
                detail = f"{path}: this bundle cannot show the first {note.size} records"
                self.report.tell("not_covered", detail)
            elif root != note.root:
                detail = f"{path}: leaves {agreed} to {note.size - 1} are not those that it signed"
                self.report.tell("rewritten", detail)
            else:
                agreed = note.size
                self.report.notes.append(f"The checkpoint {path} of {note.size} records agrees.")

    def _check_manifest(self) -> None:
        if not self.manifest:
            return
        files = self.manifest["files"]
        for name in [*NEEDED, *(name for name in files if name not in NEEDED)]:
            problem = self._problem_of(name, files.get(name))
            if problem:
                self.report.tell("manifest_mismatch", f"{name}: {problem}")
        facts = {"count": self.report.entries, "origin": self.report.origin}
        facts.update(self.range._asdict() if self.range else {})
        for name in ("origin", "size", "first", "last", "count"):
            if facts.get(name, self.manifest.get(name)) != self.manifest.get(name):
                detail = f"{name} is {facts[name]}, not {self.manifest.get(name)}"
                self.report.tell("manifest_mismatch", detail)

    def _problem_of(self, name: str, digest: Any) -> str:
        if not FILE_NAME.fullmatch(name):
            return "no name of a file of a bundle"
        if name not in self.bundle.pieces:
            return "missing"
        return "" if self.bundle.digest(name) == digest else "another file than the manifest tells"


# One record with its proof: C2SP tlog-proof.


def verify_proof(proof: bytes, entry: bytes, keys: list[Key]) -> Report:
    report = Report()
    report.entries = 1
    entry_id = None
    try:
        entry_id = read_entry(entry).id
    except BadEntry as bad:
        report.tell(bad.kind, bad.detail, None, bad.id)
    try:
        index, path, note = read_proof(proof)
    except ValueError as error:
        report.tell("bad_proof", str(error), None, entry_id)
        return report
    report.first, report.last, report.size = index, index + 1, note.size
    report.origin, report.root = note.origin, b64encode(note.root).decode()
    try:
        report.key = ", ".join(map(str, note.signers(keys)))
    except ValueError as error:
        report.tell("bad_signature", str(error))
    if index >= note.size or root_by_path(leaf_hash(entry), index, note.size, path) != note.root:
        report.tell("wrong_root", "it is not the record that was sealed there", index, entry_id)
    return report


def read_proof(raw: bytes) -> tuple[int, list[bytes], Note]:
    head, _, note = raw.partition(b"\n\n")
    header, *lines = head.decode("ascii").split("\n")
    if header != PROOF_FORMAT:
        raise ValueError(f"not a {PROOF_FORMAT}")
    if lines and lines[0].startswith("extra "):
        read_base64(lines.pop(0)[len("extra ") :])
    if not 1 <= len(lines) <= 64:
        raise ValueError("no index, or more hashes than a tree is high")
    return read_field("index", lines[0]), [read_hash(line) for line in lines[1:]], Note.read(note)


# The command.


def read_keys(text: str) -> list[Key]:
    return [Key.read(line) for line in text.split("\n") if line.strip()]


def keys_of(option: str) -> list[Key]:
    """A key, or a file with one in each line."""
    try:
        text = read_file(option).decode() if os.path.exists(option) else option
        keys = read_keys(text)
    except ValueError as error:
        raise Unusable(f"--vkey {option}: {error}") from error
    if not keys:
        raise Unusable(f"--vkey {option}: no key")
    return keys


def read_file(path: str) -> bytes:
    try:
        if not stat.S_ISREG(os.stat(path).st_mode) or os.path.getsize(path) > LONGEST_TEXT:
            raise Unusable(f"{path} is not a file, or too long")
        with open(path, "rb") as file:
            return file.read(LONGEST_TEXT)
    except (OSError, ValueError) as error:
        raise Unusable(f"{path} cannot be read: {error}") from error


def older_note(path: str) -> tuple[str, Note]:
    try:
        return path, Note.read(read_file(path))
    except ValueError as error:
        raise Unusable(f"--checkpoint {path}: {error}") from error


class Options(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise Unusable(f"{message}; --help tells more")


def options() -> Options:
    parser = Options(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        usage="audit_verify.py BUNDLE | --proof FILE --entry FILE  [options]",
    )
    parser.add_argument("bundle", nargs="?", help="a folder, or a .tar of it")
    parser.add_argument("--vkey", action="append", default=[], help="a key you trust, or its file")
    parser.add_argument("--checkpoint", action="append", default=[], help="one that you kept")
    parser.add_argument("--proof", help="a .tlog-proof of one record")
    parser.add_argument("--entry", help="the record of the proof")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    return parser


def verify(given: argparse.Namespace) -> Report:
    keys = [key for option in given.vkey for key in keys_of(option)]
    if given.proof or given.entry:
        if given.bundle or given.checkpoint or not (given.proof and given.entry and keys):
            raise Unusable("one record needs --proof, --entry and --vkey, and nothing else")
        entry = read_file(given.entry)
        return verify_proof(
            read_file(given.proof), entry[: -1 if entry[-1:] == b"\n" else None], keys
        )
    if not given.bundle:
        raise Unusable("no bundle is given; --help tells more")
    older = [older_note(path) for path in given.checkpoint]
    return Verification(open_bundle(given.bundle), progress_on(sys.stderr)).run(keys, older)


def progress_on(stream: Any) -> Callable[[int], None]:
    """Once a second, from the second second on, where somebody looks."""
    told, is_watched = [time.monotonic()], stream.isatty()

    def progress(count: int) -> None:
        if is_watched and time.monotonic() - told[0] > 1:
            told[0] = time.monotonic()
            stream.write(f"\r{count} records read")
            stream.flush()

    return progress


VERDICTS = {
    0: "OK. Every record is as it was signed; none is missing, added or moved.",
    1: "TAMPERED WITH. What is listed above is not as it was signed.",
    2: "INCOMPLETE. Nothing was found to be altered, but what is listed above could not be shown.",
}


def print_text(report: Report) -> None:
    findings = report.in_order()
    for found in findings[:MOST_SHOWN]:
        print(found)
    if len(findings) > MOST_SHOWN:
        print(f"and {len(findings) - MOST_SHOWN} more")
    print(f"Records: {report.entries}, leaves {report.first} to {report.last} (without the last)")
    print(printable(f"Log: {report.origin}, of size {report.size} with the root {report.root}"))
    print(printable(f"Signed by: {report.key or 'nobody who is trusted'}"))
    for note in report.notes:
        print(printable(note))
    print(VERDICTS[report.exit_code])


def print_json(report: Report) -> None:
    names = ("entries", "first", "last", "size", "root", "origin", "key", "notes")
    findings = report.in_order()
    answer = {
        "ok": report.exit_code == 0,
        "exit": report.exit_code,
        **{name: getattr(report, name) for name in names},
        "found": len(findings),
        "findings": [found._asdict() for found in findings[:MOST_SHOWN]],
    }
    print(json.dumps(answer, sort_keys=True))


def main(arguments: list[str]) -> int:
    try:
        given = options().parse_args(arguments)
        report = verify(given)
    except (Unusable, OSError) as error:
        sys.stderr.write(printable(f"audit_verify: {error}") + "\n")
        if "--json" in arguments:
            print(json.dumps({"ok": False, "exit": 3, "error": str(error)}))
        return 3
    (print_json if given.json else print_text)(report)
    return report.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
