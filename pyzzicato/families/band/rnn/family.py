"""The multi-instrument RNN: the last 32 steps of five instruments, and what the next one is.

Source: Skourogiannis and Pallikaris: 32 steps of 5 x 128 to the next 640 numbers, three rules
for drawing notes from them. Units and layers are not stated there and were decided here: a GRU.
Differs from the source in: instruments are drawn one after another, each seeing what the others
have just chosen; notes have lengths; the music is moved to C major or A minor; the network
remembers more than the 32 steps before it, which it sees besides (see `band/rnn/windows.py`).
"""

from __future__ import annotations

from pyzzicato.families.band.rnn.evaluate import step_scores
from pyzzicato.families.band.rnn.generate import StepBand
from pyzzicato.families.band.rnn.network import StepConfig, step_graphs, step_network
from pyzzicato.families.band.rnn.windows import BandSteps, step_loss, step_metrics
from pyzzicato.training.family import Family, Lessons

__all__ = ["FAMILY"]


FAMILY = Family(
    config=StepConfig,
    build=step_network,
    export=step_graphs,
    generator=StepBand,
    scores=step_scores,
    teaching=Lessons(BandSteps, step_loss, step_metrics),
)
