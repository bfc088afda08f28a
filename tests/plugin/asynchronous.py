"""Async tests run through asgiref, so that what they write through the ORM is written on the
test's own connection and rolled back with it. pytest-asyncio would write on another thread's."""

import inspect
import os
from typing import Any

import pytest

from tests.plugin import breach


def pytest_addoption(parser: pytest.Parser) -> None:
    # pytest-asyncio's keys; a configuration that has them runs here unchanged.
    parser.addini("asyncio_mode", "every async test is run", default="auto")
    parser.addini(
        "asyncio_default_fixture_loop_scope", "each test has its own loop", default="function"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    from asgiref.sync import async_to_sync

    names = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in names}

    async def verdict() -> BaseException | None:
        try:
            await pyfuncitem.obj(**arguments)
        except BaseException as error:  # noqa: BLE001  # raised below
            return error
        return None

    # A traceback through asgiref would keep its thread alive.
    if error := async_to_sync(verdict)():
        raise error
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object], request: Any) -> None:
    function = fixturedef.func
    if not (inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)):
        return
    code = inspect.unwrap(function).__code__
    path = os.path.relpath(code.co_filename, request.config.rootpath)
    text = breach.sentence(
        f"{path}:{code.co_firstlineno}",
        f"the fixture {fixturedef.argname} is async",
        "its loop would be gone before the test's own begins",
        "write a plain fixture and call async_to_sync(…) in it, or await in the test",
    )
    error = pytest.fail.Exception(text, pytrace=False)
    fixturedef.cached_result = (None, fixturedef.cache_key(request), (error, None))
    raise error
