"""Chords, hands and counts of a few notes that can be checked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pyzzicato.evaluation.classifier.lines import (
    KINDS,
    STEP,
    Line,
    contours,
    figures,
    hands,
    rhythms,
    shares,
    steps,
    turns,
)

C_MAJOR = np.array([60, 64, 67])


def test_keys_struck_within_a_few_hundredths_are_one_chord() -> None:
    start = np.array([0.0, 0.01, 0.03, 0.5, 0.5, 1.0])
    line = Line.of(start, np.array([67, 60, 64, 48, 72, 50]))
    assert line.time.tolist() == [0.0, 0.5, 1.0]
    assert line.low.tolist() == [60, 48, 50]
    assert line.top.tolist() == [67, 72, 50]
    assert line.size.tolist() == [3, 2, 1]
    assert line.key.tolist() == [60, 64, 67, 48, 72, 50]
    assert line.chord.tolist() == [0, 0, 0, 1, 1, 2]


def test_a_chord_is_counted_from_its_first_key() -> None:
    # Each key is near the one before it, but the third is not near the first.
    assert Line.of(np.array([0.0, 0.03, 0.06]), C_MAJOR).size.tolist() == [2, 1]


def test_a_key_struck_twice_in_a_chord_is_one() -> None:
    assert Line.of(np.array([0.0, 0.01]), np.array([60, 60])).size.tolist() == [1]


def test_no_notes_are_no_chords() -> None:
    line = Line.of(np.zeros(0), np.zeros(0, np.int64))
    assert len(line.time) == len(line.top) == len(line.key) == 0
    assert not steps(line.top).any()
    assert not figures(line.top).any()
    assert not rhythms(line.time).any()


def test_hands_part_in_the_middle_of_what_is_near() -> None:
    start = np.array([0.0, 0.0, 0.5, 0.5, 9.0, 9.0])
    pitch = np.array([40, 72, 43, 74, 72, 90])
    assert hands(start, pitch).tolist() == [False, True, False, True, False, True]


def test_shares_sum_to_one() -> None:
    assert shares(np.array([0, 2, 2, 1]), 3).tolist() == [0.25, 0.25, 0.5]
    found = steps(np.array([60, 62, 90, 62]))
    assert found[STEP + 2] == pytest.approx(1 / 3)
    assert found[0] == found[-1] == pytest.approx(1 / 3), "further than an octave"


def test_pairs_of_steps_tell_up_from_down() -> None:
    up, down = figures(np.array([60, 62, 64])), figures(np.array([64, 62, 60]))
    assert up.sum() == down.sum() == 1
    assert up.argmax() == KINDS**2 - 1 - down.argmax()
    assert figures(np.array([60, 99, 60])).sum() == 1


def test_shapes_tell_how_a_broken_chord_turns() -> None:
    alberti, rolling = np.array([48, 55, 52, 55]), np.array([48, 52, 55, 52])
    assert contours(alberti).sum() == contours(rolling).sum() == 1
    assert contours(alberti).argmax() != contours(rolling).argmax()
    wider = np.array([36, 60, 50, 60])
    assert contours(alberti).tolist() == contours(wider).tolist(), "whatever the intervals"
    assert not contours(alberti[:3]).any(), "three keys are no shape"


def test_turns_count_what_follows() -> None:
    assert turns(np.array([0, 1, 0]), 2).tolist() == [0, 0.5, 0.5, 0]


def test_rhythm_does_not_depend_on_tempo() -> None:
    time = np.cumsum([0.5, 0.25, 0.25, 0.5, 0.5, 1.0, 0.25])
    assert rhythms(time) == pytest.approx(rhythms(time * 1.4))
    even = rhythms(np.arange(8, dtype=np.float64) * 0.5)
    assert even[3] == 1, "all as long as the median"
    assert even[7 + 12] == 1, "none grows or shrinks"
