"""What the benchmark of courses says of courses whose density is known."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from pyzzicato.datasets import Dataset
from pyzzicato.density import QUANTILES
from pyzzicato.notes import Note, NoteSequence
from pyzzicato.paces import LATER, Pace, draw_course
from tests.scripts import open_script
from tests.test_density import even_piece

SEED = NoteSequence(tuple(Note(n / 4, n / 4 + 0.2, 60, 64) for n in range(40)))
RISING = np.linspace(2.0, 22.0, len(QUANTILES))


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    with open_script("benchmarks/courses_alone.py") as module:
        yield module


def test_a_draw_has_the_densities_and_the_drift_of_its_courses(script: ModuleType) -> None:
    steady = Pace(np.full(len(QUANTILES), 8.0))
    found = script.drawn(steady, [("a", SEED)], 1, 3, 180.0)
    assert found.dense == pytest.approx([8.0, 8.0, 8.0])
    assert found.drift == 1.0
    pace = Pace(RISING)
    course = draw_course(pace, 4.0, len(LATER), 5, 0)
    minute = np.array([course[:5] @ -LATER[:5], course[8:] @ LATER[8:]])
    moving = script.drawn(pace, [("a", SEED)], 5, 1, 180.0)
    assert moving.drift == pytest.approx(float(minute.max() / minute.min()), rel=0.01)
    assert moving.dense[0] < moving.dense[1] < moving.dense[2]


def test_only_draws_with_every_density_near_the_real_one_are_within(script: ModuleType) -> None:
    real = {"p10": 5.0, "p50": 8.0, "p90": 12.0, "drift_size": 1.2}
    near, sparse = np.array([6.0, 8.0, 12.0]), np.array([3.0, 8.0, 12.0])
    draws = [script.Drawn(near, 1.1), script.Drawn(sparse, 1.3)]
    line, within = script.row("bach", draws, real)
    assert within.tolist() == [True, False]
    assert "dense 0.90 (+-0.30) 1.00 (+-0.00)" in line
    assert "drift 1.20 (+-0.10), real 1.20; 50% within" in line


def test_every_composer_gets_a_line(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = {"course": {"": RISING.tolist()}}
    pieces = tuple(even_piece(name, 240, 9) for name in ("bach", "chopin"))
    monkeypatch.setattr(script, "model_info", lambda name: SimpleNamespace(trained=trained))
    dataset = Dataset(pieces, (), Path())
    monkeypatch.setattr(script, "read_dataset", lambda data, composers: dataset)
    asked = ["courses_alone.py", "--data=x", "--draws=2", "--pieces=4", "--composers=bach,chopin"]
    monkeypatch.setattr(sys, "argv", asked)
    assert script.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["bach", "chopin"]
    assert lines[2] == "0% of 2 draws have every density within"
    trained.clear()
    assert script.main() == 1
    assert "no courses of density" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", asked[:1])
    assert script.main() == 0
    assert "--data" in capsys.readouterr().out
