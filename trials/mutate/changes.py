"""What can be changed where mutmut changes nothing: constants, class attributes, the defaults of
fields and parameters, flags of decorators, and the bodies of properties and the like."""

import ast
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass

_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OF_TYPES = {"TypeVar", "NewType"}


@dataclass(frozen=True)
class Mutant:
    path: str
    line: int
    scope: str
    before: str
    after: str
    source: str = ""
    key: str = ""
    """By which mutmut knows it, where it is one of mutmut's."""

    def __str__(self) -> str:
        """What a list can name it by: neither a line number nor a count."""
        return f"{self.path}: {self.scope}: {self.before} -> {self.after}"


def mutants_of(path: str, source: str) -> list[Mutant]:
    tree = ast.parse(source)
    finder = _Finder(tree)
    finder.visit(tree)
    return [_mutant(path, source, *change) for change in finder.found]


def whole_statements(source: str, lines: list[int]) -> list[int]:
    """A change in one of its lines changes all of a statement; of a block, its head alone."""
    found = set(lines)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.stmt):
            body: list[ast.stmt] = getattr(node, "body", [])
            end = body[0].lineno - 1 if body else node.end_lineno or node.lineno
            span = range(node.lineno, max(end, node.lineno) + 1)
            found.update(span if found.intersection(span) else ())
    return sorted(found)


def _mutant(path: str, source: str, scope: str, node: ast.expr, new: str) -> Mutant:
    lines = source.encode().splitlines(keepends=True)  # ast counts bytes
    first, last = node.lineno - 1, node.end_lineno or node.lineno
    head, tail = lines[first][: node.col_offset], lines[last - 1][node.end_col_offset :]
    old, changed = b"".join(lines[first:last]), head + new.encode() + tail
    before, after = (" ".join(text.decode().split()) for text in (old, changed))
    whole = b"".join((*lines[:first], changed, *lines[last:])).decode()
    return Mutant(path, node.lineno, scope, before, after, whole)


class _Finder(ast.NodeVisitor):
    def __init__(self, tree: ast.AST) -> None:
        self.found: list[tuple[str, ast.expr, str]] = []
        self._scopes: list[str] = []
        self._members = sorted({ast.unparse(each) for each in ast.walk(tree) if _is_member(each)})

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.expr):
            self.found += ((self._scope(), node, new) for new in self._instead_of(node))
        super().visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._scopes.append(node.name)
        for part in (*node.decorator_list, *node.keywords, *node.body):
            self.visit(part)
        self._scopes.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._scopes.append(node.name)
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default:
                self._visit_value(default)
        changed_by_mutmut = len(self._scopes) < 3 and _is_plain(node)
        for part in (*node.decorator_list, *(() if changed_by_mutmut else node.body)):
            self.visit(part)
        self._scopes.pop()

    def visit_Assign(self, node: ast.Assign | ast.AnnAssign | ast.Return) -> None:
        if node.value and not _tells_a_type(node.value):
            self._visit_value(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        # Its annotation changes nothing; the name of a type is one.
        if ast.unparse(node.annotation) != "TypeAlias":
            self.visit_Assign(node)

    def visit_Return(self, node: ast.Return) -> None:
        self.visit_Assign(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring, or ...
            self.visit(node.value)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg != "kw_only":  # says how a call is written, not what it does
            self.visit(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """As a whole: Python 3.11 does not say where its parts are."""

    def _visit_value(self, node: ast.expr) -> None:
        """Of an assignment, a default or a return: None, where nothing in it can be changed."""
        found = len(self.found)
        self.visit(node)
        if len(self.found) == found:
            is_none = isinstance(node, ast.Constant) and node.value is None
            self.found.append((self._scope(), node, '""' if is_none else "None"))

    def _scope(self) -> str:
        return ".".join(self._scopes) or "module"

    def _instead_of(self, node: ast.expr) -> Iterator[str]:
        match node:
            case ast.Constant():
                yield from _other_values(node.value)
            case ast.JoinedStr():
                yield f'"XX" {ast.unparse(node)}'
            case ast.IfExp():
                yield from (_with(node, test=ast.Constant(value)) for value in (True, False))
            case ast.UnaryOp(op=ast.Not()):
                yield f"({ast.unparse(node.operand)})"
            case ast.Call():
                yield from _without_arguments(node)
            case ast.Attribute() if _is_member(node):
                yield from self._next_member(node)
            case _:
                yield from _swapped(node)

    def _next_member(self, node: ast.Attribute) -> Iterator[str]:
        """Another of the same enum that this module names."""
        own, others = ast.unparse(node), f"{ast.unparse(node.value)}."
        members = [each for each in self._members if each.startswith(others)]
        if len(members) > 1:
            yield members[(members.index(own) + 1) % len(members)]


def _swapped(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.BinOp(op=op) | ast.BoolOp(op=op) if type(op) in _SWAPS:
            yield _with(node, op=_SWAPS[type(op)]())
        case ast.Compare(ops=[op]) if type(op) in _SWAPS:
            yield _with(node, ops=[_SWAPS[type(op)]()])


def _other_values(value: object) -> Iterator[str]:
    match value:
        case bool():
            yield repr(not value)
        case int() | float():
            yield from (repr(value + 1), f"({value - 1!r})")
        case str():
            yield repr(f"XX{value}XX")
        case bytes():
            yield repr(b"XX" + value)


def _without_arguments(node: ast.Call) -> Iterator[str]:
    for dropped in node.keywords:
        if not isinstance(dropped.value, ast.Constant):  # that is changed itself
            yield _with(node, keywords=[each for each in node.keywords if each is not dropped])


def _with(node: ast.expr, **fields: object) -> str:
    changed = copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return f"({ast.unparse(changed)})"


def _is_member(node: ast.AST) -> bool:
    """`Phase.FAILED`, not `self.x` and not `module.CONSTANT`."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr.isupper()
        and isinstance(node.value, ast.Name)
        and node.value.id[0].isupper()
    )


def _is_plain(node: ast.FunctionDef) -> bool:
    decorators = [ast.unparse(each) for each in node.decorator_list]
    return not decorators or decorators in (["classmethod"], ["staticmethod"])


def _tells_a_type(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and ast.unparse(value.func) in _OF_TYPES
