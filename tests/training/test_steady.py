"""Training that goes on from day to day: stopped, gone on with, decayed; and what can go wrong."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyzzicato.cli.main import main
from pyzzicato.codecs.piano_roll import note_array
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.errors import PyzzicatoError
from pyzzicato.registry import model_info
from pyzzicato.training import steady as steady_training
from pyzzicato.training.checkpoints import locked, read_progress
from pyzzicato.training.family import Recipe
from pyzzicato.training.recipes import next_recipe, recipe
from pyzzicato.training.steady import CHECKPOINT, decay, train_steadily
from tests.small_transformer import make_transformer_model
from tests.training.test_loop import made_up

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.usefixtures("_usual_policy"),
]

NEXT = """# The next one
[config]
width = 16
heads = 2
layers = 1
ffn_dim = 24
head_width = 12
context_length = 48
zero_begin = true
qk_norm = true
input_mix = true
value_mix = true
sounding = true

[training]
batch = 2
window = 32
steps_per_epoch = 4
validation_steps = 1
learning_rate = 0.01
schedule = "constant"
warmup_steps = 2

[training.augmentation]
filled = 0.2
"""
STEP = 64  # notes of one batch, whose windows are full


@pytest.fixture(autouse=True)
def eager() -> Iterator[None]:
    """No time is spent on compiling steps of which there are so few."""
    import tensorflow

    tensorflow.config.run_functions_eagerly(True)
    yield
    tensorflow.config.run_functions_eagerly(False)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder with a small flagship and the recipe of the next one."""
    folder = tmp_path / "models" / "small"
    make_transformer_model(folder)
    (folder / "next.toml").write_text(NEXT)
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path / "models"))
    return tmp_path


def plan_of(shelf: Path, runs: str = "runs") -> Recipe:
    folder = shelf / "models" / "small"
    return recipe(folder, shelf / runs, text=next_recipe(folder))


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    pieces = [
        Piece(
            f"{n}.mid", "bach", "", f"w{n}", split, "performance", "CC0", 1,
            note_array(made_up(n)).astype(np.float32),
        )
        for n, split in enumerate(["train", "train", "train", "val"])
    ]  # fmt: skip
    return Dataset(tuple(pieces), (), Path())


def kept(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as arrays:
        return {name: arrays[name] for name in arrays if name != "progress"}


def test_the_next_recipe_replaces_what_is_trained_and_nothing_else(shelf: Path) -> None:
    import tomllib

    folder = shelf / "models" / "small"
    now = tomllib.loads((folder / "model.toml").read_text())
    new = tomllib.loads(next_recipe(folder))
    assert new["card"] == now["card"]
    assert new["composers"] == now["composers"]
    assert new["config"]["qk_norm"]
    assert "qk_norm" not in model_info("small").config, "what ships is as it was"
    (folder / "next.toml").unlink()
    assert tomllib.loads(next_recipe(folder)) == now


def test_stopped_and_gone_on_with_is_as_never_stopped(shelf: Path, dataset: Dataset) -> None:
    """With windows of two lengths, and an optimiser that remembers."""
    path = shelf / "models" / "small" / "next.toml"
    path.write_text(NEXT.replace("[training]", '[training]\noptimizer = "muon"') + "halved = 0.5\n")
    told: list[str] = []
    whole = train_steadily(plan_of(shelf, "whole"), dataset, notes=8 * STEP, say=told.append)
    plan = plan_of(shelf)
    first = train_steadily(plan, dataset, notes=5 * STEP)
    assert first["step"] == 5
    second = train_steadily(plan, dataset, notes=8 * STEP)
    assert second["step"] == whole["step"] == 8
    assert second["notes"] == 8 * STEP
    one, two = kept(shelf / "whole" / plan.run.name / CHECKPOINT), kept(plan.run / CHECKPOINT)
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_allclose(two[name], one[name], rtol=1e-4, atol=1e-5)
    assert [row["notes"] for row in whole["history"]] == [4 * STEP, 8 * STEP]
    assert len(told) == 2
    (day,) = second["days"].values()
    assert day["notes"] == 8 * STEP
    assert day["hours"] > 0
    row = whole["history"][-1]
    parts = [row[f"val_{name}_bits"] for name in ("time", "pitch", "duration", "velocity")]
    assert row["val_loss"] / np.log(2) == pytest.approx(sum(parts), abs=1e-3)
    assert row["val_loss"] < whole["history"][0]["val_loss"] < np.log(128 * 88 * 96 * 32)


def test_the_rate_rises_stays_and_falls_to_nothing_in_a_decay(
    shelf: Path, dataset: Dataset
) -> None:
    run = steady_training._Run(plan_of(shelf), dataset, 1, print)
    rates = []
    for step in (0, 1, 2, 3, 10_000_000):
        run.progress["step"] = step
        rates.append(run._rate(None))
    assert rates == pytest.approx([0.01 / 3, 0.02 / 3, 0.01, 0.01, 0.01])
    run.progress["decay_from"] = 1000
    rates = []
    for seen in (1000, 1025, 1050, 1100, 1101):
        run.progress["notes"] = seen
        rates.append(run._rate(1100))
    assert rates == pytest.approx([0.01, 0.0075, 0.005, 0.0, 0.0])


def test_a_decay_makes_a_model_and_leaves_the_steady_run_alone(
    shelf: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(shelf)
    with pytest.raises(PyzzicatoError, match=r"train with --steady first"):
        decay(plan, dataset, shelf / "made" / "small")
    train_steadily(plan, dataset, notes=10 * STEP)
    before = {p.name: p.read_bytes() for p in plan.run.iterdir() if p.is_file()}
    made = decay(plan, dataset, shelf / "made" / "small")
    assert {p.name: p.read_bytes() for p in plan.run.iterdir() if p.is_file()} == before
    assert not (plan.run / "decay").exists()
    assert (made["decay_from"], made["notes_seen"]) == (10 * STEP, 11 * STEP)
    assert made["history"][-1]["notes"] == 11 * STEP
    assert made["best_epoch"] == len(made["history"])
    monkeypatch.setenv("PYZZICATO_MODELS", str(shelf / "made"))
    info = model_info("small")
    assert info.trained == json.loads(json.dumps(made))
    controls = info.controls(seconds=5.0, composer="bach")  # type: ignore[call-arg]
    assert list(info.load().generate(made_up(1, 5.0), controls))


def test_a_decay_that_was_stopped_goes_on_where_the_steady_run_was(
    shelf: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steady_training, "DECAY", 1.0)
    plan = plan_of(shelf)
    train_steadily(plan, dataset, notes=2 * STEP)
    step = steady_training._Run._step

    def stop_after_two(run: Any, *given: Any) -> None:
        step(run, *given)
        if run.progress["step"] == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(steady_training._Run, "_step", stop_after_two)
    assert "best_epoch" not in decay(plan, dataset, shelf / "made")
    assert read_progress(plan.run / "decay" / CHECKPOINT)["notes"] == 3 * STEP
    train_steadily(plan, dataset, notes=3 * STEP)
    made = decay(plan, dataset, shelf / "made")
    assert (made["decay_from"], made["notes_seen"]) == (2 * STEP, 4 * STEP)


def test_checkpoints_are_written_by_the_clock(
    shelf: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is killed has its last one; here every step is past the time."""
    monkeypatch.setattr(steady_training, "SAVED_EVERY", -1)
    step = steady_training._Run._step

    def break_at_four(run: Any, *given: Any) -> None:
        if run.progress["step"] == 3:
            raise ConnectionError("killed")
        step(run, *given)

    monkeypatch.setattr(steady_training._Run, "_step", break_at_four)
    plan = plan_of(shelf)
    with pytest.raises(ConnectionError):
        train_steadily(plan, dataset)
    assert read_progress(plan.run / CHECKPOINT)["step"] == 3


OTHERS = [
    ("qk_norm = true", "qk_norm = false", "qk_norm"),
    ("width = 16", "width = 32", "width"),
    ("sounding = true\n", "", "sounding"),
    ("[training]\n", '[training]\noptimizer = "muon"\n', "optimizer"),
    ("[training]\n", '[training]\nsplit = "maestro"\n', "split"),
]


def test_a_checkpoint_of_another_recipe_or_a_part_of_one_is_one_sentence(
    shelf: Path, dataset: Dataset
) -> None:
    plan = plan_of(shelf)
    train_steadily(plan, dataset, notes=STEP)
    checkpoint = plan.run / CHECKPOINT
    before = checkpoint.read_bytes()
    path = shelf / "models" / "small" / "next.toml"
    for was, now, named in OTHERS:
        path.write_text(NEXT.replace(was, now, 1))
        with pytest.raises(PyzzicatoError, match=f"is of another recipe, with {named} = "):
            train_steadily(plan_of(shelf), dataset, notes=2 * STEP)
    with pytest.raises(PyzzicatoError, match="is of another recipe, with split = "):
        decay(plan_of(shelf), dataset, shelf / "made")
    assert checkpoint.read_bytes() == before
    path.write_text(NEXT)
    for part in (0, 10, 3000, -30):
        checkpoint.write_bytes(before[:part])
        with pytest.raises(PyzzicatoError, match="is not whole: put a good copy in its place"):
            train_steadily(plan, dataset, notes=2 * STEP)
    checkpoint.write_bytes(before)
    assert train_steadily(plan, dataset, notes=2 * STEP)["step"] == 2


@pytest.fixture
def _little_room() -> Iterator[None]:
    """No file may grow beyond 20 kB, which a checkpoint does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("_little_room")
def test_where_there_is_no_room_the_checkpoint_before_stays(shelf: Path, dataset: Dataset) -> None:
    plan = plan_of(shelf)
    train_steadily(plan, dataset, notes=STEP)
    before = (plan.run / CHECKPOINT).read_bytes()
    assert len(before) > 40_000
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, most))
    with pytest.raises(PyzzicatoError, match=r"cannot be written .* the one before is whole"):
        train_steadily(plan, dataset, notes=2 * STEP)
    assert (plan.run / CHECKPOINT).read_bytes() == before
    assert not list(plan.run.glob("*.part"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert train_steadily(plan, dataset, notes=2 * STEP)["step"] == 2


def test_two_trainings_in_one_folder_are_one_sentence(shelf: Path, dataset: Dataset) -> None:
    plan = plan_of(shelf)
    with locked(plan.run), pytest.raises(PyzzicatoError, match="Another training is at work in"):
        train_steadily(plan, dataset, notes=STEP)
    assert train_steadily(plan, dataset, notes=STEP)["step"] == 1


def test_a_killed_training_leaves_no_lock_behind(tmp_path: Path, project: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from pyzzicato.training.checkpoints import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=project, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(PyzzicatoError, match="Another training"), locked(tmp_path):
            pass
        process.kill()
        process.wait()
    with locked(tmp_path):
        pass


def test_a_loss_that_is_no_number_stops_the_training_and_saves_nothing(
    shelf: Path, dataset: Dataset
) -> None:
    plan = plan_of(shelf)
    train_steadily(plan, dataset, notes=STEP)
    before = (plan.run / CHECKPOINT).read_bytes()
    path = shelf / "models" / "small" / "next.toml"
    path.write_text(NEXT.replace("learning_rate = 0.01", "learning_rate = 1e30"))
    with pytest.raises(PyzzicatoError, match="lower the learning_rate"):
        train_steadily(plan_of(shelf), dataset, notes=9 * STEP)
    assert (plan.run / CHECKPOINT).read_bytes() == before


def test_a_folder_without_music_to_check_by_is_one_sentence(shelf: Path, dataset: Dataset) -> None:
    alone = Dataset(dataset.split("train"), (), Path())
    with pytest.raises(PyzzicatoError, match="none to check by"):
        train_steadily(plan_of(shelf), alone)


def test_a_place_where_no_model_can_be_written_is_told_before_the_decay(
    shelf: Path, dataset: Dataset
) -> None:
    plan = plan_of(shelf)
    train_steadily(plan, dataset, notes=STEP)
    (shelf / "file").write_text("")
    with pytest.raises(PyzzicatoError, match=r"cannot be written to .* nothing is lost"):
        decay(plan, dataset, shelf / "file" / "small")
    assert not (plan.run / "decay").exists()


def test_what_learns_in_another_way_has_no_steady_training(shelf: Path, dataset: Dataset) -> None:
    path = shelf / "models" / "small" / "next.toml"
    path.write_text(NEXT.replace('schedule = "constant"', ""))
    with pytest.raises(PyzzicatoError, match="There is no steady training of small"):
        train_steadily(plan_of(shelf), dataset)
    folder = Path(__file__).parents[2] / "models" / "wavenet"
    wavenet = recipe(folder, shelf)
    constant = replace(wavenet, training={**wavenet.training, "schedule": "constant"})
    with pytest.raises(PyzzicatoError, match="There is no steady training of wavenet"):
        train_steadily(constant, dataset)


def test_the_commands(
    shelf: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr("pyzzicato.data.load.music_for", lambda *_: dataset)
    order = ["train", "small", "--data", "x", "--runs", str(shelf / "runs")]
    assert main([*order, "--steady", "--notes", "0"]) == 1
    assert main([*order, "--steady", "--notes", str(5 * STEP)]) == 0
    assert main([*order, "--steady", "--notes", str(10 * STEP)]) == 0
    assert main([*order, "--decay", str(shelf / "made" / "small")]) == 0
    assert f"{11 * STEP:,} notes seen" in capsys.readouterr().out
    assert (shelf / "made" / "small" / "heads.onnx").exists()
