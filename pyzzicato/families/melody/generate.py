"""Playing a network that writes melodies: four events a quarter note, any number of takes at once.

Source: Magenta's MelodyRNN: the melody line of a seed is read, or one note, or none; then every
next event is drawn by the network's chances, their logits divided by the temperature. A melody
is moved by octaves to where the network reads, and what it writes is moved back.

Differs from the source in: the first event after a seed is a note, so that no silence lies
between; a pitch comes at most 8 times in a row, and after two bars in which nothing begins a
note does; without a primer the first note is drawn from two octaves in the middle, not from all
three.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyzzicato.codecs.melody import (
    NO_EVENT,
    STEPS_PER_BAR,
    MelodyCodec,
    into_range,
    steps_per_second,
)
from pyzzicato.families.melody.encoding import MelodyReader
from pyzzicato.generation import controls
from pyzzicato.generation.controls import control, wildness
from pyzzicato.generation.generator import Generator, Step
from pyzzicato.generation.sampling import Dice, choose_class
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import State, StepGraph, repeat

__all__ = ["MelodyControls", "MelodyGenerator"]

SEED_STEPS = 32 * STEPS_PER_BAR  # how much of a long seed is read
NEWS = 0.25  # seconds between two reports of a take
FIRST_NOTES = (55, 79)  # G3 to F#5: where a melody without a primer begins
IN_A_ROW = 8  # the same pitch, at most
STILL = 2 * STEPS_PER_BAR  # steps in which nothing begins, at most


@dataclass(frozen=True, kw_only=True)
class MelodyControls(controls.Controls):
    """What a listener turns on a network that writes melodies."""

    seconds: float = control(
        16.0,
        label="Length",
        help="How much new music to write; at a tempo of 120, 16 seconds are 8 bars.",
        minimum=5,
        maximum=300,
        step=1,
        unit="seconds",
    )
    temperature: float = wildness(
        0.9, 0.1, 2.0, "Low repeats itself, high dares more and loses its form."
    )
    primer: str = control(
        "melody",
        label="Begins from",
        help=(
            "The melody of the seed, which is its upper line; the first note of that, with which "
            "the new music begins; or nothing, and the first note is drawn by lot."
        ),
        choices=("melody", "note", "none"),
    )
    tempo: str = control(
        "seed",
        label="Tempo from",
        help="Keep the seed's tempo, or set another; without a seed it is the one set here.",
        choices=("seed", "set"),
    )
    qpm: float = control(
        120.0,
        label="Tempo",
        help="Quarter notes a minute.",
        minimum=40,
        maximum=240,
        step=1,
        unit="quarter notes a minute",
        only_when=("tempo", ("set",)),
    )

    def tempo_after(self, seed: NoteSequence) -> float:
        """Quarter notes a minute of what is written after `seed`, 40 to 240."""
        return min(max(seed.qpm, 40.0), 240.0) if self.tempo == "seed" and len(seed) else self.qpm


@dataclass(frozen=True, eq=False)
class _Primer:
    """What is read before the first new event: events from C3 to B5, at least one of them."""

    events: np.ndarray
    octaves: int  # semitones that what is written is moved by
    heard: bool  # whether it is the seed, or the beginning of the new music


class _Line:
    """One take: events become notes as they end."""

    def __init__(self, step: float, octaves: int, seconds: float, velocity: int) -> None:
        self._step, self._octaves, self._seconds = step, octaves, seconds
        self._velocity = velocity
        self._begun: tuple[float, int] | None = None
        self._places = 0
        self.news: list[Note] = []

    def push(self, event: int) -> None:
        """The next event."""
        now = self._places * self._step
        self._places += 1
        if event != NO_EVENT:
            self.close(now)
            self._begun = (now, event + self._octaves) if event >= 0 else None

    def close(self, now: float) -> None:
        """Ends what sounds at `now`, at the latest where the music ends."""
        end = min(now, self._seconds)
        if self._begun is not None and end > self._begun[0]:
            self.news.append(Note(self._begun[0], end, self._begun[1], self._velocity))
        self._begun = None

    def told(self) -> tuple[Note, ...]:
        """The notes that ended since the last call."""
        notes, self.news = tuple(self.news), []
        return notes


class _Rules:
    """Which classes each take may choose from next: no endless notes, neither struck nor held."""

    def __init__(self, takes: int) -> None:
        self._pitch = np.full(takes, -1, np.int64)
        self._run = np.zeros(takes, np.int64)
        self._still = np.zeros(takes, np.int64)

    def saw(self, events: np.ndarray) -> None:
        """Takes in the events just written, (takes,)."""
        begins = events >= 0
        again = begins & (events == self._pitch)
        self._run = np.where(again, self._run + 1, np.where(begins, 1, self._run))
        self._pitch = np.where(begins, events, self._pitch)
        self._still = np.where(begins, 0, self._still + 1)

    def allowed(self, meant: np.ndarray, first: bool) -> np.ndarray:
        """Of the events that classes stand for, (takes, 40), those that may come next."""
        worn = (self._run >= IN_A_ROW)[:, None] & (meant == self._pitch[:, None])
        must = first | (self._still >= STILL)[:, None]
        allowed: np.ndarray = ~worn & ((meant >= 0) | ~must)
        return allowed


class MelodyGenerator(Generator):
    """A trained melody network, ready to play; made from its `ModelInfo`."""

    Controls = MelodyControls

    def __init__(self, info: ModelInfo) -> None:
        self.info = info
        self.graph = StepGraph(info.weights)

    def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
        """See `Generator.generate`."""
        qpm = controls.tempo_after(seed)
        dice = Dice(controls.rng_seed, takes, 1)
        primers = self._primers(seed, controls, qpm, dice, takes)
        velocity = _loudness(seed)
        step = 1 / steps_per_second(qpm)
        lines = [
            _Line(step, primer.octaves, controls.seconds, velocity) for primer in primers[:takes]
        ]
        total = math.ceil(round(controls.seconds / step, 6))
        told = 0.0
        for place, events in enumerate(self._events(primers, controls, dice, takes)):
            now = min((place + 1) * step, controls.seconds)
            for line, event in zip(lines, events.tolist(), strict=True):
                line.push(event)
            last = place + 1 == total
            if last or now - told >= NEWS - 1e-9:
                told = controls.seconds if last else now
                for take, line in enumerate(lines):
                    if last:
                        line.close(controls.seconds)
                    yield Step(line.told(), told, take)
            if last:
                return

    def reads(self, seed: NoteSequence) -> str:
        """See `Generator.reads`: the upper line, and of that at most 32 bars."""
        tones = sum(not note.is_drum for note in seed)
        events = _melody_of(seed, MelodyControls().tempo_after(seed))
        line = int((events >= 0).sum())
        if not line:
            return "There is no pitched note in this seed: the first note is drawn by lot."
        if line < tones:
            return (
                f"Of this seed only the upper line can be read, {line:,} of its {tones:,} notes: "
                "at each step the highest that begins there, unless a higher one still sounds."
            )
        bars = SEED_STEPS // STEPS_PER_BAR
        return f"Only the last {bars} bars of this seed are read." if _left_out(events) else ""

    def _events(
        self, primers: list[_Primer], controls: MelodyControls, dice: Dice, takes: int
    ) -> Iterator[np.ndarray]:
        """The new events of every take, (takes,), without end."""
        rules = _Rules(takes)
        heard = primers[0].heard
        if not heard:
            events = np.array([primer.events[0] for primer in primers])
            rules.saw(events[:takes])
            yield events[:takes]
        logits, state, reader = self._read(primers)
        first = heard
        while True:
            meant = reader.meant()[:takes]
            allowed = rules.allowed(meant, first)
            masked = np.where(allowed, logits[:takes, -1], -np.inf)
            chosen = choose_class(masked, dice.roll()[:, 0], temperature=controls.temperature)
            events = meant[np.arange(takes), chosen]
            rules.saw(events)
            first = False
            yield events
            # One take is its own second: see `_primers`.
            read = reader.push(np.resize(events, len(primers)))
            logits, state = self.graph.advance({"melody": read[:, None]}, state)

    def _read(self, primers: list[_Primer]) -> tuple[np.ndarray, State, MelodyReader]:
        """What the network says after the primers, its state then, and the reader."""
        if not primers[0].heard:
            reader = MelodyReader(len(primers))
            read = reader.push(np.array([primer.events[0] for primer in primers]))
            logits, state = self.graph.advance(
                {"melody": read[:, None]}, self.graph.start(len(primers))
            )
            return logits, state, reader
        one, state = MelodyReader(1), self.graph.start(1)
        for event in primers[0].events:
            read = one.push(np.array([event]))
            logits, state = self.graph.advance({"melody": read[:, None]}, state)
        batch = len(primers)
        return np.repeat(logits, batch, axis=0), repeat(state, batch), one.repeated(batch)

    def _primers(
        self, seed: NoteSequence, controls: MelodyControls, qpm: float, dice: Dice, takes: int
    ) -> list[_Primer]:
        """What each take begins from; at least two.

        A batch of one takes another path through the matrix product than a larger one, and the
        last bits differ: with at least two, take k is the same however many there are.
        """
        events, octaves = into_range(_melody_of(seed, qpm))
        begins = np.flatnonzero(events >= 0)
        if controls.primer == "none" or not len(begins):
            low, high = FIRST_NOTES
            pitches = low + (dice.roll()[:, 0] * (high - low)).astype(np.int64)
            primers = [_Primer(pitches[take : take + 1], 0, False) for take in range(takes)]
        elif controls.primer == "note":
            primers = [_Primer(events[begins[:1]], -octaves, False)] * takes
        else:
            primers = [_Primer(events[_left_out(events) :], -octaves, True)] * takes
        return primers if takes > 1 else primers * 2


def _melody_of(seed: NoteSequence, qpm: float) -> np.ndarray:
    """The seed's melody line at its own tempo, so that its end lies on the grid.

    Where the new music has another tempo the melody is read as if it had been played at that.
    """
    codec = MelodyCodec(seed.qpm if 10 <= seed.qpm <= 1000 else qpm)
    step = 1 / steps_per_second(codec.qpm)
    tones = NoteSequence(tuple(note for note in seed if not note.is_drum))
    begun = min((note.start for note in tones), default=0.0)
    begun -= begun % step  # rests before the first note say nothing
    until = math.ceil(round((seed.duration - begun) / step, 6)) * step
    return codec.encode(tones.shift(until - seed.duration))


def _left_out(events: np.ndarray) -> int:
    """How many events of a long melody are not read: whole bars, so that a bar begins there."""
    return -(-max(0, len(events) - SEED_STEPS) // STEPS_PER_BAR) * STEPS_PER_BAR


def _loudness(seed: NoteSequence) -> int:
    """The middle velocity of the seed's notes, 50 to 110; 80 without any."""
    velocities = [note.velocity for note in seed if not note.is_drum]
    return int(min(max(np.median(velocities), 50), 110)) if velocities else 80
