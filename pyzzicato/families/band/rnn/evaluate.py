"""How well a band that is written step by step tells real music, and what its own is like.

Nats a step: the mean of -ln of how likely the network held each step of a split, its instruments
told in the usual order, without the little that an instrument said to strike strikes nothing.
Beside it `counted`, which knows only how often, in the training split, each instrument strikes,
each key is struck when it does, and a note goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.families.band.evaluate import Told, band_scores
from pyzzicato.families.band.pairs import band_codes
from pyzzicato.families.band.planes import PARTS, WIDTH, planes
from pyzzicato.families.band.rnn.generate import ALL, EACH, FIXED, StepBand
from pyzzicato.families.band.rnn.windows import HISTORY, ORDER, PARTS_STRUCK, seen_in, window_inputs
from pyzzicato.metrics.scores import MODEL, Sheet
from pyzzicato.registry import ModelInfo

__all__ = ["Counts", "step_nats", "step_scores"]

CHUNK = 512  # steps that are told at once


def step_scores(
    info: ModelInfo, dataset: Dataset, say: Callable[[str], None] = print
) -> tuple[Sheet, ...]:
    """What `pyzzicato evaluate` measures of a model of this family."""
    model = StepBand(info)
    counts = Counts(_rows(dataset.split("train")))

    def told(pieces: Sequence[Piece]) -> Told:
        rows = _rows(pieces)
        figures = {MODEL: _mean(model, rows), "counted": counts.nats(rows)}
        return {"nats per step": {by: round(nats, 3) for by, nats in figures.items()}}

    variants = {f"as published, {rule}": {"rule": rule} for rule in (ALL, EACH, FIXED)}
    return band_scores(info, dataset, say, told=told, variants=variants)


def _rows(pieces: Sequence[Piece]) -> list[np.ndarray]:
    return [planes(codes) for codes in band_codes(pieces)]


def _mean(model: StepBand, pieces: Sequence[np.ndarray]) -> float:
    """Nats a step of all pieces, each read from its beginning."""
    total = 0.0
    for rows in pieces:
        whole = np.concatenate([np.zeros((HISTORY, WIDTH), np.uint8), rows])
        state = model.graph.start(1)
        for first in range(0, len(rows), CHUNK):
            part = whole[first : first + HISTORY + CHUNK]
            inputs = window_inputs(part, first)
            read = {name: inputs[name][None].astype(np.float32) for name in ("roll", "about")}
            said, state = model.graph.advance(read, state)
            now = part[HISTORY:].astype(np.float32)
            logits, _ = model.heads.advance(
                {
                    "base": said[..., : model.base],
                    "back": inputs["back"][None].astype(np.float32),
                    "now": now[None],
                    "seen": seen_in(ORDER).reshape(1, 25),
                },
                {},
            )
            total += float(step_nats(logits[0], now, part[HISTORY - 1 : -1]).sum())
    return total / max(sum(len(rows) for rows in pieces), 1)


def step_nats(logits: np.ndarray, now: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Nats of each step, (steps,), from logits (steps, 738), its planes and those before it."""

    def nats(truth: np.ndarray, said: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.logaddexp(0, said.astype(np.float64)) - truth * said
        return found

    total = np.zeros(len(now))
    for part, ((first, end), (a, b)) in enumerate(zip(PARTS, PARTS_STRUCK, strict=True)):
        middle = first + b - a
        struck = now[:, first:middle]
        on = struck.max(axis=1)
        total += nats(on, logits[:, WIDTH + part])
        total += on * nats(struck, logits[:, first:middle]).sum(axis=1)
        if end > middle:
            may = (before[:, middle:end] > 0) & (struck == 0)
            total += (may * nats(now[:, middle:end], logits[:, middle:end])).sum(axis=1)
    return total


class Counts:
    """The logits, (738,), of what is counted on music: planes of pieces (steps, 733)."""

    def __init__(self, pieces: Sequence[np.ndarray]) -> None:
        now = np.concatenate([np.zeros((0, WIDTH), np.uint8), *pieces])
        # The first step of a piece has nothing before it.
        before = np.concatenate(
            [np.zeros((0, WIDTH), np.uint8)]
            + [np.concatenate([np.zeros((1, WIDTH), np.uint8), rows[:-1]]) for rows in pieces]
        )
        self.logits = np.zeros(WIDTH + 5)
        for part, ((first, end), (a, b)) in enumerate(zip(PARTS, PARTS_STRUCK, strict=True)):
            middle = first + b - a
            struck = now[:, first:middle]
            on = np.asarray(struck.any(axis=1))
            self.logits[WIDTH + part] = _logit(on.sum(), len(on))
            self.logits[first:middle] = _logit(struck[on].sum(axis=0), on.sum())
            may = (before[:, middle:end] > 0) & (struck[:, : end - middle] == 0)
            went_on = (may & (now[:, middle:end] > 0)).sum(axis=0)
            self.logits[middle:end] = _logit(went_on, may.sum(axis=0))

    def nats(self, pieces: Sequence[np.ndarray]) -> float:
        """Nats a step."""
        total = 0.0
        for rows in pieces:
            before = np.concatenate([np.zeros((1, WIDTH), np.uint8), rows[:-1]])
            said = np.broadcast_to(self.logits, (len(rows), WIDTH + 5))
            total += float(step_nats(said, rows.astype(np.float32), before).sum())
        return total / max(sum(len(rows) for rows in pieces), 1)


def _logit(hits: Any, of: Any) -> Any:
    """The logit of a chance that was counted, with half a hit and half a miss more."""
    return np.log(np.asarray(hits) + 0.5) - np.log(np.asarray(of) - np.asarray(hits) + 0.5)
