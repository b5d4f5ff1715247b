"""A seed for a band: music of five instruments on its own beats, from a file or from notes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pyzzicato.codecs.multitrack_roll import BandPiece, MultitrackRoll, struck
from pyzzicato.data.band_midi import TEMPO_EVENED, from_midi
from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.midi_events import is_midi
from pyzzicato.music.instruments import band_notes
from pyzzicato.music.notes import NoteSequence
from pyzzicato.music.silence import without_silence

__all__ = ["BAR", "band_seed"]

BAR = 4  # quarter notes: where a band's part of a piece may begin


def band_seed(music: NoteSequence, data: bytes = b"") -> tuple[NoteSequence, tuple[str, ...]]:
    """`music` as a band takes it, from the first bar on in which it plays, and what is to be said.

    Of a MIDI file `data` are its bytes, `music` its notes: where a tempo that changes, or a pedal,
    moves notes off its beats, they are put on these. What lies there as it was played stays so,
    with its touch. Raises UnreadableMusic where none of the five instruments plays.
    """
    said: tuple[str, ...] = ()
    found = band_notes(music)
    if is_midi(data):
        piece = from_midi(data)
        found, said = replace(found, qpm=piece.qpm), piece.dropped
        if _on_its_beats(found, piece):
            said = tuple(sentence for sentence in said if sentence != TEMPO_EVENED)
        else:
            found = piece.sequence()
    if not found:
        raise UnreadableMusic(
            "Neither drums, piano, guitar, bass nor strings play in this music: choose other music."
        )
    found, silence = without_silence(found, BAR * 60 / found.qpm)
    return found, (*said, *silence)


def _on_its_beats(played: NoteSequence, piece: BandPiece) -> bool:
    """Whether all is where `piece` has it, but for how long the last notes sound."""
    try:
        codes = MultitrackRoll().encode(played)
    except UnreadableMusic:
        return False  # at the tempo of most beats it would be longer than a roll
    last = max(int(np.argwhere(struck(each))[:, 0].max()) for each in (codes, piece.codes))
    return np.array_equal(codes[: last + 1], piece.codes[: last + 1])
