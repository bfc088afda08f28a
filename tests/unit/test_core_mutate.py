"""What `make mutate` changes, names and lists."""

import pytest

from trials.mutate.__main__ import changed_lines, listed
from trials.mutate.changes import mutants_of, whole_statements


def _changes(source: str) -> list[str]:
    return [f"{each.scope}: {each.after}" for each in mutants_of("app.py", source)]


class TestChanges:
    @pytest.mark.parametrize(
        ("source", "changes"),
        [
            ("X = 5", ["X = 6", "X = (4)"]),
            ("X = True", ["X = False"]),
            ("X = 'a'", ["X = 'XXaXX'"]),
            ("X = b'a'", ["X = b'XXa'"]),
            ("X: int | None = None", ['X: int | None = ""']),
            ("X = Y", ["X = None"]),
            ("X = f'{Y}'", ["X = \"XX\" f'{Y}'"]),
            ("X = not Y", ["X = (Y)"]),
            ("X = Y + Z", ["X = (Y - Z)"]),
            ("X = Y and Z", ["X = (Y or Z)"]),
            ("X = Y < Z", ["X = (Y <= Z)"]),
            ("X = Y if Z else W", ["X = (Y if True else W)", "X = (Y if False else W)"]),
            ("X = f(a=Y)", ["X = (f())"]),
            ("X = f(a=1)", ["X = f(a=2)", "X = f(a=(0))"]),
            ("X = 'é' + 'b'", ["X = ('é' - 'b')", "X = 'XXéXX' + 'b'", "X = 'é' + 'XXbXX'"]),
            ("X = (E.ONE, E.TWO)", ["X = (E.TWO, E.TWO)", "X = (E.ONE, E.ONE)"]),
            ("X = TypeVar('X')", []),
            ("X: TypeAlias = tuple[int, int]", []),
            ("'A docstring.'", []),
        ],
    )
    def test_a_constant(self, source: str, changes: list[str]) -> None:
        assert _changes(source) == [f"module: {change}" for change in changes]

    def test_a_field_and_its_flags(self) -> None:
        source = "@dataclass(frozen=True, kw_only=True)\nclass C:\n    x: int = 0\n"
        assert _changes(source) == [
            "C: @dataclass(frozen=False, kw_only=True)",
            "C: x: int = 1",
            "C: x: int = (-1)",
        ]

    def test_a_parameter(self) -> None:
        assert _changes("def f(a: int = 1, *, b: bool = False): return a") == [
            "f: def f(a: int = 2, *, b: bool = False): return a",
            "f: def f(a: int = (0), *, b: bool = False): return a",
            "f: def f(a: int = 1, *, b: bool = True): return a",
        ]

    def test_the_body_of_a_property_but_not_of_a_method(self) -> None:
        source = (
            "class C:\n"
            "    @property\n    def p(self): return self.x\n"
            "    @classmethod\n    def m(cls): return 1\n"
            "    def n(self): return 1\n"
        )
        assert _changes(source) == ["C.p: def p(self): return None"]

    def test_the_rest_of_the_module_stays_as_it_is(self) -> None:
        first, _ = mutants_of("app.py", "# é\nX = (\n    5,\n)\nY = Z()\n")[:2]
        assert first.source == "# é\nX = (\n    6,\n)\nY = Z()\n"
        assert (first.line, str(first)) == (3, "app.py: module: 5, -> 6,")


def test_the_lines_that_a_diff_adds_are_told() -> None:
    diff = (
        "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n"
        "@@ -3 +3,2 @@ def f():\n-x\n+y\n+z\n@@ -9,2 +10,0 @@\n-x\n-y\n"
        "diff --git a/b.py b/b.py\n--- a/b.py\n+++ b/b.py\n@@ -1 +1 @@\n-x\n+y\n"
    )
    assert changed_lines(diff) == {"a.py": [3, 4], "b.py": [1]}


@pytest.mark.parametrize(
    ("changed", "statements"),
    [([1], [1]), ([3], [2, 3, 4]), ([5], [5]), ([6], [6, 7]), ([8], [8]), ([1, 8], [1, 8])],
)
def test_a_changed_line_changes_its_statement(changed: list[int], statements: list[int]) -> None:
    source = "x = 1\ny = f(\n    2,\n)\ndef g(z):\n    if (z and\n        y):\n        return x\n"
    assert whole_statements(source, changed) == statements


def test_an_equivalent_mutant_is_listed_with_its_reason() -> None:
    text = "# why\n\na.py: f: x -> y\n    It is\n    the same.\nb.py: g: x -> y\n"
    assert listed(text) == {"a.py: f: x -> y": "It is the same.", "b.py: g: x -> y": ""}
