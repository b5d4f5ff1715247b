"""Tunes of a folder: which there are, where they belong, and their plain form."""

import csv
from pathlib import Path

import pytest

from pyzzicato.codecs.abc_text import AbcText, shown, typed, vocabulary_of
from pyzzicato.data.abc import AbcPiece, read_tunes, split_tunes
from pyzzicato.data.load import read_dataset
from pyzzicato.errors import UnreadableMusic
from pyzzicato.families.abc.plain import KEYS, KINDS, forced_text, plain_key, plain_text
from pyzzicato.formats.abc.notation import read_abc
from tests.small_tunes import tune, write_tunes

COLUMNS = ("path", "composer", "title", "licence", "kind", "split", "work_id")
TUNE = """X: 7
T:The Test
C:somebody
R:double jig
M:6/8
L:1/8
K:E Minor
"Em"E2B !trill!uB{c}AG|(3EFG ~[EG]3|% end
K: D dorian
w:words
DEF G3:|
"""


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A folder with a manifest: two files of one collection, a MIDI version, one bare licence."""
    folder = tmp_path / "music"
    (folder / "abc").mkdir(parents=True)
    for split, first in (("train", 1), ("test", 4)):
        text = "\n\n".join(tune(number) for number in range(first, first + 3))
        (folder / "abc" / f"village_{split}.abc").write_text(text, encoding="utf-8")
    (folder / "abc" / "secret_train.abc").write_text(tune(9), encoding="utf-8")
    rows = [
        ("abc/village_train.abc", "", "3 tunes", "CC0", "abc", "train", ""),
        ("abc/village_test.abc", "", "3 tunes", "CC0", "abc", "test", ""),
        ("abc/secret_train.abc", "", "1 tune", "not stated", "abc", "train", ""),
        ("../abc/village_test.abc", "", "outside", "CC0", "abc", "test", ""),
        ("midi/gigs2.mid", "", "Tune number 2", "CC0", "melody+chords midi", "train", "w_2"),
        ("midi/gigs5.mid", "", "Another title", "CC0", "melody+chords midi", "test", "w_5"),
    ]
    with (folder / "MANIFEST.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return folder


def test_a_table_says_split_collection_work_and_licence(tables: Path) -> None:
    found = read_dataset(tables, kinds=["abc"])
    assert [piece.split for piece in found.pieces] == ["train"] * 3 + ["test"] * 3
    second = found.pieces[1]
    assert isinstance(second, AbcPiece)
    assert (second.collection, second.work, second.licence) == ("gigs", "w_2", "CC0")
    assert found.pieces[0].work == "village/1/tune number 1"
    assert second.text == tune(2)
    assert second.sequence().notes == read_abc(tune(2)).notes
    assert [item.reason for item in found.skipped] == ["licence not stated"]
    assert len(read_tunes(tables, licensed_only=False).pieces) == 7


def test_a_collection_is_those_with_a_midi_version_of_its_name(tables: Path) -> None:
    found = read_tunes(tables, ["abc:gigs"])
    assert [piece.title for piece in found.pieces] == ["Tune number 2"]
    assert len(read_tunes(tables, ["abc:village"]).pieces) == 5


def test_without_a_table_the_titles_decide(tmp_path: Path) -> None:
    folder = write_tunes(tmp_path / "own", 60)
    (folder / "again.abc").write_text(tune(3), encoding="utf-8")
    found = read_dataset(folder, kinds=["abc"])
    splits = {name: len(found.split(name)) for name in ("train", "val", "test")}
    assert sum(splits.values()) == 61
    assert all(splits.values())
    assert len({piece.split for piece in found.pieces if piece.title == "Tune number 3"}) == 1
    assert len(read_tunes(folder, ["abc:again"]).pieces) == 1


@pytest.mark.parametrize("kinds", [["abc", "performance"], ["abc:nothing"]])
def test_what_is_not_there_is_one_sentence(tmp_path: Path, kinds: list[str]) -> None:
    folder = write_tunes(tmp_path / "own", 3)
    with pytest.raises(UnreadableMusic):
        read_dataset(folder, kinds=kinds)


def test_a_file_is_cut_at_its_numbers() -> None:
    text = "\ufeffnot a tune\r\n\r\nX:1\r\nK:C\r\n\r\nC|\r\n\r\nX: 2\r\nK:D\r\nD|"
    assert split_tunes(text) == ["X:1\nK:C\nC|", "X: 2\nK:D\nD|"]


def piece_of(text: str, collection: str = "jigs") -> AbcPiece:
    import numpy as np

    return AbcPiece(
        "", "", "", "", "train", "abc", "", 1, np.zeros((0, 4), np.float32), text, collection
    )


def test_the_plain_form_says_kind_and_key_first_and_keeps_the_music() -> None:
    plain = plain_text(piece_of(TUNE))
    assert plain == ("X:1\nR:jig\nK:Em\nM:6/8\nL:1/8\nE2B BAG|(3EFG [EG]3|\nK:Ddor\nDEF G3:|\n")
    assert read_abc(plain).notes
    assert plain_text(piece_of("X:1\nT:no key")) == ""
    assert plain_text(piece_of("X:1\nK:C\nV:1\nC|\nV:2\nE|")) == ""


@pytest.mark.parametrize(
    ("told", "collection", "kind"),
    [
        ("Reel", "a", "reel"),
        ("slipjig", "a", "slip jig"),
        ("clog", "a", "hornpipe"),
        ("", "reelsa-c", "reel"),
        ("Romanze, Lied", "essenFolksong", "folk song"),
        ("", "airdsAirs", "tune"),
    ],
)
def test_kinds(told: str, collection: str, kind: str) -> None:
    plain = plain_text(piece_of(f"X:1\nR:{told}\nK:C\nC|", collection))
    assert plain.splitlines()[1] == f"R:{kind}"
    assert kind in KINDS


@pytest.mark.parametrize(
    ("text", "key"),
    [("A Mixolydian", "Amix"), ("E Minor", "Em"), ("Gmaj", "G"), ("Bb", "Bb"), ("C M", "C")],
)
def test_keys(text: str, key: str) -> None:
    assert plain_key(text) == key


def test_what_is_asked_for_is_forced_and_nothing_else() -> None:
    assert forced_text("", "jig", "Em") == "X:1\nR:jig\nK:Em\n"
    assert forced_text("", "jig", "") == "X:1\nR:jig\n"
    assert forced_text("", "", "Em") == "X:1\nR:"
    assert forced_text("X:1\nR:re", "", "Em") == ""
    assert forced_text("X:1\nR:reel\n", "", "Em") == "K:Em\n"
    assert forced_text("X:1\nR:reel\nK:Em\n", "", "Em") == ""
    assert all(read_abc(f"X:1\nK:{key}\nC|") for key in KEYS)


def test_characters_are_numbers_and_back() -> None:
    vocabulary = vocabulary_of(["abba\n", "c a"])
    assert vocabulary == "\n abc"
    assert vocabulary_of(["abba\n", "c a"], 2) == "ab"
    codec = AbcText(vocabulary)
    assert codec.encode("cab?\n").tolist() == [4, 2, 3, 0]
    assert codec.decode(codec.encode("a b\nc")) == "a b\nc"
    assert [shown(c) for c in vocabulary] == ["new line", "space", "a", "b", "c"]
    assert "".join(typed(shown(c)) for c in vocabulary) == vocabulary
