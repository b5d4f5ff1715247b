"""The next note or chord by one GRU: quarter notes as published, or with lengths of their own.

Source: Skourogiannis and Pallikaris: a list of notes and chords, an embedding of 96, one GRU, a
softmax, and a multinomial draw, because always taking the likeliest gives the same piece again.
Not stated there and decided here: units, vocabulary, length of windows, the optimiser. Differs
from the source in: a second embedding and a second head for the lengths, since its stated
weakness is that every note is a quarter; the control `durations` turns them off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyzzicato.families.chords.evaluate import chord_scores
from pyzzicato.families.chords.generate import TokenControls, TokenGenerator
from pyzzicato.families.chords.layers import ChordConfig, built, exported
from pyzzicato.families.chords.windows import ChordWindows, chord_loss, chord_metrics, prepare
from pyzzicato.generation.controls import control
from pyzzicato.training.family import Family, Lessons

__all__ = ["FAMILY", "build", "export"]


def build(config: Mapping[str, Any]) -> Any:
    """The Keras model; see `pyzzicato.families.chords.layers.built`. There is one GRU."""
    return built({**config, "cell": "gru", "layers": 1})


def export(weights: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The step graph; see `pyzzicato.families.chords.layers.exported`."""
    return exported(weights, {**config, "cell": "gru", "layers": 1})


@dataclass(frozen=True, kw_only=True)
class NextNoteControls(TokenControls):
    """What a listener turns on the GRU of notes."""

    durations: bool = control(
        True,
        label="Lengths of their own",
        help="Off: every note and chord is a quarter note, as in the published network.",
    )


class NextNoteGenerator(TokenGenerator):
    """A trained GRU of notes, ready to play."""

    Controls = NextNoteControls


FAMILY = Family(
    config=ChordConfig,
    build=build,
    export=export,
    generator=NextNoteGenerator,
    scores=chord_scores,
    teaching=Lessons(ChordWindows, chord_loss, chord_metrics),
    prepare=prepare,
)
