"""How well a melody network tells real melodies, and what its own are like.

Conventions. The network reads a melody of the validation or test split, untransposed, and says
each next step; `nats` is the mean of -ln of how likely it held the class that came (less is
better), `accuracy` the share of steps whose likeliest class came, and `accuracy_notes` the same
where a note begins. The first event of a melody is given, not told.

Beside it stand two predictors that are counted from the training split in a second, over the
same 40 classes, so that they too may say "as a bar ago": how often each class comes (`unigram`),
and how often it comes after the two classes before it, mixed with what fewer of them say where
these are rare (`markov`, order 2, Witten and Bell, 1991, method C).

What its own melodies are like is measured on `TAKES` takes of 8 bars at a tempo of 120 each, from
one C5 or, for the key, from one note of every pitch class.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pyzzicato.codecs.melody import STEPS_PER_BAR, MelodyCodec
from pyzzicato.data.pieces import Dataset
from pyzzicato.errors import PyzzicatoError
from pyzzicato.families.melody.encoding import CLASSES, MAJOR, MelodyReader, classes_of
from pyzzicato.families.melody.windows import melody_events
from pyzzicato.generation.generator import collect_takes
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import StepGraph

__all__ = ["TEMPERATURES", "MelodyTally", "likeness", "markov_chances", "melody_scores"]

TAKES = 50
LOOP_TAKES = 200
LOOP = 8  # the same pitch more often in a row is a loop
TEMPERATURES = (0.5, 0.75, 1.0, 1.25, 1.5)
C5 = 72
SECONDS = 16.0
BATCH = 128


class MelodyTally:
    """Nats and hits, added up over melodies."""

    def __init__(self) -> None:
        self.steps = self.begun = 0
        self.nats = self.hits = self.hits_begun = 0.0

    def add(self, chances: np.ndarray, truth: np.ndarray, begins: np.ndarray) -> None:
        """Some steps: chances (n, 40), the classes that came (n,), and whether a note begins."""
        right = chances.argmax(axis=1) == truth
        self.steps += len(truth)
        self.begun += int(begins.sum())
        self.nats -= float(np.log(np.maximum(chances[np.arange(len(truth)), truth], 1e-9)).sum())
        self.hits += float(right.sum())
        self.hits_begun += float((right & begins).sum())

    def row(self) -> dict[str, float]:
        """What metrics.json has of it."""
        return {
            "nats": round(self.nats / max(self.steps, 1), 4),
            "accuracy": round(self.hits / max(self.steps, 1), 4),
            "accuracy_notes": round(self.hits_begun / max(self.begun, 1), 4),
        }


def melody_scores(
    info: ModelInfo, dataset: Dataset, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """What `pyzzicato evaluate` measures of a melody model."""
    known = [classes_of(events) for events in melody_events(dataset.split("train"))]
    if not known:
        raise PyzzicatoError("There are no melodies in the training split of that folder.")
    table: dict[str, Any] = {}
    for name in ("val", "test"):
        asked = melody_events(dataset.split(name))
        if not asked:
            raise PyzzicatoError(f"There are no melodies in the split {name} of that folder.")
        table[name] = {
            "melodies": len(asked),
            "steps": sum(len(events) - 1 for events in asked),
            "network": _network(StepGraph(info.weights, threads=2), asked).row(),
            **{who: tally.row() for who, tally in _counted(known, asked).items()},
        }
        say(f"{info.id}: {len(asked)} melodies in {name}")
    generator = info.load()
    say(f"{info.id}: its own melodies")
    found = {
        "splits": table,
        "takes": TAKES,
        "loops": _loops(generator),
        "temperature": {f"{t:g}": _at(generator, t) for t in TEMPERATURES},
        "key_of_first_note": _keys(generator),
    }
    return {"melody": found}


def _network(graph: StepGraph, melodies: Sequence[np.ndarray]) -> MelodyTally:
    """What the network says of melodies, read side by side."""
    tally = MelodyTally()
    ordered = sorted(melodies, key=len)
    for first in range(0, len(ordered), BATCH):
        some = ordered[first : first + BATCH]
        truth = [classes_of(events) for events in some]
        reader, state = MelodyReader(len(some)), graph.start(len(some))
        for step in range(len(some[-1]) - 1):
            events = np.array([each[min(step, len(each) - 1)] for each in some])
            read = reader.push(events)
            logits, state = graph.advance({"melody": read[:, None]}, state)
            there = np.array([step + 1 < len(each) for each in some])
            classes = np.array([t[step + 1] for t, on in zip(truth, there, strict=True) if on])
            begins = np.array(
                [e[step + 1] >= 0 for e, on in zip(some, there, strict=True) if on], bool
            )
            tally.add(_softmax(logits[there, -1]), classes, begins)
    return tally


def _softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    chances: np.ndarray = weights / weights.sum(axis=-1, keepdims=True)
    return chances


def _counted(known: Sequence[np.ndarray], asked: Sequence[np.ndarray]) -> dict[str, MelodyTally]:
    """The two predictors that are counted."""
    tallies = {}
    for who, order in (("unigram", 0), ("markov", 2)):
        table = markov_chances(known, order)
        tallies[who] = MelodyTally()
        for events in asked:
            classes = classes_of(events)
            chances = table[_contexts(classes, order)]
            tallies[who].add(chances[1:], classes[1:], events[1:] >= 0)
    return tallies


def markov_chances(known: Sequence[np.ndarray], order: int) -> np.ndarray:
    """The chance of each class after each context of `order` classes, (contexts, 40).

    A context is one number, base 41: the class before last, then the last; 40 stands for what is
    before the melody.
    """
    chances = np.full((1, CLASSES), 1 / CLASSES)
    for length in range(order + 1):
        counts = np.zeros(((CLASSES + 1) ** length, CLASSES))
        for classes in known:
            np.add.at(counts, (_contexts(classes, length)[1:], classes[1:]), 1)
        kinds = (counts > 0).sum(axis=1, keepdims=True)
        total = counts.sum(axis=1, keepdims=True)
        shorter = np.tile(chances, (max(len(counts) // len(chances), 1), 1))
        mixed = (counts + kinds * shorter) / np.maximum(total + kinds, 1)
        chances = np.where(total > 0, mixed, shorter)
    return chances


def _contexts(classes: np.ndarray, order: int) -> np.ndarray:
    """What stands before each class of a melody, one number each, (steps,)."""
    packed = np.zeros(len(classes), np.int64)
    for ago in range(order, 0, -1):
        before = np.concatenate([np.full(ago, CLASSES), classes])[: len(classes)]
        packed = packed * (CLASSES + 1) + before
    return packed


def _takes(generator: Any, seed: NoteSequence, takes: int, **values: Any) -> list[NoteSequence]:
    controls = generator.Controls(**{"seconds": SECONDS, **values})
    return collect_takes(generator.generate(seed, controls, takes), takes)


def _loops(generator: Any) -> dict[str, Any]:
    """How many takes with all controls as they are have one pitch more than 8 times in a row."""
    takes = _takes(generator, NoteSequence((Note(0.0, 0.5, C5),)), LOOP_TAKES)
    return {
        "takes": LOOP_TAKES,
        "same_note": sum(_longest_run(take) > LOOP for take in takes),
        "ended_early": sum(take.duration < SECONDS - 2 * 2.0 for take in takes),
    }


def _longest_run(music: NoteSequence) -> int:
    longest = run = last = 0
    for note in music:
        run = run + 1 if note.pitch == last else 1
        longest, last = max(longest, run), note.pitch
    return longest


def likeness(music: Sequence[NoteSequence]) -> dict[str, float]:
    """Means over pieces at a tempo of 120, what repetition and range are.

    `repeated_bars` is the share of bars after the first that are the same as an earlier one,
    `repeated_fours` the share of figures of four pitches that came before, `range` the semitones
    from the lowest note to the highest, `notes` how many a bar has.
    """
    bars, fours, spans, notes = [], [], [], []
    for piece in music:
        events = MelodyCodec().encode(piece)
        rows = [
            tuple(events[first : first + STEPS_PER_BAR].tolist())
            for first in range(0, len(events) - STEPS_PER_BAR + 1, STEPS_PER_BAR)
        ]
        pitches = [note.pitch for note in piece]
        figures = list(zip(*(pitches[start:] for start in range(4)), strict=False))
        bars.append(_seen_before(rows))
        fours.append(_seen_before(figures))
        spans.append(max(pitches) - min(pitches) if pitches else 0)
        notes.append(len(pitches) / max(len(events) / STEPS_PER_BAR, 1))
    return {
        "repeated_bars": round(float(np.mean(bars)), 3),
        "repeated_fours": round(float(np.mean(fours)), 3),
        "range": round(float(np.mean(spans)), 1),
        "notes": round(float(np.mean(notes)), 2),
    }


def _seen_before(things: Sequence[tuple[int, ...]]) -> float:
    return (len(things) - len(set(things))) / max(len(things) - 1, 1)


def _at(generator: Any, temperature: float) -> dict[str, float]:
    """What melodies from one C5 are like at a temperature."""
    seed = NoteSequence((Note(0.0, 0.5, C5),))
    values = {"temperature": temperature, "primer": "note"}
    return likeness(_takes(generator, seed, TAKES, **values))


def _keys(generator: Any) -> dict[str, float]:
    """Whether melodies are in the major key of the note they begin with.

    `in_key` is the share of their notes that belong to it; a note by lot would in 0.583 of
    cases. `best_key` is the share of melodies for which no other major key holds more notes.
    """
    shares, best = [], []
    for pitch in range(C5 - 12, C5):
        seed = NoteSequence((Note(0.0, 0.5, pitch),))
        for take in _takes(generator, seed, TAKES, primer="note"):
            counts = np.bincount([note.pitch % 12 for note in take], minlength=12)
            held = counts @ MAJOR
            shares.append(held[pitch % 12] / counts.sum())
            best.append(held[pitch % 12] == held.max())
    return {
        "takes": len(shares),
        "in_key": round(float(np.mean(shares)), 3),
        "by_lot": round(7 / 12, 3),
        "best_key": round(float(np.mean(best)), 3),
    }
