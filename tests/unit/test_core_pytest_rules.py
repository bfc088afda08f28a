"""What the text of a test says about it."""

import pytest

from tests.plugin.rules import breaches_in

NO_ASSERTION = "a test asserts nothing"
NO_SPEC = "has no spec"
COMPARED = "a Result is compared with =="
NO_REASON = "without a reason"


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("print()", NO_ASSERTION),
        ("assert True", NO_ASSERTION),
        ("assert 'text'", NO_ASSERTION),
        ("faults.fail('cache.set')", NO_ASSERTION),
        ("reassert()", NO_ASSERTION),
        ("assert MagicMock()", f"MagicMock(…) {NO_SPEC}"),
        ("assert mock.AsyncMock()", f"AsyncMock(…) {NO_SPEC}"),
        ("assert unittest.mock.Mock(name='x')", f"Mock(…) {NO_SPEC}"),
        ("assert NonCallableMock(return_value=1)", f"NonCallableMock(…) {NO_SPEC}"),
        ("with patch('a.b'): assert x", f"patch(…) {NO_SPEC}"),
        ("with mock.patch('a.b', create=True): assert x", f"patch(…) {NO_SPEC}"),
        ("with patch.object(a, 'b'): assert x", f"object(…) {NO_SPEC}"),
        ("assert result == Success(1)", COMPARED),
        ("assert Failure(error) != result", COMPARED),
        ("assert 1 < 2 == result.Success(1)", COMPARED),
        ("assert x; pytest.skip()", f"skip {NO_REASON}"),
        ("assert x; pytest.xfail()", f"xfail {NO_REASON}"),
    ],
)
@pytest.mark.parametrize("keyword", ["def", "async def"])
def test_a_breach_gets_a_sentence_with_its_place(keyword: str, body: str, what: str) -> None:
    found = breaches_in(f"\n{keyword} test_x():\n    {body}\n", "tests/unit/test_core_x.py")

    (sentence,) = found["test_x"]
    line = 2 if what == NO_ASSERTION else 3
    assert sentence.startswith(f"tests/unit/test_core_x.py:{line}: {what}")
    assert sentence.count("; ") == 2


@pytest.mark.parametrize(
    "body",
    [
        "assert x",
        "assert not False",
        "with pytest.raises(ValueError): x()",
        "with pytest.warns(UserWarning): x()",
        "mock.save.assert_called_once_with(user)",
        "self.assertEqual(1, x)",
        "assert_success(result)",
        "_assert_fine(result)",
        "expect_event(published, UserLoggedIn)",
        "with django_assert_num_queries(2): x()",
        "run_state_machine_as_test(Machine)",
        "result.stdout.fnmatch_lines(['a'])",
        "for n in x:\n        assert n",
        "assert MagicMock(spec=Port)",
        "assert MagicMock(Port)",
        "assert NonCallableMagicMock(spec_set=Port)",
        "assert MagicMock(wraps=x)",
        "assert create_autospec(Port, instance=True)",
        "with patch('a.b', autospec=True): assert x",
        "with patch('a.b', fake): assert x",
        "with patch('a.b', return_value=1): assert x",
        "with patch.object(a, 'b', fake): assert x",
        "with patch.dict(os.environ, A='1'): assert x",
        "client.patch('/api/v1/users'); assert x",
        "assert isinstance(result, Success)",
        "assert result.value == Money(1)",
        "assert x; pytest.skip('until the server answers')",
        "assert x; pytest.xfail(reason='until the server answers')",
    ],
)
def test_an_honest_test_gets_none(body: str) -> None:
    assert breaches_in(f"def test_x():\n    {body}\n", "a.py") == {"": [], "test_x": []}


def test_a_method_is_found_by_its_class() -> None:
    source = "class TestA:\n    class TestB:\n        def test_x(self): print()"

    assert breaches_in(source, "a.py")["TestA.TestB.test_x"]


@pytest.mark.parametrize(
    "source",
    [
        "mock = MagicMock()",
        "def helper():\n    return MagicMock()",
        "@pytest.fixture\ndef thing():\n    return MagicMock()",
        "class Helper:\n    made = MagicMock()",
    ],
)
def test_a_breach_outside_the_tests_belongs_to_the_file(source: str) -> None:
    found = breaches_in(f"{source}\ndef test_x(): assert mock\n", "a.py")

    assert len(found[""]) == 1
    assert found["test_x"] == []


def test_a_helper_inside_a_test_belongs_to_the_test() -> None:
    found = breaches_in(
        "def test_x():\n    def test_inner(): return MagicMock()\n    assert 1 < x", "a"
    )

    assert len(found["test_x"]) == 1
    assert set(found) == {"", "test_x"}
