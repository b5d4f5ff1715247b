"""How well a melody network tells real melodies, and what its own are like.

Conventions. The network reads a melody of the validation or test split, untransposed, and says
each next step; nats are the mean of -ln of how likely it held the class that came (less is
better), right is the share of steps whose likeliest class came. The first event of a melody is
given, not told.

Beside it stand two predictors that are counted from the training split in a second, over the
same 40 classes, so that they too may say "as a bar ago": how often each class comes, and how often
it comes after the two classes before it, mixed with what fewer of them say where these are rare
(order 2, Witten and Bell, 1991, method C).

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
from pyzzicato.generation.sampling import softmax
from pyzzicato.metrics.scores import MODEL, Measure, Score, Sheet, rows
from pyzzicato.music.notes import Note, NoteSequence, longest_repeat
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
NATS = "nats per step"
UNIGRAM, MARKOV = "how often each comes", "order-2 Markov model"


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
        """The figures by the names of their measures."""
        return {
            NATS: round(self.nats / max(self.steps, 1), 4),
            "right": round(self.hits / max(self.steps, 1), 4),
            "right where a note begins": round(self.hits_begun / max(self.begun, 1), 4),
        }


def melody_scores(
    info: ModelInfo, dataset: Dataset, say: Callable[[str], None] = print
) -> tuple[Sheet, ...]:
    """What `pyzzicato evaluate` measures of a melody model."""
    known = [classes_of(events) for events in melody_events(dataset.split("train"))]
    if not known:
        raise PyzzicatoError("There are no melodies in the training split of that folder.")
    found: list[Score] = []
    counted = []
    for split, word in (("test", "test"), ("val", "validation")):
        asked = melody_events(dataset.split(split))
        if not asked:
            raise PyzzicatoError(f"There are no melodies in the split {split} of that folder.")
        network = _network(StepGraph(info.weights, threads=2), asked)
        for by, tally in {MODEL: network, **_counted(known, asked)}.items():
            found += rows(tally.row(), by=by, split=split)
        counted.append(f"{network.steps:,} steps of {len(asked):,} melodies ({word})")
        say(f"{info.id}: {counted[-1]}")
    generator = info.load()
    say(f"{info.id}: its own melodies")
    return (_told(found, counted), _by_temperature(generator), _first_notes(generator))


def _told(found: Sequence[Score], counted: Sequence[str]) -> Sheet:
    return Sheet(
        "How well it tells the next step",
        "How surprising the next sixteenth of a real melody is to it, in nats: fewer are better. "
        f"Counted on {' and '.join(counted)} that were not trained on. Right: how often the "
        "likeliest of the 40 classes came, at all steps and where a note begins. The two other "
        "predictors are counted from the same training music and tell the same classes, so they "
        "too may say that a bar comes again.",
        (
            Measure(NATS, ".3f", "lower"),
            Measure("right", ".1%", "higher"),
            Measure("right where a note begins", ".1%", "higher"),
        ),
        tuple(found),
        across=("measure", "split"),
        rival=MARKOV,
    )


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
            tally.add(softmax(logits[there, -1]), classes, begins)
    return tally


def _counted(known: Sequence[np.ndarray], asked: Sequence[np.ndarray]) -> dict[str, MelodyTally]:
    """The two predictors that are counted."""
    tallies = {}
    for by, order in ((UNIGRAM, 0), (MARKOV, 2)):
        table = markov_chances(known, order)
        tallies[by] = MelodyTally()
        for events in asked:
            classes = classes_of(events)
            chances = table[_contexts(classes, order)]
            tallies[by].add(chances[1:], classes[1:], events[1:] >= 0)
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


def likeness(music: Sequence[NoteSequence]) -> dict[str, float]:
    """Means over pieces at a tempo of 120, what repetition and range are.

    Repeated bars are those after the first that are the same as an earlier one, repeated figures
    the runs of four pitches that came before, as shares.
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
        "repeated bars": round(float(np.mean(bars)), 3),
        "repeated figures": round(float(np.mean(fours)), 3),
        "range in semitones": round(float(np.mean(spans)), 1),
        "notes a bar": round(float(np.mean(notes)), 2),
    }


def _seen_before(things: Sequence[tuple[int, ...]]) -> float:
    return (len(things) - len(set(things))) / max(len(things) - 1, 1)


def _by_temperature(generator: Any) -> Sheet:
    """What melodies from one C5 are like at every temperature."""
    seed = NoteSequence((Note(0.0, 0.5, C5),))
    found: list[Score] = []
    for temperature in TEMPERATURES:
        values = {"temperature": temperature, "primer": "note"}
        found += rows(likeness(_takes(generator, seed, TAKES, **values)), group=f"{temperature:g}")
    return Sheet(
        "What wildness does",
        f"Means over {TAKES} takes of 8 bars from one C5. The source heard monotony at 0.5 and "
        "disorder from 1.25 on. Repeated figures are runs of four notes whose pitches came before.",
        tuple(
            Measure(name, form)
            for name, form in (
                ("repeated bars", ".0%"), ("repeated figures", ".0%"),
                ("range in semitones", ".1f"), ("notes a bar", ".1f"),
            )
        ),
        tuple(found),
        group="wildness",
    )  # fmt: skip


def _first_notes(generator: Any) -> Sheet:
    """Whether melodies are in the major key of their first note, and whether they loop or stop."""
    shares, best = [], []
    for pitch in range(C5 - 12, C5):
        seed = NoteSequence((Note(0.0, 0.5, pitch),))
        for take in _takes(generator, seed, TAKES, primer="note"):
            counts = np.bincount([note.pitch % 12 for note in take], minlength=12)
            held = counts @ MAJOR
            shares.append(held[pitch % 12] / counts.sum())
            best.append(held[pitch % 12] == held.max())
    usual = _takes(generator, NoteSequence((Note(0.0, 0.5, C5),)), LOOP_TAKES)
    in_key = "notes in the major key of the first note"
    figures = {
        in_key: round(float(np.mean(shares)), 3),
        "takes in which no other major key holds more notes": round(float(np.mean(best)), 3),
        f"of {LOOP_TAKES} takes with one pitch more than {LOOP} times in a row": sum(
            longest_repeat(take.notes) > LOOP for take in usual
        ),
        f"of {LOOP_TAKES} takes that fall silent more than 2 bars before their end": sum(
            take.duration < SECONDS - 2 * 2.0 for take in usual
        ),
    }
    forms = (".1%", ".1%", ".0f", ".0f")
    return Sheet(
        "First notes and endings",
        "The source heard the first note become the tonic of a major key: "
        f"{len(shares)} takes of 8 bars from one note of every pitch class. The lower rows are "
        "takes with all controls as they come.",
        tuple(Measure(name, form) for name, form in zip(figures, forms, strict=True)),
        (*rows(figures), Score(in_key, round(7 / 12, 3), "by lot")),
        across=("by",),
    )
