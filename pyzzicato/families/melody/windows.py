"""Training windows of melodies, and what the AttentionRNN is taught to do.

Every window is moved to one of the twelve keys by lot, so that the network is taught all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyzzicato.codecs.melody import HIGHEST, LOWEST, NO_EVENT, STEPS_PER_BAR, fold, into_range
from pyzzicato.data.melody import Melody
from pyzzicato.data.pieces import Piece
from pyzzicato.errors import PyzzicatoError
from pyzzicato.families.melody.encoding import INPUTS, MelodyReader, classes_of
from pyzzicato.training.family import Examples

__all__ = [
    "UNTOLD",
    "MelodyWindows",
    "melody_events",
    "melody_loss",
    "melody_metrics",
    "transposed",
]

BEGINNINGS = 0.5  # the share of windows that begin where their melody does
UNTOLD = -1  # the class of a step past the end of a melody


def melody_events(pieces: Sequence[Piece]) -> list[np.ndarray]:
    """The events of every melody among `pieces`, moved within C3 to B5."""
    return [into_range(piece.events)[0] for piece in pieces if isinstance(piece, Melody)]


def transposed(events: np.ndarray, semitones: int) -> np.ndarray:
    """`events` moved by `semitones`, give or take octaves, so that they lie within C3 to B5."""
    pitches = events[events >= 0]
    low, high = int(pitches.min()), int(pitches.max())
    while low + semitones < LOWEST and high + semitones + 12 <= HIGHEST:
        semitones += 12
    while high + semitones > HIGHEST and low + semitones - 12 >= LOWEST:
        semitones -= 12
    return np.where(events >= 0, fold(events + semitones), events)


class MelodyWindows(Examples):
    """An endless stream of training batches, or a fixed set of them for validation.

    Each batch is ({"melody": (batch, window, 74)}, (batch, window)): what is read, and the class
    of the step after; UNTOLD past the end of a melody. Melodies are drawn by length. Half the
    windows begin where their melody does, the others at the beginning of a later bar, having
    heard nothing but being told by the inputs of all there was before. Raises PyzzicatoError
    where no melody may be used.
    """

    def __init__(
        self, pieces: Sequence[Piece], config: Mapping[str, Any], *, training: bool
    ) -> None:
        self.melodies = melody_events(pieces)
        if not self.melodies:
            raise PyzzicatoError(
                "There are no melodies to train on in that folder: it needs a file "
                "melody/melodies_16th.jsonl with some in every split."
            )
        self.batch_size, self.window = int(config["batch"]), int(config["window"])
        self.keys = bool(config.get("transpose", True)) and training
        lengths = np.array([len(events) for events in self.melodies], np.float64)
        self.chance = lengths / lengths.sum()

    def batch(self, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """One batch of windows."""
        chosen = rng.choice(len(self.melodies), self.batch_size, p=self.chance)
        firsts = np.zeros(self.batch_size, np.int64)
        played = []
        for row, number in enumerate(chosen):
            events = self.melodies[number]
            bars = max(0, len(events) - 1 - self.window) // STEPS_PER_BAR
            if rng.random() >= BEGINNINGS:
                firsts[row] = STEPS_PER_BAR * rng.integers(0, bars + 1)
            played.append(transposed(events, int(rng.integers(-6, 6)) if self.keys else 0))
        steps = int(firsts.max()) + self.window
        padded = np.full((self.batch_size, steps), NO_EVENT, np.int64)
        target = np.full((self.batch_size, self.window), UNTOLD, np.int64)
        for row, (events, first) in enumerate(zip(played, firsts, strict=True)):
            padded[row, : len(events)] = events[:steps]
            told = classes_of(events)[first + 1 : first + 1 + self.window]
            target[row, : len(told)] = told
        return {"melody": self._read(padded, firsts)}, target

    def _read(self, events: np.ndarray, firsts: np.ndarray) -> np.ndarray:
        """What is read of `window` steps from `firsts` on, (batch, window, 74)."""
        reader = MelodyReader(len(events))
        read = np.stack([reader.push(column) for column in events.T], axis=1)
        places = firsts[:, None] + np.arange(self.window)
        window: np.ndarray = np.take_along_axis(read, places[:, :, None], axis=1)
        return window.reshape(len(events), self.window, INPUTS)


def melody_loss(y_true: Any, y_pred: Any) -> Any:
    """Nats per step, over the steps that are told."""
    from keras import ops

    y_true = ops.cast(y_true, "int32")
    told = ops.cast(y_true >= 0, "float32")
    nats = ops.sparse_categorical_crossentropy(
        ops.maximum(y_true, 0), ops.cast(y_pred, "float32"), from_logits=True
    )
    return ops.sum(nats * told) / ops.maximum(ops.sum(told), 1.0)


def melody_metrics() -> list[Any]:
    """The share of steps that are told right; shown while training."""
    from keras import ops

    def accuracy(y_true: Any, y_pred: Any) -> Any:
        y_true = ops.cast(y_true, "int32")
        told = ops.cast(y_true >= 0, "float32")
        right = ops.cast(ops.cast(ops.argmax(y_pred, axis=-1), "int32") == y_true, "float32")
        return ops.sum(right * told) / ops.maximum(ops.sum(told), 1.0)

    return [accuracy]
