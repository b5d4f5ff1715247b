"""Choosing the keys of a piano roll step by step, and keeping the music alive while doing so.

Source: Pyzzicato (2021) for the fixed threshold. Ours: the two other ways of choosing, and what
is wished for meanwhile (`pyzzicato/families/piano_roll/wishes.py`).
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np

from pyzzicato.codecs.piano_roll import KEYS, ONSET, SOUNDING, VELOCITY
from pyzzicato.families.piano_roll.keys import Keyboards
from pyzzicato.families.piano_roll.windows import COUNTS
from pyzzicato.families.piano_roll.wishes import Taught, Wish
from pyzzicato.generation.sampling import Dice, choose_count, choose_keys, sigmoid

__all__ = ["Player"]

LONGEST = 7.5  # seconds after which a held key is let go
KEY_FOCUS = 0.85  # which keys is drawn a little more carefully than when and how many
TIREDNESS = 1.5  # in logits, of a key just struck, where no lots are drawn
RECOVERY = 3.0  # seconds in which two thirds of it pass
LOUDNESS_SPREAD = 0.3  # width of the even draw added to a velocity, which is only a mean


class Chosen(Protocol):
    """The controls that are read here."""

    @property
    def keys(self) -> str: ...
    @property
    def threshold(self) -> float: ...
    @property
    def temperature(self) -> float: ...
    @property
    def rng_seed(self) -> int: ...


Struck = tuple[np.ndarray, np.ndarray]  # takes (n,) and their keys (n,) that are struck now


class Player:
    """Chooses the keys of every take, step by step, and remembers what that needs.

    It reads `logits` (takes, 274) and writes `planes` (takes, 3, 88), in place. Twenty steps are
    chosen for each second of music, and in most of them nothing is struck: that path makes no
    arrays anew, and its constants are arrays, which NumPy takes three times as fast as numbers.
    """

    def __init__(
        self,
        controls: Chosen,
        wish: Wish,
        taught: Taught,
        logits: np.ndarray,
        planes: np.ndarray,
        rate: float,
    ) -> None:
        takes = len(logits)
        self.controls, self.wish, self.taught, self.rate = controls, wish, taught, rate
        self.logits, self.planes = logits, planes
        self.dice = Dice(controls.rng_seed, takes, 3 * KEYS + 2)
        self.keys = Keyboards(takes, rate)
        self.time = 0.0  # seconds of new music
        self.density = wish.density(0.0)  # notes a second that are wanted now
        self.recent = np.full(takes, self.density)  # notes a second, a running mean
        self.owed = np.zeros(takes)  # keys that chords so far fell short of what was expected
        self.tired = np.zeros((takes, KEYS))  # how often each key was struck lately
        self.lack = np.zeros(takes)  # of notes, in octaves
        self.lean = np.zeros(takes)  # towards more notes, in logits: the lack, added up
        self.louder = np.zeros(takes)  # what is added to velocities
        self.silence = np.zeros(takes)  # seconds since a key was struck
        self._numbers = _Numbers(controls, rate)
        self._struck: Struck | None = None  # in the last step
        self._sounding = planes[:, SOUNDING]
        self._none, self._some = logits[:, 3 * KEYS], logits[:, 3 * KEYS + 1 :]
        self._chance = np.empty((takes, 2 * KEYS), np.float32)
        self._left, self._right = np.empty((2, takes, KEYS), np.float32)
        self._kept, self._young = np.empty((2, takes, KEYS), bool)
        self._any, self._more = np.empty((2, takes))
        self._choose = {
            "sample": self._sample,
            "automatic": self._automatic,
            "threshold": self._fixed,
        }[controls.keys]

    def choose(self) -> None:
        """The planes of the next step, from the logits."""
        draws = self.dice.roll()
        kept, struck = self._choose(draws)
        if self._struck is not None:
            self.planes[:, ONSET:] = 0
        if struck is None:
            self.keys.go_on(kept)
        else:
            loudness = self._velocities(*struck, draws).astype(np.float32)
            self.keys.strike(kept, *struck, loudness)
            take, key = struck
            self.planes[take, ONSET, key] = 1
            self.planes[take, VELOCITY, key] = loudness
        self._sounding[...] = self.keys.down
        self._struck = struck
        self._remember()

    def _remember(self) -> None:
        """How dense it is by now, and what is missing."""
        numbers, more = self._numbers, self._more
        self.time += 1 / self.rate
        self.silence += numbers.step
        self.recent *= numbers.fading
        if self._struck is not None:
            count = np.bincount(self._struck[0], minlength=len(self.recent))
            self.silence[count > 0] = 0.0
            self.recent += count * (self.rate * numbers.pace)
        self.density = self.wish.density(self.time)
        numbers.wanted[()] = math.log2(self.density + 0.25)
        np.log2(np.add(self.recent, numbers.quarter, out=more), out=more)
        np.subtract(numbers.wanted, more, out=self.lack)
        self.lean += np.multiply(self.lack, numbers.leaning, out=more)
        np.maximum(self.lean, numbers.least, out=self.lean)
        np.minimum(self.lean, numbers.most, out=self.lean)

    def _going_on(self, draws: np.ndarray) -> np.ndarray:
        """Which sounding keys go on without being struck again, by draws (or one number).

        With the chances s to sound and n to be struck anew: where draw < (s - n) / (1 - n).
        Since s = (1 + tanh(logit / 2)) / 2, the halves and the ones cancel out.
        """
        numbers, kept = self._numbers, self._kept
        np.multiply(self.logits[:, : 2 * KEYS], numbers.half, out=self._chance)
        np.tanh(self._chance, out=self._chance)
        sounding, struck = self._chance[:, :KEYS], self._chance[:, KEYS:]
        np.subtract(sounding, struck, out=self._left)
        np.subtract(numbers.one, struck, out=self._right)
        np.multiply(self._right, draws, out=self._right)
        np.less(self._right, self._left, out=kept)
        np.logical_and(kept, self.keys.down, out=kept)
        numbers.oldest[()] = self.keys.step - LONGEST * self.rate
        np.greater(self.keys.struck, numbers.oldest, out=self._young)
        return np.logical_and(kept, self._young, out=kept)

    def _sample(self, draws: np.ndarray) -> tuple[np.ndarray, Struck | None]:
        """First whether anything is struck, then how many keys, then which."""
        numbers, chance, more = self._numbers, self._any, self._more
        np.subtract(np.logaddexp.reduce(self._some, axis=1), self._none, out=chance)
        chance += self.lean
        chance += np.multiply(self.lack, numbers.lacking, out=more)
        chance *= numbers.cooler
        np.subtract(self.silence, numbers.pause, out=more)
        chance += np.maximum(more, numbers.zero, out=more)
        kept = self._going_on(draws[:, :KEYS])
        now = (draws[:, -1] < sigmoid(chance)).nonzero()[0]
        if not len(now):  # as in most steps
            return kept, None
        count = 1 + choose_count(self._some[now], draws[now, -2])
        focused = self.logits[now, KEYS : 2 * KEYS] / (KEY_FOCUS * self.controls.temperature)
        chosen = choose_keys(focused, count, draws[now, KEYS : 2 * KEYS], self.taught.together)
        row, key = chosen.nonzero()
        return kept, (now[row], key)

    def _automatic(self, draws: np.ndarray) -> tuple[np.ndarray, Struck | None]:
        """No chance: a threshold that sinks while notes are missing and rises with too many.

        As many keys at once as the network expects, on the average, since a threshold that has
        sunk far would let a cluster through. A key just struck is tired for a while: without
        chance the likeliest key would otherwise be struck for ever.
        """
        logits = self.logits
        pressure = self.lean + 1.5 * self.lack + np.maximum(self.silence - 0.5, 0.0)
        threshold = np.clip(0.15 * np.exp(-pressure), 1e-4, 0.8)
        chance = sigmoid(logits[:, KEYS : 2 * KEYS] - TIREDNESS * self.tired)
        several = np.exp(logits[:, 3 * KEYS + 1 :] - logits[:, 3 * KEYS :].max(axis=1)[:, None])
        usual = several @ np.arange(1, COUNTS) / several.sum(axis=1)
        rank = np.argsort(np.argsort(-chance, axis=1), axis=1)
        struck = (chance > threshold[:, None]) & (rank < (self.owed + usual)[:, None] - 0.5)
        count = struck.sum(axis=1)
        self.owed = np.where(count > 0, np.clip(self.owed + usual - count, -2, 2), self.owed)
        self.tired = (self.tired + struck) * np.exp(-1 / (RECOVERY * self.rate))
        return self._going_on(self._numbers.half), _places(struck)

    def _fixed(self, draws: np.ndarray) -> tuple[np.ndarray, Struck | None]:
        """As published: every key whose sigmoid passes one threshold."""
        threshold = self.controls.threshold
        sounding = sigmoid(self.logits[:, :KEYS]) > threshold
        again = sigmoid(self.logits[:, KEYS : 2 * KEYS]) > threshold
        return sounding & self.keys.down, _places(sounding & (again | ~self.keys.down))

    def _velocities(self, take: np.ndarray, key: np.ndarray, draws: np.ndarray) -> np.ndarray:
        """Velocities / 127 of the struck keys.

        A network's means fed back to it sink little by little: what is missing to the wished
        loudness is added up and given back.
        """
        said = np.minimum(np.maximum(self.logits[take, 2 * KEYS + key], 0.1), 1.0)
        if self.controls.keys != "threshold":
            takes = len(self.logits)
            count = np.bincount(take, minlength=takes)
            mean = np.bincount(take, said, minlength=takes) / np.maximum(count, 1)
            off = self.wish.loudness(self.time) - (mean + self.louder)
            self.louder += np.where(count > 0, 0.03 * off, 0.0)
            said = said + self.louder[take]
        if self.controls.keys == "sample":
            said = said + LOUDNESS_SPREAD * (draws[take, 2 * KEYS + key] - 0.5)
        loudness: np.ndarray = np.minimum(np.maximum(said, 0.08), 1.0)
        return loudness


def _places(struck: np.ndarray) -> Struck | None:
    """Where `struck` (takes, 88) is true, or None where nowhere."""
    take, key = struck.nonzero()
    return (take, key) if len(take) else None


class _Numbers:
    """The numbers of every step as arrays without axes."""

    def __init__(self, controls: Chosen, rate: float) -> None:
        self.half, self.one = np.array(0.5, np.float32), np.array(1.0, np.float32)
        self.zero, self.quarter, self.pause = np.array(0.0), np.array(0.25), np.array(1.0)
        self.least, self.most = np.array(-3.0), np.array(3.0)
        self.lacking, self.cooler = np.array(0.4), np.array(1 / controls.temperature)
        self.step, self.leaning = np.array(1 / rate), np.array(0.2 / rate)
        self.pace = 1 / (6.0 * rate)  # of the running mean
        self.fading = np.array(1 - self.pace)
        self.wanted, self.oldest = np.array(0.0), np.array(0)  # set anew in every step
