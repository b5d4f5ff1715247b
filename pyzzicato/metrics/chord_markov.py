"""Baselines for networks of notes and lengths: how often each comes, and an order-2 Markov model.

Names and lengths are told apart, each from those before it. Counts of a longer context are mixed
with what the shorter one said, n / (n + CAUTION x kinds of codes seen there) of them (Witten and
Bell, 1991, method C, where CAUTION is 1; as in `metrics.markov`). No code has no chance at all:
every one is counted once more than it was seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

__all__ = ["ORDERS", "ChordMarkov"]

ORDERS = {"unigram": 0, "markov": 2}
CAUTION = 4.0
_AT_ONCE = 512  # places


class ChordMarkov:
    """Counts of one column of codes, in lines (n,) of whole numbers below `size`."""

    def __init__(self, lines: Sequence[np.ndarray], size: int) -> None:
        self.size = size
        whole = np.concatenate([np.zeros(0, np.int64), *lines])
        often = np.bincount(whole, minlength=size) + 1.0
        self._often = (often / often.sum()).astype(np.float32)
        pairs = np.zeros((size + 1, size), np.float32)
        triples: dict[tuple[int, int], dict[int, int]] = defaultdict(dict)
        for line in lines:
            for two, one, code in self._places(line).tolist():
                pairs[one, code] += 1
                seen = triples[two, one]
                seen[code] = seen.get(code, 0) + 1
        self._pairs = _mixed(pairs, np.broadcast_to(self._often, pairs.shape))
        self._triples = {
            context: (np.array(list(seen)), np.array(list(seen.values()), np.float32))
            for context, seen in triples.items()
        }

    def _places(self, line: np.ndarray) -> np.ndarray:
        """Rows of (two before, one before, here); `size` stands before the beginning."""
        padded = np.concatenate([[self.size, self.size], line])
        return np.stack([padded[:-2], padded[1:-1], padded[2:]], axis=1).astype(np.int64)

    def chances(self, line: np.ndarray, order: int) -> Iterator[np.ndarray]:
        """The chances of every code at some places of `line` at a time, (places, size)."""
        places = self._places(line)
        for first in range(0, len(places), _AT_ONCE):
            part = places[first : first + _AT_ONCE]
            if order == 0:
                yield np.broadcast_to(self._often, (len(part), self.size))
                continue
            chance = self._pairs[part[:, 1]]
            for row, (two, one, _) in enumerate(part.tolist() if order > 1 else []):
                codes, counts = self._triples.get((two, one), (None, None))
                if codes is not None and counts is not None:
                    doubt = CAUTION * len(codes)
                    whole = counts.sum() + doubt
                    chance[row] *= doubt / whole
                    chance[row, codes] += counts / whole
            yield chance


def _mixed(counts: np.ndarray, shorter: np.ndarray) -> np.ndarray:
    """Chances by rows of counts, each mixed with that of the shorter context."""
    doubt = CAUTION * (counts > 0).sum(axis=1, keepdims=True)
    whole = counts.sum(axis=1, keepdims=True) + doubt
    told = (counts + doubt * shorter) / np.maximum(whole, 1)
    return np.where(whole > 0, told, shorter).astype(np.float32)
