"""Signed checkpoints of the tree: C2SP signed-note and tlog-checkpoint, with Ed25519 keys."""

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from secrets import token_bytes
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.domain.merkle import HASH_BYTES

LARGEST_SIZE: Final = 2**63 - 1
MOST_SIGNATURES: Final = 100
LONGEST_NOTE: Final = 1_000_000
"""Characters. Both limits are those of Go's `sumdb/note`."""
_KEY_BYTES: Final = 32
_KEY_ID_BYTES: Final = 4
_ED25519: Final = b"\x01"
_PRIVATE: Final = "PRIVATE+KEY+"
_SIGNATURE_LINE: Final = re.compile(r"— ([^ ]+) ([^ ]+)")
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_NOT_IN_NOTES: Final = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")
"""Control characters but the newline, and what has no UTF-8."""


class NotAuthentic(ValueError):
    """Nobody who is trusted has signed this, or not this."""


def encoded_base64(raw: bytes) -> str:
    return b64encode(raw).decode()


def decoded_base64(text: str) -> bytes:
    """RFC 4648 §4. Of the texts that decoders take for the same bytes, one is accepted."""
    raw = b64decode(text, validate=True)
    if encoded_base64(raw) != text:
        raise ValueError("base64 that is not canonical")
    return raw


def read_number(text: str) -> int:
    """An ASCII decimal without leading zeros, below 2**63."""
    if not _DECIMAL.fullmatch(text) or int(text) > LARGEST_SIZE:
        raise ValueError(f"{text[:32]!r} is not a decimal number below 2**63")
    return int(text)


def read_hash(text: str) -> bytes:
    raw = decoded_base64(text)
    if len(raw) != HASH_BYTES:
        raise ValueError(f"a hash of {len(raw)} bytes instead of {HASH_BYTES}")
    return raw


@dataclass(frozen=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not self.origin or "\n" in self.origin or _NOT_IN_NOTES.search(self.origin):
            raise ValueError("the origin must be one line of text")
        if not 0 <= self.size <= LARGEST_SIZE or len(self.root) != HASH_BYTES:
            raise ValueError("not the size and the root of a tree")

    def body(self) -> str:
        return f"{self.origin}\n{self.size}\n{encoded_base64(self.root)}\n"

    @classmethod
    def read(cls, body: str) -> "Checkpoint":
        """Extension lines are passed over: whoever signed them knows what they say."""
        lines = body.split("\n")
        if len(lines) < 4 or lines.pop() or not all(lines):
            raise ValueError("a checkpoint has three lines or more, none empty")
        return cls(lines[0], read_number(lines[1]), read_hash(lines[2]))


@dataclass(frozen=True)
class VerifierKey:
    name: str
    public: bytes

    def __post_init__(self) -> None:
        _check_key(self.name, self.public)

    @property
    def key_id(self) -> bytes:
        """No secure hash: name and id tell which key is meant, not that it is the right one."""
        hashed = self.name.encode() + b"\n" + _ED25519 + self.public
        return sha256(hashed).digest()[:_KEY_ID_BYTES]

    def text(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encoded_base64(_ED25519 + self.public)}"

    @classmethod
    def read(cls, text: str) -> "VerifierKey":
        name, key_id, public = _key_parts(text)
        key = cls(name, public)
        if key.key_id.hex() != key_id:
            raise ValueError("the key has another id")
        return key

    def verify(self, message: bytes, signature: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """Its text is that of Go's `sumdb/note`."""

    name: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        _check_key(self.name, self.seed)

    @classmethod
    def generate(cls, name: str) -> "SigningKey":
        return cls(name, token_bytes(_KEY_BYTES))

    @property
    def verifier_key(self) -> VerifierKey:
        return VerifierKey(self.name, self._private.public_key().public_bytes_raw())

    def text(self) -> str:
        key_id = self.verifier_key.key_id.hex()
        return f"{_PRIVATE}{self.name}+{key_id}+{encoded_base64(_ED25519 + self.seed)}"

    @classmethod
    def read(cls, text: str) -> "SigningKey":
        if not text.startswith(_PRIVATE):
            raise ValueError("not a signing key")
        name, key_id, seed = _key_parts(text.removeprefix(_PRIVATE))
        key = cls(name, seed)
        if key.verifier_key.key_id.hex() != key_id:
            raise ValueError("the key has another id")
        return key

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


@dataclass(frozen=True)
class NoteSignature:
    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        return f"— {self.name} {encoded_base64(self.key_id + self.signature)}\n"

    @classmethod
    def read(cls, line: str) -> "NoteSignature":
        """Without the newline at its end."""
        found = _SIGNATURE_LINE.fullmatch(line)
        if not found or not _is_key_name(found[1]):
            raise ValueError("not a signature line")
        raw = decoded_base64(found[2])
        if len(raw) <= _KEY_ID_BYTES:
            raise ValueError("a signature line without a signature")
        return cls(found[1], raw[:_KEY_ID_BYTES], raw[_KEY_ID_BYTES:])

    def claims(self, key: VerifierKey) -> bool:
        return (self.name, self.key_id) == (key.name, key.key_id)


@dataclass(frozen=True)
class SignedNote:
    """`text` ends in a newline; all of it is signed."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def encoded(self) -> str:
        return self.text + "\n" + "".join(each.line() for each in self.signatures)

    @classmethod
    def read(cls, note: str) -> "SignedNote":
        if len(note) > LONGEST_NOTE or _NOT_IN_NOTES.search(note):
            raise ValueError(f"a note has up to {LONGEST_NOTE} characters, no control characters")
        text, gap, lines = note.rpartition("\n\n")
        if not gap or not lines.endswith("\n"):
            raise ValueError("a note is text, an empty line and lines of signatures")
        signatures = tuple(map(NoteSignature.read, lines[:-1].split("\n")))
        if len(signatures) > MOST_SIGNATURES:
            raise ValueError(f"a note of more than {MOST_SIGNATURES} signatures")
        return cls(text + "\n", signatures)

    def signers(self, keys: Sequence[VerifierKey]) -> frozenset[VerifierKey]:
        """Of the keys those that have signed. Unknown signatures are passed over. Raises
        `NotAuthentic` where one that claims a known key is not of that key."""
        claimed = [
            (key, each.signature) for each in self.signatures for key in keys if each.claims(key)
        ]
        message = self.text.encode()
        for key, signature in claimed:
            if not key.verify(message, signature):
                raise NotAuthentic(f"the signature of {key.name}+{key.key_id.hex()} is not right")
        return frozenset(key for key, _ in claimed)


def sign_checkpoint(checkpoint: Checkpoint, *keys: SigningKey) -> SignedNote:
    text = checkpoint.body()
    message = text.encode()
    return SignedNote(
        text,
        tuple(NoteSignature(key.name, key.verifier_key.key_id, key.sign(message)) for key in keys),
    )


def read_checkpoint(note_text: str, keys: Sequence[VerifierKey]) -> Checkpoint:
    """Raises `NotAuthentic` unless one of the keys has signed, and is the origin's."""
    try:
        note = SignedNote.read(note_text)
        checkpoint = Checkpoint.read(note.text)
    except ValueError as error:
        raise NotAuthentic(f"not a signed checkpoint: {error}") from error
    signers = note.signers(keys)
    if not signers:
        raise NotAuthentic("none of the known keys has signed it")
    if checkpoint.origin not in {key.name for key in signers}:
        raise NotAuthentic("its origin is not the name of a key that has signed it")
    return checkpoint


def _key_parts(text: str) -> tuple[str, str, bytes]:
    """Name, id and the 32 bytes of a key. The messages do not show the text: it may be secret."""
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    raw = decoded_base64(encoded)
    if raw[:1] != _ED25519:
        raise ValueError("not the text of an Ed25519 key")
    return name, key_id, raw[1:]


def _check_key(name: str, key: bytes) -> None:
    if not _is_key_name(name):
        raise ValueError("a key's name is not empty and has neither space nor plus")
    if len(key) != _KEY_BYTES:
        raise ValueError(f"a key of {len(key)} bytes instead of {_KEY_BYTES}")


def _is_key_name(name: str) -> bool:
    has_gaps = any(char.isspace() or char == "+" for char in name)
    return bool(name) and not has_gaps and not _NOT_IN_NOTES.search(name)
