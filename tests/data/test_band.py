"""Music of five instruments for training: MIDI with and without a table, and LPD-5 files."""

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyzzicato.codecs.multitrack_roll import from_sequence, struck
from pyzzicato.data.band import BandMusic, read_bands, windows
from pyzzicato.data.load import read_dataset
from pyzzicato.data.lpd5 import read_pianoroll
from pyzzicato.data.pieces import Dataset
from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.midi import write_midi
from pyzzicato.music.instruments import INSTRUMENTS, PROGRAMS
from pyzzicato.music.notes import Note, NoteSequence

COLUMNS = ("path", "composer", "title", "licence", "kind", "split", "work_id")
SONG = "TRAAAGR128F425B14B"


def music(*places: int, quarters: int = 24, qpm: float = 120.0) -> NoteSequence:
    """A scale in quarters for each of some instruments."""
    beat = 60 / qpm
    return NoteSequence(
        tuple(
            Note(n * beat, (n + 0.5) * beat, 40 + n % 12 + place, 80, PROGRAMS[place], place == 0)
            for place in places
            for n in range(quarters)
        ),
        qpm,
    )


def in_table(folder: Path, rows: list[tuple[str, str, str, str]], places: Any = (0, 1, 3)) -> Path:
    """A folder with a table of (path, licence, split, work) and its files."""
    with (folder / "MANIFEST.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for path, licence, split, work in rows:
            table.writerow((path, "Traditional", path, licence, "multitrack", split, work))
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(write_midi(music(*places)))
        table.writerow(("p/piano.mid", "Bach", "Invention", "CC0", "performance", "train", "p"))
    return folder


def reasons(dataset: Dataset) -> dict[str, str]:
    return {item.path: item.reason for item in dataset.skipped}


def test_a_table_gives_its_multitrack_rows_in_their_splits(tmp_path: Path) -> None:
    rows = [
        (f"m/{n}.mid", "CC0", split, f"w{n}") for n, split in enumerate(("train", "val", "test"))
    ]
    dataset = read_dataset(in_table(tmp_path, rows), kinds=("band",))
    assert [(p.work, p.split) for p in dataset.pieces] == [
        ("w0", "train"), ("w1", "val"), ("w2", "test")
    ]  # fmt: skip
    piece = dataset.pieces[0]
    assert isinstance(piece, BandMusic)
    assert piece.codes.shape == (94, 5, 128)
    assert (piece.qpm, piece.meter, piece.even) == (120.0, (4, 4), True)
    assert (piece.codes == from_sequence(music(0, 1, 3)).codes).all()
    assert [(n.pitch, n.program, n.is_drum) for n in piece.sequence()] == [
        (n.pitch, n.program, n.is_drum) for n in music(0, 1, 3)
    ]
    # The notes of the other measures are those of piano and bass.
    assert piece.notes.shape == (48, 4)
    assert piece.duration == pytest.approx(11.75)
    assert not piece.notes.flags.writeable
    assert not piece.spans.flags.writeable


def test_one_tune_in_two_styles_is_one_work_on_one_side(tmp_path: Path) -> None:
    rows = [
        ("m/tune_swing.mid", "CC0", "train", "tune"),
        ("m/tune_waltz.mid", "CC0", "test", "tune"),
        ("m/other.mid", "CC0", "test", "other"),
    ]
    dataset = read_bands(in_table(tmp_path, rows))
    sides = {piece.path: piece.split for piece in dataset.pieces}
    assert sides == {
        "m/tune_swing.mid": "train", "m/tune_waltz.mid": "train", "m/other.mid": "test"
    }  # fmt: skip
    assert [piece.recordings for piece in dataset.pieces] == [2, 2, 1]
    assert "1 works stood in more than one split" in dataset.remarks[0]


def test_what_may_not_be_used_is_left_out_with_the_reason(tmp_path: Path) -> None:
    rows = [
        ("m/good.mid", "GPL-2.0", "train", "a"),
        ("m/unknown.mid", "not stated", "train", "b"),
        ("m/pop.mid", "MIT; underlying songs under copyright", "train", "c"),
        ("m/gone.mid", "CC0", "train", "d"),
        ("m/text.mid", "CC0", "train", "e"),
        ("m/drums.mid", "CC0", "train", "f"),
        ("m/strings.mid", "CC0", "train", "g"),
    ]
    in_table(tmp_path, rows)
    (tmp_path / "m/gone.mid").unlink()
    (tmp_path / "m/text.mid").write_text("no music")
    (tmp_path / "m/drums.mid").write_bytes(write_midi(music(0)))
    (tmp_path / "m/strings.mid").write_bytes(write_midi(music(0, 4)))
    dataset = read_bands(tmp_path)
    assert [piece.path for piece in dataset.pieces] == ["m/good.mid"]
    assert reasons(dataset) == {
        "m/unknown.mid": "licence not stated",
        "m/pop.mid": "licence MIT; underlying songs under copyright",
        "m/gone.mid": "the file is missing",
        "m/text.mid": "This is not a MIDI file",
        "m/drums.mid": "of the band only drums in it",
        "m/strings.mid": "of the band only drums and strings in it",
    }
    assert len(read_bands(tmp_path, licensed_only=False).pieces) == 3


def test_a_plain_folder_of_midi_is_read(tmp_path: Path) -> None:
    (tmp_path / "Ours").mkdir()
    for name in ("one", "one (2)", "two"):
        (tmp_path / "Ours" / f"{name}.mid").write_bytes(write_midi(music(1, 2)))
    dataset = read_bands(tmp_path)
    assert len(dataset.pieces) == 3
    assert len({piece.split for piece in dataset.pieces if "one" in piece.path}) == 1


def test_a_folder_without_a_band_says_so(tmp_path: Path) -> None:
    (tmp_path / "Bach").mkdir()
    (tmp_path / "Bach" / "a.mid").write_bytes(write_midi(music(1)))
    with pytest.raises(UnreadableMusic, match="No music for a band"):
        read_bands(tmp_path)
    with pytest.raises(UnreadableMusic, match="no folder"):
        read_bands(tmp_path / "gone")


def test_progress_is_told(tmp_path: Path) -> None:
    rows = [(f"m/{n}.mid", "CC0", "train", f"w{n}") for n in range(3)]
    told: list[tuple[int, int]] = []
    read_dataset(
        in_table(tmp_path, rows), kinds=("band",), progress=lambda *done: told.append(done)
    )
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_windows_are_cut_every_bar() -> None:
    piece = from_sequence(music(1, 3, quarters=20))  # 78 steps
    found = windows(piece)
    assert found.shape == (3, 32, 5, 128)
    assert (found[1] == piece.codes[16:48]).all()
    assert len(windows(piece, hop=1)) == 47
    assert windows(from_sequence(music(1, quarters=4))).shape == (0, 32, 5, 128)
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0] = 1


# ---- LPD-5


def write_lpd(
    path: Path,
    rolls: dict[str, np.ndarray],
    *,
    resolution_name: str = "beat_resolution",
    bar: int = 96,
    first_bar: int = 0,
    qpm: float = 100.0,
) -> Path:
    """A file as pypianoroll saves it: (steps, 128) velocities by the names of the tracks."""
    from scipy.sparse import csc_matrix

    path.parent.mkdir(parents=True, exist_ok=True)
    steps = max((len(roll) for roll in rolls.values()), default=0)
    downbeat = np.zeros(steps, bool)
    downbeat[first_bar::bar] = True
    arrays = {"tempo": np.full(steps, qpm), "downbeat": downbeat}
    info: dict[str, Any] = {resolution_name: 24, "name": path.stem}
    for number, (name, roll) in enumerate(rolls.items()):
        sparse = csc_matrix(roll)
        parts = {"data": sparse.data, "indices": sparse.indices, "indptr": sparse.indptr}
        for part, values in (parts | {"shape": np.array(sparse.shape)}).items():
            arrays[f"pianoroll_{number}_csc_{part}"] = values
        place = INSTRUMENTS.index(name)
        info[str(number)] = {"program": PROGRAMS[place], "is_drum": place == 0, "name": name}
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("info.json", json.dumps(info))
    return path


def five_rolls(quarters: int = 16) -> dict[str, np.ndarray]:
    """A chord a quarter for each, let go a 24th of a quarter before the next."""
    rolls = {}
    for place, name in enumerate(INSTRUMENTS):
        rolls[name] = np.zeros((24 * quarters, 128), np.uint8)
        for quarter in range(quarters):
            end = 24 * quarter + (1 if place == 0 else 23)
            rolls[name][24 * quarter : end, [40 + place, 47 + place]] = 90
    return rolls


@pytest.mark.parametrize("name", ["resolution", "beat_resolution"])
def test_an_lpd_file_is_read(tmp_path: Path, name: str) -> None:
    piece = read_pianoroll(write_lpd(tmp_path / "a.npz", five_rolls(), resolution_name=name))
    assert (piece.qpm, piece.meter, piece.instruments) == (100.0, (4, 4), INSTRUMENTS)
    assert piece.codes.shape == (64, 5, 128)
    for place in range(5):
        assert np.flatnonzero(struck(piece.codes)[:, place, 40 + place]).tolist() == list(
            range(0, 64, 4)
        )
    assert (piece.codes[:, 1:].any(axis=2)).all()
    assert piece.codes[:, 0].any(axis=1).sum() == 16


def test_an_empty_track_and_a_bar_that_begins_late_are_read(tmp_path: Path) -> None:
    rolls = five_rolls() | {"Guitar": np.zeros((0, 128), np.uint8)}
    piece = read_pianoroll(write_lpd(tmp_path / "a.npz", rolls, bar=72, first_bar=24))
    assert piece.meter == (3, 4)
    assert "Guitar" not in piece.instruments
    # The first quarter is the last of a bar: bars begin at multiples of 12 steps.
    assert np.flatnonzero(struck(piece.codes)[:, 3, 43])[0] == 8


def test_a_folder_of_lpd_files_is_a_data_set_by_song(tmp_path: Path) -> None:
    for number in range(3):
        write_lpd(tmp_path / "A/A/A" / SONG / f"{number}.npz", five_rolls(8))
    write_lpd(tmp_path / "B" / "other.npz", {"Drums": five_rolls(8)["Drums"]})
    dataset = read_dataset(tmp_path, kinds=("band",))
    assert {piece.work for piece in dataset.pieces} == {SONG}
    assert len({piece.split for piece in dataset.pieces}) == 1
    assert [piece.recordings for piece in dataset.pieces] == [3, 3, 3]
    assert reasons(dataset) == {"B/other.npz": "of the band only drums in it"}
    assert "under copyright" in dataset.pieces[0].licence


def test_meters_can_be_chosen(tmp_path: Path) -> None:
    write_lpd(tmp_path / "four.npz", five_rolls())
    write_lpd(tmp_path / "three.npz", five_rolls(), bar=72)
    dataset = read_dataset(tmp_path, kinds=("band:even",))
    assert [piece.title for piece in dataset.pieces] == ["four"]
    assert "4/4" in reasons(dataset)["three.npz"]


def test_damaged_lpd_files_are_refused(tmp_path: Path) -> None:
    good = write_lpd(tmp_path / "good.npz", five_rolls()).read_bytes()
    plain = io.BytesIO()
    np.savez(plain, tempo=np.ones(3))
    for data in (b"", b"text", good[: len(good) // 2], plain.getvalue()):
        bad = tmp_path / "bad.npz"
        bad.write_bytes(data)
        with pytest.raises(UnreadableMusic, match=r"bad\.npz is not a file of pypianoroll"):
            read_pianoroll(bad)
    write_lpd(tmp_path / "silent.npz", {"Piano": np.zeros((96, 128), np.uint8)})
    with pytest.raises(UnreadableMusic, match="No drums, piano"):
        read_pianoroll(tmp_path / "silent.npz")
