"""Steering away from the training music, with a player that copies when the dice say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from pyzzicato.composition.copy_guard import ENOUGH, HOLD, avoid_copying
from pyzzicato.generation.controls import Controls, control
from pyzzicato.generation.generator import Generator, Step, collect_takes
from pyzzicato.metrics.originality import originality
from pyzzicato.metrics.passages import REAL_SECONDS, Index, Recording, build_index
from pyzzicato.music.notes import Note, NoteSequence

BEAT = 0.25
SEED = NoteSequence((Note(0, 1, 60), Note(1, 2, 64)))


def melody(rng_seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(rng_seed).integers(40, 85, count)


KNOWN = melody(99, 400)


@pytest.fixture(scope="module")
def index() -> Index:
    starts = np.arange(len(KNOWN)) * BEAT
    rows = np.stack([starts, starts + BEAT, KNOWN, np.full(len(KNOWN), 80)], axis=1)
    made = build_index([Recording("w", "Nobody", "A piece", rows)])
    # Real excerpts share up to a score of 10, whatever their length.
    scores = np.tile(np.linspace(0, 10, 101), (len(REAL_SECONDS), 1))
    return replace(made, real_scores=scores, real_notes=scores)


@dataclass(frozen=True, kw_only=True)
class CopyistControls(Controls):
    copies: float = control(1.0, label="x", help="x", minimum=0.0, maximum=1.0)


class Copyist(Generator):
    """Four notes a second; copies the known piece from 5 s on in some runs, by its dice."""

    Controls = CopyistControls

    def __init__(self) -> None:
        self.runs: list[tuple[float, int]] = []

    def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
        self.runs.append((seed.duration, controls.rng_seed))
        lines = []
        for take in range(takes):
            dice = np.random.default_rng([controls.rng_seed, take])
            own = dice.integers(40, 85, int(controls.seconds / BEAT))
            if dice.random() < controls.copies:
                begin = max(0, 20 - 4 * int(seed.duration - SEED.duration))
                own[begin:] = KNOWN[: len(own[begin:])]
            lines.append(own)
        for n in range(int(controls.seconds / BEAT)):
            for take in range(takes):
                note = Note(n * BEAT, (n + 1) * BEAT, int(lines[take][n]))
                yield Step((note,), (n + 1) * BEAT, take)


Avoid = Callable[..., Iterator[Step]]


@pytest.fixture
def copyist() -> Copyist:
    return Copyist()


@pytest.fixture
def avoid(copyist: Copyist, index: Index) -> Avoid:
    return partial(avoid_copying, copyist, SEED, index=index)


def checked(steps: Iterator[Step], seconds: float, takes: int = 1) -> list[NoteSequence]:
    """The takes; times never go back, nothing comes late, each take ends at `seconds`."""
    told, found = [0.0] * takes, list(steps)
    for step in found:
        assert told[step.take] < step.time <= seconds
        assert all(note.end > told[step.take] - 1e-9 for note in step.notes)
        assert all(note.end <= step.time + 1e-9 for note in step.notes)
        told[step.take] = step.time
    assert told == [seconds] * takes
    return collect_takes(found, takes)


def test_without_a_copy_nothing_changes(copyist: Copyist, avoid: Avoid) -> None:
    controls = CopyistControls(seconds=30, copies=0.0)
    takes = checked(avoid(controls, 3), 30, 3)
    assert takes == collect_takes(copyist.generate(SEED, controls, 3), 3)
    assert len(copyist.runs) == 2


def test_a_copy_is_left_before_it_is_one(copyist: Copyist, avoid: Avoid, index: Index) -> None:
    controls = CopyistControls(seconds=40, copies=0.7)
    controls = next(
        each
        for each in (controls.changed(rng_seed=n) for n in range(99))
        if originality(collect_takes(copyist.generate(SEED, each), 1)[0], index).copied
    )
    copyist.runs.clear()
    (take,) = checked(avoid(controls), 40)
    assert len(copyist.runs) > 1
    assert len({dice for _, dice in copyist.runs}) == len(copyist.runs), "other dice each time"
    assert 0 < max(end for end, _ in copyist.runs) - SEED.duration < 40
    report = originality(take, index)
    assert not report.copied
    assert report.notes < 40
    assert len(take) == 160, "as long and as dense as asked"
    assert max(note.end for note in take) == 40


def test_take_k_is_the_same_alone(avoid: Avoid) -> None:
    controls = CopyistControls(seconds=30, copies=0.5, rng_seed=3)
    three, two = checked(avoid(controls, 3), 30, 3), checked(avoid(controls, 2), 30, 2)
    assert three[:2] == two
    assert three[:1] == checked(avoid(controls), 30)


def test_who_only_copies_is_let_be_in_the_end(copyist: Copyist, avoid: Avoid, index: Index) -> None:
    (take,) = checked(avoid(CopyistControls(seconds=40)), 40)
    assert len(copyist.runs) < 30
    assert originality(take, index).percentile > ENOUGH


def test_a_copy_that_ends_with_a_look_is_one_too(index: Index) -> None:
    """Too long only by its last note, which comes just after a look at which all was well."""

    class Brief(Copyist):
        def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
            self.runs.append((seed.duration, controls.rng_seed))
            own = np.random.default_rng(controls.rng_seed).integers(40, 85, 80)
            if len(self.runs) == 1:
                own[8:34] = KNOWN[:26]
            for n in range(int(controls.seconds / BEAT)):
                time = (n + 1) * BEAT
                yield Step((Note(n * BEAT, time, int(own[n])),), time, 0)

    controls = CopyistControls(seconds=20)
    (whole,) = collect_takes(Brief().generate(SEED, controls), 1)
    before, after = (originality(whole.trim(0, end), index).score for end in (8, 10))
    assert before < after
    between = np.linspace(0, (before + after) / 2 / ENOUGH * 100, 101)
    strict = replace(index, real_scores=np.tile(between, (len(REAL_SECONDS), 1)))
    brief = Brief()
    (take,) = checked(avoid_copying(brief, SEED, controls, index=strict), 20)
    assert [round(end - SEED.duration) for end, _ in brief.runs] == [0, 8]
    assert originality(take, strict).percentile <= ENOUGH


def test_where_going_back_was_not_enough_it_goes_further(index: Index) -> None:
    """The bit of a copy that is left before the border is still too long: it goes too."""

    class Early(Copyist):
        def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
            self.runs.append((seed.duration, controls.rng_seed))
            own = np.random.default_rng(controls.rng_seed).integers(40, 85, 80)
            if len(self.runs) == 1:
                own[8:40] = KNOWN[:32]
            news: list[Note] = []
            for n in range(int(controls.seconds / BEAT)):
                news.append(Note(n * BEAT, (n + 1) * BEAT, int(own[n])))
                if n % 32 == 31 or len(self.runs) > 1:  # at first it is looked at after 8 s only
                    yield Step(tuple(news), (n + 1) * BEAT, 0)
                    news = []

    early = Early()
    (take,) = checked(avoid_copying(early, SEED, CopyistControls(seconds=20), index=index), 20)
    borders = [end - SEED.duration for end, _ in early.runs]
    assert borders[1] > borders[2], "further back than at first"
    assert originality(take, index).percentile <= ENOUGH


def test_what_is_told_stays(avoid: Avoid) -> None:
    """Whoever stops midway has the same music, and the last seconds are told late."""
    controls = CopyistControls(seconds=30, copies=0.6, rng_seed=5)
    whole = list(avoid(controls))
    steps = avoid(controls)
    assert [next(steps) for _ in range(3)] == whole[:3]
    assert whole[0].time <= HOLD


def test_a_stretch_is_filled_in_as_ever(index: Index) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Filling(CopyistControls):
        fill_from: float = control(0.0, label="x", help="x", minimum=0.0, maximum=9.0)
        fill_to: float = control(0.0, label="x", help="x", minimum=0.0, maximum=9.0)

    controls = Filling(seconds=20, fill_from=0.5, fill_to=1.5)
    copyist = Copyist()
    assert list(avoid_copying(copyist, SEED, controls, index=index)) == list(
        copyist.generate(SEED, controls)
    )


def test_the_text_is_that_of_the_music_that_stays(copyist: Copyist, index: Index) -> None:
    class Scribe(Copyist):
        """Writes down each tune of four seconds before it plays it."""

        def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
            own = list(super().generate(seed, controls, takes))
            for at, step in enumerate(own):
                if at % 16 == 0:
                    pitches = [str(note.pitch) for each in own[at : at + 16] for note in each.notes]
                    yield Step((), step.time - BEAT, 0, " ".join(pitches) + "\n")
                yield step

    quiet = CopyistControls(seconds=30, copies=0.0)
    assert "".join(
        step.text for step in avoid_copying(Scribe(), SEED, quiet, index=index)
    ) == "".join(step.text for step in Scribe().generate(SEED, quiet))

    class Once(Scribe):
        def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
            return super().generate(seed, replace(controls, copies=float(not self.runs)), takes)

    once = Once()
    steps = list(avoid_copying(once, SEED, replace(quiet, copies=1.0), index=index))
    (take,) = collect_takes(steps, 1)
    assert len(once.runs) > 1
    border = once.runs[-1][0] - SEED.duration
    pitches = [note.pitch for note in take]
    told = [int(pitch) for step in steps for pitch in step.text.split()]
    whole = 16 * int(border // 4)  # notes of the tunes that were played to their end before
    assert told[:whole] == pitches[:whole]
    again = pitches[int(border / BEAT) :]
    assert told[whole : whole + len(again)] == again
