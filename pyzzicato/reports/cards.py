"""Model cards: what a model is, what it was trained on and how well it does, from its own files.

The words are the `[card]` table of model.toml; every figure comes from training.json and
metrics.json, which commands write. `card` is the README.md of a model's folder, `facts` the
same for the Models page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyzzicato.registry import ModelInfo
from pyzzicato.reports.card_figures import sections, short_name
from pyzzicato.reports.sheets import Section, best_figure, sheets_of
from pyzzicato.reports.tables import Table, markdown

__all__ = ["UNMEASURED", "Facts", "card", "facts"]

MOST_NAMED = 25  # composers in the table of a model that offers none
UNMEASURED = "It has not been measured yet: `pyzzicato evaluate` does that."
_NOT_FREE = re.compile(r"\bNC\b|non-?commercial|research only|under copyright", re.IGNORECASE)
_FREE = re.compile(
    r"\bCC0\b|\bCC BY\b|Creative Commons Attribution|(?i:public[- ]domain)|\bMIT\b|\bBSD\b"
)


@dataclass(frozen=True)
class Facts:
    """What a card says beside the words of model.toml."""

    megabytes: str
    size: str
    training: Table
    composers: Table
    licences: Table
    commercial: str
    sections: tuple[Section, ...]
    best_figure: str


def facts(info: ModelInfo) -> Facts:
    """All of it. Raises ModelUnavailable where a file of the model is damaged."""
    trained = info.trained
    return Facts(
        megabytes=_megabytes(info),
        size=_size(info),
        training=_training(trained),
        composers=_hours("composer", _named(trained.get("composers", {}), info.composers)),
        licences=_hours("licence", trained.get("licences", {})),
        commercial=_commercial(trained.get("licences", {})),
        sections=sections(info),
        best_figure=best_figure(sheets_of(info.metrics)),
    )


def _megabytes(info: ModelInfo) -> str:
    if not info.weights.is_file():
        return "not trained yet"
    return f"{sum(path.stat().st_size for path in info.folder.glob('*.onnx')) / 1e6:.1f} MB"


def _size(info: ModelInfo) -> str:
    weights = info.trained.get("weights")
    return _megabytes(info) + (f", {weights:,} weights" if weights else "")


def _training(trained: Mapping[str, Any]) -> Table:
    wanted = (
        ("hours", "hours of music", "{:.1f}"),
        ("recordings", "recordings", "{:,}"),
        ("works", "works", "{:,}"),
        ("notes", "notes", "{:,}"),
        ("epochs", "epochs", "{}"),
        ("best_epoch", "best epoch, the one that is kept", "{}"),
        ("minutes", "minutes on two CPU cores", "{:.0f}"),
        ("training_loss", "training loss", "{:.3f}"),
        ("validation_loss", "validation loss", "{:.3f}"),
    )
    rows = [(label, form.format(trained[key])) for key, label, form in wanted if key in trained]
    return Table(("what", "how much"), tuple(rows))


def _named(hours: Mapping[str, float], offered: Sequence[str]) -> dict[str, float]:
    """Hours by the name of each composer that the model offers; the others as one.

    Where it offers none, those with the most hours are named.
    """
    named: dict[str, float] = {}
    told = offered or sorted(hours, key=lambda composer: -hours[composer])[:MOST_NAMED]
    for composer, amount in hours.items():
        name = short_name(composer) if composer in told else "others"
        named[name] = named.get(name, 0.0) + amount
    return dict(sorted(named.items(), key=lambda item: (item[0] == "others", -item[1])))


def _hours(heading: str, hours: Mapping[str, float]) -> Table:
    rows = [(name, f"{amount:.1f}") for name, amount in hours.items()]
    return Table((heading, "hours"), tuple(rows))


def _commercial(licences: Mapping[str, float]) -> str:
    """Whether the model's output may be used commercially, in one plain sentence."""
    if not licences:
        return "Nothing is recorded about its training music: do not use its output commercially."
    barred = [name for name in licences if _NOT_FREE.search(name)]
    unknown = [name for name in licences if name not in barred and not _FREE.search(name)]
    if barred:
        share = sum(licences[name] for name in barred) / sum(licences.values())
        return (
            f"Its output is not to be used commercially without checking: {share:.0%} of its "
            "training music is licensed for non-commercial use, or for study and research, only."
        )
    if unknown:
        return (
            "Whether its output may be used commercially depends on the music it was trained on: "
            f"check {', '.join(unknown)}."
        )
    return "Its output may be used commercially: all of its training music allows that."


def card(info: ModelInfo) -> str:
    """The card in Markdown. Raises ModelUnavailable where a file of the model is damaged."""
    known, words = facts(info), info.card
    parts = [
        f"# {info.title}",
        info.summary,
        f"Source: {info.source}. Size: {known.size}.",
        _section("How it works", " ".join(words.get("works", ()))),
        "" if known.sections else _section("How well it does", UNMEASURED),
        *(_section(each.heading, each.note, markdown(each.table)) for each in known.sections),
        _section("Where it differs from its source", _bullets(words.get("differs", ()))),
        _section("What it cannot do", _bullets(words.get("limits", ()))),
        _section("How it was trained", markdown(known.training)),
        _section(
            "Its music and the licences",
            known.commercial,
            "Hours of the training, validation and test music together.",
            markdown(known.licences),
            markdown(known.composers),
        )
        if known.licences.rows
        else _section("Its music and the licences", known.commercial),
        "Every figure here is written by `pyzzicato train`, `evaluate` and `cards`, "
        "or by a script in `benchmarks/`; none by hand.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(heading: str, *paragraphs: str) -> str:
    """A heading with its paragraphs, or nothing where all of them are empty."""
    filled = [text for text in paragraphs if text]
    return "\n\n".join([f"## {heading}", *filled]) if filled else ""


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
