"""A model's score sheet: what it writes, measured clip by clip against real music.

For every measure of `metrics.notes`, for structureness and for the passages that stand in the
training music: the mean of the new and of the real clips, each with its 95 % interval (bootstrap
over seeds and works, for clips of one seed are not independent), and the *gap*: the Wasserstein
distance between the values of new and of real clips, in standard deviations of the real ones. For
each feature of Yang and Lerch: how alike the sets are (`pyzzicato.metrics.overlap`).

Ceilings. A gap of 0 cannot be had: two halves of real music have one too. So gaps and overlaps are
taken between a half of the new clips and a half of the real ones, DRAWS times, and beside them
stands the same between that half of the real ones and the other half, from other works. Where
they are as large, no measure here can tell the music apart. The interval of a gap is 1.96 times
the spread of its draws, which is that of halves drawn without putting back.

The composite, 0 to 1, is made for choosing between settings of one model: the mean of two parts,
each at most 1: over all measures, the ceiling's gap by the model's; over all features, the smaller
of both overlaps by the ceiling's. Overlap alone would reward music that is merely varied.

Measures that need a beat are left out: of the real music the bars are not known.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pyzzicato.data.pieces import Dataset
from pyzzicato.evaluation.clip_measuring import FORM, KNOWN, PLAIN, Measured, measured
from pyzzicato.evaluation.clip_writing import new_clips
from pyzzicato.evaluation.clips import ANYBODY, Clip, Plan, halves, real_clips
from pyzzicato.evaluation.recognition import classifier_here, recognition, with_others
from pyzzicato.evaluation.resampling import drawn, mean_of, middle
from pyzzicato.metrics.notes import METRICS, dry_up_curve
from pyzzicato.metrics.overlap import Likeness, likeness
from pyzzicato.metrics.structureness import RANGES
from pyzzicato.metrics.yang_lerch import FEATURES
from pyzzicato.registry import ModelInfo

__all__ = ["CLIP_SECONDS", "LONG_SECONDS", "MEASURES", "composite", "score_sheet"]

Floats = npt.NDArray[np.float64]
Say = Callable[[str], None]

CLIP_SECONDS = 30.0
LONG_SECONDS = 120.0  # for the dry-up curve
FORM_SECONDS = 60.0  # of a long clip, for structureness
MOST_LONG = 10  # long clips a composer; an eighth of the clips otherwise
DRAWS = 20
MOST_COMPARED = 300  # clips on each side, drawn by lots, where pairs are compared
FEWEST = 12  # real clips; below it there is no sheet, and of long ones no structureness
TOO_FEW = (
    f"fewer than {FEWEST} clips of {{:g}} s of its kind of music are at hand that it was not "
    "trained on"
)

MEASURES: Mapping[str, tuple[str, str]] = {
    **{name: (each.about, each.unit) for name, each in METRICS.items() if not each.on_beat},
    **{
        f"structureness_{name}": (f"how stretches of {name} s come back", "fitness")
        for name in RANGES
    },
    "known_passage": ("longest passage that stands in the training music", "notes"),
    "copied": ("clips that share more than 99 of 100 real ones", "share"),
}
"""What each measure is, and its unit."""


def score_sheet(
    info: ModelInfo,
    dataset: Dataset,
    plan: Plan,
    run: Path,
    say: Say = print,
    *,
    processes: int = 1,
    recognise: bool = True,
) -> dict[str, Any]:
    """The sheet as plain values for metrics.json; only {"skipped": why} without real music.

    `run` is the folder for what was written so far; what is counted is kept beside it. Without
    `recognise` the composer classifier is not asked. Raises ModelUnavailable without weights.
    """
    real = real_clips(info, dataset, plan)
    if sum(map(len, real.values())) < FEWEST:
        return {"skipped": TOO_FEW.format(plan.seconds)}
    few = max(1, min(MOST_LONG, plan.count // 8))
    long_plan = dataclasses.replace(plan, seconds=LONG_SECONDS, count=few)
    long_real = real_clips(info, dataset, long_plan)
    new, long_new = (
        new_clips(info, dataset, each, counts, run / f"{each.seconds:g}s", say, processes=processes)
        for each, counts in ((plan, _counts(real)), (long_plan, _long_counts(long_real)))
    )
    sides = _both(real, new), _both(long_real, long_new)
    known = "performance" in info.training.get("kinds", ())
    dice = np.random.default_rng([plan.rng_seed, 2])
    counted = _Counted.of(sides, plan.seconds, known, run.parent / "measures", say, processes)
    say(f"{info.id}: comparing {len(sides[0][1])} clips with real ones")
    measures, forms = _values(counted.short), _values(counted.long)
    rows = {name: _compared(*sides[0], values, dice) for name, values in measures.items()}
    rows |= {name: _compared(*sides[1], values, dice) for name, values in forms.items()}
    sheet = {
        **_asked(info, plan, real, new),
        "clips": len(sides[0][1]),
        "long_clips": len(sides[1][1]),
        "measures": {name: row for name, row in rows.items() if row},
        "features": _features(*sides[0], counted.short, dice),
        "curve": _curve(*sides[1]),
        "by_group": _by_group(*sides[0], measures),
    }
    if recognise and known and (classifier := classifier_here()):
        moved = with_others(
            info, dataset, plan, _counts(new), run / "others", say, processes=processes
        )
        say(f"{info.id}: asking the classifier")
        sheet["recognition"] = recognition(classifier, *sides[0], moved, dice)
    return dict(_rounded({**sheet, "composite": composite(sheet)}))


def _asked(
    info: ModelInfo,
    plan: Plan,
    real: Mapping[str, Sequence[Clip]],
    new: Mapping[str, Sequence[Clip]],
) -> dict[str, Any]:
    """What was asked for, and of whom there is no music."""
    return {
        "seconds": plan.seconds,
        "asked": plan.count,
        "split": plan.split,
        "rng_seed": plan.rng_seed,
        "controls": dataclasses.asdict(info.controls(seconds=plan.seconds, **dict(plan.values))),
        "groups": {name: len(clips) for name, clips in real.items() if name in new},
        "without_real_music": sorted(set(info.composers) - set(real)),
        "without_seeds": sorted(set(real) - set(new)),
    }


Sides = tuple[list[Clip], list[Clip]]  # real and new


def _counts(clips: Mapping[str, Sequence[Clip]]) -> dict[str, int]:
    return {group: len(found) for group, found in clips.items()}


def _long_counts(clips: Mapping[str, Sequence[Clip]]) -> dict[str, int]:
    """As many as there are real ones, and enough for a curve where long works are rare."""
    counts = _counts(clips)
    return {g: max(n, MOST_LONG) if g == ANYBODY else n for g, n in counts.items()}


def _both(real: Mapping[str, list[Clip]], new: Mapping[str, list[Clip]]) -> Sides:
    """All real and all new clips of the groups that have both: equally many of each group."""
    groups = [group for group in real if group in new]
    return [c for g in groups for c in real[g]], [c for g in groups for c in new[g]]


Values = tuple[list[float | None], list[float | None]]  # of the real clips, of the new ones
Pair = tuple[list[Measured], list[Measured]]  # likewise


@dataclasses.dataclass(frozen=True)
class _Counted:
    """What was counted in the clips, and in the first minute of the long ones."""

    short: Pair
    long: Pair

    @classmethod
    def of(
        cls,
        sides: tuple[Sides, Sides],
        seconds: float,
        known: bool,
        folder: Path,
        say: Say,
        processes: int,
    ) -> _Counted:
        """Passages only where it is `known` that the index holds such music."""
        (short, long), kind = sides, KNOWN if known else PLAIN
        if len(long[0]) < FEWEST:
            long = ([], [])
        pairs = []
        for each, length, what in ((short, seconds, kind), (long, FORM_SECONDS, FORM)):
            real, new = (measured(c, length, what, folder, say, processes) for c in each)
            pairs.append((real, new))
        return cls(*pairs)


def _values(pair: Pair) -> dict[str, Values]:
    """The value of each clip, measure by measure."""
    real, new = pair
    names = (real or new)[0].values if real or new else ()
    return {name: ([r.values[name] for r in real], [r.values[name] for r in new]) for name in names}


def _compared(
    real: Sequence[Clip], new: Sequence[Clip], values: Values, dice: np.random.Generator
) -> dict[str, Any]:
    """One measure: means with intervals, and the gap beside that of two real halves."""
    sides = []
    for clips, found in zip((real, new), values, strict=True):
        pairs = [(c, v) for c, v in zip(clips, found, strict=True) if v is not None]
        sides.append(([c for c, _ in pairs], np.array([v for _, v in pairs], np.float64)))
    (real_kept, known), (new_kept, made) = sides
    if not len(known) or not len(made):
        return {}
    spread = float(known.std()) or 1.0

    def gap(one: Floats, other: Floats) -> float | None:
        return _transport(one, other) / spread if len(one) and len(other) else None

    draws = []
    for _ in range(DRAWS):
        first, second = halves(real_kept, dice)
        mine, _rest = halves(new_kept, dice)
        draws.append((gap(known[first], made[mine]), gap(known[first], known[second])))
    return {
        "real": mean_of(real_kept, known, dice),
        "new": mean_of(new_kept, made, dice),
        "gap": drawn([each[0] for each in draws], 0.0, math.inf),
        "ceiling": middle([each[1] for each in draws]),
        "undefined": len(new) - len(made),
    }


def _transport(one: Floats, other: Floats) -> float:
    """The Wasserstein distance between two sets of numbers, (n,) and (m,)."""
    both = np.sort(np.concatenate([one, other]))
    below = [
        np.searchsorted(np.sort(each), both[:-1], "right") / len(each) for each in (one, other)
    ]
    return float((np.abs(below[0] - below[1]) * np.diff(both)).sum())


def _features(
    real: Sequence[Clip], new: Sequence[Clip], pair: Pair, dice: np.random.Generator
) -> dict[str, Any]:
    """Every feature of Yang and Lerch: likeness of half the clips, beside that of real halves."""
    vectors = [[each.features for each in side] for side in pair]
    rows: dict[str, list[tuple[Likeness | None, Likeness | None]]] = {n: [] for n in FEATURES}
    for _ in range(DRAWS):
        first, second = (_some(half, dice) for half in halves(real, dice))
        mine = _some(halves(new, dice)[0], dice)
        for name, found in rows.items():
            one, other = (_stacked(vectors[0], name, half) for half in (first, second))
            made = _stacked(vectors[1], name, mine)
            found.append((likeness(one, made), likeness(one, other)))
    return {name: _alike(found) for name, found in rows.items()}


def _some(numbers: npt.NDArray[np.int64], dice: np.random.Generator) -> npt.NDArray[np.int64]:
    return dice.permutation(numbers)[:MOST_COMPARED]


def _stacked(
    vectors: Sequence[Mapping[str, Floats | None]], name: str, half: npt.NDArray[np.int64]
) -> Floats:
    """The vectors of some clips in one feature, those left out for which it is not defined."""
    found = [vector for n in half if (vector := vectors[n][name]) is not None]
    return np.array(found) if found else np.zeros((0, 1))


def _alike(draws: Sequence[tuple[Likeness | None, Likeness | None]]) -> dict[str, Any]:
    row = {}
    for each in dataclasses.fields(Likeness):
        most = 1.0 if "overlap" in each.name else math.inf
        mine, real = (
            [None if draw[side] is None else getattr(draw[side], each.name) for draw in draws]
            for side in (0, 1)
        )
        row[each.name] = {**(drawn(mine, 0.0, most) or {}), "ceiling": middle(real)}
    return row


def _curve(real: Sequence[Clip], new: Sequence[Clip]) -> dict[str, Any]:
    """Notes a second in each 10 s: mean, and the middle half of the clips."""
    row: dict[str, Any] = {}
    for name, clips in (("real", real), ("new", new)):
        curves = np.array([dry_up_curve(clip.sequence, LONG_SECONDS) for clip in clips])
        if len(curves):
            low, high = np.quantile(curves, [0.25, 0.75], axis=0)
            row[name] = {"mean": curves.mean(axis=0), "low": low, "high": high, "n": len(curves)}
    return row


def _by_group(
    real: Sequence[Clip], new: Sequence[Clip], measures: Mapping[str, Values]
) -> dict[str, Any]:
    """The means of each measure by composer, new and real."""
    found: dict[str, Any] = {}
    for group in dict.fromkeys(clip.group for clip in real):
        found[group] = {
            name: {
                side: middle([v for c, v in zip(clips, each, strict=True) if c.group == group])
                for side, clips, each in zip(("real", "new"), (real, new), values, strict=True)
            }
            for name, values in measures.items()
        }
    return found


def composite(sheet: Mapping[str, Any]) -> float | None:
    """The one figure for choosing between settings, 0 to 1; what it is says the module."""
    gaps: list[float] = [
        min(1.0, row["ceiling"] / row["gap"]["value"]) if row["gap"]["value"] > 0 else 1.0
        for row in sheet["measures"].values()
        if row["gap"] and row["ceiling"] is not None
    ]
    overlaps: list[float] = [
        min(1.0, *(row[name]["value"] / row[name]["ceiling"] for name in _OVERLAPS))
        for row in sheet["features"].values()
        if all(row[name].get("value") is not None and row[name]["ceiling"] for name in _OVERLAPS)
    ]
    if not gaps or not overlaps:
        return None
    return (sum(gaps) / len(gaps) + sum(overlaps) / len(overlaps)) / 2


_OVERLAPS = ("overlap", "overlap_new")


def _rounded(value: Any) -> Any:
    """Plain values for JSON, numbers to 4 places."""
    if isinstance(value, Mapping):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [_rounded(each) for each in value]
    return round(float(value), 4) if isinstance(value, (float, np.floating)) else value
