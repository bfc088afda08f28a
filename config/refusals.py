"""Every refusal that stands in the source: its code, what it says, and where it is made."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from core.errors import ErrorCode

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Refusal:
    """`says` has an ellipsis for what differs; None where that is all of it."""

    code: ErrorCode
    says: str | None
    module: str


def refusals_in(source: str, module: str) -> list[Refusal]:
    """Of each call that is given a code and, after it, a sentence."""
    tree = ast.parse(source)
    words = dict(_constants(tree))
    return [
        Refusal(code, says, module)
        for code, sentence in _coded(tree)
        for says in _texts(sentence, tree, words)
    ]


def _coded(tree: ast.AST) -> Iterator[tuple[ErrorCode, ast.expr | None]]:
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            for argument, following in pairwise([*call.args, None]):
                if code := _code(argument):
                    yield code, following


def _code(node: ast.expr | None) -> ErrorCode | None:
    if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
        return None
    return ErrorCode[node.attr] if node.value.id == "ErrorCode" else None


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        text = _text(getattr(node, "value", None), {})
        if text and isinstance(targets[0], ast.Name):
            yield targets[0].id, text


def _text(node: ast.expr | None, words: dict[str, str]) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part, words) or "…" for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return _text(node.value, words)
    return words.get(node.id) if isinstance(node, ast.Name) else None


def _texts(node: ast.expr | None, tree: ast.AST, words: dict[str, str]) -> list[str | None]:
    """Where a function is given the sentence, those of its callers in the same module."""
    given = [
        _text(call.args[place], words)
        for name, place in _parameters(node, tree)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and _is_named(call.func, name) and len(call.args) > place
    ]
    return given or [_text(node, words)]


def _parameters(node: ast.expr | None, tree: ast.AST) -> Iterator[tuple[str, int]]:
    """The function around the node whose parameter it is, and which one."""
    for function in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(function, _Function):
            names = [argument.arg for argument in function.args.args]
            if node.id in names and any(each is node for each in ast.walk(function)):
                yield function.name, names.index(node.id)


def _is_named(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name
