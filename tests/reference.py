"""What is promised of one account and its sessions; it shares nothing with the code it tests."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass
class Count:
    failures: int = 0
    until: datetime | None = None


@dataclass
class Device:
    expires: datetime
    count: Count = field(default_factory=Count)


@dataclass
class Mail:
    expires: datetime
    works: bool


@dataclass
class Session:
    created: datetime
    seen: datetime
    proved: datetime
    began: datetime
    generation: int = 1
    first_used: datetime | None = None
    previous_until: datetime | None = None
    rotated: datetime = NEVER
    ended: bool = False
    count: Count = field(default_factory=Count)


@dataclass
class Reference:
    now: datetime
    limit: int | None = 2
    active: bool = True
    strangers: Count = field(default_factory=Count)
    devices: list[Device] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)

    def is_live(self, one: Session) -> bool:
        over = min(one.seen + 14 * DAY, one.created + 30 * DAY, one.rotated)
        return self.active and not one.ended and self.now < over

    def live(self) -> list[Session]:
        return [one for one in self.sessions if self.is_live(one)]

    def sign_in(self, right: bool, device: Device | None) -> bool:
        known = device if device and self._has(device) and not self._locks(device.count) else None
        if not self._proves(right, known.count if known else self.strangers):
            return False
        if self.limit is not None:
            live = self.live()
            self.end(live[: max(0, len(live) - self.limit + 1)])
        self.sessions.append(Session(self.now, self.now, self.now, self.now))
        if known:
            known.expires = self.now + 180 * DAY
        else:
            self.devices.append(Device(self.now + 180 * DAY))
        return True

    def _has(self, device: Device) -> bool:
        return any(each is device for each in self.devices) and self.now < device.expires

    def _proves(self, right: bool, count: Count) -> bool:
        if right and self.active and not self._locks(count):
            count.failures, count.until = 0, None
            return True
        if not (count.until and self.now < count.until):
            count.failures += 1
            if count.failures % 5 == 0 or count.failures >= 100:
                doubled = 15 * MINUTE * 2 ** min(count.failures // 5 - 1, 7)
                count.until = self.now + min(doubled, DAY)
                if count is self.strangers:
                    self.mails.append(Mail(self.now + DAY, works=self.active))
        return False

    def _locks(self, count: Count) -> bool:
        return count.failures >= 100 or bool(count.until and self.now < count.until)

    def uses(self, one: Session, generation: int) -> bool:
        ends = {one.generation: one.began + 15 * MINUTE, one.generation - 1: one.previous_until}
        if not self.is_live(one) or self.now >= (ends.get(generation) or self.now):
            return False
        if generation == one.generation and one.first_used is None:
            one.first_used = self.now
        if self.now >= one.seen + MINUTE:
            one.seen = self.now
        return True

    def refresh(self, one: Session, generation: int) -> str:
        if not self.is_live(one):
            return "refused"
        if generation == one.generation:
            self._begin(one, 1, min(one.began + 15 * MINUTE, self.now + 10 * SECOND))
            return "new"
        unused = one.first_used is None or self.now <= one.first_used + 10 * SECOND
        if generation == one.generation - 1 and unused:
            return "same"
        one.ended = True
        return "refused"

    def reauthenticate(self, one: Session, right: bool) -> bool:
        if proves := self._proves(right, one.count):
            self._begin(one, 2, previous_until=None)
            one.proved = self.now
        return proves

    def _begin(self, one: Session, steps: int, previous_until: datetime | None) -> None:
        one.generation += steps
        one.began, one.first_used, one.seen = self.now, None, self.now
        one.previous_until = previous_until

    def is_recent(self, one: Session) -> bool:
        return self.now < one.proved + 10 * MINUTE

    def unlock(self, mail: Mail) -> bool:
        if not (mail.works and self.active and self.now < mail.expires):
            return False
        mail.works = False
        self.devices.append(Device(self.now + 180 * DAY))
        return True

    def end(self, sessions: list[Session]) -> None:
        for one in sessions:
            one.ended = True

    def forget_devices(self, device: Device | None) -> None:
        self.devices = [device] if device and self._has(device) else []

    def everything_ends(self) -> None:
        self.end(self.sessions)
        for mail in self.mails:
            mail.works = False

    def rotate_tokens(self, grace: timedelta) -> None:
        for one in self.sessions:
            one.rotated = min(one.rotated, self.now + grace)
