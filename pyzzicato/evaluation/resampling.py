"""How sure a figure over clips is: intervals from drawing sources anew, and from drawn halves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pyzzicato.evaluation.clips import Clip

__all__ = ["RESAMPLES", "drawn", "mean_of", "middle"]

RESAMPLES = 1000


def mean_of(
    clips: Sequence[Clip], values: npt.NDArray[np.float64], dice: np.random.Generator
) -> dict[str, Any]:
    """Mean, number, and the 95 % interval from drawing sources anew, for values (clips,)."""
    names, of = np.unique([f"{c.group}/{c.source}" for c in clips], return_inverse=True)
    total, count = np.bincount(of, values), np.bincount(of).astype(np.float64)
    chosen = dice.integers(len(names), size=(RESAMPLES, len(names)))
    means = total[chosen].sum(axis=1) / count[chosen].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return {"mean": float(values.mean()), "low": float(low), "high": float(high), "n": len(values)}


def drawn(values: Sequence[float | None], least: float, most: float) -> dict[str, float] | None:
    """The mean of some draws and 1.96 times their spread around it, kept in a range."""
    found = np.array([value for value in values if value is not None])
    if not len(found):
        return None
    centre, reach = float(found.mean()), 1.96 * float(found.std())
    low, high = max(centre - reach, least), min(centre + reach, most)
    return {"value": centre, "low": low, "high": high}


def middle(values: Sequence[float | None]) -> float | None:
    """The mean of those that are there; None of none."""
    found = [value for value in values if value is not None]
    return sum(found) / len(found) if found else None
