"""A blind test of music: samples without names, what listeners said of them, and the results.

    test = make_trial(models, rng_seed=7)
    answers.keep(test, ratings, preferences)

One sample is real, a built-in opening; the others are what models wrote after *other* openings of
the same composer, as long as the real one. Each is rated from 1 to 5 on three scales: musicality,
fidelity (to the composer) and expressivity; and each two are compared. The scales are those of
Petit, Vassor, Bairam and Remond (Pyzzicato, 2021), the comparison is that of Music Transformer.

What was said is kept in one SQLite file on this computer: in `PYZZICATO_DATA`, or in the person's
data folder.
"""

from __future__ import annotations

import contextlib
import csv
import io
import math
import os
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

import numpy as np

from pyzzicato.composition.order import compose
from pyzzicato.errors import PyzzicatoError, SavingFailed
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.seeds.library import seeds_by

__all__ = [
    "REAL", "SCALES", "Answers", "Mean", "Pair", "Sample", "Trial", "answers_file", "make_trial",
    "suited",
]  # fmt: skip

SCALES = ("musicality", "fidelity", "expressivity")
REAL = "real"
LONGEST = 20.0  # seconds
NEITHER = ""

_TABLES = """
CREATE TABLE IF NOT EXISTS ratings (
    time TEXT, test INTEGER, composer TEXT, place INTEGER, what TEXT, music TEXT,
    musicality INTEGER, fidelity INTEGER, expressivity INTEGER);
CREATE TABLE IF NOT EXISTS preferences (
    time TEXT, test INTEGER, composer TEXT, one TEXT, other TEXT, preferred TEXT);
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One piece of a test: `what` is REAL or a model's id, `title` says it all."""

    what: str
    title: str
    music: NoteSequence


@dataclass(frozen=True, slots=True)
class Trial:
    """Samples in the order in which they are heard; `rng_seed` fixes all of it."""

    composer: str
    samples: tuple[Sample, ...]
    rng_seed: int

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Each two of the samples, by their places."""
        return tuple(combinations(range(len(self.samples)), 2))


def suited(models: Sequence[ModelInfo]) -> list[ModelInfo]:
    """The models that write in a composer's style and have their files."""
    return [info for info in models if info.composers and info.weights.is_file()]


def make_trial(models: Sequence[ModelInfo], rng_seed: int) -> Trial:
    """Composes a test of these models; raises PyzzicatoError where they share no composer."""
    composers = [
        composer
        for composer in (models[0].composers if models else ())
        if all(composer in info.composers for info in models) and len(seeds_by(composer)) > 1
    ]
    if not composers:
        raise PyzzicatoError(
            "These models have no composer in common who has two openings: choose others."
        )
    dice = np.random.default_rng(rng_seed)
    composer = str(dice.choice(composers))
    seeds = seeds_by(composer)
    order = dice.permutation(len(seeds))
    real = seeds[order[0]]
    length = min(real.sequence().duration, LONGEST)
    samples = [Sample(REAL, f"{real.composer.short}, {real.name}", _cut(real.sequence(), length))]
    for number, info in enumerate(models):
        after = seeds[order[1 + number % (len(seeds) - 1)]]
        made = compose(
            composer, after.id, seconds=LONGEST, model=info.id, rng_seed=int(dice.integers(2**31))
        )
        title = f"{info.title}, after {after.name}"
        samples.append(Sample(info.id, title, _cut(made.continuation, length)))
    mixed = tuple(samples[place] for place in dice.permutation(len(samples)))
    return Trial(composer, mixed, rng_seed)


def _cut(music: NoteSequence, seconds: float) -> NoteSequence:
    return music.trim(0.0, seconds)


def answers_file() -> Path:
    """Where answers are kept: PYZZICATO_DATA, or the person's data folder."""
    named = os.environ.get("PYZZICATO_DATA")
    if named:
        return Path(named) / "listening.sqlite3"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "pyzzicato" / "listening.sqlite3"


@dataclass(frozen=True, slots=True)
class Mean:
    """Ratings of one kind of music on one scale; `reach` is half of the 95 % interval, or None."""

    mean: float
    reach: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Pair:
    """How often `one` was preferred to `other`; `low` to `high` is the 95 % interval (Wilson)."""

    one: str
    other: str
    wins: int
    losses: int
    ties: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Answers:
    """The file of answers; nothing is made before something is kept."""

    path: Path

    def keep(
        self,
        test: Trial,
        ratings: Sequence[Mapping[str, int]],
        preferences: Mapping[tuple[int, int], int | None],
    ) -> None:
        """Keeps a rating of every scale for each sample, and for each pair the preferred place.

        None is no preference. Raises ValueError where something is missing or out of range,
        SavingFailed where the file cannot be written.
        """
        whole = all(row.get(scale) in range(1, 6) for row in ratings for scale in SCALES)
        if len(ratings) != len(test.samples) or not whole or set(preferences) != set(test.pairs):
            raise ValueError("every sample needs its ratings from 1 to 5, every pair an answer")
        told = (datetime.now(UTC).isoformat(timespec="seconds"), test.rng_seed, test.composer)
        rated = [
            (*told, place, sample.what, sample.title, *(row[scale] for scale in SCALES))
            for place, (sample, row) in enumerate(zip(test.samples, ratings, strict=True))
        ]
        whats = [sample.what for sample in test.samples]
        compared = [
            (*told, whats[a], whats[b], NEITHER if choice is None else whats[choice])
            for (a, b), choice in preferences.items()
        ]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self._open() as file, file:
                file.executescript(_TABLES)
                file.executemany("INSERT INTO ratings VALUES (?,?,?,?,?,?,?,?,?)", rated)
                file.executemany("INSERT INTO preferences VALUES (?,?,?,?,?,?)", compared)
        except (OSError, sqlite3.Error) as error:
            raise SavingFailed(
                f"The answers could not be kept in {self.path}: {error}. Choose another folder "
                "with PYZZICATO_DATA."
            ) from error

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        file = sqlite3.connect(self.path, timeout=10)
        try:
            yield file
        finally:
            file.close()

    def _rows(self, table: str) -> tuple[list[str], list[tuple[str | int, ...]]]:
        """Names of the columns, and all rows; none where nothing was kept."""
        if not self.path.is_file():
            return [], []
        try:
            with self._open() as file:
                found = file.execute(f"SELECT * FROM {table} ORDER BY rowid")
                return [column[0] for column in found.description], found.fetchall()
        except sqlite3.Error as error:
            raise SavingFailed(
                f"The answers in {self.path} cannot be read: {error}. Move that file away."
            ) from error

    def means(self) -> dict[str, dict[str, Mean]]:
        """By what was heard and by scale: the mean and its 95 % interval."""
        _, rows = self._rows("ratings")
        found: dict[str, list[tuple[int, ...]]] = defaultdict(list)
        for row in rows:
            found[str(row[4])].append(tuple(int(value) for value in row[6:9]))
        return {
            what: {scale: _mean([each[n] for each in given]) for n, scale in enumerate(SCALES)}
            for what, given in sorted(found.items(), key=lambda item: (item[0] != REAL, item[0]))
        }

    def pairs(self) -> list[Pair]:
        """How each two did against each other."""
        _, rows = self._rows("preferences")
        found: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row in rows:
            one, other = sorted((str(row[3]), str(row[4])), key=lambda what: (what != REAL, what))
            found[one, other].append(str(row[5]))
        return [_pair(*both, said) for both, said in sorted(found.items())]

    def as_csv(self, table: str) -> bytes:
        """The answers as they were given: "ratings" or "preferences"."""
        if table not in ("ratings", "preferences"):
            raise ValueError(f"there is no table {table!r}")
        head, rows = self._rows(table)
        text = io.StringIO()
        csv.writer(text).writerows([head, *rows] if head else [])
        return text.getvalue().encode()


def _mean(values: Sequence[int]) -> Mean:
    """Mean and normal interval; below two values there is none."""
    n, mean = len(values), sum(values) / len(values)
    if n < 2:
        return Mean(mean, None, n)
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
    return Mean(mean, 1.96 * spread / math.sqrt(n), n)


def _pair(one: str, other: str, said: Sequence[str]) -> Pair:
    wins, losses = said.count(one), said.count(other)
    low, high = _wilson(wins, wins + losses)
    return Pair(one, other, wins, losses, len(said) - wins - losses, low, high)


def _wilson(wins: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share; 0 to 1 without any answer."""
    if not n:
        return 0.0, 1.0
    z, share = 1.96, wins / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - reach), min(1.0, middle + reach)
