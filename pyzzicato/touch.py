"""How connected a composer's music is played, and what draws a take back there.

Where notes are few they are held for long, and where there are many they are short: in recordings
how long notes last goes with about the power -0.7 of how many there are a second, and times that
power of them it says how connected the playing is, with the pedal folded in. A network that goes
on from a written score, which knows no pedal, stays as dry as that, whoever is asked for. So each
take has a touch of its own, drawn by lots from what is usual for the composer (`touch_table`, kept
in training.json), and what the last `MEMORY` notes were makes lengths that lead to it more likely,
by how far they are off.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from pyzzicato.codecs.performance import (
    DURATION,
    FINE,
    TICKS,
    TIME,
    codes_of,
    duration_seconds,
    time_bounds,
)
from pyzzicato.datasets import Piece
from pyzzicato.density import EVERYBODY
from pyzzicato.sampling import evenly

__all__ = ["TouchGuard", "touch_of", "touch_table"]

MEMORY = 64  # notes
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)  # of stretches are drier than what a table's row says
PIECE = 0.7  # of the standard deviation of stretches is that of pieces
SPREAD = (0.754878, 0.569840)  # of pieces, evenly: for the next rng_seed, for the next take
PULL = 2.0  # nats for a length e times as long, for each such factor that the music is off
REACH = 1.0  # such factors; nothing gains or loses more than what is so far from the mean
FEWEST = 40  # stretches; with fewer a composer has no row of its own
DENSER = 0.7  # the power
LENGTHS = np.log(duration_seconds())

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
            waits = _steps(codes[:whole]).reshape(-1, MEMORY)
            touches = _touch(lengths, waits)
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

    `usual` is of `touch_of`. `meant`, (takes,), is what each take is drawn to; take k's depends on
    `rng_seed` and k alone.
    """

    def __init__(self, codes: np.ndarray, usual: Floats, rng_seed: int, takes: int) -> None:
        last = codes[-MEMORY:]
        shares = [_drawn(rng_seed, take) for take in range(takes)]
        self.meant = np.interp(shares, SHARES, usual)
        self._lengths = np.tile(LENGTHS[last[:, DURATION]], (takes, 1))
        self._waits = np.tile(_steps(last), (takes, 1))

    def lean(self, logits: np.ndarray) -> None:
        """Makes lengths that lead back more likely: (takes, 96) of logits, in place."""
        if self._lengths.shape[1] < MEMORY:
            return
        off = self.meant - _touch(self._lengths, self._waits)
        longer = LENGTHS - self._lengths.mean(axis=1, keepdims=True)
        logits += PULL * off[:, None] * np.clip(longer, -REACH, REACH)

    def saw(self, durations: np.ndarray, waits: np.ndarray) -> None:
        """Takes in a note of each take: duration codes (takes,) and 10 ms steps (takes,)."""
        lengths = LENGTHS[durations][:, None]
        self._lengths = np.concatenate([self._lengths, lengths], axis=1)[:, -MEMORY:]
        self._waits = np.concatenate([self._waits, waits[:, None]], axis=1)[:, -MEMORY:]


def _drawn(rng_seed: int, take: int) -> float:
    """Which share of stretches is drier."""
    return NORMAL.cdf(PIECE * NORMAL.inv_cdf(evenly(rng_seed, take, SPREAD)))


def _steps(codes: np.ndarray) -> np.ndarray:
    """10 ms steps before each note, (n,)."""
    steps: np.ndarray = time_bounds()[codes[:, TIME]] + codes[:, FINE]
    return steps


def _touch(lengths: Floats, waits: np.ndarray) -> Floats:
    """Logarithm of length times notes per second to `DENSER`, of logarithms and 10 ms steps."""
    seconds = np.maximum(waits[:, 1:].sum(axis=1), 1) / TICKS
    touch: Floats = lengths.mean(axis=1) + DENSER * np.log((waits.shape[1] - 1) / seconds)
    return touch
