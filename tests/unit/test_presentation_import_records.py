"""The lines of a file, each on its own."""

import io
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ErrorCode, InfrastructureError
from core.result import Failure, Result, Success
from tests.assertions import assert_failure, assert_success
from users.application.importing import COLUMNS, AccountReader, ImportUser
from users.domain.errors import EMAIL_TAKEN, USER_NOT_FOUND
from users.management.importing import Status, Tally, UnavailableError, outcomes
from users.management.records import (
    LONGEST_LINE,
    Record,
    WrongColumns,
    read_csv,
    read_jsonl,
)

Read = Callable[[BinaryIO, Sequence[str]], Iterator[Record]]


def records(read: Read, *lines: bytes | str) -> list[Record]:
    raw = b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    return list(read(io.BytesIO(raw), COLUMNS))


def refusal(record: Record) -> str:
    return assert_failure(record[1], ErrorCode.VALIDATION_FAILED).message


def values(found: list[Record]) -> list[tuple[int, Any]]:
    return [(line, assert_success(each)) for line, each in found]


ADA = {"email": "ada@example.com", "role": "user"}
ADA_JSON = json.dumps(ADA)


class TestCsv:
    @pytest.mark.parametrize(
        "row", ["ada@example.com,user", '"ada@example.com","user"', "ada@example.com,user\r"]
    )
    @pytest.mark.parametrize(
        "head", ["email,role", "\ufeffemail,role\r", " email , role ", '"email",role']
    )
    def test_a_line_has_the_values_of_the_columns(self, head: str, row: str) -> None:
        assert values(records(read_csv, head, row)) == [(2, ADA)]

    def test_a_comma_within_quotes_belongs_to_the_value(self) -> None:
        argon2 = "$argon2id$v=19$m=1024,t=2,p=2$x$y"
        found = values(records(read_csv, "email,password_hash", f'a@example.com,"{argon2}"'))
        assert found[0][1]["password_hash"] == argon2

    def test_blank_lines_are_passed_over_and_counted(self) -> None:
        found = records(read_csv, "email", "", "a@example.com", "  \r", "b@example.com", "")
        assert [line for line, _ in found] == [3, 5]

    @pytest.mark.parametrize(
        ("row", "said"),
        [
            ("ada@example.com", "There are 1 values for 2 columns."),
            ("ada@example.com,user,x", "There are 3 values for 2 columns."),
            ('"ada@example.com,user', "A quotation mark is open, or stands where none may."),
            ('"ada"@example.com,user', "A quotation mark is open, or stands where none may."),
            (b"ada@\xff.com,user", "Byte 5 is not UTF-8."),
            (b"\xef\xbb\xbfada@example.com,user", "There are control characters in it."),
            ("ada@example.com,us\x00er", "There are control characters in it."),
            ("ada@example.com,\x1b[2J", "There are control characters in it."),
            ("a" * LONGEST_LINE, "The line is longer than 65,536 bytes."),
            ("é" * 3 * LONGEST_LINE, "The line is longer than 65,536 bytes."),
        ],
    )
    def test_a_bad_line_is_told_with_its_number_and_spoils_no_other(
        self, row: bytes | str, said: str
    ) -> None:
        good = "ada@example.com,user"
        before, bad, after = records(read_csv, "email,role", good, row, good)
        assert (bad[0], refusal(bad)) == (3, said)
        assert values([before, after]) == [(2, ADA), (4, ADA)]

    def test_a_line_of_the_greatest_length_is_read(self) -> None:
        row = ("a" * (LONGEST_LINE - 2)) + ","
        assert len(values(records(read_csv, "email,role", row, "b@example.com,"))) == 2

    @pytest.mark.parametrize(
        "head",
        [
            "",
            "role",
            "email,email",
            "email;password_hash",
            "ada@example.com,Summer2020",
            '"email',
            b"\xff\xfee\x00",
        ],
    )
    def test_a_first_line_that_names_no_columns_ends_it(self, head: bytes | str) -> None:
        with pytest.raises(WrongColumns, match="The first line is to name") as refused:
            records(read_csv, head, "ada@example.com")
        assert "Summer2020" not in str(refused.value)

    @pytest.mark.parametrize("name", ["is_verifed", "passwort", "Email", "", "id"])
    def test_a_column_that_is_not_known_ends_it_and_the_known_ones_are_told(
        self, name: str
    ) -> None:
        with pytest.raises(WrongColumns) as refused:
            records(read_csv, f"email,{name}", "ada@example.com,x")
        assert str(refused.value) == f"Not known: {name}. Known are {', '.join(COLUMNS)}."

    def test_an_unknown_name_cannot_do_anything_to_a_terminal(self) -> None:
        with pytest.raises(WrongColumns, match=r"Not known: …\."):
            records(read_csv, "email,\x1b[2J")


class TestJsonLines:
    @pytest.mark.parametrize("line", [ADA_JSON, f"\ufeff{ADA_JSON}\r", f"  {ADA_JSON}\t"])
    def test_a_line_is_an_object(self, line: str) -> None:
        assert values(records(read_jsonl, line)) == [(1, ADA)]

    @pytest.mark.parametrize(
        ("value", "text"),
        [(True, "1"), (False, "0"), (1, "1"), (0, "0"), (None, ""), ("true", "true")],
    )
    def test_what_is_true_or_missing_need_not_be_text(self, value: object, text: str) -> None:
        line = json.dumps({"email": "a@example.com", "is_verified": value})
        assert values(records(read_jsonl, line))[0][1]["is_verified"] == text

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("{", "This is no JSON object, or it has a name twice."),
            (
                '{"email": "a@example.com", "email": ""}',
                "This is no JSON object, or it has a name twice.",
            ),
            ("[" * 50_000, "This is no JSON object, or it has a name twice."),
            ("1" * 5_000, "This is no JSON object, or it has a name twice."),
            ("[]", "This is no JSON object."),
            ("null", "This is no JSON object."),
            ('{"email": 7}', "Write text, true, false or null."),
            ('{"email": ["a@example.com"]}', "Write text, true, false or null."),
            ('{"email": {}}', "Write text, true, false or null."),
            ('{"email": NaN}', "Write text, true, false or null."),
            (r'{"email": "\ud800"}', "There are control characters in it."),
            (r'{"email": "a\u0000"}', "There are control characters in it."),
            (b'{"email": "\xff"}', "Byte 12 is not UTF-8."),
            (b'{"email": "' + b"a" * LONGEST_LINE + b'"}', "The line is longer than 65,536 bytes."),
        ],
    )
    def test_a_bad_line_is_told_with_its_number_and_spoils_no_other(
        self, line: bytes | str, said: str
    ) -> None:
        before, bad, after = records(read_jsonl, ADA_JSON, line, ADA_JSON)
        assert (bad[0], refusal(bad)) == (2, said)
        assert values([before, after]) == [(1, ADA), (3, ADA)]

    def test_a_name_that_is_not_known_is_told_with_those_that_are(self) -> None:
        (record,) = records(read_jsonl, '{"email": "a@example.com", "is_verifed": true}')
        assert refusal(record) == f"Not known: is_verifed. Known are {', '.join(COLUMNS)}."

    def test_an_empty_file_has_no_lines(self) -> None:
        assert records(read_jsonl, "") == []


@pytest.mark.parametrize("read", [read_csv, read_jsonl])
@given(st.binary(max_size=200))
def test_no_bytes_raise(read: Read, raw: bytes) -> None:
    file = io.BytesIO(b"email,role\n" + raw)
    lines = [line for line, _ in read(file, COLUMNS)]
    assert lines == sorted(set(lines))


def take(answers: dict[str, Result[None, Any]]) -> Callable[[ImportUser], Result[None, Any]]:
    return lambda command: answers.get(command.email, Success(None))


class TestOutcomes:
    def lines(self, *emails: str) -> list[Record]:
        return [(number, Success({"email": email})) for number, email in enumerate(emails, 2)]

    def test_each_line_has_one(self) -> None:
        found = outcomes(
            self.lines("new@example.com", "old@example.com", "no address", "last@example.com"),
            AccountReader(),
            take({"old@example.com": Failure(EMAIL_TAKEN)}),
        )
        told = list(found)
        assert [each.status for each in told] == [
            Status.IMPORTED,
            Status.EXISTING,
            Status.REFUSED,
            Status.IMPORTED,
        ]
        assert str(told[1]) == f"line 3: old@example.com: {EMAIL_TAKEN.message}"
        assert str(told[2]).startswith("line 4: email: Enter an e-mail address")

    def test_what_a_handler_refuses_is_refused(self) -> None:
        (told,) = outcomes(
            self.lines("a@example.com"),
            AccountReader(),
            take({"a@example.com": Failure(USER_NOT_FOUND)}),
        )
        assert (told.status, told.message) == (Status.REFUSED, USER_NOT_FOUND.message)

    def test_it_ends_where_the_database_does(self) -> None:
        gone = InfrastructureError(ErrorCode.DATABASE_UNAVAILABLE, "Not now.")
        found = outcomes(
            self.lines("a@example.com", "b@example.com", "c@example.com"),
            AccountReader(),
            take({"b@example.com": Failure(gone)}),
        )
        assert next(found).status is Status.IMPORTED
        with pytest.raises(UnavailableError, match=r"Not now\."):
            next(found)

    def test_they_are_counted(self) -> None:
        tally = Tally()
        for told in outcomes(self.lines("a@example.com", "x", "y"), AccountReader(), take({})):
            tally.add(told)
        assert tally.line == 4
        assert tally.counts == {Status.IMPORTED: 1, Status.REFUSED: 2}

    def test_a_machine_reads_them_too(self) -> None:
        (told,) = outcomes(self.lines("x"), AccountReader(), take({}))
        found = json.loads(told.as_document())
        assert (found["line"], found["status"], found["where"]) == (2, "refused", "email")
