"""Frame scores: counted by hand on small rolls, then with a model against plain numpy."""

from pathlib import Path

import numpy as np
import pytest

from pyzzicato.codecs.piano_roll import ONSET, SOUNDING, draw_roll
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.errors import PyzzicatoError
from pyzzicato.evaluation.run import evaluate
from pyzzicato.families.piano_roll.evaluate import GRID, Counts, Held, Tally, roll_scores
from pyzzicato.families.piano_roll.generate import RollControls
from pyzzicato.registry import ModelInfo, models
from pyzzicato.reports.sheets import sheets_of
from tests.scores import figures

PREDICTORS = ("this model", "the last step again", "each key at its mean rate")
ROLL_MODELS = [info for info in models().values() if info.controls is RollControls]


def piece(split: str, seconds: float = 130.0, step: int = 7) -> Piece:
    """Quavers through two octaves, in steps of `step` semitones, with a held bass."""
    rows = [(n / 4, n / 4 + 0.2, 48 + n * step % 25, 80) for n in range(int(seconds * 4))]
    rows += [(float(n), n + 0.9, 36, 70) for n in range(int(seconds))]
    notes = np.array(sorted(rows), np.float32)
    return Piece(f"{split}.mid", "bach", "", split, split, "performance", "", 1, notes)


@pytest.fixture(scope="module")
def music() -> Dataset:
    return Dataset((piece("train"), piece("val", step=5), piece("test", step=11)), (), Path())


def by_hand(said: np.ndarray, truth: np.ndarray) -> tuple[float, float, float]:
    hits = float((said & truth).sum())
    precision, recall = hits / max(said.sum(), 1), hits / truth.sum()
    return precision, recall, 2 * hits / (said.sum() + truth.sum())


def test_a_tally_counts_at_every_threshold_as_one_would_by_hand() -> None:
    rng = np.random.default_rng(1)
    tally, chances, truths = Tally(), [], []
    for _ in range(3):
        chances.append(rng.random((50, 88)).astype(np.float32))
        truths.append(rng.random((50, 88)) < 0.1)
        tally.add(chances[-1], truths[-1].astype(np.float32))
    chance, truth = np.concatenate(chances), np.concatenate(truths)
    for index in (0, 10, 30, len(GRID) - 1):
        row = tally.row(index)
        wanted = by_hand(chance > GRID[index], truth)
        assert (row["precision"], row["recall"], row["F1"]) == pytest.approx(wanted, abs=6e-5)


def test_nats_are_the_surprise_at_what_came() -> None:
    tally, counts = Tally(), Counts()
    tally.add(np.array([0.25, 0.5]), np.array([1.0, 0.0]))
    assert tally.nats == pytest.approx(np.log(4) + np.log(2))
    counts.add(np.array([1, 1, 1, 0]), np.array([1, 1, 0, 0]))
    # With one added to each count: on goes on in 3 of 5, off stays off in 2 of 3.
    assert counts.nats(counts) == pytest.approx(-2 * np.log(3 / 5) - np.log(2 / 5) - np.log(2 / 3))


def test_held_and_other_keys_have_a_threshold_each() -> None:
    held = Held()
    before = np.array([[1.0, 1.0, 0.0, 0.0]])
    held.add(np.array([[0.30, 0.10, 0.30, 0.60]]), np.array([[1.0, 0.0, 0.0, 1.0]]), before)
    kept, fresh = held.best()
    row = held.row((kept, fresh))
    assert (row["precision"], row["recall"], row["F1"]) == (1.0, 1.0, 1.0)
    assert 0.1 <= GRID[kept] < 0.3 <= GRID[fresh] < 0.6


def test_a_tally_of_nothing_or_of_the_truth_itself() -> None:
    silent = Tally()
    silent.add(np.zeros((10, 88)), np.zeros((10, 88)))
    assert not silent.f1().any()
    perfect = Tally()
    truth = np.eye(88)[:10]
    perfect.add(truth, truth)
    assert (perfect.f1() == 1).all()


@pytest.mark.parametrize("info", ROLL_MODELS[:1], ids=lambda info: info.id)
def test_the_trivial_predictors_are_what_they_say(info: ModelInfo, music: Dataset) -> None:
    (sheet,) = roll_scores(info, music, lambda text: None)
    assert "on 2 windows of 60 s" in sheet.note
    rate = info.config["steps_per_second"]
    test = music.split("test")[0].notes.astype(float)
    rolls = [draw_roll(test, 60.0 * n, int(60 * rate), rate) for n in range(2)]
    nats = dict.fromkeys(PREDICTORS, 0.0)
    for keys, plane in (("struck keys", ONSET), ("sounding keys", SOUNDING)):
        truth = [roll[:, plane] > 0 for roll in rolls]
        before = [np.concatenate([np.zeros((1, 88), bool), t[:-1]]) for t in truth]
        wanted = by_hand(np.concatenate(before), np.concatenate(truth))
        rows = {by: figures(sheet, by, keys) for by in PREDICTORS}
        found = rows["the last step again"]
        assert (found["precision"], found["recall"], found["F1"]) == pytest.approx(wanted, abs=6e-5)
        for by, row in rows.items():
            assert 0 <= row["F1"] <= 1
            assert row["nats"] > 0
            nats[by] += row["nats"]
    for by, both in nats.items():
        assert figures(sheet, by, "both")["nats"] == pytest.approx(both, abs=2e-4)
    # The bass is struck and sounds more than any other key: its rate alone says something.
    assert figures(sheet, "each key at its mean rate", "sounding keys")["recall"] > 0


@pytest.mark.parametrize("info", ROLL_MODELS, ids=lambda info: info.id)
def test_on_real_music_every_network_beats_the_trivial_predictors(info: ModelInfo) -> None:
    (sheet,) = sheets_of(info.metrics)
    for keys in ("struck keys", "sounding keys"):
        mine, *others = (figures(sheet, by, keys) for by in PREDICTORS)
        for trivial in others:
            assert mine["nats"] < trivial["nats"]
            assert mine["F1"] > trivial["F1"]


def test_a_folder_without_a_test_split_is_one_sentence(music: Dataset) -> None:
    only = Dataset(music.split("train"), (), Path())
    with pytest.raises(PyzzicatoError, match="it needs a validation and a test split"):
        evaluate(ROLL_MODELS[0], only)
