"""What must hold after a process has died anywhere. Nothing of the product judges itself here:
the entries are parsed, the tree is built, and the changes are counted by this alone."""

import base64
import hashlib
import hmac
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from uuid import UUID

from trials.kills.books import Books, Finding

GUESS: Final = "guess"
"""The trace of a sign-in at an address that nobody has."""
_ADDRESS: Final = re.compile(r"t(\d+)\.")


class Fact(NamedTuple):
    """A change that was committed; the trail tells the same of it."""

    what: str
    of: UUID | None
    detail: object = None

    def __str__(self) -> str:
        return " ".join(str(part) for part in self if part is not None)


@dataclass(frozen=True)
class Checker:
    books: Books
    guard_key: bytes = field(repr=False)

    def findings(self) -> Iterator[Finding]:
        yield from self._balance()
        yield from self._outcomes()
        yield from self._leaves()
        yield from self._checkpoints()

    def facts(self) -> Iterator[Fact]:
        """From the tables of the business."""
        yield from self._of_users()
        yield from self._of_sessions()
        yield from self._of_guesses()
        for token in self.books.tokens:
            if token.purpose == "first_admin":
                yield Fact("setup link", None)

    def _of_users(self) -> Iterator[Fact]:
        spent = Counter(
            token.owner
            for token in self.books.tokens
            if token.is_spent and token.purpose == "email_verification"
        )
        for user in self.books.users:
            yield Fact("registered", user.id)
            yield from [Fact("verified", user.id)] * max(spent[user.id], user.is_verified)

    def _of_sessions(self) -> Iterator[Fact]:
        for session in self.books.sessions:
            yield Fact("signed in", session.id)
            for generation in range(2, session.generation + 1):
                yield Fact("refreshed", session.id, generation)
            if session.ended is not None:
                yield Fact("ended", session.id, session.ended)

    def _of_guesses(self) -> Iterator[Fact]:
        """People's own failures are forgotten when they sign in; those of others never are."""
        people = {self._guard(user.email) for user in self.books.users}
        for key, failures in self.books.guards.items():
            if key not in people:
                yield from [Fact("guessed", UUID(bytes=key[:16]))] * failures

    def records(self) -> Iterator[Fact]:
        """From the entries of the trail."""
        told = map(self._told_by, self.books.documents.values())
        return (fact for fact in told if fact is not None)

    def _told_by(self, entry: dict[str, Any]) -> Fact | None:
        action, phase, context = entry["action"], entry["phase"], entry["ctx"]
        if phase == "FAILED" and context["trace"] == GUESS and entry["err"] is None:
            return Fact("guessed", UUID(entry["corr"]))
        if phase not in ("SUCCEEDED", "SOLE") or context.get("repeated"):
            return None
        resource = _resource(entry)
        facts = {
            "user.registered": Fact("registered", self.books.person(resource)),
            "user.email_verified": Fact("verified", self.books.person(resource)),
            "user.setup_link_issued": Fact("setup link", None),
            "user.login": Fact("signed in", resource),
            "session.refreshed": Fact("refreshed", resource, context.get("generation")),
            "session.revoked": Fact("ended", resource, "revoked"),
            "session.ended": Fact("ended", resource, context.get("reason")),
        }
        return facts.get(action)

    def _balance(self) -> Iterator[Finding]:
        facts, records = Counter(self.facts()), Counter(self.records())
        for fact in (facts - records).elements():
            yield Finding("lost", f"no record of: {fact}", self._trial_of(fact))
        for fact in (records - facts).elements():
            yield Finding("orphan", f"on record only: {fact}", self._trial_of(fact))
        for fact in (self._tokens() - self._registrations()).elements():
            yield Finding("lost", f"no record of: {fact}", self._trial_of(fact))

    def _tokens(self) -> Counter[Fact]:
        return Counter(Fact("token", token.owner) for token in self.books.tokens if token.owner)

    def _registrations(self) -> Counter[Fact]:
        """Each makes a token; one that is refused, because the address is taken, may make one."""
        entries = self.books.in_phase("SUCCEEDED", "FAILED").values()
        return Counter(
            Fact("token", self.books.person(_resource(entry)))
            for entry in entries
            if entry["action"] == "user.registered"
        )

    def _outcomes(self) -> Iterator[Finding]:
        attempts = self.books.in_phase("ATTEMPTED").keys()
        outcomes = self.books.in_phase("SUCCEEDED", "FAILED", "ABANDONED")
        counted = Counter(
            UUID(entry["attempt"]) if entry["attempt"] else key for key, entry in outcomes.items()
        )
        for attempt, count in counted.items():
            if attempt not in attempts:
                yield self._finding("orphan", f"an outcome of no attempt: {attempt}", attempt)
            if count > 1:
                yield self._finding("double", f"{count} outcomes of {attempt}", attempt)
        for attempt in attempts - counted.keys():
            yield self._finding("open", f"no outcome of {attempt}", attempt)

    def _leaves(self) -> Iterator[Finding]:
        sealed = Counter(self.books.sealed)
        for key in self.books.entries.keys() - sealed.keys():
            yield self._finding("missed", f"never sealed: {key}", key)
        for key, times in sealed.items():
            if times > 1:
                yield self._finding("twice", f"sealed {times} times: {key}", key)
            if key not in self.books.entries:
                yield Finding("seal", f"sealed, and not there: {key}")

    def _checkpoints(self) -> Iterator[Finding]:
        """Each is of the first leaves of one and the same tree, so that any two agree."""
        entries = (self.books.entries.get(key, b"") for key in self.books.sealed)
        roots = dict(enumerate(_roots_of(entries), start=1))
        for size, root, note in self.books.checkpoints:
            _, told_size, told_root, *_ = note.splitlines()
            if (size, root) != (int(told_size), base64.b64decode(told_root)):
                yield Finding("seal", f"the note and the row of {size} leaves differ")
            if root != roots.get(size):
                yield Finding("seal", f"the checkpoint of {size} leaves is not of this tree")
        last = max((each.size for each in self.books.checkpoints), default=0)
        if last != len(self.books.sealed):
            yield Finding("seal", f"{len(self.books.sealed)} leaves, and {last} were signed")

    def _finding(self, kind: str, what: str, key: UUID) -> Finding:
        return Finding(kind, what, self.books.trial_of(key))

    def _guard(self, email: str) -> bytes:
        return hmac.digest(self.guard_key, email.encode(), hashlib.sha256)

    def _trial_of(self, fact: Fact) -> int | None:
        """By the address of the person; that of a guess, by its attempt."""
        owners: dict[UUID | None, UUID] = {each.id: each.owner for each in self.books.sessions}
        person = owners.get(fact.of, fact.of)
        for user in self.books.users:
            if user.id == person and (found := _ADDRESS.match(user.email)):
                return int(found[1])
        for key, entry in self.books.documents.items():
            if fact.of is not None and entry["corr"] == str(fact.of):
                return self.books.trial_of(key)
        return None


def _resource(entry: dict[str, Any]) -> UUID | None:
    _, key = entry["resource"]
    return UUID(key) if key else None


def _roots_of(entries: Iterable[bytes]) -> Iterator[bytes]:
    """RFC 6962 §2.1: the root after each leaf, from the roots of the full trees on its left."""
    peaks: list[tuple[int, bytes]] = []
    for entry in entries:
        peaks.append((1, hashlib.sha256(b"\0" + entry).digest()))
        while len(peaks) > 1 and peaks[-1][0] == peaks[-2][0]:
            (size, right), (_, left) = peaks.pop(), peaks.pop()
            peaks.append((2 * size, _node(left, right)))
        root = peaks[-1][1]
        for _, left in reversed(peaks[:-1]):
            root = _node(left, root)
        yield root


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()
