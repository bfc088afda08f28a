"""Drives one account and its sessions at random, and compares each answer with the reference.

A test gives it a `Door`: the handlers, or HTTP.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from tests.reference import Device, Reference, Session

STEPS = [
    timedelta(seconds=seconds)
    for seconds in (1, 9, 10, 11, 59, 60, 599, 600, 601, 899, 900, 1800, 3600, 6 * 3600, 86400)
] + [timedelta(days=days) for days in (13, 14, 29, 30, 180)]


@dataclass(frozen=True)
class Pair:
    access: str
    refresh: str


@dataclass(frozen=True)
class Entry:
    """What a sign-in hands out."""

    pair: Pair
    device_token: str


class Door(Protocol):
    """None and False are refusals."""

    def now(self) -> datetime: ...

    def advance(self, step: timedelta) -> None: ...

    def sign_in(self, right: bool, device_token: str | None) -> Entry | None: ...

    def opens(self, access: str) -> bool: ...

    def refresh(self, refresh: str) -> Pair | None: ...

    def reauthenticate(self, access: str, right: bool) -> Pair | None: ...

    def sign_out(self, access: str) -> bool: ...

    def end_all(self, access: str, device_token: str | None) -> bool: ...

    def end_others(self, access: str, device_token: str | None) -> bool: ...

    def live_sessions(self) -> int: ...

    def mails(self) -> int:
        """How many with a link that lets a device in were sent to the owner."""
        ...

    def unlock(self, mail: int) -> str | None: ...

    def reset_password(self, device_token: str | None) -> None: ...

    def set_active(self, active: bool) -> None: ...

    def set_limit(self, limit: int) -> None: ...

    def rotate_tokens(self, grace: timedelta) -> None: ...

    def rotate_keys(self) -> None: ...


@dataclass(frozen=True)
class Issued:
    """A pair of tokens, and which they are to the reference."""

    session: Session
    generation: int
    pair: Pair


@dataclass(frozen=True)
class Known:
    device: Device
    text: str


PICK = st.integers(0, 9)
"""One of the last ten; whatever is older is refused like the oldest of those."""
HAS_TOKENS = precondition(lambda machine: machine.tokens)
HAS_MAILS = precondition(lambda machine: machine.reference.mails)


class Machine(RuleBasedStateMachine):
    """A subclass opens the door."""

    sieges: ClassVar[bool] = True
    """A hundred sign-ins are one step of it."""

    def open(self) -> Door:
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        self.door = self.open()
        self.reference = Reference(self.door.now())
        self.tokens: list[Issued] = []
        self.devices: list[Known] = []

    @rule(right=st.booleans(), on_a_device=st.booleans(), pick=PICK)
    def sign_in(self, right: bool, on_a_device: bool, pick: int) -> None:
        known = self._device(pick) if on_a_device else None
        entry = self.door.sign_in(right, known.text if known else None)
        count = len(self.reference.devices)
        expected = self.reference.sign_in(right, known.device if known else None)
        assert (entry is not None) is expected
        if entry is None:
            return
        self.tokens.append(Issued(self.reference.sessions[-1], 1, entry.pair))
        if len(self.reference.devices) > count:
            self.devices.append(Known(self.reference.devices[-1], entry.device_token))
        else:
            assert known is not None
            self.devices.append(Known(known.device, entry.device_token))

    @rule(times=st.integers(1, 6))
    def guess(self, times: int) -> None:
        for _ in range(times):
            self.sign_in(right=False, on_a_device=False, pick=0)

    @precondition(lambda machine: machine.sieges)
    @rule(times=st.integers(18, 21))
    def besiege(self, times: int) -> None:
        """Each lock is waited for: a hundred failures are soon together."""
        for _ in range(times):
            self.guess(5)
            self.wait(timedelta(days=1))

    @HAS_TOKENS
    @rule(pick=PICK)
    def use(self, pick: int) -> None:
        self._use(self._issued(pick))

    def _use(self, issued: Issued) -> None:
        assert self.door.opens(issued.pair.access) is self._uses(issued)

    @HAS_TOKENS
    @rule(pick=PICK)
    def refresh(self, pick: int) -> None:
        self._refresh(self._issued(pick))

    @HAS_TOKENS
    @rule(pick=PICK, used_after=st.sampled_from(STEPS[:4]), again_after=st.sampled_from(STEPS[:4]))
    def replay(self, pick: int, used_after: timedelta, again_after: timedelta) -> None:
        """A refresh token once more, some time after its successor was used."""
        issued = self._issued(pick)
        self._refresh(issued)
        self.wait(used_after)
        self._use(self._issued(0))
        self._use(issued)
        self.wait(again_after)
        self._refresh(issued)

    @HAS_TOKENS
    @rule(
        pick=PICK, then=st.sampled_from([timedelta(days=3), timedelta(days=4), timedelta(days=5)])
    )
    def go_on_for_a_month(self, pick: int, then: timedelta) -> None:
        issued = self._issued(pick)
        for step in (timedelta(days=13), timedelta(days=13), then):
            self._refresh(issued)
            self.wait(step)
            issued = self._issued(0)

    def _refresh(self, issued: Issued) -> None:
        pair = self.door.refresh(issued.pair.refresh)
        expected = self.reference.refresh(issued.session, issued.generation)
        assert (pair is not None) is (expected != "refused")
        if pair is None:
            return
        same = [each.pair for each in self.tokens if self._is_now(each, issued.session)]
        assert expected == "new" or pair in same
        self.tokens.append(Issued(issued.session, issued.session.generation, pair))

    @HAS_TOKENS
    @rule(pick=PICK, right=st.booleans())
    def reauthenticate(self, pick: int, right: bool) -> None:
        issued = self._issued(pick)
        pair = self.door.reauthenticate(issued.pair.access, right)
        expected = self._uses(issued) and self.reference.reauthenticate(issued.session, right)
        assert (pair is not None) is expected
        if pair is not None:
            self.tokens.append(Issued(issued.session, issued.session.generation, pair))

    @HAS_TOKENS
    @rule(pick=PICK)
    def sign_out(self, pick: int) -> None:
        issued = self._issued(pick)
        ended = self.door.sign_out(issued.pair.access)
        assert ended is self._uses(issued)
        if ended:
            self.reference.end([issued.session])

    @HAS_TOKENS
    @rule(pick=PICK, device=PICK, others=st.booleans())
    def end_many(self, pick: int, device: int, others: bool) -> None:
        issued, known = self._issued(pick), self._device(device)
        end = self.door.end_others if others else self.door.end_all
        ended = end(issued.pair.access, known.text if known else None)
        assert ended is (self._uses(issued) and self.reference.is_recent(issued.session))
        if ended:
            kept = issued.session if others else None
            self.reference.end([one for one in self.reference.sessions if one is not kept])
            self.reference.forget_devices(known.device if known else None)

    @HAS_MAILS
    @rule(pick=PICK)
    def unlock(self, pick: int) -> None:
        index = max(0, len(self.reference.mails) - 1 - pick)
        text = self.door.unlock(index)
        assert (text is not None) is self.reference.unlock(self.reference.mails[index])
        if text is not None:
            self.devices.append(Known(self.reference.devices[-1], text))

    @precondition(lambda machine: machine.reference.active)
    @rule(pick=PICK, on_a_device=st.booleans())
    def reset_password(self, pick: int, on_a_device: bool) -> None:
        known = self._device(pick) if on_a_device else None
        self.door.reset_password(known.text if known else None)
        self.reference.everything_ends()
        self.reference.strangers.failures, self.reference.strangers.until = 0, None
        self.reference.forget_devices(known.device if known else None)

    @rule(active=st.sampled_from([True, True, False]))
    def set_active(self, active: bool) -> None:
        self.door.set_active(active)
        if self.reference.active and not active:
            self.reference.everything_ends()
        self.reference.active = active

    @rule(limit=st.integers(1, 4))
    def set_limit(self, limit: int) -> None:
        self.door.set_limit(limit)
        self.reference.limit = limit

    @rule(grace=st.sampled_from([timedelta(0), timedelta(minutes=1), timedelta(days=1)]))
    def rotate_tokens(self, grace: timedelta) -> None:
        self.door.rotate_tokens(grace)
        self.reference.rotate_tokens(grace)

    @rule()
    def rotate_keys(self) -> None:
        self.door.rotate_keys()

    @rule(step=st.sampled_from(STEPS))
    def wait(self, step: timedelta) -> None:
        self.door.advance(step)
        self.reference.now += step

    @invariant()
    def as_many_sessions_live_as_should(self) -> None:
        if self.reference.active:
            assert self.door.live_sessions() == len(self.reference.live())

    @invariant()
    def the_owner_is_mailed_once_a_lock(self) -> None:
        assert self.door.mails() == len(self.reference.mails)

    def _uses(self, issued: Issued) -> bool:
        return self.reference.uses(issued.session, issued.generation)

    def _is_now(self, issued: Issued, session: Session) -> bool:
        return issued.session is session and issued.generation == session.generation

    def _issued(self, pick: int) -> Issued:
        return self.tokens[max(0, len(self.tokens) - 1 - pick)]

    def _device(self, pick: int) -> Known | None:
        return self.devices[max(0, len(self.devices) - 1 - pick)] if self.devices else None
