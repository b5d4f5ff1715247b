"""How connected a composer's music is played, and what draws a take back there.

Where notes are few they are held for long, and where there are many they are short: in recordings
how long notes last goes with about the power -0.7 of how many there are a second, and times that
power of them it says how connected the playing is, with the pedal folded in. A network that goes
on from a written score, which knows no pedal, stays as dry as that, whoever is asked for. So each
take has a touch of its own, drawn by lots from what is usual for the composer (`touch_table`, kept
in training.json), and wanders around it, for players take the pedal in one passage and leave it in
the next. What the last `MEMORY` notes were makes lengths that lead there more likely, by how far
they are off. A note lasts as long as it sounds: a key that is struck again ends the note
before on it, which under the pedal is how a fifth of Beethoven's notes and two in five of Debussy's
end, so what was drawn for a note may not be what is heard.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from pyzzicato.codecs.performance import (
    DURATION,
    FINE,
    PITCH,
    TICKS,
    TIME,
    codes_of,
    duration_seconds,
    time_bounds,
)
from pyzzicato.data.density import EVERYBODY
from pyzzicato.data.pieces import Piece
from pyzzicato.generation.sampling import Dice, evenly

__all__ = ["TouchGuard", "touch_of", "touch_table"]

MEMORY = 64  # notes
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)  # of stretches are drier than what a table's row says
PIECE = 0.7  # of the standard deviation of stretches is that of pieces
SPREAD = (0.754878, 0.569840)  # of pieces, evenly: for the next rng_seed, for the next take
WANDERS = math.sqrt(1 - PIECE**2)  # of it is that of stretches within a piece
STAYS = 0.7  # of what sets a stretch apart from its piece stays in the next
PULL = 4.0  # nats for a length e times as long, for each such factor that the music is off
REACH = 1.0  # such factors; nothing gains or loses more than what is so far from the mean
FEWEST = 40  # stretches; with fewer a composer has no row of its own
DENSER = 0.7  # the power
LENGTHS = np.log(duration_seconds())
LIKELY = 1e-3  # a chance below does not come up
DICE = 2**33  # added to rng_seed: not those by which notes are drawn

NORMAL = NormalDist()

Floats = npt.NDArray[np.float64]


def touch_table(pieces: Iterable[Piece]) -> dict[str, list[float]]:
    """By composer id how connected the music is played: quantiles (5,) by `SHARES`.

    They are of the geometric mean length in seconds times notes per second to `DENSER`, over
    `MEMORY` notes in a row of performances, one stretch after another; the row "" is of everybody.
    """
    found: dict[str, list[Floats]] = defaultdict(list)
    for piece in pieces:
        if piece.kind == "performance" and len(piece.notes) > MEMORY:
            codes = codes_of(piece.notes)
            whole = len(codes) // MEMORY * MEMORY
            lengths = LENGTHS[codes[:whole, DURATION]].reshape(-1, MEMORY)
            touches = _touch(lengths, _onsets(codes[:whole]).reshape(-1, MEMORY))
            found[piece.composer].append(touches)
            found[EVERYBODY].append(touches)
    table = {}
    for composer, parts in sorted(found.items()):
        touches = np.exp(np.concatenate(parts))
        if len(touches) >= FEWEST:
            table[composer] = np.quantile(touches, SHARES).round(2).tolist()
    return table


def touch_of(table: Mapping[str, Sequence[float]], shares: Mapping[str, float]) -> Floats | None:
    """The quantiles (5,) of a mix of composers, as logarithms; None without a table.

    `table` is of `touch_table`; who is not in it is as everybody is.
    """
    if not table:
        return None
    rows = [share * np.log(table.get(name, table[EVERYBODY])) for name, share in shares.items()]
    found: Floats = np.sum(rows, axis=0)
    return found


class TouchGuard:
    """Watches how connected several takes are that go on from `codes` (n, 5) of music.

    `usual` is of `touch_of`. `meant`, (takes,), is what each take is drawn to now; take k's depends
    on `rng_seed`, k and how many notes it has had.
    """

    def __init__(self, codes: np.ndarray, usual: Floats, rng_seed: int, takes: int) -> None:
        last = codes[-MEMORY:]
        self._usual = usual
        self._piece = [NORMAL.inv_cdf(evenly(rng_seed, take, SPREAD)) for take in range(takes)]
        self._around = np.zeros(takes)
        self._notes = 0
        self._dice = Dice(rng_seed + DICE, takes, 1)
        self.meant = self._drawn()
        self._lengths = np.tile(LENGTHS[last[:, DURATION]], (takes, 1))
        self._onsets = np.tile(_onsets(last), (takes, 1))
        self._pitches = np.tile(last[:, PITCH], (takes, 1))

    def lean(self, logits: np.ndarray) -> None:
        """Makes lengths that lead back more likely: (takes, 96) of logits, in place."""
        if self._lengths.shape[1] < MEMORY:
            return
        off = self.meant - _touch(self._lengths, self._onsets)
        longer = LENGTHS - self._lengths.mean(axis=1, keepdims=True)
        logits += PULL * off[:, None] * np.clip(longer, -REACH, REACH)

    def saw(self, pitches: np.ndarray, durations: np.ndarray, waits: np.ndarray) -> None:
        """Takes in a note of each take: codes of key and duration and 10 ms steps, (takes,) each.

        If its key still sounds, the note before on it was shorter than it was drawn.
        """
        if self._notes and not self._notes % MEMORY:
            self._wander()
        self._notes += 1
        now = self._onsets.max(axis=1, initial=0) + waits
        sounded = np.log(np.maximum(now[:, None] - self._onsets, 1) / TICKS)
        again = self._pitches == pitches[:, None]
        cut = np.where(again, np.minimum(self._lengths, sounded), self._lengths)
        self._lengths = _and_then(cut, LENGTHS[durations])
        self._onsets = _and_then(self._onsets, now)
        self._pitches = _and_then(self._pitches, pitches)

    def _wander(self) -> None:
        """The next stretch begins."""
        draws = self._dice.roll()[:, 0].tolist()
        fresh = [NORMAL.inv_cdf(min(max(draw, LIKELY), 1 - LIKELY)) for draw in draws]
        self._around = STAYS * self._around + math.sqrt(1 - STAYS**2) * np.array(fresh)
        self.meant = self._drawn()

    def _drawn(self) -> Floats:
        ranks = PIECE * np.array(self._piece) + WANDERS * self._around
        found: Floats = np.interp([NORMAL.cdf(rank) for rank in ranks], SHARES, self._usual)
        return found


def _and_then(before: np.ndarray, now: np.ndarray) -> np.ndarray:
    """The last `MEMORY` of what was (takes, notes) and what is (takes,)."""
    return np.concatenate([before, now[:, None]], axis=1)[:, -MEMORY:]


def _onsets(codes: np.ndarray) -> np.ndarray:
    """10 ms steps from before the first note to each, (n,)."""
    steps: np.ndarray = np.cumsum(time_bounds()[codes[:, TIME]] + codes[:, FINE])
    return steps


def _touch(lengths: Floats, onsets: np.ndarray) -> Floats:
    """Logarithm of length times notes per second to `DENSER`, of logarithms and 10 ms steps."""
    seconds = np.maximum(onsets[:, -1] - onsets[:, 0], 1) / TICKS
    touch: Floats = lengths.mean(axis=1) + DENSER * np.log((onsets.shape[1] - 1) / seconds)
    return touch
