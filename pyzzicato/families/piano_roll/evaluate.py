"""How well a piano-roll network tells the next step: precision, recall, F1 and nats key by key.

Conventions. A *frame* is one step (50 ms) of the roll. The network reads real music up to a step
and says the next one. A key counts as predicted where its probability passes a threshold, the one
with the best F1 on the validation split; the figures are of the test split. Sounding keys have two
thresholds, as in generation: one for those that sound already (do they go on?) and one for the
others. Nats are the likelihood: the natural logarithm of how surprising the truth was, added over
the 88 keys, per step; they need no threshold and less is better.

Two trivial predictors stand beside it: *repeat* says that the next step is the last one again
(for its nats: with how often that was so on the validation split); *rate* says every key with
its mean rate in the training split.

Source: the frame-wise measures of Bay, Ehmann and Downie (2009), used for prediction here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from pyzzicato.codecs.piano_roll import KEYS, ONSET, SOUNDING, draw_roll
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.families.piano_roll.windows import INPUTS, condition_of, density_code
from pyzzicato.generation.sampling import sigmoid
from pyzzicato.metrics.scores import MODEL, Measure, Score, Sheet, rows
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import StepGraph

__all__ = ["GRID", "Counts", "Held", "Tally", "roll_scores"]

GRID = np.concatenate([[0.001, 0.002, 0.005, 0.01], np.arange(1, 50) / 50])  # thresholds tried
STRUCK, HEARD = "struck keys", "sounding keys"
PLANES = {STRUCK: ONSET, HEARD: SOUNDING}
REPEAT, RATE = "the last step again", "each key at its mean rate"
WINDOW = 60.0  # seconds read at a time


class Tally:
    """Hits, predictions and true keys at every threshold of `GRID`, and nats, added up."""

    def __init__(self) -> None:
        self.hits = np.zeros(len(GRID))
        self.said = np.zeros(len(GRID))
        self.true = 0.0
        self.nats = 0.0

    def add(self, chance: np.ndarray, truth: np.ndarray) -> None:
        """Some keys: probabilities and truths of one shape, such as (steps, 88)."""
        level = np.searchsorted(GRID, chance.ravel(), side="left")
        there = truth.ravel() > 0.5
        size = len(GRID) + 1
        above = np.cumsum(np.bincount(level, minlength=size)[::-1])[::-1]
        hit = np.cumsum(np.bincount(level[there], minlength=size)[::-1])[::-1]
        self.said += above[1:]
        self.hits += hit[1:]
        self.true += float(there.sum())
        sure = np.clip(chance.ravel().astype(np.float64), 1e-6, 1 - 1e-6)
        self.nats -= float(np.log(np.where(there, sure, 1 - sure)).sum())

    def f1(self) -> np.ndarray:
        """F1 at every threshold."""
        result: np.ndarray = 2 * self.hits / np.maximum(self.said + self.true, 1)
        return result

    def row(self, index: int) -> dict[str, float]:
        """F1, precision and recall at one threshold."""
        return _row(self.hits[index], self.said[index], self.true)


class Held:
    """Keys that sound already, and the others, each with a threshold of its own."""

    def __init__(self) -> None:
        self.kept, self.fresh = Tally(), Tally()

    def add(self, chance: np.ndarray, truth: np.ndarray, before: np.ndarray) -> None:
        """One window: probabilities, truths and what sounded before, each (steps, 88)."""
        held = before > 0.5
        self.kept.add(chance[held], truth[held])
        self.fresh.add(chance[~held], truth[~held])

    @property
    def nats(self) -> float:
        return self.kept.nats + self.fresh.nats

    def best(self) -> tuple[int, int]:
        """The two thresholds' places in `GRID` that give the best F1 together."""
        hits = self.kept.hits[:, None] + self.fresh.hits[None, :]
        said = self.kept.said[:, None] + self.fresh.said[None, :]
        score = hits / np.maximum(said + self.kept.true + self.fresh.true, 1)
        kept, fresh = np.unravel_index(int(score.argmax()), score.shape)
        return int(kept), int(fresh)

    def row(self, index: tuple[int, int]) -> dict[str, float]:
        """F1, precision and recall at two thresholds."""
        kept, fresh = index
        return _row(
            self.kept.hits[kept] + self.fresh.hits[fresh],
            self.kept.said[kept] + self.fresh.said[fresh],
            self.kept.true + self.fresh.true,
        )


def _row(hits: float, said: float, true: float) -> dict[str, float]:
    return {
        "F1": round(float(2 * hits / max(said + true, 1)), 4),
        "precision": round(float(hits / max(said, 1)), 4),
        "recall": round(float(hits / max(true, 1)), 4),
    }


class Counts:
    """How often a key is on or off after it was on or off: [before, now], for *repeat*."""

    def __init__(self) -> None:
        self.table = np.zeros((2, 2))

    def add(self, before: np.ndarray, truth: np.ndarray) -> None:
        pair = 2 * (before > 0.5) + (truth > 0.5)
        self.table += np.bincount(pair.ravel(), minlength=4).reshape(2, 2)

    def nats(self, told: Counts) -> float:
        """Nats of these counts by a predictor that has seen `told`."""
        chance = (told.table + 1) / (told.table + 1).sum(axis=1, keepdims=True)
        return float(-(self.table * np.log(chance)).sum())


def _windows(pieces: Sequence[Piece], rate: float) -> Iterator[tuple[Piece, np.ndarray]]:
    """Every whole window of every piece, (steps, 3, 88)."""
    steps = int(WINDOW * rate)
    for piece in pieces:
        notes = piece.notes.astype(np.float64)
        for number in range(int(piece.duration // WINDOW)):
            yield piece, draw_roll(notes, number * WINDOW, steps, rate)


class _Split:
    """Everything that is added up over one split."""

    def __init__(self) -> None:
        self.steps = 0
        self.windows = 0
        self.struck, self.sounding = Tally(), Held()
        self.repeat = {what: Tally() for what in PLANES}
        self.counts = {what: Counts() for what in PLANES}
        self.rate = {what: Tally() for what in PLANES}

    def add(self, logits: np.ndarray, roll: np.ndarray, mean: dict[str, np.ndarray]) -> None:
        self.windows += 1
        self.steps += len(roll)
        for what, plane in PLANES.items():
            truth = roll[:, plane]
            before = np.concatenate([np.zeros((1, KEYS), np.float32), truth[:-1]])
            said = sigmoid(logits[:, plane * KEYS : (plane + 1) * KEYS])
            if what == HEARD:
                self.sounding.add(said, truth, before)
            else:
                self.struck.add(said, truth)
            self.repeat[what].add(before, truth)
            self.counts[what].add(before, truth)
            self.rate[what].add(np.broadcast_to(mean[what], truth.shape), truth)


def roll_scores(
    info: ModelInfo, dataset: Dataset, say: Callable[[str], None] = print
) -> tuple[Sheet, ...]:
    """What `pyzzicato evaluate` measures of a piano-roll model."""
    graph, rate = StepGraph(info.weights, threads=2), float(info.config["steps_per_second"])
    mean = _mean_rates(dataset.split("train"), rate)
    val, test = _Split(), _Split()
    for name, split in (("val", val), ("test", test)):
        for piece, roll in _windows(dataset.split(name), rate):
            split.add(_read(graph, info, piece.composer, roll), roll, mean)
        say(f"{info.id}: {split.windows} windows of {WINDOW:g} s in {name}")
    return (
        Sheet(
            "How well it tells the next step",
            "How well the next step of real music is told from the steps before it, on "
            f"{test.windows:,} windows of {WINDOW:g} s of works that were not trained on. Each "
            "predictor has the threshold that is best for it on the validation music. Nats are the "
            "surprise per step, all 88 keys together: less is better, and no threshold is needed.",
            (
                *(Measure(name, ".4f", "higher") for name in ("F1", "precision", "recall")),
                Measure("nats", ".4f", "lower"),
            ),
            tuple(_scores(val, test)),
            group="keys",
            rival=RATE,
        ),
    )


def _scores(val: _Split, test: _Split) -> Iterator[Score]:
    """The rows of all predictors, with thresholds that are best on `val`."""
    nats: dict[str, float] = defaultdict(float)
    for what in PLANES:
        found = {
            MODEL: test.struck.row(int(np.argmax(val.struck.f1())))
            if what == STRUCK
            else test.sounding.row(val.sounding.best()),
            REPEAT: test.repeat[what].row(int(np.argmax(val.repeat[what].f1()))),
            RATE: test.rate[what].row(int(np.argmax(val.rate[what].f1()))),
        }
        own = test.struck if what == STRUCK else test.sounding
        surprise = {
            MODEL: own.nats,
            REPEAT: test.counts[what].nats(val.counts[what]),
            RATE: test.rate[what].nats,
        }
        for by, row in found.items():
            nats[by] += surprise[by]
            yield from rows({**row, "nats": round(surprise[by] / test.steps, 4)}, by=by, group=what)
    for by, total in nats.items():
        yield Score("nats", round(total / test.steps, 4), by, "both")


def _mean_rates(pieces: Sequence[Piece], rate: float) -> dict[str, np.ndarray]:
    """How often each key is struck, and sounds, per step of the training split: (88,) each."""
    struck, sounding, steps = np.zeros(KEYS), np.zeros(KEYS), 0.0
    for piece in pieces:
        key = piece.notes[:, 2].astype(np.int64) - 21
        inside = (key >= 0) & (key < KEYS)
        length = (piece.notes[:, 1] - piece.notes[:, 0]).astype(np.float64)
        struck += np.bincount(key[inside], minlength=KEYS)
        sounding += np.bincount(key[inside], length[inside] * rate, minlength=KEYS)
        steps += piece.duration * rate
    return {STRUCK: struck / steps, HEARD: np.minimum(sounding / steps, 1.0)}


def _read(graph: StepGraph, info: ModelInfo, composer: str, roll: np.ndarray) -> np.ndarray:
    """What the network says of every step of a window, from those before it: (steps, 274)."""
    shown = np.zeros((1, len(roll), INPUTS), np.float32)
    shown[0, 1:] = roll[:-1].reshape(len(roll) - 1, INPUTS)
    density = density_code(float(roll[:, ONSET].sum()) / WINDOW)
    condition = np.array([[condition_of(info.composers, composer), density]], np.float32)
    logits, _ = graph.advance({"roll": shown, "condition": condition}, graph.start(1))
    said: np.ndarray = logits[0]
    return said
