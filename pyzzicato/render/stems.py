"""Music of several instruments, taken apart: who plays, the part of each, and files of each.

Instruments are the five of `pyzzicato.codecs.multitrack_roll`; notes of other programs are
together in the part "Others", which both renderers play on the piano.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from pyzzicato.codecs.multitrack_roll import INSTRUMENTS, PROGRAMS, instrument_of
from pyzzicato.formats.midi import cut_overlaps, write_midi
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.render.audio import encode, headroom, render_raw

__all__ = ["OTHERS", "band_notes", "is_band", "parts_of", "players", "stem_sounds", "stems_file"]

OTHERS = "Others"
_PIANO = "Piano"


def is_band(*music: NoteSequence) -> bool:
    """Whether drums, guitar, bass or strings play in any of `music`."""
    return not {_PIANO, OTHERS}.issuperset(players(*music))


def players(*music: NoteSequence) -> tuple[str, ...]:
    """The names of the parts that play in any of `music`, in the order of INSTRUMENTS."""
    # A piece has few kinds of notes, and many notes.
    kinds = {(note.program, note.is_drum) for sequence in music for note in sequence}
    names = {_part(*kind) for kind in kinds}
    return tuple(name for name in (*INSTRUMENTS, OTHERS) if name in names)


def parts_of(sequence: NoteSequence) -> dict[str, NoteSequence]:
    """The part of each instrument that plays, by its name, in the order of INSTRUMENTS."""
    notes: dict[str, list[Note]] = {name: [] for name in players(sequence)}
    for note in sequence:
        notes[_part(note.program, note.is_drum)].append(note)
    return {name: replace(sequence, notes=tuple(mine)) for name, mine in notes.items()}


@cache
def _part(program: int, is_drum: bool) -> str:
    place = instrument_of(Note(0.0, 1.0, 60, program=program, is_drum=is_drum))
    return OTHERS if place is None else INSTRUMENTS[place]


def band_notes(sequence: NoteSequence) -> NoteSequence:
    """`sequence` as the five play it: each note with its instrument's own program.

    Notes that none of them plays are left out; a key that two of one kind strike sounds once.
    """
    kept = (
        note._replace(program=0 if note.is_drum else PROGRAMS[place])
        for note in sequence
        if (place := instrument_of(note)) is not None
    )
    return replace(sequence, notes=cut_overlaps(kept))


def stem_sounds(
    sequence: NoteSequence, sample_rate: int = 44100, renderer: str = "auto"
) -> dict[str, NDArray[np.float32]]:
    """The sound of each part by its name: float32 (samples, 2), all equally long.

    They are as loud as in the mix, and turned down together where that, or one of them alone,
    would peak above -1 dBFS. Raises as `pyzzicato.render.audio.render`.
    """
    parts = parts_of(sequence)
    sounds = {
        name: render_raw(part, sample_rate, renderer, seconds=sequence.duration)
        for name, part in parts.items()
    }
    if not sounds:
        return {}
    together = sum(sounds.values(), np.zeros_like(next(iter(sounds.values()))))
    gain = headroom(together, *sounds.values())
    for sound in sounds.values():
        sound *= gain
    return sounds


def stems_file(sequence: NoteSequence, name: str = "music", renderer: str = "auto") -> bytes:
    """A ZIP with a MIDI and a WAV file of each instrument, `<name>-drums.mid` and so on.

    All WAV files begin together and are equally long, so that they fit when they are laid one
    under the other. Raises as `pyzzicato.render.audio.render`.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, music in parts_of(sequence).items():
            archive.writestr(f"{name}-{part.lower()}.mid", write_midi(music, name=part))
        for part, sound in stem_sounds(sequence, renderer=renderer).items():
            archive.writestr(f"{name}-{part.lower()}.wav", encode(sound, 44100, "wav"))
    return buffer.getvalue()
