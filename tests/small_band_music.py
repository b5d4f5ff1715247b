"""Music of our own for a band, and tiny networks for it, for tests."""

from pathlib import Path

import numpy as np

from pyzzicato.codecs.multitrack_roll import MultitrackRoll, from_sequence
from pyzzicato.codecs.piano_roll import note_array
from pyzzicato.data.band import BandMusic
from pyzzicato.data.pieces import Dataset
from pyzzicato.music.notes import Note, NoteSequence

CHORDS = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (9, 12, 16))


def band_music(bars: int = 8, number: int = 0, qpm: float = 120.0) -> NoteSequence:
    """Drums, bass, piano chords, a guitar figure and held strings; `number` makes it differ."""
    beat, notes = 60 / qpm, []
    for quarter in range(4 * bars):
        start, chord = quarter * beat, CHORDS[(quarter // 4 + number) % 4]
        drum = (36, 42, 38, 42)[quarter % 4]
        notes.append(Note(start, start + beat / 4, drum, 90, 0, True))
        notes.append(Note(start, start + beat, 36 + chord[0], 84, 33))
        notes.append(Note(start + beat / 2, start + beat, 60 + chord[number % 3], 70, 25))
        if quarter % 2 == 0:
            notes += [Note(start, start + 1.5 * beat, 60 + p, 76, 0) for p in chord]
        if quarter % 4 == 0:
            notes.append(Note(start, start + 4 * beat, 72 + chord[1], 60, 48))
    return NoteSequence(tuple(notes), qpm=qpm)


def band_dataset(splits: tuple[str, ...] = ("train", "train", "val", "test")) -> Dataset:
    """A piece of eight bars for each split that is named."""
    pieces = []
    for number, split in enumerate(splits):
        music = band_music(number=number)
        pitched = NoteSequence(tuple(note for note in music if not note.is_drum))
        piece = from_sequence(music)
        pieces.append(
            BandMusic(
                path=f"{number}.mid", composer="ours", title=str(number), work=str(number),
                split=split, kind="multitrack", licence="ours", recordings=1,
                notes=note_array(pitched).astype(np.float32), spans=piece.spans, qpm=piece.qpm,
                meter=piece.meter,
            )
        )  # fmt: skip
    return Dataset(tuple(pieces), (), Path())


def beaten_chords(
    number: int, bars: int = 8, parts: tuple[int, ...] = (0, 1, 2, 3, 4)
) -> np.ndarray:
    """Codes of our own: each number other chords and another beat."""
    rng = np.random.default_rng(number)
    codes = np.zeros((16 * bars, 5, 128), np.uint8)
    for bar, root in enumerate(rng.integers(40, 60, bars).tolist()):
        at = 16 * bar
        codes[at : at + 16 : int(rng.integers(2, 5)), 0, 38] = 2
        for part, pitches in ((1, (24, 28, 31)), (2, (12, 16)), (3, (0,)), (4, (31,))):
            for start in range(at, at + 16, 4 * int(rng.integers(1, 3))):
                for pitch in pitches:
                    codes[start, part, root + pitch] = 2
                    codes[start + 1 : start + 3, part, root + pitch] = 1
    codes[:, [part for part in range(5) if part not in parts]] = 0
    return codes


def band_seeds() -> dict[str, NoteSequence]:
    """Seeds that a network for a band must take, by what is odd about them; "four bars" is not."""
    usual = MultitrackRoll().decode(beaten_chords(3, 4))
    return {
        "four bars": usual,
        "empty": NoteSequence(),
        "one note": NoteSequence((Note(0.0, 0.5, 60),)),
        "drums only": NoteSequence((Note(0.0, 0.5, 38, 80, 0, True),)),
        "piano only": MultitrackRoll().decode(beaten_chords(5, 4, (1,))),
        "off the piano": NoteSequence((Note(0.0, 0.5, 5), Note(0.5, 1.0, 120))),
        "a late start": usual.shift(30.0),
        "five minutes": MultitrackRoll().decode(np.tile(beaten_chords(3, 16), (10, 1, 1))),
        "off the beat": usual.shift(0.3),
    }
