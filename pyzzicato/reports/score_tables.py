"""What the score sheets of all models say together: which is best, and what was not measured.

Models are compared with one another where they write the same kind of
music: each kind has a table of its own, so that the best of a table is its best figure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyzzicato.errors import listed
from pyzzicato.metrics.scores import Sheet
from pyzzicato.registry import ModelInfo
from pyzzicato.reports.card_figures import short_name
from pyzzicato.reports.sheets import best_figure, sheets_of
from pyzzicato.reports.tables import Table

__all__ = [
    "Scored",
    "absences",
    "best",
    "by_kind",
    "likeness_table",
    "overview",
    "scored",
]

_KINDS = {
    "performance": "Piano, as pianists play it",
    "beats": "Piano, chords and their lengths",
    "abc": "Folk tunes",
    "melody": "Melodies",
    "band": "Bands of five",
}


@dataclass(frozen=True)
class Scored:
    """One model and its sheet; `clips` is empty where nothing that it writes was measured."""

    id: str
    title: str
    kind: tuple[str, ...]
    """What it writes, as the training music calls it: performance, beats, abc, melody, band."""
    clips: Mapping[str, Any]
    sheets: Sequence[Sheet] = ()
    """How well it tells real music, and what else its family measures."""

    def row(self, part: str, name: str) -> Mapping[str, Any]:
        """One row of "measures" or "features"; empty where it is not there."""
        found: Mapping[str, Any] = self.clips.get(part, {}).get(name) or {}
        return found


def scored(infos: Iterable[ModelInfo]) -> list[Scored]:
    """All models in their order."""
    return [
        Scored(
            info.id,
            info.title,
            (min(info.training.get("kinds") or ["performance"]).split(":")[0],),
            info.metrics.get("clips", {}),
            sheets_of(info.metrics),
        )
        for info in infos
    ]


def by_kind(models: Iterable[Scored]) -> dict[str, list[Scored]]:
    """The models by what they write, in words, in the order in which they come."""
    found: dict[str, list[Scored]] = defaultdict(list)
    for model in models:
        found[" ".join(_KINDS.get(kind, kind) for kind in model.kind)].append(model)
    return dict(found)


def best(
    models: Iterable[Scored], figure: Callable[[Scored], float | None], *, lower: bool = True
) -> set[str]:
    """The ids of the models with the best figure to two places, among those of one kind of music.

    Where all of them are as good, or there is only one, none is the best.
    """
    kinds: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    for model in models:
        value = figure(model)
        if value is not None:
            kinds[model.kind][model.id] = round(value, 2)
    found: set[str] = set()
    for values in kinds.values():
        wanted = min(values.values()) if lower else max(values.values())
        if len(set(values.values())) > 1:
            found |= {name for name, value in values.items() if value == wanted}
    return found


def overview(models: list[Scored]) -> Table:
    """Composite, likeness in the mean, and how well real music is told, model by model."""
    head = (
        "model", "composite", "mean gap (ceiling)", "mean overlap (ceiling)", "clips",
        "how well it tells real music",
    )  # fmt: skip
    winners = (
        best(models, lambda m: m.clips.get("composite"), lower=False),
        best(models, lambda m: _mean_gap(m)[0]),
        best(models, lambda m: _mean_overlap(m)[0], lower=False),
    )
    rows, marked = [], set()
    for number, model in enumerate(models):
        composite = model.clips.get("composite")
        pairs = (_both(*_mean_gap(model)), _both(*_mean_overlap(model)))
        clips = (
            f"{model.clips['clips']} of {model.clips['seconds']:g} s"
            if "clips" in model.clips
            else ""
        )
        rows.append((model.title, _number(composite), *pairs, clips, best_figure(model.sheets)))
        marked |= {(number, n + 1) for n, ids in enumerate(winners) if model.id in ids}
    return Table(head, tuple(rows), frozenset(marked))


def _mean_gap(model: Scored) -> tuple[float | None, float | None]:
    rows = [row for row in model.clips.get("measures", {}).values() if row["gap"]]
    return _mean(row["gap"]["value"] for row in rows), _mean(row["ceiling"] for row in rows)


def _mean_overlap(model: Scored) -> tuple[float | None, float | None]:
    """The smaller of both directions, in the mean of all features."""
    rows = [
        min((row[name] for name in ("overlap", "overlap_new")), key=lambda each: each["value"])
        for row in model.clips.get("features", {}).values()
        if all(row[name].get("value") is not None for name in ("overlap", "overlap_new"))
    ]
    return _mean(row["value"] for row in rows), _mean(row["ceiling"] for row in rows)


def _mean(values: Iterable[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return sum(found) / len(found) if found else None


def likeness_table(models: list[Scored], features: Mapping[str, str]) -> Table:
    """Every feature: overlaps in both directions and both divergences, with their ceilings."""
    head = ("feature", "model", "overlap", "overlap, new", "KL", "KL back", "published overlap")
    names = ("overlap", "overlap_new", "divergence", "divergence_back", "published_overlap")
    rows: list[tuple[str, ...]] = []
    marked = set()
    for feature, about in features.items():
        winners = [
            best(models, _figure_of(feature, name), lower="divergence" in name) for name in names
        ]
        for model in models:
            row = model.row("features", feature)
            if not row:
                continue
            marked |= {(len(rows), n + 2) for n, ids in enumerate(winners) if model.id in ids}
            cells = (_both(row[name].get("value"), row[name]["ceiling"]) for name in names)
            rows.append((about, model.title, *cells))
    return Table(head, tuple(rows), frozenset(marked))


def _figure_of(feature: str, name: str) -> Callable[[Scored], float | None]:
    def value(model: Scored) -> float | None:
        found: float | None = model.row("features", feature).get(name, {}).get("value")
        return found

    return value


def _both(value: float | None, ceiling: float | None) -> str:
    return _number(value) + ("" if ceiling is None else f" ({ceiling:.2f})")


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.2f}"


def _has_forms(model: Scored) -> bool:
    return any(name.startswith("structureness") for name in model.clips["measures"])


def absences(models: Collection[Scored]) -> list[str]:
    """What was not measured and why, in sentences."""
    found = []
    for model in models:
        clips = model.clips
        if not clips:
            found.append(f"{model.title}: nothing of what it writes has been measured yet.")
        elif "skipped" in clips:
            found.append(f"{model.title}: {clips['skipped']}.")
        for key, why in (
            ("without_real_music", "there is no real music that it was not trained on"),
            ("without_seeds", "there is no built-in seed to continue"),
        ):
            if clips.get(key):
                names = listed([short_name(name) for name in clips[key]])
                found.append(f"{model.title}, {names}: {why}.")
        if clips.get("measures") and "performance" in model.kind and "recognition" not in clips:
            found.append(f"{model.title}: whether its composers are recognised was not asked yet.")
    short = [m.title for m in models if m.clips.get("measures") and not _has_forms(m)]
    if short:
        found.append(
            f"{listed(short)}: how stretches of it come back was not measured, for there is too "
            "little real music of its kind that is two minutes long."
        )
    others = [m.title for m in models if m.clips.get("measures") and "performance" not in m.kind]
    if others:
        found.append(
            f"{listed(others)}: whether passages stand in the training music was not asked, for "
            "the index holds performances on the piano alone."
        )
    if any("band" in model.kind for model in models):
        found.append(
            "Bands: in all clips the drums are left out; what they do stands side by side."
        )
    return [
        *found,
        "Rhythm from bar to bar and empty bars: the bars of the real music are not known.",
    ]
