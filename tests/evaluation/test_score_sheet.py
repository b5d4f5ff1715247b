"""Clips and score sheets, with a small model and music made here."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyzzicato.cli.main import main
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.evaluation import clip_writing
from pyzzicato.evaluation import score_sheet as sheets
from pyzzicato.evaluation.clip_writing import new_clips
from pyzzicato.evaluation.clips import ANYBODY, Clip, Plan, halves, real_clips
from pyzzicato.evaluation.resampling import mean_of
from pyzzicato.evaluation.run import evaluate_clips, fingerprint, misfits, run_folder, write_metrics
from pyzzicato.evaluation.stamps import code_stamp
from pyzzicato.generation.controls import Controls
from pyzzicato.generation.generator import Generator, Step
from pyzzicato.metrics.yang_lerch import FEATURES
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.registry import ModelInfo, model_info
from tests.small_model import make_model

COMPOSERS = ("bach", "chopin")
PLAN = Plan(10.0, 4)


def piece(composer: str, work: int, split: str = "test", seconds: float = 45.0) -> Piece:
    dice = np.random.default_rng([work, len(composer)])
    start = np.sort(dice.uniform(0, seconds - 1, int(seconds * 6)))
    pitch = dice.choice([60, 62, 64, 65, 67, 69, 71], len(start)) + dice.choice(
        [-12, 0], len(start)
    )
    notes = np.stack([start, start + 0.4, pitch, np.full(len(start), 70)], 1).astype(np.float32)
    notes[-1, 1] = seconds
    name = f"{composer}-{work}"
    return Piece(name, composer, name, name, split, "performance", "ours", 1, notes)


@pytest.fixture
def dataset() -> Dataset:
    pieces = [piece(composer, work) for composer in COMPOSERS for work in range(4)]
    pieces.append(piece("chopin", 9, "train"))
    return Dataset(tuple(pieces), (), Path("made up"))


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelInfo:
    make_model(tmp_path / "models" / "small", composers=(*COMPOSERS, "satie"))
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path / "models"))
    return model_info("small")


def test_real_clips_are_stretches_of_held_out_works(small: ModelInfo, dataset: Dataset) -> None:
    found = real_clips(small, dataset, PLAN)
    assert set(found) == set(COMPOSERS), "there is no Satie here"
    for composer, clips in found.items():
        assert {clip.source for clip in clips} == {f"{composer}-{n}" for n in range(4)}
        assert all(0 < clip.sequence.duration <= 10 for clip in clips)
    again = real_clips(small, dataset, PLAN)
    assert again == found
    assert real_clips(small, dataset, Plan(10.0, 4, rng_seed=2)) != found
    many = real_clips(small, dataset, Plan(10.0, 99))["bach"]
    assert len(many) == len({clip.sequence for clip in many}) == 16, "four of each, none twice"
    assert real_clips(small, dataset, Plan(10.0, 4, "val")) == {}


def test_new_clips_are_kept_and_read_again(
    small: ModelInfo, dataset: Dataset, tmp_path: Path
) -> None:
    said: list[str] = []
    counts = {"bach": 3, "satie": 12}
    made = new_clips(small, dataset, PLAN, counts, tmp_path / "run", said.append)
    assert {name: len(clips) for name, clips in made.items()} == counts
    assert len({clip.source for clip in made["satie"]}) > 1, "several seeds"
    assert all(clip.sequence.duration <= 10 for clips in made.values() for clip in clips)
    assert len({clip.sequence for clip in made["satie"]}) == 12, "all different"
    small.weights.unlink()  # what is kept needs no model
    again = new_clips(small, dataset, PLAN, counts, tmp_path / "run", said.append)
    assert again == made
    assert said[-1] == "small: 15 clips of 10 s are written"


def test_two_processes_write_the_same(
    small: ModelInfo, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_writing, "CALLS", 1)  # so that each group has several parts
    counts, said = {"bach": 4, "chopin": 3}, list[str]()
    one = new_clips(small, dataset, PLAN, counts, tmp_path / "one", said.append)
    two = new_clips(small, dataset, PLAN, counts, tmp_path / "two", said.append, processes=2)
    assert two == one
    assert said.count("small: writing 7 clips of 10 s: 100%") == 2
    assert {path.name for path in (tmp_path / "two").iterdir()} == {"bach.npz", "chopin.npz"}


def test_what_was_written_before_a_stop_is_not_written_again(
    small: ModelInfo, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clip_writing, "CALLS", 1)
    whole = new_clips(small, dataset, PLAN, {"bach": 3}, tmp_path / "whole", print)

    def stopped(said: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        new_clips(small, dataset, PLAN, {"bach": 3}, tmp_path / "run", stopped)
    assert len(list((tmp_path / "run").iterdir())) == 1
    said: list[str] = []
    again = new_clips(small, dataset, PLAN, {"bach": 3}, tmp_path / "run", said.append)
    assert again == whole
    assert said[0] == "small: writing 2 clips of 10 s: 50%"


def test_settings_that_are_not_usual_reach_the_model(
    small: ModelInfo, dataset: Dataset, tmp_path: Path
) -> None:
    usual = new_clips(small, dataset, PLAN, {"bach": 2}, tmp_path / "usual", print)
    plan = dataclasses.replace(PLAN, values=(("busyness", 0.4),))
    other = new_clips(small, dataset, plan, {"bach": 2}, tmp_path / "other", print)
    assert [clip.source for clip in other["bach"]] == [clip.source for clip in usual["bach"]]
    assert other != usual
    assert plan.key() != PLAN.key()


def test_a_damaged_file_is_written_anew(small: ModelInfo, dataset: Dataset, tmp_path: Path) -> None:
    made = new_clips(small, dataset, PLAN, {"bach": 2}, tmp_path, print)
    (tmp_path / "bach.npz").write_bytes(b"PK not a file")
    assert new_clips(small, dataset, PLAN, {"bach": 2}, tmp_path, print) == made


class Ladder(Generator):
    """Goes up from the last key of the seed: knows no composers."""

    Controls = Controls

    def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
        first = max(seed, key=lambda note: note.start).pitch
        for take in range(takes):
            notes = tuple(Note(n, n + 1, first + n + take) for n in range(int(controls.seconds)))
            yield Step(notes, controls.seconds, take)


class LadderInfo(ModelInfo):
    controls = Controls

    def load(self) -> Generator:
        return Ladder()


def test_without_composers_openings_of_other_works_are_continued(
    dataset: Dataset, tmp_path: Path
) -> None:
    info = LadderInfo("ladder", tmp_path, "none", "Ladder", "", "", 2021, ())
    found = real_clips(info, dataset, PLAN)
    assert set(found) == {ANYBODY}
    made = new_clips(info, dataset, PLAN, {ANYBODY: 6}, tmp_path, print)
    assert len(made[ANYBODY]) == 6
    sources = [{clip.source for clip in clips[ANYBODY]} for clips in (found, made)]
    assert len(sources[0]) == len(sources[1]) == 4
    assert not sources[0] & sources[1]


def test_halves_share_no_source() -> None:
    clips = [Clip(NoteSequence(), "a", f"work {n // 3}") for n in range(12)]
    clips += [Clip(NoteSequence(), "b", "alone") for _ in range(4)]
    dice = np.random.default_rng(1)
    for _ in range(10):
        first, second = halves(clips, dice)
        assert sorted([*first, *second]) == list(range(16))
        sources = [{clips[n].source for n in half} - {"alone"} for half in (first, second)]
        assert not sources[0] & sources[1]
        assert len(first) == len(second) == 8


def test_the_transport_between_two_sets() -> None:
    assert sheets._transport(np.array([0.0, 1, 3]), np.array([5.0, 6, 8])) == pytest.approx(5)
    assert sheets._transport(np.array([0.0, 2]), np.array([1.0])) == pytest.approx(1)
    assert sheets._transport(np.array([4.0, 4]), np.array([4.0])) == 0


def test_means_are_drawn_by_sources() -> None:
    clips = [Clip(NoteSequence(), "a", str(n // 10)) for n in range(40)]
    values = np.array([float(clip.source) for clip in clips])
    found = mean_of(clips, values, np.random.default_rng(1))
    assert found["mean"] == 1.5
    assert found["n"] == 40
    # Four sources count, not forty clips: the interval is wide.
    assert found["low"] <= 0.75
    assert found["high"] >= 2.25


def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"LONG_SECONDS": 20.0, "FORM_SECONDS": 16.0, "DRAWS": 3}.items():
        monkeypatch.setattr(sheets, name, value)
    monkeypatch.setattr(sheets, "classifier_here", lambda: None)  # see test_recognition.py


def test_a_sheet(
    small: ModelInfo, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(monkeypatch)
    plan = Plan(10.0, 8)
    made = evaluate_clips(small, dataset, plan, tmp_path / "runs", print)
    sheet = made["clips"]
    json.dumps(sheet, allow_nan=False)
    assert sheet["groups"] == {"bach": 8, "chopin": 8}
    assert sheet["without_real_music"] == ["satie"]
    assert sheet["clips"] == 16
    assert 0 <= sheet["composite"] <= 1
    density = sheet["measures"]["note_density"]
    assert density["real"]["low"] <= density["real"]["mean"] <= density["real"]["high"]
    assert density["real"]["n"] == density["new"]["n"] == 16
    assert density["gap"]["low"] <= density["gap"]["value"] <= density["gap"]["high"]
    # The small model plays by lots; real music made by one rule is far closer to itself.
    entropy = sheet["measures"]["pitch_class_entropy"]
    assert entropy["ceiling"] < entropy["gap"]["value"]
    assert set(sheet["features"]) == set(FEATURES)
    assert not any(name.startswith("structureness") for name in sheet["measures"]), "4 long ones"
    assert 0 <= sheet["features"]["pitch_range"]["overlap"]["ceiling"] <= 1
    assert len(sheet["curve"]["new"]["mean"]) == 2
    assert set(sheet["by_group"]) == set(COMPOSERS)
    kept = json.loads((small.folder / "metrics.json").read_text())
    assert kept["clips"] == sheet
    again = evaluate_clips(small, dataset, plan, tmp_path / "runs", print)
    assert again == made, "the same from what was kept"


def test_without_real_music_it_says_why(small: ModelInfo, dataset: Dataset, tmp_path: Path) -> None:
    sheet = sheets.score_sheet(small, dataset, Plan(10.0, 8, "val"), tmp_path)
    assert list(sheet) == ["skipped"]
    assert "not trained on" in sheet["skipped"]


def test_real_music_against_itself_is_at_the_ceiling() -> None:
    clips = [Clip(NoteSequence((Note(0, 1, 60 + n % 5),)), "a", str(n)) for n in range(40)]
    values: list[float | None] = [float(n % 5) for n in range(40)]
    row = sheets._compared(clips, clips, (values, values), np.random.default_rng(2))
    assert row["gap"]["value"] == pytest.approx(row["ceiling"], abs=0.1)
    assert sheets._compared(clips, clips, (values, [None] * 40), np.random.default_rng(2)) == {}


def test_figures_that_do_not_belong_are_told(
    small: ModelInfo, capsys: pytest.CaptureFixture[str]
) -> None:
    def said() -> list[str]:
        return misfits(model_info("small"))

    assert said() == [
        "small: nothing has been measured; pyzzicato evaluate small --data FOLDER does it"
    ]
    usual: Any = small.controls()
    write_metrics(small, {"scores": [], "clips": {"controls": {"temperature": usual.temperature}}})
    assert said() == []
    assert main(["evaluate", "--check"]) == 0
    path = small.folder / "metrics.json"
    good = path.read_text()
    path.write_text(good.replace(f'"scores": "{fingerprint(small)}"', '"scores": "other"'))
    assert said() == [
        "small: “scores” was measured with other weights; measure it again: "
        "pyzzicato evaluate small --data FOLDER"
    ]
    path.write_text(good.replace(f'"temperature": {usual.temperature}', '"temperature": 0.123'))
    assert "“clips” were written with another temperature than is usual now" in said()[0]
    assert "pyzzicato evaluate small --data FOLDER --clips 200 --only-clips" in said()[0]
    path.write_text('{"minutes_long": {}}')
    assert "python benchmarks/minutes_long.py small --data FOLDER --write" in said()[0]
    path.write_text('{"scores": []}')
    assert "not known with which weights" in said()[0]
    path.write_text(good)
    small.weights.write_bytes(small.weights.read_bytes() + b" ")
    assert len(said()) == 2
    assert main(["evaluate", "small", "--check"]) == 1
    assert "other weights" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Say where real music is"),
        (["--data", ".", "--clips", "-1"], "0 or more"),
        (["--data", ".", "--only-clips"], "Say how many clips"),
        (["--data", "nowhere", "--clips", "8"], "There is no folder nowhere"),
    ],
)
def test_mistakes_on_the_command_line(
    small: ModelInfo, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "small", *arguments]) == 1
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "rough", "clips"),
    [
        ([], False, None),
        (["--quick"], True, 6),
        (["--quick", "--clips", "3"], True, 3),
        (["--clips", "3"], False, 3),
    ],
)
def test_a_quick_sheet_has_few_clips_and_rough_scores(
    small: ModelInfo,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    rough: bool,
    clips: int | None,
) -> None:
    asked: dict[str, object] = {"clips": None}
    monkeypatch.setattr("pyzzicato.data.load.music_for", lambda *_: Dataset((), (), Path("music")))

    def evaluate(*_: object, quick: bool) -> None:
        asked["rough"] = quick

    def evaluate_clips(info: ModelInfo, dataset: Dataset, plan: Plan, *_: object) -> None:
        asked["clips"] = plan.count

    monkeypatch.setattr("pyzzicato.evaluation.run.evaluate", evaluate)
    monkeypatch.setattr("pyzzicato.evaluation.run.evaluate_clips", evaluate_clips)
    assert main(["evaluate", "small", "--data", ".", *arguments]) == 0
    assert asked == {"rough": rough, "clips": clips}


def test_a_rough_sheet_replaces_a_full_one_only_when_told_to(
    small: ModelInfo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured: list[int] = []
    monkeypatch.setattr("pyzzicato.data.load.music_for", lambda *_: Dataset((), (), Path("music")))
    monkeypatch.setattr(
        "pyzzicato.evaluation.run.evaluate_clips",
        lambda info, dataset, plan, *_: measured.append(plan.count),
    )
    write_metrics(small, {"clips": {"asked": 200}})
    order = ["evaluate", "small", "--data", ".", "--only-clips"]
    assert main([*order, "--quick"]) == 1
    assert "has a sheet of 200 clips" in capsys.readouterr().err
    assert measured == []
    assert main([*order, "--clips", "200"]) == 0
    assert main([*order, "--quick", "--replace"]) == 0
    assert measured == [200, 6]


def test_clips_of_other_code_or_another_training_are_not_read_again(
    small: ModelInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = run_folder(small, PLAN, tmp_path)
    assert run_folder(model_info("small"), PLAN, tmp_path) == usual
    (small.folder / "training.json").write_text('{"course": {"": [1.0, 2.0]}}')
    taught = run_folder(model_info("small"), PLAN, tmp_path)
    assert taught != usual
    monkeypatch.setattr("pyzzicato.evaluation.run.code_stamp", lambda *_: "other")
    assert run_folder(model_info("small"), PLAN, tmp_path) != taught


def test_a_stamp_is_of_the_code_that_is_named_and_of_no_other() -> None:
    stamps = [code_stamp(place) for place in ("metrics", "evaluation/clips", "evaluation")]
    assert len(set(stamps)) == 3
    assert code_stamp("metrics") == stamps[0]
    with pytest.raises(FileNotFoundError):
        code_stamp("no/such/room")
