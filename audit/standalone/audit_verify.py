#!/usr/bin/env python3
"""Check an audit bundle of Dashtam, or the proof of one record, without Dashtam.

    python3 audit_verify.py BUNDLE [--vkey KEY|FILE]... [--checkpoint OLDER_NOTE]... [--json]
    python3 audit_verify.py --proof X.tlog-proof --entry ENTRY.json --vkey KEY|FILE [--json]

For example: python3 audit_verify.py bundle-2026-11 --vkey vkeys --checkpoint kept-in-october

BUNDLE is a folder or an uncompressed .tar of it. Nothing but Python 3.8 is needed; nothing is
unpacked, written or sent.

What is checked, in this order:
  1. `checkpoint` is signed by a key you trust. It says how many records the log has (its size)
     and one hash that depends on every bit of all of them (its root).
  2. Each line of `entries.jsonl` is hashed (RFC 9162: SHA-256 of 0x00 and the line). With the
     hashes of `range.proof`, which stand for the records before and behind, they must lead to
     the signed root. If they do, no record was altered, removed, added or moved.
  3. Each record is canonical JSON, its id occurs once and tells its phase, an outcome has its
     attempt, and an attempt has its outcome.
  4. `leaves` lists the id and the hash of each record as it was sealed. Where 2 fails, it names
     the records that are to blame, if it still leads to the signed root itself.
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
import io
import json
import os
import re
import stat
import struct
import sys
import time
import unicodedata
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import lru_cache, partial, reduce
from hashlib import sha256, sha512
from itertools import islice, zip_longest
from operator import methodcaller
from typing import Any, BinaryIO, NamedTuple

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:  # verified in Python below, which takes some milliseconds
    Ed25519PublicKey = None  # type: ignore[assignment, misc]

BUNDLE_FORMAT = "dashtam.audit-bundle/v1"
RANGE_FORMAT = "dashtam.range-proof/v1"
PROOF_FORMAT = "c2sp.org/tlog-proof@v1"
NEEDED = ("checkpoint", "entries.jsonl", "leaves", "range.proof", "vkey")
INCOMPLETE = frozenset({"open_attempt", "unknown_version", "not_covered"})
"""The kinds of findings that are no sign of tampering."""
LATE = timedelta(minutes=5)
"""An attempt gets its outcome within two minutes, be it that it was abandoned."""
LONGEST_ENTRY = 60_000
LONGEST_LINE = 1 << 20
"""A longer one counts as several, none of which is a record."""
LONGEST_TEXT = 1_000_000
MOST_FILES = MOST_EXTRA_LINES = MOST_KEPT = 10_000
MOST_SHOWN = MOST_SIGNATURES = 100
MOST_REMEMBERED = 50_000
BLOCK = 1 << 18
BATCH = 1024
HASH = 32


class Unusable(Exception):
    """Not a bundle, not a file or not an option: exit code 3."""


# What is checked.


class Verification:
    """`run` is the table of contents."""

    def __init__(self, bundle: Bundle, progress: Progress) -> None:
        self.bundle, self.progress, self.report = bundle, progress, Report()
        self.keys: list[Key] = []
        self.note: Note | None = None
        self.place: Range | None = None
        self.sizes: set[int] = set()
        self.records = self.proof = Proof(0, b"", {})

    def run(self, trusted: list[Key], older: list[tuple[str, Note]]) -> Report:
        manifest = self._read_manifest()
        self.prove(trusted or self._keys_inside(), {note.size for _, note in older})
        self._check_what_they_say()
        self._check_older(sorted(older, key=lambda each: each[1].size))
        self._check_manifest(manifest)
        return self.report

    def prove(self, keys: list[Key], older: set[int]) -> bool:
        self.keys = keys
        self._check_signature()
        self._check_records(older)
        return self.report.key is not None and self._is_signed(self.records)

    def _read_manifest(self) -> dict[str, Any]:
        try:
            found = json.loads(self.bundle.read("manifest.json").decode())
            if not isinstance(found, dict) or not isinstance(found.get("files"), dict):
                raise ValueError("not a manifest")
        except (ValueError, RecursionError) as error:
            self.report.tell("manifest_mismatch", f"manifest.json: {error}")
            return {}
        if found.get("format") != BUNDLE_FORMAT:
            self.report.tell("unknown_version", f"the bundle is not a {BUNDLE_FORMAT}")
        return found

    def _keys_inside(self) -> list[Key]:
        self.report.notes.append(
            "Only the key that came with the bundle was used. Whoever can forge a bundle can put"
            " a key of their own into it: get the key another way and give it as --vkey."
        )
        try:
            return read_keys(self.bundle.read("vkey").decode())
        except ValueError as error:
            self.report.tell("bad_signature", f"vkey: {error}")
            return []

    def _check_signature(self) -> None:
        with self.report.unless_readable("bad_signature", "checkpoint"):
            self.note = Note.read(self.bundle.read("checkpoint"))
            self.report.check_signed(self.note, self.keys)

    def _check_records(self, older: set[int]) -> None:
        """The hashes alone: no record is read."""
        with self.report.unless_readable("bad_proof", "range.proof"):
            self.place = Range.read(self.bundle.read("range.proof"))
            self.report.first, self.report.last = self.place.first, self.place.last
        self.sizes = older | ({self.note.size} if self.note else set())
        lines = self.bundle.lines_with_ends("entries.jsonl")
        self.records = self.proof = self._prove(hashed(lines, self.progress))
        self.report.entries = self.records.leaves

    def _lines(self) -> Iterator[bytes]:
        return self.bundle.lines("entries.jsonl")

    def _prove(self, rows: Iterable[bytes]) -> Proof:
        return prove(rows, self.place or Range(0, 0, 0, [], []), self.sizes)

    def _is_signed(self, proof: Proof) -> bool:
        if self.note is None or self.place is None or self.note.size != self.place.size:
            return False
        return proof.roots.get(self.note.size) == self.note.root

    def _check_what_they_say(self) -> None:
        trail = Trail(self._lines, self.report.first, self.progress)
        is_listed = self.bundle.digest("leaves") == trail.digest_of_list
        if is_listed and trail.tells_every_id and self._is_signed(self.records):
            self.report.take(trail, range(self.records.leaves), [])
        else:
            self._find_whom_to_blame(trail, Sealed(self.bundle.lines("leaves")))

    def _find_whom_to_blame(self, trail: Trail, sealed: Sealed) -> None:
        """Slower, and with all hashes in memory."""
        is_signed, listed = self._is_signed(self.records), self._prove(sealed.rows())
        is_same = listed.digest == self.records.digest
        if is_signed or is_same or not sealed.ids:
            check_list(sealed, self._lines(), self.report)
            self.report.take(trail, range(self.records.leaves), sealed.ids if is_same else [])
        elif self.records.leaves > len(sealed.ids) + MOST_EXTRA_LINES:
            self.report.tell("inserted", "many more lines than leaves")
        else:
            Comparison(sealed, self._lines()).tell(self.report, trail)
        if not is_signed and self._is_signed(listed):
            self.proof = listed
        elif not is_signed:
            self.report.tell("wrong_root", "the records do not lead to the root that was signed")

    def _check_older(self, older: list[tuple[str, Note]]) -> None:
        agreed = 0
        for path, note in older:
            signers: list[Key] = []
            with self.report.unless_readable("bad_signature", path):
                signers = note.signers(self.keys)
            if not signers:
                continue
            if self.report.key and note.origin != self.report.origin:
                raise Unusable(f"{path} is a checkpoint of another log: {note.origin}")
            root = self.proof.roots.get(note.size)
            if root is None:
                detail = f"{path}: this bundle cannot show the first {note.size} records"
                self.report.tell("not_covered", detail)
            elif root != note.root:
                detail = f"{path}: leaves {agreed} to {note.size - 1} are not those that it signed"
                self.report.tell("rewritten", detail)
            else:
                agreed = note.size
                self.report.notes.append(f"The checkpoint {path} of {note.size} records agrees.")

    def _check_manifest(self, manifest: dict[str, Any]) -> None:
        if not manifest:
            return
        files = manifest["files"]
        for name in [*NEEDED, *(name for name in files if name not in NEEDED)]:
            problem = self._problem_of(name, files.get(name))
            if problem:
                self.report.tell("manifest_mismatch", f"{name}: {problem}")
        facts = {"count": self.report.entries, "origin": self.report.origin}
        facts.update(self.place._asdict() if self.place else {})
        for name in ("origin", "size", "first", "last", "count"):
            if facts.get(name, manifest.get(name)) != manifest.get(name):
                detail = f"{name} is {facts[name]}, not {manifest.get(name)}"
                self.report.tell("manifest_mismatch", detail)

    def _problem_of(self, name: str, digest: Any) -> str:
        if name not in self.bundle.parts:
            return "missing"
        return "" if self.bundle.digest(name) == digest else "another file than the manifest tells"


def verify_proof(proof: bytes, entry: bytes, keys: list[Key]) -> Report:
    """Of one record: C2SP tlog-proof."""
    report, entry_id = Report(), id_told(entry)
    report.entries = 1
    try:
        read_entry(entry)
    except BadEntry as bad:
        report.tell(bad.kind, bad.detail, None, entry_id)
    with report.unless_readable("bad_proof", "the proof"):
        index, path, note = read_proof(proof)
        report.first, report.last = index, index + 1
        if root_by_path(leaf_hash(entry), index, note.size, path) != note.root:
            detail = "it is not the record that was sealed there"
            report.tell("wrong_root", detail, index, entry_id)
        with report.unless_readable("bad_signature", "the checkpoint of the proof"):
            report.check_signed(note, keys)
    return report


# What is found.


class Finding(NamedTuple):
    kind: str
    detail: str
    leaf: int | None = None
    id: str | None = None

    def __str__(self) -> str:
        place = "the bundle" if self.leaf is None else f"leaf {self.leaf}"
        event = f", event {self.id}" if self.id else ""
        return printable(f"{place}{event}: {self.kind} ({self.detail})")


class Findings:
    def __init__(self) -> None:
        self.kept: list[Finding] = []
        self.of_kind: Counter[str] = Counter()

    def tell(self, kind: str, detail: str, leaf: int | None = None, id: str | None = None) -> None:  # noqa: A002
        self.of_kind[kind] += 1
        if self.of_kind[kind] <= MOST_KEPT:
            self.kept.append(Finding(kind, detail, leaf, id))


class Report(Findings):
    def __init__(self) -> None:
        super().__init__()
        self.entries = self.first = 0
        self.last: int | None = None
        self.size: int | None = None
        self.root = self.origin = self.key = None  # type: str | None
        self.notes: list[str] = []

    @contextmanager
    def unless_readable(self, kind: str, what: str) -> Iterator[None]:
        """What a file should have shown is a finding where it cannot be read."""
        try:
            yield
        except ValueError as error:
            self.tell(kind, f"{what}: {error}")

    def check_signed(self, note: Note, keys: list[Key]) -> None:
        self.origin, self.size, self.root = note.origin, note.size, b64encode(note.root).decode()
        self.key = ", ".join(map(str, note.signers(keys)))

    def take(self, found: Findings, leaf_of: Sequence[int], ids: Sequence[str | None]) -> None:
        """What was found in lines, by leaves. `ids` are those of the lines that are known."""
        self.of_kind.update(found.of_kind)
        for each in found.kept:
            line = each.leaf or 0
            known = ids[line] if line < len(ids) else None
            self.kept.append(each._replace(leaf=self.first + leaf_of[line], id=each.id or known))

    @property
    def exit_code(self) -> int:
        if set(self.of_kind) - INCOMPLETE:
            return 1
        return 2 if self.of_kind else 0

    def in_order(self) -> list[Finding]:
        """The first bad leaf first; what concerns no single leaf last."""
        return sorted(self.kept, key=lambda found: (found.leaf is None, found.leaf or 0))


def printable(text: str) -> str:
    """What a stranger wrote must not move the cursor of whoever reads it."""
    return "".join(c if " " <= c <= "~" else ascii(c)[1:-1] for c in text[:500])


# The tree: RFC 9162 §2.1.

PAIR = struct.Struct("64s")


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def hashed(lines: Iterator[bytes], progress: Progress) -> Iterator[bytes]:
    """The hashes of the records in rows. That no line is kept is also what makes it fast."""
    count = 0
    while row := b"".join(
        [sha256(b"\x00" + line.rstrip(b"\n")).digest() for line in islice(lines, BATCH)]
    ):
        yield row
        count += len(row) // HASH
        progress("proved", count)


class Tree:
    """Grows from left to right. At each height at most one node waits for its sibling."""

    def __init__(self, sizes: set[int]) -> None:
        self.size, self.waiting, self.roots = 0, [b""] * 65, dict.fromkeys(sizes, b"")
        self._keep_root()

    def add_leaves(self, row: bytes) -> None:
        for size in sorted(self.roots):
            at = (size - self.size) * HASH
            if 0 < at < len(row):
                self.add(row[:at])
                row = row[at:]
        self.add(row)

    def add(self, row: bytes, height: int = 0) -> None:
        """The roots of whole subtrees of that height, of which no lower one waits."""
        self.size += (len(row) // HASH) << height
        while row:
            row = self.waiting[height] + row
            paired = len(row) // PAIR.size * PAIR.size
            self.waiting[height] = row[paired:]
            pairs = PAIR.iter_unpack(row[:paired])
            row = b"".join([sha256(b"\x01" + pair).digest() for (pair,) in pairs])
            height += 1
        self._keep_root()

    def _keep_root(self) -> None:
        if self.size in self.roots:
            nodes = [node for node in self.waiting if node] or [sha256(b"").digest()]
            self.roots[self.size] = reduce(lambda right, left: node_hash(left, right), nodes)


class Proof(NamedTuple):
    """What hashes lead to: the roots of the sizes that can be told, and a digest of them all."""

    leaves: int
    digest: bytes
    roots: dict[int, bytes]


def prove(rows: Iterable[bytes], place: Range, sizes: set[int]) -> Proof:
    tree, digest = Tree(sizes), sha256()
    for (height, _), node in zip(whole_subtrees(0, place.first), place.left):
        tree.add(node, height)
    for row in rows:
        digest.update(row)
        tree.add_leaves(row)
    count = tree.size - place.first
    if tree.size != place.last:  # the hashes of the right would stand at another place
        return Proof(count, digest.digest(), {})
    for (height, _), node in zip(whole_subtrees(place.last, place.size), place.right):
        tree.add(node, height)
    roots = {size: root for size, root in tree.roots.items() if root}
    return Proof(count, digest.digest(), roots)


def whole_subtrees(first: int, last: int) -> Iterator[tuple[int, int]]:
    """The height and the first leaf of the largest whole subtrees within [first, last)."""
    while first < last:
        height = (last - first).bit_length() - 1
        if first:
            height = min(height, (first & -first).bit_length() - 1)
        yield height, first
        first += 1 << height


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
        first, last, size = map(read_field, ("first", "last", "size"), lines[1:4])
        if not first <= last <= size:
            raise ValueError("not a range of the log")
        lefts = len(list(whole_subtrees(0, first)))
        names = ["left"] * lefts + ["right"] * len(list(whole_subtrees(last, size)))
        if len(lines) - 4 != len(names):
            raise ValueError("too many or too few hashes")
        hashes = [read_hash(after(name, line)) for name, line in zip(names, lines[4:])]
        return cls(first, last, size, hashes[:lefts], hashes[lefts:])


def read_proof(raw: bytes) -> tuple[int, list[bytes], Note]:
    head, _, note = raw.partition(b"\n\n")
    header, *lines = head.decode("ascii").split("\n")
    if header != PROOF_FORMAT:
        raise ValueError(f"not a {PROOF_FORMAT}")
    if lines and lines[0].startswith("extra "):
        read_base64(after("extra", lines.pop(0)))
    if not 1 <= len(lines) <= 64:
        raise ValueError("no index, or more hashes than a tree is high")
    return read_field("index", lines[0]), [read_hash(line) for line in lines[1:]], Note.read(note)


def root_by_path(leaf: bytes, index: int, size: int, path: Iterable[bytes]) -> bytes | None:
    """RFC 9162 §2.1.3.2. None where the path has not the length that it must have."""
    if index >= size:
        return None
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


# Numbers and hashes as text: of the spellings that mean the same, one is accepted.


def after(name: str, line: str) -> str:
    if not line.startswith(name + " "):
        raise ValueError(f"no line tells the {name}")
    return line[len(name) + 1 :]


def read_field(name: str, line: str) -> int:
    return read_number(after(name, line))


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
        c, d = 2 * self.t * other.t * D, 2 * self.z * other.z
        e, f, g, h = (b - a) % P, (d - c) % P, (d + c) % P, (b + a) % P
        return Point(e * f % P, g * h % P, f * g % P, e * h % P)

    def times(self, number: int) -> Point:
        product, double = Point(0, 1, 1, 0), self
        while number:
            product = product.plus(double) if number & 1 else product
            double, number = double.plus(double), number >> 1
        return product

    def encoded(self) -> bytes:
        inverse = pow(self.z, P - 2, P)
        x, y = self.x * inverse % P, self.y * inverse % P
        return (y | (x & 1) << 255).to_bytes(32, "little")


def read_point(raw: bytes) -> Point | None:
    number = int.from_bytes(raw, "little")
    y, is_odd = number & (2**255 - 1), number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * SQUARE_ROOT_OF_MINUS_1 % P
    if len(raw) != 32 or y >= P or x * x % P != square or (x == 0 and is_odd):
        return None
    x = P - x if x & 1 != is_odd else x
    return Point(x, y, 1, x * y % P)


def is_signature(public: bytes, message: bytes, signature: bytes) -> bool:
    """Both ways of checking refuse a second spelling of a key or of a signature."""
    point, s = read_point(public), int.from_bytes(signature[32:], "little")
    if point is None or len(signature) != 64 or s >= ORDER:
        return False
    if Ed25519PublicKey is None:
        return is_signature_in_python(point, public, message, signature)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def is_signature_in_python(point: Point, public: bytes, message: bytes, signature: bytes) -> bool:
    base = read_point(bytes([0x58]) + bytes([0x66]) * 31)
    assert base is not None
    s = int.from_bytes(signature[32:], "little")
    k = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % ORDER
    minus = Point(P - point.x, point.y, 1, P - point.t)
    return base.times(s).plus(minus.times(k)).encoded() == signature[:32]


# The records: what each says, and what they say of each other.

ID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
FIELDS = {"id", "at", "action", "phase", "attempt", "actor", "subject"} | {
    *("resource", "corr", "ip_bi", "ctx", "pii", "err")
}
OUTCOMES = ("SUCCEEDED", "FAILED", "ABANDONED")
PHASES = ("ATTEMPTED", *OUTCOMES, "SOLE")
PHASES_OF = dict(zip("0123456789abcdef", [("ATTEMPTED",), OUTCOMES, ("SOLE",), ()] * 4))
"""By the last digit of an id, of which the two lowest bits tell the phase."""
ATTEMPT_OF = {"1": "0", "5": "4", "9": "8", "d": "c"}
"""By the last digit of an outcome's id, that of its attempt's."""

# Nearly all records are ASCII without escapes, in a context without nesting. Such a one is read by
# this expression alone, in a third of the time that JSON takes. It cannot be deceived: no string
# that it allows has a quote inside, so what matches is canonical JSON with these very fields, if
# only the keys of the context are in order. Whatever does not match is read as JSON.
STRING = r'"[ !#-\[\]-~]*"'
VALUE = rf"(?:null|{STRING})"
MEMBER = rf'"[a-z_]+":(?:null|true|false|0|-?[1-9][0-9]{{0,17}}|{STRING})'
TIME = r"[0-9-]{10}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z"
PLAIN = re.compile(
    rf'\{{"action":{STRING},"actor":{VALUE},"at":"({TIME})","attempt":(?:null|"([0-9a-f-]{{36}})"),'
    rf'"corr":{VALUE},"ctx":(\{{(?:{MEMBER}(?:,(?=")|(?=\}})))*\}}),"err":{VALUE},'
    rf'"id":"({ID.pattern})","ip_bi":{VALUE},"phase":"([A-Z]+)","pii":{VALUE},'
    rf'"resource":\[{VALUE},{VALUE}\],(?:"src":{VALUE},)?"subject":{VALUE},"v":1\}}'
)
KEYS_OF_CONTEXT = re.compile('"([a-z_]+)":').findall


class BadEntry(ValueError):
    def __init__(self, kind: str, detail: str, id: str | None = None) -> None:  # noqa: A002
        super().__init__(detail)
        self.kind, self.detail, self.id = kind, detail, id


def read_entry(raw: bytes) -> tuple[str, str, str, str | None]:
    """Its id, phase, time and attempt. Raises `BadEntry`."""
    entry_id, phase, at, attempt = read_plain(raw) or read_json(raw)
    last = entry_id[-1]
    if phase not in PHASES_OF[last]:
        raise BadEntry("bad_phase", f"its id is not that of an entry that is {phase}", entry_id)
    if attempt != (entry_id[:-1] + ATTEMPT_OF[last] if last in ATTEMPT_OF else None):
        raise BadEntry("bad_phase", "it names another attempt than its id", entry_id)
    return entry_id, phase, at, attempt


def read_plain(raw: bytes) -> tuple[str, str, str, str | None] | None:
    found = PLAIN.fullmatch(raw.decode("latin-1")) if len(raw) <= LONGEST_ENTRY else None
    if found is None:
        return None
    at, attempt, context, entry_id, phase = found.groups()
    if not are_in_order(*KEYS_OF_CONTEXT(context)) or not is_day(at[:10]) or phase not in PHASES:
        return None
    return entry_id, phase, at, attempt


@lru_cache(maxsize=64)
def is_day(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).date().isoformat() == text
    except ValueError:
        return False


@lru_cache(maxsize=1024)
def are_in_order(*keys: str) -> bool:
    return [*keys] == sorted(set(keys))


def refuse_number(text: str) -> None:
    raise BadEntry("not_canonical", f"{text[:20]} is not a whole number")


decode = json.JSONDecoder(parse_float=refuse_number, parse_constant=refuse_number).decode
encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def read_json(raw: bytes) -> tuple[str, str, str, str | None]:
    if len(raw) > LONGEST_ENTRY:
        raise BadEntry("not_an_entry", f"it is longer than {LONGEST_ENTRY} bytes")
    try:
        document = decode(raw.decode())
    except (ValueError, RecursionError) as error:
        raise (error if isinstance(error, BadEntry) else BadEntry("not_json", "no JSON")) from None
    found = document.get("id") if isinstance(document, dict) else None
    if not isinstance(found, str) or not ID.fullmatch(found):
        raise BadEntry("not_an_entry", "it has no id")
    if type(document.get("v")) is not int or document["v"] != 1:
        raise BadEntry("unknown_version", "this program reads version 1", found)
    if not is_canonical(document, raw):
        raise BadEntry("not_canonical", "the same record has another spelling", found)
    phase, at = document.get("phase"), document.get("at")
    try:
        is_time = read_time(at).isoformat(timespec="microseconds") + "Z" == at
        if not is_time or phase not in PHASES or not FIELDS.issubset(document):
            raise ValueError
        _type, _id = document["resource"]
    except (TypeError, ValueError):
        raise BadEntry("not_an_entry", "a field is missing or not what it must be", found) from None
    return found, phase, at, document["attempt"]


def read_time(at: Any) -> datetime:
    return datetime.fromisoformat(at[:-1])


def is_canonical(document: dict[str, Any], raw: bytes) -> bool:
    try:
        text = encode(document)
        # A lone surrogate has no UTF-8; it is written as its JSON escape.
        return text.encode("utf-8", "backslashreplace") == raw and (
            text.isascii()
            or all(unicodedata.is_normalized("NFC", each) for each in strings_in(document))
        )
    except RecursionError:
        return False


def strings_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings_in(item)


class Trail(Findings):
    """What the lines of `entries.jsonl` say of each other. Counted by lines, not by leaves."""

    def __init__(
        self, lines: Callable[[], Iterator[bytes]], first: int, progress: Progress
    ) -> None:
        super().__init__()
        self.first, self.seen, self.tells_every_id = first, Seen(), True
        self.open: dict[str, tuple[int, str]] = {}
        self.early: dict[str, int] = {}
        self.newest = self.since = ""
        numbered, count, listed = enumerate(lines()), 0, sha256()
        while ids := [self._read(line, raw) for line, raw in islice(numbered, BATCH)]:
            listed.update("".join(ids).encode())
            count += len(ids)
            progress("read", count)
        self.digest_of_list = listed.hexdigest()
        again = self._find_repeated(lines) if self.seen.doubtful else set()
        self._check_attempts(again)

    def _read(self, line: int, raw: bytes) -> str:
        """The line that `leaves` must have for it."""
        try:
            entry_id, phase, at, attempt = read_entry(raw)
        except BadEntry as bad:
            self.tell(bad.kind, bad.detail, line, bad.id)
            self.tells_every_id &= bad.id is not None
            return f"{bad.id} {leaf_hash(raw).hex()}\n"
        self.seen.add(entry_id)
        if phase == "ATTEMPTED":
            self.since = self.since or entry_id
            if self.early.pop(entry_id, None) is None:
                self.open.setdefault(entry_id, (line, at))
        elif attempt and self.open.pop(attempt, None) is None:
            self.early.setdefault(attempt, line)
        self.newest = max(self.newest, at)
        return f"{entry_id} {leaf_hash(raw).hex()}\n"

    def _find_repeated(self, lines: Callable[[], Iterator[bytes]]) -> set[int]:
        """A second reading, for the few ids that one may doubt. The lines that have one again."""
        again: set[int] = set()
        seen: dict[str, tuple[int, bytes]] = {}
        for line, raw in enumerate(lines()):
            try:
                entry_id, _, _, attempt = read_entry(raw)
            except BadEntry:
                continue
            if entry_id in self.seen.doubtful:
                earlier, other = seen.setdefault(entry_id, (line, leaf_hash(raw)))
                if earlier != line:
                    again.add(line)
                    is_other = attempt and other != leaf_hash(raw)
                    kind = "two_outcomes" if is_other else "duplicate_id"
                    self.tell(kind, f"leaf {self.first + earlier} has this id", line, entry_id)
        return again

    def _check_attempts(self, again: set[int]) -> None:
        for attempt, line in self.early.items():
            if line not in again and self._began_inside(attempt):
                outcome = f"{attempt[:-1]}{int(attempt[-1], 16) | 1:x}"
                detail = f"the attempt {attempt} is not in the bundle"
                self.tell("orphan_outcome", detail, line, outcome)
        for attempt, (line, at) in self.open.items():
            if line not in again and read_time(self.newest) - read_time(at) > LATE:
                self.tell("open_attempt", "no outcome", line, attempt)

    def _began_inside(self, attempt: str) -> bool:
        """Records stand in the order of their commits, which is not quite that of their ids."""
        if self.first == 0 or not self.since:
            return self.first == 0
        return time_of_id(attempt) - time_of_id(self.since) > LATE


def time_of_id(uuid7: str) -> timedelta:
    """Since 1970."""
    return timedelta(milliseconds=int(uuid7[:8] + uuid7[9:13], 16))


class Seen:
    """Whether an id occurs again, without keeping all of them: ids rise with the time, nearly.
    `doubtful` are those that were seen again, or are older than what was forgotten."""

    def __init__(self) -> None:
        self.young: set[str] = set()
        self.old: set[str] = set()
        self.doubtful: set[str] = set()
        self.newest_forgotten = ""

    def add(self, entry_id: str) -> None:
        if entry_id in self.young or entry_id in self.old or entry_id <= self.newest_forgotten:
            self.doubtful.add(entry_id)
            return
        self.young.add(entry_id)
        if len(self.young) == MOST_REMEMBERED:
            self.newest_forgotten = max([self.newest_forgotten, *self.old])
            self.old, self.young = self.young, set()


# The list of what was sealed, and who is to blame where the records are not those.

LISTED = re.compile(rb"([0-9a-f-]{36}) ([0-9a-f]{64})")


class Sealed:
    """The lines of `leaves`. One that is damaged stands for a hash that no record has."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.ids: list[str] = []
        self.hashes: list[bytes] = []
        damaged = 0
        for found in map(LISTED.fullmatch, lines):
            self.ids.append(found[1].decode() if found else "")
            self.hashes.append(bytes.fromhex(found[2].decode()) if found else bytes(HASH))
            damaged += not found
            if damaged > MOST_SHOWN:
                return

    def rows(self) -> Iterator[bytes]:
        for at in range(0, len(self.hashes), BATCH):
            yield b"".join(self.hashes[at : at + BATCH])


def check_list(sealed: Sealed, lines: Iterable[bytes], report: Report) -> None:
    """The list, which no signature covers, against records that are right."""
    for leaf, (raw, entry_id, listed) in enumerate(
        zip_longest(lines, sealed.ids, sealed.hashes), report.first
    ):
        if raw is None or entry_id is None:
            report.tell("leaf_mismatch", "leaves: not as many lines as records")
            return
        own = id_told(raw)
        if leaf_hash(raw) != listed:
            report.tell("leaf_mismatch", "leaves: another hash", leaf, own)
        elif own is not None and own != entry_id:
            report.tell("id_mismatch", f"leaves: it was sealed as {entry_id}", leaf, own)


def id_told(line: bytes) -> str | None:
    try:
        return read_entry(line)[0]
    except BadEntry as bad:
        return bad.id


class Comparison:
    """Of the lines with the leaves that were sealed."""

    def __init__(self, sealed: Sealed, lines: Iterable[bytes]) -> None:
        self.sealed = sealed
        self.ids: list[str | None] = []
        self.found: list[int | None] = []
        """For each line the leaf that it was sealed as."""
        self._recognise(lines)
        self.by_id = {entry_id: leaf for leaf, entry_id in enumerate(sealed.ids)}
        self.missing = set(range(len(sealed.ids))) - set(self.found)

    def _recognise(self, lines: Iterable[bytes]) -> None:
        """Of two copies the one that follows its neighbour is the original."""
        leaf_of = {leaf: n for n, leaf in enumerate(self.sealed.hashes)}
        line_of: dict[int, int] = {}
        for line, raw in enumerate(lines):
            leaf = leaf_of.get(leaf_hash(raw))
            self.ids.append(id_told(raw) if leaf is None else self.sealed.ids[leaf])
            before = self.found[-1] if self.found else -1
            if leaf in line_of and before is not None and before == leaf - 1:
                self.found[line_of[leaf]] = None
            elif leaf in line_of:
                leaf = None
            if leaf is not None:
                line_of[leaf] = line
            self.found.append(leaf)

    def tell(self, report: Report, trail: Trail) -> None:
        places: list[int] = []
        next_leaf = 0
        for line, known in enumerate(self.found):
            leaf = self._altered(line, next_leaf) if known is None else known
            places.append(next_leaf if leaf is None else leaf)
            if leaf is None:
                detail = "this record was never sealed"
                report.tell("inserted", detail, report.first + next_leaf, self.ids[line])
                continue
            if known is None:
                self._tell(report, "altered", leaf, "not the record that was sealed")
            next_leaf = leaf + 1
        for leaf in sorted(self.missing):
            self._tell(report, "deleted", leaf, "no line has the record that was sealed")
        moved = [leaf for leaf in self.found if leaf is not None]
        for leaf, other in zip(sorted(moved), moved):
            if leaf != other:
                detail = f"leaf {report.first + other} stands in its place"
                self._tell(report, "reordered", leaf, detail)
        report.take(trail, places, self.ids)

    def _altered(self, line: int, next_leaf: int) -> int | None:
        """The missing leaf that has the id of this line, or else stood in its place."""
        by_id = self.by_id.get(self.ids[line] or "")
        leaf = by_id if by_id in self.missing else next_leaf
        if leaf not in self.missing:
            return None
        self.missing.remove(leaf)
        return leaf

    def _tell(self, report: Report, kind: str, leaf: int, detail: str) -> None:
        report.tell(kind, detail, report.first + leaf, self.sealed.ids[leaf])


# The files of a bundle: plain ones in a folder, or parts of a tar.


class Part(NamedTuple):
    path: str
    start: int
    length: int


class Reader(io.RawIOBase):
    """Of a part as if it were a file."""

    def __init__(self, part: Part) -> None:
        self._file = open(part.path, "rb", buffering=0)  # noqa: SIM115
        self._file.seek(part.start)
        self._left = part.length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._file.readinto(memoryview(buffer)[: self._left]) or 0
        self._left -= count
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


without_end = methodcaller("rstrip", b"\n")


class Bundle:
    def __init__(self, parts: dict[str, Part]) -> None:
        self.parts = parts

    def open(self, name: str) -> BinaryIO:
        return io.BufferedReader(Reader(self.parts[name]), BLOCK)

    def lines_with_ends(self, name: str) -> Iterator[bytes]:
        """A missing file has none."""
        read = self.open(name).readline if name in self.parts else io.BytesIO().readline
        return iter(partial(read, LONGEST_LINE), b"")

    def lines(self, name: str) -> Iterator[bytes]:
        return map(without_end, self.lines_with_ends(name))

    def read(self, name: str) -> bytes:
        """Raises `ValueError` for what is missing or too long."""
        if name not in self.parts or self.parts[name].length > LONGEST_TEXT:
            raise ValueError("missing" if name not in self.parts else "too long")
        with self.open(name) as file:
            return file.read()

    def digest(self, name: str) -> str:
        digest = sha256()
        if name in self.parts:
            with self.open(name) as file:
                while block := file.read(BLOCK):
                    digest.update(block)
        return digest.hexdigest()


def open_bundle(path: str) -> Bundle:
    with needed(path):
        parts = files_of_folder(path) if os.path.isdir(path) else files_of_tar(path)
        if "manifest.json" not in parts:
            raise ValueError("not a bundle, for it has no manifest.json")
        return Bundle(parts)


def files_of_folder(root: str) -> dict[str, Part]:
    """Links, pipes and devices are not the bundle's."""
    parts: dict[str, Part] = {}
    for folder, _, names in os.walk(root):
        for path in (os.path.join(folder, name) for name in names):
            about = os.lstat(path)
            if stat.S_ISREG(about.st_mode):
                parts[os.path.relpath(path, root).replace(os.sep, "/")] = Part(
                    path, 0, about.st_size
                )
        if len(parts) > MOST_FILES:
            raise ValueError(f"more than {MOST_FILES} files")
    return parts


def files_of_tar(path: str) -> dict[str, Part]:
    """Refuses what no bundle has, so that it can be unpacked without fear afterwards."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError("neither a folder nor a file")
    parts: dict[str, Part] = {}
    with open(path, "rb") as file:
        end = os.fstat(file.fileno()).st_size
        for name, start, length in tar_members(file, end):
            if name in parts or len(parts) > MOST_FILES:
                raise ValueError(f"{printable(name)} is there twice, or there are too many files")
            parts[name] = Part(path, start, length)
    tops = [name[: -len("manifest.json")] for name in parts if name.endswith("/manifest.json")]
    if "manifest.json" in parts or len(tops) != 1:
        return parts
    top = tops[0]
    return {name[len(top) :]: piece for name, piece in parts.items() if name.startswith(top)}


def tar_members(file: BinaryIO, end: int) -> Iterator[tuple[str, int, int]]:
    for _ in range(2 * MOST_FILES):
        header = file.read(512)
        if not header.strip(b"\0"):
            return
        if sum(header[:148] + b" " * 8 + header[156:]) != tar_number(header[148:156]):
            raise ValueError("not a tar (unpack a compressed one first), or a damaged one")
        name, length, kind = tar_name(header), tar_number(header[124:136]), header[156:157]
        start = file.tell()
        if start + length > end:
            raise ValueError("the tar is cut off")
        if kind in (b"x", b"g"):
            check_extended(file.read(min(length, LONGEST_TEXT)), length)
        elif kind in (b"0", b"\0"):
            yield name, start, length
        elif kind != b"5":
            raise ValueError(f"{printable(name)} in the tar is neither a file nor a folder")
        file.seek(start + (length + 511) // 512 * 512)
    raise ValueError("the tar has too many members")


def check_extended(record: bytes, length: int) -> None:
    # Another program that unpacks the tar would see other files than were verified.
    if length > LONGEST_TEXT or re.search(rb" (path|linkpath|size|GNU\.[a-z.]+)=", record):
        raise ValueError("the tar renames files or tells other sizes")


def tar_number(field: bytes) -> int:
    digits = field.strip(b" \0") or b"0"
    return int(digits if digits.isdigit() else b"not digits", 8)


def tar_name(header: bytes) -> str:
    parts = header[345:500] if header[257:263] == b"ustar\0" else b"", header[:100]
    name = "/".join(part.split(b"\0")[0].decode() for part in parts if part.strip(b"\0"))
    name = name[2:] if name.startswith("./") else name
    if name.startswith("/") or ".." in name.split("/") or "\\" in name:
        raise ValueError(f"{printable(name)} in the tar points outside of it")
    return name


# The command.


def read_keys(text: str) -> list[Key]:
    return [Key.read(line) for line in text.split("\n") if line.strip()]


@contextmanager
def needed(what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise Unusable(f"{what}: {error}") from error


def keys_of(option: str) -> list[Key]:
    """A key, or a file with one in each line."""
    with needed(f"--vkey {option}"):
        keys = read_keys(read_file(option).decode() if os.path.exists(option) else option)
        return keys or read_keys("no key")


def note_of(path: str) -> tuple[str, Note]:
    with needed(f"--checkpoint {path}"):
        return path, Note.read(read_file(path))


def read_file(path: str) -> bytes:
    with needed(path):
        if not stat.S_ISREG(os.stat(path).st_mode) or os.path.getsize(path) > LONGEST_TEXT:
            raise ValueError("not a file, or too long")
        with open(path, "rb") as file:
            return file.read(LONGEST_TEXT)


class Options(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        raise Unusable(f"{message}; --help tells more")


def options() -> Options:
    parser = Options("audit_verify.py", description=__doc__, allow_abbrev=False)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.usage = "audit_verify.py BUNDLE | --proof FILE --entry FILE  [options]"
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
        return verify_proof(read_file(given.proof), without_end(entry), keys)
    if not given.bundle:
        raise Unusable("no bundle is given; --help tells more")
    older = [note_of(path) for path in given.checkpoint]
    return Verification(open_bundle(given.bundle), Progress(sys.stderr)).run(keys, older)


class Progress:
    """Once a second, from the second second on, where somebody looks."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.due = stream, time.monotonic() + 1

    def __call__(self, what: str, count: int) -> None:
        if self.stream.isatty() and time.monotonic() > self.due:
            self.due = time.monotonic() + 1
            print(f"{count} records {what}", file=self.stream, flush=True)


VERDICTS = {
    0: "OK. Every record is as it was signed; none is missing, added or moved.",
    1: "TAMPERED WITH. What is listed above is not as it was signed.",
    2: "INCOMPLETE. Nothing was found to be altered, but what is listed above could not be shown.",
}


def print_text(report: Report) -> None:
    findings, total = report.in_order(), sum(report.of_kind.values())
    for found in findings[:MOST_SHOWN]:
        print(found)
    if total > MOST_SHOWN:
        print(f"and {total - MOST_SHOWN} more")
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
        "found": sum(report.of_kind.values()),
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
