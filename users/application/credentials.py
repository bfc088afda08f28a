"""Who may sign in. The caller owns the attempt, the transaction and the record."""

from dataclasses import dataclass
from typing import Final

from core.clock import SystemClock
from core.ports import Clock, EventBusProtocol
from core.result import Failure, Result, Success
from users.application.device_passes import DevicePasses
from users.application.links import OwnersLinks
from users.domain.claim import Claim, Known, KnownBy, Verified
from users.domain.email import Email
from users.domain.errors import SignInRefused
from users.domain.events import SignInLocked
from users.domain.roles import Role
from users.domain.user import User
from users.ports import PasswordService, SignInGuard, UserRepository

_NOBODY: Final = "nobody@invalid"
UNVERIFIED: Final = "unverified"


@dataclass(frozen=True, kw_only=True)
class PasswordCredentials:
    """`verify` reads and hashes outside any transaction; `confirm` and `refuse` write in one."""

    user_repo: UserRepository
    guard: SignInGuard
    password_service: PasswordService
    passes: DevicePasses
    links: OwnersLinks
    event_bus: EventBusProtocol
    clock: Clock = SystemClock()

    def verify(self, claim: Claim) -> Result[Verified, SignInRefused]:
        """One hash, whatever the answer."""
        email = _normal(claim.email)
        user = self.user_repo.find_by_email(email)
        known_hash = user.password_hash if user else None
        matches = self.password_service.verify_password(claim.password, known_hash)
        known_by = claim.known_by or self._known_device(claim, user)
        count = self.guard.count(_counted(email, known_by))
        if count.is_locked(self.clock.now()):
            return _refused("locked", user, known_by)
        if user is None:
            return _refused("unknown", user, known_by)
        if not matches:
            return _refused("wrong_password", user, known_by)
        if not user.is_active:
            return _refused("inactive", user, known_by)
        if not user.is_verified:
            return _refused(UNVERIFIED, user, known_by)
        return Success(Verified(user, known_by, claim.password, count.failures))

    def _known_device(self, claim: Claim, user: User | None) -> KnownBy | None:
        """A device that failed too often is a stranger's until its own lock is over."""
        shown = self.passes.recognise(claim.device_token)
        if shown is None or user is None or shown.user_id != user.id:
            return None
        device = KnownBy(Known.DEVICE, shown.id)
        return None if self.guard.count(str(device)).is_locked(self.clock.now()) else device

    def upgraded_hash(self, user: User, password: str) -> str | None:
        """Of a password that was verified; None where its hash is made as they are today."""
        if not self.password_service.needs_upgrade(user.password_hash):
            return None
        return self.password_service.hash_password(password)

    def confirm(self, verified: Verified, upgraded_hash: str | None = None) -> User | None:
        """As it is now, if it is still as it was verified; from here on its row is held."""
        user, known_by = verified.user, verified.known_by
        fresh = self.user_repo.lock(user.id)
        if fresh is None or not fresh.can_login() or not self._still_proves(verified, fresh):
            return None
        if known_by and known_by.kind is Known.DEVICE and not self.passes.exists(known_by.id):
            return None
        # Held before it is read: failures beside this one must not be forgotten.
        counted = _counted(user.email, known_by)
        if self.guard.hold(counted).is_locked(self.clock.now()):
            return None
        self.guard.clear(counted)
        if upgraded_hash is None or fresh.password_hash != user.password_hash:
            return fresh
        upgraded = fresh.with_password(upgraded_hash)
        self.user_repo.update(upgraded)
        return upgraded

    def _still_proves(self, verified: Verified, fresh: User) -> bool:
        user = verified.user
        if _proof(fresh) == _proof(user):
            return True
        if (fresh.token_version, fresh.role) != (user.token_version, user.role):
            return False
        # The one hash that is made while the row is held: a sign-in beside this one may have made
        # that of the same password anew, which happens once to an older hash.
        return self.password_service.needs_upgrade(
            user.password_hash
        ) and self.password_service.verify_password(verified.password, fresh.password_hash)

    def remember(self, verified: Verified) -> str:
        """The text of the pass by which this device is known from here on."""
        known_by = verified.known_by
        if known_by and known_by.kind is Known.DEVICE and (used := self.passes.use(known_by.id)):
            return used.text(self.passes.keys)
        return self.passes.grant(verified.user.id).text(self.passes.keys)

    def refuse(self, email: str, refusal: SignInRefused) -> None:
        email, now = _normal(email), self.clock.now()
        counted = _counted(email, refusal.known_by)
        before, after = self.guard.record_failure(counted, now, refusal.user_id)
        if after.locked_until is not None and after.locked_until != before.locked_until:
            self.event_bus.publish(
                SignInLocked(
                    user_id=refusal.user_id,
                    email=email,
                    failures=after.failures,
                    until=after.locked_until,
                    known_by=refusal.known_by.kind if refusal.known_by else None,
                )
            )
            if refusal.known_by is None:
                self.links.mail_unlock(email, now)
        if refusal.known_by is None:
            # The password was proved: whoever lost the first mail gets another, and is told
            # nothing.
            proved = refusal.reason == UNVERIFIED
            self.links.mail_verification(email, refusal.user_id if proved else None, now)


def _counted(email: str, known_by: KnownBy | None) -> str:
    return str(known_by) if known_by else email


def _proof(user: User) -> tuple[str, int, Role]:
    return user.password_hash, user.token_version, user.role


def _normal(email: str) -> str:
    address = Email.create(email)
    return _NOBODY if isinstance(address, Failure) else address.value.value


def _refused(reason: str, user: User | None, known_by: KnownBy | None) -> Failure[SignInRefused]:
    return Failure(SignInRefused.because(reason, user.id if user else None, known_by))
