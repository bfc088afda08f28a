"""The rules of tests/plugin: each breach gets its sentence, each honest neighbour passes.

Cases run pytest inside this test, on a project of its own; the cases of a table share one run.
"""

import importlib.metadata
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

import hypothesis.stateful  # noqa: F401  # once, here, and not anew in each inner run
import pytest

from tests.plugin import budget, tiers

UNIT = "tests/unit/test_core_thing.py"
INTEGRATION = "tests/integration/test_thing_adapter.py"
TABLE = "tests/unit/test_core_case{}.py"

Run = Callable[..., pytest.RunResult]

HEAD = """
import asyncio, os, signal, socket, sqlite3, subprocess, sys, tempfile, threading, time, traceback
from contextlib import suppress
from pathlib import Path
from unittest.mock import AsyncMock, MagicMock, NonCallableMagicMock, create_autospec, patch
from unittest import mock
import pytest
"""


@pytest.fixture
def run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> Run:
    """Runs one file, or several given as `{path: source}`, in a project with only our plugin."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    # Each plugin's name would be looked for in the metadata of everything that is installed.
    monkeypatch.setattr(importlib.metadata, "distributions", tuple)
    pytester.makeconftest(
        f"import sys\nsys.path.insert(0, {str(pytestconfig.rootpath)!r})\n"  # for workers
        'pytest_plugins = ["tests.plugin.plugin"]'
    )
    pytester.makeini(
        "[pytest]\naddopts = -q --tb=short --strict-markers --strict-config -p no:cacheprovider\n"
        "testpaths = tests\nxfail_strict = true\nfilterwarnings = error\n"
    )

    def run(files: str | dict[str, str], *arguments: str, at: str = UNIT) -> pytest.RunResult:
        for path, source in ({at: files} if isinstance(files, str) else files).items():
            file = pytester.path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(HEAD + dedent(source))
        with unobserved():
            return pytester.runpytest_inprocess(*arguments)

    return run


@contextmanager
def unobserved() -> Iterator[None]:
    """Coverage has nothing to see in an inner run, which imports nothing of Dashtam."""
    observer = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(observer)


def said(result: pytest.RunResult) -> str:
    return result.stdout.str()


@dataclass
class Verdict:
    """What was told about one file: how its tests ended, in order, and every text."""

    outcomes: list[str] = field(default_factory=list)
    text: str = ""

    def add(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        in_call = getattr(report, "when", "collect") == "call"
        if report.failed:
            self.outcomes.append("failed" if in_call else "error")
        elif in_call:
            self.outcomes.append(report.outcome)
        self.text += report.longreprtext + "".join(text for _, text in report.sections)


Verdicts = Callable[..., dict[str, Verdict]]
_VERDICTS: dict[str, dict[str, Verdict]] = {}


@pytest.fixture
def verdicts(run: Run, request: pytest.FixtureRequest) -> Verdicts:
    """The verdict on each file of `{path: source}`; the first case runs them for all cases."""

    def verdicts(files: dict[str, str], *arguments: str) -> dict[str, Verdict]:
        table = request.function.__name__
        if table not in _VERDICTS:
            result = run(files, *arguments)
            found = {path: Verdict() for path in files}
            for report in result.reprec.getreports():  # type: ignore[attr-defined]
                if (path := report.nodeid.partition("::")[0]) in found:
                    found[path].add(report)
            _VERDICTS[table] = found
        return _VERDICTS[table]

    return verdicts


def table(cases: dict[str, str]) -> dict[str, str]:
    """A file for each case."""
    return {at(cases, name): source for name, source in cases.items()}


def at(cases: dict[str, Any], name: str) -> str:
    return TABLE.format(list(cases).index(name))


REFUSED_IN_A_UNIT_TEST = {
    "a socket": ("socket.socket()", "opens a socket"),
    "a connection": ("socket.create_connection(('127.0.0.1', 9))", "opens a socket"),
    "a name look-up": ("socket.getaddrinfo('example.org', 80)", "opens a socket"),
    "a local socket": (
        "with socket.socket(socket.AF_UNIX) as s: s.connect('/run/x')",
        "opens a socket (socket.connect)",
    ),
    "a process": ("subprocess.run(['true'])", "starts or signals a process"),
    "a shell": ("os.system('true')", "starts or signals a process"),
    "a fork": ("os.fork() or os._exit(0)", "starts or signals a process"),
    "a signal": ("os.kill(os.getpid(), 0)", "starts or signals a process"),
    "SQLite": ("sqlite3.connect(':memory:')", "reaches a database"),
    "psycopg": ("__import__('psycopg').connect('host=127.0.0.1 port=9')", "reaches a database"),
    "a sleep": ("time.sleep(0)", "sleeps"),
    "a temporary file": ("tempfile.TemporaryFile()", "writes "),
    "a new file": ("Path('left').write_text('')", "writes "),
    "a new folder": ("Path('left').mkdir()", "writes "),
    "a removed file": ("Path('conftest.py').unlink()", "writes "),
    "a renamed file": ("Path('conftest.py').rename('other')", "writes "),
    "a file of the project": ("Path('conftest.py').read_text()", "reads "),
    "a file of the machine": ("Path('/etc/passwd').read_text()", "reads "),
    "a listing": ("list(Path().iterdir())", "reads "),
}


@pytest.mark.parametrize("name", REFUSED_IN_A_UNIT_TEST)
def test_a_unit_test_touches_nothing_even_if_it_swallows_the_refusal(
    verdicts: Verdicts, name: str
) -> None:
    source = """
        def test_touches():
            with suppress(BaseException):
                {}
            assert sys
    """
    sources = {case: source.format(action) for case, (action, _) in REFUSED_IN_A_UNIT_TEST.items()}
    path, line = at(REFUSED_IN_A_UNIT_TEST, name), len(HEAD.splitlines()) + 4

    verdict = verdicts(table(sources))[path]

    assert verdict.outcomes == ["failed"]
    assert f"{path}:{line}: a unit test {REFUSED_IN_A_UNIT_TEST[name][1]}" in verdict.text


ALLOWED_IN_A_UNIT_TEST = {
    "its own folder": "a = tmp_path / 'a'; a.write_text('x'); a.read_text(); a.unlink()",
    "a folder in its own": "tempfile.TemporaryDirectory(dir=tmp_path).cleanup()",
    "an import": "from email import policy; import uuid, this_project",
    "a traceback": "with suppress(ValueError): int('x')\n    traceback.print_stack()",
    "a time zone": "from zoneinfo import ZoneInfo; ZoneInfo.no_cache('Europe/Berlin')",
    "installed data": "Path(pytest.__file__).read_text()",
    "randomness": "os.urandom(8); open('/dev/urandom', 'rb').close()",
    "captured output": "capfd = request.getfixturevalue('capfd'); print(); capfd.readouterr()",
    "another folder": "request.getfixturevalue('monkeypatch').chdir(tmp_path)",
}


@pytest.mark.parametrize("name", ALLOWED_IN_A_UNIT_TEST)
def test_a_unit_test_may_use_memory_its_own_folder_and_what_python_reads(
    verdicts: Verdicts, name: str
) -> None:
    source = "def test_honest(tmp_path, request):\n    {}\n    assert sys"
    sources = {case: source.format(action) for case, action in ALLOWED_IN_A_UNIT_TEST.items()}

    found = verdicts({"this_project.py": "", **table(sources)})

    assert found[at(sources, name)].outcomes == ["passed"]


SERVERS = ("services", "django_db_setup", "live_server")


@pytest.mark.parametrize("wanted", SERVERS)
def test_a_unit_test_that_asks_for_a_server_is_refused_before_the_server_starts(
    verdicts: Verdicts, wanted: str
) -> None:
    source = """
        @pytest.fixture(scope="session")
        def {0}():
            print("started")

        def test_asks({0}):
            assert sys
    """
    sources = {name: source.format(name) for name in SERVERS}

    verdict = verdicts(table(sources))[at(sources, wanted)]

    assert verdict.outcomes == ["error"]
    assert "a unit test asks for a database or another server; it decides in memory" in verdict.text
    assert "started" not in verdict.text


def test_the_guard_is_gone_when_fixtures_of_the_session_are_torn_down(run: Run) -> None:
    result = run("""
        @pytest.fixture(scope="module")
        def server():
            yield
            subprocess.run(["true"], check=True)

        def test_last(server):
            assert sys
    """)

    result.assert_outcomes(passed=1)


def test_the_clock_works_again_after_a_unit_test(run: Run) -> None:
    real = vars(time)["sleep"]

    result = run("def test_shimmed():\n    assert time.sleep.__name__ == 'told'")

    result.assert_outcomes(passed=1)
    assert vars(time)["sleep"] is real


FAR = {
    "socket.create_connection(('192.0.2.1', 80), timeout=0.01)": "192.0.2.1",
    "socket.getaddrinfo('example.org', 80)": "example.org",
    "socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('192.0.2.1', 80))": "192.0.2.1",
    "__import__('psycopg').connect('host=192.0.2.1 connect_timeout=2')": "192.0.2.1",
}
TIERS = ("integration/test_x{}_adapter", "api/test_x{}_api", "smoke/test_x{}_flow")


@pytest.mark.parametrize("action", FAR)
@pytest.mark.parametrize("tier", TIERS)
def test_no_test_reaches_another_machine(verdicts: Verdicts, tier: str, action: str) -> None:
    source = """
        def test_reaches():
            with suppress(BaseException):
                {}
            assert sys
    """
    files = {
        f"tests/{tier.format(number)}.py": source.format(action)
        for tier in TIERS
        for number, action in enumerate(FAR)
    }
    path = f"tests/{tier.format(list(FAR).index(action))}.py"

    verdict = verdicts(files)[path]

    assert verdict.outcomes == ["failed"]
    assert f"a test reaches {FAR[action]}; tests must pass without a network" in verdict.text


def test_an_integration_test_may_reach_its_own_machine(run: Run) -> None:
    result = run(
        """
        def test_talks_to_itself():
            with socket.create_server(("127.0.0.1", 0)) as server:
                with socket.create_connection(("localhost", server.getsockname()[1])):
                    pass
            with suppress(FileNotFoundError), socket.socket(socket.AF_UNIX) as local:
                local.connect("nobody-listens")
            subprocess.run(["true"], check=True)
            assert Path("conftest.py").read_text()
        """,
        at=INTEGRATION,
    )

    result.assert_outcomes(passed=1)


BUSY = "while time.process_time() < began + 0.1: pass"


@pytest.fixture
def small_budgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """So small that a slow machine, measured by a busy clock, does not excuse anything."""
    monkeypatch.setitem(budget.BUDGETS, "unit", 0.002)
    monkeypatch.setitem(budget.BUDGETS, "api", 0.002)


def test_a_unit_test_has_a_budget_of_cpu_time(run: Run, small_budgets: None) -> None:
    result = run(f"""
        def test_busy():
            began = time.process_time()
            {BUSY}
            assert sys
    """)

    result.assert_outcomes(failed=1)
    assert "ms of CPU time and may take 2; a slow suite is run less often" in said(result)


def test_the_other_tiers_have_a_budget_of_wall_time(run: Run, small_budgets: None) -> None:
    result = run("def test_waits():\n    assert not time.sleep(0.1)", at="tests/api/test_x_api.py")

    result.assert_outcomes(failed=1)
    assert "ms by the clock and may take 2; " in said(result)


@pytest.mark.parametrize(
    ("marks", "first"),
    [
        ('@pytest.mark.slow(reason="counts to a great number")', "began = time.process_time()"),
        ("", "began = time.process_time(); import project"),
    ],
    ids=["marked slow", "first to import"],
)
def test_a_test_with_an_excuse_may_take_longer(
    run: Run, small_budgets: None, marks: str, first: str
) -> None:
    source = f"""
        {marks}
        def test_busy():
            {first}
            {BUSY}
            assert sys
    """

    result = run({"project.py": "", UNIT: source})

    result.assert_outcomes(passed=1)


def test_the_fixtures_of_a_test_are_not_charged_to_it(run: Run, small_budgets: None) -> None:
    result = run(f"""
        @pytest.fixture
        def heavy():
            began = time.process_time()
            {BUSY}

        def test_light(heavy):
            assert sys
    """)

    result.assert_outcomes(passed=1)


NO_SPEC = "has no spec; it accepts any call"

BREAKS_A_RULE = {
    "no assertion": ("def test_x(): print()", "a test asserts nothing"),
    "no assertion in a class": (
        "class TestX:\n    @pytest.mark.parametrize('n', [1])\n    def test_x(self, n): print()",
        "a test asserts nothing",
    ),
    "no assertion in a property": (
        "from hypothesis import given, strategies\n"
        "@given(strategies.none())\ndef test_x(none): print()",
        "a test asserts nothing",
    ),
    "no assertion in an inherited suite": (
        "class Contract:\n    def test_x(self): print()\nclass TestFake(Contract): pass",
        "a test asserts nothing",
    ),
    "a mock": ("def test_x(): assert MagicMock()", f"MagicMock(…) {NO_SPEC}"),
    "a comparison": (
        "Success = int\ndef test_x(): assert Success(1) == 1",
        "a Result is compared with ==",
    ),
    "a skip": ("@pytest.mark.skip\ndef test_x(): assert sys", "skip without a reason"),
    "no text": ("@pytest.mark.skip('')\ndef test_x(): assert sys", "skip without a reason"),
    "a file": ("pytestmark = pytest.mark.skip\ndef test_x(): assert sys", "skip without a reason"),
    "an xfail": ("@pytest.mark.xfail\ndef test_x(): assert not sys", "xfail without a reason"),
    "a slow": ("@pytest.mark.slow\ndef test_x(): assert sys", "slow without a reason"),
    "an xfail that hides a breach": (
        "@pytest.mark.xfail(reason='later')\ndef test_x(): time.sleep(1); assert sys",
        "a unit test sleeps",
    ),
}


@pytest.mark.parametrize("name", BREAKS_A_RULE)
def test_a_test_that_breaks_a_rule_fails_with_its_sentence(verdicts: Verdicts, name: str) -> None:
    sources = {case: source for case, (source, _) in BREAKS_A_RULE.items()}

    verdict = verdicts(table(sources))[at(sources, name)]

    assert verdict.outcomes in (["failed"], ["error"])
    assert BREAKS_A_RULE[name][1] in verdict.text


KEEPS_THE_RULES = {
    "raises": "def test_x():\n    with pytest.raises(ValueError, match='x'): int('x')",
    "a reason": "@pytest.mark.skipif(False, reason='no')\ndef test_x(): assert sys",
    "an inherited suite": (
        "class Contract:\n    def test_x(self): assert sys\nclass TestFake(Contract): pass"
    ),
    "a property": (
        "from hypothesis import given, strategies\n"
        "@given(strategies.integers())\ndef test_x(n): assert isinstance(n, int)"
    ),
    "a state machine": (
        "from hypothesis import settings, stateful\n"
        "class Machine(stateful.RuleBasedStateMachine):\n"
        "    @stateful.rule()\n    def step(self): assert sys\n"
        "TestMachine = Machine.TestCase\n"
        "TestMachine.settings = settings(max_examples=2, stateful_step_count=2)"
    ),
}


@pytest.mark.parametrize("name", KEEPS_THE_RULES)
def test_an_honest_test_passes(verdicts: Verdicts, name: str) -> None:
    verdict = verdicts(table(KEEPS_THE_RULES))[at(KEEPS_THE_RULES, name)]

    assert verdict.outcomes == ["passed"]


def test_a_helper_that_breaks_a_rule_stops_its_file(run: Run) -> None:
    result = run("def helper(): return MagicMock()\ndef test_x(): assert helper()")

    result.assert_outcomes(errors=1)
    assert f"{UNIT}:{len(HEAD.splitlines()) + 1}: MagicMock(…) {NO_SPEC}" in said(result)


LEAKS = {
    "a new variable": ("os.environ['LEFT'] = '1'", "the environment variable LEFT"),
    "a removed variable": ("del os.environ['HOME']", "the environment variable HOME"),
    "a folder": ("os.chdir('/')", "another working directory"),
    "a thread": (
        "threading.Thread(target=STOP.wait, name='left', args=(2,)).start()",
        "the thread left",
    ),
    "an override": (
        "sys.modules['core.container'] = SimpleNamespace(leftovers=lambda: ['get_cache'])",
        "the override of get_cache",
    ),
    "a connection": (
        "sys.modules['django.db'] = database(other=[])",
        "the database connection other",
    ),
    "a transaction": (
        "sys.modules['django.db'] = database(default=['a block'])",
        "a transaction open on default",
    ),
}


@pytest.fixture
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """The leaks of the inner run are leaks of this test too; undoes them."""
    monkeypatch.setenv("LEFT", "")
    monkeypatch.delenv("LEFT")
    monkeypatch.setenv("HOME", os.environ["HOME"])
    monkeypatch.setitem(sys.modules, "core.container", SimpleNamespace(leftovers=list))
    no_connections = SimpleNamespace(connections=SimpleNamespace(all=lambda **_: []))
    monkeypatch.setitem(sys.modules, "django.db", no_connections)


@pytest.mark.parametrize("name", LEAKS)
def test_what_a_test_leaves_behind_is_told(verdicts: Verdicts, as_it_was: None, name: str) -> None:
    source = """
        from types import SimpleNamespace
        STOP = threading.Event()

        def database(**blocks):
            known = [
                SimpleNamespace(alias=alias, atomic_blocks=open, connection=True)
                for alias, open in blocks.items()
            ]
            return SimpleNamespace(connections=SimpleNamespace(all=lambda **_: known))

        @pytest.fixture(scope="module", autouse=True)
        def stop():
            yield
            STOP.set()

        def test_leaves():
            {}
            assert sys
    """
    sources = {case: source.format(action) for case, (action, _) in LEAKS.items()}

    verdict = verdicts(table(sources))[at(sources, name)]

    assert verdict.outcomes == ["passed", "error"]
    assert f"a test leaves {LEAKS[name][1]}; the next test would meet it" in verdict.text


def test_what_is_put_back_is_no_leak(run: Run) -> None:
    result = run("""
        def test_tidy(monkeypatch, tmp_path):
            monkeypatch.setenv("LEFT", "1")
            monkeypatch.delenv("HOME")
            monkeypatch.chdir(tmp_path)
            thread = threading.Thread(target=str)
            thread.start()
            threading.Thread(target=threading.Event().wait, args=(1,), daemon=True).start()
            assert sys
    """)

    result.assert_outcomes(passed=1)


def test_what_a_fixture_of_the_session_sets_stays_whoever_asks_first(
    run: Run, as_it_was: None
) -> None:
    result = run("""
        @pytest.fixture(scope="session")
        def server():
            os.environ["LEFT"] = "1"

        @pytest.mark.parametrize("n", [1, 2])
        def test_asks_late(request, n, monkeypatch):
            monkeypatch.setenv("OTHER", "1")
            request.getfixturevalue("server")
            assert os.environ["LEFT"]
    """)

    result.assert_outcomes(passed=2)


def test_an_async_test_runs_in_its_own_loop_and_carries_the_marker(run: Run) -> None:
    result = run(
        """
        LOOPS = set()

        @pytest.mark.parametrize("n", [1, 2])
        async def test_runs(n, tmp_path):
            await asyncio.sleep(0)
            LOOPS.add(asyncio.get_running_loop())
            assert len(LOOPS) == n

        def test_is_not_async():
            assert sys
        """,
        "-m",
        "asyncio",
        "-p",
        "no:randomly",
    )

    result.assert_outcomes(passed=2, deselected=1)


def test_an_async_test_fails_and_skips_as_any_other(run: Run) -> None:
    result = run("""
        async def test_fails():
            assert not sys

        async def test_skips():
            pytest.skip("later")
            assert sys

        async def test_sleeps():
            await asyncio.sleep(0.01)
            assert sys
    """)

    result.assert_outcomes(failed=2, skipped=1)
    assert "a unit test sleeps (asyncio.sleep)" in said(result)
    assert "leaves the thread" not in said(result)


@pytest.mark.parametrize("body", ["return 1", "yield 1"])
def test_an_async_fixture_is_refused(run: Run, body: str) -> None:
    result = run(f"""
        @pytest.fixture
        async def thing():
            {body}

        def test_x(thing):
            assert thing
    """)

    result.assert_outcomes(errors=1)
    line = len(HEAD.splitlines()) + 2
    assert f"{UNIT}:{line}: the fixture thing is async; its loop would be gone" in said(result)


def test_the_keys_of_pytest_asyncio_are_accepted(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
    )

    result = run("async def test_x(): assert sys", "--strict-config")

    result.assert_outcomes(passed=1)


OUT_OF_PLACE = {
    "tests/test_core_result.py": "a test outside the tiers",
    "users/tests/test_core_outside.py": "a test outside the tiers",
    "tests/unit/core/test_core_inside.py": "a folder inside a tier",
    "tests/smoke/test_login.py": "the name does not say what is tested",
}


@pytest.mark.parametrize("path", OUT_OF_PLACE)
def test_a_file_out_of_place_stops_the_collection(verdicts: Verdicts, path: str) -> None:
    files = dict.fromkeys(OUT_OF_PLACE, "def test_x(): assert sys")

    verdict = verdicts(files, *files)[path]

    assert verdict.outcomes == ["error"]
    assert f"{path}:1: {OUT_OF_PLACE[path]}; " in verdict.text


@pytest.mark.parametrize("tier", tiers.TIERS)
def test_the_folder_gives_the_marker(run: Run, tier: str) -> None:
    files = {
        "tests/unit/test_core_a.py": "def test_unit(): assert sys",
        "tests/integration/test_a_adapter.py": "def test_integration(): assert sys",
        "tests/api/test_b_api.py": "def test_api(): assert sys",
        "tests/smoke/test_c_flow.py": "def test_smoke(): assert sys",
    }

    result = run(files, "-m", tier, "-vv")

    result.assert_outcomes(passed=1, deselected=3)
    assert f"::test_{tier} PASSED" in said(result)


def a_suite(unit: int, integration: int, api: int) -> dict[str, str]:
    many = "@pytest.mark.parametrize('n', range({}))\ndef test_x(n): assert sys"
    return {
        "tests/unit/test_core_a.py": many.format(unit),
        "tests/integration/test_a_adapter.py": many.format(integration),
        "tests/api/test_b_api.py": many.format(api),
    }


def test_the_table_ends_the_run_and_is_kept(run: Run, pytester: pytest.Pytester) -> None:
    result = run(a_suite(13, 6, 1))

    result.assert_outcomes(passed=20)
    result.stdout.re_match_lines(
        [
            r" +tier +tests +share +p50 +p95 +max +budget",
            r" +unit +13 +65.0 %( +[\d.]+ ms){3} +100 ms CPU",
            r" +integration +6 +30.0 %( +[\d.]+ ms){3} +1000 ms",
            r" +api +1 +5.0 %( +[\d.]+ ms){3} +5000 ms",
        ]
    )
    kept = (pytester.path / ".cache" / "pyramid.txt").read_text()
    assert kept.splitlines() == [line for line in result.outlines if line in kept.splitlines()]
    widths = {len(line) for line in result.outlines if " ms" in line and "  " in line}
    assert len(widths) == 1


TOP_HEAVY = "unit: 25.0 % of the tests, 60 to 70 % keep the pyramid's shape"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 0),
        (("-o", "pyramid_gate=true"), 1),
        (("-o", "pyramid_gate=true", "tests"), 1),
        (("-o", "pyramid_gate=true", "tests/unit"), 0),
        (("-o", "pyramid_gate=true", "-k", "test_x"), 0),
        (("-o", "pyramid_gate=true", "-m", "unit or api or integration"), 0),
    ],
)
def test_the_shape_is_a_gate_for_the_whole_suite_and_only_where_it_is_switched_on(
    run: Run, arguments: tuple[str, ...], code: int
) -> None:
    result = run(a_suite(1, 2, 1), *arguments)

    assert result.ret == code
    assert (TOP_HEAVY in said(result)) == (code == 1 or not arguments)


@pytest.mark.slow(reason="starts two workers")
@pytest.mark.parametrize(("suite", "code"), [((13, 6, 1), 0), ((1, 2, 1), 1)])
def test_the_gate_holds_with_workers_too(run: Run, suite: tuple[int, int, int], code: int) -> None:
    result = run(a_suite(*suite), "-p", "xdist.plugin", "-n", "2", "-o", "pyramid_gate=true")

    assert result.ret == code
    assert (TOP_HEAVY in said(result)) == bool(code)
