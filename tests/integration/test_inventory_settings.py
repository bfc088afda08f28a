"""tests/inventory.toml: what the testing architecture names is there, and is not empty."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
MARK: Final = re.compile(r"^@pytest\.mark\.contract\(of=(.+)\)$", re.MULTILINE)
NAMED: Final[dict[str, Any]] = tomllib.loads((ROOT / "tests" / "inventory.toml").read_text())


@cache
def tests_in(path: str) -> frozenset[str]:
    """The qualified names, `TestClass::test_name`, of the tests of a file."""
    return frozenset(_tests(ast.parse((ROOT / path).read_text()).body))


def _tests(body: list[ast.stmt], within: str = "") -> list[str]:
    found = []
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            found += _tests(node.body, f"{within}{node.name}::")
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[:4] == "test":
            found.append(within + node.name)
    return found


def test_every_file_is_there_and_says_something() -> None:
    empty = [name for name in NAMED["files"] if not (ROOT / name).is_file() or says_nothing(name)]
    assert empty == []


def says_nothing(name: str) -> bool:
    is_test = Path(name).name.startswith("test_")
    return not (tests_in(name) if is_test else (ROOT / name).read_text().strip())


def test_what_is_pending_is_not_there_yet() -> None:
    assert [name for name in NAMED["pending"] if (ROOT / name).exists()] == []


def test_no_name_stands_there_twice() -> None:
    for names in NAMED.values():
        assert len(names) == len({*names})


def test_every_example_is_a_test() -> None:
    missing = [
        example
        for example in NAMED["examples"]
        if example.partition("::")[2] not in tests_in(example.partition("::")[0])
    ]
    assert missing == []


@pytest.mark.parametrize("name", NAMED["fixtures"])
def test_every_fixture_gives_something(request: pytest.FixtureRequest, name: str) -> None:
    assert request.getfixturevalue(name) is not None


def ports_of_fakes() -> set[str]:
    """What the `implements` of each class in tests/fakes names."""
    found = set()
    for module in sorted((ROOT / "tests" / "fakes").glob("*.py")):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "implements":
                found |= set(re.findall(r"\w+", ast.unparse(node.value)))
    return found


def ports_under_contract(tier: str) -> set[str]:
    found = set()
    for module in sorted((ROOT / "tests" / tier).glob("*.py")):
        for of in re.findall(
            r"^@pytest\.mark\.contract\(of=(.+)\)$", module.read_text(), re.MULTILINE
        ):
            found |= set(re.findall(r"\w+", of))
    return found


@pytest.mark.parametrize("tier", ["unit", "integration"])
def test_every_fake_and_its_adapters_keep_one_contract(tier: str) -> None:
    fakes = ports_of_fakes() - NAMED["without_contract"].keys()
    assert fakes - ports_under_contract(tier) == set()


def test_what_needs_no_contract_has_a_fake_and_a_reason() -> None:
    assert NAMED["without_contract"].keys() <= ports_of_fakes()
    assert all(NAMED["without_contract"].values())


def test_every_marker_is_registered(pytestconfig: pytest.Config) -> None:
    registered = {re.split(r"\W", line)[0] for line in pytestconfig.getini("markers")}
    assert set(NAMED["markers"]) <= registered


def test_make_has_every_target() -> None:
    rules = re.findall(r"^([a-z][a-z -]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(NAMED["targets"]) <= set(" ".join(rules).split())


def test_compose_has_every_container() -> None:
    compose: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    names = {service.get("container_name") for service in compose["services"].values()}
    assert set(NAMED["containers"]) <= names


def test_every_workflow_has_steps() -> None:
    for name in NAMED["workflows"]:
        workflow = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text())
        assert all(job["steps"] for job in workflow["jobs"].values())
