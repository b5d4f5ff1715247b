"""What the codec of performances keeps of every performance of a split; exits 1 if too little.

    python tools/check_round_trip.py --data FOLDER [--split test]

Each performance is written as codes and read back. A note is kept where the same key is struck
within 10 ms of it, each note of the way back once; what comes back farther off is lost. Wanted:
99.5 % of the notes of every single performance. Lengths and loudness have bins and are not
counted here (tests/codecs/test_codecs.py).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pyzzicato.codecs.performance import Performance
from pyzzicato.data.load import read_dataset
from pyzzicato.data.pieces import Piece
from pyzzicato.errors import PyzzicatoError
from pyzzicato.music.notes import NoteSequence

CLOSE = 0.01  # s
KEPT = 0.995  # of the notes


class Kept(NamedTuple):
    """Notes there were, those that are kept, and the largest onset error of these in s."""

    notes: int
    kept: int
    error: float


def kept(music: NoteSequence) -> Kept:
    """What of `music` the codec keeps."""
    back = Performance().decode(Performance().encode(music))
    count, error = 0, 0.0
    for pitch in {note.pitch for note in music}:
        made = [note.start for note in back if note.pitch == pitch]
        place = 0
        for start in sorted(note.start for note in music if note.pitch == pitch):
            while place < len(made) and made[place] < start - CLOSE:
                place += 1
            if place < len(made) and made[place] <= start + CLOSE:
                error = max(error, abs(made[place] - start))
                count, place = count + 1, place + 1
    return Kept(len(music), count, error)


def report(pieces: Iterable[tuple[str, Kept]]) -> tuple[str, bool]:
    """The figures in words, and whether they are what was wanted."""
    found = list(pieces)
    notes, count = (sum(each[i] for _, each in found) for i in (0, 1))
    if not notes:
        return "There is no performance in that split: name another folder or split.", False
    worst, least = min(found, key=lambda each: each[1].kept / max(1, each[1].notes))
    share, of_all = least.kept / max(1, least.notes), count / notes
    error = max(each.error for _, each in found)
    text = (
        f"{len(found)} performances, {notes:,} notes: {of_all:.3%} kept, the fewest of "
        f"{worst} ({share:.2%}); the largest onset error is {1000 * error:.1f} ms."
    )
    return text, share >= KEPT


def named(piece: Piece) -> tuple[str, Kept]:
    """A performance by its name, and what is kept of it."""
    return f"{piece.composer}, {piece.title}", kept(piece.sequence())


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of music")
    parser.add_argument("--split", default="test", choices=("train", "val", "test"))
    options = parser.parse_args()
    try:
        music = read_dataset(options.data, kinds=("performance",), licensed_only=False)
    except PyzzicatoError as error:
        print(error)
        return 1
    text, good = report(named(piece) for piece in music.split(options.split))
    print(text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
