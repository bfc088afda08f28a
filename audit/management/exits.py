"""Exit codes of the commands that read the trail."""

from typing import ClassVar, Final

from core import exits

NO_ANSWER: Final = exits.NO_ANSWER


class AnsweringCommand(exits.AnsweringCommand):
    unreadable: ClassVar[str] = "Cannot read the trail"
