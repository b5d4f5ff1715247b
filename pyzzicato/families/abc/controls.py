"""What a listener turns on a network that writes text; some of it depends on what was trained.

The characters to begin with are those of the model's vocabulary, the checkpoints those that its
training kept, kinds and keys those of its prompts: so the class is made for each model.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pyzzicato.codecs.abc_text import shown
from pyzzicato.families.abc.plain import KEYS, KINDS
from pyzzicato.generation import controls
from pyzzicato.generation.controls import control, wildness

__all__ = ["ANY", "TextControls", "checkpoints_of", "controls_of"]

ANY = "any"


@dataclass(frozen=True, kw_only=True)
class TextControls(controls.Controls):
    """What every model of this family has."""

    temperature: float = wildness(
        0.7, 0.3, 1.5, "Low keeps to what is likely, high dares more, and makes more mistakes."
    )
    characters: int = control(
        0,
        label="Characters",
        help="How much text to write; a tune has 300 to 600 characters. The rest of the length "
        "is then silent. 0 writes tune after tune until the length is full.",
        minimum=0,
        maximum=6000,
        step=100,
    )


def checkpoints_of(training: Mapping[str, Any]) -> tuple[int, ...]:
    """The epochs whose weights were kept, the last one being the model itself; () for none."""
    every = int(training.get("keep_every", 0))
    return tuple(range(every, int(training["epochs"]) + 1, every)) if every else ()


def controls_of(config: Mapping[str, Any], training: Mapping[str, Any]) -> type[TextControls]:
    """The class of controls of a model; the same one for the same tables."""
    return _made(str(config["vocabulary"]), checkpoints_of(training), bool(config.get("prompts")))


@cache
def _made(vocabulary: str, checkpoints: tuple[int, ...], prompts: bool) -> type[TextControls]:
    fields: list[tuple[str, type, Any]] = []
    if checkpoints:
        checkpoint = control(
            checkpoints[-1],
            label="Checkpoint",
            help="After how many epochs of its training: hear how it learned.",
            minimum=checkpoints[0],
            maximum=checkpoints[-1],
            step=checkpoints[0],
        )
        fields.append(("checkpoint", int, checkpoint))
    if prompts:
        kind, key = (
            control(ANY, label=label, help=help, choices=(ANY, *choices))
            for label, help, choices in (
                ("Kind of tune", "What it is asked to write.", KINDS),
                ("Key", "In which key; dor is Dorian, mix Mixolydian.", KEYS),
            )
        )
        fields += [("kind", str, kind), ("key", str, key)]
    else:
        choices = tuple(shown(character) for character in vocabulary)
        start = control(
            "X" if "X" in choices else choices[0],
            label="First character",
            help="What the text begins with where there is no seed; X begins a tune.",
            choices=choices,
        )
        fields.append(("start", str, start))
    made: type[TextControls] = dataclasses.make_dataclass(
        "TextControls", fields, bases=(TextControls,), frozen=True, kw_only=True
    )
    return made
