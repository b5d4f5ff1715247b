"""Training windows for networks that write one note a step, and their loss.

A window is `window` notes. What the network reads at note t (all int64, shape (batch, window)
unless said): the codes of the note before (`notes`, (batch, window, 6): time, pitch, duration,
velocity, pitch class, interval), what is asked of it (`wishes`, (batch, window, 5): kind,
density, loudness, segment, time left) and the codes of note t itself (`chosen`,
(batch, window, 3)), of which each head sees only what was decided before it. `composer` is
(batch, composers + 1) float32, one-hot, so that a mixture of two is a plain interpolation. With
`sounding` in the config there is `sounding`, (batch, window, 88) float32, of the note before: see
`pyzzicato.families.transformer.sounding`.

In a share `filled` of the windows the network learns to fill a gap: the notes after the gap come
first (segment 1), then those before it and those inside it (segment 0), each knowing how much
time is left until the part after begins. Segment 2 marks a window that begins its piece. In a share
`halved` of the batches there are twice as many windows of half the length: most pieces are
shorter than a whole window, and short windows train faster. Up to the share `told_from` of the
training every window is told all composers in equal parts, so that their rows stay alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyzzicato.codecs.performance import BINS, DURATION, PITCH, TIME, VELOCITY, codes_of
from pyzzicato.data.pieces import Piece
from pyzzicato.families.transformer.sounding import Sounding
from pyzzicato.training.family import Examples

__all__ = [
    "FILL",
    "KINDS",
    "LOGITS",
    "OPENING",
    "READ",
    "SPAN",
    "WISHES",
    "NoteWindows",
    "densities_ahead",
    "density_wish",
    "loudness_wish",
    "note_count",
    "note_loss",
    "note_metrics",
    "read_codes",
    "time_left",
]

READ = (BINS[0] + 1, BINS[1] + 1, BINS[2] + 1, BINS[3] + 1, 13, 177)  # the last row: no note
WISHES = (3, 12, 14, 3, 26)  # kind, density, loudness, segment, time left; 0 is "not said"
KINDS = {"performance": 1, "score": 2}
MUSIC, FILL, OPENING = 0, 1, 2
LOGITS = sum(BINS)
DENSITY_EDGES = np.array([1, 2, 3, 4.5, 6.5, 9, 12, 16, 21, 28])  # notes per second
SPAN = 8.0  # seconds over which density and loudness are counted


def density_wish(notes_per_second: Any) -> Any:
    """The density class (1-11) of a number of notes per second."""
    return np.searchsorted(DENSITY_EDGES, notes_per_second) + 1


def loudness_wish(velocity: Any) -> Any:
    """The loudness class (1-13) of a mean MIDI velocity."""
    return np.clip(np.asarray(velocity) // 10, 0, 12).astype(np.int64) + 1


def time_left(seconds: Any) -> Any:
    """The class (1-25) of the time until the part after the gap begins."""
    ticks = np.maximum(np.asarray(seconds, np.float64), 0.0) * 100
    return np.clip(np.rint(2.2 * np.log2(ticks / 8 + 1)), 0, 24).astype(np.int64) + 1


def read_codes(codes: np.ndarray) -> np.ndarray:
    """What is read before each note: the note before it, (n, 6); "no note" before the first."""
    read = np.empty((len(codes), 6), np.int64)
    if not len(codes):
        return read
    read[0] = np.array(READ) - 1
    read[1:, :4] = codes[:-1, :4]
    read[1:, 4] = (codes[:-1, PITCH] + 9) % 12
    read[1:, 5] = READ[5] - 1
    read[2:, 5] = codes[1:-1, PITCH] - codes[:-2, PITCH] + BINS[1] - 1
    return read


class NoteWindows(Examples):
    """An endless stream of training batches; see the top of this file for their shapes."""

    def __init__(
        self, pieces: Sequence[Piece], config: Mapping[str, Any], *, training: bool
    ) -> None:
        self.pieces = [p for p in pieces if len(p.notes) >= 32]
        self.config = config
        self.training = training
        self.composers = {name: row + 1 for row, name in enumerate(config["composers"])}
        seconds: dict[str, float] = {}
        for piece in self.pieces:
            seconds[piece.composer] = seconds.get(piece.composer, 0.0) + len(piece.notes)
        damped = [len(p.notes) * p.weight / seconds[p.composer] ** 0.3 for p in self.pieces]
        self.chance = np.array(damped) / np.sum(damped)

    def batch(self, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """One batch: inputs by name, and the four codes to predict; -1 where a window is short."""
        size, length = self.config["batch"], self.config["window"]
        if self.training and rng.random() < self.config.get("halved", 0.0):
            size, length = 2 * size, length // 2
        notes = np.tile(np.array(READ, np.int64) - 1, (size, length, 1))
        wishes = np.zeros((size, length, len(WISHES)), np.int64)
        target = np.full((size, length, 4), -1, np.int64)
        composer = np.zeros((size, len(self.composers) + 1), np.float32)
        for row, index in enumerate(rng.choice(len(self.pieces), size, p=self.chance)):
            piece = self.pieces[index]
            codes, read, asked = self._window(piece, length, rng)
            notes[row, : len(codes)], wishes[row, : len(codes)] = read, asked
            target[row, : len(codes)] = codes[:, :4]
            known = self.composers.get(piece.composer, 0)
            composer[row, 0 if self.training and rng.random() < 0.1 else known] = 1.0
        if self.training and self.passed < self.config.get("told_from", 0.0):
            composer[:] = 1 / composer.shape[1]
        chosen = np.maximum(target[..., :3], 0)
        inputs = {"notes": notes, "wishes": wishes, "chosen": chosen, "composer": composer}
        if self.config.get("sounding"):
            inputs["sounding"] = Sounding(size).read(notes)
        return inputs, target

    def _window(
        self, piece: Piece, length: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        spare = len(piece.notes) - length
        first = max(0, int(rng.integers(-length // 8, spare + 1))) if spare > 0 else 0
        notes = piece.notes[first : first + length].astype(np.float64)
        if self.training:
            notes[:, :2] *= rng.uniform(0.9, 1.1)
            low, high = 21 - notes[:, 2].min(), 108 - notes[:, 2].max()
            notes[:, 2] += rng.integers(max(-5, low), min(6, high) + 1)
        notes[:, :2] -= notes[0, 0]
        wishes = np.zeros((len(notes), len(WISHES)), np.int64)
        wishes[:, 0] = KINDS.get(piece.kind, 1)
        if self.training and rng.random() < 0.5:
            wishes[:, 1] = densities_ahead(notes[:, 0])
        if self.training and rng.random() < 0.5:
            wishes[:, 2] = _loudnesses(notes)
        if self.training and len(notes) > 64 and rng.random() < self.config["filled"]:
            return _gap(notes, wishes, rng)
        wishes[:, 3] = OPENING if first == 0 else MUSIC
        codes = codes_of(notes)
        return codes, read_codes(codes), wishes[: len(codes)]


def densities_ahead(start: np.ndarray) -> np.ndarray:
    """The density class of the 8 s from each note on, up to the last: (n,) from onsets in s."""
    if not len(start):
        return np.zeros(0, np.int64)
    ahead = np.searchsorted(start, start + SPAN) - np.arange(len(start))
    seconds = np.minimum(SPAN, np.maximum(start[-1] - start, 1.0))
    classes: np.ndarray = density_wish(ahead / seconds)
    return classes


def _loudnesses(notes: np.ndarray) -> np.ndarray:
    total = np.concatenate([[0.0], np.cumsum(notes[:, 3])])
    here = np.arange(len(notes))
    stop = np.searchsorted(notes[:, 0], notes[:, 0] + SPAN)
    classes: np.ndarray = loudness_wish((total[stop] - total[here]) / np.maximum(stop - here, 1))
    return classes


def _gap(
    notes: np.ndarray, wishes: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A window whose middle is to be filled: the part after first, then before and middle."""
    count = len(notes)
    stop = int(rng.integers(count // 3, count - 8))
    border = notes[stop, 0]
    after, before = notes[stop : stop + 256].copy(), notes[:stop]
    wished = np.concatenate([wishes[stop : stop + 256], wishes[:stop]])
    after[:, :2] -= border
    parts = [codes_of(after), codes_of(before)]
    wished = wished[: len(parts[0]) + len(parts[1])]
    wished[: len(parts[0]), 3] = FILL
    # Each note of the second part knows, before it is written, the time left after the one before.
    onsets = np.sort(np.rint(before[:, 0] * 100) / 100)[: len(parts[1])]
    left = border - np.concatenate([[0.0], onsets[:-1]])
    wished[len(parts[0]) :, 4] = time_left(left)[: len(wished) - len(parts[0])]
    return np.concatenate(parts), np.concatenate([read_codes(part) for part in parts]), wished


def _crossed(y_true: Any, y_pred: Any, field: int) -> Any:
    """Nats of one field, (batch, window), 0 where there is no note."""
    from keras import ops

    begin = sum(BINS[:field])
    logits = ops.cast(y_pred[..., begin : begin + BINS[field]], "float32")
    target = ops.cast(y_true[..., field], "int32")
    there = ops.cast(target >= 0, "float32")
    picked = ops.one_hot(ops.maximum(target, 0), BINS[field], dtype="float32")
    return -there * ops.sum(picked * ops.log_softmax(logits, axis=-1), axis=-1)


def note_loss(y_true: Any, y_pred: Any) -> Any:
    """Nats per note, (batch, window)."""
    return sum(_crossed(y_true, y_pred, field) for field in (TIME, PITCH, DURATION, VELOCITY))


def note_count(target: np.ndarray) -> int:
    """How many notes a batch's target holds, (batch, window, 4)."""
    return int((target[..., 0] >= 0).sum())


def note_metrics() -> list[Any]:
    """Bits per note of time, pitch, duration and velocity, shown while training.

    Means over the window's places, those without a note included: exact where windows are full.
    """

    def named(name: str, field: int) -> Any:
        def bits(y_true: Any, y_pred: Any) -> Any:
            return _crossed(y_true, y_pred, field) / np.log(2.0).astype("float32")

        bits.__name__ = f"{name}_bits"
        return bits

    fields = {"time": TIME, "pitch": PITCH, "duration": DURATION, "velocity": VELOCITY}
    return [named(name, field) for name, field in fields.items()]
