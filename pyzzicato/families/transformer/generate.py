"""Playing a network that writes one note a step: continue a seed, begin from nothing, fill in.

All takes are one batch. A take that has reached its length waits for the others. To fill in, the
network reads what comes after the gap, then what comes before it, and is told before every note
how much time is left; a second reading that knows of no gap says when the gap is full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyzzicato.codecs.performance import TICKS, codes_of
from pyzzicato.codecs.piano_roll import note_array
from pyzzicato.errors import InvalidControl
from pyzzicato.families.transformer.decode import NoteHeads, Report, Writer
from pyzzicato.families.transformer.graph import NoteGraph
from pyzzicato.families.transformer.processors.articulation import TouchGuard, touch_of
from pyzzicato.families.transformer.processors.density_control import level, pace_of
from pyzzicato.families.transformer.processors.density_plan import Course
from pyzzicato.families.transformer.processors.motif_recall import Returns
from pyzzicato.families.transformer.processors.pitch_loops import PitchGuard
from pyzzicato.families.transformer.processors.register import register_of
from pyzzicato.families.transformer.prompt import Prompt, read_after, to_continue, to_fill
from pyzzicato.families.transformer.windows import KINDS, time_left
from pyzzicato.generation import controls
from pyzzicato.generation.controls import control, likeliest, wildness
from pyzzicato.generation.generator import Generator, Step, batch_for
from pyzzicato.generation.infill import Gap, around, asked_gap, check_gap
from pyzzicato.music.limits import MAX_SECONDS
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import weights_of

__all__ = ["NoteControls", "NoteGenerator", "shares"]


@dataclass(frozen=True, kw_only=True)
class NoteControls(controls.Controls):
    """What a listener turns on the flagship."""

    composer: str = control(
        "chopin", label="In the style of", help="Whose music the network should think of."
    )
    composer_2: str = control(
        "", label="Mixed with", help="A second composer to think of; nobody where it is empty."
    )
    mix: float = control(
        0.5,
        label="How much of the second",
        help="0 is the first composer alone, 1 the second; without a second it has no effect.",
        minimum=0.0,
        maximum=1.0,
        step=0.05,
    )
    guidance: float = control(
        2.0,
        label="Closeness to the composer",
        help="1 is as it learned; above that, what sets the composer apart counts so many times.",
        minimum=1.0,
        maximum=4.0,
        step=0.25,
    )
    temperature: float = wildness(1.0, 0.5, 1.3)
    top_p: float = likeliest(0.98, "moments and keys")
    min_p: float = control(
        0.0,
        label="Leave out the far-fetched",
        help="Moments and keys less likely than this share of the likeliest are not considered.",
        minimum=0.0,
        maximum=0.3,
        step=0.01,
    )
    density: int = control(
        0,
        label="Density",
        help="0 leaves it open; 1 is sparse, 11 as dense as it gets.",
        minimum=0,
        maximum=11,
        step=1,
    )
    course: bool = control(
        True,
        label="Rise and fall",
        help="Where density is left open: sparse and dense in turn, as the composer's pieces are.",
    )
    returns: bool = control(
        True,
        label="Themes that come back",
        help="Now and then a passage of the new music is played again, more or less.",
    )
    loudness: int = control(
        0,
        label="Loudness",
        help="0 leaves it to the network; 3 is soft, 10 is loud.",
        minimum=0,
        maximum=13,
        step=1,
    )
    fill_from: float = control(
        0.0,
        label="Fill in from",
        help="Where in the seed a stretch is to be written anew, in seconds from its beginning.",
        minimum=0.0,
        maximum=MAX_SECONDS,
        step=0.1,
        unit="seconds",
        hidden=True,
    )
    fill_to: float = control(
        0.0,
        label="Fill in to",
        help="Where that stretch ends; the length is then this stretch's. Both 0: write on.",
        minimum=0.0,
        maximum=MAX_SECONDS,
        step=0.1,
        unit="seconds",
        hidden=True,
    )


def shares(controls: NoteControls) -> dict[str, float]:
    """How much of whom is asked for: composers' ids and weights that add up to 1."""
    if not controls.composer_2 or controls.composer_2 == controls.composer:
        return {controls.composer: 1.0}
    return {controls.composer: 1.0 - controls.mix, controls.composer_2: controls.mix}


class NoteGenerator(Generator):
    """A trained note Transformer, ready to play; made from its `ModelInfo`."""

    Controls = NoteControls

    def __init__(self, info: ModelInfo) -> None:
        self.info = info
        self.graph = NoteGraph(info.weights)
        self.heads = NoteHeads(weights_of(info.folder / "heads.onnx"))
        self.places = int(info.config["context_length"])

    def reads(self, seed: NoteSequence) -> str:
        """See `Generator.reads`: the end of a seed with more notes than the network looks back."""
        read = self.places - 1
        return f"Only the last {read:,} notes of this seed are read." if len(seed) > read else ""

    def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
        """See `Generator.generate`. Of a long seed the last `places` notes are read.

        With `fill_from` and `fill_to` the seed is the whole piece, times count from `fill_from`
        and the run ends with the gap, `seconds` or not; `generation.infill.filled` joins the
        parts. Raises InvalidControl for a composer it was not taught or a gap outside the seed.
        """
        for composer in (controls.composer, controls.composer_2):
            if composer not in self.info.composers and (composer or not controls.composer):
                known = ", ".join(self.info.composers)
                raise InvalidControl(
                    f"The model {self.info.title} was not taught {composer}: choose one of {known}."
                )
        gap = asked_gap(controls)
        if gap is None:
            return self._continue(seed, controls, takes)
        check_gap(seed, gap)
        return self._fill(seed, gap, controls, takes)

    def _continue(self, seed: NoteSequence, controls: NoteControls, takes: int) -> Iterator[Step]:
        # Two rows at least go through the network: see "A batch has at least two takes".
        batch = takes if controls.guidance > 1 else batch_for(takes)
        prompt = to_continue(seed, self.places)
        course = self._course(seed, controls, batch)
        reading = self._reading(prompt, controls, batch, course)
        guard = PitchGuard(prompt.codes, batch, register=self._register(controls))
        returns = Returns(controls.rng_seed, batch) if controls.returns else None
        usual = touch_of(self.info.trained.get("touch", {}), shares(controls))
        touch = None
        if usual is not None:
            touch = TouchGuard(prompt.codes, usual, controls.rng_seed, batch)
        writer = Writer(self.heads, controls, batch, guard, returns, touch, course)
        reports = [Report(controls.seconds, -prompt.since) for _ in range(batch)]
        while True:
            chosen, fine = writer.write(reading.hidden, least=_still_to_wait(reports))
            yield from _news(reports[:takes], chosen, fine)
            if all(report.done for report in reports[:takes]):
                return
            times = [report.now for report in reports]
            if returns:
                returns.saw(chosen, times)
            if course:
                course.saw(times)
                reading.wish(course.wishes())
            reading.go_on(chosen)

    def _course(self, seed: NoteSequence, controls: NoteControls, batch: int) -> Course | None:
        pace = None
        if controls.density:
            pace = level(controls.density)
        elif controls.course:
            pace = pace_of(self.info.trained, shares(controls))
        if pace is None:
            return None
        return Course(pace, seed, controls.seconds, controls.rng_seed, batch)

    def _register(self, controls: NoteControls) -> tuple[float, float] | None:
        return register_of(self.info.trained.get("register", {}), shares(controls))

    def _fill(
        self, piece: NoteSequence, gap: Gap, controls: NoteControls, takes: int
    ) -> Iterator[Step]:
        batch = batch_for(takes)
        before, after = around(piece, gap)
        prompt = to_fill(piece, gap, self.places)
        reading = self._reading(prompt, controls, batch)
        onward = to_continue(before, self.places, gap.start)
        plain = self._reading(onward, controls.changed(guidance=1.0), batch)
        known = [codes_of(note_array(after))]
        guard = PitchGuard(prompt.codes, batch, known, self._register(controls))
        writer = Writer(self.heads, controls, batch, guard)
        ends: dict[int, float] = {}
        for note in after:
            ends.setdefault(note.pitch, note.start - gap.start)
        reports = [Report(gap.seconds, -prompt.since, ends) for _ in range(batch)]
        while True:
            left = np.array([(prompt.left or 0.0) - report.now for report in reports])
            least, most = _still_to_wait(reports), np.rint(left * TICKS).astype(np.int64)
            full = writer.full(plain.hidden, least, most)
            chosen, fine = writer.write(reading.hidden, least=least, most=most)
            yield from _news(reports[:takes], chosen, fine, full)
            if all(report.done for report in reports[:takes]):
                return
            left = np.array([(prompt.left or 0.0) - report.now for report in reports])
            reading.go_on(chosen, time_left(left))
            plain.go_on(chosen)

    def _reading(
        self, prompt: Prompt, controls: NoteControls, batch: int, course: Course | None = None
    ) -> _Reading:
        """The seed read with all that is asked; with guidance, once more without.

        That second reading does not know the composer, so what the composer changes counts more.
        Along a course it is told the same density as the first, so what is wished counts once.
        """
        composer = np.zeros((2 if controls.guidance > 1 else 1, len(self.info.composers) + 1))
        for name, share in shares(controls).items():
            composer[0, self.info.composers.index(name) + 1] = share
        composer[1:, 0] = 1.0
        wishes = np.repeat(prompt.wishes[None], len(composer), axis=0)
        wishes[:, :, 0] = KINDS["performance"]
        wishes[:, :, 1], wishes[:, :, 2] = controls.density, controls.loudness
        if course:
            wishes[:, -1, 1] = course.wishes()[0]
        else:
            wishes[1:, :, 1] = 0
        return _Reading(self.graph, self.places, prompt, wishes, composer, batch)


def _still_to_wait(reports: list[Report]) -> np.ndarray:
    """10 ms steps until the new music begins, (takes,); 0 where it has begun."""
    return np.array([max(0, int(np.rint(-report.now * TICKS))) for report in reports])


def _news(
    reports: list[Report], chosen: np.ndarray, fine: np.ndarray, full: np.ndarray | None = None
) -> Iterator[Step]:
    for take, report in enumerate(reports):
        if full is not None and full[take]:
            step = report.finish()
        else:
            step = report.add(chosen[take], int(fine[take]))
        if step is not None:
            yield step._replace(take=take)


class _Reading:
    """The network reading along: `hidden` (rows, width) is what the heads begin with.

    A row is a take with one row of `composer` (n, composers) and of `wishes` (n, notes, 5): first
    all takes with the first.
    """

    def __init__(
        self,
        graph: NoteGraph,
        places: int,
        prompt: Prompt,
        wishes: np.ndarray,
        composer: np.ndarray,
        batch: int,
    ) -> None:
        self._times = len(composer)
        composer = composer.astype(np.float32)
        inputs = {
            "notes": np.repeat(prompt.notes[None].astype(np.float32), self._times, axis=0),
            "wishes": wishes.astype(np.float32),
            "composer": composer,
        }
        cache = graph.cache(self._times, places)
        hidden = graph.advance(inputs, cache)[:, -1]
        self.hidden = np.repeat(hidden, batch, axis=0)
        self._graph = graph
        self._cache = cache.repeated(batch)
        self._composer = np.repeat(composer, batch, axis=0)
        self._wishes = np.repeat(wishes[:, -1:].astype(np.float32), batch, axis=0)
        self._last = np.tile(prompt.codes[-2:, :4], (batch * self._times, 1, 1))

    def wish(self, density: Sequence[int]) -> None:
        """What density each take is to have from the next note on."""
        self._wishes[:, 0, 1] = np.tile(density, self._times)

    def go_on(self, chosen: np.ndarray, left: np.ndarray | None = None) -> None:
        """Reads the notes just written (batch, 4); `left` (batch,) is the class of time left."""
        chosen = np.tile(chosen[:, None, :4], (self._times, 1, 1))
        self._last = np.concatenate([self._last[:, -1:], chosen], axis=1)
        if left is not None:
            self._wishes[:, 0, 4] = np.tile(left, self._times)
        inputs = {
            "notes": np.stack([read_after(codes) for codes in self._last]).astype(np.float32),
            "wishes": self._wishes,
            "composer": self._composer,
        }
        self.hidden = self._graph.advance(inputs, self._cache)[:, -1]
