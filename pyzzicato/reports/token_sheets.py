"""What metrics.json says of a network of notes and lengths: sentences and tables for its card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pyzzicato.reports.card_figures import Row, Sheet

__all__ = ["best_figure", "sheets"]

_READERS = {
    "network": "this model",
    "markov": "order-2 Markov model",
    "unigram": "how often each comes",
}
_SPLITS = {"train": "training", "val": "validation", "test": "test"}
_PARTS = {"note": "note or chord", "duration": "length"}
_FIGURES = ("nats", "accuracy", "precision", "recall")


def sheets(found: Mapping[str, Any]) -> tuple[Sheet, ...]:
    """How well it tells the next token, and whether it goes round in circles."""
    return (_telling(found), *([_circles(found["takes"])] if found.get("takes") else []))


def best_figure(found: Mapping[str, Any]) -> str:
    """Nats per token on the test split, beside the Markov model's."""
    split = "test" if "test" in found else "val"
    mine, markov = (
        sum(found[split][who][part]["nats"] for part in _PARTS) for who in ("network", "markov")
    )
    return f"{mine:.2f} nats per token (Markov: {markov:.2f})"


def _telling(found: Mapping[str, Any]) -> Sheet:
    head = ("music", "of", "told by", "nats", "accuracy", "precision", "recall")
    rows = tuple(
        (_SPLITS[split], _PARTS[part], _READERS[who], *_cells(found[split][who][part]))
        for split in _SPLITS
        if split in found
        for part in _PARTS
        for who in _READERS
    )
    held_out = " and ".join(
        f"{found[split]['tokens']:,} of the {_SPLITS[split]} split"
        for split in ("val", "test")
        if split in found
    )
    note = (
        "How well the next note or chord and its length are told from those before: "
        f"{found['names']:,} chords and {found['lengths']} lengths are known. Nats are the "
        "surprise per token: fewer are better. Accuracy is the share whose likeliest choice is "
        "right; precision and recall count only what is told with a chance above one half, as "
        "Keras does, so on many chords precision is high where recall is next to nothing. "
        f"Tokens: {found['train']['tokens']:,} that were trained on; {held_out}, of works that "
        "were not."
    )
    return Sheet("How well it tells the next token", note, (head, *rows))


def _cells(figures: Mapping[str, Any]) -> Iterator[str]:
    for name in _FIGURES:
        value = figures[name]
        yield "none" if value is None else f"{value:.3f}" if name == "nats" else f"{value:.4f}"


def _circles(takes: Mapping[str, Any]) -> Sheet:
    table: tuple[Row, ...] = (
        ("over takes of " + f"{takes['seconds']:g} s", "how many"),
        ("takes at the default controls, after built-in seeds", f"{takes['takes']}"),
        ("takes that strike the same more than eight times in a row", f"{takes['looped']}"),
        ("seconds to the last note of the shortest", f"{takes['shortest']:g}"),
        ("notes a second", f"{takes['notes_per_second']:g}"),
    )
    return Sheet("Whether it goes round in circles", "", table)
