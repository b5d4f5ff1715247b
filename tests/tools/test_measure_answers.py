"""What a model was asked for and what it played, and the line through both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from pyzzicato.errors import PyzzicatoError
from pyzzicato.families.transformer.processors.density_control import KNOT, Pace, pace_of
from tests.scripts import open_script
from tests.small_transformer import make_transformer


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    with open_script("tools/measure_answers.py") as module:
        yield module


def test_a_course_asks_for_the_mean_of_what_it_passes(script: ModuleType) -> None:
    planned = np.array([2.0, 4.0, 6.0, 6.0, 6.0, 0.0])
    assert script.KNOT == KNOT
    plain = Pace(np.ones(21))
    assert script.asked_for(planned, 75.0, plain) == pytest.approx([4.0, 6.0])
    twice = Pace(np.ones(21), answer=(-np.log(2), 1.0))  # with 0.3 a second in every logarithm
    assert script.asked_for(planned, 75.0, twice) == pytest.approx([8.3, 12.3])


def test_what_was_played_is_counted_in_whole_stretches(script: ModuleType) -> None:
    starts = np.concatenate([np.arange(0, 30, 0.5), np.arange(30, 70, 0.25)])
    assert script.played(np.stack([starts, starts + 0.1]).T, 70.0).tolist() == [2.0, 4.0]


def test_the_line_is_found_and_kept_within_bounds(script: ModuleType) -> None:
    asked = np.random.default_rng(1).normal(2.0, 0.4, 2000)
    found = script.answer(np.stack([asked, 0.3 + 0.85 * asked]))
    assert found == pytest.approx((0.3, 0.85))
    off = np.random.default_rng(2).normal(0.0, 0.3, 2000)  # playing is off its course by chance
    wider = script.answer(np.stack([asked, 0.3 + 0.85 * asked + off]))
    assert wider.times == pytest.approx(np.hypot(0.85, 0.3 / 0.4), rel=0.1)
    deaf = script.answer(np.stack([asked, np.full(2000, 2.2)]))
    assert deaf.times == script.FLATTEST
    assert deaf.more + deaf.times * np.median(asked) == pytest.approx(2.2)
    level = script.answer(np.stack([np.full(200, 2.0), np.full(200, 2.5)]))
    assert level == pytest.approx((0.5, 1.0))


def test_answers_are_of_composers_with_seeds(script: ModuleType, tmp_path: Path) -> None:
    info = make_transformer(tmp_path / "small")
    course = {"": np.linspace(1.0, 20.0, 21).tolist()}
    (info.folder / "training.json").write_text(json.dumps({"course": course}))
    rows = script.stretches(info, "bach", pieces=3, seconds=60.0, rng_seed=1)
    assert rows.shape == (2, 6)
    assert len(set(rows[0].tolist())) == 6, "every take has its own course"
    again = script.stretches(info, "bach", pieces=3, seconds=60.0, rng_seed=1)
    assert np.array_equal(again, rows)
    told = {"course": course, "answer": {"": [1.0, 0.6]}}
    (info.folder / "training.json").write_text(json.dumps(told))
    known = replace(info)  # which has not read that file yet
    assert known.trained == told
    turned = script.stretches(known, "bach", pieces=3, seconds=60.0, rng_seed=1)
    assert turned[0] == pytest.approx((rows[0] - 1.0) / 0.6, abs=0.1), "what is known is used"
    with pytest.raises(PyzzicatoError, match="measure_courses"):
        script.stretches(
            make_transformer(tmp_path / "bare"), "bach", pieces=1, seconds=60.0, rng_seed=1
        )
    table = script.answers_of(info, ["bach", "chopin"], 2, 60.0, 1)
    assert set(table) == {"bach", "chopin"}
    pace = pace_of({"course": course, "answer": table}, {"bach": 1.0})
    assert pace is not None
    assert pace.asked(8.0) != pytest.approx(8.0)


def test_composers_without_a_row_have_the_mean(script: ModuleType) -> None:
    table = script.together({}, {"bach": [0.2, 0.8], "liszt": [0.4, 1.0]})
    assert table == {"": [0.3, 0.9], "bach": [0.2, 0.8], "liszt": [0.4, 1.0]}


def test_a_second_measurement_is_put_together_with_the_first(script: ModuleType) -> None:
    table = script.together({"bach": [0.2, 0.8], "liszt": [0.4, 1.0]}, {"bach": [0.4, 0.6]})
    assert table["bach"] == [0.3, 0.7]
    assert table["liszt"] == [0.4, 1.0]
    assert table[""] == [0.35, 0.85]
