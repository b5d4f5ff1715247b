"""Steering away from the training music: for any model that goes on from a seed.

    steps = avoid_copying(generator, seed, controls, takes)

Every CHECK seconds of new music its last WINDOW seconds are looked up (`metrics.originality`).
Where the passage that stands in the training music still grows and is already longer than what 90
of 100 real excerpts share with another work, the take goes back a little and is written on from
there with other dice, further back each time that does not help. So that it can go back, the last
HOLD seconds are told late. A take in which nothing is found is the same, note for note, as without.

The text of a network that writes text is told once its music is; where a take goes back, what is
not played whole goes from its text, and what is read of the music that stays comes into it.

It does not promise that nothing is copied: after MOST_TURNS it lets the music be, and a passage
that is already told stays. What the app says of the finished take holds as ever.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pyzzicato.generation.controls import Controls, declared
from pyzzicato.generation.generator import Generator, Step
from pyzzicato.generation.infill import asked_gap
from pyzzicato.metrics.originality import originality
from pyzzicato.metrics.passages import Index
from pyzzicato.music.notes import Note, NoteSequence

__all__ = ["avoid_copying"]

CHECK = 2.0  # seconds of new music between two looks
WINDOW = 30.0  # seconds that are looked up
HOLD = 8.0  # seconds that are not told yet, so that they can still change
BACK = 2.0  # seconds that a take goes back, more each time
ENOUGH = 90  # percentile of what real excerpts share; more is avoided
GROWS = 0.5  # seconds by which a passage that was let be must have grown to be avoided after all
MOST_TURNS = 24  # times that a take goes back in all


def avoid_copying(
    generator: Generator,
    seed: NoteSequence,
    controls: Controls,
    takes: int = 1,
    index: Index | None = None,
) -> Iterator[Step]:
    """The steps of `generator.generate`, without long passages of the training music.

    All takes are one batch until one of them goes back; that one is written on by itself when the
    others are done, so that take k is the same whatever the number of takes. A stretch that is
    filled in is left as it is. `index` is the package's own where it is None.
    """
    if asked_gap(controls) is not None:
        yield from generator.generate(seed, controls, takes)
        return
    writers = [_Take(take, seed, controls, index) for take in range(takes)]
    for step in generator.generate(seed, controls, takes):
        writer = writers[step.take]
        if not writer.turned:
            yield from writer.hear(step)
        if all(each.turned for each in writers):
            break
    for writer in writers:
        yield from writer.go_on(generator)


class _Take:
    """One take: what is told, what is not told yet, and where it has to go back to."""

    def __init__(
        self, number: int, seed: NoteSequence, controls: Controls, index: Index | None
    ) -> None:
        self.turned = False  # whether it waits to be written on from `border`
        self.border = 0.0  # seconds of new music at which it was written on last
        self._number, self._seed, self._controls, self._index = number, seed, controls, index
        self._notes: list[Note] = []
        self._told_notes = 0  # of them, in the order in which they came
        self._texts: list[tuple[float, str]] = []  # that are not told, and when their music begins
        self._told = self._fine = 0.0  # seconds that are told, and up to which all is well
        self._let_be = False  # whether a passage that is too long stays
        self._turns = self._here = 0  # how often it went back, and at this place

    def go_on(self, generator: Generator) -> Iterator[Step]:
        """Writes on from where it went back to, until it is done."""
        while self.turned:
            self.turned = False
            kept = NoteSequence(tuple(self._notes)).trim(0.0, self.border)
            prompt = self._seed.followed_by(kept)
            controls, whole = self._controls_from_here(), self._controls.seconds
            for step in generator.generate(prompt, controls):
                moved = (
                    note._replace(start=note.start + self.border, end=note.end + self.border)
                    for note in step.notes
                )
                notes = tuple(
                    note._replace(end=min(note.end, whole)) for note in moved if note.start < whole
                )
                time = min(step.time + self.border, whole)
                yield from self.hear(step._replace(notes=notes, time=time))
                if self.turned or time >= whole:
                    break

    def _controls_from_here(self) -> Controls:
        """The same with other dice, for what is left."""
        dice = np.random.SeedSequence([self._controls.rng_seed, self._number, self._turns])
        least = next(i.minimum for i in declared(type(self._controls)) if i.name == "seconds")
        left = max(self._controls.seconds - self.border, least or 0.0)
        rng_seed = int(dice.generate_state(1)[0]) >> 1
        return self._controls.changed(seconds=left, rng_seed=rng_seed)

    def hear(self, step: Step) -> Iterator[Step]:
        """Takes in news; tells what is well, or goes back."""
        self._notes += step.notes
        if step.text:
            self._texts.append((step.time, step.text))
        done = step.time >= self._controls.seconds - 1e-9
        if not done and step.time < self._fine + CHECK:
            return
        if self._copies(step.time):
            self._turn(step.time)
            return
        self._fine, self._here = step.time, 0
        told = step.time if done else step.time - HOLD
        if told > self._told:
            yield self._tell(told, everything=done)

    def _copies(self, now: float) -> bool:
        """Whether a passage of known music is too long, and going back can still mend it.

        What was let be, or is told, is avoided only where it goes on.
        """
        if self._turns >= MOST_TURNS:
            return False
        first = max(0.0, now - WINDOW)
        recent = tuple(note for note in self._notes if note.start >= first)
        report = originality(NoteSequence(recent), self._index)
        if report.percentile <= ENOUGH:
            self._let_be = False
            return False
        if self._let_be or (self._here and self.border <= self._told):
            reach = self._fine + GROWS
        else:  # where it went back it may have to go further
            reach = self._fine - (GROWS if self._here else 0.0)
        self._let_be = report.end <= reach
        return not self._let_be

    def _turn(self, now: float) -> None:
        self._here += 1
        self._turns += 1
        self.border = max(self._told, now - BACK * self._here)
        self._fine, self.turned = self.border, True
        told, later = self._notes[: self._told_notes], self._notes[self._told_notes :]
        self._notes = told + [
            note._replace(end=min(note.end, self.border))
            for note in later
            if note.start < self.border
        ]
        self._texts = self._texts[: self._played(self.border)]

    def _played(self, until: float) -> int:
        """How many of the texts that are not told are played whole by then: another has begun."""
        begun = max((time for time, _ in self._texts if time <= until), default=0.0)
        return sum(time < begun for time, _ in self._texts)

    def _tell(self, told: float, *, everything: bool) -> Step:
        later = self._notes[self._told_notes :]
        ready = [note for note in later if everything or note.end <= told]
        waiting = [note for note in later if not everything and note.end > told]
        self._notes = self._notes[: self._told_notes] + ready + waiting
        self._told_notes += len(ready)
        self._told = told
        count = len(self._texts) if everything else self._played(told)
        text = "".join(words for _, words in self._texts[:count])
        self._texts = self._texts[count:]
        return Step(tuple(ready), told, self._number, text)
