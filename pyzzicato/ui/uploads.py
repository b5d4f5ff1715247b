"""A person's own file, read for a piano and for a band at once, so that the model may change."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.midi import Reading, music_reading, tunes_in
from pyzzicato.music.notes import NoteSequence
from pyzzicato.seeds.band import BAR
from pyzzicato.seeds.sources import for_model

__all__ = ["Part", "Upload", "read_upload"]


@dataclass(frozen=True, slots=True)
class Part:
    """What a file is for one kind of model: its music, and what is to be said of it.

    Where `problem` is a sentence there is no music.
    """

    music: NoteSequence = field(default_factory=NoteSequence)
    said: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file by its name, as a piano and as a band would play it; `all` are its notes as read.

    `tunes` are the titles of those that an ABC file holds.
    """

    name: str
    all: NoteSequence
    piano: Part
    band: Part
    tunes: tuple[str, ...] = ()

    def part(self, band: bool) -> Part:
        """What it is for a band, or for the piano."""
        return self.band if band else self.piano

    def between(self, start: float, end: float, band: bool) -> tuple[float, NoteSequence]:
        """Its music from `start` to `end` seconds, and where that begins.

        A band begins with a bar and ends on a beat.
        """
        music = self.part(band).music
        if band:
            beat = 60 / music.qpm
            start = round(start / (BAR * beat)) * BAR * beat
            end = max(round(end / beat), 1) * beat
        return start, music.trim(start, max(end, start + 1.0))


def read_upload(data: bytes, name: str, tune: int | None = None) -> Upload:
    """A MIDI or ABC file, or the tune numbered `tune` of it.

    Raises UnreadableMusic where it can be read for neither kind.
    """
    reading = music_reading(data, name, tune)
    piano, band = _part(reading, data, band=False), _part(reading, data, band=True)
    if piano.problem and band.problem:
        raise UnreadableMusic(piano.problem)
    return Upload(name, reading.music, piano, band, tunes_in(data))


def _part(reading: Reading, data: bytes, band: bool) -> Part:
    try:
        music, said = for_model(reading.music, band, data)
    except UnreadableMusic as error:
        return Part(problem=str(error))
    return Part(music, (*reading.said, *said))
