"""What training.json says of a training: how it went, and what music it was taught on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyzzicato.data.datasets import Dataset, Piece
from pyzzicato.data.density import course_table, density_table, steadiness_table
from pyzzicato.data.intervals import interval_table
from pyzzicato.families.transformer.processors.articulation import touch_table
from pyzzicato.families.transformer.processors.register import register_table
from pyzzicato.training.recipes import Recipe

__all__ = ["training_summary"]


def training_summary(
    plan: Recipe, dataset: Dataset, history: list[dict[str, float]], weights: int, minutes: float
) -> dict[str, Any]:
    """The whole of training.json: of the weights kept, the epochs, and the music learned from.

    `history` has a row an epoch; `weights` is how many there are, `minutes` how long it took.
    Where the plan went on from weights there were, their epochs and minutes come first.
    """
    train = dataset.split("train")
    learned = Dataset(train, (), dataset.folder)
    offered = plan.config["composers"]
    best = min(history, key=lambda row: row["val_loss"])
    if plan.training.get("keep_every"):
        best = history[-1]  # with weights kept on the way, the model is where the way ends
    earlier = plan.begin.trained if plan.begin else {}
    before = earlier.get("history", [])
    return {
        "model": plan.model,
        "weights": weights,
        "minutes": round(minutes + earlier.get("minutes", 0.0), 1),
        "epochs": len(before) + len(history),
        "best_epoch": len(before) + int(best["epoch"]) + 1,
        "training_loss": round(best["loss"], 4),
        "validation_loss": round(best["val_loss"], 4),
        "hours": round(sum(piece.duration for piece in train) / 3600, 2),
        "recordings": len(train),
        "works": len({piece.work for piece in train}),
        "notes": sum(len(piece.notes) for piece in train),
        "licences": {name: round(hours, 2) for name, hours in learned.licences().items()},
        "composers": {name: round(hours, 2) for name, hours in learned.composers().items()},
        "density": {
            name: row["p50"] for name, row in density_table(train).items() if name in offered
        },
        "course": course_table(train),
        "steadiness": steadiness_table(train),
        "register": register_table(train),
        "touch": touch_table(train),
        "loudness": _loudness(train),
        "intervals": interval_table(train),
        "history": before + [row | {"epoch": row["epoch"] + len(before)} for row in history],
    }


def _loudness(pieces: Sequence[Piece]) -> dict[str, float]:
    """The mean MIDI velocity of each composer's notes."""
    velocities: dict[str, list[np.ndarray]] = {}
    for piece in pieces:
        velocities.setdefault(piece.composer, []).append(piece.notes[:, 3])
    return {
        name: round(float(np.concatenate(parts).mean()), 1)
        for name, parts in sorted(velocities.items())
    }
