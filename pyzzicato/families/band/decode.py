"""Playing in a band of five: from a seed to codes, and from new codes to notes as they end.

What the four families share. A family makes a `BandGenerator` and writes `blocks`, which gives
the codes of the next steps, (takes, n, 5, 128) with 0 silent, 1 goes on sounding, 2 struck; any
n. Everything else is done here: the tempo, the seed on its grid, instruments that are kept, news
at least once a second, accents, and the end exactly at `seconds`.

    class Generator(BandGenerator):
        def blocks(self, plan, controls, takes):
            window = np.repeat(plan.window[None], takes, axis=0)
            for first in range(0, plan.steps, WINDOW):
                given, locked = plan.given(first, WINDOW)
                window = ...  # may look at what is given; what it says of locked ones is ignored
                yield window

Conventions. A step is a sixteenth note. `place` counts steps from where the piece began, at
which a bar of 4/4 begins, so that `place % 16` is the place in the bar.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, ClassVar

import numpy as np

from pyzzicato.codecs.multitrack_roll import (
    PITCHES,
    STEPS_PER_QUARTER,
    STRUCK,
    WINDOW,
    MultitrackRoll,
)
from pyzzicato.families.band.controls import BandControls
from pyzzicato.generation.generator import Generator, Step
from pyzzicato.generation.instrument_lock import asked_keep, kept_instruments
from pyzzicato.music.instruments import DRUMS, INSTRUMENTS, PROGRAMS, instrument_of
from pyzzicato.music.notes import HIGHEST_KEY, LOWEST_KEY, Note, NoteSequence

__all__ = ["STEPS_PER_BAR", "BandGenerator", "Plan", "plan", "play"]

STEPS_PER_BAR = 16
MOST_BEFORE = 256  # steps of a long seed that can be read
NEWS = 0.5  # seconds between two reports of a take, at least
LOUDNESS = {"Drums": 88, "Piano": 78, "Guitar": 70, "Bass": 84, "Strings": 64}
ACCENTS = (12, 0, 0, 0, 2, -4, 0, -4, 6, -4, 0, -4, 2, -4, 0, -4)  # by the place in the bar


@dataclass(frozen=True, eq=False)
class Plan:
    """What is known before the first new step.

    `before` (n, 5, 128) is the end of the seed, n at most 256 and 0 for an empty one; its first
    step stands at `before_place`. The first new step stands at `place`. `offset` is the seconds
    of new music before that, less than a step: where a seed does not end on the grid. `kept` are
    the seed's own notes of the kept instruments, and `lock` (steps, 5) says where these hold.
    """

    before: np.ndarray
    before_place: int
    place: int
    offset: float
    step: float  # seconds
    seconds: float
    kept: tuple[Note, ...]
    kept_codes: np.ndarray  # (steps, 5, 128)
    lock: np.ndarray  # (steps, 5), bool

    @property
    def steps(self) -> int:
        """New steps in all."""
        return len(self.lock)

    @property
    def window(self) -> np.ndarray:
        """The last 32 steps before the new music, (32, 5, 128); silence where there are fewer."""
        window = np.zeros((WINDOW, len(INSTRUMENTS), PITCHES), np.uint8)
        if len(self.before):
            window[-len(self.before) :] = self.before[-WINDOW:]
        return window

    def given(self, first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """What is kept in the new steps from `first` on: codes (count, 5, 128), and which
        instruments they are of, (count, 5) of bool. Past the end nothing is."""
        codes = np.zeros((count, len(INSTRUMENTS), PITCHES), np.uint8)
        lock = np.zeros((count, len(INSTRUMENTS)), bool)
        there = slice(first, min(first + count, self.steps))
        length = max(there.stop - first, 0)
        codes[:length], lock[:length] = self.kept_codes[there], self.lock[there]
        return codes, lock


def plan(seed: NoteSequence, controls: BandControls) -> Plan:
    """What the seed and the controls say of the new music; any seed, also an empty one."""
    reading = BandControls(keep=controls.keep).tempo_after(seed)
    tempo = controls.tempo_after(seed)
    step, seed_step = (60 / (qpm * STEPS_PER_QUARTER) for qpm in (tempo, reading))
    length = math.ceil(round(seed.duration / seed_step, 6))
    anew = asked_keep(controls) and length > 0
    skipped = 0 if anew else max(length - MOST_BEFORE, 0)
    codes = _on_grid(replace(seed, qpm=reading), length, skipped, seed_step)
    # Where the seed's last note ends between two steps, the beat goes on as it was.
    offset = 0.0 if anew else (length * seed_step - seed.duration) * step / seed_step
    offset = min(max(offset, 0.0), step)
    steps = max(math.ceil(round((controls.seconds - offset) / step, 6)), 0)
    lock = np.zeros((steps, len(INSTRUMENTS)), bool)
    kept_codes = np.zeros((steps, len(INSTRUMENTS), PITCHES), np.uint8)
    kept: tuple[Note, ...] = ()
    if anew:
        locked = kept_instruments(controls)
        lock[:length, list(locked)] = True
        kept_codes[:length] = codes[:steps] * lock[:length, :, None]
        kept = tuple(n for n in seed if instrument_of(n) in locked and n.start < controls.seconds)
    before = codes[-MOST_BEFORE:]
    return Plan(
        before=before,
        before_place=length - len(before),
        place=0 if anew else length,
        offset=offset,
        step=step,
        seconds=controls.seconds,
        kept=kept,
        kept_codes=kept_codes,
        lock=lock,
    )


def _on_grid(seed: NoteSequence, length: int, skipped: int, step: float) -> np.ndarray:
    """The seed's codes from the step `skipped` to the step `length`, at which it ends."""
    codes = np.zeros((length - skipped, len(INSTRUMENTS), PITCHES), np.uint8)
    heard = seed.trim(skipped * step, seed.duration) if skipped else seed
    read = MultitrackRoll().encode(heard)[: len(codes)]
    codes[: len(read)] = read
    return codes


class _Take:
    """One take: which keys sound since when, and the notes that ended since the last report."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._since: dict[tuple[int, int], Note] = {}
        self._kept = sorted(plan.kept, key=lambda note: note.end, reverse=True)
        self._news: list[Note] = []

    def strike(self, instrument: int, pitch: int, step: int) -> None:
        """A key is struck at a step."""
        plan = self._plan
        start = plan.offset + step * plan.step
        loudness = LOUDNESS[INSTRUMENTS[instrument]] + ACCENTS[(plan.place + step) % STEPS_PER_BAR]
        key = pitch if instrument == DRUMS else _on_the_piano(pitch)
        # The end is put in when it is known.
        self._since[instrument, pitch] = Note(
            start, start, key, loudness, PROGRAMS[instrument], instrument == DRUMS
        )

    def end(self, instrument: int, pitch: int, step: int) -> None:
        """A key that may sound is silent from a step on."""
        note = self._since.pop((instrument, pitch), None)
        if note is None:
            return
        end = min(self._plan.offset + step * self._plan.step, self._plan.seconds)
        if end > note.start:
            self._news.append(note._replace(end=end))

    def close(self) -> None:
        """Ends everything that sounds."""
        for instrument, pitch in list(self._since):
            self.end(instrument, pitch, self._plan.steps)

    def told(self, now: float) -> tuple[Note, ...]:
        """The notes that ended up to `now`, kept ones among them."""
        news, self._news = self._news, []
        last = now >= self._plan.seconds
        while self._kept and (last or self._kept[-1].end <= now):
            note = self._kept.pop()
            end = min(note.end, self._plan.seconds)
            if end > note.start:
                news.append(note._replace(end=end))
        return tuple(news)


def _on_the_piano(pitch: int) -> int:
    """`pitch`, moved by as few octaves as bring it to one that a piano has."""
    below = -(-max(LOWEST_KEY - pitch, 0) // 12)
    above = -(-max(pitch - HIGHEST_KEY, 0) // 12)
    return pitch + 12 * (below - above)


def play(plan: Plan, blocks: Iterator[np.ndarray], takes: int) -> Iterator[Step]:
    """Steps of notes from blocks of codes (at least takes, n, 5, 128); stops when time is up.

    A key that goes on sounding without having been struck counts as struck; a pitch that no piano
    has is played an octave nearer, drums excepted. What the blocks say
    of kept instruments is ignored: their notes are the seed's own.
    """
    played = [_Take(plan) for _ in range(takes)]
    sounding = np.zeros((takes, len(INSTRUMENTS), PITCHES), bool)
    told = 0.0
    for number, codes in enumerate(islice(_by_step(blocks), plan.steps)):
        free = np.where(plan.lock[number][:, None], 0, codes[:takes])
        changed = np.argwhere((free == STRUCK) | ((free > 0) != sounding))
        sounding = free > 0
        for take, instrument, pitch in changed.tolist():
            played[take].end(instrument, pitch, number)
            if sounding[take, instrument, pitch]:
                played[take].strike(instrument, pitch, number)
        now = min(plan.offset + (number + 1) * plan.step, plan.seconds)
        last = number + 1 == plan.steps
        if last or now - told >= NEWS - 1e-9:
            told = plan.seconds if last else now
            for take, one in enumerate(played):
                if last:
                    one.close()
                yield Step(one.told(told), told, take)


def _by_step(blocks: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    for block in blocks:
        yield from np.moveaxis(block, 1, 0)


class BandGenerator(Generator):
    """A network that plays in a band of five, without `blocks`, which is the family's own."""

    Controls: ClassVar[type[BandControls]] = BandControls

    @abstractmethod
    def blocks(self, plan: Plan, controls: Any, takes: int) -> Iterator[np.ndarray]:
        """The codes of the next steps, (at least `takes`, n, 5, 128), block after block.

        Take k must be the same however many there are: batches of at least two (a batch of one
        takes another path through a matrix product), chance by `generation.sampling.Dice`. It is
        not asked on when enough steps are there, and may go on for ever.
        """

    def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
        """See `Generator.generate`; what `keep` does: `pyzzicato.families.band.controls`."""
        made = plan(seed, controls)
        return play(made, self.blocks(made, controls, takes), takes)

    def reads(self, seed: NoteSequence) -> str:
        """See `Generator.reads`: the notes of other instruments, and tempos that no band plays."""
        said = []
        other = sum(instrument_of(note) is None for note in seed)
        if other:
            said.append(
                f"Of this seed {other:,} of {len(seed):,} notes are not read: they are neither "
                "drums nor piano, guitar, bass or strings."
            )
        tempo = BandControls().tempo_after(seed)
        if len(seed) and abs(tempo - seed.qpm) >= 0.5:
            said.append(
                f"This seed has a tempo of {seed.qpm:.0f}: it is read as if that were {tempo:.0f}, "
                "so to the model it is shorter or longer, and the new music has that tempo."
            )
        return " ".join(said)
