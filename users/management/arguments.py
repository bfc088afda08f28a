"""What commands ask about people."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from uuid import UUID

from core.exits import Refusal
from core.validation import LONGEST_REASON
from users import queries


def add_reason(parser: ArgumentParser, *, longest: int = LONGEST_REASON) -> None:
    parser.add_argument(
        "--reason", required=True, type=_reason(longest), metavar="TEXT", help="for the trail"
    )


def add_limit(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--limit", type=number(1, 1000), default=50, metavar="N", help="at most so many: 50"
    )


def number(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise ArgumentTypeError(f"a number from {least} to {most} is wanted")
        return int(text)

    return read


def id_of(person: str) -> UUID:
    """Raises `Refusal` where nobody has this address; whether there is such an id, handlers say."""
    found = queries.user_id_of(person)
    if found is None:
        raise Refusal(
            "Nobody has this address. `manage.py users list --email PART` looks for a part of it."
        )
    return found


def _reason(longest: int) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not text.strip() or len(text) > longest or not text.isprintable():
            raise ArgumentTypeError(f"say why, in one line of 1 to {longest} characters")
        return text

    return read
