"""Where on the keyboard music lies: what is measured, and what draws a take back there."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyzzicato.data.density import EVERYBODY
from pyzzicato.data.pieces import Piece
from pyzzicato.families.transformer.generate import NoteControls, NoteGenerator
from pyzzicato.families.transformer.processors.register import (
    FEWEST,
    LONG,
    SHORT,
    RegisterGuard,
    register_of,
    register_table,
)
from pyzzicato.generation.generator import collect, collect_takes
from pyzzicato.music.notes import Note, NoteSequence
from tests.small_transformer import CONFIG, make_transformer, weights

NOTHING = np.zeros(0, np.int64)
USUAL = (55.0, 67.0)  # MIDI pitches, 34 and 46 as codes


def around(code: int, notes: int) -> np.ndarray:
    """Pitches by lot, two octaves wide, around a code."""
    return np.random.default_rng(6).integers(code - 12, code + 13, notes)


def lost(
    written: np.ndarray,
    *parts: np.ndarray,
    usual: tuple[float, float] | None = USUAL,
    takes: int = 1,
) -> np.ndarray:
    """What each pitch has lost after `written` was, (88,), the same for every take."""
    guard = RegisterGuard(parts or (NOTHING,), takes, usual)
    for pitch in written:
        guard.saw(np.full(takes, pitch))
    logits = np.zeros((takes, 88))
    guard.lower(logits)
    assert (logits == logits[0]).all()
    found: np.ndarray = -logits[0]
    return found


@pytest.mark.parametrize(("code", "sign"), [(70, 1), (16, -1)])
@pytest.mark.parametrize(("usual", "notes"), [(USUAL, LONG), (None, SHORT)])
def test_music_that_stays_high_or_low_is_drawn_back(
    code: int, sign: int, usual: tuple[float, float] | None, notes: int
) -> None:
    found = lost(around(code, notes), usual=usual, takes=2)[::sign]
    assert (np.diff(found) >= 0).all()  # the further out, the more is lost
    assert found[0] == 0
    assert found[-1] > 1
    assert (lost(around(code, SHORT - 1), usual=usual) == 0).all()


def test_what_is_far_out_for_this_composer_need_not_be_for_all() -> None:
    high = around(54, 300)
    assert lost(high).max() > 1
    assert (lost(high, usual=None) == 0).all()
    assert (lost(high, usual=(55.0, 78.0)) == 0).all()
    assert (lost(high[: LONG - 1]) == 0).all()


def test_it_lets_go_when_the_music_has_come_back() -> None:
    high = around(70, 300)
    assert (lost(np.concatenate([high, around(40, LONG)])) == 0).all()
    assert lost(np.concatenate([high, around(40, 32)]), usual=USUAL).max() > 0


@pytest.mark.parametrize("place", [0, 1])
def test_after_music_that_is_as_high_itself_it_may_stay(place: int) -> None:
    high, parts = around(70, 300), [NOTHING, NOTHING]
    parts[place] = around(71, SHORT)
    assert (lost(high, *parts) == 0).all()
    parts[place] = parts[place][: SHORT - 1]
    assert lost(high, *parts).max() > 1, "a few notes tell nothing"


def test_the_music_gone_on_from_counts_as_the_beginning() -> None:
    whole = np.concatenate([around(40, 100), around(60, 100)])
    assert lost(whole).max() > 0
    assert (lost(whole[100:], whole[:100]) == lost(whole)).all()


def even(composer: str, pitch: int, notes: int, kind: str = "performance") -> Piece:
    start = np.arange(notes) / 4
    rows = np.stack([start, start + 0.2, np.full(notes, pitch), np.full(notes, 64)], axis=1)
    work = f"{composer} {pitch}"
    return Piece(work, composer, work, work, "train", kind, "CC0-1.0", 1, rows.astype(np.float32))


def test_the_table_has_the_middle_of_composers_with_enough_performances() -> None:
    half = LONG * (FEWEST // 2)
    pieces = [
        even("bach", 60, half + LONG - 1),
        even("bach", 64, half),
        even("bach", 50, 2 * LONG),
        even("bach", 76, 2 * LONG),
        even("bach", 90, LONG * FEWEST, kind="score"),
        even("liszt", 80, half),
    ]
    table = register_table(pieces)
    assert set(table) == {EVERYBODY, "bach"}
    assert table["bach"] == [60.0, 64.0]
    assert table[EVERYBODY] == [60.0, 80.0]
    assert register_table(pieces[-1:]) == {}


def test_a_mix_lies_between_and_unknown_composers_are_as_everybody() -> None:
    table = {EVERYBODY: [50.0, 70.0], "bach": [60.0, 66.0], "liszt": [56.0, 78.0]}
    assert register_of({}, {"bach": 1.0}) is None
    assert register_of(table, {"bach": 1.0}) == (60.0, 66.0)
    assert register_of(table, {"satie": 1.0}) == (50.0, 70.0)
    assert register_of(table, {"bach": 0.75, "liszt": 0.25}) == pytest.approx((59.0, 69.0))


def climbing_weights() -> dict[str, Any]:
    """A network that writes four notes a second and likes high keys."""
    arrays = weights(CONFIG)
    for field, bias in {
        "time": 12.0 * (np.arange(128) == 25),
        "pitch": np.minimum(np.arange(88) / 8, 7),
        "duration": 12.0 * (np.arange(96) == 40),
    }.items():
        arrays[f"{field}_out/kernel"][:] = 0
        arrays[f"{field}_out/bias"][:] = bias
    return arrays


@pytest.fixture(scope="module")
def climbing(tmp_path_factory: pytest.TempPathFactory) -> NoteGenerator:
    """It plays composers whose music is known to lie lower."""
    info = make_transformer(tmp_path_factory.mktemp("climbing"), climbing_weights())
    table = {EVERYBODY: [50.0, 56.0], "bach": [70.0, 75.0]}
    (info.folder / "training.json").write_text(json.dumps({"register": table}))
    return NoteGenerator(info)


def asked(**values: Any) -> NoteControls:
    return NoteControls(composer="chopin", seconds=90.0, guidance=1.0).changed(**values)


def middle(music: NoteSequence) -> float:
    """The mean of the last pitches."""
    return float(np.mean([note.pitch for note in music][-LONG:]))


def test_a_take_is_drawn_to_where_the_composer_is(climbing: NoteGenerator, tmp_path: Path) -> None:
    def end(player: NoteGenerator = climbing, **values: Any) -> float:
        return middle(collect(player.generate(NoteSequence(()), asked(**values))))

    untold = NoteGenerator(make_transformer(tmp_path, climbing_weights()))
    assert end() < end(composer_2="bach", mix=0.5) < end(composer="bach") < end(untold)
    two = collect_takes(climbing.generate(NoteSequence(()), asked(), 2), 2)
    assert two[0] == collect(climbing.generate(NoteSequence(()), asked()))


def test_so_is_a_stretch_that_is_filled_in(climbing: NoteGenerator, tmp_path: Path) -> None:
    notes = (Note(n / 4, n / 4 + 0.2, 40 + n % 30, 64) for n in range(600))
    piece, gap = NoteSequence(tuple(notes)), {"fill_from": 20.0, "fill_to": 100.0}
    untold = NoteGenerator(make_transformer(tmp_path, climbing_weights()))
    told, free = (
        middle(collect(player.generate(piece, asked(**gap)))) for player in (climbing, untold)
    )
    assert told < free - 3
