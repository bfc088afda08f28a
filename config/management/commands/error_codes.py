"""What the API refuses with."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final

from django.core.management import BaseCommand

from config.env import ROOT
from config.refusals import Refusal, refusals_in
from core.errors import ErrorCode
from core.problems import CODES, STATUS

_HEAD: Final = """# What the API refuses with

Every error under `/api/` is a problem document (RFC 9457, `application/problem+json`) with one of
these codes: in `code`, and as `urn:dashtam:problem:<code>` in `type`. A program may branch on the
code; the sentence in `detail` is for people and may change. `errors` says which field is meant,
`trace_id` stands in the log too. A 401 has `WWW-Authenticate`, a 429 has `Retry-After`.
`manage.py error_codes` prints this page from the source.

In a sentence, … stands for what differs; *in other words* is what depends on the request
altogether. The last column names the module that refuses, or the exceptions of the frameworks that
become this code. What `users.application.importing`, `users.domain.hashes` and `users.management`
refuse is told by `manage.py import_users` alone.

| Code | Status | Says | From |
|---|---|---|---|
"""
_APPS: Final = ("audit", "config", "core", "mail", "sessions_app", "users")
_INTERNAL: Final = 500
_IN_OUR_WORDS: Final = (ErrorCode.VALIDATION_FAILED, ErrorCode.NOT_AUTHENTICATED)
"""`core.problems` says something else than the exception does."""
_DIFFERS: Final = "*in other words*"


class Command(BaseCommand):
    help = (
        "Prints every error code with its HTTP status, sentences and origins, as Markdown."
        " Example: manage.py error_codes > docs/reference/errors.md"
    )

    def handle(self, *args: Any, **options: Any) -> None:
        found: dict[ErrorCode, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for refusal in _refusals():
            found[refusal.code][refusal.module].append(refusal.says or _DIFFERS)
        self.stdout.write(_HEAD, ending="")
        for code in sorted(ErrorCode, key=lambda each: (_status(each), each)):
            for origin, sentences in [*found[code].items(), *_from_frameworks(code)]:
                self.stdout.write(_row(code, origin, sentences))


def _refusals() -> Iterator[Refusal]:
    for app in _APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield from refusals_in(path.read_text(), module)


def _status(code: ErrorCode) -> int:
    return STATUS.get(code, _INTERNAL)


def _from_frameworks(code: ErrorCode) -> Iterator[tuple[str, list[str]]]:
    names = dict.fromkeys(f"`{kind.__name__}`" for kind, its in CODES.items() if its is code)
    if names and code not in _IN_OUR_WORDS:
        yield ", ".join(names), [_DIFFERS]


def _row(code: ErrorCode, origin: str, sentences: list[str]) -> str:
    said = "<br>".join(dict.fromkeys(each.replace("|", "\\|") for each in sentences))
    return f"| `{code}` | {_status(code)} | {said} | {origin} |"
