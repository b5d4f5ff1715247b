"""Choosing the next note or chord and its length: by what a network says and by rules of ours.

The rules: a figure that goes round and round is left by a rising temperature
(`generation.repetition`), unless the seed does it itself; where few chords or basses are in use,
each loses by how often it was met (`chords.spread`); no rest follows a rest; nothing is
longer than four quarter notes, no rest longer than one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyzzicato.codecs.chord_duration import REST, TWELFTHS, Vocabulary
from pyzzicato.families.chords.spread import Spread
from pyzzicato.generation.repetition import Guard
from pyzzicato.generation.sampling import Dice, choose_class

__all__ = ["Chooser"]

_LONGEST, _LONGEST_REST = 4 * TWELFTHS, TWELFTHS


class Chooser:
    """Draws names and lengths for every take.

    `chords` are the vocabulary's names as pitches, `before` the codes (n, 2) of what is gone on
    from. `temperature` and `top_p` are as in
    `pyzzicato.generation.sampling.choose_class`.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        chords: Sequence[tuple[int, ...]],
        before: np.ndarray,
        dice: Dice,
        takes: int,
        *,
        temperature: float,
        top_p: float,
    ) -> None:
        self._names = len(vocabulary.notes)
        self._rest = vocabulary.notes.index(REST) if REST in vocabulary.notes else -1
        lengths = np.array(vocabulary.twelfths)
        self._too_long = np.flatnonzero(lengths > _LONGEST)
        self._too_long_a_rest = np.flatnonzero(lengths > _LONGEST_REST)
        self._temperature, self._top_p = temperature, top_p
        self._dice = dice
        self._guard = Guard(_numbers(before), takes)
        names = before[:, 0].tolist()
        self._spread = [Spread(chords, names) for _ in range(takes)]
        self._rested = [bool(len(before)) and before[-1, 0] == self._rest] * takes

    def choose(self, told: np.ndarray, tired: Sequence[Sequence[int]]) -> np.ndarray:
        """Codes (takes, 2) from the network's output (takes, n + d); none that is in `tired`.

        Writes into `told`.
        """
        draws, heat = self._dice.roll(), self._guard.heat()
        names, lengths = told[:, : self._names], told[:, self._names :]
        if heat.max() > 1:
            names /= heat[:, None]
        for row, enough in enumerate(tired):
            self._spread[row].lower(names[row])
            if enough:
                names[row, enough] = -np.inf
            if self._rested[row]:
                names[row, self._rest] = -np.inf
        note = self._draw(names, draws[:, 0])
        lengths[:, self._too_long] = -np.inf
        for row, code in enumerate(note.tolist()):
            self._spread[row].saw(code)
            self._rested[row] = code == self._rest
            if self._rested[row]:
                lengths[row, self._too_long_a_rest] = -np.inf
        codes = np.empty((len(told), 2), np.int64)
        codes[:, 0], codes[:, 1] = note, self._draw(lengths, draws[:, 1])
        self._guard.saw(_numbers(codes))
        return codes

    def _draw(self, said: np.ndarray, draw: np.ndarray) -> np.ndarray:
        return choose_class(said, draw, temperature=self._temperature, top_p=self._top_p)


def _numbers(codes: np.ndarray) -> np.ndarray:
    """One whole number for name and length, (n, 2) -> (n,)."""
    numbers: np.ndarray = codes[:, 0] * 1000 + codes[:, 1]
    return numbers
