"""How wishes are drawn, and that the fit finds what an answer was made of."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from pyzzicato.courses import CLASSES
from pyzzicato.datasets import Dataset
from pyzzicato.note_generator import NoteControls
from pyzzicato.notes import NoteSequence
from pyzzicato.performance_examples import density_wish
from tests.small_transformer import make_transformer
from tests.test_note_scores import piece


@pytest.fixture(scope="module")
def script(project: Path) -> ModuleType:
    path = project / "tools" / "measure_response.py"
    spec = importlib.util.spec_from_file_location("measure_response", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_wishes_stay_for_a_stretch_and_take_every_class(script: ModuleType) -> None:
    lots = script.Lots(np.random.default_rng(1), 200, 12)
    assert set(lots.classes.ravel()) == set(range(CLASSES[0], CLASSES[1] + 1))
    steps = np.abs(np.diff(lots.classes))
    assert steps.max() == script.FARTHEST
    assert 0.3 < (steps > 0).mean() < script.CHANGES
    lots.saw([1.0] * 200)
    assert lots.wishes([-1.0, 7.9, 8.1]) == [*lots.classes[:2, 0], lots.classes[2, 1]]
    assert lots.wishes([500.0]) == [lots.classes[0, 11]]
    every = np.arange(CLASSES[0], CLASSES[1] + 1)
    assert density_wish(script.middle(every)).tolist() == every.tolist()


def test_the_fit_finds_what_the_answer_was_made_of(script: ModuleType) -> None:
    dice = np.random.default_rng(2)
    rows = dice.normal(2, 0.5, (3, 300, 11))
    rows[2] = 0.7 * rows[0] + 0.2 * rows[1] + 0.1
    assert script.answer(rows) == pytest.approx((0.7, 0.2, 0.1))
    assert "STEADY (-0.50, 1.50), ANSWER 3.50" in list(script.lines(1.0, rows, 1))[1]
    rows[2] += dice.normal(0, 0.4, rows[2].shape)
    found, error = script.answer(rows), script.errors(rows, dice)
    # Of a regression on a cause with deviation 0.5: 0.4 / 0.5 / sqrt(3300).
    assert error[:2] == pytest.approx((0.0139, 0.0139), rel=0.2)
    assert np.abs(np.array(found) - (0.7, 0.2, 0.1)).max() < 4 * max(error)


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_stretches_are_those_of_the_takes(
    script: ModuleType, tmp_path: Path, guidance: float
) -> None:
    generator = script.Asked(make_transformer(tmp_path / "small"))
    controls = NoteControls(composer="bach", seconds=24, rng_seed=3, guidance=guidance)
    rows = script.stretches(generator, NoteSequence(()), controls, 3)
    assert rows.shape == (3, 3, 2)
    assert np.array_equal(rows[0, :, 1], rows[2, :, 0]), "what was after comes before the next"
    wished = script.logarithm(script.middle(generator.lots.classes[:3, 1:]))
    assert np.array_equal(rows[1], wished)
    assert (rows >= script.logarithm(0)).all()
    again = script.stretches(generator, NoteSequence(()), controls, 3)
    assert np.array_equal(again, rows)


def test_openings_are_of_different_works_kept_back(script: ModuleType) -> None:
    kept = [piece(count, split=split) for split in ("val", "test") for count in (200, 220)]
    others = [
        piece(200, split="train"),
        piece(240, split="val", kind="score"),
        piece(200, split="val", composer="joplin"),
    ]
    found = script.openings(Dataset((*others, *kept, *kept), (), Path()), "bach", 1)
    assert len(found) == script.SEEDS
    assert {len(seed) for seed in found} == {80}, "four notes a second for 20 s"
    assert all(seed.notes[0].start == 0 and seed.notes[-1].end <= 20 for seed in found)
    assert script.openings(Dataset(tuple(others), (), Path()), "bach", 1) == []
