"""The twelve features of Yang and Lerch: counts, histograms and transitions of a piece.

    features(sequence, seconds=30)["pitch_range"]

Source: Yang and Lerch, "On the evaluation of generative models in music", Neural Computing and
Applications 32 (2020), and their code, mgeval. Differs from the source in that:

- bars and note values are counted by the tempo `qpm`, four quarters a bar; a performance, whose
  beat is not known, has the tempo 120, so that a bar is 2 s and a sixteenth 0.125 s;
- notes are read in the order of their starts, then of their ends and pitches; a transition is from
  each note to the next, where mgeval's pitch classes ask that one begins as the other ends;
- lengths, not lengths times loudness, weigh in the histograms of pitch classes;
- matrices are shares of all transitions, so that longer pieces are not farther apart for it;
- only notes that start in the piece's length count, and rests are not classes.

A feature is None where it is not defined, never NaN. How two sets of pieces are compared by them
says `pyzzicato.metrics.overlap`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from pyzzicato.metrics.notes import inter_onset_intervals, note_lengths, pitch_range
from pyzzicato.music.notes import Note, NoteSequence

__all__ = ["FEATURES", "NOTE_VALUES", "Feature", "features"]

Floats = npt.NDArray[np.float64]

BEATS = 4  # quarters in a bar
# Whole, half, quarter, 8th, 16th; the same dotted without the whole; triplets; in quarters.
NOTE_VALUES = (4, 2, 1, 1 / 2, 1 / 4, 3, 3 / 2, 3 / 4, 3 / 8, 4 / 3, 2 / 3, 1 / 3)
_CLOSE = 1e-9  # how far before a bar line still counts as on it, in bars


def features(sequence: NoteSequence, seconds: float | None = None) -> dict[str, Floats | None]:
    """Every feature of FEATURES by its name, each (numbers,); drums are left out.

    `seconds` is how long the piece was meant to be, so that pieces have equally many bars; None
    is where its last note ends. Notes that start later do not count, longer ones are cut.
    """
    length = sequence.duration if seconds is None else seconds
    notes = tuple(
        note._replace(end=min(note.end, length))
        for note in sequence
        if not note.is_drum and note.start < length
    )
    piece = NoteSequence(notes, sequence.qpm)
    bars = max(1, math.ceil(length / _bar(piece) - _CLOSE))
    return {name: feature.value(piece, bars) for name, feature in FEATURES.items()}


def _bar(piece: NoteSequence) -> float:
    return BEATS * 60 / piece.qpm


def _one(value: float | None) -> Floats | None:
    return None if value is None else np.array([value], np.float64)


def _mean(values: Floats) -> Floats | None:
    return np.array([values.mean()]) if len(values) else None


def _bar_of(piece: NoteSequence, bars: int) -> list[tuple[int, Note]]:
    """Each note with the number of the bar in which it starts."""
    bar = _bar(piece)
    return [(min(math.floor(note.start / bar + _CLOSE), bars - 1), note) for note in piece]


def _used_pitches(piece: NoteSequence, bars: int) -> Floats:
    used = {(bar, note.pitch) for bar, note in _bar_of(piece, bars)}
    return np.bincount([bar for bar, _ in used], minlength=bars).astype(np.float64)


def _used_notes(piece: NoteSequence, bars: int) -> Floats:
    return np.bincount([bar for bar, _ in _bar_of(piece, bars)], minlength=bars).astype(np.float64)


def _pitch_classes(piece: NoteSequence, bars: int) -> Floats | None:
    """Shares of the sounding time of all notes, (12,)."""
    time = np.zeros(12)
    for note in piece:
        time[note.pitch % 12] += note.end - note.start
    return time / time.sum() if len(piece) else None


def _pitch_classes_by_bar(piece: NoteSequence, bars: int) -> Floats | None:
    """Shares of the sounding time in each bar, (bars * 12,); zeros where nothing sounds."""
    time, bar = np.zeros((bars, 12)), _bar(piece)
    for note in piece:
        first = min(math.floor(note.start / bar + _CLOSE), bars - 1)
        for number in range(first, min(bars, math.ceil(note.end / bar - _CLOSE))):
            inside = min(note.end, (number + 1) * bar) - max(note.start, number * bar)
            time[number, note.pitch % 12] += max(inside, 0.0)
    whole = time.sum(axis=1, keepdims=True)
    shares = np.divide(time, whole, out=np.zeros_like(time), where=whole > 0)
    return shares.ravel() if len(piece) else None


def _transitions(kinds: npt.NDArray[np.int64]) -> Floats | None:
    """Shares of the steps from one of 12 kinds to the next, (144,); None below two notes."""
    if len(kinds) < 2:
        return None
    return np.bincount(kinds[:-1] * 12 + kinds[1:], minlength=144) / (len(kinds) - 1)


def _mean_interval(piece: NoteSequence, bars: int) -> Floats | None:
    return _mean(np.abs(np.diff(np.array([note.pitch for note in piece], np.float64))))


def _values(piece: NoteSequence) -> npt.NDArray[np.int64]:
    """The nearest of NOTE_VALUES for each note, (notes,); the first of two that are as near."""
    lengths = note_lengths(piece) * piece.qpm / 60
    found: npt.NDArray[np.int64] = np.abs(lengths[:, None] - np.array(NOTE_VALUES)).argmin(axis=1)
    return found


def _value_shares(piece: NoteSequence, bars: int) -> Floats | None:
    if not len(piece):
        return None
    return np.bincount(_values(piece), minlength=len(NOTE_VALUES)) / len(piece)


def _pitch_class_steps(piece: NoteSequence, bars: int) -> Floats | None:
    return _transitions(np.array([note.pitch % 12 for note in piece], np.int64))


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: what it is in a few words, its unit, and its value for a number of bars."""

    about: str
    unit: str
    value: Callable[[NoteSequence, int], Floats | None]


FEATURES: Mapping[str, Feature] = MappingProxyType(
    {
        "total_used_pitch": Feature(
            "different pitches", "pitches", lambda s, _: _one(len({note.pitch for note in s}))
        ),
        "bar_used_pitch": Feature("different pitches in each bar", "pitches", _used_pitches),
        "total_used_note": Feature("notes", "notes", lambda s, _: _one(len(s))),
        "bar_used_note": Feature("notes in each bar", "notes", _used_notes),
        "total_pitch_class_histogram": Feature("time on each of 12 tones", "share", _pitch_classes),
        "bar_pitch_class_histogram": Feature(
            "time on each of 12 tones, bar by bar", "share", _pitch_classes_by_bar
        ),
        "pitch_class_transition_matrix": Feature(
            "steps between the 12 tones", "share", _pitch_class_steps
        ),
        "pitch_range": Feature(
            "from the lowest to the highest note", "semitones", lambda s, _: _one(pitch_range(s))
        ),
        "avg_pitch_shift": Feature(
            "mean interval from note to note", "semitones", _mean_interval
        ),
        "avg_IOI": Feature(
            "mean time from one start to the next", "seconds",
            lambda s, _: _mean(inter_onset_intervals(s)),
        ),
        "note_length_hist": Feature("note values", "share", _value_shares),
        "note_length_transition_matrix": Feature(
            "steps between note values", "share", lambda s, _: _transitions(_values(s))
        ),
    }
)  # fmt: skip
