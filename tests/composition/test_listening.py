"""The blind test: what is heard, what is kept, and the page from beginning to end."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pyzzicato.composition.listening import REAL, SCALES, Answers, Sample, Trial, make_trial, suited
from pyzzicato.errors import PyzzicatoError, SavingFailed
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.registry import models
from pyzzicato.seeds.library import seeds_by
from tests.small_model import make_model
from tests.ui.visits import open_app, problems, words


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_model(tmp_path / "models" / "one", title="One")
    make_model(tmp_path / "models" / "two", title="Two", order=2, composers=("bach", "chopin"))
    make_model(tmp_path / "models" / "untrained", title="Untrained", order=3)
    (tmp_path / "models" / "untrained" / "model.onnx").unlink()
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("PYZZICATO_DATA", str(tmp_path / "data"))
    return tmp_path / "data" / "listening.sqlite3"


def made_up(*whats: str) -> Trial:
    music = NoteSequence((Note(0, 1, 60),))
    return Trial("bach", tuple(Sample(what, what.title(), music) for what in whats), 5)


def rated(value: int) -> dict[str, int]:
    return dict.fromkeys(SCALES, value)


def test_one_is_real_and_the_others_continue_other_openings(shelf: Path) -> None:
    ready = suited(list(models().values()))
    assert [info.id for info in ready] == ["one", "two"]
    orders = set()
    for number in range(4):
        trial = make_trial(ready, number)
        assert trial.composer in ("bach", "chopin")
        assert sorted(sample.what for sample in trial.samples) == ["one", REAL, "two"]
        real = next(sample for sample in trial.samples if sample.what == REAL)
        openings = {f"{seed.title}, {seed.opus}": seed for seed in seeds_by(trial.composer)}
        title = real.title.partition(", ")[2]
        assert real.music.duration <= 20
        assert set(real.music) <= set(openings[title].sequence().trim(0, 20))
        for sample in trial.samples:
            assert sample.music.duration <= real.music.duration + 1e-6
            if sample.what != REAL:
                assert title not in sample.title
        orders.add(tuple(sample.what for sample in trial.samples))
    assert len(orders) > 1, "drawn by lots"
    assert make_trial(ready, 3) == make_trial(ready, 3)


def test_models_without_a_common_composer(shelf: Path) -> None:
    with pytest.raises(PyzzicatoError, match="no composer in common"):
        make_trial([], 1)


def test_answers_are_kept_and_counted(tmp_path: Path) -> None:
    answers = Answers(tmp_path / "new" / "listening.sqlite3")
    assert answers.means() == {}
    assert answers.pairs() == []
    assert not answers.path.parent.exists(), "looking makes no file"
    answers.keep(made_up("lstm", REAL), [rated(2), rated(5)], {(0, 1): 1})
    one = answers.means()
    assert list(one) == [REAL, "lstm"]
    assert one[REAL]["fidelity"].mean == 5
    assert one[REAL]["fidelity"].reach is None, "no interval from one rating"
    answers.keep(made_up(REAL, "lstm"), [rated(4), rated(4)], {(0, 1): 1})
    answers.keep(made_up(REAL, "lstm"), [rated(3), rated(3)], {(0, 1): None})
    found = answers.means()
    assert found["lstm"]["musicality"].mean == pytest.approx(3)
    # Spread of 2, 4, 3 is 1: 1.96 / sqrt(3).
    assert found["lstm"]["musicality"].reach == pytest.approx(1.1316, abs=1e-4)
    (pair,) = answers.pairs()
    assert (pair.one, pair.other) == (REAL, "lstm")
    assert (pair.wins, pair.losses, pair.ties) == (1, 1, 1)
    # Wilson, 1 of 2: 0.0945 to 0.9055.
    assert pair.low == pytest.approx(0.0945, abs=1e-3)
    assert pair.high == pytest.approx(0.9055, abs=1e-3)


def test_the_export_has_every_answer(tmp_path: Path) -> None:
    answers = Answers(tmp_path / "a.sqlite3")
    assert answers.as_csv("ratings") == b""
    answers.keep(made_up(REAL, "a,b"), [rated(1), rated(5)], {(0, 1): 0})
    rows = list(csv.DictReader(io.StringIO(answers.as_csv("ratings").decode())))
    assert [row["what"] for row in rows] == [REAL, "a,b"]
    assert [row["expressivity"] for row in rows] == ["1", "5"]
    (said,) = csv.DictReader(io.StringIO(answers.as_csv("preferences").decode()))
    assert said["preferred"] == REAL
    with pytest.raises(ValueError, match="no table"):
        answers.as_csv("secrets")


@pytest.mark.parametrize("value", [0, 6])
def test_ratings_out_of_range_are_not_kept(tmp_path: Path, value: int) -> None:
    answers = Answers(tmp_path / "a.sqlite3")
    with pytest.raises(ValueError, match="from 1 to 5"):
        answers.keep(made_up(REAL, "a"), [rated(3), rated(value)], {(0, 1): 0})
    with pytest.raises(ValueError, match="every pair"):
        answers.keep(made_up(REAL, "a"), [rated(3), rated(3)], {})
    assert not answers.path.exists()


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    path.write_bytes(b"this is no database at all, far from it" * 50)
    answers = Answers(path)
    with pytest.raises(SavingFailed, match="cannot be read"):
        answers.means()
    with pytest.raises(SavingFailed, match="PYZZICATO_DATA"):
        answers.keep(made_up(REAL, "a"), [rated(3), rated(3)], {(0, 1): 0})


def page() -> AppTest:
    return open_app().switch_page("pages/5_Listen.py").run()


def test_a_whole_test_on_the_page(shelf: Path) -> None:
    app = page()
    assert problems(app) == []
    assert "Nothing has been kept yet." in words(app)
    app.button(key="listen-begin").click().run()
    trial: Trial = app.session_state["listen-test"]
    assert len(trial.samples) == 3
    assert app.button(key="listen-begin").label == "Another test"
    text = words(app)
    assert "In the style of" in text
    assert all(sample.title not in text for sample in trial.samples), "blind"
    app.button(key="listen-keep").click().run()
    assert problems(app) == ["12 answers are missing: give all of them, then keep them."]
    begin = f"listen-{trial.rng_seed}"
    for place in range(3):
        for scale in SCALES:
            app.button_group(key=f"{begin}-{place}-{scale}").set_value(place + 1)
    for a, b in trial.pairs[1:]:
        app.button_group(key=f"{begin}-{a}-{b}").set_value("ABC"[b])
    app.button(key="listen-keep").click().run()
    assert problems(app) == ["One answer is missing: give all of them, then keep them."]
    app.button_group(key=f"{begin}-{trial.pairs[0][0]}-{trial.pairs[0][1]}").set_value(
        "no difference"
    )
    players = len(app.get("bidi_component"))
    app.button(key="listen-keep").click().run()
    assert problems(app) == []
    assert len(app.get("bidi_component")) == players, "all can be heard once more"
    text = words(app)
    for letter, sample in zip("ABC", trial.samples, strict=True):
        real = "real: " if sample.what == REAL else ""
        assert f"{letter} was {real}{sample.title}." in text
    means = Answers(shelf).means()
    assert {what: row["fidelity"].mean for what, row in means.items()} == {
        sample.what: place + 1 for place, sample in enumerate(trial.samples)
    }
    assert "real openings" in text
    assert "<td>never</td><td></td><td>1</td>" in "".join(
        each.proto.body for each in app.get("html")
    )
    assert [button.proto.label for button in app.get("download_button")] == [
        "Ratings as CSV", "Preferences as CSV",
    ]  # fmt: skip
    app.button(key="listen-begin").click().run()
    assert app.session_state["listen-test"] != trial


def test_without_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path))
    monkeypatch.setenv("PYZZICATO_DATA", str(tmp_path))
    assert "writes in a composer's style" in problems(page())[0]
