"""How well a piano-roll network tells the next step: precision, recall and F1 key by key.

Conventions. A *frame* is one step (50 ms) of the roll; "onset" counts struck keys, "sounding"
keys that sound. The network reads real music up to a step and says the next one. A key counts
as predicted where its probability passes a threshold; the threshold of each predictor is the one
with the best F1 on the validation split, and the figures are of the test split.

Two trivial predictors stand beside it: *repeat* says that the next step is the last one again;
*rate* says every key with its mean rate in the training split.

Source: the frame-wise measures of Bay, Ehmann and Downie (2009), used for prediction here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from pyzzicato.codecs.piano_roll import KEYS, ONSET, SOUNDING, draw_roll
from pyzzicato.datasets import Dataset, Piece
from pyzzicato.registry import ModelInfo
from pyzzicato.roll_examples import INPUTS, condition_of, density_code
from pyzzicato.runtime import StepGraph
from pyzzicato.sampling import sigmoid

__all__ = ["GRID", "Tally", "frame_scores", "roll_scores"]

GRID = np.concatenate([[0.001, 0.002, 0.005, 0.01], np.arange(1, 50) / 50])  # thresholds tried
PLANES = {"onset": ONSET, "sounding": SOUNDING}
WINDOW = 60.0  # seconds read at a time


class Tally:
    """Hits, predictions and true keys at every threshold of `GRID`, added up."""

    def __init__(self) -> None:
        self.hits = np.zeros(len(GRID))
        self.said = np.zeros(len(GRID))
        self.true = 0.0

    def add(self, chance: np.ndarray, truth: np.ndarray) -> None:
        """One window: probabilities and truths, both (steps, 88)."""
        level = np.searchsorted(GRID, chance.ravel(), side="left")
        there = truth.ravel() > 0.5
        size = len(GRID) + 1
        above = np.cumsum(np.bincount(level, minlength=size)[::-1])[::-1]
        hit = np.cumsum(np.bincount(level[there], minlength=size)[::-1])[::-1]
        self.said += above[1:]
        self.hits += hit[1:]
        self.true += float(there.sum())

    def f1(self) -> np.ndarray:
        """F1 at every threshold."""
        result: np.ndarray = 2 * self.hits / np.maximum(self.said + self.true, 1)
        return result

    def row(self, index: int) -> dict[str, float]:
        """Precision, recall and F1 at one threshold."""
        return {
            "threshold": round(float(GRID[index]), 3),
            "precision": round(float(self.hits[index] / max(self.said[index], 1)), 4),
            "recall": round(float(self.hits[index] / max(self.true, 1)), 4),
            "f1": round(float(self.f1()[index]), 4),
        }


def _windows(pieces: Sequence[Piece], rate: float) -> Iterator[tuple[Piece, np.ndarray]]:
    """Every whole window of every piece, (steps, 3, 88)."""
    steps = int(WINDOW * rate)
    for piece in pieces:
        notes = piece.notes.astype(np.float64)
        for number in range(int(piece.duration // WINDOW)):
            yield piece, draw_roll(notes, number * WINDOW, steps, rate)


def frame_scores(
    info: ModelInfo, dataset: Dataset, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """The scores of a piano-roll model and of the two trivial predictors, for metrics.json."""
    graph, rate = StepGraph(info.weights, threads=2), float(info.config["steps_per_second"])
    mean = _mean_rates(dataset.split("train"), rate)
    tallies: dict[str, dict[tuple[str, str], Tally]] = {}
    windows = {"val": 0, "test": 0}
    for split in windows:
        tally = {(who, what): Tally() for who in ("network", "repeat", "rate") for what in PLANES}
        for piece, roll in _windows(dataset.split(split), rate):
            logits = _read(graph, info, piece.composer, roll)
            for what, plane in PLANES.items():
                truth = roll[:, plane]
                before = np.concatenate([np.zeros((1, KEYS), np.float32), truth[:-1]])
                said = sigmoid(logits[:, plane * KEYS : (plane + 1) * KEYS])
                tally["network", what].add(said, truth)
                tally["repeat", what].add(before, truth)
                tally["rate", what].add(np.broadcast_to(mean[what], truth.shape), truth)
            windows[split] += 1
        say(f"{info.id}: {windows[split]} windows of {WINDOW:g} s in {split}")
        tallies[split] = tally
    rows: dict[str, Any] = {"windows": windows["test"], "window_seconds": WINDOW}
    for who, what in tallies["val"]:
        best = int(np.argmax(tallies["val"][who, what].f1()))
        rows.setdefault(who, {})[what] = tallies["test"][who, what].row(best)
    return rows


def roll_scores(
    info: ModelInfo, dataset: Dataset, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """What `pyzzicato evaluate` measures of a piano-roll model."""
    return {"frames": frame_scores(info, dataset, say)}


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
    return {"onset": struck / steps, "sounding": np.minimum(sounding / steps, 1.0)}


def _read(graph: StepGraph, info: ModelInfo, composer: str, roll: np.ndarray) -> np.ndarray:
    """What the network says of every step of a window, from those before it: (steps, 274)."""
    shown = np.zeros((1, len(roll), INPUTS), np.float32)
    shown[0, 1:] = roll[:-1].reshape(len(roll) - 1, INPUTS)
    density = density_code(float(roll[:, ONSET].sum()) / WINDOW)
    condition = np.array([[condition_of(info.composers, composer), density]], np.float32)
    logits, _ = graph.advance({"roll": shown, "condition": condition}, graph.start(1))
    said: np.ndarray = logits[0]
    return said
