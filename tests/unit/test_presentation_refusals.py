"""What `docs/reference/errors.md` is made from."""

import pytest

from config.refusals import Refusal, refusals_in
from core.errors import ErrorCode


def said(source: str) -> list[tuple[ErrorCode, str | None]]:
    return [(each.code, each.says) for each in refusals_in(source, "a.module")]


def test_a_refusal_has_its_code_its_sentence_and_its_module() -> None:
    found = refusals_in(
        'X = ConflictError(ErrorCode.LAST_ADMIN, "This " "is the last.")', "users.a"
    )
    assert found == [Refusal(ErrorCode.LAST_ADMIN, "This is the last.", "users.a")]


@pytest.mark.parametrize(
    ("sentence", "says"),
    [
        ('f"Send at most {size // 1024} KiB."', "Send at most … KiB."),
        ("_AWAY", "It is away."),
        ('f"{fault} {_AWAY}"', "… It is away."),
        ("_TYPED", "It is typed."),
        ("error.message", None),
        ("unknown", None),
        ("42", None),
    ],
)
def test_what_is_not_written_out(sentence: str, says: str | None) -> None:
    words = '_AWAY = "It is away."\n_TYPED: Final = "It is typed."\n'
    assert said(f"{words}e = Error(ErrorCode.NOT_FOUND, {sentence})") == [
        (ErrorCode.NOT_FOUND, says)
    ]


def test_a_class_may_stand_before_the_code_and_nothing_after_it() -> None:
    assert said("e = told(Kind, ErrorCode.CACHE_ERROR)") == [(ErrorCode.CACHE_ERROR, None)]


def test_a_function_that_is_given_the_sentence_says_what_its_callers_say() -> None:
    source = """
def weak(reason):
    return Failure(ValidationError(ErrorCode.WEAK_PASSWORD, reason))

def judge(password):
    return weak("It is short.") or weak(f"It is like {password}.") or other("Not this.")
"""
    assert said(source) == [
        (ErrorCode.WEAK_PASSWORD, "It is short."),
        (ErrorCode.WEAK_PASSWORD, "It is like …."),
    ]


def test_who_only_asks_for_a_code_refuses_nothing() -> None:
    source = "taken = error.code is ErrorCode.NOT_FOUND\nstatus = STATUS[ErrorCode.NOT_FOUND]"
    assert said(source) == []


def test_a_name_that_is_no_code_is_a_mistake_of_the_source() -> None:
    with pytest.raises(KeyError):
        said("Error(ErrorCode.NO_SUCH_CODE, 'x')")
