"""What a network that writes a band step by step reads, what it is taught, and its loss.

For each step it is told, beside the step before (733 planes, see `pyzzicato.families.band.planes`):

- `about` (58): where the step lies in a bar of four quarters and in one of three; which
  instruments struck 4, 8, 12, 16 and 32 steps before; how long ago each struck last;
- `back` (6 x 397): what was struck at those five steps, and what each instrument struck last.

So the last 32 steps are before its eyes, whatever its memory keeps. The instruments of a step are
told one after another: `now` holds the whole step, `seen` (5 x 5) which others each may look at.

It answers with 1,135 logits a step: 733 in the layout of the planes, for each key that it is
struck (given the keys below it, and that the instrument strikes at all) and that it goes on
sounding; 5 for the instruments that strike; 397 for a key struck by whoever it may be, as the
published network has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyzzicato.data.pieces import Piece
from pyzzicato.errors import PyzzicatoError
from pyzzicato.families.band.pairs import band_codes
from pyzzicato.families.band.planes import PARTS, SPANS, WIDTH, planes
from pyzzicato.training.family import Examples

__all__ = [
    "ABOUT",
    "BACK",
    "HISTORY",
    "KEYS",
    "LAGS",
    "LOGITS",
    "ORDER",
    "PARTS_STRUCK",
    "BandReader",
    "BandSteps",
    "seen_in",
    "step_loss",
    "step_metrics",
    "window_inputs",
]

LAGS = (4, 8, 12, 16, 32)  # steps
KEYS = sum(high - low for low, high in SPANS)  # 397
_ENDS = np.cumsum([high - low for low, high in SPANS]).tolist()
PARTS_STRUCK = tuple(
    (end - (high - low), end) for end, (low, high) in zip(_ENDS, SPANS, strict=True)
)
"""Of each instrument: its first and past its last column where only what is struck is listed."""
_STRUCK = np.concatenate(
    [np.arange(first, first + end - begin) for (first, _), (begin, end) in
     zip(PARTS, PARTS_STRUCK, strict=True)]
)  # fmt: skip
BACK = (len(LAGS) + 1) * KEYS
FAR = 32  # steps ago, at most
ABOUT = 16 + 12 + 5 * len(LAGS) + 5
LOGITS = WIDTH + 5 + KEYS
ORDER = (0, 3, 1, 2, 4)  # drums, bass, piano, guitar, strings
HISTORY = 64  # steps before a window that are looked at
PLAIN_WEIGHT = 0.1  # of the published output, which nothing but the published rules look at


def seen_in(order: Sequence[int]) -> np.ndarray:
    """Which instruments each may look at where they are drawn in this order: (5, 5), 0 or 1."""
    seen = np.zeros((5, 5), np.float32)
    for place, instrument in enumerate(order):
        seen[instrument, list(order[:place])] = 1
    return seen


def _clock(places: np.ndarray) -> np.ndarray:
    """Where steps lie in a bar of four quarters and of three, (steps, 28)."""
    return np.concatenate([np.eye(16)[places % 16], np.eye(12)[places % 12]], axis=-1)


def _instruments(struck: np.ndarray) -> np.ndarray:
    """Which instruments strike, (..., 397) -> (..., 5)."""
    return np.stack([struck[..., a:b].any(axis=-1) for a, b in PARTS_STRUCK], axis=-1)


def window_inputs(rows: np.ndarray, place: int) -> dict[str, np.ndarray]:
    """What is read before each step of a window: `rows` (HISTORY + steps, 733) with what came
    before it, `place` that of the window's first step."""
    steps = len(rows) - HISTORY
    here = np.arange(HISTORY, HISTORY + steps)
    struck = rows[:, _STRUCK]
    who = _instruments(struck)
    number = np.where(who, np.arange(len(rows))[:, None], -1)
    last = np.maximum.accumulate(number, axis=0)[here - 1]  # (steps, 5), -1 for never
    back = np.zeros((steps, len(LAGS) + 1, KEYS), rows.dtype)
    for row, lag in enumerate(LAGS):
        back[:, row] = struck[here - lag]
    for part, (a, b) in enumerate(PARTS_STRUCK):
        back[:, -1, a:b] = struck[last[:, part], a:b] * (last[:, part] >= 0)[:, None]
    ago = np.where(last >= 0, np.minimum(here[:, None] - last, FAR), FAR) / FAR
    lately = np.concatenate([who[here - lag] for lag in LAGS], axis=-1)
    about = np.concatenate([_clock(place + np.arange(steps)), lately, ago], axis=-1)
    return {
        "roll": rows[here - 1],
        "about": about.astype(np.float32),
        "back": back.reshape(steps, BACK),
    }


class BandReader:
    """Some takes, step by step: what the network reads before the next step."""

    def __init__(self, takes: int, place: int = 0) -> None:
        self.place = place  # of the next step
        self._rows = np.zeros((takes, FAR, WIDTH), np.float32)  # the newest last
        self._last = np.zeros((takes, KEYS), np.float32)
        self._ago = np.full((takes, 5), FAR, np.float32)

    def push(self, codes: np.ndarray) -> None:
        """Takes in a step, (takes, 5, 128)."""
        row = planes(codes).astype(np.float32)
        self._rows = np.concatenate([self._rows[:, 1:], row[:, None]], axis=1)
        struck = row[:, _STRUCK]
        who = _instruments(struck)
        self._ago = np.where(who, 1, np.minimum(self._ago + 1, FAR)).astype(np.float32)
        for part, (a, b) in enumerate(PARTS_STRUCK):
            self._last[who[:, part], a:b] = struck[who[:, part], a:b]
        self.place += 1

    def inputs(self) -> dict[str, np.ndarray]:
        """For the next step: roll (takes, 1, 733), about (takes, 1, 58), back (takes, 1, 2382)."""
        lagged = [self._rows[:, -lag][:, _STRUCK] for lag in LAGS]
        takes = len(self._rows)
        clock = np.tile(_clock(np.array([self.place])), (takes, 1))
        lately = [_instruments(struck) for struck in lagged]
        about = np.concatenate([clock, *lately, self._ago / FAR], axis=-1)
        return {
            "roll": self._rows[:, -1:],
            "about": about[:, None].astype(np.float32),
            "back": np.concatenate([*lagged, self._last], axis=-1)[:, None],
        }

    def repeated(self, takes: int) -> BandReader:
        """The reader of one take, for `takes` takes that go on from there apart."""
        copy = BandReader(takes, self.place)
        copy._rows = np.repeat(self._rows, takes, axis=0)
        copy._last = np.repeat(self._last, takes, axis=0)
        copy._ago = np.repeat(self._ago, takes, axis=0)
        return copy


class BandSteps(Examples):
    """An endless stream of training batches, or a fixed set of them for validation.

    Each batch is (inputs, truth): the inputs as above, with `now` and `seen`, and truth (batch,
    steps, 1467): the planes to be told, those of the step before, and whether the step counts.
    Windows are drawn by length. In training, half of them are told in an order by lot; in some,
    instruments are silent until the others have played for a while, which is how a seed for one
    of them looks. Raises PyzzicatoError where no piece is for the band.
    """

    def __init__(
        self, pieces: Sequence[Piece], config: Mapping[str, Any], *, training: bool
    ) -> None:
        self.rolls = [planes(codes) for codes in band_codes(pieces)]
        if not self.rolls:
            raise PyzzicatoError(
                "There is no music for a band in that folder: it needs MIDI files with drums, "
                "bass or other instruments (see `pyzzicato data`)."
            )
        self.batch_size, self.steps = int(config["batch"]), int(config["window"])
        self.joining = float(config.get("joining", 0.0)) if training else 0.0
        self.training = training
        lengths = np.array([len(roll) for roll in self.rolls], np.float64)
        self.chance = lengths / lengths.sum()

    def batch(self, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """One batch of windows."""
        made = [
            self._window(self.rolls[number], rng)
            for number in rng.choice(len(self.rolls), self.batch_size, p=self.chance)
        ]
        inputs = {name: np.stack([row[0][name] for row in made]) for name in made[0][0]}
        return inputs, np.stack([row[1] for row in made])

    def _window(
        self, roll: np.ndarray, rng: np.random.Generator
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        last = max(len(roll) - self.steps, 0)
        # The beginning of a piece, with nothing before it, comes a little more often.
        first = max(int(rng.integers(-self.steps // 4, last + 1)), 0)
        rows = np.zeros((HISTORY + self.steps, WIDTH), np.uint8)
        begin = max(first - HISTORY, 0)
        part = roll[begin : first + self.steps]
        start = HISTORY - (first - begin)
        rows[start : start + len(part)] = part
        told, counts = rows[HISTORY:].copy(), np.ones((self.steps, 1), np.uint8)
        counts[len(part) - (first - begin) :] = 0  # past the end nobody is told to be silent
        if rng.random() < self.joining:
            join = int(rng.integers(0, self.steps // 2))
            counts[:join] = 0
            for instrument, (a, b) in enumerate(PARTS):
                if rng.random() < 0.5 and instrument in _playing(told[join:]):
                    rows[: HISTORY + join, a:b] = 0
        order = ORDER
        if self.training and rng.random() < 0.5:
            order = tuple(rng.permutation(5).tolist())
        inputs = {**window_inputs(rows, first), "now": told, "seen": seen_in(order).reshape(25)}
        before = np.concatenate([rows[HISTORY - 1 : HISTORY], rows[HISTORY:-1]])
        return inputs, np.concatenate([told, before, counts], axis=1)


def _playing(rows: np.ndarray) -> list[int]:
    """The instruments that strike anything in planes (steps, 733)."""
    who = _instruments(rows[:, _STRUCK]).any(axis=0)
    return [int(part) for part in np.flatnonzero(who)]


def _told(y_true: Any, y_pred: Any) -> dict[str, Any]:
    """Nats a step of each kind of thing that is told; (batch, steps)."""
    from keras import ops

    truth, logits = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
    counts = truth[..., -1]

    def nats(wanted: Any, said: Any) -> Any:
        return ops.softplus(said) - wanted * said

    strikes, keys, lasts, all_struck = 0.0, 0.0, 0.0, []
    for part, ((first, end), (a, b)) in enumerate(zip(PARTS, PARTS_STRUCK, strict=True)):
        width = b - a
        struck = truth[..., first : first + width]
        on = ops.max(struck, axis=-1)
        strikes += nats(on, logits[..., WIDTH + part])
        keys += on * ops.sum(nats(struck, logits[..., first : first + width]), axis=-1)
        all_struck.append(struck)
        if end - first > width:
            sounded = truth[..., WIDTH + first + width : WIDTH + end] * (1 - struck)
            told = nats(truth[..., first + width : end], logits[..., first + width : end])
            lasts += ops.sum(sounded * told, axis=-1)
    anyone = ops.concatenate(all_struck, axis=-1)
    plain = -ops.sum(anyone * ops.log_softmax(logits[..., WIDTH + 5 :], axis=-1), axis=-1)
    return {
        "strikes": counts * strikes,
        "keys": counts * keys,
        "lasts": counts * lasts,
        "plain": counts * plain,
    }


def step_loss(y_true: Any, y_pred: Any) -> Any:
    """Nats a step in which the whole step is told, and a little of the published output's."""
    told = _told(y_true, y_pred)
    return told["strikes"] + told["keys"] + told["lasts"] + PLAIN_WEIGHT * told["plain"]


def step_metrics() -> list[Any]:
    """Nats a step of who strikes, apart; shown while training."""
    from keras import ops

    def strikes(y_true: Any, y_pred: Any) -> Any:
        truth, logits = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        told = 0.0
        for part, ((first, _), (a, b)) in enumerate(zip(PARTS, PARTS_STRUCK, strict=True)):
            on, said = (
                ops.max(truth[..., first : first + b - a], axis=-1),
                logits[..., WIDTH + part],
            )
            told += ops.softplus(said) - on * said
        return truth[..., -1] * told

    return [strikes]
