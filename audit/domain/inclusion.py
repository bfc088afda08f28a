"""One file that proves one record to whoever has the verifier key: C2SP tlog-proof@v1."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from audit.domain.checkpoint import (
    NotAuthentic,
    VerifierKey,
    decoded_base64,
    encoded_base64,
    read_checkpoint,
    read_hash,
    read_number,
)
from audit.domain.merkle import leaf_hash, verify_inclusion

_HEADER: Final = "c2sp.org/tlog-proof@v1"
_EXTRA: Final = "extra "
_INDEX: Final = "index "
_MOST_HASHES: Final = 63


@dataclass(frozen=True)
class InclusionProof:
    """`note` is the signed checkpoint as it was published. Nothing authenticates `extra`."""

    index: int
    hashes: tuple[bytes, ...]
    note: str
    extra: bytes = b""

    def text(self) -> str:
        extra = [_EXTRA + encoded_base64(self.extra)] if self.extra else []
        hashes = map(encoded_base64, self.hashes)
        lines = chain([_HEADER], extra, [f"{_INDEX}{self.index}"], hashes)
        return "\n".join(lines) + "\n\n" + self.note

    @classmethod
    def read(cls, text: str) -> "InclusionProof":
        head, _, note = text.partition("\n\n")
        header, *lines = head.split("\n")
        if header != _HEADER:
            raise ValueError(f"a proof begins with the line {_HEADER}")
        extra = b""
        if lines and lines[0].startswith(_EXTRA):
            extra = decoded_base64(lines.pop(0).removeprefix(_EXTRA))
        if not lines or not lines[0].startswith(_INDEX):
            raise ValueError("no line tells the index of the leaf")
        index, *hashes = lines
        if len(hashes) > _MOST_HASHES:
            raise ValueError(f"more than {_MOST_HASHES} hashes")
        number = read_number(index.removeprefix(_INDEX))
        return cls(number, tuple(map(read_hash, hashes)), note, extra)


def check(proof_text: str, entry: bytes, keys: Sequence[VerifierKey]) -> int:
    """The index of the leaf that the entry is. Raises `NotAuthentic` where it is none of the tree
    that one of the keys has signed."""
    try:
        proof = InclusionProof.read(proof_text)
    except ValueError as error:
        raise NotAuthentic(f"not a {_HEADER}: {error}") from error
    tree = read_checkpoint(proof.note, keys)
    if not verify_inclusion(leaf_hash(entry), proof.index, tree.size, proof.hashes, tree.root):
        raise NotAuthentic(
            f"the entry is not leaf {proof.index} of the {tree.size} that are signed"
        )
    return proof.index
