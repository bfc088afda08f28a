"""The trials of `trials/kills`, a few of them (`make kills` has more, and those on SQLite); and
that their checker is not blind."""

import hashlib
import json
import os
import subprocess
import sys
from base64 import b64encode
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from audit.domain.entry import attempt_id, outcome_id
from core.ids import uuid7
from tests.plugin.services import ROOT, Services
from trials.kills.books import Books, Checkpoint, User
from trials.kills.checker import Checker

REF, PERSON = uuid7(), uuid7()
ATTEMPT = attempt_id()
OUTCOME = outcome_id(ATTEMPT)


@pytest.mark.slow(reason="processes work and die, and the whole trail is verified after them")
def test_nothing_is_missing_after_processes_have_died(services: Services) -> None:
    command = [sys.executable, "-m", "trials.kills", "--database", "postgresql", "--trials", "4"]
    # What dies has no coverage to tell.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
    ran = subprocess.run(
        command,
        cwd=ROOT,
        env=environment | {"TEST_DATABASE_URL": services.server_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert "0 lost, 0 orphan, 0 double, 0 open" in ran.stdout


class TestChecker:
    def test_finds_nothing_where_trail_and_business_agree(self) -> None:
        assert kinds(books()) == []

    def test_finds_a_change_without_its_record(self) -> None:
        assert kinds(replace(books(), users=[*books().users, User(uuid7(), "t1@x", False)])) == [
            "lost"
        ]

    def test_finds_a_record_without_its_change(self) -> None:
        assert kinds(replace(books(), users=[])) == ["orphan"]

    def test_finds_an_outcome_without_its_attempt(self) -> None:
        assert kinds(books({OUTCOME: entry("SUCCEEDED")})) == ["orphan"]

    def test_finds_a_second_outcome(self) -> None:
        second = entry("ABANDONED")
        assert kinds(books(both() | {uuid7(): second})) == ["double"]

    def test_finds_an_attempt_that_nobody_ended(self) -> None:
        assert kinds(books(both() | {uuid7(): entry("ATTEMPTED")})) == ["open"]

    def test_finds_a_row_that_was_never_sealed(self) -> None:
        whole = books()
        part = sealed(books(), [ATTEMPT])
        assert kinds(replace(part, entries=whole.entries)) == ["missed"]

    def test_finds_a_row_that_was_sealed_twice(self) -> None:
        assert kinds(sealed(books(), [ATTEMPT, OUTCOME, ATTEMPT])) == ["twice"]

    def test_finds_a_checkpoint_of_another_tree(self) -> None:
        assert kinds(replace(books(), sealed=[OUTCOME, ATTEMPT])) == ["seal"]

    def test_finds_leaves_that_nobody_signed(self) -> None:
        assert kinds(replace(books(), checkpoints=[])) == ["seal"]


def kinds(found: Books) -> list[str]:
    return [finding.kind for finding in Checker(found, b"key").findings()]


def both() -> dict[UUID, bytes]:
    return {ATTEMPT: entry("ATTEMPTED"), OUTCOME: entry("SUCCEEDED")}


def entry(phase: str) -> bytes:
    """As a registration leaves it, without what the checker does not read."""
    resource: list[Any] = ["user", str(REF) if phase == "SUCCEEDED" else None]
    attempt = None if phase == "ATTEMPTED" else str(ATTEMPT)
    document = {"action": "user.registered", "phase": phase, "attempt": attempt, "err": None}
    context = {"door": "trial-1", "trace": None}
    return json.dumps(document | {"resource": resource, "ctx": context, "corr": str(REF)}).encode()


def books(entries: dict[UUID, bytes] | None = None) -> Books:
    """One person who has registered, on record and sealed."""
    found = Books(
        entries=both() if entries is None else entries,
        names={REF: f"user:{PERSON}"},
        users=[User(PERSON, "t1.0.1@example.com", False)],
        tokens=[],
        sessions=[],
        guards={},
        sealed=[],
        checkpoints=[],
    )
    return sealed(found, list(found.entries))


def sealed(found: Books, leaves: list[UUID]) -> Books:
    hashes = [hashlib.sha256(b"\0" + found.entries[leaf]).digest() for leaf in leaves]
    root = tree(hashes)
    note = f"log\n{len(leaves)}\n{b64encode(root).decode()}\n\n— log signature\n"
    return replace(found, sealed=leaves, checkpoints=[Checkpoint(len(leaves), root, note)])


def tree(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\1" + tree(leaves[:split]) + tree(leaves[split:])).digest()
