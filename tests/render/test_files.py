"""Saving: a file is whole or not there, and what is wrong is one sentence."""

import errno
import os
from pathlib import Path

import pytest

from pyzzicato.errors import SavingFailed, UnknownName
from pyzzicato.formats.midi import read_midi
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.render.files import ENDINGS, check_target, save

TUNE = NoteSequence((Note(0, 0.5, 60), Note(0.5, 1, 64)))


def test_the_continuation_begins_where_the_seed_ends_or_where_it_is_told(tmp_path: Path) -> None:
    usual = read_midi(save(tmp_path / "a.mid", TUNE, TUNE))
    assert [round(n.start, 2) for n in usual] == [0, 0.5, 1, 1.5]
    later = read_midi(save(tmp_path / "b.MID", TUNE, TUNE, border=3.0))
    assert [round(n.start, 2) for n in later] == [0, 0.5, 3, 3.5]


@pytest.mark.parametrize("name", ["out", "out.txt", "out.mid.zip", ".mid", "out."])
def test_an_unknown_ending_names_those_there_are(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnknownName) as caught:
        check_target(tmp_path / name)
    assert all(ending in str(caught.value) for ending in ENDINGS)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SavingFailed, match=r"There is no folder .*nowhere: make it"):
        save(tmp_path / "nowhere" / "out.mid", TUNE, TUNE)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (errno.ENOSPC, "was not saved, the disk is full: make room, then save again."),
        (errno.EDQUOT, "was not saved, the disk is full: make room, then save again."),
        (errno.EROFS, "may not be written to: choose another folder."),
        (errno.EIO, "was not saved (Input/output error): choose another folder or name."),
    ],
)
def test_a_disk_that_refuses_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, sentence: str
) -> None:
    path = tmp_path / "out.mid"
    path.write_bytes(b"what was there")

    def refuse(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(SavingFailed) as caught:
        save(path, TUNE, TUNE)
    assert str(caught.value).endswith(sentence)
    assert path.read_bytes() == b"what was there"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "out.mid").mkdir()
    with pytest.raises(SavingFailed, match="is a folder: choose another name"):
        save(tmp_path / "out.mid", TUNE, TUNE)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mid"]


def test_a_name_as_long_as_a_disk_takes_is_no_trouble(tmp_path: Path) -> None:
    assert save(tmp_path / ("n" * 251 + ".mid"), TUNE, TUNE).exists()
    with pytest.raises(SavingFailed, match="choose another folder or name"):
        save(tmp_path / ("n" * 252 + ".mid"), TUNE, TUNE)


def test_what_is_saved_may_be_read_as_any_new_file_may(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    assert save(tmp_path / "out.mid", TUNE, TUNE).stat().st_mode == plain.stat().st_mode
