"""A little music of our own for five instruments, used by the tests of sound and screen."""

from pyzzicato.music.notes import Note, NoteSequence

ROOTS = (45, 41, 48, 43, 45, 38)
DRUMS, PIANO, GUITAR, BASS, STRINGS = (0, True), (0, False), (25, False), (33, False), (48, False)


def _note(start: float, length: float, pitch: int, velocity: int, who: tuple[int, bool]) -> Note:
    return Note(start, start + length, pitch, velocity, *who)


def _bar(number: int, root: int) -> list[Note]:
    """One bar of 4/4 at a tempo of 120, which is two seconds."""
    at = 2.0 * number
    notes = [_note(at, 0.5, 49, 100, DRUMS)] if number % 3 == 0 else []
    for eighth in range(8):
        now, hat = at + eighth / 4, 46 if eighth % 4 == 3 else 42
        notes.append(_note(now, 0.125, hat, 60 + 7 * (eighth * 5 % 6), DRUMS))
        notes.append(_note(now, 0.125, (36, 38)[eighth // 2 % 2], 80 + 5 * eighth, DRUMS))
        notes.append(_note(now, 0.25, root - 12 + (0, 0, 7, 12)[eighth % 4], 90, BASS))
    for beat in range(4):
        now = at + beat / 2
        notes += [_note(now, 0.5, root + up, 55 + 10 * beat, GUITAR) for up in (12, 16, 19)]
        notes.append(_note(now, 0.375, root + 24 + (0, 4, 7, 12)[beat], 60 + 9 * beat, PIANO))
    return notes + [_note(at, 2.0, root + up, 70, STRINGS) for up in (12, 19, 24, 28)]


def band_piece(bars: int = 6) -> NoteSequence:
    """`bars` of 2 seconds, at most 6: a drum kit, piano, guitar, bass and strings in all."""
    notes = [note for number, root in enumerate(ROOTS[:bars]) for note in _bar(number, root)]
    return NoteSequence(tuple(notes))
