"""How the GAN is trained: two networks by turns, ours or by the published recipe.

What a turn is: `band.gan.turns`. Ours first learns alone, by what really came, then the
discriminator alone, then both by turns; the music is made with the running mean of the
generator's weights.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pyzzicato.data.pieces import Dataset
from pyzzicato.families.band.gan.published import published, published_generator, published_graph
from pyzzicato.families.band.gan.turns import Ours, Published
from pyzzicato.families.band.gan.windows import GanBatch, GanPairs, real_codes
from pyzzicato.metrics.band import band_measures, change, variety
from pyzzicato.training.family import Training

__all__ = ["GanTraining", "distance", "fit", "lacking", "train_published"]

CHECKED = 192  # windows that are made and measured after each epoch
EMA = 0.997  # a turn, of the running mean of the weights
SURE = 1.96  # standard errors of an interval of 95 %
AT_MOST = 3.0  # of these intervals, that one measure counts for
VARIED = 0.6  # of real windows' variety, that two windows after the same one shall have
Row = dict[str, float]


@dataclass(frozen=True)
class GanTraining(Training):
    """The keys of [training]; `warm` and `judge_alone` are turns before the epochs."""

    warm: int = 0
    judge_alone: int = 0
    learning_rate_warm: float = 0.0
    learning_rate_judge: float = 0.0
    published: Mapping[str, Any] = field(default_factory=dict)


def fit(
    model: Any,
    plan: Any,
    dataset: Dataset,
    epochs: int,
    rng_seed: int,
    say: Callable[[str], None] = print,
) -> list[Row]:
    """Trains `model`, a generator, and leaves in it the weights whose music measured best; by the
    published recipe the last ones, and no running mean.

    A row for each epoch: `loss` is the generator's, `judge` the discriminator's, `val_loss` how
    far the music's measures are from those of the validation split (`distance`) and what it
    lacks in variety (`lacking`), `apart` how far two windows after the same one are apart.
    """
    config, training = plan.config, plan.training
    turn = (Published if published(config) else Ours)(model, training, config)
    learned, checked = GanPairs(dataset.split("train"), config), dataset.split("val")
    asked = _asked(GanPairs(checked, config), rng_seed)
    rng = np.random.default_rng(rng_seed)
    history: list[Row] = []
    begun = time.time()
    if isinstance(turn, Ours):
        warm = [turn.warm_up(learned.batch(rng), rng) for _ in range(training["warm"])]
        say(f"alone: loss {np.mean(warm[-100:]):.3f}, " + _in_words(_measured(turn, asked)))
        for _ in range(training["judge_alone"]):
            turn.judge(learned.batch(rng), rng)
    mean, keep = model.get_weights(), 0.0 if published(config) else EMA
    for epoch in range(epochs):
        losses = []
        for _ in range(training["steps_per_epoch"]):
            losses.append(turn(learned.batch(rng), rng))
            both = zip(mean, model.get_weights(), strict=True)
            mean = [keep * a + (1 - keep) * b for a, b in both]
        now = model.get_weights()
        model.set_weights(mean)
        made, judged = np.mean(losses, axis=0).tolist()
        row = {"epoch": epoch, "loss": made, "judge": judged, **_measured(turn, asked)}
        history.append(row)
        if published(config) or row["val_loss"] <= min(old["val_loss"] for old in history):
            best = mean
        model.set_weights(now)
        say(f"{_in_words(row)}, {(time.time() - begun) / 60:.1f} minutes")
    model.set_weights(best)
    minutes = (time.time() - begun) / 60
    (plan.run / "minutes.txt").write_text(f"{minutes:.2f}\n")
    return history


def train_published(plan: Any, dataset: Dataset, say: Callable[[str], None] = print) -> None:
    """Trains the published network beside ours, by [training.published], to `published.onnx`."""
    import keras
    import onnx

    from pyzzicato.training.recipes import weights_by_path

    config = {**plan.config, "recipe": "published"}
    training = {**plan.training, **plan.training["published"]}
    run = plan.run / "published"
    run.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(1)
    model = published_generator(config)
    say("the same by the published recipe")
    plain = replace(plan, config=config, training=training, run=run)
    fit(model, plain, dataset, training["epochs"], 1, say)
    onnx.save(published_graph(weights_by_path(model)), plan.folder / "published.onnx")


def _asked(pairs: GanPairs, rng_seed: int) -> list[GanBatch]:
    rng = np.random.default_rng(rng_seed)
    batches = [pairs.batch(rng, training=False)]
    while sum(len(batch.rows) for batch in batches) < CHECKED:
        batches.append(pairs.batch(rng, training=False))
    return batches


def _measured(turn: Ours | Published, asked: list[GanBatch]) -> Row:
    """`val_loss` and `apart` of what the generator makes of what was asked."""
    one, other = (
        np.concatenate([turn.windows(batch, getattr(batch, name)) for batch in asked])
        for name in ("noise", "other")
    )
    real = np.concatenate([real_codes(batch) for batch in asked])
    row = {"near": distance(one, real), "apart": float(change(one, other).mean())}
    if isinstance(turn, Ours):
        parts = np.split(one, np.cumsum([len(batch.rows) for batch in asked])[:-1])
        later = [turn.later(batch, made) for batch, made in zip(asked, parts, strict=True)]
        row["later"] = distance(np.concatenate(later), real)
    off = (row["near"] + row.get("later", row["near"])) / 2
    return {"val_loss": off + lacking(one, other, real), **row}


def distance(made: np.ndarray, real: np.ndarray) -> float:
    """How far windows are from real ones, about 0.5 for other real ones: the mean over MuseGAN's
    measures of how much their means differ, in parts of what their intervals would allow."""
    ours, theirs = band_measures(made), band_measures(real)
    found = []
    for name, values in theirs.items():
        for one, other in zip(ours[name].T, values.T, strict=True):
            one, other = one[~np.isnan(one)], other[~np.isnan(other)]
            if len(other):
                found.append(_intervals_apart(one, other) if len(one) else AT_MOST)
    return float(np.mean(found))


def _intervals_apart(one: np.ndarray, other: np.ndarray) -> float:
    off = abs(float(one.mean() - other.mean()))
    allowed = SURE * sum(float(v.std()) / np.sqrt(len(v)) for v in (one, other))
    return float(min(off / max(allowed, 1e-3), AT_MOST))


def lacking(one: np.ndarray, other: np.ndarray, real: np.ndarray) -> float:
    """What windows lack in variety, 0 to 2: among each other beside real ones, and from those
    that follow the same windows by another noise."""
    wanted = max(variety(real), 1e-6)
    among = max(1 - variety(one) / wanted, 0.0)
    return among + max(VARIED - float(change(one, other).mean()) / wanted, 0.0) / VARIED


def _in_words(row: Row) -> str:
    return ", ".join(f"{name} {value:.3f}" for name, value in row.items())
