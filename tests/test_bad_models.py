"""Models that are damaged, untrained or not there: one sentence, and no trace of an error."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pyzzicato import registry
from pyzzicato.errors import (
    ModelUnavailable,
)
from tests.cli.test_bad_input import models
from tests.small_model import make_model
from tests.ui.visits import compose, open_app, problems, view_of

__all__ = ["models"]  # a fixture


def spoil_weights(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"no graph")


def spoil_notes(folder: Path) -> None:
    (folder / "training.json").write_text("{")


DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "weights": (
        spoil_weights,
        "The model small cannot be loaded: its file model.onnx is missing or damaged. "
        "Choose another model, or fetch the project's files again.",
    ),
    "training.json": (
        spoil_notes,
        "The file training.json of the model small is damaged: fetch the project's files again.",
    ),
}


@pytest.mark.parametrize(("spoil", "sentence"), list(DAMAGE.values()), ids=list(DAMAGE))
def test_a_damaged_model(models: Path, spoil: Callable[[Path], None], sentence: str) -> None:
    make_model(models / "whole", title="Whole", order=2)
    spoil(models / "small")
    with pytest.raises(ModelUnavailable) as raised:
        registry.load_model("small")
    assert str(raised.value) == sentence
    app = open_app(seconds="5")
    app.button(key="compose").click().run()
    assert problems(app) == [sentence]
    app.selectbox(key="set-model").set_value("whole").run()
    assert problems(app) == []
    assert len(compose(app).takes[0]) > 0


def test_a_model_that_is_not_trained(models: Path) -> None:
    make_model(models / "later", title="Later", order=0)
    (models / "later" / "model.onnx").unlink()
    app = open_app()
    assert view_of(app).info.id == "small"  # the first that can play
    app.selectbox(key="set-model").set_value("later").run()
    assert problems(app) == [
        "Later has no trained weights here: choose another model, or train it with "
        "“pyzzicato train later”."
    ]
    assert app.button(key="compose").disabled


def test_no_models_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: Path) -> None:
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path / "nowhere"))
    assert problems(open_app()) == ["There are no models here: fetch the project's files again."]


def test_a_model_card_that_cannot_be_read(models: Path) -> None:
    (models / "small" / "model.toml").write_text("title = ")
    (said,) = problems(open_app())
    assert said.startswith("The file model.toml of the model small cannot be read")
    assert said.endswith(": fetch the project's files again.")
