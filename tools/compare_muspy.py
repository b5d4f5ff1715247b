"""Hold the measures that MusPy has too against MusPy's own, on real pieces.

    python tools/compare_muspy.py --data FOLDER [--pieces 50] [--write]

The pieces are performances of the test split, one of each work while there are enough, put on a
grid of 24 steps a quarter note at 120 quarters a minute, for MusPy knows no other time. Agreed
means: the largest difference is at most 1e-6. `--write` writes docs/metrics.md. Needs MusPy, which
is in the extra `dev`.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pyzzicato.data.load import read_dataset
from pyzzicato.data.pieces import Piece
from pyzzicato.errors import PyzzicatoError
from pyzzicato.metrics import notes as metrics
from pyzzicato.music.notes import NoteSequence

PAGE = Path(__file__).resolve().parent.parent / "docs" / "metrics.md"
RESOLUTION = 24  # steps a quarter note
QPM = 120.0
BAR = 4 * RESOLUTION  # steps
AGREED = 1e-6
Ours = Callable[[NoteSequence], float | None]

SAME: Mapping[str, tuple[str, Ours, tuple[int, ...]]] = {
    "pitch_range": ("pitch_range", metrics.pitch_range, ()),
    "pitch_class_entropy": ("pitch_class_entropy", metrics.pitch_class_entropy, ()),
    "scale_consistency": ("scale_consistency", metrics.scale_consistency, ()),
    "polyphony": ("polyphony", metrics.polyphony, ()),
    "empty_bar_rate": ("empty_measure_rate", metrics.empty_bar_rate, (BAR,)),
    "groove_consistency": ("groove_consistency", metrics.groove_consistency, (BAR,)),
}
"""Our measure, by name: MusPy's name, ours, and what MusPy is told beside the music."""


def on_grid(sequence: NoteSequence) -> NoteSequence:
    """The music on MusPy's grid."""
    moved = sequence.quantize(RESOLUTION * QPM / 60)
    return NoteSequence(moved.notes, qpm=QPM)


def as_muspy(sequence: NoteSequence) -> Any:
    """The same as a muspy.Music; `sequence` lies on the grid."""
    import muspy

    steps = RESOLUTION * QPM / 60
    tracks = [muspy.Track(is_drum=drums) for drums in (False, True)]
    for note in sequence:
        start, end = round(note.start * steps), round(note.end * steps)
        tracks[note.is_drum].notes.append(muspy.Note(start, note.pitch, end - start, note.velocity))
    return muspy.Music(resolution=RESOLUTION, tracks=tracks)


def differences(pieces: Iterable[NoteSequence]) -> dict[str, list[float]]:
    """By measure the difference for each piece; infinite where only one of both is defined."""
    import muspy

    found: dict[str, list[float]] = {name: [] for name in SAME}
    for sequence in pieces:
        gridded = on_grid(sequence)
        music = as_muspy(gridded)
        for name, (theirs, ours, more) in SAME.items():
            value, other = ours(gridded), float(getattr(muspy, theirs)(music, *more))
            if value is None or math.isnan(other):
                found[name].append(0.0 if value is None and math.isnan(other) else math.inf)
            else:
                found[name].append(abs(value - other))
    return found


def chosen(pieces: Iterable[Piece], count: int) -> list[Piece]:
    """The first recording of each work, then the second and so on, `count` in all."""
    seen: dict[str, int] = {}
    turns: list[tuple[int, int, Piece]] = []
    for piece in pieces:
        seen[piece.work] = seen.get(piece.work, 0) + 1
        turns.append((seen[piece.work], len(turns), piece))
    return [piece for _, _, piece in sorted(turns, key=lambda each: each[:2])[:count]]


def page(found: Mapping[str, list[float]], version: str, works: int) -> str:
    """docs/metrics.md."""
    count = len(next(iter(found.values())))
    lines = [
        "# The measures beside MusPy's",
        "",
        "What each measure of the score sheet is, its unit and its source stand in "
        "`pyzzicato/metrics/notes.py`. Those that MusPy (Dong et al., ISMIR 2020) has as well were "
        f"held against MusPy {version} by `python tools/compare_muspy.py --data FOLDER --write`: "
        f"{count} real performances of {works} works of the test split, put on MusPy's grid of "
        f"{RESOLUTION} steps a quarter note. Wanted: no difference above {AGREED:g}.",
        "",
        "| measure | in MusPy | largest difference | |",
        "|---|---|---:|---|",
    ]
    for name, values in found.items():
        largest = max(values)
        verdict = "agreed" if largest <= AGREED else "not agreed"
        lines.append(f"| `{name}` | `{SAME[name][0]}` | {largest:.1e} | {verdict} |")
    lines += [
        "",
        "Where MusPy gives NaN, as without notes, ours gives None. MusPy's polyphony "
        "and empty bars are those of its grid; ours, of music that does not lie on it, of the "
        "music itself.",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, metavar="FOLDER", required=True)
    parser.add_argument("--pieces", type=int, default=50)
    parser.add_argument("--write", action="store_true", help="write docs/metrics.md")
    options = parser.parse_args()
    try:
        import muspy
    except ImportError:
        print("MusPy is missing: pip install -e .[dev]", file=sys.stderr)
        return 1
    try:
        pieces = chosen(read_dataset(options.data).split("test"), options.pieces)
    except PyzzicatoError as error:
        print(error, file=sys.stderr)
        return 1
    found = differences(piece.sequence() for piece in pieces)
    text = page(found, muspy.__version__, len({piece.work for piece in pieces}))
    print(text)
    if options.write:
        PAGE.write_text(text, encoding="utf-8")
    return 0 if max(map(max, found.values())) <= AGREED else 1


if __name__ == "__main__":
    sys.exit(main())
