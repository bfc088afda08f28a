"""What is new about a sign-in, compared with those before it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_network
from typing import Final

SUSPICIOUS_FAILURES: Final = 3
"""People mistype once or twice."""
_PREFIXES: Final = {4: 24, 6: 48}
"""Bits that the addresses of one household or office share."""


class Mark(StrEnum):
    NEW_DEVICE = "new_device"
    NEW_NETWORK = "new_network"
    AFTER_FAILURES = "after_failures"


@dataclass(frozen=True)
class Origin:
    device: str
    ip_address: str | None

    @property
    def network(self) -> str | None:
        if self.ip_address is None:
            return None
        address = ip_network(self.ip_address)
        return str(address.supernet(new_prefix=_PREFIXES[address.version]))


def marks_of(origin: Origin, earlier: Sequence[Origin], failures: int = 0) -> tuple[Mark, ...]:
    """`failures` are the wrong passwords in a row before it. Nothing is new about the first of all:
    there is nothing to compare it with, and its owner just made the account."""
    marks = [Mark.AFTER_FAILURES] if failures >= SUSPICIOUS_FAILURES else []
    if not earlier:
        return tuple(marks)
    if origin.device not in {each.device for each in earlier}:
        marks.append(Mark.NEW_DEVICE)
    if origin.network not in {each.network for each in earlier}:
        marks.append(Mark.NEW_NETWORK)
    return tuple(marks)
