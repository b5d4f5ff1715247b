"""A folder of music as pieces: by its table, by its folders, split by work."""

from __future__ import annotations

import csv
import json
import math
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import mido
import numpy as np
import pytest

from pyzzicato.data.load import music_for, read_dataset
from pyzzicato.data.manifests import composer_id
from pyzzicato.data.pieces import Dataset, Piece, as_dict, describe
from pyzzicato.errors import UnknownName, UnreadableMusic
from pyzzicato.music.notes import Note
from tests.small_library import (
    COLUMNS,
    off,
    on,
    pedal,
    reasons,
    write_file,
    write_manifest,
    write_scale,
    write_table,
)

MAESTRO = ("canonical_composer", "canonical_title", "split", "year", "midi_filename", "duration")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYZZICATO_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return write_manifest(tmp_path / "music")


def splits_of_works(dataset: Dataset) -> dict[str, set[str]]:
    splits: dict[str, set[str]] = defaultdict(set)
    for piece in dataset.pieces:
        splits[piece.work].add(piece.split)
    return splits


# ---- a folder with MANIFEST.csv


def test_the_second_way_to_split_tests_what_maestro_tests(tmp_path: Path) -> None:
    rows = [  # work, kind, split, split in MAESTRO -> split in the second way
        ("w1", "performance", "train", "", "train"),
        ("w2", "performance", "train", "train", "train"),
        ("w3", "performance", "train", "test", "test"),
        ("w3", "performance", "train", "", "test"),  # another recording of what is tested
        ("w3", "performance", "train", "", "test"),
        ("w4", "performance", "val", "validation", "val"),
        ("w5", "performance", "val", "test", "test"),
        ("w6", "performance", "test", "train", "test"),
        ("w7", "performance", "train", "validation", "train"),
        ("w8", "performance", "train", "", "test"),  # known by its score only
        ("w8", "score", "train", "test", "test"),
    ]
    table = []
    for number, (work, kind, split, maestro, _) in enumerate(rows):
        write_scale(tmp_path / f"{number}.mid")
        table.append((f"{number}.mid", "Chopin", "Prelude", "CC0", kind, split, work, maestro))
    write_table(tmp_path / "MANIFEST.csv", (*COLUMNS, "maestro"), table)
    first = music_for({"kinds": ["performance", "score"]}, tmp_path)
    assert [p.split for p in first.pieces] == [row[2] for row in rows]
    second = music_for({"kinds": ["performance", "score"], "split": "maestro"}, tmp_path)
    assert [p.split for p in second.pieces] == [row[4] for row in rows]
    alone = music_for({"split": "maestro"}, tmp_path)
    assert [p.split for p in alone.pieces] == [row[4] for row in rows if row[1] == "performance"]
    with pytest.raises(UnknownName, match="choose one of own, maestro"):
        music_for({"split": "mastro"}, tmp_path)
    write_table(tmp_path / "MANIFEST.csv", COLUMNS, [row[:-1] for row in table])
    with pytest.raises(UnreadableMusic, match="no column maestro"):
        music_for({"split": "maestro"}, tmp_path)


def test_manifest_gives_the_performances_in_their_splits(manifest: Path) -> None:
    dataset = read_dataset(manifest)
    assert [(p.path, p.split) for p in dataset.pieces] == [
        ("p/Chopin/a1.mid", "train"),
        ("p/Chopin/a2.mid", "train"),
        ("p/Chopin/a3.mid", "train"),
        ("p/Chopin/a4.mid", "train"),
        ("p/Chopin/b.mid", "val"),
        ("p/CPE/c.mid", "test"),
    ]
    assert [p.work for p in dataset.split("val")] == ["w2"]
    assert reasons(dataset) == {"p/Chopin/d.mid": "licence not stated in repo"}
    assert dataset.note_count == 6 * 4
    assert dataset.hours == pytest.approx(6 * 1.75 / 3600)
    assert list(dataset.composers()) == ["chopin", composer_id("CPE_Bach")]
    assert dataset.licences()["CC BY 4.0"] == pytest.approx(1.75 / 3600)
    with pytest.raises(ValueError, match="train, val, test"):
        dataset.split("valid")


def test_weights_cap_works_with_many_recordings(manifest: Path) -> None:
    dataset = read_dataset(manifest)
    weights = {p.path: (p.recordings, p.weight) for p in dataset.pieces}
    assert weights["p/Chopin/a1.mid"] == (4, 0.5)
    assert weights["p/Chopin/b.mid"] == (1, 1.0)
    both = read_dataset(manifest, kinds=("performance", "score"))
    assert both.pieces[0].weight == pytest.approx(1 / math.sqrt(5))
    assert both.pieces[-1].kind == "score"


def test_choosing_composers_and_files_without_a_licence(manifest: Path) -> None:
    only = read_dataset(manifest, composers=["chopin"], licensed_only=False)
    assert {p.composer for p in only.pieces} == {"chopin"}
    assert len(only.pieces) == 6
    assert not only.skipped


def test_rows_that_cannot_be_read_are_skipped_with_the_reason(manifest: Path) -> None:
    nc = "CC BY-NC-SA 4.0"
    bad = [
        "gone.mid",
        "../music/p/Chopin/b.mid",
        "score.xml",
        "nosplit.mid",
        "text.mid",
        "drum.mid",
    ]
    bad += ["empty.mid", "silent.mid"]
    with (manifest / "MANIFEST.csv").open("a", newline="") as file:
        for path in bad:
            split = "inside" if path == "nosplit.mid" else "train"
            csv.writer(file).writerow((path, "Satie", path, nc, "performance", split, path))
    (manifest / "text.mid").write_text("This is not music.")
    (manifest / "empty.mid").touch()
    write_file(manifest / "silent.mid", [(0, pedal(127)), (1, pedal(0))])
    write_file(manifest / "drum.mid", [(0, on(36, channel=9)), (1, off(36, channel=9))])
    found = reasons(read_dataset(manifest, composers=["satie"]))
    assert set(found) == set(bad)
    assert found["gone.mid"] == "the file is missing"
    assert found["../music/p/Chopin/b.mid"] == "outside the folder"
    assert found["score.xml"] == "not a MIDI file"
    assert "splits" in found["nosplit.mid"]
    assert found["text.mid"] == "This is not a MIDI file"
    assert "empty" in found["empty.mid"]
    assert "no notes" in found["silent.mid"]
    assert "only drums" in found["drum.mid"]
    # All of them are remembered, so the second reading says the same.
    assert reasons(read_dataset(manifest, composers=["satie"])) == found


def test_a_table_without_a_column_says_so(tmp_path: Path) -> None:
    write_table(tmp_path / "MANIFEST.csv", COLUMNS[:-1], [])
    with pytest.raises(UnreadableMusic, match=r"MANIFEST\.csv has no column work_id"):
        read_dataset(tmp_path)


# ---- MAESTRO


def write_maestro(folder: Path) -> None:
    chopin, title = "Frédéric Chopin", "Ballade No. 1, Op. 23"
    rows = [
        (chopin, title, "train", "2004", "2004/1.midi"),
        (chopin, title, "train", "2006", "2006/1.midi"),
        (chopin, "Ballade No. 1 Op. 23", "validation", "2008", "2008/1.midi"),
        ("Franz Schubert / Franz Liszt", "Erlkönig", "validation", "2004", "2004/2.midi"),
        ("Pyotr Ilyich Tchaikovsky", "Dumka", "train", "2004", "2004/3.midi"),
        ("Pyotr Ilyich Tchaikovsky", "Dumka", "test", "2006", "2006/3.midi"),
        ("Ferruccio Busoni", "Elegie", "test", "2004", "2004/4.midi"),
    ]
    for row in rows:
        write_scale(folder / row[-1])
    write_table(folder / "maestro-v3.0.0.csv", MAESTRO, [(*row, "1.75") for row in rows])


@pytest.mark.parametrize("inner", [".", "maestro-v3.0.0"])
def test_maestro_is_read_by_its_own_table(tmp_path: Path, inner: str) -> None:
    write_maestro(tmp_path / inner)
    dataset = read_dataset(tmp_path)
    assert not dataset.skipped
    assert [p.composer for p in dataset.pieces] == [
        *["chopin"] * 3,
        "schubert",
        *["tchaikovsky"] * 2,
        "ferruccio_busoni",
    ]
    assert {p.licence for p in dataset.pieces} == {"CC BY-NC-SA 4.0"}
    assert [p.title for p in dataset.split("val")] == ["Erlkönig"]


def test_a_work_in_two_splits_of_maestro_goes_whole_into_one(tmp_path: Path) -> None:
    write_maestro(tmp_path)
    dataset = read_dataset(tmp_path)
    assert all(len(splits) == 1 for splits in splits_of_works(dataset).values())
    ballade, dumka = dataset.pieces[0], dataset.pieces[4]
    assert (ballade.split, ballade.recordings) == ("train", 3)  # most of its recordings
    assert (dumka.split, dumka.recordings) == ("train", 2)  # a tie
    assert any("2 works stood in more than one split" in text for text in dataset.remarks)
    assert "2 works stood in more than one split" in describe(dataset)


# ---- a plain folder of MIDI by composer


def test_plain_folders_are_split_by_work_and_stay_so(tmp_path: Path) -> None:
    names = [f"Waltz {number}" for number in range(60)]
    for name in names:
        write_scale(tmp_path / "Chopin" / f"{name}.mid", seconds=1)
    before = read_dataset(tmp_path)
    share = {name: len(before.split(name)) / len(names) for name in ("train", "val", "test")}
    assert share["train"] == pytest.approx(0.8, abs=0.12)
    assert share["val"] > 0
    assert share["test"] > 0
    for name in names:
        write_scale(tmp_path / "Chopin" / "again" / f"{name.replace(' ', '_')} (2).MID", seconds=1)
    after = read_dataset(tmp_path)
    assert len(after.pieces) == 120
    assert {p.recordings for p in after.pieces} == {2}
    assert all(len(splits) == 1 for splits in splits_of_works(after).values())
    split = {p.path: p.split for p in after.pieces}
    assert all(split[p.path] == p.split for p in before.pieces)


def test_plain_folders_name_composers_and_skip_stray_files(tmp_path: Path) -> None:
    write_scale(tmp_path / "Claude Debussy" / "Rêverie.mid")
    write_scale(tmp_path / "Someone Else" / "Пьеса.midi")
    write_scale(tmp_path / "Someone Else" / "曲.midi")
    write_scale(tmp_path / "__MACOSX" / "Claude Debussy" / "._Rêverie.mid")
    write_scale(tmp_path / "loose.mid")
    (tmp_path / "Claude Debussy" / "notes.txt").write_text("not music")
    dataset = read_dataset(tmp_path)
    assert [p.composer for p in dataset.pieces] == ["debussy", "someone_else", "someone_else"]
    assert len({p.work for p in dataset.pieces}) == 3
    assert {p.licence for p in dataset.pieces} == {"your own files"}
    assert reasons(dataset) == {"loose.mid": "in no composer's folder"}
    assert read_dataset(tmp_path, kinds=("score",)).pieces == ()


def test_a_folder_without_music_says_what_it_needs(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMusic, match=r"MANIFEST\.csv"):
        read_dataset(tmp_path)
    with pytest.raises(UnreadableMusic, match="no folder"):
        read_dataset(tmp_path / "gone")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Chopin", "chopin"),
        ("frédéric chopin", "chopin"),
        ("Johann Sebastian Bach", "bach"),
        ("Carl Philipp Emanuel Bach", "cpe_bach"),
        ("CPE_Bach", "cpe_bach"),
        ("Pyotr Ilyich Tchaikovsky", "tchaikovsky"),
        ("P. D. Q. Bach", "p_d_q_bach"),
        ("Fanny Mendelssohn", "fanny_mendelssohn"),
        ("武満徹", "武満徹"),
        ("---", "unknown"),
    ],
)
def test_composer_ids(text: str, expected: str) -> None:
    assert composer_id(text) == expected


# ---- notes


def read_one(folder: Path, messages: Iterable[tuple[float, mido.Message]]) -> Piece:
    write_file(folder / "Bach" / "one.mid", messages)
    (piece,) = read_dataset(folder).pieces
    return piece


def test_the_pedal_holds_notes_until_it_rises_or_the_key_is_struck_again(tmp_path: Path) -> None:
    messages = [
        *[(0.0, on(60, 70)), (0.5, off(60))],
        (0.25, pedal(64)),
        *[(1.0, on(64, 71)), (1.5, off(64))],
        *[(2.0, on(60, 72)), (2.5, off(60))],
        (3.0, pedal(63)),
        *[(4.0, on(60, 73)), (4.5, off(60))],
    ]
    piece = read_one(tmp_path, messages)
    expected = [(0, 2, 60, 70), (1, 3, 64, 71), (2, 3, 60, 72), (4, 4.5, 60, 73)]
    np.testing.assert_allclose(piece.notes, expected, atol=1e-6)
    assert piece.notes.dtype == np.float32
    assert piece.duration == pytest.approx(4.5)


def test_a_pedal_below_half_holds_nothing(tmp_path: Path) -> None:
    piece = read_one(
        tmp_path, [(0, on(60)), (0.1, pedal(63)), (0.5, off(60)), (1, on(62)), (2, off(62))]
    )
    assert piece.notes[0, 1] == pytest.approx(0.5)


def test_notes_are_sorted_pitched_and_become_a_sequence(tmp_path: Path) -> None:
    messages = [(0, on(67)), (0, on(60)), (1, off(60)), (1, off(67))]
    messages += [(0, on(40, channel=9)), (1, off(40, channel=9)), (1, on(48)), (2, off(48))]
    piece = read_one(tmp_path, messages)
    assert piece.notes[:, 2].tolist() == [60, 67, 48]
    assert piece.sequence().notes[0] == Note(0.0, 1.0, 60, 80)
    assert len(piece.sequence()) == 3


def test_a_piece_longer_than_an_upload_may_be_is_read(tmp_path: Path) -> None:
    hour = 3600
    messages = [(0, on(60)), (1, off(60)), (hour, on(62)), (hour + 1, off(62))]
    assert read_one(tmp_path, messages).duration == pytest.approx(hour + 1)


def test_a_file_that_claims_days_is_skipped(tmp_path: Path) -> None:
    week = 7 * 24 * 3600
    write_file(tmp_path / "Bach" / "one.mid", [(0, on(60)), (week, off(60))])
    dataset = read_dataset(tmp_path)
    assert not dataset.pieces
    assert len(dataset.skipped) == 1


# ---- reports


def test_the_report_says_what_is_there(manifest: Path) -> None:
    dataset = read_dataset(manifest)
    facts = json.loads(json.dumps(as_dict(dataset)))
    train = {"hours": 0.002, "notes": 16, "works": 1, "recordings": 4}
    assert facts["composers"]["chopin"]["train"] == train
    assert facts["splits"]["test"]["recordings"] == 1
    assert (facts["recordings"], facts["works"], facts["notes"]) == (6, 3, 24)
    assert facts["skipped"] == {"licence not stated in repo": 1}
    assert facts["skipped_files"][0]["path"] == "p/Chopin/d.mid"
    text = describe(dataset)
    assert "24 notes, 3 works, 6 recordings" in text
    assert "1  licence not stated in repo (such as p/Chopin/d.mid)" in text
    assert "CC BY-NC-SA 4.0" in text
