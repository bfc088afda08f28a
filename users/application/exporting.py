"""What is kept of a person, for that person."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from core.errors import DomainError
from core.ports import EventBusProtocol
from core.result import Failure, Result, Success
from users.domain.errors import USER_NOT_FOUND
from users.domain.events import AccountExported
from users.domain.user import User
from users.ports import AccountRecords, UserRepository

Section = Callable[[UUID], Any]


@dataclass(frozen=True)
class Sections:
    """What other contexts keep of a person; each registers its own."""

    known: dict[str, Section] = field(default_factory=dict)

    def register(self, name: str, section: Section) -> None:
        self.known[name] = section

    def of(self, user_id: UUID) -> Mapping[str, Any]:
        return {name: section(user_id) for name, section in self.known.items()}


@dataclass(frozen=True, kw_only=True)
class ExportAccount:
    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class ExportAccountHandler:
    user_repo: UserRepository
    records: AccountRecords
    sections: Sections
    event_bus: EventBusProtocol

    def handle(self, command: ExportAccount) -> Result[Mapping[str, Any], DomainError]:
        user = self.user_repo.find_by_id(command.user_id)
        if user is None:
            return Failure(USER_NOT_FOUND)
        self.event_bus.publish(AccountExported(user_id=user.id))
        return Success(
            {
                "account": _account(user),
                "mailed_links": [asdict(each) for each in self.records.tokens_of(user.id)],
                "known_devices": [asdict(each) for each in self.records.devices_of(user.id)],
                **self.sections.of(user.id),
            }
        )


def _account(user: User) -> Mapping[str, Any]:
    # Not the hash: it is of no use to its owner, and of use to a thief.
    hidden = {"password_hash", "failed_login_attempts", "locked_until"}
    return {name: value for name, value in asdict(user).items() if name not in hidden}
