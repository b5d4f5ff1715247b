"""How dense a model plays what it is asked for, composer by composer, into its training.json.

    python tools/measure_answers.py [MODEL] [--pieces 16] [--seconds 150] [--rng-seed 1001]
        [--composers bach,chopin]

Pieces go on from the built-in seeds of every composer that has some and whose recordings were
measured (`tools/measure_courses.py`), as they do on the Compose page. Over stretches of 30 s the
notes per second that were played, as logarithms, are set beside those that were asked for: `more` +
`times` what was asked has the median and the distance from the 10th percentile to the 90th of what
was played. (Not by least squares: playing is off its course by chance too, so half minutes would
go further apart than meant, and it is how far apart they are that is held beside real music.)
`processors/density_control.py` turns that round, to ask for what gives the wanted densities; it
does so while this measures too, with what training.json knows already. The answer is not quite
along a line, and what is asked for once it is turned round goes further: so measure twice, the
second time with another `--rng-seed`; where there is a row already, the mean of
it and of what is found is written.
Composers without a row are taken to be answered as the others are in the mean. `--composers`
measures only these; the other rows stay as they are.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from pyzzicato.codecs.piano_roll import note_array
from pyzzicato.data.density import EVERYBODY, WINDOW_SECONDS
from pyzzicato.errors import PyzzicatoError
from pyzzicato.families.transformer.generate import NoteControls, NoteGenerator
from pyzzicato.families.transformer.processors.density_control import KNOT, LEAST, Pace, pace_of
from pyzzicato.families.transformer.processors.density_plan import Course
from pyzzicato.generation.generator import collect_takes
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo, model_info
from pyzzicato.runtime.processes import cores, spread
from pyzzicato.seeds.library import seeds_by

GRID = 1.0  # seconds at which a course is read
OUTER = (10, 50, 90)  # percentiles
FLATTEST, STEEPEST = 0.5, 1.3  # a fit outside is chance, and turned round it would ask for extremes


class Remembering(NoteGenerator):
    """A model that remembers the last courses it was told to follow, (takes, knots)."""

    planned = np.zeros((0, 0))

    def _course(self, seed: NoteSequence, controls: NoteControls, batch: int) -> Course | None:
        course = super()._course(seed, controls, batch)
        if course:
            self.planned = course.planned
        return course


class Answer(NamedTuple):
    """Logarithm played = `more` + `times` x logarithm asked for."""

    more: float
    times: float


def logarithm(per_second: np.ndarray) -> np.ndarray:
    """Of notes per second, as `transformer.processors.density_control` takes it."""
    found: np.ndarray = np.log(per_second + LEAST)
    return found


def asked_for(planned: np.ndarray, seconds: float, pace: Pace) -> np.ndarray:
    """Notes per second asked for along a course, (knots,), in each whole 30 s: (stretches,)."""
    count = int(seconds / WINDOW_SECONDS)
    times = np.arange(count * WINDOW_SECONDS / GRID) * GRID + GRID / 2
    read = np.interp(times / KNOT, np.arange(len(planned)), planned)
    asked = np.array([pace.asked(meant) for meant in read])
    found: np.ndarray = asked.reshape(count, -1).mean(axis=1)
    return found


def played(notes: np.ndarray, seconds: float) -> np.ndarray:
    """Notes per second of each whole 30 s of a take, (n, 4): (stretches,)."""
    count = int(seconds / WINDOW_SECONDS)
    index = (notes[:, 0] / WINDOW_SECONDS).astype(np.int64)
    found: np.ndarray = np.bincount(index[index < count], minlength=count) / WINDOW_SECONDS
    return found


def stretches(
    info: ModelInfo, composer: str, *, pieces: int, seconds: float, rng_seed: int
) -> np.ndarray:
    """What was asked for and what was played, as logarithms: (2, stretches)."""
    generator, seeds = Remembering(info), seeds_by(composer)
    pace = pace_of(info.trained, {composer: 1.0})
    if pace is None:
        raise PyzzicatoError(f"{info.id} has no courses: run tools/measure_courses.py first.")
    rows = []
    for place in range(min(pieces, len(seeds))):
        takes = len(range(place, pieces, len(seeds)))
        controls = NoteControls(composer=composer, seconds=seconds, rng_seed=rng_seed + place)
        steps = generator.generate(seeds[place].sequence(), controls, takes)
        made = collect_takes(steps, takes)
        for take, planned in zip(made, generator.planned, strict=False):
            rows.append([asked_for(planned, seconds, pace), played(note_array(take), seconds)])
    return logarithm(np.concatenate(np.array(rows), axis=1))


def answer(rows: np.ndarray) -> Answer:
    """What brings the percentiles of (2, stretches) together, its slope within bounds."""
    (sparse, middle, dense), heard = np.percentile(rows, OUTER, axis=1).T
    slope = float((heard[2] - heard[0]) / (dense - sparse)) if dense > sparse else 1.0
    times = min(max(slope, FLATTEST), STEEPEST)
    return Answer(float(heard[1] - times * middle), times)


def answers_of(
    info: ModelInfo,
    composers: Sequence[str],
    pieces: int,
    seconds: float,
    rng_seed: int,
    processes: int = 1,
) -> dict[str, list[float]]:
    """A row of [more, times] by composer id; prints as it goes."""
    table = {}
    ask = partial(stretches, info, pieces=pieces, seconds=seconds, rng_seed=rng_seed)
    for composer, rows in zip(composers, spread(ask, composers, processes), strict=True):
        found = answer(rows)
        left = rows[1] - found.more - found.times * rows[0]
        table[composer] = [round(value, 3) for value in found]
        print(f"{composer:<14} {found.more:+.2f} + {found.times:.2f} x asked, "
              f"standard deviation of the rest {left.std():.2f}", flush=True)  # fmt: skip
    return table


def together(
    before: Mapping[str, Sequence[float]], found: Mapping[str, Sequence[float]]
) -> dict[str, list[float]]:
    """The mean of both where there are two, and "" for composers that have none: all their mean."""

    def mean(*rows: Sequence[float]) -> list[float]:
        return [round(float(value), 3) for value in np.mean(rows, axis=0)]

    table = {
        name: mean(*(t[name] for t in (before, found) if name in t)) for name in {**before, **found}
    }
    return {EVERYBODY: mean(*table.values()), **table}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("model", metavar="MODEL", nargs="?", default="transformer")
    parser.add_argument("--pieces", type=int, default=16, help="of each composer (16)")
    parser.add_argument("--seconds", type=float, default=150.0, help="of each piece (150)")
    parser.add_argument("--rng-seed", type=int, default=1001)
    parser.add_argument("--composers", default="", help="ids, with commas; default: all")
    options = parser.parse_args()
    try:
        info = model_info(options.model)
        if not issubclass(info.controls, NoteControls):
            raise PyzzicatoError(f"The model {info.id} reads no wishes for density: name another.")
        known = info.trained.get("course", {})
        able = [name for name in info.composers if name in known and seeds_by(name)]
        composers = options.composers.split(",") if options.composers else able
        if not able or not set(composers) <= set(able):
            raise PyzzicatoError(
                "Only composers with seeds and a measured course can be asked: "
                f"{', '.join(able) or 'run tools/measure_courses.py first'}."
            )
        asked = (options.pieces, options.seconds, options.rng_seed)
        before = info.trained.get("answer", {})
        kept = {name: row for name, row in before.items() if name in able}
        table = together(kept, answers_of(info, composers, *asked, cores()))
        path = info.folder / "training.json"
        told = json.loads(path.read_text(encoding="utf-8")) | {"answer": table}
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        print(f"{path}: {len(table)} rows of answer")
    except PyzzicatoError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
