"""How alike two sets of pieces are in one feature: Overlapping Area and KL divergence.

Every piece is a vector; distances (Euclidean) are taken between all pieces of one set (*within*)
and between those of two sets (*between*), and smoothed into densities (Gaussian kernels, Scott's
bandwidth). Where both sets are alike, the distances within and between are distributed alike.

Source: Yang and Lerch, Neural Computing and Applications 32 (2020), and their code, mgeval.
Differs from it in that both densities are taken on one grid which covers both: mgeval's
divergence reads each on its own range, so that distances twice as large have the divergence 0;
and in that both directions are there: a model that always plays the same looks close when only
the distances within the real music are compared. The original's own form is there too.

Both figures depend on the number of pieces: set them beside those of two halves of real music.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Likeness", "divergence", "likeness", "overlapping_area"]

Floats = npt.NDArray[np.float64]

GRID = 512  # points
REACH = 4.0  # bandwidths that the grid reaches beyond the distances
FLOOR = 1e-9  # of the largest density: less counts as this much, so that nothing is infinite
PUBLISHED = 1000  # points of mgeval's own grids


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two sets compared in one feature.

    `overlap` is the Overlapping Area, 0 to 1, of the distances within the real set and between
    the sets, `overlap_new` that of the distances within the new set and between the sets.
    `divergence` is the KL divergence, in nats, 0 or more, of the first two, `divergence_back` the
    same from the distances between; `divergence_new` and `divergence_new_back` likewise for the
    new set. `published_overlap` and `published_divergence` are the original's own form of the
    first two.
    """

    overlap: float
    overlap_new: float
    divergence: float
    divergence_back: float
    divergence_new: float
    divergence_new_back: float
    published_overlap: float
    published_divergence: float


def likeness(real: Floats, new: Floats) -> Likeness | None:
    """Compares sets of vectors, (pieces, numbers) each; None below three pieces in one of them."""
    if len(real) < 3 or len(new) < 3:
        return None
    within_real, within_new = _within(real), _within(new)
    between = _distances(real, new).ravel()
    of_real, of_new = (_both(each, between, REACH) for each in (within_real, within_new))
    return Likeness(
        overlap=_area(*of_real),
        overlap_new=_area(*of_new),
        divergence=_entropy(of_real[1], of_real[2]),
        divergence_back=_entropy(of_real[2], of_real[1]),
        divergence_new=_entropy(of_new[1], of_new[2]),
        divergence_new_back=_entropy(of_new[2], of_new[1]),
        published_overlap=_published_overlap(within_real, between),
        published_divergence=_published_divergence(within_real, between),
    )


def overlapping_area(first: Floats, second: Floats) -> float:
    """The area under both densities, 0 to 1, on one grid for both."""
    return _area(*_both(first, second, REACH))


def _area(grid: Floats, one: Floats, other: Floats) -> float:
    return float(min(np.minimum(one, other).sum() * (grid[1] - grid[0]), 1.0))


def divergence(first: Floats, second: Floats) -> float:
    """KL(first || second) in nats, 0 or more, on one grid for both."""
    _, one, other = _both(first, second, REACH)
    return _entropy(one, other)


def _published_overlap(first: Floats, second: Floats) -> float:
    """mgeval's `overlap_area`: only between the smallest and the largest distance of both."""
    return _area(*_both(first, second, 0.0))


def _published_divergence(first: Floats, second: Floats) -> float:
    """mgeval's `kl_dist`: each density on its own range, point by point."""
    scale = _scale(first, second)
    return _entropy(*(_on_own_range(each, scale) for each in (first, second)))


def _on_own_range(values: Floats, scale: float) -> Floats:
    if np.ptp(values) == 0:
        return np.ones(PUBLISHED)
    grid = np.linspace(values.min(), values.max(), PUBLISHED)
    return _density(values, _bandwidth(values, scale), grid)


def _distances(first: Floats, second: Floats) -> Floats:
    """(n, m) Euclidean distances of (n, k) and (m, k)."""
    squares = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1) - 2 * first @ second.T
    found: Floats = np.sqrt(np.maximum(squares, 0.0))
    return found


def _within(pieces: Floats) -> Floats:
    """The distance of each pair once, (n * (n - 1) / 2,)."""
    return _distances(pieces, pieces)[np.triu_indices(len(pieces), 1)]


def _scale(first: Floats, second: Floats) -> float:
    """How far both reach together; never 0."""
    low, high = min(first.min(), second.min()), max(first.max(), second.max())
    return float(high - low) or max(float(abs(high)), 1.0)


def _bandwidth(values: Floats, scale: float) -> float:
    """Scott's rule, at least a hundredth of `scale`, for distances that are all the same."""
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return max(spread / math.pow(len(values), 0.2), scale / 100)


def _both(first: Floats, second: Floats, reach: float) -> tuple[Floats, Floats, Floats]:
    """A grid that goes `reach` bandwidths beyond both, and their densities on it."""
    scale = _scale(first, second)
    widths = [_bandwidth(each, scale) for each in (first, second)]
    low, high = min(first.min(), second.min()), max(first.max(), second.max())
    more = reach * max(widths) if high > low else REACH * max(widths)
    grid = np.linspace(low - more, high + more, GRID)
    return grid, _density(first, widths[0], grid), _density(second, widths[1], grid)


def _density(values: Floats, width: float, grid: Floats) -> Floats:
    """The density of `values` smoothed by kernels of `width`, at an even grid over all of them."""
    step, last = grid[1] - grid[0], len(grid) - 1
    place = np.clip((values - grid[0]) / step, 0, last)
    low = np.minimum(np.floor(place).astype(np.int64), last - 1)
    # Each value is shared between its two neighbours on the grid, by how near they are.
    weight = np.bincount(low, 1 - (place - low), minlength=len(grid))
    weight += np.bincount(low + 1, place - low, minlength=len(grid))
    reach = np.arange(-last, last + 1) * step / width
    kernel = np.exp(-0.5 * reach**2) / (width * np.sqrt(2 * np.pi))
    found: Floats = np.convolve(weight, kernel)[last : last + len(grid)] / len(values)
    return found


def _entropy(first: Floats, second: Floats) -> float:
    """KL divergence of two rows of densities, each first made to add up to 1."""
    p, q = (np.maximum(each, each.max() * FLOOR) for each in (first, second))
    p, q = p / p.sum(), q / q.sum()
    return float(max((p * np.log(p / q)).sum(), 0.0))
