"""Lines of a file as records, each on its own: what is wrong with one is told with its number, and
spoils no other. So a value holds no line break, and a file of any length takes the same memory."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final, TypeAlias

from core.errors import ErrorCode, ValidationError
from core.result import Failure, Result, Success

LONGEST_LINE: Final = 64 * 1024
"""Bytes."""

Values: TypeAlias = Mapping[str, str]
Record: TypeAlias = tuple[int, Result[Values, ValidationError]]
"""With the number of its line, from 1."""


class WrongColumns(ValueError):
    """Nothing of the file can be read; the text says why."""


def read_csv(file: BinaryIO, columns: Sequence[str]) -> Iterator[Record]:
    """Raises `WrongColumns` at the first line, which names the columns."""
    lines = _lines(file)
    names = _names(next(lines, (1, Success(""))), columns)
    for number, line in lines:
        yield number, line if isinstance(line, Failure) else _row(line.value, names)


def read_jsonl(file: BinaryIO, columns: Sequence[str]) -> Iterator[Record]:
    for number, line in _lines(file):
        yield number, line if isinstance(line, Failure) else _object(line.value, columns)


def _lines(file: BinaryIO) -> Iterator[tuple[int, Result[str, ValidationError]]]:
    """Those that are not blank."""
    number = 0
    while raw := file.readline(LONGEST_LINE):
        number += 1
        line = _whole(raw, file)
        text = _text(raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw)
        if not line:
            yield number, _refused(f"The line is longer than {LONGEST_LINE:,} bytes.")
        elif isinstance(text, Failure) or text.value:
            yield number, text


def _whole(raw: bytes, file: BinaryIO) -> bool:
    """Where it is not, the rest of it is passed over."""
    if len(raw) < LONGEST_LINE or raw.endswith(b"\n"):
        return True
    while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
        pass
    return False


def _text(raw: bytes) -> Result[str, ValidationError]:
    try:
        return Success(raw.decode().strip(" \t\r\n"))
    except UnicodeDecodeError as error:
        return _refused(f"Byte {error.start + 1} is not UTF-8.")


def _names(first: tuple[int, Result[str, ValidationError]], columns: Sequence[str]) -> list[str]:
    if isinstance(first[1], Failure):
        raise WrongColumns(f"The first line is to name the columns. {first[1].error.message}")
    names = [name.strip() for name in _split(first[1].value) or []]
    if "email" not in names or len(set(names)) < len(names):
        # Not shown: without names, somebody's values stand there.
        known = ", ".join(columns)
        raise WrongColumns(
            "The first line is to name each column once, with commas between them and email among"
            f" them. Known are {known}."
        )
    if fault := _unknown(names, columns):
        raise WrongColumns(fault)
    return names


def _unknown(names: Iterable[str], columns: Sequence[str]) -> str | None:
    unknown = [name if name.isprintable() else "…" for name in names if name not in columns]
    if not unknown:
        return None
    return f"Not known: {', '.join(unknown)[:80]}. Known are {', '.join(columns)}."


def _row(text: str, names: Sequence[str]) -> Result[Values, ValidationError]:
    cells = _split(text)
    if cells is None:
        return _refused("A quotation mark is open, or stands where none may.")
    if len(cells) != len(names):
        return _refused(f"There are {len(cells)} values for {len(names)} columns.")
    return _printable(dict(zip(names, cells, strict=True)))


def _split(text: str) -> list[str] | None:
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        return None


def _object(text: str, columns: Sequence[str]) -> Result[Values, ValidationError]:
    try:
        found = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return _refused("This is no JSON object, or it has a name twice.")
    if not isinstance(found, dict):
        return _refused("This is no JSON object.")
    if fault := _unknown(found, columns):
        return _refused(fault)
    values = {name: _plain(value) for name, value in found.items()}
    for name, value in values.items():
        if value is None:
            return _refused("Write text, true, false or null.", name)
    return _printable({name: value for name, value in values.items() if value is not None})


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found


def _plain(value: Any) -> str | None:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    # Some databases write 1 for true.
    return str(int(value)) if value in (0, 1) else None


def _printable(values: Values) -> Result[Values, ValidationError]:
    for name, value in values.items():
        if not value.isprintable():
            return _refused("There are control characters in it.", name)
    return Success(values)


def _refused(message: str, field: str | None = None) -> Failure[ValidationError]:
    return Failure(ValidationError(ErrorCode.VALIDATION_FAILED, message, field=field))
