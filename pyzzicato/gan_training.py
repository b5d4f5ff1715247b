"""How the GAN is trained: two networks by turns, ours or by the published recipe.

Published (Skourogiannis and Pallikaris): cross-entropy with smoothed labels (false U[0, 0.1],
real U[0.9, 1]), two feature-matching terms (the squared difference of the means of real and made
music, in the windows and in what the first convolution finds), a higher learning rate for the
discriminator (two time scales). Ours: the hinge loss (Lim and Ye, 2017) under a spectral norm
(Miyato et al., 2018), the same two terms, a term that keeps two windows from the same beginning
apart where they would be alike (after Mao et al., 2019), a little of the cross-entropy of what
really came, and for the music the running mean of the generator's weights.

Every network is trained by `train_on_batch`, so that it runs on all of Keras' backends.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from pyzzicato.band_measures import band_measures, variety
from pyzzicato.datasets import Dataset
from pyzzicato.gan_network import (
    COND,
    NOISE,
    binary,
    discriminator,
    given_too,
    published,
    published_discriminator,
    published_generator,
    published_graph,
)
from pyzzicato.gan_windows import GanBatch, GanPairs, cells_of, codes_of, roll_codes, roll_of

__all__ = ["distance", "fit", "train_published"]

CHECKED = 128  # windows that are made and measured after each epoch
EMA = 0.995  # a step, of the running mean of the weights
APART = 0.7  # of the notes, that two windows from one beginning shall not have in common
WEIGHTS = {"windows": 1.0, "features": 0.1, "apart": 6.0, "told": 0.15}
Row = dict[str, float]


def fit(
    model: Any,
    plan: Any,
    dataset: Dataset,
    epochs: int,
    rng_seed: int,
    say: Callable[[str], None] = print,
) -> list[Row]:
    """Trains `model`, a generator, and leaves in it the weights whose music measured best.

    Ours first learns alone, by what really came, for `warm` turns. Then a row for each epoch:
    `loss` is the generator's, `judge` the discriminator's, `val_loss` how far the music's
    measures are from those of the validation split (`distance`).
    """
    config = plan.config
    turn = (_Published if published(config) else _Ours)(model, plan.training, config)
    learned, checked = GanPairs(dataset.split("train"), config), dataset.split("val")
    asked = _asked(GanPairs(checked, config), rng_seed)
    rng = np.random.default_rng(rng_seed)
    history: list[Row] = []
    begun = time.time()
    if isinstance(turn, _Ours):
        warm = [turn.warm_up(learned.batch(rng)) for _ in range(plan.training["warm"])]
        off = distance(turn.windows(asked), _real(asked))
        say(f"alone: loss {np.mean(warm[-100:]):.3f}, distance {off:.3f}")
    mean = model.get_weights()
    for epoch in range(epochs):
        losses = []
        for _ in range(plan.training["steps_per_epoch"]):
            losses.append(turn(learned.batch(rng), rng))
            mean = [EMA * a + (1 - EMA) * b for a, b in zip(mean, model.get_weights(), strict=True)]
        now = model.get_weights()
        model.set_weights(mean)
        off = distance(turn.windows(asked), _real(asked))
        row = {"epoch": epoch, "loss": float(np.mean([made for made, _ in losses]))}
        row |= {"judge": float(np.mean([judged for _, judged in losses])), "val_loss": off}
        history.append(row)
        if off <= min(old["val_loss"] for old in history):
            best = mean
        model.set_weights(now)
        say(", ".join(f"{name} {value:.3f}" for name, value in row.items()))
    model.set_weights(best)
    minutes = (time.time() - begun) / 60
    (plan.run / "minutes.txt").write_text(f"{minutes:.2f}\n")
    return history


def train_published(plan: Any, dataset: Dataset, say: Callable[[str], None] = print) -> None:
    """Trains the published network beside ours, by [training.published], to `published.onnx`."""
    import keras
    import onnx

    from pyzzicato.training import weights_by_path

    config = {**plan.config, "recipe": "published"}
    training = {**plan.training, **plan.training["published"]}
    run = plan.run / "published"
    run.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(1)
    model = published_generator(config)
    say("the same by the published recipe")
    fit(
        model,
        replace(plan, config=config, training=training, run=run),
        dataset,
        training["epochs"],
        1,
        say,
    )
    onnx.save(published_graph(weights_by_path(model)), plan.folder / "published.onnx")


def _asked(pairs: GanPairs, rng_seed: int) -> list[GanBatch]:
    rng = np.random.default_rng(rng_seed)
    batches = [pairs.batch(rng, training=False)]
    while sum(len(batch.real) for batch in batches) < CHECKED:
        batches.append(pairs.batch(rng, training=False))
    return batches


def _silence(count: int) -> np.ndarray:
    return np.zeros((count, 5, 128), np.uint8)


def _real(asked: list[GanBatch]) -> np.ndarray:
    cells = np.concatenate([batch.real for batch in asked])
    return codes_of(cells, _silence(len(cells)))


def distance(made: np.ndarray, real: np.ndarray) -> float:
    """How far windows are from real ones: the mean over all of MuseGAN's measures of how much
    their means differ, in parts of the real ones' spread, and what they lack in variety."""
    ours, theirs = band_measures(made), band_measures(real)
    apart = []
    for name, values in theirs.items():
        for one, other in zip(ours[name].T, values.T, strict=True):
            spread = max(float(np.nanstd(other)), 1e-3)
            known = one[~np.isnan(one)]
            off = abs(known.mean() - np.nanmean(other)) / spread if len(known) else 1.0
            apart.append(min(off, 1.0))
    lacking = max(1 - variety(made) / max(variety(real), 1e-6), 0.0)
    return float(np.mean(apart)) + lacking


class _Ours:
    """A turn of both networks by our recipe."""

    def __init__(self, model: Any, training: Any, config: Any) -> None:
        import keras
        from keras import ops

        self.model = model
        self.judge = discriminator(config)
        window, cond = self.judge.inputs
        first, score = self.judge.outputs
        self.features = keras.Model([window, cond], first)
        self.scored = keras.Model([window, cond], score)
        self.scored.compile(_adam(training["learning_rate_judge"]), loss=_hinge)
        noise, other = keras.Input((NOISE,)), keras.Input((NOISE,))
        cond = keras.Input((model.inputs[1].shape[1], COND))
        both = model([noise, cond]), model([other, cond])
        cells, rest = (given_too(binary(logits), cond) for logits in both)
        truth = keras.Input(cells.shape[1:])
        nats = ops.reshape(ops.minimum(*(_nats(truth, logits) for logits in both)), (-1, 1))
        found, told = self.judge([cells, cond])
        apart = ops.reshape(_apart(cells, rest), (-1, 1))
        self.whole = keras.Model([noise, other, cond, truth], [told, cells, found, apart, nats])
        self.whole.compile(
            _adam(training["learning_rate"]),
            loss=[_fooled, _same_mean, _same_mean, _too_close, _as_it_is],
            loss_weights=[1.0, *WEIGHTS.values()],
        )
        self.taught = keras.Model([noise, other, cond, truth], nats)
        self.taught.compile(_adam(training["learning_rate_warm"]), loss=_as_it_is)

    def warm_up(self, batch: GanBatch) -> float:
        """Trains the generator alone; its loss."""
        cond, real, noise, other = batch
        one = np.ones((len(real), 1), np.float32)
        return _first(self.taught.train_on_batch([noise, other, cond, real], one))

    def __call__(self, batch: GanBatch, rng: np.random.Generator) -> tuple[float, float]:
        """Trains on a batch; both losses."""
        cond, real, noise, other = batch
        cells = cells_of(_answer(self.model, [noise, cond]), cond)
        self.judge.trainable = True
        sides = np.repeat(np.array([1.0, -1.0], np.float32), len(real))[:, None]
        judged = self.scored.train_on_batch(
            [np.concatenate([real, cells]), np.concatenate([cond, cond])], sides
        )
        self.judge.trainable = False
        found = self.features.predict_on_batch([real, cond])
        one = np.ones((len(real), 1), np.float32)
        made = self.whole.train_on_batch([noise, other, cond, real], [one, real, found, one, one])
        return _first(made), _first(judged)

    def windows(self, asked: list[GanBatch]) -> np.ndarray:
        """What the generator makes of what was asked: codes (n, 32, 5, 128)."""
        made = [cells_of(self.model.predict_on_batch([b.noise, b.cond]), b.cond) for b in asked]
        cells = np.concatenate(made)
        return codes_of(cells, _silence(len(cells)))


class _Published:
    """A turn of both networks by the published recipe."""

    def __init__(self, model: Any, training: Any, config: Any) -> None:
        import keras

        self.model = model
        self.judge = published_discriminator(config)
        (window,), (first, score) = self.judge.inputs, self.judge.outputs
        self.features = keras.Model([window], first)
        self.scored = keras.Model([window], score)
        self.scored.compile(_adam(training["learning_rate_judge"]), loss="binary_crossentropy")
        noise = keras.Input((NOISE,))
        roll = model([noise])
        found, told = self.judge([roll])
        self.whole = keras.Model([noise], [told, roll, found])
        self.whole.compile(
            _adam(training["learning_rate"]),
            loss=["binary_crossentropy", _same_mean, _same_mean],
            loss_weights=[1.0, WEIGHTS["windows"], WEIGHTS["features"]],
        )

    def __call__(self, batch: GanBatch, rng: np.random.Generator) -> tuple[float, float]:
        real, noise = roll_of(batch.real), batch.noise
        size = len(real)
        made_up = _answer(self.model, [noise])
        smooth = rng.uniform(0, 0.1, (2, size, 1)).astype(np.float32)
        self.judge.trainable = True
        judged = [
            self.scored.train_on_batch([real], 1 - smooth[0]),
            self.scored.train_on_batch([made_up], smooth[1]),
        ]
        self.judge.trainable = False
        found = self.features.predict_on_batch([real])
        one = np.ones((size, 1), np.float32)
        made = self.whole.train_on_batch([noise], [one, real, found])
        return _first(made), float(np.mean([_first(loss) for loss in judged]))

    def windows(self, asked: list[GanBatch]) -> np.ndarray:
        return np.concatenate([roll_codes(self.model.predict_on_batch([b.noise])) for b in asked])


def _adam(rate: float) -> Any:
    import keras

    return keras.optimizers.Adam(rate, beta_1=0.5, beta_2=0.99)


def _answer(model: Any, inputs: list[np.ndarray]) -> np.ndarray:
    """What a network says while it is trained: batch norm by the batch."""
    from keras import ops

    said: np.ndarray = ops.convert_to_numpy(ops.stop_gradient(model(inputs, training=True)))
    return said


def _first(loss: Any) -> float:
    """The whole loss of what `train_on_batch` returns."""
    return float(np.asarray(loss).reshape(-1)[0])


def _hinge(side: Any, score: Any) -> Any:
    from keras import ops

    return ops.mean(ops.relu(1 - side * score))


def _fooled(_: Any, score: Any) -> Any:
    from keras import ops

    return -ops.mean(score)


def _same_mean(real: Any, made: Any) -> Any:
    """Feature matching: the squared difference of the batch's means."""
    from keras import ops

    off = ops.square(ops.mean(real, axis=0) - ops.mean(made, axis=0))
    return ops.sum(off) / off.shape[0]  # a step


def _apart(one: Any, other: Any) -> Any:
    """The share of cells in which two windows differ, of those that either has, (batch,)."""
    from keras import ops

    common = ops.sum(one * other, axis=(1, 2))
    either = ops.sum(one + other, axis=(1, 2)) - common
    return 1 - common / ops.maximum(either, 1.0)


def _too_close(_: Any, apart: Any) -> Any:
    from keras import ops

    return ops.mean(ops.relu(APART - apart)) / APART


def _nats(real: Any, logits: Any) -> Any:
    """Nats a step of what really came, each cell by itself, (batch,)."""
    from keras import ops

    nats = ops.softplus(logits) - real * logits
    return ops.mean(ops.sum(nats, axis=-1), axis=1)


def _as_it_is(_: Any, value: Any) -> Any:
    from keras import ops

    return ops.mean(value)
