from dataclasses import replace

import pytest

from audit.domain.checkpoint import Checkpoint, NotAuthentic, SigningKey, sign_checkpoint
from audit.domain.inclusion import InclusionProof, check
from audit.domain.merkle import leaf_hash, node_hash

KEY = SigningKey("dashtam.example/audit", bytes(range(32)))
STRANGER = SigningKey("dashtam.example/audit", bytes(32))
KEYS = (KEY.verifier_key,)
ENTRIES = (b"first", b"second", b"third")
FIRST, SECOND, THIRD = map(leaf_hash, ENTRIES)
PAIR = node_hash(FIRST, SECOND)
TREE = Checkpoint(KEY.name, 3, node_hash(PAIR, THIRD))
NOTE = sign_checkpoint(TREE, KEY).encoded()
PROOF = InclusionProof(1, (FIRST, THIRD), NOTE)
TEXT = PROOF.text()
HASH = TEXT.splitlines()[2]


class TestForm:
    def test_it_is_the_header_the_index_the_hashes_and_the_checkpoint(self) -> None:
        note = "dashtam.example/audit\n…"
        assert InclusionProof(1, (bytes(32), b"\xff" * 32), note).text() == (
            "c2sp.org/tlog-proof@v1\n"
            "index 1\n"
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
            "//////////////////////////////////////////8=\n"
            "\n"
            "dashtam.example/audit\n…"
        )

    def test_what_the_application_adds_stands_before_the_index(self) -> None:
        assert (
            replace(PROOF, extra=b"any")
            .text()
            .startswith("c2sp.org/tlog-proof@v1\nextra YW55\nindex 1\n")
        )

    @pytest.mark.parametrize(
        "proof",
        [
            PROOF,
            replace(PROOF, extra=b"any"),
            InclusionProof(0, (), NOTE),
            InclusionProof(0, (FIRST,) * 63, NOTE),
        ],
    )
    def test_it_is_read_as_it_was_written(self, proof: InclusionProof) -> None:
        assert InclusionProof.read(proof.text()) == proof

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("", "begins with the line"),
            (NOTE, "begins with the line"),
            (f" {TEXT}", "begins with the line"),
            (TEXT.replace("@v1", "@v2"), "begins with the line"),
            (TEXT.replace("\n", "\r\n"), "begins with the line"),
            ("c2sp.org/tlog-proof@v1\n\n" + NOTE, "^no line tells the index of the leaf$"),
            (TEXT.replace("index 1\n", ""), "index of the leaf"),
            (TEXT.replace("index ", "index"), "index of the leaf"),
            (TEXT.replace("index 1", "index 01"), "decimal"),
            (TEXT.replace("index 1", "index -1"), "decimal"),
            (TEXT.replace("index 1", "index "), "decimal"),
            (TEXT.replace("index 1", f"index {2**63}"), "decimal"),
            (TEXT.replace("index 1", "index 1\nextra YW55"), "base64"),
            (TEXT.replace("index 1", "extra YW5\nindex 1"), "[Pp]adding"),
            (TEXT.replace(HASH, HASH[:-1]), "[Pp]adding"),
            (TEXT.replace(HASH, "AAAA"), "3 bytes"),
            (TEXT.replace(HASH, f"{HASH}\n" * 62 + HASH), "more than 63"),
        ],
    )
    def test_anything_else_is_refused(self, text: str, why: str) -> None:
        with pytest.raises(ValueError, match=why) as refused:
            InclusionProof.read(text)
        with pytest.raises(NotAuthentic) as not_authentic:
            check(text, ENTRIES[1], KEYS)
        assert str(not_authentic.value) == f"not a c2sp.org/tlog-proof@v1: {refused.value}"


class TestCheck:
    @pytest.mark.parametrize(
        ("index", "hashes"), [(0, (SECOND, THIRD)), (1, (FIRST, THIRD)), (2, (PAIR,))]
    )
    def test_the_index_of_the_entry_is_told(self, index: int, hashes: tuple[bytes, ...]) -> None:
        text = InclusionProof(index, hashes, NOTE).text()
        assert check(text, ENTRIES[index], KEYS) == index

    def test_the_only_entry_needs_no_hashes(self) -> None:
        tree = sign_checkpoint(Checkpoint(KEY.name, 1, FIRST), KEY).encoded()
        assert check(InclusionProof(0, (), tree).text(), ENTRIES[0], KEYS) == 0

    def test_what_the_application_adds_does_not_matter(self) -> None:
        assert check(replace(PROOF, extra=b"any").text(), ENTRIES[1], KEYS) == 1

    @pytest.mark.parametrize("entry", [b"", b"second ", ENTRIES[0], FIRST + SECOND])
    def test_another_entry_is_not_the_leaf(self, entry: bytes) -> None:
        with pytest.raises(NotAuthentic, match="is not leaf 1 of the 3"):
            check(TEXT, entry, KEYS)

    @pytest.mark.parametrize(
        "proof",
        [
            replace(PROOF, index=0),
            replace(PROOF, index=3),
            replace(PROOF, hashes=()),
            replace(PROOF, hashes=(FIRST,)),
            replace(PROOF, hashes=(THIRD, FIRST)),
            replace(PROOF, hashes=(FIRST, THIRD, THIRD)),
        ],
    )
    def test_another_proof_is_none(self, proof: InclusionProof) -> None:
        with pytest.raises(NotAuthentic, match="is not leaf"):
            check(proof.text(), ENTRIES[1], KEYS)

    @pytest.mark.parametrize(
        ("note", "why"),
        [
            ("", "not a signed checkpoint"),
            (TREE.body(), "not a signed checkpoint"),
            (NOTE.replace("\n3\n", "\n4\n"), "the signature of"),
            (sign_checkpoint(TREE, STRANGER).encoded(), "none of the known keys"),
        ],
    )
    def test_a_tree_that_nobody_known_signed_proves_nothing(self, note: str, why: str) -> None:
        with pytest.raises(NotAuthentic, match=why):
            check(replace(PROOF, note=note).text(), ENTRIES[1], KEYS)

    def test_no_turned_bit_goes_unseen(self) -> None:
        raw = TEXT.encode()
        for at in range(len(raw)):
            turned = bytes([*raw[:at], raw[at] ^ 1, *raw[at + 1 :]]).decode(errors="replace")
            with pytest.raises(NotAuthentic):
                check(turned, ENTRIES[1], KEYS)
