"""Which settings are tried, and when one of them becomes the usual one."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from pyzzicato import tuning
from pyzzicato.clips import Plan
from pyzzicato.datasets import Dataset
from pyzzicato.errors import PyzzicatoError
from pyzzicato.registry import ModelInfo, model_info, models
from pyzzicato.tuning import page, promising, settings, tried, verdict
from tests.small_model import make_model


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelInfo:
    make_model(tmp_path / "models" / "small", composers=("bach",))
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path / "models"))
    return model_info("small")


def test_every_model_has_a_few_settings_that_it_can_play(project: Path) -> None:
    for info in models(project / "models").values():
        found = settings(info)
        assert 4 <= len(found) <= 12, info.id
        assert found[0] == {}
        usual = info.controls()
        made = [info.controls(**values) for values in found]
        assert len(set(map(repr, made))) == len(made), "all different"
        assert all(each != usual for each in made[1:])


def row(values: dict[str, Any], rng_seed: int, composite: float, **more: float) -> dict[str, Any]:
    new = {"silence_rate": 0.05, "repeated_window_rate": 0.0, "note_density": 8.0, **more}
    real = {"silence_rate": 0.04, "repeated_window_rate": 0.01, "note_density": 8.0}
    return {
        "values": values, "rng_seed": rng_seed, "clips": 40, "composite": composite,
        "guards": {name: {"real": real[name], "new": new[name]} for name in new},
    }  # fmt: skip


USUAL = [row({}, 1, 0.60), row({}, 2, 0.62)]


def test_a_clear_gain_changes_the_default() -> None:
    said = verdict([*USUAL, row({"t": 1}, 1, 0.66), row({"t": 1}, 2, 0.67)])
    assert said.best == {"t": 1}
    assert said.gain == pytest.approx(0.055)
    assert said.spread == pytest.approx(0.02)
    assert said.changes


def test_a_gain_within_the_spread_does_not() -> None:
    said = verdict([*USUAL, row({"t": 1}, 1, 0.60), row({"t": 1}, 2, 0.66)])
    assert said.best == {"t": 1}
    assert not said.changes
    lucky = [*USUAL, *(row({"t": 1}, n, 0.65) for n in (1, 2)), row({"t": 2}, 1, 0.7)]
    assert verdict(lucky).changes
    unsure = verdict([*lucky, row({"t": 2}, 2, 0.5)])
    assert unsure.best == {"t": 1}
    assert not unsure.changes, "another setting shows how much chance does"
    assert verdict(USUAL).best == {}
    assert not verdict([*USUAL, row({"t": 1}, 1, 0.5)]).changes
    with pytest.raises(ValueError, match="usual"):
        verdict([row({"t": 1}, 1, 0.6)])


def test_what_is_behind_is_not_tried_again() -> None:
    rows = [*USUAL[:1], row({"t": 1}, 1, 0.59), row({"t": 2}, 1, 0.61)]
    assert promising(rows, {})
    assert not promising(rows, {"t": 1})
    assert promising(rows, {"t": 2})
    assert promising(rows, {"t": 3})
    assert verdict([*rows, USUAL[1], row({"t": 2}, 2, 0.7)]).best == {"t": 2}
    alone = [*USUAL, row({"t": 4}, 1, 0.99)]
    assert verdict(alone).best == {}, "tried once only"


@pytest.mark.parametrize(
    "more",
    [{"silence_rate": 0.08}, {"repeated_window_rate": 0.04}, {"note_density": 11.0},
     {"note_density": 5.0}],
    ids=["silent", "repeats", "dense", "thin"],
)  # fmt: skip
def test_nothing_is_bought_with_silence_loops_or_density(more: dict[str, float]) -> None:
    better = [row({"t": 1}, n, 0.9, **more) for n in (1, 2)]
    assert verdict([*USUAL, *better]).best == {}


def test_the_page_says_what_came_of_it() -> None:
    better = [row({"t": 1}, n, 0.9) for n in (1, 2)]
    bad = [row({"t": 2}, n, 0.95, silence_rate=0.5) for n in (1, 2)]
    kept = {"a": {"rows": [*USUAL, *better, *bad]}, "b": {"rows": USUAL}, "c": {"rows": USUAL[:1]}}
    said = page(kept, {"a": "Ay"}, {"a": {"t": 1, "other": 2}})
    assert "## Ay" in said
    assert "## b" in said
    assert "## c" not in said, "tried with one rng seed only"
    assert "**t 1 became usual** (0.610 before, 0.900 after; 0.020 between seeds)" in said
    assert "| t 2 | 0.950 | 0.950 / 0.950 | 50.0% | 0.0% | 1.00 | not within the guards |" in said
    assert "None is better than the usual setting (0.610)." in said
    said = page(kept, {}, {"a": {"t": 0}})
    assert "**t 1 is better than the usual setting** (0.610 before" in said


def test_one_setting_is_measured_on_the_validation_split(
    small: ModelInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Plan] = []
    measures = {n: {"real": {"mean": 1.0}, "new": {"mean": 2.0}} for n in ("silence_rate", "other")}

    def sheet(info: ModelInfo, dataset: Dataset, plan: Plan, *_: Any, **told: Any) -> Any:
        asked.append(plan)
        assert told == {"processes": 1, "recognise": False}
        return {"composite": 0.5, "clips": 7, "measures": measures}

    monkeypatch.setattr(tuning, "score_sheet", sheet)
    nothing = Dataset((), (), tmp_path)
    found = tried(small, nothing, {"temperature": 0.7}, 2, 6, tmp_path)
    assert asked == [Plan(30.0, 6, "val", 2, (("temperature", 0.7),))]
    assert found["guards"] == {"silence_rate": {"real": 1.0, "new": 2.0}}
    assert found["composite"] == 0.5
    monkeypatch.setattr(tuning, "score_sheet", lambda *_, **__: {"skipped": "none"})
    with pytest.raises(PyzzicatoError, match="too little validation music"):
        tried(small, nothing, {}, 1, 6, tmp_path)


def test_the_page_is_made_of_what_was_tried(project: Path) -> None:
    kept = project / "benchmarks" / "tuning.json"
    known = models(project / "models").values()
    titles = {info.id: info.title for info in known}
    now = {info.id: dataclasses.asdict(info.controls()) for info in known}
    made = page(json.loads(kept.read_text(encoding="utf-8")), titles, now)
    assert (project / "docs" / "tuning.md").read_text(encoding="utf-8") == made
