from pathlib import Path

import pytest

from audit.adapters.files import write_whole


def test_what_is_written_takes_the_place_of_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    write_whole(path, "before")
    write_whole(path, "after")
    assert path.read_text() == "after"


def test_a_secret_is_for_its_owner_whatever_stood_there_before(tmp_path: Path) -> None:
    path = tmp_path / "signing-key"
    path.touch(mode=0o666)
    write_whole(path, "secret", 0o600)
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_written_leaves_all_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    write_whole(path, "before")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "\udc80")
    assert [each.read_text() for each in tmp_path.iterdir()] == ["before"]
