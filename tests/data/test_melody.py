"""Melodies for training: which lines of the file count, and the windows made of them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyzzicato.data.load import read_dataset
from pyzzicato.data.melody import EVEN, MELODIES, Melody, read_melodies
from pyzzicato.errors import PyzzicatoError, UnreadableMusic
from pyzzicato.families.melody.encoding import MelodyReader, classes_of
from pyzzicato.families.melody.windows import UNTOLD, MelodyWindows, melody_events, transposed

CONFIG = {"batch": 6, "window": 32, "transpose": True}


def made_up(number: int, steps: int = 160) -> list[int]:
    """A melody of our own; each number gives another."""
    dice = np.random.default_rng(number)
    pitches = 60 + np.cumsum(dice.integers(-3, 4, steps // 2)) % 20
    events = np.full(steps, -2)
    events[::2] = pitches
    return [int(event) for event in events]


def line(number: int, **values: Any) -> str:
    split = ("train", "train", "val", "test")[number % 4]
    usual = {"id": f"tune{number}", "src": "ours", "title": f"Tune {number}", "sig": "4/4"}
    known = {"key": "C", "qpm": 90, "licence": "our own", "split": split}
    return json.dumps({**usual, **known, "events": made_up(number), **values})


def folder_of(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / MELODIES
    path.parent.mkdir()
    path.write_text("\n".join(lines) + "\n")
    return tmp_path


def test_a_line_is_a_piece_with_its_notes(tmp_path: Path) -> None:
    dataset = read_dataset(folder_of(tmp_path, line(0), line(1), line(2)), kinds=["melody"])
    assert [piece.work for piece in dataset.pieces] == ["tune0", "tune1", "tune2"]
    assert [len(dataset.split(name)) for name in ("train", "val", "test")] == [2, 1, 0]
    piece = dataset.pieces[0]
    assert isinstance(piece, Melody)
    assert piece.events.tolist() == made_up(0)
    assert piece.notes.shape == (80, 4)
    assert piece.notes[1, 0] == pytest.approx(2 * 60 / 90 / 4)
    assert piece.duration == pytest.approx(160 * 60 / 90 / 4)
    assert dataset.licences().keys() == {"our own"}
    assert not piece.events.flags.writeable


def test_what_may_not_be_used_is_left_out_with_the_reason(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path,
        line(0),
        line(1, licence=""),
        line(2, licence="not stated (web)"),
        line(3, licence="MIT; songs under copyright"),
        line(4, split="per line"),
        line(5, events=[]),
        line(6, events=[-2, -1, -2]),
        line(7, events=[60, 200]),
        line(8, events=[60, "62"]),
        line(9, events=[60, True]),
        "{not json",
        "[60, 62]",
    )
    dataset = read_melodies(folder)
    assert [piece.work for piece in dataset.pieces] == ["tune0"]
    assert [item.reason for item in dataset.skipped] == [
        *("licence not stated", "licence not stated", "licence MIT; songs under copyright"),
        "in none of the splits train, val and test",
        *["no melody in it"] * 5,
        *["not a line of JSON"] * 2,
    ]
    assert dataset.skipped[0].path == f"{MELODIES.as_posix()}#2"
    assert len(read_melodies(folder, licensed_only=False).pieces) == 4


def test_no_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnreadableMusic, match="There is no melody/melodies_16th"):
        read_dataset(tmp_path, kinds=["melody"])


def test_nothing_ends_before_the_first_note(tmp_path: Path) -> None:
    events = [-1, -2, 60, -1, *made_up(1)]
    piece = read_melodies(folder_of(tmp_path, line(0, events=events, qpm=None))).pieces[0]
    assert isinstance(piece, Melody)
    assert piece.events[:4].tolist() == [-2, -2, 60, -1]
    assert piece.notes[0].tolist() == pytest.approx([0.25, 0.375, 60, 80]), "at a tempo of 120"


@pytest.mark.parametrize(
    ("metre", "even"),
    [
        *(("4/4", True), ("2/4", True), ("C", True), ("C|", True), ("2/2", True), ("4/2", True)),
        *(("3/4", False), ("6/8", False), ("9/8", False), ("none", False), ("", False)),
        *(("1/0", False), ("0/4", False)),
    ],
)
def test_metres_whose_bars_go_together_with_four_quarters(
    tmp_path: Path, metre: str, even: bool
) -> None:
    folder = folder_of(tmp_path, line(0, sig=metre))
    piece = read_melodies(folder).pieces[0]
    assert isinstance(piece, Melody)
    assert piece.even == even
    assert len(read_dataset(folder, kinds=[EVEN]).pieces) == even


def test_short_and_dull_melodies_are_left_out_and_long_ones_cut(tmp_path: Path) -> None:
    folder = folder_of(
        tmp_path,
        line(0),
        line(1, events=made_up(1, steps=110)),
        line(2, events=[60, 62, 64, 65] * 40),
        line(4, events=made_up(4, steps=700)),
        line(5, events=[event + 24 if event >= 0 else event for event in made_up(0)]),
    )
    dataset = read_melodies(folder)
    used = melody_events(dataset.pieces)
    assert [len(events) for events in used] == [160, 512, 160]
    assert used[2].tolist() == made_up(0), "what lies too high is moved by octaves"
    assert [item.reason for item in dataset.skipped] == [
        "shorter than 7 bars",
        "fewer than 5 different pitches",
    ]


def test_twelve_keys_and_still_in_range() -> None:
    events = np.array([50, -2, 60, -1, 78])
    for semitones in range(-6, 6):
        moved = transposed(events, semitones)
        begun = moved[moved >= 0]
        assert ((begun >= 48) & (begun <= 83)).all()
        assert ((begun - [50, 60, 78]) % 12 == semitones % 12).all()
        assert (moved[events < 0] == events[events < 0]).all()
    assert transposed(np.array([50, 60]), -5).tolist() == [57, 67]
    assert transposed(np.array([48, 83]), 2).tolist() == [50, 73], "folded where nothing else fits"


def windows(tmp_path: Path, *, training: bool, **values: Any) -> MelodyWindows:
    pieces = read_melodies(folder_of(tmp_path, *(line(n) for n in range(8)))).split("train")
    return MelodyWindows(pieces, {**CONFIG, **values}, training=training)


def test_windows_are_fixed_by_their_numbers_and_have_the_shapes_they_say(tmp_path: Path) -> None:
    examples = windows(tmp_path, training=True)
    inputs, target = examples.batch(np.random.default_rng(5))
    again, _ = examples.batch(np.random.default_rng(5))
    other, _ = examples.batch(np.random.default_rng(6))
    assert inputs["melody"].shape == (6, 32, 74)
    assert target.shape == (6, 32)
    assert (inputs["melody"] == again["melody"]).all()
    assert not (inputs["melody"] == other["melody"]).all()
    assert target.min() >= 0
    assert target.max() < 40


def test_what_is_to_be_said_is_what_comes_after_what_is_read(tmp_path: Path) -> None:
    examples = windows(tmp_path, training=False)
    inputs, target = examples.batch(np.random.default_rng(2))
    found = 0
    for read, told in zip(inputs["melody"], target, strict=True):
        for events in examples.melodies:
            reader = MelodyReader(1)
            whole = np.array([reader.push(events[n : n + 1])[0] for n in range(len(events))])
            for first in range(0, len(events) - 32, 16):
                if (whole[first : first + 32] == read).all():
                    found += 1
                    assert (classes_of(events)[first + 1 : first + 33] == told).all()
    assert found == 6


def test_past_the_end_of_a_melody_nothing_is_to_be_said(tmp_path: Path) -> None:
    _, target = windows(tmp_path, training=False, window=200).batch(np.random.default_rng(2))
    assert (target[:, :159] >= 0).all()
    assert (target[:, 159:] == UNTOLD).all()


def test_without_melodies_that_can_be_used_it_is_one_sentence(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, line(0, sig="3/4"))
    with pytest.raises(PyzzicatoError, match="no melodies to train on"):
        MelodyWindows(read_melodies(folder, [EVEN]).pieces, CONFIG, training=True)
