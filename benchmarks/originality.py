"""Are copies of the training music found, and is unseen music left in peace?

    python benchmarks/originality.py --data FOLDER [--index FILE] [--plants 200] [--write]

Copies: 12 to 20 s of a training recording (any of its work, not only those in the index) put
into the middle of 60 s of other music, half of the times a piece of the test split, otherwise
made up; exact, transposed by up to 6 semitones, 10 % of the notes changed, played 1.3 times as
fast or as slow, all of it together, and some harder ones. Found means: said to be copied, the
right work, and at least half of the planted notes lie in the passage. False alarms: 60 s of works
of the test split, and whole pieces, that are said to be copied. Wanted: 95 % of the first four
found, under 5 % false alarms, an answer for 60 s within 0.5 s, an index of at most 6 MB.
`--write` keeps the figures in results.json.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from results import keep, machine, verdict

from pyzzicato.data.load import read_dataset
from pyzzicato.data.pieces import Piece
from pyzzicato.errors import PyzzicatoError
from pyzzicato.metrics.originality import ASSET, Report, originality
from pyzzicato.metrics.passages import Index, read_index
from pyzzicato.music.notes import Note, NoteSequence

Notes = np.ndarray
Change = Callable[[Notes, np.random.Generator], Notes]

AROUND = 60.0  # seconds in all
PLANTED = (12.0, 20.0)  # seconds
FEWEST = 20  # notes of a planted copy; silence is no copy
CHANGED = 0.1
TEMPO = 1.3
WANTED = ("exact", "transposed", "changed", "tempo")


def cut(piece: Piece, seconds: float, rng: np.random.Generator) -> Notes:
    """`seconds` of a piece from anywhere, moved to 0, (n, 4)."""
    begin = rng.uniform(0, max(0.0, piece.duration - seconds))
    notes = piece.notes.astype(np.float64)
    notes = notes[(notes[:, 0] >= begin) & (notes[:, 0] < begin + seconds)]
    notes[:, :2] -= begin
    return notes


def transposed(notes: Notes, rng: np.random.Generator) -> Notes:
    shift = rng.choice([-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6])
    moved: Notes = notes + np.array([0, 0, shift, 0])
    return moved


def changed(notes: Notes, rng: np.random.Generator) -> Notes:
    """A tenth of the notes get another pitch, at most an octave away."""
    notes = notes.copy()
    which = rng.permutation(len(notes))[: round(CHANGED * len(notes))]
    notes[which, 2] += rng.integers(1, 13, len(which)) * rng.choice([-1, 1], len(which))
    return notes


def tempo(notes: Notes, rng: np.random.Generator) -> Notes:
    factor = TEMPO if rng.random() < 0.5 else 1 / TEMPO
    stretched: Notes = notes * np.array([factor, factor, 1, 1])
    return stretched


def dropped(notes: Notes, rng: np.random.Generator) -> Notes:
    return notes[rng.random(len(notes)) >= CHANGED]


def on_a_grid(notes: Notes, rng: np.random.Generator) -> Notes:
    """As a piano roll of 20 steps a second writes it."""
    notes = notes.copy()
    notes[:, 0] = np.round(notes[:, 0] * 20) / 20
    notes[:, 1] = np.maximum(np.round(notes[:, 1] * 20) / 20, notes[:, 0] + 0.05)
    return notes


KINDS: Mapping[str, tuple[Change, ...]] = {
    "exact": (),
    "transposed": (transposed,),
    "changed": (changed,),
    "tempo": (tempo,),
    "all three": (transposed, changed, tempo),
    "10 % left out": (dropped,),
    "50 ms grid": (on_a_grid,),
    "all five": (transposed, changed, tempo, dropped, on_a_grid),
}


def made_up(seconds: float, rng: np.random.Generator) -> Notes:
    """Keys at random from a scale, two hands, of nobody."""
    scale = np.array([p for p in range(36, 96) if p % 12 in (0, 2, 4, 5, 7, 9, 11)])
    start = np.cumsum(rng.choice([0.0, 0.125, 0.25, 0.5], int(seconds * 8), p=[0.3, 0.3, 0.3, 0.1]))
    start = start[start < seconds]
    pitch = rng.choice(scale, len(start))
    return np.column_stack([start, start + 0.3, pitch, np.full(len(start), 80)])


def plant(copy: Notes, around: Notes) -> tuple[Notes, float, float]:
    """`copy` in the middle of `around`, and the seconds between which it stands."""
    length = float(copy[:, 0].max()) + 0.25
    begin = (AROUND - length) / 2
    first = around[around[:, 0] < begin]
    last = around[around[:, 0] >= begin] + np.array([length, length, 0, 0])
    copy = copy + np.array([begin, begin, 0, 0])
    return np.concatenate([first, copy, last]), begin, begin + length


def sequence_of(notes: Notes) -> NoteSequence:
    rows = [
        Note(s, max(e, s + 0.01), int(np.clip(p, 0, 127)), int(v)) for s, e, p, v in notes.tolist()
    ]
    return NoteSequence(tuple(rows))


def found(report: Report, notes: Notes, begin: float, end: float, work: str) -> bool:
    """Whether the report names the work, and the passage holds half of the planted notes."""
    start = notes[:, 0]
    planted = (start >= begin) & (start < end)
    inside = planted & (start >= report.start - 1e-3) & (start <= report.end)
    return report.copied and report.work == work and inside.sum() >= planted.sum() / 2


def copies(
    train: Sequence[Piece], test: Sequence[Piece], index: Index, plants: int
) -> tuple[dict[str, float], list[float], list[str]]:
    """The share found of each kind, the seconds of each answer, and what was missed."""
    shares, seconds, missed = {}, [], []
    for kind, changes in KINDS.items():
        rng, right = np.random.default_rng(7), 0
        works = sorted({piece.work for piece in train})
        for number in range(plants):
            copy = np.zeros((0, 4))
            while len(copy) < FEWEST:
                work = works[rng.integers(len(works))]
                mine = [piece for piece in train if piece.work == work]
                piece = mine[rng.integers(len(mine))]
                copy = cut(piece, rng.uniform(*PLANTED), rng)
                copy[:, :2] -= copy[:1, :1]
            host = test[int(rng.integers(len(test)))]
            around = cut(host, AROUND, rng) if number % 2 else made_up(AROUND, rng)
            for change in changes:
                copy = change(copy, rng)
            notes, begin, end = plant(copy, around)
            sequence = sequence_of(notes)
            clock = perf_counter()
            report = originality(sequence, index)
            seconds.append(perf_counter() - clock)
            good = found(report, notes, begin, end, piece.work)
            right += good
            if not good:
                missed.append(
                    f"{kind}: {piece.composer}, {piece.title} ({len(copy)} notes) -> "
                    f"{report.composer}, {report.title} ({report.notes} notes, "
                    f"score {report.score:.1f}, {report.start:.0f}-{report.end:.0f} s)"
                )
        shares[kind] = right / plants
    return shares, seconds, missed


def alarms(test: Sequence[Piece], index: Index, excerpts: int) -> tuple[float, float, list[str]]:
    """The share of 60 s of test works, and of whole pieces, that are said to be copied."""
    rng, wrong, heard = np.random.default_rng(11), 0, []
    works = sorted({piece.work for piece in test})
    for number in range(excerpts):
        mine = [piece for piece in test if piece.work == works[number % len(works)]]
        piece = mine[rng.integers(len(mine))]
        report = originality(sequence_of(cut(piece, AROUND, rng)), index)
        wrong += report.copied
        if report.copied:
            heard.append(_line(piece, report))
    whole = 0
    for work in works:
        piece = next(piece for piece in test if piece.work == work)
        report = originality(piece.sequence(), index)
        whole += report.copied
        if report.copied:
            heard.append("whole " + _line(piece, report))
    return wrong / excerpts, whole / len(works), heard


def _line(piece: Piece, report: Report) -> str:
    return (
        f"{piece.composer}, {piece.title} = {report.composer}, {report.title} "
        f"({report.notes} notes, score {report.score:.1f})"
    )


def table(sheet: Mapping[str, Any]) -> str:
    lines = [f"Copies found, of {sheet['plants']} each:"]
    for kind, share in sheet["found"].items():
        wanted = f"  {verdict(share, 0.95)}" if kind in WANTED else ""
        lines.append(f"  {kind:<16}{share:7.1%}{wanted}")
    lines += [
        f"False alarms: {sheet['alarms']:.1%} of {sheet['excerpts']} excerpts of the test split"
        f"  {verdict(sheet['alarms'], 0.05, most=True)}",
        f"              {sheet['alarms_whole']:.1%} of whole works (longer than 60 s)",
        f"Time for 60 s: median {sheet['median_ms']:.0f} ms, longest {sheet['longest_ms']:.0f} ms"
        f"  {verdict(sheet['longest_ms'], 500, most=True)}",
        f"Index: {sheet['megabytes']:.2f} MB  {verdict(sheet['megabytes'], 6, most=True)}",
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="the folder of music")
    parser.add_argument("--index", type=Path, metavar="FILE", default=ASSET)
    parser.add_argument("--plants", type=int, default=200, help="copies of each kind")
    parser.add_argument("--excerpts", type=int, default=400, help="of the test split")
    parser.add_argument("--show", action="store_true", help="what was missed or wrongly accused")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if options.data is None:
        print("Name a folder of music with --data: copies are cut from it.")
        return 0
    try:
        dataset = read_dataset(options.data, kinds=("performance", "score"))
        index = read_index(options.index)
    except PyzzicatoError as error:
        print(error, file=sys.stderr)
        return 1
    train, test = dataset.split("train"), dataset.split("test")
    shares, seconds, missed = copies(train, test, index, options.plants)
    excerpts, whole, heard = alarms(test, index, options.excerpts)
    sheet = {
        "machine": machine(["numpy"]),
        "plants": options.plants,
        "excerpts": options.excerpts,
        "found": {kind: round(share, 4) for kind, share in shares.items()},
        "alarms": round(excerpts, 4),
        "alarms_whole": round(whole, 4),
        "median_ms": round(float(np.median(seconds)) * 1e3, 1),
        "longest_ms": round(max(seconds) * 1e3, 1),
        "megabytes": round(options.index.stat().st_size / 1e6, 3),
    }
    print(table(sheet))
    if options.show:
        print("\n".join(["", *missed, "", *heard]))
    if options.write:
        keep("originality", sheet)
    return 0


if __name__ == "__main__":
    sys.exit(main())
