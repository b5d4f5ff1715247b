"""MIDI files as music of five instruments on its own beats: ticks, not seconds."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TypeVar

import numpy as np

from pyzzicato.codecs.multitrack_roll import STEPS_PER_QUARTER, BandPiece, band_spans, left_out
from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.midi_events import read_events
from pyzzicato.formats.midi_notes import struck_notes
from pyzzicato.music.instruments import place_of
from pyzzicato.music.limits import MAX_BYTES, MAX_NOTES, check_size

__all__ = ["TEMPO_EVENED", "from_midi"]

TEMPO_EVENED = "The tempo changes: the notes follow the beats, at one tempo throughout."
"""What is said of a piece whose changing tempo its grid does not keep."""

_TRUSTED_BYTES = 100_000_000

T = TypeVar("T")


def from_midi(source: bytes | str | os.PathLike[str], *, trusted: bool = False) -> BandPiece:
    """A MIDI file, given as its bytes or its path, on its own beats: ticks, not seconds.

    So a changing tempo does not move a note off the grid. The sustain pedal is not heeded.
    Limits as in `read_midi`, and 32,768 steps; `trusted` lifts those on bytes and notes, for a
    person's own training music, which has to be whole. Raises UnreadableMusic, also where none of
    the five plays.
    """
    most = _TRUSTED_BYTES if trusted else MAX_BYTES
    data = source if isinstance(source, bytes) else _file_bytes(Path(source), most)
    if not trusted:
        check_size(len(data))
    midi = read_events(data, len(data) if trusted else MAX_NOTES, whole=trusted)
    rows: list[tuple[int, int, int, int]] = []
    lost: Counter[int] = Counter()
    for note in struck_notes(midi.tracks):
        place = place_of(note.program, note.is_drum)
        if place is None:
            lost[note.program] += 1
        else:
            rows.append((note.start, note.end, place, note.pitch))
    if not rows:
        raise UnreadableMusic(
            "No drums, piano, guitar, bass or strings play in this file: choose another."
        )
    ticks = np.array(rows, np.float64)
    music = int(ticks[:, 0].min()), int(ticks[:, 1].max())
    ticks[:, :2] = np.rint(ticks[:, :2] * STEPS_PER_QUARTER / midi.division)
    tempos = _held([(tick, 60e6 / tempo) for tick, tempo in midi.tempos], *music)
    meters = _held([(tick, (above, below)) for tick, above, below in midi.meters], *music)
    return BandPiece(
        spans=band_spans(ticks),
        qpm=tempos.most_common(1)[0][0],
        dropped=(*left_out(lost), *_evened(tempos, meters)),
        meter=meters.most_common(1)[0][0],
    )


def _file_bytes(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(most + 1)
    except (OSError, ValueError) as error:
        raise UnreadableMusic(f"{path} cannot be opened ({error}): choose another.") from None


def _held(changes: list[tuple[int, T]], first: int, last: int) -> Counter[T]:
    """For how many ticks from `first` to `last` each value holds, of (tick, value) in order."""
    held: Counter[T] = Counter()
    ends = [tick for tick, _ in changes[1:]] + [last]
    for (tick, value), end in zip(changes, ends, strict=True):
        ticks = min(end, last) - max(tick, first)
        if ticks > 0:
            held[value] += ticks
    return held


def _evened(tempos: Counter[float], meters: Counter[tuple[int, int]]) -> list[str]:
    """What the grid does not keep: changes of tempo and of meter."""
    said = []
    if len(tempos) > 1:
        said.append(TEMPO_EVENED)
    if len(meters) > 1:
        said.append("The meter changes: the notes follow the beats, whatever bar they are in.")
    return said
