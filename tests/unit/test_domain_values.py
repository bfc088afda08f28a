"""What holds for every value of domain, application and pure core, whoever adds one."""

import pkgutil
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields, is_dataclass
from importlib import import_module
from typing import Any

import pytest

import audit.application
import audit.domain
import core.errors
import core.events
import core.result
import sessions_app.application
import sessions_app.domain
import users.application
import users.domain
from audit.application.following import Follower
from audit.application.verification.growing import Segment

_PACKAGES = (
    *(users.domain, users.application, sessions_app.domain, sessions_app.application),
    *(audit.domain, audit.application),
)
_GROW = {Follower, Segment}
_SECRETS = {
    *("access_token", "current_password", "device_token", "key", "mac", "new_password", "password"),
    *("password_hash", "plaintext", "refresh_token", "salt", "seed", "setup_token", "stored"),
    *("token", "common", "personal"),
}


def _module_of(thing: object) -> str | None:
    return getattr(thing, "__module__", None)


def _values() -> Iterator[type[Any]]:
    modules = [core.errors, core.events, core.result]
    for package in _PACKAGES:
        found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        modules.extend(import_module(each.name) for each in found)
    for module in modules:
        own = (each for each in vars(module).values() if _module_of(each) == module.__name__)
        for thing in own:
            if isinstance(thing, type) and is_dataclass(thing) and thing not in _GROW:
                yield thing


VALUES = sorted(_values(), key=lambda value: f"{value.__module__}.{value.__qualname__}")


def _blank(value: type[Any]) -> object:
    """Each field holds its own name: nothing is made, and nothing checked."""
    made: object = object.__new__(value)
    for field in fields(value):
        object.__setattr__(made, field.name, f"<{field.name}>")
    return made


@pytest.mark.parametrize("value", VALUES)
def test_a_value_cannot_be_changed(value: type[Any]) -> None:
    made = _blank(value)
    for field in fields(value):
        with pytest.raises(FrozenInstanceError):
            setattr(made, field.name, None)


@pytest.mark.parametrize("value", VALUES)
def test_a_secret_does_not_print(value: type[Any]) -> None:
    kinds = {field.name: field.type for field in fields(value)}
    # An AdoptedHash hides itself.
    secrets = [name for name in _SECRETS & kinds.keys() if "AdoptedHash" not in str(kinds[name])]
    shown = repr(_blank(value))
    assert [name for name in secrets if f"<{name}>" in shown] == []
