"""What metrics.json says of a melody network, as tables for its card; see `melody_scores`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyzzicato.reports.card_figures import Sheet

__all__ = ["best_figure", "sheets"]

_TOLD_BY = {
    "network": "this model",
    "markov": "Markov model, order 2",
    "unigram": "how often each comes",
}


def sheets(found: Mapping[str, Any]) -> tuple[Sheet, ...]:
    """The tables of the entry "melody" of metrics.json."""
    return (_told(found["splits"]), _by_temperature(found), _first_notes(found))


def best_figure(found: Mapping[str, Any]) -> str:
    """The figure that says most, in a few words."""
    rows = found["splits"]["test"]
    mine, markov = (rows[who]["nats"] for who in ("network", "markov"))
    return f"{mine:.2f} nats per step (Markov: {markov:.2f})"


def _told(splits: Mapping[str, Any]) -> Sheet:
    test = splits["test"]
    note = (
        "How surprising the next sixteenth of a real melody is to it, in nats: fewer are better. "
        f"Counted on {test['steps']:,} steps of {test['melodies']:,} melodies that were not "
        f"trained on (in brackets on {splits['val']['melodies']:,} of the validation split). "
        "Right: how often the likeliest of the 40 classes came, at all steps and where a note "
        "begins. The two other predictors are counted from the same training music and tell the "
        "same classes, so they too may say that a bar comes again."
    )
    rows = tuple(
        (
            name,
            *(
                f"{test[who][figure]:{form}} ({splits['val'][who][figure]:{form}})"
                for figure, form in (
                    ("nats", ".3f"),
                    ("accuracy", ".1%"),
                    ("accuracy_notes", ".1%"),
                )
            ),
        )
        for who, name in _TOLD_BY.items()
    )
    head = ("told by", "nats per step", "right", "right where a note begins")
    return Sheet("How well it tells the next step", note, (head, *rows))


def _by_temperature(found: Mapping[str, Any]) -> Sheet:
    note = (
        f"Means over {found['takes']} takes of 8 bars from one C5. The source heard monotony at "
        "0.5 and disorder from 1.25 on. Repeated figures are runs of four notes whose pitches "
        "came before."
    )
    head = ("wildness", "repeated bars", "repeated figures", "range in semitones", "notes a bar")
    rows = tuple(
        (
            name,
            f"{row['repeated_bars']:.0%}",
            f"{row['repeated_fours']:.0%}",
            f"{row['range']:.1f}",
            f"{row['notes']:.1f}",
        )
        for name, row in found["temperature"].items()
    )
    return Sheet("What wildness does", note, (head, *rows))


def _first_notes(found: Mapping[str, Any]) -> Sheet:
    key, loops = found["key_of_first_note"], found["loops"]
    note = (
        "The source heard the first note become the tonic of a major key: takes of 8 bars from "
        "one note of every pitch class. The lower rows are takes with all controls as they come."
    )
    rows = (
        (
            f"notes in the major key of the first note, {key['takes']} takes (by lot: "
            f"{key['by_lot']:.1%})",
            f"{key['in_key']:.1%}",
        ),
        ("takes in which no other major key holds more notes", f"{key['best_key']:.1%}"),
        (
            "takes with one pitch more than 8 times in a row",
            f"{loops['same_note']} of {loops['takes']}",
        ),
        (
            "takes that fall silent more than 2 bars before their end",
            f"{loops['ended_early']} of {loops['takes']}",
        ),
    )
    return Sheet("First notes and endings", note, (("what", "how many"), *rows))
