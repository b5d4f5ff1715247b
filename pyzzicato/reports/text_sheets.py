"""What metrics.json says of a character network, as tables for its card; see `text_scores`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyzzicato.reports.card_figures import Sheet

__all__ = ["best_figure", "sheets"]

_SPLITS = {"train": "trained on", "val": "validation", "test": "test"}
_PUBLISHED = "about 0.90"
_BASELINES = {"markov": "Markov model, order 2", "unigram": "how often each comes"}


def sheets(found: Mapping[str, Any]) -> tuple[Sheet, ...]:
    """The tables of the entry "text" of metrics.json."""
    return (_told(found), _learning(found))


def best_figure(found: Mapping[str, Any]) -> str:
    """The figure that says most, in a few words."""
    mine, markov = _last(found)["test"]["nats"], found["baselines"]["test"]["markov"]
    return f"{mine:.2f} nats per character (Markov: {markov:.2f})"


def _last(found: Mapping[str, Any]) -> Mapping[str, Any]:
    rows: list[Mapping[str, Any]] = list(found["checkpoints"].values())
    return rows[-1]


def _told(found: Mapping[str, Any]) -> Sheet:
    counted, last = found["characters"], _last(found)
    note = (
        "How surprising the next character of a real tune is to it, in nats: fewer are better; "
        "and how often the likeliest one comes. Counted on "
        + ", ".join(f"{counted[split]:,} characters ({name})" for split, name in _SPLITS.items())
        + f"; it knows {found['vocabulary']} characters. The source gives its share of right "
        f"characters on what it was trained on: {_PUBLISHED}."
    )
    rows = [
        (
            "this model",
            *(f"{last[split]['nats']:.3f}" for split in _SPLITS),
            *(f"{last[split]['accuracy']:.1%}" for split in _SPLITS),
        )
    ]
    rows += [
        (name, *(f"{found['baselines'][split][who]:.3f}" for split in _SPLITS), "", "", "")
        for who, name in _BASELINES.items()
    ]
    head = (
        "told by",
        *(f"nats, {name}" for name in _SPLITS.values()),
        *(f"right, {name}" for name in _SPLITS.values()),
    )
    return Sheet("How well it tells the next character", note, (head, *rows))


def _learning(found: Mapping[str, Any]) -> Sheet:
    repeats = found["repeats"]
    note = (
        f"Of {found['tunes']} tunes from nothing, at default controls, those that are ABC as they "
        "stand, with nothing to be left out. The longest row of one note or chord in "
        f"{repeats['takes']} takes of a minute is {repeats['longest']}; "
        f"{repeats['share_above_8']:.1%} of takes have one above 8."
    )
    rows = [
        (
            name,
            f"{row['val']['nats']:.3f}",
            f"{row['test']['nats']:.3f}",
            f"{row['train']['accuracy']:.1%}",
            f"{row['val']['accuracy']:.1%}",
            f"{row['valid']:.1%}",
        )
        for name, row in found["checkpoints"].items()
    ]
    head = (
        "epochs",
        "nats, validation",
        "nats, test",
        "right, trained on",
        "right, validation",
        "tunes that are ABC",
    )
    return Sheet("How it learned", note, (head, *rows))
