"""The ports of `users`, in memory. They keep the same contracts as the real ones."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

from core.errors import ConflictError
from core.keys import KeyRing, UnknownKeyError
from core.result import Failure, Result, Success
from tests.fakes.clock import FakeClock
from tests.fakes.event_bus import StubEventBus
from users.application.credentials import PasswordCredentials
from users.application.device_passes import DevicePasses
from users.application.links import OwnersLinks
from users.domain.device_pass import DevicePass
from users.domain.errors import EMAIL_TAKEN
from users.domain.lockout import FailureCount
from users.domain.notices import Notice
from users.domain.roles import Role
from users.domain.tokens import OneUseToken, Purpose, read_token_id
from users.domain.user import User
from users.ports import (
    Addresses,
    Cooldown,
    DevicePassRepository,
    Mailer,
    OneUseTokenRepository,
    PasswordService,
    SignInGuard,
    UserRepository,
)

KEYS = KeyRing("1", {"1": b"k" * 32})


@dataclass
class InMemoryUserRepository:
    implements = UserRepository
    users: dict[UUID, User] = field(default_factory=dict)

    def save(self, user: User) -> Result[None, ConflictError]:
        if self.find_by_email(user.email) is not None:
            return Failure(EMAIL_TAKEN)
        self.users[user.id] = user
        return Success(None)

    def find_by_email(self, email: str) -> User | None:
        wanted = email.lower()
        return next((user for user in self.users.values() if user.email.lower() == wanted), None)

    def find_by_id(self, user_id: UUID) -> User | None:
        return self.users.get(user_id)

    def lock(self, user_id: UUID) -> User | None:
        return self.users.get(user_id)

    def lock_admins(self) -> list[User]:
        admins = (user for user in self.users.values() if user.role is Role.ADMIN)
        return sorted((user for user in admins if user.can_login()), key=lambda user: user.id)

    def update(self, user: User) -> Result[None, ConflictError]:
        owner = self.find_by_email(user.email)
        if owner is not None and owner.id != user.id:
            return Failure(EMAIL_TAKEN)
        if user.id in self.users:
            self.users[user.id] = user
        return Success(None)

    def delete(self, user_id: UUID) -> None:
        self.users.pop(user_id, None)

    def mark_verified(self, user_id: UUID, now: datetime) -> None:
        self.users[user_id] = replace(self.users[user_id], is_verified=True, updated_at=now)

    def admin_exists(self) -> bool:
        return any(user.role is Role.ADMIN for user in self.users.values())


@dataclass
class InMemoryOneUseTokenRepository:
    implements = OneUseTokenRepository
    keys: KeyRing = KEYS
    tokens: dict[UUID, OneUseToken] = field(default_factory=dict)

    def issue(
        self, purpose: Purpose, user_id: UUID | None, now: datetime, email: str | None = None
    ) -> OneUseToken:
        token = OneUseToken.issue(
            purpose,
            user_id,
            key_id=self.keys.current,
            salt=len(self.tokens).to_bytes(32, "big"),
            now=now,
            email=email,
        )
        self.tokens[token.id] = token
        return token

    def find(self, text: str, purpose: Purpose) -> OneUseToken | None:
        token_id = read_token_id(text)
        token = self.find_by_id(token_id) if token_id else None
        if token is None or token.purpose is not purpose:
            return None
        try:
            return token if token.is_genuine(text, self.keys) else None
        except UnknownKeyError:
            return None

    def find_by_id(self, token_id: UUID) -> OneUseToken | None:
        return self.tokens.get(token_id)

    def redeem(self, token_id: UUID, now: datetime) -> bool:
        token = self.tokens.get(token_id)
        if token is None or not token.is_spendable(now):
            return False
        self.tokens[token_id] = token.spent(now)
        return True

    def supersede(self, purpose: Purpose, now: datetime) -> None:
        for token in list(self.tokens.values()):
            if token.purpose is purpose and token.spent_at is None:
                self.tokens[token.id] = token.spent(now)

    def supersede_all_of(self, user_id: UUID, now: datetime) -> None:
        for token in list(self.tokens.values()):
            if token.user_id == user_id and token.spent_at is None:
                self.tokens[token.id] = token.spent(now)

    def count_expired(self, before: datetime) -> int:
        return sum(token.expires_at < before for token in self.tokens.values())

    def purge(self, before: datetime) -> int:
        over = [token.id for token in self.tokens.values() if token.expires_at < before]
        for token_id in over:
            del self.tokens[token_id]
        return len(over)


@dataclass
class ReversingPasswordService:
    """A hash that anybody can read, and that never equals its password."""

    implements = PasswordService
    verified: list[str | None] = field(default_factory=list)

    def unusable_hash(self) -> str:
        return "!"

    def needs_upgrade(self, password_hash: str) -> bool:
        return not password_hash.startswith("hash:")

    def hash_password(self, plaintext: str) -> str:
        return f"hash:{plaintext[::-1]}"

    def verify_password(self, plaintext: str, password_hash: str | None) -> bool:
        self.verified.append(password_hash)
        return password_hash in (self.hash_password(plaintext), f"old:{plaintext[::-1]}")


@dataclass
class InMemorySignInGuard:
    implements = SignInGuard
    counts: dict[str, FailureCount] = field(default_factory=dict)
    owners: dict[str, UUID | None] = field(default_factory=dict)
    changed: dict[str, datetime] = field(default_factory=dict)

    def count(self, counted: str) -> FailureCount:
        return self.counts.get(counted, FailureCount())

    def hold(self, counted: str) -> FailureCount:
        return self.count(counted)

    def record_failure(
        self, counted: str, now: datetime, owner: UUID | None = None
    ) -> tuple[FailureCount, FailureCount]:
        before = self.count(counted)
        self.owners[counted] = owner
        self.counts[counted], self.changed[counted] = before.after_failure(now), now
        return before, self.counts[counted]

    def lock(self, counted: str, until: datetime, now: datetime, owner: UUID) -> None:
        self.counts[counted] = replace(self.count(counted), locked_until=until)
        self.changed[counted], self.owners[counted] = now, owner

    def clear_all_of(self, owner: UUID) -> None:
        for counted in [each for each, whose in self.owners.items() if whose == owner]:
            self.clear(counted)

    def clear(self, counted: str) -> None:
        self.counts.pop(counted, None)
        self.owners.pop(counted, None)
        self.changed.pop(counted, None)

    def count_quiet(self, before: datetime) -> int:
        return sum(changed < before for changed in self.changed.values())

    def purge(self, before: datetime) -> int:
        quiet = [counted for counted, changed in self.changed.items() if changed < before]
        for counted in quiet:
            self.clear(counted)
        return len(quiet)


@dataclass
class InMemoryDevicePassRepository:
    implements = DevicePassRepository
    passes: dict[UUID, DevicePass] = field(default_factory=dict)

    def find(self, pass_id: UUID) -> DevicePass | None:
        return self.passes.get(pass_id)

    def save(self, device_pass: DevicePass) -> None:
        self.passes[device_pass.id] = device_pass

    def update(self, device_pass: DevicePass) -> None:
        if device_pass.id in self.passes:
            self.passes[device_pass.id] = device_pass

    def forget_surplus(self, user_id: UUID, *, keep: int) -> None:
        own = [each for each in self.passes.values() if each.user_id == user_id]
        never = datetime.min.replace(tzinfo=UTC)
        own.sort(key=lambda each: (each.last_used_at or never, each.id))
        for surplus in own[: max(0, len(own) - keep)]:
            del self.passes[surplus.id]

    def forget_all_of(self, user_id: UUID, *, except_for: UUID | None = None) -> int:
        others = [
            each.id
            for each in self.passes.values()
            if each.user_id == user_id and each.id != except_for
        ]
        for pass_id in others:
            del self.passes[pass_id]
        return len(others)

    def count_expired(self, before: datetime) -> int:
        return sum(each.expires_at < before for each in self.passes.values())

    def purge(self, before: datetime) -> int:
        over = [each.id for each in self.passes.values() if each.expires_at < before]
        for pass_id in over:
            del self.passes[pass_id]
        return len(over)


@dataclass
class InMemoryAddresses:
    implements = Addresses
    met: set[str] = field(default_factory=set)

    def add(self, email: str) -> bool:
        is_new = email not in self.met
        self.met.add(email)
        return is_new


@dataclass
class InMemoryCooldown:
    """Never ends by itself: a test ends it by emptying `running`."""

    implements = Cooldown
    running: set[str] = field(default_factory=set)

    def start(self, email: str) -> None:
        self.running.add(email)

    def claim(self, email: str) -> bool:
        free = email not in self.running
        self.running.add(email)
        return free


@dataclass
class RecordingMailer:
    implements = Mailer
    verifications: list[tuple[str, UUID]] = field(default_factory=list)
    already_registered: list[str] = field(default_factory=list)
    links: list[tuple[Purpose, str, UUID]] = field(default_factory=list)
    notices: list[tuple[Notice, str]] = field(default_factory=list)

    def send_verification(self, email: str, token_id: UUID) -> None:
        self.verifications.append((email, token_id))

    def send_already_registered(self, email: str) -> None:
        self.already_registered.append(email)

    def send_link(self, purpose: Purpose, email: str, token_id: UUID) -> None:
        self.links.append((purpose, email, token_id))

    def send_notice(self, notice: Notice, email: str) -> None:
        self.notices.append((notice, email))


@dataclass
class SignInPorts:
    """What `PasswordCredentials` stands on; a test gives what it looks at."""

    users: InMemoryUserRepository = field(default_factory=InMemoryUserRepository)
    guard: InMemorySignInGuard = field(default_factory=InMemorySignInGuard)
    passwords: ReversingPasswordService = field(default_factory=ReversingPasswordService)
    passes: InMemoryDevicePassRepository = field(default_factory=InMemoryDevicePassRepository)
    tokens: InMemoryOneUseTokenRepository = field(default_factory=InMemoryOneUseTokenRepository)
    cooldown: InMemoryCooldown = field(default_factory=InMemoryCooldown)
    mailer: RecordingMailer = field(default_factory=RecordingMailer)
    bus: StubEventBus = field(default_factory=StubEventBus)
    clock: FakeClock = field(default_factory=FakeClock)
    keys: KeyRing = KEYS

    def device_passes(self) -> DevicePasses:
        return DevicePasses(
            pass_repo=self.passes, event_bus=self.bus, keys=self.keys, clock=self.clock
        )

    def credentials(self) -> PasswordCredentials:
        return PasswordCredentials(
            user_repo=self.users,
            guard=self.guard,
            password_service=self.passwords,
            passes=self.device_passes(),
            links=OwnersLinks(
                user_repo=self.users,
                token_repo=self.tokens,
                cooldown=self.cooldown,
                mailer=self.mailer,
            ),
            event_bus=self.bus,
            clock=self.clock,
        )
