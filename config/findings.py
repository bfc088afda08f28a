"""What `manage.py doctor` tells, a line each."""

from dataclasses import dataclass
from typing import Final

WELL: Final = "well"
LOOK: Final = "look"
BROKEN: Final = "broken"


@dataclass(frozen=True)
class Finding:
    """`fix` says what to do where it is not well."""

    area: str
    verdict: str
    text: str = ""
    fix: str = ""
