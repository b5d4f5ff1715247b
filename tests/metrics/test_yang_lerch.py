"""The twelve features, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pyzzicato.metrics.yang_lerch import FEATURES, NOTE_VALUES, features
from pyzzicato.music.notes import Note, NoteSequence

# At 120 a bar is 2 s. Bar 1: C for 1 s, E for 1 s. Bar 2: G from 3 s to 4 s. Bar 3: C' for 1 s.
TUNE = NoteSequence((Note(0, 1, 60), Note(1, 2, 64), Note(3, 4, 67), Note(4, 5, 72)))


def found(name: str, sequence: NoteSequence = TUNE, seconds: float | None = 6.0) -> list[float]:
    value = features(sequence, seconds)[name]
    assert value is not None
    return [float(each) for each in value]


def test_there_are_twelve() -> None:
    assert len(FEATURES) == 12
    assert all(each.about and each.unit for each in FEATURES.values())


def test_counts() -> None:
    assert found("total_used_pitch") == [4]
    assert found("bar_used_pitch") == [2, 1, 1]
    assert found("total_used_note") == [4]
    assert found("bar_used_note") == [2, 1, 1]
    assert found("bar_used_note", seconds=8.0) == [2, 1, 1, 0]
    assert found("bar_used_note", seconds=3.0) == [2, 0], "what starts at the end is beyond it"
    twice = NoteSequence((Note(0, 1, 60), Note(1, 2, 60)))
    assert found("total_used_pitch", twice) == [1]
    assert found("bar_used_pitch", twice) == [1, 0, 0]


def test_pitch_classes() -> None:
    whole = found("total_pitch_class_histogram")
    assert whole[0] == 0.5  # two of four seconds
    assert whole[4] == whole[7] == 0.25
    bars = np.array(found("bar_pitch_class_histogram")).reshape(3, 12)
    assert bars[0, 0] == bars[0, 4] == 0.5
    assert bars[1, 7] == 1.0
    assert bars[2, 0] == 1.0
    held = NoteSequence((Note(1, 5, 62), Note(2, 3, 64)))  # 1 s, 2 s and 1 s of the D
    bars = np.array(found("bar_pitch_class_histogram", held)).reshape(3, 12)
    assert bars[:, 2].tolist() == pytest.approx([1, 2 / 3, 1])


def test_steps_and_intervals() -> None:
    steps = np.array(found("pitch_class_transition_matrix")).reshape(12, 12)
    assert {(int(a), int(b)) for a, b in np.argwhere(steps)} == {(0, 4), (4, 7), (7, 0)}
    assert steps.sum() == pytest.approx(1)
    assert found("avg_pitch_shift") == pytest.approx([(4 + 3 + 5) / 3])
    assert found("pitch_range") == [12]
    assert found("avg_IOI") == pytest.approx([4 / 3])


def test_note_values() -> None:
    # A quarter is 0.5 s: 1 s is a half, 0.5 a quarter, 0.34 a quarter of a triplet (2/3).
    sequence = NoteSequence((Note(0, 1, 60), Note(1, 1.5, 60), Note(2, 2.34, 60)))
    shares = found("note_length_hist", sequence)
    assert {NOTE_VALUES[n]: s for n, s in enumerate(shares) if s} == {
        2: pytest.approx(1 / 3), 1: pytest.approx(1 / 3), 2 / 3: pytest.approx(1 / 3),
    }  # fmt: skip
    steps = np.array(found("note_length_transition_matrix", sequence)).reshape(12, 12)
    assert np.argwhere(steps).tolist() == [[1, 2], [2, 10]]
    slow = NoteSequence(sequence.notes, qpm=60)
    assert found("note_length_hist", slow)[2] == pytest.approx(1 / 3), "a quarter is 1 s now"


@pytest.mark.parametrize(
    ("notes", "missing"),
    [
        ((), {
            "total_pitch_class_histogram", "bar_pitch_class_histogram", "avg_pitch_shift",
            "pitch_class_transition_matrix", "avg_IOI", "note_length_hist",
            "note_length_transition_matrix",
        }),
        ((Note(0, 1, 60),), {
            "pitch_class_transition_matrix", "avg_pitch_shift", "avg_IOI",
            "note_length_transition_matrix",
        }),
        ((Note(0, 1, 60), Note(0, 1, 60)), set()),
        ((Note(0, 1, 36, is_drum=True),), None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("seconds", [None, 0.0, 2.0, 30.0])
def test_bad_input(
    notes: tuple[Note, ...], missing: set[str] | None, seconds: float | None
) -> None:
    values = features(NoteSequence(notes), seconds)
    assert set(values) == set(FEATURES)
    assert all(value is None or np.isfinite(value).all() for value in values.values())
    if missing is not None and seconds != 0.0:
        assert {name for name, value in values.items() if value is None} == missing
