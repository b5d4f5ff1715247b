"""Models are found by looking; what is missing or damaged is said in one sentence."""

import shutil
from pathlib import Path

import pytest

from pyzzicato.errors import ModelUnavailable, PyzzicatoError, UnknownName
from pyzzicato.generation.controls import Controls
from pyzzicato.generation.generator import Generator
from pyzzicato.registry import load_model, model_info, models, models_folder

TOML = """
title = "{title}"
family = "piano_roll.wavenet"
year = 2021
source = "a test"
summary = "Nothing much."
composers = ["bach", "chopin"]
[config]
steps_per_second = 20
[training]
epochs = 1
[card]
order = {order}
"""


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two models without weights, and where models are looked for."""
    for name, order in (("alpha", 2), ("beta", 1)):
        (tmp_path / name).mkdir()
        text = TOML.format(title=name.capitalize(), order=order)
        (tmp_path / name / "model.toml").write_text(text, encoding="utf-8")
    (tmp_path / "no-model").mkdir()
    (tmp_path / "README.md").write_text("not a model")
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path))
    return tmp_path


def test_models_are_looked_for_beside_the_package_unless_told(
    monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    monkeypatch.delenv("PYZZICATO_MODELS", raising=False)
    assert models_folder() == project / "models"
    assert {"wavenet", "lstm", "conv1d"} <= set(models())


def test_models_come_in_the_order_of_their_cards(shelf: Path) -> None:
    assert list(models()) == ["beta", "alpha"]
    info = models()["alpha"]
    assert (info.title, info.year, info.composers) == ("Alpha", 2021, ("bach", "chopin"))
    assert info.config["steps_per_second"] == 20
    assert info.weights == shelf / "alpha" / "model.onnx"
    assert (info.trained, info.metrics) == ({}, {})
    assert issubclass(info.controls, Controls)


def test_a_model_may_have_defaults_of_its_own(shelf: Path) -> None:
    toml = shelf / "alpha" / "model.toml"
    usual = model_info("beta").controls()
    toml.write_text(toml.read_text() + "[defaults]\nseconds = 90.0\n")
    info = model_info("alpha")
    assert info.controls() == info.controls(seconds=90.0)
    assert usual.seconds == model_info("beta").controls().seconds == 60.0


def test_a_folder_without_models_has_none(tmp_path: Path) -> None:
    assert models(tmp_path) == {}


def test_a_model_nobody_knows_is_named_with_those_there_are(shelf: Path) -> None:
    with pytest.raises(
        UnknownName, match=r"There is no model 'gamma': choose one of beta, alpha\.$"
    ):
        model_info("gamma")
    with pytest.raises(UnknownName):
        load_model("../alpha")


@pytest.mark.parametrize("weights", [None, b"", b"not a network", b"\x08\x09" * 500])
def test_missing_or_damaged_weights_are_one_sentence(shelf: Path, weights: bytes | None) -> None:
    if weights is not None:
        (shelf / "alpha" / "model.onnx").write_bytes(weights)
    with pytest.raises(ModelUnavailable, match=r"^The model alpha cannot be loaded: .*\.$"):
        load_model("alpha")


@pytest.mark.parametrize("text", ["", "title = ", 'title = "a"', "\x00", "[config]\n"])
def test_a_damaged_recipe_is_one_sentence_that_names_it(shelf: Path, text: str) -> None:
    (shelf / "alpha" / "model.toml").write_text(text)
    with pytest.raises(ModelUnavailable, match=r"^The file model.toml of the model alpha"):
        load_model("alpha")
    others = models()
    assert others
    assert "alpha" not in others


def test_where_every_recipe_is_damaged_one_sentence_says_so(shelf: Path) -> None:
    for recipe in shelf.glob("*/model.toml"):
        recipe.write_text("title = ")
    with pytest.raises(ModelUnavailable, match=r"^The file model.toml of the model"):
        models()


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "\x00"])
@pytest.mark.parametrize("name", ["training.json", "metrics.json"])
def test_a_damaged_sheet_is_one_sentence_that_names_it(shelf: Path, name: str, text: str) -> None:
    (shelf / "alpha" / name).write_text(text)
    info = model_info("alpha")
    with pytest.raises(PyzzicatoError, match=rf"^The file {name} of the model alpha is damaged"):
        _ = info.trained, info.metrics


def test_what_was_written_is_read(shelf: Path) -> None:
    (shelf / "alpha" / "training.json").write_text('{"hours": 3, "density": {"bach": 7.5}}')
    (shelf / "alpha" / "metrics.json").write_text('{"frames": {}}')
    info = model_info("alpha")
    assert info.trained["density"]["bach"] == 7.5
    assert info.metrics == {"frames": {}}


def test_a_new_model_of_an_old_family_is_one_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    old = next(info for info in models().values() if info.weights.is_file())
    shutil.copytree(old.folder, tmp_path / "newcomer")
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path))
    assert list(models()) == ["newcomer"]
    generator = load_model("newcomer")
    assert isinstance(generator, Generator)
    assert generator.Controls is model_info("newcomer").controls
