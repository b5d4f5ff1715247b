"""The checkpoints side by side: in Python, on the Models page, and the figures of their card."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pyzzicato.data.pieces import Dataset
from pyzzicato.errors import InvalidControl, ModelUnavailable
from pyzzicato.evaluation.run import evaluate
from pyzzicato.families.abc.checkpoints import attempts
from pyzzicato.registry import ModelInfo
from pyzzicato.reports.cards import facts
from pyzzicato.reports.sheets import best_figure, sheet_table, sheets_of
from tests.scores import figures
from tests.small_tunes import make_model, tune, write_tunes
from tests.ui.visits import elements, open_app, problems, words


@pytest.fixture(scope="module")
def info(tmp_path_factory: pytest.TempPathFactory) -> ModelInfo:
    return make_model(tmp_path_factory.mktemp("models") / "small")


def open_page(info: ModelInfo, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("PYZZICATO_MODELS", str(info.folder.parent))
    return open_app().switch_page("pages/3_Models.py").run()


def test_each_checkpoint_begins_alike_and_goes_on_in_its_own_way(info: ModelInfo) -> None:
    first, second = attempts(info, start="A", characters=300)
    assert (first.epochs, second.epochs) == (1, 2)
    assert first.text[0] == second.text[0] == "A"
    assert first.text != second.text
    assert first.text == attempts(info, start="A", characters=300)[0].text
    assert first.left_out > 0, "a network that was drawn by lot makes mistakes"
    assert f"{first.left_out} faults left out" in first.sentence


def test_what_cannot_be_is_one_sentence(info: ModelInfo, tmp_path: Path) -> None:
    with pytest.raises(InvalidControl, match="First character"):
        attempts(info, start="é")
    none = make_model(tmp_path / "asked", prompts=True)
    with pytest.raises(ModelUnavailable, match="has no checkpoints"):
        attempts(none)


def test_the_models_page_shows_them_when_asked(
    info: ModelInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(info, monkeypatch)
    assert "See it learn" in words(app)
    assert not app.get("code")
    app.selectbox(key="learn-small-start").select("A")
    app.button(key="learn-small-write").click().run()
    assert problems(app) == []
    texts = [code.value for code in elements(app, "code")]
    assert len(texts) == 2
    assert all(text.startswith("A") for text in texts)
    assert "1 epochs" in words(app)


def test_a_checkpoint_that_is_gone_is_one_sentence_on_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = make_model(tmp_path / "small")
    (lost.folder / "checkpoint_1.onnx").unlink()
    app = open_page(lost, monkeypatch)
    app.button(key="learn-small-write").click().run()
    (said,) = problems(app)
    assert "checkpoint_1.onnx" in said


def test_a_model_without_checkpoints_has_no_such_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_page(make_model(tmp_path / "small", prompts=True), monkeypatch)
    assert "See it learn" not in words(app)


def test_it_is_measured_and_the_card_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyzzicato.data.abc import read_tunes
    from pyzzicato.families.abc import evaluate as text_scores

    monkeypatch.setattr(text_scores, "TAKES", 6)
    model = make_model(tmp_path / "small")
    tunes = read_tunes(write_tunes(tmp_path / "music"))
    said: list[str] = []
    evaluate(model, Dataset(tunes.pieces, (), tmp_path), said.append)
    told, learning, repeats = sheets_of(json.loads((model.folder / "metrics.json").read_text()))
    counted = sum(len(tune(n)) + 2 for n in range(1, 41) if tunes.pieces[n - 1].split == "test")
    assert f"Characters: {counted:,} (test)" in told.note
    mine, unigram, markov = (
        figures(told, by)["nats per character"]
        for by in ("this model", "how often each comes", "order-2 Markov model")
    )
    assert markov < unigram < mine, "it was drawn by lot"
    assert figures(learning, group="2") == figures(told)
    assert 0 <= figures(learning, group="1", split="")["tunes that are ABC"] <= 1
    assert figures(repeats)["longest row"] <= 8
    assert len(said) == 2
    assert best_figure([told]).startswith(f"{mine:.3f} nats per character (")
    assert [row[0] for row in sheet_table(learning).rows] == ["1", "2"]
    assert facts(model).sections[0].heading == "How well it tells the next character"
