"""What do courses of density promise, before a note is played? Many draws beside real pieces.

    python benchmarks/courses_alone.py [MODEL] --data FOLDER [--draws 40] [--pieces 60]
        [--first 5001] [--seconds 180] [--composers chopin,bach]

A draw is the courses that the pieces of `minutes_long.py` would follow, their numbers counted from
another place each time. Per composer, over all draws: notes per second of 30 s windows (10th
percentile, median, 90th) over those of real pieces, the median drift from the first third to the
last beside the real one, both with the standard deviation from draw to draw, and the share of draws
with every density within 0.75 to 1.33. What is played is off its course, so this is what is
promised and not what is kept.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from long_figures import PERCENTILES
from minutes_long import COMPOSERS, WITHIN, Prompt, in_turn, prompts, real_figures

from pyzzicato.courses import Course
from pyzzicato.datasets import read_dataset
from pyzzicato.density import WINDOW_SECONDS
from pyzzicato.errors import PyzzicatoError
from pyzzicato.paces import KNOT, Pace, pace_of
from pyzzicato.registry import model_info

APART = 37  # numbers from one draw to the next


class Drawn(NamedTuple):
    """Of the courses of one draw: densities at `PERCENTILES` (3,), and the median drift."""

    dense: np.ndarray
    drift: float


def drawn(pace: Pace, seeds: Sequence[Prompt], rng_seed: int, pieces: int, seconds: float) -> Drawn:
    """The courses that so many pieces would follow from that number on."""
    windows, drifts = [], []
    times, count = np.arange(0.5, seconds), int(seconds / WINDOW_SECONDS)
    for number, (_, seed) in enumerate(in_turn(seeds, pieces), rng_seed):
        (course,) = Course(pace, seed, seconds, number, 1).planned
        meant = np.interp(times / KNOT, np.arange(len(course)), course)
        whole = meant[: int(count * WINDOW_SECONDS)].reshape(count, -1)
        windows.append(whole.mean(axis=1))
        first, _, last = np.array_split(meant, 3)
        drifts.append(abs(np.log(last.mean() / first.mean())))
    dense = np.percentile(np.concatenate(windows), PERCENTILES)
    return Drawn(dense, float(np.exp(np.median(drifts))))


def row(composer: str, draws: Sequence[Drawn], real: Mapping[str, Any]) -> tuple[str, np.ndarray]:
    """A line to read, and which draws have every density within: (draws,) of bool."""
    ratios = np.array([draw.dense for draw in draws]) / [real[f"p{p}"] for p in PERCENTILES]
    drifts = np.array([draw.drift for draw in draws])
    within = ((ratios >= WITHIN[0]) & (ratios <= WITHIN[1])).all(axis=1)
    told = zip(ratios.mean(axis=0), ratios.std(axis=0), strict=True)
    dense = " ".join(f"{mean:.2f} (+-{off:.2f})" for mean, off in told)
    line = (
        f"{composer:<10} dense {dense}, drift {drifts.mean():.2f} (+-{drifts.std():.2f}), "
        f"real {real['drift_size']:.2f}; {within.mean():.0%} within"
    )
    return line, within


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", nargs="?", default="transformer", metavar="MODEL")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="real music to compare with")
    parser.add_argument("--draws", type=int, default=40)
    parser.add_argument("--first", type=int, default=5001, help="the number of the first draw")
    parser.add_argument("--pieces", type=int, default=60, help="of all composers together")
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--composers", default=",".join(COMPOSERS), help="ids, with commas")
    options = parser.parse_args()
    if options.data is None:
        print("Name a folder of music with --data.")
        return 0
    composers, length = options.composers.split(","), options.seconds
    numbers = range(options.first, options.first + options.draws * APART, APART)
    try:
        trained = model_info(options.model).trained
        dataset = read_dataset(options.data, composers=composers)
        all_within = np.ones(options.draws, bool)
        for composer in composers:
            pace = pace_of(trained, {composer: 1.0})
            if pace is None:
                raise PyzzicatoError(f"{options.model} has no courses of density.")
            pieces, seeds = max(1, options.pieces // len(composers)), prompts(composer, None)
            draws = [drawn(pace, seeds, number, pieces, length) for number in numbers]
            line, within = row(composer, draws, real_figures(dataset, composer, length)[0])
            all_within &= within
            print(line)
        print(f"{all_within.mean():.0%} of {options.draws} draws have every density within")
    except PyzzicatoError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
