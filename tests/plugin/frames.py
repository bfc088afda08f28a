"""Who acts: the code under test, or Python's loaders and the test tools."""

import os
import sysconfig
from functools import cache
from types import FrameType

INSTALLED = tuple({os.path.realpath(sysconfig.get_path(p)) for p in ("purelib", "platlib")})
STDLIB = tuple({os.path.realpath(sysconfig.get_path(p)) for p in ("stdlib", "platstdlib")})

_TOOLS = tuple(
    os.path.join(root, name)
    for root in INSTALLED
    for name in ("_pytest", "pytest", "pluggy", "xdist", "execnet", "hypothesis", "coverage")
)
# What Python reads by itself: modules, source lines for tracebacks, time zones, file types.
_LOADERS = tuple(
    os.path.join(root, name)
    for root in STDLIB
    for name in (
        "importlib",
        "linecache",
        "tokenize",
        "inspect",
        "pkgutil",
        "zoneinfo",
        "mimetypes",
    )
)


def acts_for_a_tool(frame: FrameType | None) -> bool:
    """The innermost frame that is not plain standard library is answerable."""
    while frame and _owner(frame.f_code.co_filename) == "stdlib":
        frame = frame.f_back
    return frame is not None and _owner(frame.f_code.co_filename) in {"loader", "tool"}


def line_in(frame: FrameType | None, path: str) -> int | None:
    while frame and frame.f_code.co_filename != path:
        frame = frame.f_back
    return frame.f_lineno if frame else None


@cache
def _owner(filename: str) -> str:
    path = os.path.realpath(filename)
    if filename.startswith("<frozen importlib") or path.startswith(_LOADERS):
        return "loader"
    if path.startswith(INSTALLED):  # which may lie within the standard library's folder
        return "tool" if path.startswith(_TOOLS) else "code"
    return "stdlib" if filename.startswith("<frozen") or path.startswith(STDLIB) else "code"
