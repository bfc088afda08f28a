from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.domain.checkpoint import (
    Checkpoint,
    NotAuthentic,
    NoteSignature,
    SignedNote,
    SigningKey,
    VerifierKey,
    read_checkpoint,
    sign_checkpoint,
)

NAME = "dashtam.example/audit"
KEY = SigningKey(NAME, bytes(range(32)))
WITNESS = SigningKey("witness.example", bytes(32))
CHECKPOINT = Checkpoint(NAME, 20852163, bytes(range(32)))
BODY = CHECKPOINT.body()
NOTE = sign_checkpoint(CHECKPOINT, KEY).encoded()
LINE = NOTE.splitlines()[-1]
ROOT = BODY.splitlines()[2]

# The example of C2SP signed-note.
C2SP_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = (
    "This is an example message.\n"
    "\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYj"
    "OBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
# The example of C2SP tlog-checkpoint, whose key is not published.
C2SP_CHECKPOINT = (
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URY"
    "N7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)
# The example of Go's sumdb/note.
GO_SIGNING_KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqf"
    "qdngotpRZb6KE6RyyBwJnAM=\n"
)
GO_NOTE = f"{GO_TEXT}\n{GO_LINE}"


class TestPublishedExamples:
    @pytest.mark.parametrize(("note", "key"), [(C2SP_NOTE, C2SP_KEY), (GO_NOTE, GO_KEY)])
    def test_the_note_is_signed_by_its_key(self, note: str, key: str) -> None:
        assert SignedNote.read(note).signers([VerifierKey.read(key)])

    @pytest.mark.parametrize("note", [C2SP_NOTE, C2SP_CHECKPOINT, GO_NOTE])
    def test_the_note_has_this_form(self, note: str) -> None:
        assert SignedNote.read(note).encoded() == note

    @pytest.mark.parametrize("key", [C2SP_KEY, GO_KEY])
    def test_the_key_has_this_text(self, key: str) -> None:
        assert VerifierKey.read(key).text() == key

    def test_the_signing_key_of_go_makes_the_signature_of_go(self) -> None:
        key = SigningKey.read(GO_SIGNING_KEY)
        signature = key.sign(GO_TEXT.encode())
        assert NoteSignature(key.name, key.verifier_key.key_id, signature).line() == GO_LINE
        assert key.text() == GO_SIGNING_KEY
        assert key.verifier_key.text() == GO_KEY

    def test_the_checkpoint_is_read(self) -> None:
        checkpoint = Checkpoint.read(SignedNote.read(C2SP_CHECKPOINT).text)
        assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)


class TestCheckpoint:
    def test_its_body_is_origin_size_and_root(self) -> None:
        assert BODY == (
            "dashtam.example/audit\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
        )

    @pytest.mark.parametrize("size", [0, 1, 10, 2**63 - 1])
    def test_it_is_read_as_it_was_written(self, size: int) -> None:
        checkpoint = replace(CHECKPOINT, size=size)
        assert Checkpoint.read(checkpoint.body()) == checkpoint

    def test_further_lines_are_passed_over(self) -> None:
        assert Checkpoint.read(f"{BODY}an extension\nand another\n") == CHECKPOINT

    @pytest.mark.parametrize(
        ("body", "why"),
        [
            ("", "three lines"),
            ("\n\n\n", "none empty"),
            (f"{NAME}\n7\n", "three lines"),
            (f"{NAME}\n7\n{ROOT}", "three lines"),
            (f"\n7\n{ROOT}\n", "none empty"),
            (f"{NAME}\n\n{ROOT}\n", "none empty"),
            (f"{NAME}\n7\n{ROOT}\n\n", "none empty"),
            (f"{NAME}\n7\n{ROOT}\n\nextension\n", "none empty"),
            (f"a\tb\n7\n{ROOT}\n", "origin"),
            (f"a\r\n7\n{ROOT}\n", "origin"),
            (f"{NAME}\n07\n{ROOT}\n", "decimal"),
            (f"{NAME}\n00\n{ROOT}\n", "decimal"),
            (f"{NAME}\n-7\n{ROOT}\n", "decimal"),
            (f"{NAME}\n+7\n{ROOT}\n", "decimal"),
            (f"{NAME}\n 7\n{ROOT}\n", "decimal"),
            (f"{NAME}\n7 \n{ROOT}\n", "decimal"),
            (f"{NAME}\n1_000\n{ROOT}\n", "decimal"),
            (f"{NAME}\n0x7\n{ROOT}\n", "decimal"),
            (f"{NAME}\n\u0667\n{ROOT}\n", "decimal"),
            (f"{NAME}\n{2**63}\n{ROOT}\n", "below 2"),
            (f"{NAME}\n{'9' * 5000}\n{ROOT}\n", "below 2"),
            (f"{NAME}\n7\n{ROOT[:-1]}\n", "padding"),
            (f"{NAME}\n7\n{ROOT[:-2]}9=\n", "not canonical"),
            (f"{NAME}\n7\n {ROOT}\n", "base64"),
            (f"{NAME}\n7\n{ROOT.replace('A', '-')}\n", "base64"),
            (f"{NAME}\n7\né\n", "ASCII"),
            (f"{NAME}\n7\n{b64encode(bytes(31)).decode()}\n", "31 bytes"),
            (f"{NAME}\n7\n{b64encode(bytes(33)).decode()}\n", "33 bytes"),
        ],
    )
    def test_anything_else_is_refused(self, body: str, why: str) -> None:
        with pytest.raises(ValueError, match=why):
            Checkpoint.read(body)

    @pytest.mark.parametrize(
        "make",
        [
            lambda: replace(CHECKPOINT, origin=""),
            lambda: replace(CHECKPOINT, origin="two\nlines"),
            lambda: replace(CHECKPOINT, origin="\udc80"),
            lambda: replace(CHECKPOINT, size=-1),
            lambda: replace(CHECKPOINT, size=2**63),
            lambda: replace(CHECKPOINT, root=bytes(31)),
        ],
    )
    def test_one_that_could_not_be_read_is_not_made(self, make: Callable[[], object]) -> None:
        with pytest.raises(ValueError, match=r"^the origin must|^not the size and the root"):
            make()

    def test_a_refusal_quotes_no_more_than_fits_a_line(self) -> None:
        with pytest.raises(ValueError, match=rf"^'{'9' * 32}' is not a decimal number"):
            Checkpoint.read(f"{NAME}\n{'9' * 5000}\n{ROOT}\n")


class TestKeys:
    def test_a_generated_key_signs_what_its_verifier_key_verifies(self) -> None:
        key = SigningKey.generate(NAME)
        assert key.verifier_key.verify(b"message", key.sign(b"message"))

    def test_no_two_generated_keys_are_the_same(self) -> None:
        assert SigningKey.generate(NAME) != SigningKey.generate(NAME)

    def test_the_seed_is_not_shown(self) -> None:
        assert repr(KEY) == f"SigningKey(name={NAME!r})"

    def test_keys_are_read_as_they_were_written(self) -> None:
        assert SigningKey.read(KEY.text()) == KEY
        assert VerifierKey.read(KEY.verifier_key.text()) == KEY.verifier_key

    @pytest.mark.parametrize(
        ("message", "cut"),
        [(b"another", slice(None)), (b"message", slice(63)), (b"message", slice(0))],
    )
    def test_no_other_signature_verifies(self, message: bytes, cut: slice) -> None:
        assert not KEY.verifier_key.verify(message, KEY.sign(b"message")[cut])

    def test_a_key_that_is_no_point_verifies_nothing(self) -> None:
        assert not VerifierKey(NAME, b"\xff" * 32).verify(b"message", bytes(64))

    def test_one_key_under_two_names_has_two_ids(self) -> None:
        other = replace(KEY.verifier_key, name="other")
        assert other.key_id != KEY.verifier_key.key_id

    @pytest.mark.parametrize(
        "name", ["", "a b", "a+b", "a\u00a0b", "a\u2003b", "a\nb", "\x00", "\udc80"]
    )
    def test_a_name_with_gaps_is_refused(self, name: str) -> None:
        with pytest.raises(ValueError, match=r"^a key's name is not empty and has neither"):
            SigningKey(name, bytes(32))
        with pytest.raises(ValueError, match="name"):
            VerifierKey(name, bytes(32))

    @pytest.mark.parametrize("length", [0, 31, 33, 64])
    def test_a_key_of_another_length_is_refused(self, length: int) -> None:
        with pytest.raises(ValueError, match=f"{length} bytes"):
            SigningKey(NAME, bytes(length))
        with pytest.raises(ValueError, match=f"{length} bytes"):
            VerifierKey(NAME, bytes(length))

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "example.com/foo",
            "example.com/foo+530d903a",
            "example.com/foo+530d903a+",
            f"{C2SP_KEY}\n",
            f" {C2SP_KEY}",
            f"{C2SP_KEY}+",
            C2SP_KEY.replace("foo", "bar"),
            C2SP_KEY.replace("foo", "f o"),
            C2SP_KEY.replace("example.com/foo", ""),
            C2SP_KEY.replace("530d903a", "530d903b"),
            C2SP_KEY.replace("530d903a", "530D903A"),
            C2SP_KEY.replace("530d903a", "530d903"),
            C2SP_KEY.replace("530d903a", "0530d903a"),
            C2SP_KEY.replace("+Aek", "+Auk"),
            C2SP_KEY.replace("+Aek", "+Bek"),
            C2SP_KEY[:-1],
            C2SP_KEY[:-4],
            f"{C2SP_KEY}AAAA",
            f"{C2SP_KEY[:-1]}=",
            GO_SIGNING_KEY,
        ],
    )
    def test_a_text_that_is_no_verifier_key_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"key|base64|[Pp]adding"):
            VerifierKey.read(text)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            GO_KEY,
            GO_SIGNING_KEY.lower(),
            GO_SIGNING_KEY.replace("PRIVATE+", ""),
            GO_SIGNING_KEY.replace("c74f20a3", "c74f20a4"),
            GO_SIGNING_KEY.replace("Peter", "Paul"),
            GO_SIGNING_KEY[:-1],
            GO_SIGNING_KEY[:-4],
            f"{GO_SIGNING_KEY}\n",
        ],
    )
    def test_a_text_that_is_no_signing_key_is_refused_and_not_shown(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"key|base64|[Pp]adding") as refused:
            SigningKey.read(text)
        assert "AYEKFALVFGyN" not in str(refused.value)

    @pytest.mark.parametrize(
        ("read", "text", "why"),
        [
            (VerifierKey.read, C2SP_KEY.replace("530d903a", "530d903b"), "the key has another id"),
            (VerifierKey.read, C2SP_KEY.replace("+Aek", "+Bek"), "not the text of an Ed25519 key"),
            (SigningKey.read, GO_KEY, "not a signing key"),
            (SigningKey.read, GO_SIGNING_KEY.replace("c74f", "c74e"), "the key has another id"),
        ],
    )
    def test_a_refusal_says_what_is_wrong(
        self, read: Callable[[str], object], text: str, why: str
    ) -> None:
        with pytest.raises(ValueError, match=f"^{why}$"):
            read(text)


class TestNotes:
    @pytest.mark.parametrize(
        "note",
        [
            "",
            "\n",
            "\n\n",
            BODY,
            f"{BODY}\n",
            f"{BODY}{LINE}\n",
            f"{BODY}\n{LINE}",
            f"{BODY}\n{LINE}\n\n",
            f"{BODY}\n\n{LINE}\n\n",
            f"{BODY}\n{LINE}\nno signature\n",
            f"{BODY}\n-{LINE[1:]}\n",
            f"{BODY}\n {LINE}\n",
            f"{BODY}\n{LINE} \n",
            f"{BODY}\n{LINE}\r\n",
            f"{BODY}a\tb\n\n{LINE}\n",
            f"{BODY}\x00\n\n{LINE}\n",
            f"{BODY}\udc80\n\n{LINE}\n",
            f"{BODY}\n{LINE.replace(' ', '  ', 1)}\n",
            f"{BODY}\n{LINE.replace(NAME, 'a+b')}\n",
            f"{BODY}\n{LINE.replace(NAME, 'a' + chr(0x2003) + 'b')}\n",
            f"{BODY}\n— {NAME}\n",
            f"{BODY}\n— {NAME} \n",
            f"{BODY}\n— {NAME} AAAAAA==\n",
            f"{BODY}\n— {NAME} AAAA\n",
            f"{BODY}\n— {NAME} AAAAAAA\n",
            f"{BODY}\n— {NAME} AAAAAAB=\n",
            f"{BODY}\n" + f"{LINE}\n" * 101,
            "a" * 1_000_001 + f"\n\n{LINE}\n",
        ],
    )
    def test_what_is_no_note_is_refused(self, note: str) -> None:
        with pytest.raises(ValueError, match=r"note|signature|base64|[Pp]adding"):
            SignedNote.read(note)

    def test_the_text_may_have_empty_lines_and_lines_like_signatures(self) -> None:
        text = f"one\n\n{LINE}\n\n"
        note = SignedNote(text, SignedNote.read(NOTE).signatures)
        assert SignedNote.read(note.encoded()) == note

    @pytest.mark.parametrize(
        ("line", "why"),
        [
            ("no signature", "not a signature line"),
            (f"— {NAME} AAAAAA==", "a signature line without a signature"),
            (f"— {NAME} AAAAAAB=", "base64 that is not canonical"),
        ],
    )
    def test_a_refusal_says_what_is_wrong(self, line: str, why: str) -> None:
        with pytest.raises(ValueError, match=f"^{why}$"):
            SignedNote.read(f"{BODY}\n{line}\n")

    @pytest.mark.parametrize(("length", "taken"), [(1_000_000, True), (1_000_001, False)])
    def test_a_million_characters_are_not_too_many(self, length: int, taken: bool) -> None:
        end = f"\n\n{LINE}\n"
        note = "a" * (length - len(end)) + end
        if taken:
            assert SignedNote.read(note).encoded() == note
            return
        with pytest.raises(ValueError, match="note has up to 1000000 characters"):
            SignedNote.read(note)

    def test_a_hundred_signatures_are_not_too_many(self) -> None:
        assert len(SignedNote.read(f"{BODY}\n" + f"{LINE}\n" * 100).signatures) == 100

    @pytest.mark.slow(reason="a hundred generated texts")
    @given(st.text(st.characters(exclude_categories=["C"]), min_size=1))
    def test_any_text_can_be_signed_and_read_back(self, text: str) -> None:
        signature = NoteSignature(NAME, KEY.verifier_key.key_id, KEY.sign(f"{text}\n".encode()))
        note = SignedNote.read(SignedNote(f"{text}\n", (signature,)).encoded())
        assert note.text == f"{text}\n"
        assert note.signers([KEY.verifier_key])


class TestSigners:
    SIGNED = sign_checkpoint(CHECKPOINT, KEY, WITNESS)

    @pytest.mark.parametrize(
        "keys", [[KEY], [WITNESS], [KEY, WITNESS], [KEY, SigningKey(NAME, bytes(32))]]
    )
    def test_one_known_key_is_enough(self, keys: list[SigningKey]) -> None:
        assert self.SIGNED.signers([key.verifier_key for key in keys])

    def test_without_a_known_key_nobody_has_signed(self) -> None:
        assert not self.SIGNED.signers([])

    @pytest.mark.parametrize(
        "stranger",
        [SigningKey(NAME, bytes(32)), SigningKey("elsewhere.example", KEY.seed)],
    )
    def test_the_same_name_or_the_same_bytes_are_not_the_same_key(
        self, stranger: SigningKey
    ) -> None:
        assert not self.SIGNED.signers([stranger.verifier_key])

    def test_a_wrong_signature_of_a_known_key_spoils_the_others(self) -> None:
        ours, witnessed = self.SIGNED.signatures
        spoilt = replace(self.SIGNED, signatures=(ours, replace(witnessed, signature=bytes(64))))
        with pytest.raises(NotAuthentic):
            spoilt.signers([KEY.verifier_key, WITNESS.verifier_key])
        assert spoilt.signers([KEY.verifier_key])

    def test_a_signature_is_for_all_of_the_text(self) -> None:
        with pytest.raises(NotAuthentic):
            replace(self.SIGNED, text=f"{BODY}more\n").signers([KEY.verifier_key])


class TestReading:
    KEYS = (KEY.verifier_key,)

    def test_what_was_signed_is_read(self) -> None:
        assert read_checkpoint(NOTE, self.KEYS) == CHECKPOINT

    def test_a_new_key_of_the_same_name_may_sign_beside_the_old_one(self) -> None:
        newer = SigningKey(NAME, bytes(32))
        note = sign_checkpoint(CHECKPOINT, newer, KEY).encoded()
        assert read_checkpoint(note, self.KEYS) == CHECKPOINT
        assert read_checkpoint(note, [newer.verifier_key]) == CHECKPOINT

    @pytest.mark.parametrize(
        ("note", "why"),
        [
            ("", "not a signed checkpoint: a note is"),
            (GO_NOTE, "not a signed checkpoint: a checkpoint has three lines"),
            (C2SP_CHECKPOINT, "^none of the known keys has signed it$"),
            (NOTE.replace("2085", "2086"), "the signature of dashtam.example/audit"),
            (NOTE.replace("AAECAw", "AAECBw"), "the signature of dashtam.example/audit"),
            (NOTE.replace(f"— {NAME}", "— elsewhere.example"), "none of the known keys"),
            (sign_checkpoint(CHECKPOINT).encoded(), "not a signed checkpoint: a note is"),
            (
                sign_checkpoint(replace(CHECKPOINT, origin="elsewhere.example"), KEY).encoded(),
                "^its origin is not the name of a key that has signed it$",
            ),
        ],
    )
    def test_what_was_not_is_not_authentic(self, note: str, why: str) -> None:
        with pytest.raises(NotAuthentic, match=why):
            read_checkpoint(note, self.KEYS)

    def test_a_witness_alone_does_not_speak_for_the_log(self) -> None:
        note = sign_checkpoint(CHECKPOINT, WITNESS).encoded()
        with pytest.raises(NotAuthentic, match="its origin"):
            read_checkpoint(note, [KEY.verifier_key, WITNESS.verifier_key])

    def test_no_turned_bit_goes_unseen(self) -> None:
        raw = NOTE.encode()
        for at in range(len(raw)):
            turned = bytes([*raw[:at], raw[at] ^ 1, *raw[at + 1 :]]).decode(errors="replace")
            with pytest.raises(NotAuthentic):
                read_checkpoint(turned, self.KEYS)
