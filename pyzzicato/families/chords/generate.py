"""Playing a network that writes one note or chord and its length a step.

All takes are one batch; a take that has reached its length waits for the others. The seed is cut
into tokens at its own tempo, each one that the network does not know replaced by the nearest; the
new music has the same tempo unless the listener sets another.

Rules of ours keep it going: the same note or chord is struck at most eight times in a row, even
after a seed that does it oftener (else one take in a hundred stays on its chord for good); for the
others see `pyzzicato.families.chords.decode`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pyzzicato.codecs.chord_duration import TWELFTHS, Voice, chord_pitches
from pyzzicato.errors import InvalidControl
from pyzzicato.families.chords.decode import Chooser
from pyzzicato.families.chords.windows import codec_of, read_before, read_vocabulary
from pyzzicato.generation import controls
from pyzzicato.generation.controls import control, likeliest, wildness
from pyzzicato.generation.generator import Generator, Step, batch_for
from pyzzicato.generation.sampling import Dice
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import Carried, State, StepGraph, repeat

__all__ = ["MOST_AGAIN", "TokenControls", "TokenGenerator", "Walk"]

MOST_AGAIN = 8  # times that the same note or chord comes in a row
_READ = 512  # tokens of a long seed
_SLOWEST, _FASTEST = 20.0, 240.0  # quarter notes a minute
_NEWS = 0.5  # seconds, the longest time without any


@dataclass(frozen=True, kw_only=True)
class TokenControls(controls.Controls):
    """What a listener turns on a network of notes and lengths."""

    temperature: float = wildness(0.9, 0.5, 1.5)
    top_p: float = likeliest(0.95)
    tempo: float = control(
        0.0,
        label="Tempo",
        help="Quarter notes a minute, 20 to 240; 0 takes the seed's.",
        minimum=0.0,
        maximum=_FASTEST,
        step=1,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if 0 < self.tempo < _SLOWEST:
            raise InvalidControl(
                f"Tempo cannot be {self.tempo:g}: choose 0 for the seed's, or 20 to 240."
            )


class TokenGenerator(Generator):
    """A trained network of notes and lengths, ready to play; made from its `ModelInfo`."""

    Controls = TokenControls

    def __init__(self, info: ModelInfo) -> None:
        self.info = info
        self.graph = StepGraph(info.weights)
        config = {**info.config, "vocabulary": read_vocabulary(info.folder)}
        self.codec = codec_of(config, nearest=True)
        self.chords = tuple(chord_pitches(name) for name in self.codec.vocabulary.notes)
        self.lengths = self.codec.vocabulary.twelfths

    def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
        """See `Generator.generate`. Of a long seed the last 512 tokens are read."""
        before = self.codec.encode(seed)[-_READ:]
        read = read_before(before).astype(np.float32)[None]
        outputs, state = self.graph.advance({"tokens": read}, self.graph.start(1))
        walk = self.walk(repeat(state, batch_for(takes)))
        walk.told[:] = outputs[0, -1]
        turned = {"temperature": controls.temperature, "top_p": controls.top_p}
        dice = Dice(controls.rng_seed, takes, 2)
        chooser = Chooser(self.codec.vocabulary, self.chords, before, dice, takes, **turned)
        qpm = controls.tempo or float(np.clip(seed.qpm, _SLOWEST, _FASTEST))
        held, loudness = self.codec.cut == "slices", _loudness(seed)
        runs = _Runs.after([self.chords[code] for code in before[:, 0]], held)
        players = [
            _Player(controls.seconds, 60 / qpm / TWELFTHS, loudness, Voice(held), runs.copy())
            for _ in range(takes)
        ]
        own = getattr(controls, "durations", True)
        lengths = self.lengths if own else (TWELFTHS,) * len(self.lengths)
        while True:
            tired = [player.tired_of(self.chords) for player in players]
            codes = chooser.choose(walk.told[:takes], tired)
            for take, (note, duration) in enumerate(codes.tolist()):
                for step in players[take].play(self.chords[note], lengths[duration]):
                    yield step._replace(take=take) if take else step
            if all(player.done for player in players):
                return
            walk.step(codes)

    def walk(self, state: State) -> Walk:
        """On from the seed: `state` is that of every take after it, and is overwritten."""
        vocabulary = self.codec.vocabulary
        return Walk(self.graph, state, len(vocabulary.notes) + len(vocabulary.durations))


class Walk:
    """Pieces on their way through a network, one token a step; `state` is overwritten.

    `told` is what is said of the next token, (takes, width).
    """

    def __init__(self, graph: StepGraph, state: State, width: int) -> None:
        takes = len(next(iter(state.values())))
        self.told = np.zeros((takes, width), np.float32)
        self._read = np.zeros((takes, 2), np.float32)
        feed = {"tokens": self._read[:, None]}
        self._run = Carried(graph, feed, self.told[:, None], state)

    def step(self, codes: np.ndarray) -> None:
        """One step further, after `codes` (takes, 2); where there are fewer, the others rest."""
        np.add(codes, 1, self._read[: len(codes)], casting="unsafe")
        self._run()


def _loudness(seed: NoteSequence) -> int:
    velocities = [note.velocity for note in seed if not note.is_drum]
    return int(np.clip(np.mean(velocities), 40, 105)) if velocities else 72


@dataclass
class _Runs:
    """How many times in a row the same has been struck."""

    last: tuple[int, ...] = ()
    again: int = 0

    @classmethod
    def after(cls, chords: Sequence[tuple[int, ...]], held: bool) -> _Runs:
        """What a seed leaves."""
        runs, voice = cls(), Voice(held)
        for chord in chords:
            runs.strike(voice.struck(chord))
            voice.play(chord, 1)
        return runs

    def strike(self, keys: tuple[int, ...]) -> None:
        """Takes in what was struck; nothing struck changes nothing."""
        if keys:
            self.again = self.again + 1 if keys == self.last else 1
            self.last = keys

    def copy(self) -> _Runs:
        return replace(self)


class _Player:
    """One take: tokens in, steps out, up to `seconds`; `scale` is seconds a twelfth."""

    def __init__(
        self, seconds: float, scale: float, loudness: int, voice: Voice, runs: _Runs
    ) -> None:
        self.done = False
        self._voice = voice
        self._runs = runs
        self._seconds = seconds
        self._scale = scale
        self._loudness = loudness
        self._struck: dict[int, int] = {}  # velocity of what sounds

    def tired_of(self, chords: Sequence[tuple[int, ...]]) -> list[int]:
        """The places in `chords` of those that would strike the same once too often."""
        if self._runs.again < MOST_AGAIN:
            return []
        last = self._runs.last
        return [place for place, keys in enumerate(chords) if self._voice.struck(keys) == last]

    def play(self, chord: tuple[int, ...], length: int) -> Iterator[Step]:
        """The steps of one token; nothing once the take is done."""
        if self.done:
            return
        begin = self._voice.now
        self._runs.strike(self._voice.struck(chord))
        ended = self._notes(self._voice.play(chord, length))
        for pitch, since in self._voice.sounding.items():
            if since == begin:
                self._struck[pitch] = self._velocity(pitch, chord, begin)
        now, until = begin * self._scale, self._voice.now * self._scale
        self.done = until >= self._seconds
        if ended or now == 0:
            yield Step(ended, now)
        until = min(until, self._seconds)
        pieces = max(1, int(np.ceil((until - now) / _NEWS)))
        for number in range(1, pieces):
            yield Step((), now + (until - now) * number / pieces)
        last = self._notes(self._voice.close()) if self.done else ()
        yield Step(last, until)

    def _notes(self, ended: list[tuple[int, int, int]]) -> tuple[Note, ...]:
        notes = (
            Note(s * self._scale, min(e * self._scale, self._seconds), p, self._struck.pop(p))
            for s, e, p in ended
        )
        return tuple(sorted(note for note in notes if note.end > note.start))

    def _velocity(self, pitch: int, chord: tuple[int, ...], when: int) -> int:
        """The melody is a little louder than what is below it, the beat than what is between."""
        louder = 6 * (pitch == chord[-1]) + 4 * (when % TWELFTHS == 0)
        return max(1, min(127, self._loudness - 4 + louder))
