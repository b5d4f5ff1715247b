"""Networks of notes and lengths, from a folder of music to a graph that is the Keras model."""

import json
from pathlib import Path

import numpy as np
import pytest

from pyzzicato.cli.main import main
from pyzzicato.data.load import read_dataset
from pyzzicato.data.pieces import Dataset
from pyzzicato.errors import ModelUnavailable, UnreadableMusic
from pyzzicato.families.chords.windows import (
    ChordWindows,
    lines_of,
    prepare,
    read_vocabulary,
    sizes,
)
from pyzzicato.generation.generator import collect
from pyzzicato.registry import model_info
from pyzzicato.reports.sheets import sheets_of
from pyzzicato.runtime.session import StepGraph, weights_of
from pyzzicato.training.family import Lessons, family_of
from pyzzicato.training.recipes import load_keras, recipe, weights_by_path
from tests.scores import figures
from tests.small_chords import made_up, write_music, write_recipe

# TensorFlow's own, with NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

NETWORKS = [
    ("chords.note_duration_rnn", "lstm", "slices", "float16"),
    ("chords.note_duration_rnn", "gru", "slices", "int8"),
    ("chords.next_note_gru", "gru", "onsets", "float16"),
]


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_music(tmp_path_factory.mktemp("music"))


@pytest.fixture(scope="module")
def dataset(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return read_dataset(music, kinds=("beats",), cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("PYZZICATO_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.mark.parametrize(("family", "cell", "cut", "stored"), NETWORKS)
def test_the_step_graph_is_the_keras_model(
    shelf: Path, dataset: Dataset, family: str, cell: str, cut: str, stored: str
) -> None:
    """At once and step by step, on windows as the training makes them; at most 1e-4 apart."""
    import keras
    import onnx

    folder = shelf / "models" / "small"
    write_recipe(folder, family=family, cell=cell, cut=cut, weight_dtype=stored)
    plan = recipe(folder, shelf / "runs")
    config = {**plan.config, **prepare(plan, dataset.split("train"))}
    module = family_of(family)
    keras.utils.set_random_seed(3)
    weights = weights_by_path(module.build(config))
    weights = {name: values * 3 for name, values in weights.items()}
    for name, graph in module.export(weights, config).items():
        onnx.save(graph, folder / name)
    info = model_info("small")
    inputs, target = ChordWindows(dataset.split("val"), config, training=False).batch(
        np.random.default_rng(1)
    )
    wanted = np.asarray(load_keras(info)(inputs))
    assert wanted.shape == (4, 8, sum(sizes(config)))
    assert 0 <= target[..., 0].max() < sizes(config)[0] <= target[..., 1].max()
    tokens = {"tokens": inputs["tokens"].astype(np.float32)}
    step_graph = StepGraph(info.weights)
    at_once, _ = step_graph.advance(tokens, step_graph.start(4))
    assert np.abs(at_once - wanted).max() <= 1e-4
    state, by_step = step_graph.start(4), []
    for place in range(8):
        now = {"tokens": tokens["tokens"][:, place : place + 1]}
        output, state = step_graph.advance(now, state)
        by_step.append(output)
    assert np.abs(np.concatenate(by_step, axis=1) - wanted).max() <= 1e-4
    assert np.ptp(wanted) > 1, "there is something to compare"


def test_a_model_is_trained_measured_and_played(shelf: Path, music: Path) -> None:
    write_recipe(shelf / "models" / "small")
    run = ["--data", str(music), "--runs", str(shelf / "runs")]
    assert main(["train", "small", *run]) == 0
    info = model_info("small")
    assert info.trained["epochs"] == 2
    known = read_vocabulary(info.folder)
    assert len(known["notes"]) > 10
    assert {"1/2", "1/3", "1/4", "1"} <= set(known["durations"])
    assert weights_of(info.weights)["note/embeddings"].shape[0] == len(known["notes"]) + 1
    assert main(["evaluate", "small", "--data", str(music)]) == 0
    told, circles = sheets_of(json.loads((info.folder / "metrics.json").read_text()))
    for split in ("train", "val", "test"):
        for group in ("note or chord", "length"):
            row = figures(told, group=group, split=split)
            assert row["nats per token"] > 0
            assert 0 <= row["accuracy"] <= 1
    assert "200 takes of" in circles.note
    assert len(circles.scores) == 3
    controls = info.controls(seconds=8)
    made = collect(info.load().generate(made_up(3, 16), controls))
    assert made.duration == pytest.approx(8)


@pytest.mark.parametrize("rare", ["drop", "nearest"])
def test_windows_are_fixed_by_their_numbers_and_read_what_was_to_be_said(
    shelf: Path, dataset: Dataset, rare: str
) -> None:
    folder = write_recipe(shelf / "models" / "small", rare=rare)
    plan = recipe(folder, shelf / "runs")
    config = {**plan.config, **prepare(plan, dataset.split("train"))}
    windows = ChordWindows(dataset.split("train"), config, training=True)
    inputs, target = windows.batch(np.random.default_rng(5))
    again, _ = windows.batch(np.random.default_rng(5))
    assert (inputs["tokens"] == again["tokens"]).all()
    shifted = target - np.array([0, sizes(config)[0]])
    assert (inputs["tokens"][:, 1:] == shifted[:, :-1] + 1).all()
    assert (target >= 0).all()
    last, one = ChordWindows(dataset.split("train"), {**config, "last": True}, training=True).batch(
        np.random.default_rng(5)
    )
    assert (last["tokens"] == inputs["tokens"]).all()
    assert (one == target[:, -1:]).all()


def test_short_pieces_stand_at_the_end_of_their_window(shelf: Path, dataset: Dataset) -> None:
    folder = write_recipe(shelf / "models" / "small")
    plan = recipe(folder, shelf / "runs")
    config = {**plan.config, **prepare(plan, dataset.split("train")), "window": 4000}
    inputs, target = ChordWindows(dataset.split("val"), config, training=False).batch(
        np.random.default_rng(1)
    )
    assert (target[:, 0] == -1).all()
    assert (target[:, -1] >= 0).all()
    assert (inputs["tokens"][:, 0] == 0).all()


def test_the_loss_is_the_surprise_at_both_and_leaves_out_what_is_no_target() -> None:
    lessons = family_of("chords.note_duration_rnn").teaching
    assert isinstance(lessons, Lessons)
    told = np.log(np.array([[[0.5, 0.5, 0.25, 0.75], [0.1, 0.9, 0.5, 0.5]]], np.float32))
    target = np.array([[[1, 3], [-1, -1]]])
    nats = np.asarray(lessons.loss(target, told))
    assert nats == pytest.approx(np.array([[-np.log(0.5 * 0.75), 0.0]]), abs=1e-6)
    note, duration = (np.asarray(metric(target, told)) for metric in lessons.metrics())
    assert (note + duration) == pytest.approx(nats)


def test_rare_tokens_are_left_out_or_replaced(shelf: Path, dataset: Dataset) -> None:
    config = {"cut": "slices", "vocabulary": {"notes": ["C4", "rest"], "durations": ["1/2"]}}
    pieces = dataset.split("train")
    dropped = lines_of(pieces, {**config, "rare": "drop"})
    replaced = lines_of(pieces, {**config, "rare": "nearest"})
    assert len(dropped) == len(replaced) == len(pieces)
    assert sum(map(len, dropped)) < sum(map(len, replaced))


def test_music_that_is_known_in_seconds_only_is_one_sentence(music: Path, shelf: Path) -> None:
    plan = recipe(write_recipe(shelf / "models" / "small"), shelf / "runs")
    with pytest.raises(UnreadableMusic, match="learns notes in beats"):
        prepare(plan, read_dataset(music).split("train"))


def test_a_vocabulary_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"vocabulary\.json of the model .* is missing"):
        read_vocabulary(tmp_path)
    (tmp_path / "vocabulary.json").write_text("[1, 2")
    with pytest.raises(ModelUnavailable, match="damaged"):
        read_vocabulary(tmp_path)
