"""Which setting of a model should be the usual one: tried on the validation split, told in a table.

`settings` says what is tried: the usual setting and some with one control changed. `tried` writes
and measures clips at one of them, the same seeds and real music for all, and gives the composite
of `pyzzicato.score_sheet` and beside it guards: what a setting may not buy a better composite
with. What is behind the usual setting at the first rng seed is not tried again (`promising`).
`verdict` says whether another setting should become the usual one, `page` tells it all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyzzicato.clips import Plan
from pyzzicato.controls import Control, declared
from pyzzicato.datasets import Dataset
from pyzzicato.errors import PyzzicatoError
from pyzzicato.evaluation import run_folder
from pyzzicato.registry import ModelInfo
from pyzzicato.score_sheet import CLIP_SECONDS, score_sheet

__all__ = ["RNG_SEEDS", "Verdict", "page", "promising", "settings", "tried", "verdict"]

RNG_SEEDS = (1, 2)
TIMES = (0.8, 0.9, 1.1, 1.2)  # of the usual wildness
OTHERS: Mapping[str, tuple[Any, ...]] = {
    "top_p": (0.9, 0.95, 0.98, 1.0),
    "busyness": (0.9, 1.1),
    "guidance": (1.0, 1.5, 3.0),
    "course": (False,),
    "keys": ("automatic",),  # the published threshold is known to fall silent
}
MORE = 0.02  # of silence and of repeated windows that a setting may have more than both others
DENSITY = 1.33  # times too many notes, or too few, that are let pass

Row = Mapping[str, Any]


def settings(info: ModelInfo) -> list[dict[str, Any]]:
    """What is tried, as changed controls; the first is {}, the usual setting."""
    found: list[dict[str, Any]] = [{}]
    for control in declared(info.controls):
        if control.main and control.kind is float:
            values: tuple[Any, ...] = tuple(_stepped(control, times) for times in TIMES)
        else:
            values = () if control.hidden else OTHERS.get(control.name, ())
        found += [{control.name: value} for value in values if value != control.default]
    return [each for n, each in enumerate(found) if each not in found[:n]]


def _stepped(control: Control, times: float) -> float:
    """So many times the usual value, as the control can be set."""
    step = control.step or 0.05
    value = round(round(control.default * times / step) * step, 6)
    low = -math.inf if control.minimum is None else control.minimum
    return float(min(max(value, low), math.inf if control.maximum is None else control.maximum))


def tried(
    info: ModelInfo,
    dataset: Dataset,
    values: Mapping[str, Any],
    rng_seed: int,
    count: int,
    runs: Path,
    say: Callable[[str], None] = print,
    processes: int = 1,
) -> dict[str, Any]:
    """One row: the composite and the guards of `count` clips a composer at one setting.

    Raises PyzzicatoError where the validation split has too little music for a sheet.
    """
    plan = Plan(CLIP_SECONDS, count, "val", rng_seed, tuple(sorted(values.items())))
    run = run_folder(info, plan, runs)
    sheet = score_sheet(info, dataset, plan, run, say, processes=processes, recognise=False)
    if sheet.get("composite") is None:
        raise PyzzicatoError(
            f"{info.id}: there is too little validation music of its kind to choose by."
        )
    sides = {name: {s: row[s]["mean"] for s in ("real", "new")} for name, row in _guarded(sheet)}
    return {
        "values": dict(values),
        "rng_seed": rng_seed,
        "clips": sheet["clips"],
        "composite": sheet["composite"],
        "guards": sides,
    }


def promising(rows: Sequence[Row], values: Mapping[str, Any]) -> bool:
    """Whether a setting is to be tried once more: the usual one, or better than it so far."""
    this, usual = (
        [row["composite"] for row in rows if row["values"] == each] for each in (values, {})
    )
    return not values or not this or this[0] > usual[0]


_GUARDS = ("note_density", "silence_rate", "repeated_window_rate")


def _guarded(sheet: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in _GUARDS:
        if name in sheet["measures"]:
            yield name, sheet["measures"][name]


@dataclass(frozen=True)
class Verdict:
    """The best setting beside the usual one.

    `best` are the changed controls, {} where none is better within the guards. `gain` is how much
    the mean composite rises, `spread` the most that the composite of any one setting differs
    between two rng seeds. `changes` where the gain is larger.
    """

    best: Mapping[str, Any]
    before: float
    after: float
    spread: float

    @property
    def gain(self) -> float:
        """How much the mean composite rises."""
        return self.after - self.before

    @property
    def changes(self) -> bool:
        """Whether the best should become the usual setting."""
        return bool(self.best) and self.gain > self.spread


def verdict(rows: Sequence[Row]) -> Verdict:
    """What the rows of one model say; raises ValueError without a row of the usual setting."""
    groups = _groups(rows)
    usual = next((mine for mine in groups if not mine[0]["values"]), None)
    if usual is None:
        raise ValueError("the usual setting was not tried")
    whole = (mine for mine in groups if len(mine) == len(usual) and _allowed(mine, usual))
    best = max(whole, key=_composite)
    return Verdict(
        best[0]["values"],
        round(_composite(usual), 4),
        round(_composite(best), 4),
        round(max(map(_apart, groups)), 4),
    )


def _groups(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows of each setting."""
    found: list[list[Row]] = []
    for row in rows:
        mine = next((each for each in found if each[0]["values"] == row["values"]), None)
        if mine is None:
            found.append([row])
        else:
            mine.append(row)
    return found


def _composite(rows: Sequence[Row]) -> float:
    return math.fsum(row["composite"] for row in rows) / len(rows)


def _apart(rows: Sequence[Row]) -> float:
    values = [row["composite"] for row in rows]
    return float(max(values) - min(values))


def _guard(rows: Sequence[Row], name: str, side: str) -> float:
    values = [row["guards"][name][side] for row in rows if name in row["guards"]]
    return math.fsum(values) / len(values) if values else 0.0


def _ratio(rows: Sequence[Row]) -> float:
    """Notes a second, as a multiple of what real music has."""
    new, real = (_guard(rows, "note_density", side) for side in ("new", "real"))
    return new / real if real else 1.0


def _allowed(rows: Sequence[Row], usual: Sequence[Row]) -> bool:
    """Whether a setting is no more silent or repetitive, and no farther off in density."""
    for name in ("silence_rate", "repeated_window_rate"):
        most = max(_guard(usual, name, "new"), _guard(usual, name, "real")) + MORE
        if _guard(rows, name, "new") > most:
            return False
    off, usual_off = (abs(math.log(max(_ratio(each), 1e-6))) for each in (rows, usual))
    return off <= max(usual_off, math.log(DENSITY))


def page(
    kept: Mapping[str, Any], titles: Mapping[str, str], now: Mapping[str, Mapping[str, Any]]
) -> str:
    """What was tried and what came of it, in Markdown, from what `tools/tune_defaults.py` keeps.

    `titles` and the usual settings of today, `now`, by model id. A model of which not all is tried
    is left out.
    """
    lines = [
        "# Which settings are the usual ones, and why",
        "",
        "Made by `python tools/tune_defaults.py --write-page` from `benchmarks/tuning.json`; "
        "nothing here is typed by hand. Each model writes clips of "
        f"{CLIP_SECONDS:g} s on the validation split, with the same seeds, the same dice and the "
        "same real music beside them at every setting, and once more with other dice where it was "
        "not behind the usual setting. The composite (0 to 1, `pyzzicato/score_sheet.py`) says "
        "how near their ceilings all measures and features are. A setting with more silence or "
        f"repeated windows than both the usual one and real music (by more than {MORE:.0%}), "
        "or with a density farther off than the usual one's and "
        f"than {DENSITY:g} times, is not taken, however good. The usual setting is changed only "
        "where the gain is larger than the most that any one setting differs between rng "
        "seeds: the best of many owes part of its lead to luck.",
    ]
    for model, found in kept.items():
        if _complete(found["rows"]):
            said = _said(found, now.get(model, {}))
            lines += ["", f"## {titles.get(model, model)}", "", said, "", *_table(found)]
    return "\n".join(lines) + "\n"


def _complete(rows: Sequence[Row]) -> bool:
    """Whether all that is promising was tried with every rng seed."""
    return all(
        len(mine) == len(RNG_SEEDS) or not promising(rows, mine[0]["values"])
        for mine in _groups(rows)
    )


def _said(found: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    said, rows = verdict(found["rows"]), found["rows"]
    tried_on = f"{rows[0]['clips']} clips a setting and rng seed."
    figures = f"{said.before:.3f} before, {said.after:.3f} after; {said.spread:.3f} between seeds"
    if not said.best:
        return f"{tried_on} None is better than the usual setting ({said.before:.3f})."
    if said.changes:
        done = all(now.get(name) == value for name, value in said.best.items())
        verb = "became usual" if done else "is better than the usual setting"
        return f"{tried_on} **{_words(said.best)} {verb}** ({figures})."
    return f"{tried_on} {_words(said.best)} is best, but not by enough to be sure ({figures})."


def _words(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) or "as it was"


def _table(found: Mapping[str, Any]) -> Iterator[str]:
    groups = _groups(found["rows"])
    usual = next(mine for mine in groups if not mine[0]["values"])
    yield "| setting | composite | by rng seed | silence | repeated | density over real | |"
    yield "|---|---:|---:|---:|---:|---:|---|"
    for mine in groups:
        cells = (
            _words(mine[0]["values"]),
            f"{_composite(mine):.3f}",
            " / ".join(f"{row['composite']:.3f}" for row in mine),
            f"{_guard(mine, 'silence_rate', 'new'):.1%}",
            f"{_guard(mine, 'repeated_window_rate', 'new'):.1%}",
            f"{_ratio(mine):.2f}",
            "" if _allowed(mine, usual) else "not within the guards",
        )
        yield f"| {' | '.join(cells)} |"
    silent, again = (_guard(usual, n, "real") for n in ("silence_rate", "repeated_window_rate"))
    yield f"| real music | | | {silent:.1%} | {again:.1%} | 1.00 | |"
