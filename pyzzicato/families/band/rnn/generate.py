"""Playing a network that writes a band step by step, any number of takes at once.

Four rules for choosing a step's notes. Ours, "one by one": the instruments are drawn one after
another, kept ones first, then drums, bass, piano, guitar and strings, and each sees what the
others have just chosen; of each, first whether it strikes, then which keys, from below, then
which of its notes go on. The other three are the source's (Skourogiannis and Pallikaris), from
an output of the same network that is taught as theirs was: "all at once", notes drawn from one
softmax over all keys of all instruments; "each alone", a softmax for each instrument; "fixed
counts", a fixed number of notes for each. They know of no lengths: every note is a quarter note.
How many notes a step the first two draw is not stated in the source, and decided here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyzzicato.codecs.multitrack_roll import HELD, STRUCK
from pyzzicato.families.band.controls import BandControls
from pyzzicato.families.band.decode import BandGenerator, Plan
from pyzzicato.families.band.planes import PARTS, SPANS, WIDTH, home_shift, planes, shifted
from pyzzicato.families.band.rnn.network import ROWS, base_width
from pyzzicato.families.band.rnn.windows import (
    HISTORY,
    KEYS,
    ORDER,
    PARTS_STRUCK,
    BandReader,
    window_inputs,
)
from pyzzicato.generation.controls import control
from pyzzicato.generation.sampling import Dice, choose_class, sigmoid
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import State, StepGraph, repeat

__all__ = ["StepBand", "StepControls", "draw_keys"]

ONE_BY_ONE, ALL, EACH, FIXED = "one by one", "all at once", "each alone", "fixed counts"
MOST = 8  # keys that an instrument strikes at once
QUARTER = 4  # steps
DRAWN = {ALL: 8, EACH: 2}  # notes a quarter note in all, and of each instrument
COUNTS = (2, 2, 3, 1, 2)  # the source's example: 2 for the piano, 3 for the guitar
PAUSE = 6  # steps in which nobody strikes, before the next stroke becomes likelier
IMPATIENCE = 0.5  # nats for each further step


@dataclass(frozen=True, kw_only=True)
class StepControls(BandControls):
    """What a listener turns on a band that is written step by step."""

    temperature: float = control(
        0.9,
        label="Wildness",
        help="Low keeps to what is likely, high dares more.",
        minimum=0.3,
        maximum=1.5,
        step=0.05,
        main=True,
    )
    rule: str = control(
        ONE_BY_ONE,
        label="How notes are chosen",
        help=(
            "The instruments one after another, each seeing what the others have just chosen; or "
            "as published, in quarter notes: from all keys of all instruments at once, for each "
            "instrument alone, or a fixed number of notes for each."
        ),
        choices=(ONE_BY_ONE, ALL, EACH, FIXED),
    )


class StepBand(BandGenerator):
    """A trained network, ready to play; made from its `ModelInfo`."""

    Controls = StepControls

    def __init__(self, info: ModelInfo) -> None:
        self.info = info
        self.graph = StepGraph(info.weights)
        self.heads = StepGraph(info.folder / "heads.onnx")
        self.base = base_width(info.config)
        self.pairs, self.after = self._ties()

    def _ties(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """What a struck key adds to the logits of its own instrument's keys, that they are struck
        and that they go on: (keys, keys) an instrument. The heads are linear in that, so that
        one call with every key by itself says it."""
        now = np.zeros((KEYS + 1, 1, WIDTH), np.float32)
        place = 0
        for (first, _), (a, b) in zip(PARTS, PARTS_STRUCK, strict=True):
            now[place + np.arange(b - a), 0, first + np.arange(b - a)] = 1
            place += b - a
        said, _ = self.heads.advance(
            {
                "base": np.zeros((KEYS + 1, 1, self.base), np.float32),
                "back": np.zeros((KEYS + 1, 1, ROWS * KEYS), np.float32),
                "now": now,
                "seen": np.zeros((KEYS + 1, 25), np.float32),
            },
            {},
        )
        added = (said - said[-1:])[:, 0]
        pairs, after = [], []
        for (first, end), (a, b) in zip(PARTS, PARTS_STRUCK, strict=True):
            pairs.append(added[a:b, first : first + b - a])
            after.append(added[a:b, first + b - a : end])
        return pairs, after

    def blocks(self, plan: Plan, controls: Any, takes: int) -> Iterator[np.ndarray]:
        """See `BandGenerator.blocks`. The music is moved to C major or A minor, and back."""
        shift = home_shift(np.concatenate([plan.before, plan.kept_codes]))
        batch = max(takes, 2)
        reader, state = self._read(shifted(plan.before, shift), plan)
        reader, state = reader.repeated(batch), repeat(state, batch)
        band = _Band(self, controls, batch)
        if len(plan.before):
            band.codes[:] = shifted(plan.before[-1], shift)
        for step in range(plan.steps):
            inputs = reader.inputs()
            back = inputs.pop("back")
            said, state = self.graph.advance(inputs, state)
            given, lock = plan.given(step, 1)
            own = shifted(given[0], shift)
            codes = band.choose(said[:, 0], back, own, np.flatnonzero(lock[0]).tolist(), reader)
            reader.push(codes)
            yield shifted(codes, -shift)[:, None]

    def _read(self, before: np.ndarray, plan: Plan) -> tuple[BandReader, State]:
        """A reader that has seen the seed's end, and the network's state then."""
        reader, state = BandReader(1), self.graph.start(1)
        if len(before):
            rows = np.concatenate([np.zeros((HISTORY, WIDTH), np.uint8), planes(before)])
            inputs = window_inputs(rows, plan.before_place)
            told = {name: inputs[name][None].astype(np.float32) for name in ("roll", "about")}
            _, state = self.graph.advance(told, state)
            for codes in before:
                reader.push(codes[None])
        reader.place = plan.place
        return reader, state


class _Band:
    """Chooses the notes of every take, step by step; `codes` (takes, 5, 128) is the last step."""

    def __init__(self, model: StepBand, controls: StepControls, takes: int) -> None:
        self.model, self.controls = model, controls
        self.dice = Dice(controls.rng_seed, takes, 5 * (MOST + 2))
        self.codes = np.zeros((takes, 5, 128), np.uint8)
        self.silence = np.zeros(takes)  # steps since anybody struck

    def choose(
        self,
        said: np.ndarray,
        back: np.ndarray,
        given: np.ndarray,
        locked: list[int],
        reader: BandReader,
    ) -> np.ndarray:
        """The next step's codes; the instruments in `locked` play what is in `given`."""
        draws = self.dice.roll()
        codes = np.zeros_like(self.codes)
        codes[:, locked] = given[locked]
        if self.controls.rule == ONE_BY_ONE:
            self._one_by_one(said[:, : self.model.base], back, codes, locked, draws)
        else:
            self._published(said[:, self.model.base :], codes, locked, draws, reader.place)
        self.silence = np.where((codes == STRUCK).any(axis=(1, 2)), 0, self.silence + 1)
        self.codes = codes
        return codes

    def _one_by_one(
        self,
        base: np.ndarray,
        back: np.ndarray,
        codes: np.ndarray,
        locked: list[int],
        draws: np.ndarray,
    ) -> None:
        takes = len(codes)
        lean = IMPATIENCE * np.maximum(self.silence - PAUSE, 0)
        done = list(locked)
        seen = np.zeros((takes, 5, 5), np.float32)
        for part in ORDER:
            if part in locked:
                continue
            seen[:, part, done] = 1
            logits, _ = self.model.heads.advance(
                {
                    "base": base[:, None],
                    "back": back,
                    "now": planes(codes).astype(np.float32)[:, None],
                    "seen": seen.reshape(takes, 25),
                },
                {},
            )
            self._instrument(part, logits[:, 0], lean, codes, draws.reshape(takes, 5, -1)[:, part])
            done.append(part)

    def _instrument(
        self, part: int, logits: np.ndarray, lean: np.ndarray, codes: np.ndarray, draws: np.ndarray
    ) -> None:
        """Draws one instrument's notes into `codes`."""
        (first, end), (low, high) = PARTS[part], SPANS[part]
        keys, heat = high - low, self.controls.temperature
        strikes = draws[:, 0] < sigmoid((logits[:, WIDTH + part] + lean) / heat)
        mine = codes[:, part, low:high]
        struck = np.zeros(mine.shape, bool)
        if strikes.any():
            struck[strikes] = draw_keys(
                logits[strikes, first : first + keys],
                self.model.pairs[part],
                draws[strikes, 2:],
                heat,
            )
        if end - first > keys:
            lasts = logits[:, first + keys : end] + struck @ self.model.after[part]
            # One draw for all keys: those of a chord that are as likely to end, end together.
            goes_on = draws[:, 1:2] < sigmoid(lasts / heat)
            mine[(self.codes[:, part, low:high] > 0) & goes_on] = HELD
        mine[struck] = STRUCK

    def _published(
        self,
        plain: np.ndarray,
        codes: np.ndarray,
        locked: list[int],
        draws: np.ndarray,
        place: int,
    ) -> None:
        """The source's rules, a step in four; what was struck lasts until the next."""
        free = [part for part in range(5) if part not in locked]
        if place % QUARTER:
            codes[:, free] = np.where(self.codes[:, free] > 0, HELD, 0)
            codes[:, 0] = 0 if 0 in free else codes[:, 0]
            return
        rule, heat = self.controls.rule, self.controls.temperature
        columns = np.concatenate([np.arange(*PARTS_STRUCK[part]) for part in free])
        spans = [(columns, DRAWN[ALL])]
        if rule != ALL:
            counts = [DRAWN[EACH]] * 5 if rule == EACH else COUNTS
            spans = [(np.arange(*PARTS_STRUCK[part]), counts[part]) for part in free]
        takes, column = np.arange(len(codes)), 0
        for places, count in spans:
            for _ in range(count):
                chosen = choose_class(plain[:, places], draws[:, column], temperature=heat)
                column += 1
                part, pitch = _key(places[chosen])
                codes[takes, part, pitch] = STRUCK


def _key(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Instrument and pitch of columns of the 397 that can be struck."""
    starts = np.array([a for a, _ in PARTS_STRUCK])
    part = np.searchsorted(starts, columns, side="right") - 1
    return part, columns - starts[part] + np.array([low for low, _ in SPANS])[part]


def draw_keys(
    logits: np.ndarray, pairs: np.ndarray, draws: np.ndarray, temperature: float
) -> np.ndarray:
    """Which keys are struck, at least one a row: (takes, keys) of bool.

    Going up from the lowest, key k is struck with the chance sigmoid(logits[k] + the sum of
    pairs[c, k] over the keys c struck below). Drawn exactly so at a temperature of 1, as a chain
    of classes, "the next key is k" or "that was all"; the temperature works on these. `draws` are
    uniform numbers (takes, n); at most n keys are struck.
    """
    takes, keys = logits.shape
    chosen = np.zeros((takes, keys), bool)
    going, last = np.ones(takes, bool), np.full(takes, -1)
    logits = logits.astype(np.float64)
    for number in range(draws.shape[1]):
        above = np.arange(keys) > last[:, None]
        no = np.where(above, -np.logaddexp(0, logits), 0.0)  # log chance that a key is not struck
        until = np.cumsum(no, axis=1)
        yes = np.where(above, logits + no + until - no, -np.inf)
        over = until[:, -1:] if number else np.full((takes, 1), -np.inf)
        classes = choose_class(
            np.concatenate([yes, over], axis=1), draws[:, number], temperature=temperature
        )
        going &= classes < keys
        if not going.any():
            break
        row = np.flatnonzero(going)
        chosen[row, classes[row]] = True
        last[row] = classes[row]
        logits[row] += pairs[classes[row]]
    return chosen
