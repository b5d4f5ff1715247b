"""Playing a network that writes one note a step: continue a seed, or begin from nothing.

All takes are one batch. A take that has reached its length waits for the others. Time, pitch,
duration and velocity of a note are decided in this order; each decision is fed to the next head.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyzzicato import controls
from pyzzicato.codecs.performance import (
    BINS,
    DURATION,
    PITCH,
    TICKS,
    TIME,
    VELOCITY,
    codes_of,
    duration_seconds,
    time_bounds,
)
from pyzzicato.codecs.piano_roll import note_array
from pyzzicato.controls import control
from pyzzicato.errors import InvalidControl
from pyzzicato.generator import Generator, Step
from pyzzicato.notes import LOWEST_KEY, Note, NoteSequence
from pyzzicato.performance_examples import KINDS, MUSIC, OPENING, READ, WISHES, read_codes
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime import Cache, CachedGraph, weights_of
from pyzzicato.sampling import Dice, choose_class

__all__ = ["NoteControls", "NoteGenerator", "NoteHeads"]

FIELDS = ("time", "pitch", "duration", "velocity")
LONGEST_SILENCE = 5.0  # seconds; a longer wait is cut to this
BRIEF = 300  # notes
NEWS = 0.25  # seconds of music between two reports of a take


@dataclass(frozen=True, kw_only=True)
class NoteControls(controls.Controls):
    """What a listener turns on the flagship."""

    composer: str = control(
        "chopin", label="In the style of", help="Whose music the network should think of."
    )
    temperature: float = control(
        0.95,
        label="Wildness",
        help="Low keeps to what is likely, high dares more.",
        minimum=0.5,
        maximum=1.3,
        step=0.05,
        main=True,
    )
    top_p: float = control(
        0.96,
        label="Leave out the unlikely",
        help="Only the likeliest notes that together have this probability are considered.",
        minimum=0.5,
        maximum=1.0,
        step=0.01,
    )
    min_p: float = control(
        0.0,
        label="Leave out the far-fetched",
        help="Notes less likely than this share of the likeliest one are not considered.",
        minimum=0.0,
        maximum=0.3,
        step=0.01,
    )
    density: int = control(
        0,
        label="Density",
        help="0 leaves it to the network; 1 is sparse, 11 as dense as it gets.",
        minimum=0,
        maximum=11,
        step=1,
    )
    loudness: int = control(
        0,
        label="Loudness",
        help="0 leaves it to the network; 3 is soft, 10 is loud.",
        minimum=0,
        maximum=13,
        step=1,
    )


class NoteHeads:
    """The four heads in numpy: between each two of them stands a random draw."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self._weights = weights

    def logits(self, hidden: np.ndarray, field: int) -> np.ndarray:
        """Logits (takes, bins of `field`) from what the head reads, (takes, width)."""
        name, w = FIELDS[field], self._weights
        root = np.sqrt((hidden * hidden).mean(axis=-1, keepdims=True) + 1e-6)
        z = np.maximum((hidden / root * w[f"{name}_norm/scale"]) @ w[f"{name}_up/kernel"], 0.0)
        result: np.ndarray = (z * z) @ w[f"{name}_out/kernel"] + w[f"{name}_out/bias"]
        return result

    def told(self, hidden: np.ndarray, field: int, chosen: np.ndarray) -> np.ndarray:
        """What the next head reads, once `field` has been chosen (takes,)."""
        result: np.ndarray = hidden + self._weights[f"chosen_{field}/embeddings"][chosen]
        return result


class NoteGenerator(Generator):
    """A trained note Transformer, ready to play; made from its `ModelInfo`."""

    Controls = NoteControls

    def __init__(self, info: ModelInfo) -> None:
        self.info = info
        self.graph = CachedGraph(info.weights)
        self.heads = NoteHeads(weights_of(info.folder / "heads.onnx"))
        self.places = int(info.config["places"])

    def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
        """See `Generator.generate`. Of a long seed the last `places` notes are read.

        Raises InvalidControl for a composer it was not taught.
        """
        if controls.composer not in self.info.composers:
            known = ", ".join(self.info.composers)
            raise InvalidControl(
                f"The model {self.info.title} was not taught {controls.composer}: "
                f"choose one of {known}."
            )
        return self._play(seed, controls, takes)

    def _play(self, seed: NoteSequence, controls: NoteControls, takes: int) -> Iterator[Step]:
        batch = max(takes, 2)  # see RollGenerator: so that take k never depends on the others
        asked = self._asked(controls, batch)
        hidden, cache, codes, since = self._read(seed, controls, asked, batch)
        writer = _Writer(self.heads, controls, batch)
        reports = [_Report(controls.seconds, -since) for _ in range(takes)]
        last = np.tile(codes[-2:] if len(codes) else np.zeros((0, 4), np.int64), (batch, 1, 1))
        while True:
            chosen, fine = writer.write(hidden, controls)
            for take, report in enumerate(reports):
                step = report.add(chosen[take], int(fine[take]))
                if step is not None:
                    yield step._replace(take=take)
            if all(report.done for report in reports):
                return
            last = np.concatenate([last[:, -1:], chosen[:, None, :4]], axis=1)
            asked["notes"] = np.stack(
                [_read_after(codes_of_take) for codes_of_take in last]
            ).astype(np.float32)
            hidden = self.graph.advance(asked, cache)[:, -1]

    def _asked(self, controls: NoteControls, batch: int) -> dict[str, np.ndarray]:
        composer = np.zeros((batch, len(self.info.composers) + 1), np.float32)
        composer[:, self.info.composers.index(controls.composer) + 1] = 1.0
        wishes = np.zeros((batch, 1, len(WISHES)), np.float32)
        wishes[..., 0] = KINDS["performance"]
        wishes[..., 1], wishes[..., 2] = controls.density, controls.loudness
        return {"composer": composer, "wishes": wishes}

    def _read(
        self, seed: NoteSequence, controls: NoteControls, asked: dict[str, np.ndarray], batch: int
    ) -> tuple[np.ndarray, Cache, np.ndarray, float]:
        """After the seed: the hidden state, the cache, the codes, seconds since its last onset."""
        codes = codes_of(note_array(seed))[-(self.places - 1) :, :4]
        if len(codes):
            codes[0, TIME] = 0
        read = np.concatenate([read_codes(codes), np.zeros((1, len(READ)), np.int64)])
        read[-1] = _read_after(codes[-2:])[0]
        # A short seed is taken for the opening of a piece, which the built-in ones are.
        segment = OPENING if len(codes) < BRIEF else MUSIC
        asked["wishes"][..., 3] = segment
        one = {
            "notes": read[None].astype(np.float32),
            "wishes": np.repeat(asked["wishes"][:1], len(read), axis=1),
            "composer": asked["composer"][:1],
        }
        cache = self.graph.cache(1, self.places)
        hidden = self.graph.advance(one, cache)[:, -1]
        onset = max((note.start for note in seed), default=0.0)
        since = seed.duration - onset
        return np.repeat(hidden, batch, axis=0), cache.repeated(batch), codes, since


def _read_after(codes: np.ndarray) -> np.ndarray:
    """What is read after the last of `codes` (0 to 2 rows of four), (1, 6)."""
    read = np.array(READ, np.int64) - 1
    if len(codes):
        read[:4] = codes[-1, :4]
        read[4] = (codes[-1, PITCH] + 9) % 12
    if len(codes) > 1:
        read[5] = codes[-1, PITCH] - codes[-2, PITCH] + BINS[1] - 1
    return read[None]


class _Writer:
    """Draws the four codes of the next note of every take."""

    def __init__(self, heads: NoteHeads, controls: NoteControls, takes: int) -> None:
        self.heads = heads
        self.dice = Dice(controls.rng_seed, takes, len(FIELDS) + 1)
        bounds = time_bounds()
        self.widths = np.diff(np.append(bounds, bounds[-1] + 1))
        self.struck: list[set[int]] = [set() for _ in range(takes)]  # keys of this instant

    def write(self, hidden: np.ndarray, controls: NoteControls) -> tuple[np.ndarray, np.ndarray]:
        """The codes (takes, 4) and the 10 ms steps within a wide time bin (takes,)."""
        draws = self.dice.roll()
        chosen = np.zeros((len(hidden), len(FIELDS)), np.int64)
        for field in range(len(FIELDS)):
            logits = self.heads.logits(hidden, field)
            if field == PITCH:
                self._forbid_again(logits, chosen[:, TIME])
            chosen[:, field] = choose_class(
                logits,
                draws[:, field],
                temperature=controls.temperature,
                top_p=controls.top_p,
                min_p=controls.min_p,
            )
            if field < VELOCITY:
                hidden = self.heads.told(hidden, field, chosen[:, field])
        for take, (time, pitch) in enumerate(chosen[:, :2]):
            if time:
                self.struck[take].clear()
            self.struck[take].add(int(pitch))
        fine = (draws[:, -1] * self.widths[chosen[:, TIME]]).astype(np.int64)
        return chosen, fine

    def _forbid_again(self, logits: np.ndarray, time: np.ndarray) -> None:
        """No key twice at one instant: the codec writes none, and it would sound as one."""
        for take, keys in enumerate(self.struck):
            if time[take] == 0 and keys:
                logits[take, list(keys)] = -1e9


class _Report:
    """One take's news: notes in seconds of new music, a note's end cut where its key returns."""

    def __init__(self, seconds: float, begin: float) -> None:
        self.seconds = seconds
        self.now = begin  # seconds of new music at the last onset; before 0 inside the seed
        self.done = False
        self._bounds, self._lengths = time_bounds(), duration_seconds()
        self._open: dict[int, Note] = {}
        self._finished: list[Note] = []
        self._told = 0.0

    def add(self, codes: np.ndarray, fine: int) -> Step | None:
        """Takes the next note in; a Step when there is enough news."""
        if self.done:
            return None
        wait = (self._bounds[codes[TIME]] + fine) / TICKS
        self.now += min(float(wait), LONGEST_SILENCE)
        if self.now >= self.seconds:
            self.done = True
            return self._step(self.seconds)
        start, pitch = max(self.now, 0.0), int(codes[PITCH]) + LOWEST_KEY
        before = self._open.get(pitch)
        finished = [before._replace(end=min(before.end, start))] if before else []
        end = min(start + float(self._lengths[codes[DURATION]]), self.seconds)
        velocity = max(1, min(127, int(codes[VELOCITY]) * 4 + 2))
        self._open[pitch] = Note(start, max(end, start + 0.01), pitch, velocity)
        if finished and finished[0].end > finished[0].start:
            self._finished += finished
        if start - self._told >= NEWS:
            return self._step(start)
        return None

    def _step(self, time: float) -> Step:
        ended = [p for p, note in self._open.items() if note.end <= time or self.done]
        notes = [*self._finished, *(self._open.pop(p) for p in ended)]
        self._finished = []
        self._told = time
        return Step(tuple(notes), time)
