"""One tiny training from beginning to end, by the command: stopped, resumed, exported, played."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pyzzicato.cli.main import main
from pyzzicato.data.load import read_dataset
from pyzzicato.errors import ModelUnavailable, PyzzicatoError
from pyzzicato.families.piano_roll.windows import (
    INPUTS,
    RollWindows,
    condition_of,
    corrupt,
    density_code,
)
from pyzzicato.formats.midi import write_midi
from pyzzicato.generation.generator import collect
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.registry import ModelInfo, model_info
from pyzzicato.runtime.session import weights_of
from pyzzicato.training.family import family_of
from pyzzicato.training.loop import train
from pyzzicato.training.recipes import load_keras, recipe, weights_by_path

# TensorFlow's own, with NumPy 2.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.usefixtures("_usual_policy"),
]

RECIPES = {
    "piano_roll.wavenet": (
        "channels = 8\nkernel = 3\ndilations = [1, 2]\ngated = true\nskip = 8\nhidden = 8"
    ),
    "piano_roll.lstm": "told = 8\nunits = 8\nhidden = [8, 8]",
}
TOML = """
title = "Tiny"
family = "{family}"
year = 2021
source = "a test"
summary = "Tiny."
composers = ["bach", "chopin"]
[config]
steps_per_second = 20
embedding = 2
dropout = 0.1
{config}
[training]
kinds = ["performance"]
batch = 2
window = 60
steps_per_epoch = 2
validation_steps = 1
epochs = 2
patience = 5
learning_rate = 0.002
precision = "float32"
quiet = true
[training.augmentation]
transpose = 3
corrupted = 0.6
corruption = 0.15
"""


def made_up(number: int, seconds: float = 70.0) -> NoteSequence:
    """A piece of our own; each number gives another."""
    rng = np.random.default_rng(number)
    pitches = 48 + np.cumsum(rng.integers(-3, 4, int(seconds * 4))) % 30
    return NoteSequence(
        tuple(
            Note(n / 4, n / 4 + 0.25 * int(rng.integers(1, 4)), int(pitch), int(50 + pitch % 40))
            for n, pitch in enumerate(pitches)
        )
    )


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two composers with pieces in every split."""
    folder = tmp_path_factory.mktemp("music")
    for number in range(24):
        place = folder / ("Bach", "Chopin")[number % 2]
        place.mkdir(exist_ok=True)
        (place / f"piece {number}.mid").write_bytes(write_midi(made_up(number)))
    return folder


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder with one tiny recipe of each family, `tiny_<family>`."""
    for family, config in RECIPES.items():
        (tmp_path / "models" / f"tiny_{family.rpartition('.')[2]}").mkdir(parents=True)
        path = tmp_path / "models" / f"tiny_{family.rpartition('.')[2]}" / "model.toml"
        path.write_text(TOML.format(family=family, config=config))
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path / "models"))
    return tmp_path


def play(info: ModelInfo) -> NoteSequence:
    controls = info.controls(seconds=5, composer="bach", busyness=2.0)  # type: ignore[call-arg]
    return collect(info.load().generate(made_up(1, 5.0), controls))


def test_a_model_is_trained_stopped_resumed_exported_measured_and_played(
    shelf: Path, music: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ["--data", str(music), "--runs", str(shelf / "runs")]
    assert main(["train", "tiny_wavenet", *run, "--epochs", "1"]) == 0
    assert "Keras runs on tensorflow." in capsys.readouterr().err
    first = weights_of(model_info("tiny_wavenet").weights)
    assert len(model_info("tiny_wavenet").trained["history"]) == 1

    assert main(["train", "tiny_wavenet", *run]) == 0
    info = model_info("tiny_wavenet")
    assert [row["epoch"] for row in info.trained["history"]] == [0, 1], "it went on, not anew"
    second = weights_of(info.weights)
    assert second.keys() == first.keys()
    assert any((first[name] != second[name]).any() for name in first)

    trained = info.trained
    assert trained["epochs"] == 2
    assert trained["works"] == trained["recordings"] >= 10
    assert set(trained["composers"]) == set(trained["density"]) == {"bach", "chopin"}
    assert trained["licences"].keys() == {"your own files"}
    assert trained["weights"] == sum(w.size for w in second.values())

    assert main(["evaluate", "tiny_wavenet", "--data", str(music)]) == 0
    (sheet,) = json.loads((info.folder / "metrics.json").read_text())["scores"]
    assert sheet["heading"] == "How well it tells the next step"
    assert play(info).duration <= 5 + 1e-6
    assert main(["compose", "--model", "tiny_wavenet", "--seconds", "5", "--json"]) == 0


@pytest.mark.parametrize(("backend", "compiled"), [("jax", True), ("tensorflow", False)])
def test_a_step_is_compiled_as_a_whole_where_nothing_else_is_fast(
    shelf: Path, music: Path, monkeypatch: pytest.MonkeyPatch, backend: str, compiled: bool
) -> None:
    import keras

    class Asked(Exception):
        pass

    def fit(model: keras.Model, *_: object, **__: object) -> None:
        assert model.jit_compile is compiled
        raise Asked

    monkeypatch.setattr(keras.Model, "fit", fit)
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    with pytest.raises(Asked):
        train(recipe(shelf / "models" / "tiny_wavenet", shelf / "runs"), read_dataset(music))


def test_an_epoch_that_made_it_worse_is_not_kept(shelf: Path, music: Path) -> None:
    folder = shelf / "models" / "tiny_wavenet"
    dataset = read_dataset(music)
    train(recipe(folder, shelf / "runs"), dataset, epochs=1)
    good = weights_of(folder / "model.onnx")
    toml = folder / "model.toml"
    toml.write_text(toml.read_text().replace("learning_rate = 0.002", "learning_rate = 9.0"))
    made = train(recipe(folder, shelf / "runs"), dataset, epochs=2)
    assert [row["epoch"] for row in made["history"]] == [0, 1]
    assert made["history"][1]["val_loss"] > made["history"][0]["val_loss"]
    assert made["best_epoch"] == 1
    kept = weights_of(folder / "model.onnx")
    assert all((kept[name] == good[name]).all() for name in good)


def test_training_goes_on_from_the_weights_there_are(
    shelf: Path, music: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shelf / "models" / "tiny_wavenet"
    train(recipe(folder, shelf / "runs"), read_dataset(music), epochs=1)
    first = weights_of(folder / "model.onnx")
    order = ["train", "tiny_wavenet", "--data", str(music), "--runs", str(shelf / "runs")]
    assert main([*order, "--further"]) == 1
    assert "give it a table [training.further]" in capsys.readouterr().err
    toml = folder / "model.toml"
    text = toml.read_text().replace("dropout = 0.1", "dropout = 0.0")
    toml.write_text(text + "[training.further]\nlearning_rate = 1e-6\n")
    assert main([*order, "--further"]) == 0
    second = weights_of(folder / "model.onnx")
    assert all(second[name] == pytest.approx(first[name], abs=1e-3) for name in first)
    assert any((second[name] != first[name]).any() for name in first)
    told = json.loads((folder / "training.json").read_text())
    assert [row["epoch"] for row in told["history"]] == [0, 1, 2]
    assert told["epochs"] == 3
    assert told["best_epoch"] in (2, 3)
    # From other weights it is another run, which begins again.
    assert main([*order, "--further", "--epochs", "1"]) == 0
    assert json.loads((folder / "training.json").read_text())["epochs"] == 4


def trained_anew(
    shelf: Path, music: Path, name: str, *epochs: int, **training: float
) -> np.ndarray:
    """All weights of tiny_wavenet, trained at one rate in a run of its own up to each of `epochs`.

    Without dropout, whose dice are not kept with a run; `training` are settings of the recipe.
    """
    text = TOML.format(family="piano_roll.wavenet", config=RECIPES["piano_roll.wavenet"]).replace(
        "0.1", "0.0", 1
    )
    for key in training:
        text = re.sub(rf"^{key} = .*\n", "", text, flags=re.MULTILINE)
    more = "".join(f"{key} = {value}\n" for key, value in training.items())
    folder = shelf / "models" / "tiny_wavenet"
    text = text.replace("[training]\n", f'[training]\nschedule = "constant"\n{more}')
    (folder / "model.toml").write_text(text)
    for count in epochs:
        train(recipe(folder, shelf / name), read_dataset(music), epochs=count)
    found = weights_of(folder / "model.onnx")
    return np.concatenate([found[path].ravel() for path in sorted(found)])


def test_the_average_of_the_weights_is_kept_and_training_goes_on_from_the_weights(
    shelf: Path, music: Path
) -> None:
    one = trained_anew(shelf, music, "one", 1, steps_per_epoch=1)
    two = trained_anew(shelf, music, "two", 1)
    slow = trained_anew(shelf, music, "slow", 1, averaging=0.999)
    assert np.abs(two - one).max() > 1e-3
    assert slow == pytest.approx(one, abs=3e-4), "after two steps it is still the first one's"

    whole = trained_anew(shelf, music, "whole", 2, averaging=0.5)
    parts = trained_anew(shelf, music, "parts", 1, 2, averaging=0.5)
    assert parts == pytest.approx(whole, abs=1e-5)


@pytest.mark.parametrize("family", RECIPES)
def test_what_is_exported_comes_back_as_the_keras_model(shelf: Path, family: str) -> None:
    import keras
    import onnx

    plan = recipe(shelf / "models" / f"tiny_{family.rpartition('.')[2]}", shelf / "runs")
    keras.utils.set_random_seed(3)
    model = family_of(family).build(plan.config)
    weights = weights_by_path(model)
    for name, graph in family_of(family).export(weights, plan.config).items():
        onnx.save(graph, plan.folder / name)
    back = load_keras(model_info(plan.model))
    for weight in back.weights:
        # Weights are stored in half precision.
        assert np.asarray(weight) == pytest.approx(weights[weight.path], rel=1e-3, abs=1e-6)


def test_weights_of_another_recipe_are_one_sentence(shelf: Path) -> None:
    import onnx

    plan = recipe(shelf / "models" / "tiny_wavenet", shelf / "runs")
    family = family_of(plan.family)
    wider = {**plan.config, "channels": 12}
    graphs = family.export(weights_by_path(family.build(wider)), wider)
    onnx.save(graphs["model.onnx"], plan.folder / "model.onnx")
    with pytest.raises(
        ModelUnavailable, match="train it again with `pyzzicato train tiny_wavenet`"
    ):
        load_keras(model_info("tiny_wavenet"))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("channels = 8", "chanels = 8", "not known, chanels: .* spell it as one of .*channels"),
        ("channels = 8\n", "", r"\[config\] of .*model.toml does not say channels"),
        ("batch = ", "batsch = ", "not known, batsch"),
        ("transpose", "transposed", "not known, transposed"),
    ],
)
def test_a_key_that_is_missing_or_not_known_is_one_sentence(
    shelf: Path, before: str, after: str, said: str
) -> None:
    path = shelf / "models" / "tiny_wavenet" / "model.toml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    with pytest.raises(PyzzicatoError, match=said):
        recipe(path.parent, shelf / "runs")


def test_a_folder_without_training_music_is_one_sentence(shelf: Path, tmp_path: Path) -> None:
    (tmp_path / "flat").mkdir()
    (tmp_path / "flat" / "a.mid").write_bytes(write_midi(made_up(1, 5.0)))
    plan = recipe(shelf / "models" / "tiny_wavenet", shelf / "runs")
    with pytest.raises(PyzzicatoError, match="There is no training music for this model"):
        train(plan, read_dataset(tmp_path / "flat"))
    assert not plan.run.exists()


def test_a_backend_that_is_not_there_is_one_sentence(
    shelf: Path, music: Path, project: Path
) -> None:
    command = [
        sys.executable,
        "-m",
        "pyzzicato.cli.main",
        "train",
        "tiny_wavenet",
        "--data",
        str(music),
    ]
    run = subprocess.run(
        command,
        cwd=project,
        env={**os.environ, "KERAS_BACKEND": "nothing"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr.count("\n") == 1
    assert run.stderr.startswith("pyzzicato: Keras cannot run on 'nothing'")


def test_windows_are_fixed_by_their_numbers_and_have_the_shapes_they_say(
    shelf: Path, music: Path
) -> None:
    config = recipe(shelf / "models" / "tiny_wavenet", shelf / "runs").config
    pieces = read_dataset(music).split("train")
    windows = RollWindows(pieces, config, training=True)
    inputs, target = windows.batch(np.random.default_rng(5))
    again, _ = windows.batch(np.random.default_rng(5))
    other, _ = windows.batch(np.random.default_rng(6))
    assert inputs["roll"].shape == target.shape == (2, 60, INPUTS)
    assert inputs["condition"].shape == (2, 2)
    assert (inputs["roll"] == again["roll"]).all()
    assert not (inputs["roll"] == other["roll"]).all()
    assert set(inputs["condition"][:, 0].astype(int)) <= {0, 1, 2}


def test_what_is_read_is_what_was_to_be_said_one_step_before(shelf: Path, music: Path) -> None:
    config = recipe(shelf / "models" / "tiny_wavenet", shelf / "runs").config
    pieces = read_dataset(music).split("val")
    inputs, target = RollWindows(pieces, config, training=False).batch(np.random.default_rng(1))
    assert (inputs["roll"][:, 0] == 0).all()
    assert (inputs["roll"][:, 1:] == target[:, :-1]).all()
    assert target.any()


def test_conditions_are_what_the_networks_read() -> None:
    assert [condition_of(("bach", "chopin"), c) for c in ("bach", "chopin", "satie")] == [1, 2, 0]
    assert density_code(7.5) == pytest.approx(0.0)
    assert density_code(15.5) == pytest.approx(1.0)
    assert np.isfinite(density_code(0.0))


def test_corruption_changes_as_much_as_it_is_told() -> None:
    rng = np.random.default_rng(2)
    notes = np.array([(n / 4, n / 4 + 0.2, 60, 80) for n in range(2000)])
    assert corrupt(notes, 0.0, rng) is notes
    before = notes.copy()
    wrong = corrupt(notes, 0.1, rng)
    assert (notes == before).all(), "the true notes stay as they are"
    assert len(wrong) == pytest.approx(2000, rel=0.03)  # a tenth left out, a tenth doubled
    assert 0.1 < (wrong[:, 2] != 60).mean() < 0.3
    assert corrupt(notes[:0], 0.5, rng).shape == (0, 4)
