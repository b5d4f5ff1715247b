"""A guard against loops of pitches, and against music held up on a few keys.

It listens to pitches alone: what a network's loops repeat is pitches, while times and lengths go
on varying a little. A note adds to the run of lag L (1 to 16) where its pitch is that of the one L
notes before; beyond `PITCH_ENDLESS` of them the one pitch that would continue the loop becomes less
likely, and everything else stays as it is.

A loop may also be held up by other notes again and again: one chord for half a minute, with a
melody of two notes. So keys are counted as well. The *keys in use* of the last 32, 128 and 256
notes are e to the power of the entropy of their pitches, in nats: so many keys, struck equally
often, are as varied. Below `KEYS` of them each pitch loses the more the oftener it was heard. After
music that has fewer itself, in the median, so many are enough.

A take that climbs to the top of the keyboard, or sinks, and does not come back is drawn back by
`register`, which the guard has inside.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pyzzicato.codecs.performance import BINS, PITCH
from pyzzicato.families.transformer.processors.register import RegisterGuard
from pyzzicato.generation.repetition import lag_runs

__all__ = ["PitchGuard"]

PITCH_LAGS = np.arange(1, 17)  # notes
PITCH_ENDLESS = 10 + 2 * PITCH_LAGS  # notes that come again; chords and Alberti basses stay below
PUSH = 0.3  # nats that the continuing pitch loses, for each further note
MEMORIES = (32, 128, 256)  # notes in which keys are counted
KEYS = (6.0, 12.0, 20.0)  # keys in use in them; of held-out stretches 5, 6 and 13 in 100 have fewer
SPREAD = 2.0  # nats that a pitch heard all the time would lose, for each key that is missing


def _sums(values: np.ndarray, length: int) -> np.ndarray:
    """Sums of each `length` rows in a row: (n, ...) -> (n - length + 1 or 0, ...)."""
    sums = np.concatenate([np.zeros((1, *values.shape[1:])), values.cumsum(axis=0)])
    found: np.ndarray = sums[length:] - sums[:-length]
    return found


def _keys_in_use(share: np.ndarray) -> np.ndarray:
    """e to the entropy of shares of notes, (..., 88) -> (...)."""
    entropy = -(share * np.log(np.maximum(share, 1e-9))).sum(axis=-1)
    keys: np.ndarray = np.exp(entropy)
    return keys


def _usual_keys(pitches: np.ndarray, memory: int) -> float:
    """The median of keys in use of all stretches of music; infinite where it is too short."""
    heard = _sums(np.eye(BINS[PITCH])[pitches], memory)
    return float(np.median(_keys_in_use(heard / memory))) if len(heard) else np.inf


class PitchGuard:
    """Watches the pitches that several takes write after the same music.

    `before` is that music's codes. Where it, or any of `known` (more codes), goes round in pitch
    itself, a take may do so as long again before the guard minds: repeated chords that change as
    slowly as the seed's are in its style, one chord for a minute is not. `register` is where the
    composer's music lies (`pyzzicato.families.transformer.processors.register.register_of`).
    """

    def __init__(
        self,
        before: np.ndarray,
        takes: int,
        known: Iterable[np.ndarray] = (),
        register: tuple[float, float] | None = None,
    ) -> None:
        known = tuple(known)
        parts = [lag_runs(codes[:, PITCH], PITCH_LAGS) for codes in (before, *known)]
        longest = [runs.max(axis=0, initial=0) for runs in parts]
        self.endless = np.maximum(PITCH_ENDLESS, np.max(longest, axis=0))
        last = np.full(len(PITCH_LAGS), -1, np.int64)
        end = before[-len(PITCH_LAGS) :, PITCH][::-1]
        last[: len(end)] = end
        self._last = np.tile(last, (takes, 1))  # the newest pitch first
        self._runs = np.zeros((takes, len(PITCH_LAGS)), np.int64)
        self._recent = np.tile(before[-max(MEMORIES) :, PITCH], (takes, 1))
        self._heard = np.stack([self._count(memory) for memory in MEMORIES])
        pitches = [codes[:, PITCH] for codes in (before, *known)]
        self.keys = [
            min(keys, *(_usual_keys(part, memory) for part in pitches))
            for memory, keys in zip(MEMORIES, KEYS, strict=True)
        ]
        self._register = RegisterGuard(pitches, takes, register)

    def lower(self, logits: np.ndarray) -> None:
        """Makes what would go on too long less likely: pitches (takes, 88) of logits, in place."""
        self._spread(logits)
        self._register.lower(logits)
        for take, column in zip(*np.nonzero(self._runs > self.endless), strict=True):
            further = self._runs[take, column] - self.endless[column]
            logits[take, self._last[take, column]] -= PUSH * further

    def _count(self, memory: int) -> np.ndarray:
        """How often each pitch is among the last `memory` notes, (takes, 88)."""
        rows = [np.bincount(row[-memory:], minlength=BINS[PITCH]) for row in self._recent]
        return np.array(rows)

    def _spread(self, logits: np.ndarray) -> None:
        """Where few keys are in use, each loses by how often it was heard."""
        for memory, keys, heard in zip(MEMORIES, self.keys, self._heard, strict=True):
            if self._recent.shape[1] < memory:
                return
            share = heard / memory
            missing = np.maximum(keys - _keys_in_use(share), 0.0)
            logits -= SPREAD * missing[:, None] * share

    def saw(self, pitches: np.ndarray) -> None:
        """Takes in the pitches just written, (takes,), as codes."""
        self._register.saw(pitches)
        takes, known = np.arange(len(pitches)), self._recent.shape[1]
        for memory, heard in zip(MEMORIES, self._heard, strict=True):
            heard[takes, pitches] += 1
            if known >= memory:
                heard[takes, self._recent[:, -memory]] -= 1
        self._recent = np.concatenate([self._recent, pitches[:, None]], axis=1)
        self._recent = self._recent[:, -max(MEMORIES) :]
        note = pitches[:, None]
        self._runs = np.where(self._last == note, self._runs + 1, 0)
        self._last = np.concatenate([note, self._last[:, :-1]], axis=1)
