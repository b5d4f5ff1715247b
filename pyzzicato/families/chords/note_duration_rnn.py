"""Notes and their lengths, one token a step, by an LSTM or a GRU.

Source: Nguyễn Ngọc Lương (UIT): two embeddings of 100, an LSTM or a GRU, two softmax heads,
windows of 32 notes, categorical cross-entropy, RMSprop at 0.001, 40 epochs, batches of 32, 64 or
128, names and lengths seen fewer than 10 times taken out. Not stated there and decided here:
units, layers, dropout, how a note is chosen, how chords are cut (see
`pyzzicato/codecs/chord_duration.py`). Differs from the source in: see the model's card.
"""

from __future__ import annotations

from pyzzicato.families.chords.evaluate import chord_scores
from pyzzicato.families.chords.generate import TokenGenerator
from pyzzicato.families.chords.layers import ChordConfig, built, exported
from pyzzicato.families.chords.windows import ChordWindows, chord_loss, chord_metrics, prepare
from pyzzicato.training.family import Family, Lessons

__all__ = ["FAMILY"]


FAMILY = Family(
    config=ChordConfig,
    build=built,
    export=exported,
    generator=TokenGenerator,
    scores=chord_scores,
    teaching=Lessons(ChordWindows, chord_loss, chord_metrics),
    prepare=prepare,
)
