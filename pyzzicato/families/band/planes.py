"""A window of the band as a network sees it: planes of what is struck and of what sounds.

A row of a window has 733 numbers: 61 for what the drums strike (pitches 27 to 87), then for each
of the other four 84 for what is struck and 84 for what sounds (pitches 24 to 107). Notes outside
these ranges are not seen; everything else comes back as it was. Drums are struck only: how long
a drum sounds is the drum's own affair, and comes back as one step.

A network answers with as many logits: that a cell is struck, and that a note which sounded a step
before goes on. Both together tell the window exactly, see `band_nats`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = [
    "DRAWS",
    "PARTS",
    "SPANS",
    "WIDTH",
    "band_nats",
    "draw_window",
    "home_shift",
    "nats_by_cells",
    "planes",
    "shifted",
    "window_nats",
]

KEYS = 84  # pitches of every instrument but the drums
SPANS = ((27, 88), (24, 108), (24, 108), (12, 96), (24, 108))
"""Of each instrument: its lowest pitch, and the one after its highest."""
_WIDTHS = (61, *[2 * KEYS] * 4)
_ENDS = np.cumsum(_WIDTHS).tolist()
PARTS = tuple((end - width, end) for end, width in zip(_ENDS, _WIDTHS, strict=True))
"""Of each instrument: its first column and the one after its last."""
WIDTH = _ENDS[-1]
DRAWS = 5  # uniform numbers that `draw_window` takes a take, one an instrument
# How well a pitch class belongs to C major and A minor together: Krumhansl and Kessler's two
# profiles (1982), added.
_HOME = np.array([11.73, 4.83, 7.01, 4.87, 9.13, 8.07, 5.21, 8.53, 5.56, 9.99, 4.97, 6.4])


def planes(codes: np.ndarray) -> np.ndarray:
    """Codes (..., 5, 128) of 0, 1 and 2 -> planes (..., 733) of 0 and 1, uint8."""
    found = []
    for part, (low, high) in enumerate(SPANS):
        cells = codes[..., part, low:high]
        found.append(cells == 2)
        if part:
            found.append(cells > 0)
    return np.concatenate(found, axis=-1).astype(np.uint8)


def home_shift(codes: np.ndarray) -> int:
    """Semitones, -6 to 5, that move music (..., 5, 128) to C major or A minor, or near them."""
    struck = (codes[..., 1:, :] == 2).reshape(-1, 128).sum(axis=0)
    classes = np.array([struck[pitch_class::12].sum() for pitch_class in range(12)])
    fits = [float(np.roll(classes, shift) @ _HOME) for shift in range(-6, 6)]
    # Of equals the smallest shift, so that silence and drums stay where they are.
    best = max(range(12), key=lambda place: (fits[place], -abs(place - 6)))
    return best - 6


def shifted(codes: np.ndarray, semitones: int) -> np.ndarray:
    """`codes` (..., 5, 128) with all but the drums moved; what leaves the 128 pitches is lost."""
    if not semitones:
        return codes
    moved = codes.copy()
    moved[..., 1:, :] = 0
    low, high = max(0, semitones), min(128, 128 + semitones)
    moved[..., 1:, low:high] = codes[..., 1:, low - semitones : high - semitones]
    return moved


def band_nats(before: Any, cells: Any, logits: Any, part: int) -> Any:
    """Nats in which a network tells a part of windows, (batch, steps); for Keras' own tensors.

    `before` and `cells` are a part's planes (batch, steps, width), one step apart; `logits` are of
    the same shape as `cells`. Each cell is told struck or not, and where not, and where it
    sounded a step before, whether it goes on.
    """
    from keras import ops

    def nats(truth: Any, logit: Any) -> Any:
        return ops.softplus(logit) - truth * logit

    if part == 0:
        return ops.sum(nats(cells, logits), axis=-1)
    struck, sounds = cells[..., :KEYS], cells[..., KEYS:]
    may_go_on = before[..., KEYS:] * (1 - struck)
    told = nats(struck, logits[..., :KEYS]) + may_go_on * nats(sounds, logits[..., KEYS:])
    return ops.sum(told, axis=-1)


def _chances(logits: np.ndarray) -> np.ndarray:
    result: np.ndarray = 0.5 + 0.5 * np.tanh(0.5 * logits)
    return result


def draw_window(logits: np.ndarray, before: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Windows by what a network says: codes (takes, steps, 5, 128) uint8.

    `logits` are (takes, steps, 733), `before` the codes of the step before, (takes, 5, 128),
    `draws` uniform numbers (takes, 5). An instrument strikes as many notes as the chances of all
    its cells add up to (the fraction by lot), the likeliest first: so the density is what the
    network expects, however sure or unsure it is of the places. A note goes on for as long as it
    is likelier than not that it has not ended yet.
    """
    takes, steps, _ = logits.shape
    codes = np.zeros((takes, steps, 5, 128), np.uint8)
    for part, ((first, end), (low, high)) in enumerate(zip(PARTS, SPANS, strict=True)):
        keys = high - low
        mine = logits[..., first:end]
        struck = _likeliest(mine[..., :keys], draws[:, part])
        cells = codes[:, :, part, low:high]
        cells[struck] = 2
        if part:
            lasting = (before[:, part, low:high] > 0).astype(np.float32)
            _hold(cells, _chances(mine[..., keys:]), lasting)
    return codes


def _likeliest(logits: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """The likeliest cells of (takes, steps, keys), as many as their chances add up to."""
    takes = len(logits)
    flat = logits.reshape(takes, -1)
    counts = np.floor(_chances(flat.astype(np.float64)).sum(axis=1) + draws).astype(np.int64)
    order = np.argsort(-flat, axis=1, kind="stable")
    chosen = np.zeros(flat.shape, bool)
    for take, count in enumerate(counts.tolist()):
        chosen[take, order[take, :count]] = True
    return chosen.reshape(logits.shape)


def _hold(cells: np.ndarray, go_on: np.ndarray, lasting: np.ndarray) -> None:
    """Writes into `cells` (takes, steps, keys) for how long notes sound.

    `lasting` is how likely it is that what sounded has not ended yet.
    """
    for step in range(cells.shape[1]):
        lasting = np.where(cells[:, step] == 2, 1.0, lasting * go_on[:, step])
        lasting = np.where(lasting >= 0.5, lasting, 0.0)
        cells[:, step] = np.where((cells[:, step] == 0) & (lasting > 0), 1, cells[:, step])


def window_nats(rows: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Nats of windows (n, 33, 733), the step before in front, by logits (n, 32, 733): (n, 5)."""
    before, cells = rows[:, :-1].astype(np.float32), rows[:, 1:].astype(np.float32)
    nats = np.logaddexp(0, logits) - cells * logits
    found = np.zeros((len(rows), len(PARTS)))
    for part, (first, end) in enumerate(PARTS):
        told = nats[..., first:end].copy()
        if part:
            struck = cells[..., first : first + KEYS]
            told[..., KEYS:] *= before[..., first + KEYS : end] * (1 - struck)
        found[:, part] = told.sum(axis=(1, 2))
    return found


def nats_by_cells(windows: Sequence[np.ndarray]) -> float:
    """Nats of the second half of some windows by how often each cell was so in the first half."""
    rows = np.stack(windows)
    known, asked = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    counts = known[:, 1:].sum(axis=(0, 1), dtype=np.float64)
    asked_of = np.full(counts.shape, known[:, 1:, 0].size, np.float64)
    for first, end in PARTS[1:]:
        struck, held = slice(first, first + KEYS), slice(first + KEYS, end)
        open_cells = known[:, :-1, held] * (1 - known[:, 1:, struck])
        counts[held] = (open_cells * known[:, 1:, held]).sum(axis=(0, 1), dtype=np.float64)
        asked_of[held] = open_cells.sum(axis=(0, 1), dtype=np.float64)
    chance = (counts + 0.5) / (asked_of + 1)
    logits = np.broadcast_to(np.log(chance / (1 - chance)), asked[:, 1:].shape)
    return float(window_nats(asked, logits).sum(axis=1).mean())
