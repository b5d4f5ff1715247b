"""How a model that reads wishes for density answers them: what `pyzzicato/courses.py` builds on.

    python tools/measure_response.py [MODEL] [--data FOLDER] [--guidance 1 2] [--takes 4]
        [--rng-seed 1]

Takes go on from built-in seeds, or with `--data` from openings of held-out performances, while the
wish is drawn by lots every 8 s. By least squares the notes per second of a stretch of 8 s, as a
logarithm, are explained by those of the stretch before and by the wish. Also printed: what `STEADY`
and `ANSWER` would be if nothing but this fit decided.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pyzzicato.codecs.piano_roll import note_array
from pyzzicato.courses import ANSWER, CLASSES, LEAST, STEADY, Course, level
from pyzzicato.datasets import Dataset, music_for
from pyzzicato.errors import PyzzicatoError
from pyzzicato.generator import collect_takes
from pyzzicato.note_generator import NoteControls, NoteGenerator
from pyzzicato.notes import Note, NoteSequence
from pyzzicato.performance_examples import DENSITY_EDGES, SPAN
from pyzzicato.registry import ModelInfo, model_info
from pyzzicato.seeds import seeds_by

COMPOSERS = ("bach", "mozart", "beethoven", "chopin", "debussy")
SEEDS = 3  # of each composer
SECONDS = 96.0
OPENING = 20.0  # seconds of a held-out performance that are gone on from
CHANGES = 0.45  # of the stretches begin with another wish
FARTHEST = 3  # classes that a wish moves at once
DRAWS = 1000  # of takes, with repetition, for the standard errors


class Lots(Course):
    """Wishes drawn by lots for stretches of 8 s, (takes, stretches); they answer to nothing."""

    def __init__(self, rng: np.random.Generator, takes: int, stretches: int) -> None:
        super().__init__(level(sum(CLASSES) // 2), NoteSequence(()), stretches * SPAN, 0, takes)
        low, high = CLASSES
        self.classes = np.empty((takes, stretches), np.int64)
        for row in self.classes:
            asked = int(rng.integers(low, high + 1))
            for place in range(stretches):
                if place and rng.random() < CHANGES:
                    moved = asked + int(rng.integers(-FARTHEST, FARTHEST + 1))
                    asked = min(max(moved, low), high)
                row[place] = asked

    def wishes(self, times: Sequence[float]) -> list[int]:
        last = self.classes.shape[1] - 1
        places = (min(int(max(now, 0.0) / SPAN), last) for now in times)
        return [int(row[place]) for row, place in zip(self.classes, places, strict=False)]


class Asked(NoteGenerator):
    """A model that is asked for densities drawn by lots."""

    def _course(self, seed: NoteSequence, controls: NoteControls, batch: int) -> Lots:
        rng = np.random.default_rng((controls.rng_seed, 1))
        self.lots = Lots(rng, batch, math.ceil(controls.seconds / SPAN))
        return self.lots


class Answer(NamedTuple):
    """Of a stretch's logarithm: `past` of that before, `wish` of the wish, and `always`."""

    past: float
    wish: float
    always: float


def logarithm(per_second: Any) -> np.ndarray:
    """Of notes per second, as `pyzzicato.courses` takes it."""
    found: np.ndarray = np.log(np.asarray(per_second, np.float64) + LEAST)
    return found


def middle(classes: np.ndarray) -> np.ndarray:
    """Notes per second in the middle of density classes 2 to 10."""
    found: np.ndarray = np.sqrt(DENSITY_EDGES[classes - 2] * DENSITY_EDGES[classes - 1])
    return found


def stretches(
    generator: Asked, seed: NoteSequence, controls: NoteControls, takes: int
) -> np.ndarray:
    """Of all stretches but the first, before, wish and after as logarithms: (3, takes, n)."""
    made = collect_takes(generator.generate(seed, controls, takes), takes)
    whole = int(controls.seconds / SPAN)
    edges = np.arange(whole + 1) * SPAN
    counts = np.array([np.histogram(note_array(take)[:, 0], edges)[0] for take in made])
    found = logarithm(counts / SPAN)
    wished = logarithm(middle(generator.lots.classes[:takes, 1:whole]))
    return np.stack([found[:, :-1], wished, found[:, 1:]])


def answer(rows: np.ndarray) -> Answer:
    """The least squares fit of rows (3, takes, n)."""
    before, wished, after = rows.reshape(3, -1)
    told = np.stack([before, wished, np.ones_like(before)], axis=1)
    return Answer(*np.linalg.lstsq(told, after, rcond=None)[0].tolist())


def errors(rows: np.ndarray, rng: np.random.Generator) -> Answer:
    """Standard errors of the fit: its spread over takes drawn again, with repetition."""
    takes = rows.shape[1]
    fits = [answer(rows[:, rng.integers(takes, size=takes)]) for _ in range(DRAWS)]
    return Answer(*np.std(fits, axis=0).tolist())


def lines(guidance: float, rows: np.ndarray, rng_seed: int) -> Iterator[str]:
    """What was found, and what it would make of the constants of `pyzzicato.courses`."""
    found, error = answer(rows), errors(rows, np.random.default_rng(rng_seed))
    parts = [
        f"{name} {value:.2f} ± {spread:.2f}"
        for name, value, spread in zip(("before", "wish", "always"), found, error, strict=True)
    ]
    before, wished, after = rows.reshape(3, -1)
    rest = after - found.past * before - found.wish * wished - found.always
    yield (
        f"guidance {guidance:g}: {', '.join(parts)}; {before.size} stretches, "
        f"standard deviation of the rest {rest.std():.2f}"
    )
    steady = (-found.always / found.wish, (1 - found.past) / found.wish)
    yield (
        f"  by this alone STEADY ({steady[0]:.2f}, {steady[1]:.2f}), "
        f"ANSWER {found.past / found.wish:.2f}; in use {STEADY}, {ANSWER:g}"
    )


def openings(dataset: Dataset, composer: str, rng_seed: int) -> list[NoteSequence]:
    """The first 20 s of performances of different works that were kept back from training."""
    rng = np.random.default_rng(rng_seed)
    pieces = [piece for split in ("val", "test") for piece in dataset.split(split)]
    found: dict[str, NoteSequence] = {}
    for place in rng.permutation(len(pieces)):
        piece = pieces[place]
        if piece.composer == composer and piece.kind == "performance" and len(piece.notes):
            first = float(piece.notes[0, 0])
            rows = piece.notes[piece.notes[:, 0] < first + OPENING].tolist()
            notes = tuple(Note(s, e, int(p), int(v)) for s, e, p, v in rows)
            found[piece.work] = NoteSequence(notes).trim(first, first + OPENING)
    return list(found.values())[:SEEDS]


def seeds(info: ModelInfo, data: Path | None, rng_seed: int) -> list[tuple[str, NoteSequence]]:
    """What the takes go on from, with the composer of each."""
    if data is None:
        return [(name, seed.sequence()) for name in COMPOSERS for seed in seeds_by(name)[:SEEDS]]
    dataset = music_for(info.training, data)
    return [(name, seed) for name in COMPOSERS for seed in openings(dataset, name, rng_seed)]


def rows_of(
    info: ModelInfo,
    prompts: Sequence[tuple[str, NoteSequence]],
    guidance: float,
    takes: int,
    rng_seed: int,
) -> np.ndarray:
    """`stretches` of takes that go on from every prompt, side by side."""
    generator = Asked(info)
    parts: list[np.ndarray] = []
    for composer, seed in prompts:
        controls = NoteControls(
            composer=composer,
            guidance=guidance,
            seconds=SECONDS,
            rng_seed=rng_seed + len(parts),
        )
        parts.append(stretches(generator, seed, controls, takes))
    if not parts:
        raise PyzzicatoError("That folder has no held-out performances: name another by --data.")
    return np.concatenate(parts, axis=1)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("model", metavar="MODEL", nargs="?", default="transformer")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="go on from openings of these")
    parser.add_argument("--guidance", type=float, nargs="+", default=[1.0, 2.0])
    parser.add_argument("--takes", type=int, default=4, help="of every seed (4)")
    parser.add_argument("--rng-seed", type=int, default=1)
    options = parser.parse_args()
    try:
        info = model_info(options.model)
        if not issubclass(info.controls, NoteControls):
            raise PyzzicatoError(f"The model {info.id} reads no wishes for density: name another.")
        prompts = seeds(info, options.data, options.rng_seed)
        for guidance in options.guidance:
            rows = rows_of(info, prompts, guidance, options.takes, options.rng_seed)
            print("\n".join(lines(guidance, rows, options.rng_seed)), flush=True)
    except PyzzicatoError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
