"""How fast an auditor's copy of the verifier is, beside the hashing that nobody can save.

    python -m trials.standalone [RECORDS]

The floor is hashing the same records, which lie in memory, and the nodes above them, as RFC 9162
says, and nothing else. `proof` also reads the file, splits it and leads to the signed root; `all`
is what `audit_verify.py` does. They take turns; told is the median of five.
"""

import importlib.util
import json
import os
import sys
import tempfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from statistics import median
from time import perf_counter
from types import ModuleType
from typing import Any
from uuid import UUID, uuid4

from audit.domain.checkpoint import Checkpoint, SigningKey, sign_checkpoint
from audit.domain.entry import Entry, outcome_id
from audit.domain.merkle import Edge, leaf_hash
from core.actions import Phase

RECORDS = 500_000
TURNS = 5
PROGRAM = Path(__file__).resolve().parent.parent / "audit" / "standalone" / "audit_verify.py"
KEY = SigningKey("trial.example/log", bytes(32))
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


def entries(count: int) -> Iterator[bytes]:
    """Logins, as the API records them: an attempt, then its outcome."""
    for n in range(count // 2):
        at = BEGIN + timedelta(milliseconds=n)
        moment = int(at.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62
        attempt = UUID(int=moment | int.from_bytes(os.urandom(7), "big") << 2)
        yield entry(attempt, at, Phase.ATTEMPTED)
        yield entry(attempt, at + timedelta(milliseconds=300), Phase.SUCCEEDED)


def entry(attempt: UUID, at: datetime, phase: Phase) -> bytes:
    is_outcome = phase is Phase.SUCCEEDED
    return Entry(
        id=outcome_id(attempt) if is_outcome else attempt,
        at=at,
        action="user.login",
        phase=phase,
        attempt=attempt if is_outcome else None,
        actor=uuid4() if is_outcome else None,
        subject=uuid4(),
        resource_type="user",
        resource_id=uuid4() if is_outcome else None,
        correlation=uuid4(),
        ip_bi=os.urandom(8),
        context={"door": "api", "event": str(uuid4()), "trace": str(uuid4())},
        pii=b64encode(os.urandom(90)).decode(),
        source=b64encode(os.urandom(130)).decode(),
    ).encoded()


def write_bundle(folder: Path, records: list[bytes]) -> None:
    leaves = list(map(leaf_hash, records))
    size, root = len(leaves), Edge.empty().grown(leaves).edge.root()
    ids = [json.loads(record)["id"] for record in records]
    listed = "".join(f"{i} {leaf.hex()}\n" for i, leaf in zip(ids, leaves, strict=True))
    files = {
        "entries.jsonl": b"".join(record + b"\n" for record in records),
        "leaves": listed.encode(),
        "range.proof": f"dashtam.range-proof/v1\nfirst 0\nlast {size}\nsize {size}\n".encode(),
        "checkpoint": sign_checkpoint(Checkpoint(KEY.name, size, root), KEY).encoded().encode(),
        "vkey": KEY.verifier_key.text().encode() + b"\n",
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    facts = {"origin": KEY.name, "size": size, "first": 0, "last": size, "count": size}
    digests = {name: sha256(content).hexdigest() for name, content in files.items()}
    manifest = {"format": "dashtam.audit-bundle/v1", **facts, "files": digests}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def floor(records: list[bytes]) -> bytes:
    row = b"".join([sha256(b"\x00" + record).digest() for record in records])
    while len(row) > 32:
        even = len(row) // 64 * 64
        pairs = range(0, even, 64)
        row = b"".join([sha256(b"\x01" + row[at : at + 64]).digest() for at in pairs]) + row[even:]
    return row


def verifier() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit_verify", PROGRAM)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def seconds(work: Callable[[], object]) -> float:
    begun = perf_counter()
    work()
    return perf_counter() - begun


def compare(folder: Path, records: list[bytes]) -> dict[str, float]:
    """Medians, in seconds."""
    program = verifier()
    keys = [program.Key.read(KEY.verifier_key.text())]

    def verification() -> Any:
        return program.Verification(program.open_bundle(str(folder)), lambda *_: None)

    def proof() -> None:
        assert verification().prove(keys, set())

    def everything() -> None:
        assert verification().run(keys, []).exit_code == 0

    ways: dict[str, Callable[[], object]] = {
        "floor": lambda: floor(records),
        "proof": proof,
        "all": everything,
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(TURNS):
        for name, work in ways.items():
            taken[name].append(seconds(work))
    return {name: median(each) for name, each in taken.items()}


def main(arguments: list[str]) -> None:
    count = int(arguments[0]) if arguments else RECORDS
    records = list(entries(count))
    size = sum(map(len, records)) / len(records)
    sys.stdout.write(f"{len(records)} records of {size:.0f} bytes\n")
    with tempfile.TemporaryDirectory() as folder:
        write_bundle(Path(folder), records)
        taken = compare(Path(folder), records)
    for name, spent in taken.items():
        rate, ratio = len(records) / spent, taken["floor"] / spent
        sys.stdout.write(f"{name:>5}: {spent:.3f} s, {rate:,.0f} records/s, {ratio:.2f} of it\n")


if __name__ == "__main__":
    main(sys.argv[1:])
