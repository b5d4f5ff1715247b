"""Published figures beside ours, where the data allow a comparison at all.

What others published of a model's kind is written in its model.toml, under `[[card.published]]`.
Nothing that rests on other music or other tokens is put into one column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pyzzicato.registry import ModelInfo
from pyzzicato.reports.sheets import published, sheets_of
from pyzzicato.reports.tables import Table

__all__ = ["NOT_COMPARABLE", "beside_published"]

NOT_COMPARABLE = (
    "Overlapping Area: published for jazz piano (PerformanceRNN 0.77, Aria 0.91 of PiJAMA, 200 "
    "real clips beside 80 new ones), other music and other numbers of clips; files of that same "
    "project give one network anything from 0.37 to 0.77.",
    "Pitch-class entropy, scale and groove consistency: published for orchestra (Multitrack Music "
    "Transformer, 2.80 bits beside 2.97 of the real pieces), so only the protocol is ours too: "
    "the nearer to real music, the better.",
    "Fréchet Music Distance: published with the encoders CLaMP 1 and 2; the classifier distance "
    "above is of another encoder, so no figure of one says anything about the other.",
    "The piano rolls, the networks for five instruments and the AttentionRNN: their authors judged "
    "by ear and published no figures.",
)


def beside_published(
    models: Iterable[ModelInfo], classifier: Mapping[str, Any] | None = None
) -> Table:
    """The rows that there are figures for; `classifier` is what was measured of it."""
    rows = [
        (f"{info.title}: {what}", *cells)
        for info in models
        for what, *cells in published(info, sheets_of(info.metrics)).rows
    ]
    if classifier:
        rows.append(_classifier(classifier))
    return Table(("what", "published", "ours", "how near"), tuple(rows))


def _classifier(measured: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return (
        "Composer classifier, 20 s",
        "F1 0.83 over 13 composers of MAESTRO (Kim et al. 2020)",
        f"{measured['clips_right']:.1%} of clips over {len(measured['composers'])} composers, "
        f"{measured['works_right']:.1%} of works by vote",
        "Only nearby: other works and composers, a share in place of F1, and ours never has "
        "recordings of one work on both sides.",
    )
