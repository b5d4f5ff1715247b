"""The sound and the files of each part of music for several instruments."""

from __future__ import annotations

import io
import zipfile

import numpy as np
from numpy.typing import NDArray

from pyzzicato.formats.midi import write_midi
from pyzzicato.music.instruments import parts_of
from pyzzicato.music.notes import NoteSequence
from pyzzicato.render.audio import encode, headroom, render_raw

__all__ = ["stem_sounds", "stems_file"]


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
