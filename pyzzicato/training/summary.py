"""What training.json says of a training: how it went, and what music it was taught on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pyzzicato.data.pieces import Dataset
from pyzzicato.training.family import Recipe, family_of

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
    known = family_of(plan.family).statistics(train)
    if "answer" in (before_this := _before(plan.folder)):  # measured with weights; see its tool
        known["answer"] = before_this["answer"]
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
        **known,
        "history": before + [row | {"epoch": row["epoch"] + len(before)} for row in history],
    }


def _before(folder: Path) -> dict[str, Any]:
    """The training.json of the last training, if there was one."""
    path = folder / "training.json"
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
