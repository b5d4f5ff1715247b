"""Training windows of piano rolls, and what their networks are taught to do.

Shared by every family that draws the roll step by step (`families/wavenet.py`,
`families/roll_lstm.py`). A network reads (batch, steps, 264), the planes of the steps so far
flattened, with one condition per window, and gives (batch, steps, 274) for the step that
follows each of them:

    0:88     logits of the sounding keys        (the published sigmoid layer)
    88:176   logits of the struck keys          (ours)
    176:264  velocity / 127 of a struck key     (ours)
    264:274  logits of how many keys are struck, 0 to 8 and "9 or more"  (ours)

The loss stands on every step of a window, not only on its last: 180 times more targets for a
tenth more time. Source: Pyzzicato (2021). Differs from the source in: windows are longer than
10 s, the composer and the density are inputs, and the notes a network reads are corrupted
while the notes it must predict are not, so that it learns to recover from its own mistakes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pyzzicato.codecs.piano_roll import KEYS, ONSET, SOUNDING, draw_roll
from pyzzicato.data.pieces import Piece
from pyzzicato.training.family import Examples

__all__ = [
    "COUNTS",
    "INPUTS",
    "OUTPUTS",
    "RollWindows",
    "condition_of",
    "corrupt",
    "density_code",
    "output_bias",
    "roll_loss",
    "roll_metrics",
    "straight_kernel",
]

COUNTS = 10
INPUTS = 3 * KEYS
OUTPUTS = 3 * KEYS + COUNTS
VELOCITY_WEIGHT = 4.0  # brings the squared velocity error to the size of the key losses


def density_code(notes_per_second: float) -> float:
    """Notes per second on the scale the networks read: octaves above 8 notes a second."""
    return math.log2(max(notes_per_second, 0.0) + 0.5) - 3.0


def output_bias(shape: tuple[int, ...], dtype: Any = None) -> np.ndarray:
    """Where the output layer starts: about as many notes as real music has, so that the first
    epochs are not spent on learning that most keys are silent."""
    start = np.zeros(shape, np.float32)
    start[:KEYS], start[KEYS : 2 * KEYS], start[2 * KEYS : 3 * KEYS] = -3.0, -5.0, 0.5
    return start


def straight_kernel(shape: tuple[int, ...], dtype: Any = None) -> np.ndarray:
    """Where the straight way from the last step to the output starts: what sounds goes on."""
    start = np.zeros(shape, np.float32)
    start[np.arange(KEYS), np.arange(KEYS)] = 6.0
    return start


def condition_of(composers: Sequence[str], composer: str) -> int:
    """The embedding row of a composer id: its place in the model's list plus 1; 0 is *any*."""
    return composers.index(composer) + 1 if composer in composers else 0


def corrupt(notes: np.ndarray, rate: float, rng: np.random.Generator) -> np.ndarray:
    """`notes` with a share `rate` left out, another moved in pitch or time, another doubled."""
    if not len(notes) or rate <= 0:
        return notes
    draw = rng.random(len(notes))
    kept = notes[draw >= rate].copy()
    moved = rng.random(len(kept)) < rate
    kept[moved, 2] += rng.integers(-7, 8, moved.sum())
    shifted = rng.random(len(kept)) < rate
    offset = rng.normal(0, 0.15, shifted.sum())
    kept[shifted, 0] += offset
    kept[shifted, 1] += offset
    held = rng.random(len(kept)) < rate
    kept[held, 1] += rng.exponential(0.5, held.sum())
    extra = notes[rng.random(len(notes)) < rate].copy()
    extra[:, 2] += rng.integers(-12, 13, len(extra))
    extra[:, :2] += rng.normal(0, 0.5, len(extra))[:, None]
    return np.concatenate([kept, extra])


class RollWindows(Examples):
    """An endless stream of training batches, or a fixed set of them for validation.

    Each batch is ({"roll": (batch, steps, 264), "condition": (batch, 2)}, (batch, steps, 264)).
    The condition is (composer row, density code). Pieces are drawn by duration, damped for works
    with many recordings and for composers with many hours.
    """

    def __init__(
        self, pieces: Sequence[Piece], config: Mapping[str, Any], *, training: bool
    ) -> None:
        self.pieces = [p for p in pieces if p.duration > 5.0]
        self.config = config
        self.training = training
        self.composers: list[str] = list(config["composers"])
        seconds: dict[str, float] = {}
        for piece in self.pieces:
            seconds[piece.composer] = seconds.get(piece.composer, 0.0) + piece.duration
        chance = [p.duration * p.weight / np.sqrt(seconds[p.composer]) for p in self.pieces]
        self.chance = np.array(chance) / np.sum(chance)

    def batch(self, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """One batch of windows."""
        size, steps = self.config["batch"], self.config["window"]
        rolls = np.empty((size, steps, INPUTS), np.float32)
        targets = np.empty((size, steps, INPUTS), np.float32)
        conditions = np.empty((size, 2), np.float32)
        for row, index in enumerate(rng.choice(len(self.pieces), size, p=self.chance)):
            rolls[row], targets[row], conditions[row] = self._window(self.pieces[index], rng)
        return {"roll": rolls, "condition": conditions}, targets

    def stream(self, rng_seed: int) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
        """Batches without end, always the same for one `rng_seed`."""
        rng = np.random.default_rng(rng_seed)
        while True:
            yield self.batch(rng)

    def _window(
        self, piece: Piece, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
        rate, steps = self.config["steps_per_second"], self.config["window"]
        length = steps / rate
        slower = float(rng.uniform(0.9, 1.1)) if self.training else 1.0
        first = float(rng.uniform(-2.0, max(0.0, piece.duration * slower - length)))
        low, high = first / slower, (first + length) / slower
        # Notes are sorted by start, but one held from before the window began long ago:
        # 10 s back catches all but a handful.
        begin, stop = np.searchsorted(piece.notes[:, 0], [low - 10.0, high])
        notes = piece.notes[begin:stop].astype(np.float64)
        notes = notes[notes[:, 1] > low]
        notes[:, :2] *= slower
        if self.training:
            reach = self.config["transpose"]
            notes[:, 2] += rng.integers(-reach, reach + 1)
        clean = draw_roll(notes, first, steps, rate)
        read, target = clean, clean
        if self.training and rng.random() < self.config["corrupted"]:
            wrong = corrupt(notes, rng.uniform(0, self.config["corruption"]), rng)
            read = draw_roll(wrong, first, steps, rate)
            target = _as_held(clean, read)
        shown = np.zeros((steps, INPUTS), np.float32)
        shown[1:] = read[:-1].reshape(steps - 1, INPUTS)
        row = condition_of(self.composers, piece.composer)
        if self.training and rng.random() < 0.05:
            row = 0
        density = float(clean[:, ONSET].sum()) / length
        return shown, target.reshape(steps, INPUTS), (float(row), density_code(density))


def _as_held(clean: np.ndarray, read: np.ndarray) -> np.ndarray:
    """The target of a corrupted window: strike what is right, hold what was struck.

    A wrong note that sounds is held as long as it was meant to be. A target that released it at
    once would teach that keys which sound are probably mistakes: at generation every note was
    then cut short, to a third of its length.
    """
    target = clean.copy()
    struck_wrongly = (read[:, ONSET] > 0) & (clean[:, ONSET] == 0)
    held = np.where(struck_wrongly, 0.0, read[:, SOUNDING])
    target[:, SOUNDING] = np.maximum(held, clean[:, ONSET])
    return target


def roll_loss(y_true: Any, y_pred: Any) -> Any:
    """Nats per step for keys and count, plus the weighted velocity error; (batch, steps)."""
    from keras import ops

    sounding, onset, velocity = (y_true[..., i * KEYS : (i + 1) * KEYS] for i in range(3))
    logits = ops.cast(y_pred, "float32")

    def keys(target: Any, logit: Any) -> Any:
        crossed = ops.relu(logit) - logit * target + ops.log1p(ops.exp(-ops.abs(logit)))
        return ops.sum(crossed, axis=-1)

    count = ops.cast(ops.minimum(ops.sum(onset, axis=-1), COUNTS - 1), "int32")
    counted = ops.sum(
        ops.one_hot(count, COUNTS) * ops.log_softmax(logits[..., 3 * KEYS :], axis=-1), axis=-1
    )
    error = onset * ops.square(logits[..., 2 * KEYS : 3 * KEYS] - velocity)
    return (
        keys(sounding, logits[..., :KEYS])
        + keys(onset, logits[..., KEYS : 2 * KEYS])
        - counted
        + VELOCITY_WEIGHT * ops.sum(error, axis=-1)
    )


def roll_metrics() -> list[Any]:
    """Nats per step of the struck and of the sounding keys, apart; shown while training."""
    from keras import ops

    def crossed(y_true: Any, y_pred: Any, plane: int) -> Any:
        target = y_true[..., plane * KEYS : (plane + 1) * KEYS]
        logit = ops.cast(y_pred[..., plane * KEYS : (plane + 1) * KEYS], "float32")
        loss = ops.relu(logit) - logit * target + ops.log1p(ops.exp(-ops.abs(logit)))
        return ops.sum(loss, axis=-1)

    def sounding_nats(y_true: Any, y_pred: Any) -> Any:
        return crossed(y_true, y_pred, 0)

    def onset_nats(y_true: Any, y_pred: Any) -> Any:
        return crossed(y_true, y_pred, 1)

    return [sounding_nats, onset_nats]
