"""Where on the keyboard a composer's music lies, and what draws a take back there.

A network that reads nothing but its own notes climbs, or sinks, and does not come back: high notes
make more high notes likely. So a take is drawn back from two places. Where the mean of the last 32
pitches is outside `FARTHEST`, whoever the composer; and where the mean of the last 128 is outside
what eight in ten stretches of that composer's recordings have (`register_table`, kept in
training.json). There the pitches further out lose by how far they are out. Music that is gone on
from, and was itself as high or as low, may stay there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from pyzzicato.codecs.performance import BINS, PITCH
from pyzzicato.data.density import EVERYBODY
from pyzzicato.data.pieces import Piece
from pyzzicato.music.notes import LOWEST_KEY

__all__ = ["RegisterGuard", "register_of", "register_table"]

FARTHEST = (52.0, 82.0)  # MIDI pitches; of 32 notes in a row 2 in 100 are lower, or higher
SHORT, LONG = 32, 128  # notes
PULL, LONG_PULL = 0.15, 0.4  # nats an octave, for each semitone that the mean is outside
FEWEST = 40  # stretches; with fewer a composer has no row of its own

Range = tuple[float, float]


def register_table(pieces: Iterable[Piece]) -> dict[str, list[float]]:
    """By composer id the MIDI pitches between which the middle of the music lies: [low, high].

    They are the 10th and 90th percentile of the mean pitch of 128 notes in a row, over
    performances, one stretch after another; the row "" is of everybody.
    """
    found: dict[str, list[npt.NDArray[np.float64]]] = defaultdict(list)
    for piece in pieces:
        if piece.kind == "performance":
            whole = len(piece.notes) // LONG * LONG
            means = piece.notes[:whole, 2].astype(np.float64).reshape(-1, LONG).mean(axis=1)
            found[piece.composer].append(means)
            found[EVERYBODY].append(means)
    table = {}
    for composer, parts in sorted(found.items()):
        means = np.concatenate(parts)
        if len(means) >= FEWEST:
            table[composer] = np.percentile(means, [10, 90]).round(1).tolist()
    return table


def register_of(table: Mapping[str, Sequence[float]], shares: Mapping[str, float]) -> Range | None:
    """(low, high) of a mix of composers, MIDI pitches; None without a table.

    `table` is of `register_table`; who is not in it is as everybody is.
    """
    if not table:
        return None
    low, high = (
        sum(share * table.get(name, table[EVERYBODY])[end] for name, share in shares.items())
        for end in (0, 1)
    )
    return float(low), float(high)


class RegisterGuard:
    """Watches how high several takes lie that go on from the same music.

    `parts` are the pitches of that music, as codes (n,), the one gone on from first; `usual` is
    of `register_of`, and None where nothing is known of the composer.
    """

    def __init__(self, parts: Sequence[np.ndarray], takes: int, usual: Range | None) -> None:
        self._bounds = [(SHORT, PULL, _widened(FARTHEST, parts, SHORT))]
        if usual:
            self._bounds.append((LONG, LONG_PULL, _widened(usual, parts, LONG)))
        self._recent = np.tile(parts[0][-LONG:], (takes, 1))

    def lower(self, logits: np.ndarray) -> None:
        """Makes what is further out less likely: pitches (takes, 88) of logits, in place."""
        for memory, pull, (low, high) in self._bounds:
            if self._recent.shape[1] < memory:
                return
            mean = self._recent[:, -memory:].mean(axis=1)
            out = np.maximum(mean - high, 0.0) + np.minimum(mean - low, 0.0)
            further = np.sign(out)[:, None] * (np.arange(BINS[PITCH]) - mean[:, None])
            # An octave towards the middle is enough: the other end of the keyboard gains no more.
            logits -= pull * np.abs(out)[:, None] * np.maximum(further / 12 + 1, 0.0)

    def saw(self, pitches: np.ndarray) -> None:
        """Takes in the pitches just written, (takes,), as codes."""
        self._recent = np.concatenate([self._recent, pitches[:, None]], axis=1)[:, -LONG:]


def _widened(usual: Range, parts: Sequence[np.ndarray], memory: int) -> Range:
    """`usual` as codes, and where any stretch of `parts` was; a few notes tell nothing."""
    low, high = (pitch - LOWEST_KEY for pitch in usual)
    for pitches in parts:
        if len(pitches) >= SHORT:
            each = np.ones(min(memory, len(pitches)))
            means = np.convolve(pitches, each / len(each), "valid")
            low, high = min(low, float(means.min())), max(high, float(means.max()))
    return low, high
