"""What is measured of a band: openings, forms, variety and style, with players whose play is known.

The players have no network: one repeats its opening, one draws notes by lot, one plays a style.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyzzicato.codecs.multitrack_roll import MultitrackRoll, spans_of
from pyzzicato.data.band import BandMusic
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.errors import PyzzicatoError
from pyzzicato.families.band.evaluate import (
    QPM,
    Told,
    alike,
    band_scores,
    openings,
    written,
    written_from,
)
from pyzzicato.generation import controls
from pyzzicato.generation.controls import control
from pyzzicato.generation.generator import Generator, Step
from pyzzicato.metrics.band import STEPS_PER_BAR
from pyzzicato.metrics.scores import REAL, Score, Sheet
from pyzzicato.music.instruments import PROGRAMS
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.registry import ModelInfo
from tests.scores import figures

STYLES = ("low", "high")


def piece(number: int, split: str = "test", bars: int = 9, meter: int = 4) -> BandMusic:
    """Bass, piano and drums: each piece has chords of its own, each bar its own place of them."""
    rng = np.random.default_rng(number)
    codes = np.zeros((16 * bars, 5, 128), np.uint8)
    for bar, root in enumerate((45 + rng.permutation(40)[:bars]).tolist()):
        for beat in range(0, 16, 4):
            codes[16 * bar + beat, 1, [root, root + 4, root + 7]] = 2
            codes[16 * bar + beat + 1 : 16 * bar + beat + 3, 1, [root, root + 4, root + 7]] = 1
            codes[16 * bar + beat, 0, 36] = 2
        codes[16 * bar, 3, root - 12] = 2
    return BandMusic(
        path=f"{number}.mid", composer="ours", title=str(number), work=f"w{number}", split=split,
        kind="multitrack", licence="ours", recordings=1, notes=np.zeros((0, 4), np.float32),
        spans=spans_of(codes), qpm=90.0, meter=(meter, 4),
    )  # fmt: skip


def dataset(count: int = 6) -> Dataset:
    pieces = [piece(n) for n in range(count)] + [piece(90 + n, "val") for n in range(2)]
    return Dataset(tuple(pieces), (), Path())


@dataclass(frozen=True, kw_only=True)
class Choices(controls.Controls):
    alpha: float = control(0.5, label="Style", help="", minimum=0, maximum=1)
    style: str = control("low", label="Whose", help="", choices=STYLES)
    lot: float = control(0.0, label="Chance", help="", minimum=0, maximum=1)


class Player(Generator):
    """Plays its opening again, a bar of it, or by lot, or in a style."""

    Controls = Choices

    def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
        for take in range(takes):
            rng = np.random.default_rng((controls.rng_seed, take))
            lot, styled = rng.random() < controls.lot, rng.random() < controls.alpha
            yield Step(self._notes(seed, controls, rng, lot, styled), controls.seconds, take)

    def _notes(
        self, seed: NoteSequence, controls: Any, rng: np.random.Generator, lot: bool, styled: bool
    ) -> tuple[Note, ...]:
        if lot:
            cells = rng.integers((32, 128), size=(60, 2)).tolist()
            return tuple(
                Note(s / 8, (s + 1) / 8, p, 80, PROGRAMS[1]) for s, p in set(map(tuple, cells))
            )
        if styled and controls.alpha != 0.5:
            return tuple(
                Note(step / 2, step / 2 + 0.2, 36 if controls.style == "low" else 85)
                for step in range(int(controls.seconds * 2))
            )
        again = seed.shift(4.0 - seed.duration)
        return tuple(
            note._replace(start=note.start + turn * 4.0, end=note.end + turn * 4.0)
            for turn in range(int(controls.seconds // 4))
            for note in again
            if note.end + turn * 4.0 <= controls.seconds
        )


class Info(ModelInfo):
    """A model whose player is the one above."""

    def load(self) -> Generator:
        return Player()


INFO = Info("toy", Path(), "toy", "Toy", "A toy.", "Us", 2026, ())


@pytest.fixture(scope="module")
def found() -> dict[str, Sheet]:
    """The sheets by the first word of interest in their headings."""

    def told(pieces: Sequence[Piece]) -> Told:
        return {"nats per step": {"this model": len(pieces) / 2, "by lot": 9.0}}

    low, high = np.zeros((2, 1, 32, 5, 128), np.uint8)
    low[0, ::4, 1, 36] = 2
    high[0, ::4, 1, 85] = 2
    with pytest.MonkeyPatch.context() as few:
        few.setattr("pyzzicato.families.band.evaluate.COUNT", 9)
        made = band_scores(
            INFO, dataset(), lambda text: None, told=told, variants={"by lot": {"lot": 1.0}},
            styles={"low": low, "high": high},
        )  # fmt: skip
    return dict(zip(("like", "told", "measures", "style"), made, strict=True))


def test_openings_take_works_in_turn_and_do_not_overlap() -> None:
    pieces = [piece(1, bars=13), piece(2, bars=5), piece(3, meter=3)]
    asked = openings(pieces, 99)
    assert [opening.work for opening in asked] == ["w1", "w2", *["w1"] * 4]
    codes = [pieces[0].codes, pieces[1].codes]
    for opening in asked:
        own = codes[opening.work == "w2"]
        places = [
            n for n in range(0, len(own) - 63, 32) if (own[n : n + 32] == opening.before).all()
        ]
        assert len(places) == 1
        assert (own[places[0] + 32 : places[0] + 64] == opening.after).all()
    assert len(openings(pieces, 3)) == 3
    assert openings(pieces, 0) == []


def test_openings_do_not_end_in_a_silent_bar() -> None:
    whole = piece(1, bars=9)
    codes = whole.codes
    codes[STEPS_PER_BAR : 2 * STEPS_PER_BAR] = 0
    assert len(openings([replace(whole, spans=spans_of(codes))], 99)) == 2


def test_what_is_written_begins_where_the_opening_ends() -> None:
    opening = openings([piece(1)], 1)[0].before
    made = written(Player(), opening[None])
    assert made.shape == (1, 32, 5, 128)
    # The opening ends with silence: its player begins at its last note, as seeds do in the app.
    seed = MultitrackRoll().decode(opening, QPM)
    gap = 32 - round(seed.duration * 8)
    assert gap > 0
    assert (made[0, : 32 - gap] == opening[gap:]).mean() > 0.99
    assert written_from(Player(), opening, 3, 64).shape == (3, 64, 5, 128)


ONE = "variety from one opening, by"
AGAIN = "the opening again"


def test_every_form_is_measured_beside_real_music(found: dict[str, Sheet]) -> None:
    assert "9 openings of two bars from 6 works" in found["measures"].note
    count = found["like"].measures[0].name
    like = {by: figures(found["like"], by)[count] for by in ("this model", "by lot", AGAIN, REAL)}
    assert count == f"of {like[REAL]} measures like real music"
    assert like["by lot"] < like["this model"]
    assert like[AGAIN] < like[REAL]
    measured = found["measures"]
    assert figures(measured, REAL, "Drums")["struck notes a bar"] == 4
    assert figures(measured, AGAIN, "All five") == {"notes not as in the opening": 0}
    assert figures(measured, REAL, "All five")["notes not as in the opening"] > 0.5
    assert "tonal distance" in figures(measured, group="Piano and Bass")


def test_variety_tells_one_who_repeats_from_one_who_draws_lots(found: dict[str, Sheet]) -> None:
    mine, lots = figures(found["like"]), figures(found["like"], "by lot")
    assert (mine[f"{ONE} notes"], mine[f"{ONE} feel"]) == (0, 0)
    assert lots[f"{ONE} notes"] > 0.9
    assert mine["variety from 100 openings, by notes"] == pytest.approx(1, abs=0.3)


def test_how_well_it_tells_stands_beside_the_others(found: dict[str, Sheet]) -> None:
    assert figures(found["told"]) == {"nats per step": 3.0}
    assert figures(found["told"], split="val") == {"nats per step": 1.0}
    assert figures(found["told"], "by lot") == {"nats per step": 9.0}


def test_style_is_found_more_often_with_alpha(found: dict[str, Sheet]) -> None:
    nearest = {n: figures(found["style"], group=f"{n:g}") for n in (0.0, 0.75, 1.0)}
    curve = {alpha: row["nearest"] for alpha, row in nearest.items()}
    assert curve[1.0] == 1.0
    assert curve[0.0] == pytest.approx(0.5)
    assert curve[0.0] < curve[0.75] <= curve[1.0]
    # In any key the two styles are one: a single pitch on every beat.
    assert nearest[1.0]["nearest in any key"] == 0.5
    assert "18 results each, by lot 50%" in found["style"].note


def test_likeness_needs_a_figure() -> None:
    def table(*ends: tuple[float, float]) -> dict[tuple[str, str], Score]:
        made = {("m", str(n)): Score("m", 1.0, low=a, high=b) for n, (a, b) in enumerate(ends)}
        return {**made, ("m", "none"): Score("m", None)}

    real = table((0.5, 1.5), (0.5, 1.5))
    assert alike(table((1.4, 3.0), (1.6, 3.0)), real) == 1
    assert alike(real, real) == 2


def test_without_openings_it_says_so() -> None:
    with pytest.raises(PyzzicatoError, match="no music for a band"):
        band_scores(INFO, Dataset((piece(1, bars=2),), (), Path()), lambda text: None)
