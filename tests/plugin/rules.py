"""What no tool checks in a test's own text: a mock has a spec, a Result is never compared with
`==`, a skip has a reason, a test asserts."""

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.plugin import breach

_MOCKS = {"Mock", "MagicMock", "AsyncMock", "NonCallableMock", "NonCallableMagicMock"}
_SPECS = {"spec", "spec_set", "wraps"}
# A patch that says what it puts there needs no spec.
_PATCHED = _SPECS | {"autospec", "new", "new_callable", "return_value", "side_effect"}
_ASSERTS = re.compile(
    r"(^|_)(assert|expect)|^(raises|warns|deprecated_call|RaisesGroup)$"
    r"|match_lines?$|^run_state_machine_as_test$|^validate_response$"
)


class _File(ast.NodeVisitor):
    def __init__(self, path: str) -> None:
        self.path = path
        self.breaches: dict[str, list[str]] = {"": []}
        self._scope: list[str] = []
        self._test = ""

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._within(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        if self._test or not node.name.startswith("test"):
            self._within(node)
            return
        self._test = ".".join([*self._scope, node.name])
        self.breaches[self._test] = []
        if not any(_asserts(inner) for inner in ast.walk(node)):
            self._tell(
                node,
                "a test asserts nothing",
                "it passes whatever the code does",
                "assert on a result, a state or an event (or name the helper assert_… or expect_…)",
            )
        self._within(node)
        self._test = ""

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815  # the name that ast looks for

    def _within(self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._scope.append(node.name)
        self.generic_visit(node)
        self._scope.pop()

    def visit_Compare(self, node: ast.Compare) -> None:
        sides = [node.left, *node.comparators]
        equal = any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops)
        if equal and any(_called(side) in {"Success", "Failure"} for side in sides):
            self._tell(
                node,
                "a Result is compared with ==",
                "mypy narrows nothing by it and an error's text becomes part of the test",
                "use assert_success(result) or isinstance(result, Failure), then assert on its"
                " value or its error's code",
            )
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = _called(node)
        given = {keyword.arg for keyword in node.keywords}
        if _has_no_spec(node, name, given):
            self._tell(
                node,
                f"{name}(…) has no spec",
                "it accepts any call, also one that the real object refuses",
                "use create_autospec(Port, instance=True), patch(…, autospec=True) or a fake",
            )
        if ast.unparse(node.func) in {"pytest.skip", "pytest.xfail"} and not (
            node.args or "reason" in given
        ):
            self._tell(node, *_no_reason(name))
        self.generic_visit(node)

    def _tell(self, node: ast.stmt | ast.expr, what: str, why: str, instead: str) -> None:
        text = breach.sentence(f"{self.path}:{node.lineno}", what, why, instead)
        self.breaches[self._test].append(text)


def _no_reason(name: str) -> tuple[str, str, str]:
    return (
        f"{name} without a reason",
        "nobody will know when it may go",
        f'write {name}(reason="…") and say what must happen first',
    )


def _called(node: ast.AST) -> str:
    """The last part of the name that is called: `fail` of `pytest.fail(…)`."""
    if not isinstance(node, ast.Call):
        return ""
    func = node.func
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def _asserts(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return not isinstance(node.test, ast.Constant)
    return bool(_ASSERTS.search(_called(node)))


def _has_no_spec(node: ast.Call, name: str, given: set[str | None]) -> bool:
    if name in _MOCKS:
        return not node.args and not given & _SPECS
    target = ast.unparse(node.func)
    if target.endswith("patch.object"):
        return len(node.args) < 3 and not given & _PATCHED
    is_patch = target == "patch" or target.endswith("mock.patch")
    return is_patch and len(node.args) < 2 and not given & _PATCHED


def breaches_in(source: str | bytes, path: str) -> dict[str, list[str]]:
    """The sentences by the qualified name of the test; those of helpers and fixtures by ''."""
    visitor = _File(path)
    visitor.visit(ast.parse(source))
    return visitor.breaches


@cache
def _read(file: Path, path: str) -> dict[str, list[str]]:
    return breaches_in(file.read_bytes(), path)


def of_module(file: Path, path: str) -> list[str]:
    """What fixtures and helpers of the file break; a file that is no Python is pytest's to tell."""
    try:
        return _read(file, path)[""]
    except SyntaxError:
        return []


def _of_test(item: pytest.Item) -> list[str]:
    function = inspect.unwrap(getattr(item, "obj", None) or _of_test)
    function = getattr(getattr(function, "hypothesis", None), "inner_test", function)
    file = Path(inspect.getfile(function))
    root = item.config.rootpath
    if not file.is_relative_to(root / "tests"):  # a state machine's test is hypothesis' own
        return []
    breaches = _read(file, file.relative_to(root).as_posix())
    return breaches.get(function.__qualname__.replace("<locals>.", ""), [])


def _of_marks(item: pytest.Item) -> Iterator[str]:
    for mark in item.iter_markers():
        given = mark.kwargs.get("reason") or (mark.name == "skip" and any(mark.args))
        if mark.name in {"skip", "skipif", "xfail", "slow"} and not given:
            yield breach.sentence(breach.place(item), *_no_reason(mark.name))


def pytest_itemcollected(item: pytest.Item) -> None:
    for text in [*_of_test(item), *_of_marks(item)]:
        breach.record(item, text)
