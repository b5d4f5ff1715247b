"""The one interface of every model: `Generator.generate` yields `Step`s; the rest only collects.

Streaming is the only path. A consumer gets the growing picture, the progress
(`step.time / controls.seconds`), early sound and cancel-and-keep by reading the iterator.
All state lives inside `generate`, so one loaded model serves many listeners at once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, NamedTuple

from pyzzicato.generation import controls
from pyzzicato.music.notes import Note, NoteSequence

__all__ = ["Generator", "Step", "batch_for", "collect", "collect_takes"]


class Step(NamedTuple):
    """One piece of news from a generator about one take.

    `notes` are the notes finished since the last step of this take, their times in seconds of
    *new* music (0 is where the seed ends). `time` is the seconds of new music so far; within a
    take it never goes back, and no later note ends before an earlier step's time began it.
    `text` is what a network that writes text wrote since the last step of this take.
    """

    notes: tuple[Note, ...]
    time: float
    take: int = 0
    text: str = ""


class Generator(ABC):
    """A model ready to play. Immutable: `generate` keeps everything it changes to itself."""

    Controls: ClassVar[type[controls.Controls]] = controls.Controls
    reads_seed: ClassVar[bool] = True
    """False for a network that begins by itself: whatever the seed, its music is the same."""

    @classmethod
    def controls_for(cls, info: Any) -> type[controls.Controls]:
        """The controls of a model; some families make them for each: of its checkpoints."""
        return cls.Controls

    def reads(self, seed: NoteSequence) -> str:
        """What it makes of `seed` where that is not all of it, in one sentence; "" for all."""
        return ""

    @abstractmethod
    def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
        """New music after `seed` (which may be empty), `takes` of them in one batched run.

        `controls` is an instance of this class's own `Controls`. Take k of a run is the same
        music whatever the number of takes. Raises a PyzzicatoError where the person can mend it.
        """


def batch_for(takes: int) -> int:
    """How many pieces are advanced together for so many takes: at least two.

    A batch of one takes another path through the matrix product than a larger one, and the last
    bits differ: with at least two, take k is the same however many takes there are.
    """
    return max(takes, 2)


def collect(steps: Iterable[Step], qpm: float = 120.0) -> NoteSequence:
    """All notes of take 0, as one sequence of new music that starts at 0 seconds."""
    return collect_takes(steps, 1, qpm)[0]


def collect_takes(steps: Iterable[Step], takes: int, qpm: float = 120.0) -> list[NoteSequence]:
    """All notes of every take, as sequences of new music that start at 0 seconds."""
    notes: list[list[Note]] = [[] for _ in range(takes)]
    for step in steps:
        notes[step.take].extend(step.notes)
    return [NoteSequence(tuple(each), qpm=qpm) for each in notes]
