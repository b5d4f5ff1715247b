"""A turn of the GAN's training: the discriminator gets better, then the generator; ours and theirs.

Ours: each score of made music is set against that of the real music that followed the same window
(Jolicoeur-Martineau, 2018), with a penalty on how steep the discriminator is at both (Mescheder et
al., 2018; Huang et al., 2024), measured by moving its input a little. The generator learns beside
from what really came, through an encoder that finds the noise for it (as the BicycleGAN of Zhu et
al., 2017), and from how many notes each instrument strikes; and by the published two
feature-matching terms.

Published (Skourogiannis and Pallikaris): cross-entropy with smoothed labels (false U[0, 0.1], real
U[0.9, 1]), two feature-matching terms (the squared difference of the means of real and made music,
in the windows and in what the first convolution finds).

Every network is trained by `train_on_batch`, so that it runs on all of Keras' backends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyzzicato.codecs.multitrack_roll import WINDOW
from pyzzicato.families.band.gan.discriminator import (
    GROUP,
    STRUCK,
    counts,
    discriminator,
    drawn,
    given_too,
    played,
    strokes,
)
from pyzzicato.families.band.gan.network import COND, NOISE, encoder
from pyzzicato.families.band.gan.published import published_discriminator
from pyzzicato.families.band.gan.windows import GanBatch, cond_of, roll_codes, roll_of, step_before
from pyzzicato.families.band.planes import PARTS, WIDTH, band_nats, planes

__all__ = ["Ours", "Published"]

WEIGHTS = {"told": 0.5, "fooled": 1.0, "windows": 0.3, "features": 0.1, "counts": 1.0}
MATCHED = {"windows": 1.0, "features": 0.1}  # of the published recipe
MOVED, STEEP = 0.02, 6.0  # how far an input is moved, and what the square of the change costs
FEW = 2.0  # strokes of a window, added where counts are compared
LAST_RATE = 0.1  # of the first one, at the end of learning alone


class Ours:
    """A turn of both networks by our recipe."""

    def __init__(self, model: Any, training: Mapping[str, Any], config: Mapping[str, Any]) -> None:
        import keras

        self.model = model
        self._beta, self._batch = config["beta"], config["batch"]
        self._guess = encoder(config)
        self._judge = discriminator(config)
        self._asks()
        decay = keras.optimizers.schedules.CosineDecay(
            training["learning_rate_warm"], training["warm"], alpha=LAST_RATE
        )
        self._taught.compile(keras.optimizers.Adam(decay, clipnorm=1.0), loss=_as_it_is)
        self._sides.compile(_adam(training["learning_rate_judge"]), loss=_as_it_is)
        self._whole.compile(
            _adam(training["learning_rate"], clipnorm=5.0),
            loss=[_as_it_is, _fooled, _same_mean, _same_mean, _same_counts],
            loss_weights=list(WEIGHTS.values()),
        )

    def _asks(self) -> None:
        """The models that are trained, all of the same three networks."""
        import keras
        from keras import ops

        shapes = ((1 + WINDOW, WIDTH), (WINDOW, COND), (NOISE,), (NOISE,), (5,))
        rows, cond, blur, noise, draws = (keras.Input(s, self._batch) for s in shapes)
        self._taught = keras.Model([rows, cond, blur], self._told(rows, cond, blur))
        half = (ops.split(value, 2, axis=0)[0] for value in (rows, cond, blur))
        told = self._told(*half)  # half of a batch is enough beside the rest
        told = ops.zeros_like(cond[:, 0, :1]) + ops.mean(told)
        logits = self.model([noise, cond])
        cells, before = given_too(played(logits, draws), cond), strokes(cond[..., :WIDTH])
        first, score = self._judge([cells, before])
        expected = given_too(ops.sigmoid(strokes(logits)), cond)
        self._makes = keras.Model([noise, draws, cond], cells)
        self._whole = keras.Model(
            [rows, cond, blur, noise, draws], [told, score, cells, first, _in_all(expected)]
        )
        sides = [keras.Input((WINDOW, STRUCK), 2 * (self._batch + GROUP)) for _ in range(2)]
        self._sides = keras.Model(sides, self._steep_sides(*sides))

    def _told(self, rows: Any, cond: Any, blur: Any) -> Any:
        """What it costs to tell what really came, (batch, 1): nats a step, by a noise that the
        encoder finds, and how far that is from any other noise."""
        from keras import ops

        before, cells = rows[:, :-1], rows[:, 1:]
        mean, log_var = ops.split(self._guess([cells, cond]), 2, axis=-1)
        logits = self.model([mean + ops.exp(0.5 * log_var) * blur, cond])
        cost = 0.5 * ops.sum(ops.exp(log_var) + mean * mean - 1 - log_var, axis=-1) * self._beta
        for part, (first, end) in enumerate(PARTS):
            mine = (before[..., first:end], cells[..., first:end], logits[..., first:end])
            free = 1 - cond[..., 2 * WIDTH + part]
            cost = cost + ops.sum(free * band_nats(*mine, part), axis=1)
        return cost[:, None] / WINDOW

    def _steep_sides(self, windows: Any, before: Any) -> Any:
        """The discriminator's loss for windows: a batch of real and one of made ones, and of
        each the first few once more, moved a little; (all of them, 1)."""
        from keras import ops

        _, scores = self._judge([windows, before])
        real, made, moved = ops.split(scores, [self._batch, 2 * self._batch], axis=0)
        few = [ops.split(side, [GROUP], axis=0)[0] for side in (real, made)]
        steep = 2 * ops.mean(ops.square(ops.concatenate(few, axis=0) - moved))
        loss = ops.mean(ops.softplus(made - real)) + STEEP * steep
        return ops.zeros_like(scores) + loss

    def warm_up(self, batch: GanBatch, rng: np.random.Generator) -> float:
        """Trains the generator and the encoder alone; their loss, nats a step."""
        one = np.ones((len(batch.rows), 1), np.float32)
        blur = rng.standard_normal((len(one), NOISE), np.float32)
        return _first(self._taught.train_on_batch([batch.rows, batch.cond, blur], one))

    def judge(self, batch: GanBatch, rng: np.random.Generator) -> float:
        """Trains the discriminator alone; its loss."""
        return self._judged(batch, self._going_on(batch), rng)

    def _judged(self, batch: GanBatch, cond: np.ndarray, rng: np.random.Generator) -> float:
        real, before = strokes(batch.rows[:, 1:]), strokes(batch.cond[..., :WIDTH])
        made, own = (
            self._makes.predict_on_batch([batch.noise, batch.draws, cond]),
            strokes(cond[..., :WIDTH]),
        )
        few = np.concatenate([real[:GROUP], made[:GROUP]])
        sides = np.concatenate(
            [real, made, few + MOVED * rng.standard_normal(few.shape, np.float32)]
        )
        around = np.concatenate([before, own, before[:GROUP], own[:GROUP]])
        self._judge.trainable = True
        loss = self._sides.train_on_batch([sides, around], np.ones((len(sides), 1), np.float32))
        self._judge.trainable = False
        return _first(loss)

    def __call__(self, batch: GanBatch, rng: np.random.Generator) -> tuple[float, float]:
        """Trains on a batch; both losses."""
        cond = self._going_on(batch)
        judged = self._judged(batch, cond, rng)
        real, before = strokes(batch.rows[:, 1:]), strokes(batch.cond[..., :WIDTH])
        first, score = self._judge.predict_on_batch([real, before])
        blur = rng.standard_normal((len(real), NOISE), np.float32)
        made = self._whole.train_on_batch(
            [batch.rows, cond, blur, batch.noise, batch.draws],
            [np.ones_like(score), score, real, first, real_counts(real)],
        )
        return _first(made), judged

    def _going_on(self, batch: GanBatch) -> np.ndarray:
        """`cond` of a batch, of its second half with the generator's own music as what goes
        before: so it learns to stay near real music for longer than two bars."""
        half = len(batch.rows) // 2
        last = GanBatch(*(value[half:] for value in batch))
        return np.concatenate([batch.cond[:half], _own(self.windows(last, last.other))])

    def windows(self, batch: GanBatch, noise: np.ndarray) -> np.ndarray:
        """What the generator makes of what was asked: codes (n, 32, 5, 128)."""
        logits = self.model.predict_on_batch([noise, batch.cond])
        return drawn(logits, step_before(batch), batch.draws)

    def later(self, batch: GanBatch, made: np.ndarray) -> np.ndarray:
        """What it makes after two windows of its own, of which `made` is the first."""
        for noise in (batch.other, batch.noise[::-1]):
            logits = self.model.predict_on_batch([noise, _own(made)])
            made = drawn(logits, made[:, -1], batch.draws[::-1])
        return made


def _own(made: np.ndarray) -> np.ndarray:
    """`cond` after windows of codes (n, 32, 5, 128), with nothing given."""
    before = planes(made).astype(np.float32)
    return cond_of(before, np.zeros_like(before), np.zeros((1, len(PARTS)), bool))


def real_counts(cells: np.ndarray) -> np.ndarray:
    """How many strokes each instrument has, (batch, 5), of (batch, 32, 397)."""
    from keras import ops

    return np.asarray(ops.convert_to_numpy(_in_all(ops.convert_to_tensor(cells))))


def _in_all(cells: Any) -> Any:
    from keras import ops

    return ops.sum(counts(cells), axis=1)


class Published:
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
            loss_weights=[1.0, *MATCHED.values()],
        )

    def __call__(self, batch: GanBatch, rng: np.random.Generator) -> tuple[float, float]:
        real, noise = roll_of(batch.rows[:, 1:]), batch.noise
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

    def windows(self, batch: GanBatch, noise: np.ndarray) -> np.ndarray:
        """What the generator makes of as many noises as were asked: codes (n, 32, 5, 128)."""
        return roll_codes(self.model.predict_on_batch([noise]))


def _answer(model: Any, inputs: list[np.ndarray]) -> np.ndarray:
    """What a network says while it is trained: batch norm by the batch."""
    from keras import ops

    said: np.ndarray = ops.convert_to_numpy(ops.stop_gradient(model(inputs, training=True)))
    return said


def _first(loss: Any) -> float:
    """The whole loss of what `train_on_batch` returns."""
    return float(np.asarray(loss).reshape(-1)[0])


def _adam(rate: float, **values: Any) -> Any:
    import keras

    return keras.optimizers.Adam(rate, beta_1=0.5, beta_2=0.99, **values)


def _fooled(real: Any, made: Any) -> Any:
    """Made music shall score more than the real music after the same window."""
    from keras import ops

    return ops.mean(ops.softplus(real - made))


def _same_mean(real: Any, made: Any) -> Any:
    """Feature matching: the squared difference of the batch's means."""
    from keras import ops

    off = ops.square(ops.mean(real, axis=0) - ops.mean(made, axis=0))
    return ops.sum(off) / off.shape[0]  # a step


def _same_counts(real: Any, made: Any) -> Any:
    """How far the batch's means of strokes are apart, in parts of the real ones."""
    from keras import ops

    real, made = ops.mean(real, axis=0), ops.mean(made, axis=0)
    return ops.sum(ops.square((made - real) / (real + FEW)))


def _as_it_is(_: Any, value: Any) -> Any:
    from keras import ops

    return ops.mean(value)
