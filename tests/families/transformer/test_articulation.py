"""How connected music is played: what is measured, and what draws a take to it."""

import json
from typing import Any

import numpy as np
import pytest

from pyzzicato.codecs.performance import DURATION, PITCH, TIME, duration_seconds
from pyzzicato.data.density import EVERYBODY
from pyzzicato.data.pieces import Piece
from pyzzicato.families.transformer.generate import NoteControls, NoteGenerator
from pyzzicato.families.transformer.processors.articulation import (
    DENSER,
    FEWEST,
    MEMORY,
    SHARES,
    TouchGuard,
    touch_of,
    touch_table,
)
from pyzzicato.generation.generator import collect_takes
from pyzzicato.music.notes import NoteSequence
from tests.small_transformer import CONFIG, make_transformer, weights

NOTHING = np.zeros((0, 5), np.int64)
USUAL = np.log(np.array([0.25, 0.375, 0.5, 0.75, 1.0]) * 4**DENSER)  # of four notes a second
QUARTER = 25  # 10 ms steps: four notes a second
LENGTHS = np.log(duration_seconds())


def code_of(seconds: float) -> int:
    return int(np.abs(LENGTHS - np.log(seconds)).argmin())


def leant(seconds: float, notes: int = MEMORY, keys: int = 88, takes: int = 1) -> np.ndarray:
    """What lengths have won after so many notes of so many seconds, four a second, key by key."""
    guard = TouchGuard(NOTHING, USUAL, 1, takes)
    for note in range(notes):
        pitch = note % keys
        guard.saw(*(np.full(takes, code) for code in (pitch, code_of(seconds), QUARTER)))
    logits = np.zeros((takes, len(LENGTHS)))
    guard.lean(logits)
    return logits


def test_short_notes_are_drawn_longer_and_long_ones_shorter() -> None:
    # Number 1 means half a second.
    dry, wet = leant(0.1)[0], leant(2.0)[0]
    assert (np.diff(dry) >= 0).all()
    assert np.ptp(dry) > 1
    assert (np.diff(wet) <= 0).all()
    assert np.ptp(wet) > 1
    assert np.ptp(leant(0.5)[0]) < 0.3, "as it is meant to be"
    assert not leant(0.1, MEMORY - 1).any(), "a few notes tell nothing"


def test_the_farther_off_the_more_it_leans() -> None:
    assert np.ptp(leant(0.05)) > np.ptp(leant(0.1)) > np.ptp(leant(0.25))


def test_a_key_struck_again_ends_the_note_before_on_it() -> None:
    # Drawn for two seconds each, but three keys in turn sound for three quarters of one; the last
    # three still sound.
    assert np.ptp(leant(2.0, keys=3)[0]) == pytest.approx(np.ptp(leant(0.75)[0]), rel=0.25)
    assert np.ptp(leant(2.0)[0]) > 3 * np.ptp(leant(0.75)[0])
    assert (leant(0.1, keys=3) == leant(0.1)).all(), "notes that have ended stay as they were"


def test_dense_music_may_be_as_connected_with_shorter_notes() -> None:
    guard = TouchGuard(NOTHING, USUAL, 1, 1)
    length = np.array([code_of(0.5 / 5**DENSER)])
    for note in range(MEMORY):
        guard.saw(np.array([note]), length, np.array([QUARTER // 5]))
    logits = np.zeros((1, len(LENGTHS)))
    guard.lean(logits)
    assert np.ptp(logits) < 0.3


def test_the_music_gone_on_from_counts() -> None:
    codes = np.zeros((MEMORY, 5), np.int64)
    codes[:, TIME], codes[:, DURATION], codes[:, PITCH] = QUARTER, code_of(0.1), np.arange(MEMORY)
    guard = TouchGuard(codes, USUAL, 1, 2)
    logits = np.zeros((2, len(LENGTHS)))
    guard.lean(logits)
    assert np.allclose(logits[0], leant(0.1)[0])
    assert logits[0, -1] > 0


def test_takes_and_numbers_differ_and_keep_to_what_is_usual() -> None:
    meant = TouchGuard(NOTHING, USUAL, 1, 10).meant
    assert meant[0] == pytest.approx(USUAL[2]), "number 1 begins in the middle"
    assert len(set(meant.round(6))) == 10
    assert USUAL[0] <= meant.min() < USUAL[1] < USUAL[3] < meant.max() <= USUAL[-1]
    assert (TouchGuard(NOTHING, USUAL, 1, 3).meant == meant[:3]).all(), "whatever the takes"
    many = [TouchGuard(NOTHING, USUAL, number, 1).meant[0] for number in range(1, 50)]
    assert np.median(many) == pytest.approx(USUAL[2], abs=0.05)


def wandering(rng_seed: int, takes: int, stretches: int) -> np.ndarray:
    """What each take is drawn to from stretch to stretch, (stretches, takes)."""
    guard = TouchGuard(NOTHING, USUAL, rng_seed, takes)
    found = []
    for _ in range(stretches):
        for _ in range(MEMORY):
            guard.saw(*np.zeros((3, takes), np.int64))
        found.append(guard.meant)
    return np.array(found)


def test_a_piece_is_now_drier_and_now_less_dry() -> None:
    found = wandering(1, 2, 150)
    assert found.min() >= USUAL[0]
    assert found.max() <= USUAL[-1]
    assert (found[0] != found[1]).all(), "each stretch has its own"
    assert (wandering(1, 1, 4)[:, 0] == found[:4, 0]).all(), "whatever the takes"
    alike = np.corrcoef(found[:-1, 0], found[1:, 0])[0, 1]
    assert 0.4 < alike < 0.9, "but goes on from the one before"
    assert abs(np.corrcoef(found.T)[0, 1]) < 0.5, "takes go their own ways"


def even(composer: str, seconds: float, notes: int, kind: str = "performance") -> Piece:
    """Four notes a second."""
    start = np.arange(notes) / 4
    rows = np.stack([start, start + seconds, np.full(notes, 60), np.full(notes, 64)], axis=1)
    work = f"{composer} {seconds}"
    return Piece(work, composer, work, work, "train", kind, "CC0-1.0", 1, rows.astype(np.float32))


def test_the_table_has_what_composers_with_enough_performances_do() -> None:
    half = MEMORY * (FEWEST // 2)
    pieces = [
        even("bach", 0.1, half),
        even("bach", 0.5, half + MEMORY - 1),
        even("bach", 9.0, MEMORY * FEWEST, kind="score"),
        even("liszt", 1.0, half),
    ]
    table = touch_table(pieces)
    assert set(table) == {EVERYBODY, "bach"}
    assert len(table["bach"]) == len(SHARES)
    assert table["bach"][0] == pytest.approx(0.1 * 4**DENSER, rel=0.08)
    assert table["bach"][-1] == pytest.approx(0.5 * 4**DENSER, rel=0.08)
    assert table[EVERYBODY][-1] == pytest.approx(1.0 * 4**DENSER, rel=0.08)
    assert touch_table(pieces[-1:]) == {}


def test_a_mix_lies_between_and_unknown_composers_are_as_everybody() -> None:
    rows = {EVERYBODY: [3.0] * 5, "bach": [1.0] * 5, "liszt": [4.0] * 5}
    assert touch_of({}, {"bach": 1.0}) is None

    def of(shares: dict[str, float]) -> float:
        found = touch_of(rows, shares)
        assert found is not None
        return float(np.exp(found[0]))

    assert of({"bach": 1.0}) == pytest.approx(1.0)
    assert of({"satie": 1.0}) == pytest.approx(3.0)
    assert of({"bach": 0.5, "liszt": 0.5}) == pytest.approx(2.0)


@pytest.fixture(scope="module")
def player(tmp_path_factory: pytest.TempPathFactory) -> NoteGenerator:
    """Four notes a second of any length; it plays Bach, who is known to be played dry."""
    arrays: dict[str, Any] = weights(CONFIG)
    for field, bias in {"time": 12.0 * (np.arange(128) == QUARTER), "duration": 0.0}.items():
        arrays[f"{field}_out/kernel"][:] = 0
        arrays[f"{field}_out/bias"][:] = bias
    info = make_transformer(tmp_path_factory.mktemp("player"), arrays)
    table = {EVERYBODY: [3.0] * 5, "bach": [0.5] * 5}
    (info.folder / "training.json").write_text(json.dumps({"touch": table}))
    return NoteGenerator(info)


def connected(player: NoteGenerator, composer: str) -> float:
    """The geometric mean length times notes a second, after the first half minute."""
    controls = NoteControls(composer=composer, seconds=90.0, guidance=1.0, rng_seed=3)
    (music,) = collect_takes(player.generate(NoteSequence(()), controls, 1), 1)
    late = [note for note in music if note.start > 30]
    lengths = [max(note.end - note.start, 0.02) for note in late]
    return float(np.exp(np.mean(np.log(lengths)))) * len(late) / 60


def test_composers_are_played_as_they_usually_are(player: NoteGenerator) -> None:
    dry, wet = connected(player, "bach"), connected(player, "chopin")
    assert wet > 2 * dry


def test_it_is_the_leaning_that_does_it(
    player: NoteGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_table = connected(player, "chopin")
    monkeypatch.setattr("pyzzicato.families.transformer.processors.articulation.PULL", 0.0)
    without = connected(player, "chopin")
    assert with_table > 1.3 * without
