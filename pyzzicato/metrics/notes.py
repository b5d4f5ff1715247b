"""What can be counted in a piece: pure functions on NoteSequences, for the score sheet.

    pitch_class_entropy(sequence)        one measure
    measure(sequence, seconds=30)        all of them by name, ready for JSON

Where a measure is not defined, as without notes, its value is None, never NaN. Those marked
MusPy agree with MusPy 0.5 (Dong et al., ISMIR 2020) on music that lies on its grid, but where
MusPy gives NaN there is None. Drums are left out unless a measure says otherwise. `seconds`
is how long a piece was meant to be, so that a silent end counts; None is where its last note
ends.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from pyzzicato.music.notes import Note, NoteSequence

__all__ = [
    "METRICS",
    "Metric",
    "dry_up_curve",
    "empty_bar_rate",
    "groove_consistency",
    "inter_onset_intervals",
    "is_drone",
    "longest_held_note",
    "longest_silence",
    "measure",
    "note_density",
    "note_lengths",
    "pitch_class_entropy",
    "pitch_range",
    "polyphony",
    "repeated_window_rate",
    "scale_consistency",
    "silence_rate",
]

Floats = npt.NDArray[np.float64]

MAJOR = (0, 2, 4, 5, 7, 9, 11)
NATURAL_MINOR = (0, 2, 3, 5, 7, 8, 10)
CURVE_SECONDS = 10.0
REPEAT_SECONDS = 4.0
REPEAT_GRID = 20.0  # steps a second
GROOVE_GRID = 24  # steps a quarter note
_CLOSE = 1e-9  # how far before a bar line still counts as on it, in bars


def _pitched(sequence: NoteSequence) -> list[Note]:
    return [note for note in sequence if not note.is_drum]


def pitch_class_entropy(sequence: NoteSequence) -> float | None:
    """Entropy of the histogram of the 12 pitch classes, in bits, 0 to 3.585; None without notes.

    Each note counts once, however long. Source: MusPy; Wu and Yang (ISMIR 2020), who take it
    over one or four bars instead of the whole piece.
    """
    notes = _pitched(sequence)
    if not notes:
        return None
    share = np.bincount([note.pitch % 12 for note in notes], minlength=12) / len(notes)
    share = share[share > 0]
    return float(abs((share * np.log2(share)).sum()))


def pitch_range(sequence: NoteSequence) -> int:
    """Semitones between the lowest and the highest pitch; 0 without notes. Source: MusPy."""
    pitches = [note.pitch for note in _pitched(sequence)]
    return max(pitches) - min(pitches) if pitches else 0


def scale_consistency(sequence: NoteSequence) -> float | None:
    """The largest share of notes in one of the 12 major and 12 natural minor scales, 0 to 1.

    None without notes. Source: MusPy; Mogren (2016).
    """
    notes = _pitched(sequence)
    if not notes:
        return None
    count = np.bincount([note.pitch % 12 for note in notes], minlength=12)
    inside = (
        sum(int(count[(root + step) % 12]) for step in scale)
        for scale in (MAJOR, NATURAL_MINOR)
        for root in range(12)
    )
    return max(inside) / len(notes)


def polyphony(sequence: NoteSequence) -> float | None:
    """Mean number of pitches that sound while at least one sounds, 1 or more; None without notes.

    A pitch that sounds twice at once counts once. Source: MusPy; differs from it in that time
    is exact instead of on a grid.
    """
    notes = _pitched(sequence)
    if not notes:
        return None
    pitches = {note.pitch for note in notes}
    each = sum(_covered(note for note in notes if note.pitch == pitch) for pitch in pitches)
    return each / _covered(notes)


def _covered(notes: Iterable[Note]) -> float:
    """Seconds in which at least one of `notes`, sorted by start, sounds."""
    total, until = 0.0, -math.inf
    for note in notes:
        total += max(0.0, note.end - max(note.start, until))
        until = max(until, note.end)
    return total


def _length(sequence: NoteSequence, seconds: float | None) -> float:
    return sequence.duration if seconds is None else seconds


def note_density(sequence: NoteSequence, seconds: float | None = None) -> float | None:
    """Notes per second, those that start within `seconds`; None where the piece has no length.

    Source: ours; in use under this name, among others by Yang et al. (2024, rule-guided music).
    """
    length = _length(sequence, seconds)
    if length <= 0:
        return None
    return sum(note.start < length for note in _pitched(sequence)) / length


def inter_onset_intervals(sequence: NoteSequence) -> Floats:
    """Seconds from each start to the next, (notes - 1,); 0 within a chord.

    Their mean is the inter-onset interval of Yang and Lerch (2020). Empty below two notes.
    """
    return np.diff(np.array([note.start for note in _pitched(sequence)], np.float64))


def note_lengths(sequence: NoteSequence) -> Floats:
    """How long each note lasts, in seconds, (notes,), in the order of the starts.

    Source: ours; differs from the histogram of Yang and Lerch (2020) in that nothing is put
    into classes of note values, which need a beat.
    """
    return np.array([note.end - note.start for note in _pitched(sequence)], np.float64)


def empty_bar_rate(sequence: NoteSequence, beats: float = 4.0) -> float | None:
    """The share of bars of `beats` quarter notes at the tempo `qpm` without any sound, 0 to 1.

    A note fills each bar that it touches, also the one at whose line it ends, and the bars
    reach to the one in which the last note ends; drums count. None without notes. Only for
    music on a beat. Source: MusPy, `empty_measure_rate`.
    """
    if not len(sequence):
        return None
    bar = beats * 60 / sequence.qpm
    full: set[int] = set()
    for note in sequence:
        first, last = (math.floor(time / bar + _CLOSE) for time in (note.start, note.end))
        full.update(range(first, last + 1))
    bars = math.floor(sequence.duration / bar + _CLOSE) + 1
    return 1 - len(full) / bars


def groove_consistency(
    sequence: NoteSequence, beats: float = 4.0, grid: int = GROOVE_GRID
) -> float | None:
    """How alike the rhythms of neighbouring bars are, 0 to 1; None below two bars.

    1 minus the share of `grid` steps a quarter note at which something begins in one bar and
    nothing in the next or the other way round; drums count, and the bars reach to the one in
    which the last note ends. Only for music on a beat. Source: MusPy; Wu and Yang (2020), who
    compare all pairs of bars.
    """
    steps, step = round(beats * grid), 60 / sequence.qpm / grid
    bars = math.floor(sequence.duration / (steps * step) + _CLOSE) + 1
    if bars < 2:
        return None
    struck = np.zeros((bars, steps), np.bool_)
    for note in sequence:
        bar, place = divmod(round(note.start / step), steps)
        struck[min(bar, bars - 1), place] = True
    return 1 - float(np.mean(struck[1:] != struck[:-1]))


def repeated_window_rate(
    sequence: NoteSequence, window: float = REPEAT_SECONDS, grid: float = REPEAT_GRID
) -> float | None:
    """The share of windows that stood in the piece before, 0 to 1; None if it is shorter.

    A window of `window` seconds begins wherever a key is struck and ends with the piece's last
    start at the latest; two are alike where the same keys are struck at the same of `grid`
    steps a second. Source: ours.
    """
    struck: dict[int, set[int]] = {}
    for note in _pitched(sequence):
        struck.setdefault(round(note.start * grid), set()).add(note.pitch)
    size, steps = round(window * grid), sorted(struck)
    seen: set[tuple[tuple[int, tuple[int, ...]], ...]] = set()
    again = total = 0
    for number, first in enumerate(steps):
        if first + size > steps[-1] + 1:
            break
        inside = []
        for step in steps[number:]:
            if step >= first + size:
                break
            inside.append((step - first, tuple(sorted(struck[step]))))
        total += 1
        again += tuple(inside) in seen
        seen.add(tuple(inside))
    return again / total if total else None


def dry_up_curve(
    sequence: NoteSequence, seconds: float | None = None, window: float = CURVE_SECONDS
) -> Floats:
    """Notes per second that start in each window of `window` seconds, (windows,).

    The last window is as long as the piece lets it be, and its notes count for that length.
    Empty where the piece has no length. Source: ours.
    """
    length = _length(sequence, seconds)
    if length <= 0:
        return np.zeros(0)
    edges = np.append(np.arange(0.0, length, window), length)
    starts = [note.start for note in _pitched(sequence) if note.start < length]
    return np.histogram(starts, edges)[0] / np.diff(edges)


def longest_held_note(sequence: NoteSequence) -> float:
    """The longest note in seconds; 0 without notes. Source: ours."""
    return float(note_lengths(sequence).max(initial=0.0))


def is_drone(sequence: NoteSequence, seconds: float) -> bool:
    """Whether hardly anything happens in `seconds` of music: a note is held for ten of them, and
    fewer than one in five seconds is struck."""
    struck = len({note.start for note in _pitched(sequence)})
    return longest_held_note(sequence) >= 10 and struck * 5 < seconds


def longest_silence(sequence: NoteSequence, seconds: float | None = None) -> float:
    """The longest stretch of 0 to `seconds` in which no note sounds, in seconds. Source: ours."""
    longest, until, length = 0.0, 0.0, _length(sequence, seconds)
    for note in _pitched(sequence):
        longest = max(longest, min(note.start, length) - until)
        until = max(until, note.end)
    return max(longest, length - until, 0.0)


def silence_rate(sequence: NoteSequence, seconds: float | None = None) -> float | None:
    """The share of 0 to `seconds` in which no note sounds, 0 to 1; None without a length.

    Source: ours.
    """
    length = _length(sequence, seconds)
    if length <= 0:
        return None
    return max(0.0, 1 - _covered(_pitched(sequence.trim(0.0, length))) / length)


@dataclass(frozen=True, slots=True)
class Metric:
    """One number of the score sheet: what it is in a few words, its unit and its source.

    `on_beat` says that it means something only where the bars of the music are known.
    """

    about: str
    unit: str
    source: str
    value: Callable[[NoteSequence, float | None], float | None]
    on_beat: bool = False


def _mean(found: Floats) -> float | None:
    return float(found.mean()) if len(found) else None


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        "pitch_class_entropy": Metric(
            "variety of the 12 tones", "bits", "MusPy", lambda s, _: pitch_class_entropy(s)
        ),
        "pitch_range": Metric(
            "from the lowest to the highest note", "semitones", "MusPy", lambda s, _: pitch_range(s)
        ),
        "scale_consistency": Metric(
            "notes within the scale that fits best", "share", "MusPy",
            lambda s, _: scale_consistency(s),
        ),
        "polyphony": Metric(
            "notes that sound together", "notes", "MusPy", lambda s, _: polyphony(s)
        ),
        "note_density": Metric("how many notes", "notes per second", "ours", note_density),
        "inter_onset_interval": Metric(
            "mean time from one start to the next", "seconds", "Yang and Lerch",
            lambda s, _: _mean(inter_onset_intervals(s)),
        ),
        "note_length": Metric(
            "mean length of a note", "seconds", "ours", lambda s, _: _mean(note_lengths(s))
        ),
        "empty_bar_rate": Metric(
            "bars without any note", "share", "MusPy", lambda s, _: empty_bar_rate(s), True
        ),
        "groove_consistency": Metric(
            "likeness of neighbouring bars", "share", "MusPy",
            lambda s, _: groove_consistency(s), True,
        ),
        "repeated_window_rate": Metric(
            "windows of 4 s that came before", "share", "ours",
            lambda s, _: repeated_window_rate(s),
        ),
        "longest_held_note": Metric(
            "longest note", "seconds", "ours", lambda s, _: longest_held_note(s)
        ),
        "longest_silence": Metric("longest silence", "seconds", "ours", longest_silence),
        "silence_rate": Metric("time without any sound", "share", "ours", silence_rate),
    }
)  # fmt: skip


def measure(sequence: NoteSequence, seconds: float | None = None) -> dict[str, float | None]:
    """Every measure of METRICS by its name; None where one is not defined, never NaN."""
    return {name: metric.value(sequence, seconds) for name, metric in METRICS.items()}
