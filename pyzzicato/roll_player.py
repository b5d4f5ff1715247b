"""Choosing the keys of a piano roll step by step, and keeping the music alive while doing so.

Source: Pyzzicato (2021) for the fixed threshold. Ours: the two other ways of choosing, the wish
for density and loudness, and the table of intervals that go together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from pyzzicato.codecs.piano_roll import KEYS, ONSET, SOUNDING, VELOCITY
from pyzzicato.notes import NoteSequence
from pyzzicato.roll_examples import COUNTS
from pyzzicato.sampling import Dice, choose_count, choose_keys, sigmoid

__all__ = ["Player", "Taught", "Wish"]

LONGEST = 7.5  # seconds after which a held key is let go
KEY_FOCUS = 0.85  # which keys is drawn a little more carefully than when and how many
CHORD_WEIGHT = 0.6  # of the interval table; 1 overdoes it, 0 leaves clashes
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


@dataclass(frozen=True)
class Taught:
    """What the training measured of its music, beside the weights."""

    density: dict[str, float]  # median notes a second by composer
    loudness: dict[str, float]  # mean MIDI velocity by composer
    together: np.ndarray  # (88, 88), the interval table as a matrix, weighted

    @classmethod
    def of(cls, trained: dict[str, Any]) -> Taught:
        """From what training.json holds."""
        table = np.array(trained.get("intervals") or np.zeros(KEYS), np.float32)
        gap = np.abs(np.arange(KEYS)[:, None] - np.arange(KEYS)[None, :])
        return cls(
            trained.get("density", {}), trained.get("loudness", {}), CHORD_WEIGHT * table[gap]
        )


@dataclass(frozen=True, slots=True)
class Wish:
    """How dense and how loud it should be: first as in the seed, then more and more as usual."""

    seed: float  # notes a second
    usual: float
    seed_loudness: float  # 0-1
    usual_loudness: float

    @classmethod
    def of(cls, seed: NoteSequence, taught: Taught, composer: str, busyness: float) -> Wish:
        usual = taught.density.get(composer, 8.0) * busyness
        loudness = taught.loudness.get(composer, 64.0) / 127
        if len(seed) < 4:
            return cls(usual, usual, loudness, loudness)
        own = len(seed) / seed.duration
        heard = float(np.mean([note.velocity for note in seed])) / 127
        return cls(float(np.clip(own, usual / 3, usual * 3)), usual, heard, loudness)

    def density(self, seconds: float) -> float:
        """Notes a second wanted after so many seconds of new music."""
        trust = self._trust(seconds)
        return float(self.seed**trust * self.usual ** (1 - trust))

    def loudness(self, seconds: float) -> float:
        """Mean velocity / 127 wanted after so many seconds of new music."""
        trust = self._trust(seconds)
        return trust * self.seed_loudness + (1 - trust) * self.usual_loudness

    @staticmethod
    def _trust(seconds: float) -> float:
        return float(0.25 + 0.75 * 0.5 ** (seconds / 15.0))


class Player:
    """Chooses the keys of every take, step by step, and remembers what that needs."""

    def __init__(
        self, controls: Chosen, wish: Wish, taught: Taught, takes: int, rate: float
    ) -> None:
        self.controls, self.wish, self.taught, self.rate = controls, wish, taught, rate
        self.dice = Dice(controls.rng_seed, takes, 3 * KEYS + 2)
        self.time = 0.0  # seconds of new music
        self.held = np.zeros((takes, KEYS), np.int64)  # steps since each key was struck
        self.density = wish.density(0.0)  # notes a second that are wanted now
        self.recent = np.full(takes, self.density)  # notes a second, a running mean
        self.owed = np.zeros(takes)  # keys that chords so far fell short of what was expected
        self.tired = np.zeros((takes, KEYS))  # how often each key was struck lately
        self.lack = np.zeros(takes)  # of notes, in octaves
        self.lean = np.zeros(takes)  # towards more notes, in logits: the lack, added up
        self.louder = np.zeros(takes)  # what is added to velocities
        self.silence = np.zeros(takes)  # seconds since a key was struck
        self.choose_keys = {
            "sample": self._sample,
            "automatic": self._automatic,
            "threshold": self._fixed,
        }[controls.keys]

    def choose(self, logits: np.ndarray) -> np.ndarray:
        """The planes (takes, 3, 88) of the next step from `logits` (takes, 274)."""
        draws = self.dice.roll()
        sounding, struck = self.choose_keys(logits, draws)
        if self.controls.keys != "threshold":
            sounding &= self.held < LONGEST * self.rate
        sounding |= struck
        self.held = np.where(struck, 1, (self.held + 1) * sounding)
        planes = np.empty((len(logits), 3, KEYS), np.float32)
        planes[:, SOUNDING], planes[:, ONSET] = sounding, struck
        planes[:, VELOCITY] = self._velocities(logits, struck, draws)
        self._remember(struck.sum(axis=1))
        return planes

    def _remember(self, count: np.ndarray) -> None:
        step = 1 / self.rate
        self.time += step
        self.silence = np.where(count > 0, 0.0, self.silence + step)
        self.recent += (count * self.rate - self.recent) * step / 6.0
        self.density = self.wish.density(self.time)
        self.lack = math.log2(self.density + 0.25) - np.log2(self.recent + 0.25)
        self.lean = np.minimum(np.maximum(self.lean + 0.2 * step * self.lack, -3.0), 3.0)

    def _going_on(self, logits: np.ndarray, draws: np.ndarray | float) -> np.ndarray:
        """Which sounding keys go on without being struck again, by draws (or one number)."""
        chance = sigmoid(logits[:, : 2 * KEYS])
        sounding, struck = chance[:, :KEYS], chance[:, KEYS:]
        kept: np.ndarray = (self.held > 0) & (draws * (1.0 - struck) < sounding - struck)
        return kept

    def _sample(self, logits: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """First whether anything is struck, then how many keys, then which."""
        temperature = self.controls.temperature
        none, some = logits[:, 3 * KEYS], logits[:, 3 * KEYS + 1 :]
        top = some.max(axis=1)
        any_key = top + np.log(np.exp(some - top[:, None]).sum(axis=1)) - none
        chance = sigmoid(
            (any_key + self.lean + 0.4 * self.lack) / temperature
            + np.maximum(self.silence - 1.0, 0.0)
        )
        sounding = self._going_on(logits, draws[:, :KEYS])
        now = draws[:, -1] < chance
        if not now.any():  # as in most steps
            return sounding, np.zeros(sounding.shape, bool)
        count = np.where(now, 1 + choose_count(some, draws[:, -2]), 0)
        focused = logits[:, KEYS : 2 * KEYS] / (KEY_FOCUS * temperature)
        return sounding, choose_keys(
            focused, count, draws[:, KEYS : 2 * KEYS], self.taught.together
        )

    def _automatic(self, logits: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """No chance: a threshold that sinks while notes are missing and rises with too many.

        As many keys at once as the network expects, on the average, since a threshold that has
        sunk far would let a cluster through. A key just struck is tired for a while: without
        chance the likeliest key would otherwise be struck for ever.
        """
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
        return self._going_on(logits, 0.5), struck

    def _fixed(self, logits: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As published: every key whose sigmoid passes one threshold."""
        threshold = self.controls.threshold
        sounding = sigmoid(logits[:, :KEYS]) > threshold
        again = sigmoid(logits[:, KEYS : 2 * KEYS]) > threshold
        return sounding, sounding & (again | (self.held == 0))

    def _velocities(self, logits: np.ndarray, struck: np.ndarray, draws: np.ndarray) -> np.ndarray:
        """Velocities / 127 of the struck keys, 0 elsewhere.

        A network's means fed back to it sink little by little: what is missing to the wished
        loudness is added up and given back.
        """
        loudness = np.zeros(struck.shape, np.float32)
        take, key = np.nonzero(struck)
        if not len(take):
            return loudness
        said = np.minimum(np.maximum(logits[take, 2 * KEYS + key], 0.1), 1.0)
        if self.controls.keys != "threshold":
            count = np.bincount(take, minlength=len(struck))
            mean = np.bincount(take, said, minlength=len(struck)) / np.maximum(count, 1)
            off = self.wish.loudness(self.time) - (mean + self.louder)
            self.louder += np.where(count > 0, 0.03 * off, 0.0)
            said = said + self.louder[take]
        if self.controls.keys == "sample":
            said = said + LOUDNESS_SPREAD * (draws[take, 2 * KEYS + key] - 0.5)
        loudness[take, key] = np.minimum(np.maximum(said, 0.08), 1.0)
        return loudness
