"""The measures, against values worked out by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from pyzzicato.metrics import notes as metrics
from pyzzicato.music.notes import Note, NoteSequence

NOTHING = NoteSequence()
# C major: a held C under E (1 s), G and a B that ends the 4 s; bars of 2 s at 120.
CHORD = NoteSequence((Note(0, 4, 48), Note(0, 1, 64), Note(1, 2, 67), Note(3, 4, 71)))
DRUM = Note(0, 9, 36, is_drum=True)


def notes_at(*starts: float, pitch: int = 60, length: float = 0.1) -> NoteSequence:
    return NoteSequence(tuple(Note(s, s + length, pitch) for s in starts))


def test_entropy_of_the_pitch_classes() -> None:
    assert metrics.pitch_class_entropy(CHORD) == pytest.approx(2.0)  # four alike: log2(4)
    one = NoteSequence((Note(0, 1, 60), Note(1, 2, 72)))
    assert metrics.pitch_class_entropy(one) == 0.0
    # Shares 3/4 and 1/4: 0.75 * log2(4/3) + 0.25 * 2 = 0.8112781
    three = NoteSequence((Note(0, 1, 60), Note(1, 2, 72), Note(2, 3, 48), Note(3, 4, 67)))
    assert metrics.pitch_class_entropy(three) == pytest.approx(0.8112781244591328)
    every = NoteSequence(tuple(Note(n, n + 1, 60 + n) for n in range(12)))
    assert metrics.pitch_class_entropy(every) == pytest.approx(math.log2(12))


def test_range() -> None:
    assert metrics.pitch_range(CHORD) == 23
    assert metrics.pitch_range(notes_at(0)) == 0


def test_scale_consistency() -> None:
    assert metrics.scale_consistency(CHORD) == 1.0
    # Of the twelve tones once each, every scale holds seven.
    every = NoteSequence(tuple(Note(n, n + 1, 60 + n) for n in range(12)))
    assert metrics.scale_consistency(every) == pytest.approx(7 / 12)
    # A harmonic minor: with G sharp one of seven is outside A minor.
    harmonic = (57, 59, 60, 62, 64, 65, 68)
    minor = NoteSequence(tuple(Note(n, n + 1, p) for n, p in enumerate(harmonic)))
    assert metrics.scale_consistency(minor) == pytest.approx(6 / 7)


def test_polyphony_counts_only_where_something_sounds() -> None:
    assert metrics.polyphony(CHORD) == pytest.approx(7 / 4)  # 4 + 1 + 1 + 1 s of 4 s
    gap = NoteSequence((Note(0, 1, 60), Note(5, 6, 60), Note(5, 6, 64)))
    assert metrics.polyphony(gap) == pytest.approx(3 / 2)
    twice = NoteSequence((Note(0, 2, 60), Note(1, 3, 60), Note(0, 3, 64)))
    assert metrics.polyphony(twice) == pytest.approx(2.0), "one pitch at once counts once"


def test_density() -> None:
    assert metrics.note_density(CHORD) == 1.0
    assert metrics.note_density(CHORD, 8.0) == 0.5
    assert metrics.note_density(CHORD, 2.0) == 1.5, "what starts later does not count"


def test_intervals_and_lengths() -> None:
    assert metrics.inter_onset_intervals(CHORD).tolist() == [0, 1, 2]
    assert metrics.inter_onset_intervals(notes_at(3)).tolist() == []
    assert metrics.note_lengths(CHORD).tolist() == [1, 4, 1, 1], "by start, then end"
    assert metrics.longest_held_note(CHORD) == 4.0


def test_empty_bars() -> None:
    # Bars of 2 s. Notes in bars 0 and 3, the end at 7 s lies in bar 3: two of four are empty.
    assert metrics.empty_bar_rate(NoteSequence((Note(0, 1, 60), Note(6, 7, 60)))) == 0.5
    # A note that ends on a bar line touches the bar after it, and so lengthens the piece.
    assert metrics.empty_bar_rate(NoteSequence((Note(0, 2, 60), Note(6, 8, 60)))) == (
        pytest.approx(1 / 5)
    )
    assert metrics.empty_bar_rate(NoteSequence((Note(0, 1, 60), Note(6, 7, 60))), 2) == (
        pytest.approx(4 / 8)
    )
    # Six bars at 100 in thirds of a beat: rounding does not move a bar line.
    beat = 60 / 100
    full = NoteSequence(tuple(Note(n * 4 * beat, (n * 4 + 1) * beat, 60) for n in range(6)), 100)
    assert metrics.empty_bar_rate(full) == 0


def test_groove() -> None:
    # Two bars of 2 s: struck at 0 and 1 s, then at 2 and 2.5 s: two of 96 steps differ.
    sequence = notes_at(0, 1, 2, 2.5)
    assert metrics.groove_consistency(sequence) == pytest.approx(1 - 2 / 96)
    assert metrics.groove_consistency(sequence, grid=4) == pytest.approx(1 - 2 / 16)
    assert metrics.groove_consistency(notes_at(0, 1, 2, 3)) == 1.0
    assert metrics.groove_consistency(notes_at(0, 1)) is None


def test_repeats() -> None:
    # Windows of 4 s begin at 0, 2, 4 and 6 s and fit up to the last start at 10 s: all alike.
    assert metrics.repeated_window_rate(notes_at(0, 2, 4, 6, 8, 10)) == pytest.approx(3 / 4)
    assert metrics.repeated_window_rate(notes_at(0, 2, 4.5, 7.5, 11, 15.2)) == 0
    assert metrics.repeated_window_rate(notes_at(0, 1, 2)) is None, "shorter than a window"
    rising = NoteSequence(tuple(Note(n, n + 0.5, 60 + n) for n in range(12)))
    assert metrics.repeated_window_rate(rising) == 0


def test_the_curve_shows_where_music_dries_up() -> None:
    sequence = notes_at(0, 1, 2, 3, 4, 12, 13)
    assert metrics.dry_up_curve(sequence, 30).tolist() == [0.5, 0.2, 0.0]
    assert metrics.dry_up_curve(sequence, 14).tolist() == [0.5, 0.5], "2 notes in the last 4 s"
    assert metrics.dry_up_curve(sequence, 12).tolist() == [0.5, 0.0]


def test_silence() -> None:
    gap = NoteSequence((Note(1, 2, 60), Note(1.5, 3, 64), Note(7, 8, 60)))
    assert metrics.longest_silence(gap) == 4.0
    assert metrics.longest_silence(gap, 20) == 12.0
    assert metrics.longest_silence(gap, 5) == 2.0
    assert metrics.longest_silence(NOTHING, 9) == 9.0
    assert metrics.silence_rate(gap) == pytest.approx(5 / 8)
    assert metrics.silence_rate(gap, 5) == pytest.approx(3 / 5)
    assert metrics.silence_rate(NOTHING, 9) == 1.0


def test_drums_are_left_out() -> None:
    with_drum = CHORD.merge([DRUM])
    on_beat = {name for name, each in metrics.METRICS.items() if each.on_beat}
    found, without = metrics.measure(with_drum, 4), metrics.measure(CHORD, 4)
    assert {name for name in found if found[name] != without[name]} <= on_beat
    assert metrics.dry_up_curve(with_drum, 4).tolist() == [1.0]


@pytest.mark.parametrize(
    "sequence",
    [NOTHING, notes_at(0), notes_at(5), notes_at(0, 0), CHORD, NoteSequence((DRUM,))],
    ids=["nothing", "one note", "one late note", "one twice", "two bars", "drums alone"],
)
@pytest.mark.parametrize("seconds", [None, 0.0, 3.0])
def test_bad_input_has_a_value_or_none(sequence: NoteSequence, seconds: float | None) -> None:
    found = metrics.measure(sequence, seconds)
    assert set(found) == set(metrics.METRICS)
    json.dumps(found, allow_nan=False)
    assert np.isfinite(metrics.dry_up_curve(sequence, seconds)).all()


def test_without_notes_what_cannot_be_said_is_none() -> None:
    assert {name for name, value in metrics.measure(NOTHING).items() if value is None} == {
        "pitch_class_entropy", "scale_consistency", "polyphony", "note_density",
        "inter_onset_interval", "note_length", "empty_bar_rate", "groove_consistency",
        "repeated_window_rate", "silence_rate",
    }  # fmt: skip
    assert metrics.measure(NOTHING, 10)["note_density"] == 0.0


def test_every_measure_says_its_unit_and_source() -> None:
    for metric in metrics.METRICS.values():
        assert all((metric.about, metric.unit, metric.source))
