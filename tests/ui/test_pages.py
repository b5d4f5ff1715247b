"""The pages on the server: a first visit, links, uploads, takes, undo, with a model made here."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pyzzicato.composition.job import Job, Progress
from pyzzicato.formats.midi import write_midi
from pyzzicato.music.layering import can_be_layered
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.seeds.library import find_seed, seeds_by
from pyzzicato.ui import seed_picker, session
from tests.small_model import make_model
from tests.ui.visits import (
    compose,
    finished,
    kept_as,
    open_app,
    problems,
    upload,
    view_of,
    words,
)

NOCTURNE = "chopin-nocturne-op-9-no-2"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    make_model(folder / "small", title="Small")
    make_model(folder / "other", title="Other", order=2, composers=("bach", "satie"))
    make_model(folder / "untrained", title="Untrained", order=3)
    (folder / "untrained" / "model.onnx").unlink()
    return folder


@pytest.fixture
def visit(small: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Opens the app as a new visitor, with the settings of a link."""
    monkeypatch.setenv("PYZZICATO_MODELS", str(small))
    return open_app


def tune(seconds: float = 6.0, **more: Any) -> NoteSequence:
    return NoteSequence(
        tuple(Note(i / 2, i / 2 + 0.4, 60 + i % 12, **more) for i in range(int(seconds * 2)))
    )


def test_a_first_visit_is_never_empty(visit: Callable[..., AppTest]) -> None:
    app = visit()
    assert "Nocturne in E-flat major, op. 9 no. 2" in words(app)
    assert "Frédéric Chopin, 1810–1849" in words(app)
    assert problems(app) == []
    assert app.button(key="compose").label == "Compose"
    assert not app.button(key="compose").disabled
    assert view_of(app).start.music == find_seed(NOCTURNE).sequence()
    assert view_of(app).written["seed"] == NOCTURNE


@pytest.mark.parametrize("page", ["1_Compose", "3_Models", "9_About"])
def test_every_page_opens(visit: Callable[..., AppTest], page: str) -> None:
    app = visit().switch_page(f"pages/{page}.py").run()
    assert "Pyzzicato" in words(app)


def test_one_press_gives_music_and_what_to_keep(visit: Callable[..., AppTest]) -> None:
    app = visit(seconds="5")
    made = compose(app)
    assert len(made.takes[0]) > 0
    assert made.made == (5.0,)
    text = words(app)
    assert "After Nocturne in E-flat major, op. 9 no. 2, in the style of Chopin" in text
    assert f"{len(made.takes[0])} notes in 5 seconds" in text
    assert kept_as(app) == ["MIDI", "WAV", "MP3", "Picture", "SVG", "All takes"]
    assert app.button(key="compose").label == "Compose"


def test_pressing_again_rolls_the_dice_and_undo_brings_back(visit: Callable[..., AppTest]) -> None:
    app = visit(seconds="5")
    first = compose(app).takes[0]
    second = compose(app).takes[0]
    assert first != second
    assert app.number_input(key="set-rng_seed").value != 1
    app.button(key="undo").click().run()
    piece = view_of(app).piece
    assert piece is not None
    assert piece.job.progress().takes[0] == first
    app.button(key="undo").click().run()
    assert view_of(app).piece is None
    assert "Press Compose" in words(app)


def test_a_link_gives_the_same_music(visit: Callable[..., AppTest]) -> None:
    mine = visit(seconds="5", rng_seed="77", temperature="1.2", composer="bach", takes="2")
    takes = compose(mine).takes
    link = dict(view_of(mine).written)
    assert (link["rng_seed"], link["temperature"], link["composer"]) == ("77", "1.2", "bach")
    yours = visit(**link)
    assert problems(yours) == []
    assert compose(yours).takes == takes


def test_every_setting_is_in_the_address(visit: Callable[..., AppTest]) -> None:
    app = visit()
    app.slider(key="set-seconds").set_value(90.0)
    app.number_input(key="set-takes").set_value(3)
    app.selectbox(key="set-keys").set_value("threshold").run()
    app.slider(key="set-threshold").set_value(0.4)
    app.run()
    shown = view_of(app).written
    wanted = {"seconds": "90", "takes": "3", "keys": "threshold", "threshold": "0.4"}
    for name, value in wanted.items():
        assert shown[name] == value


def test_what_has_no_effect_is_grey_and_says_why(visit: Callable[..., AppTest]) -> None:
    app = visit()
    assert app.slider(key="set-threshold").disabled
    assert not app.slider(key="set-temperature").disabled
    app.selectbox(key="set-keys").set_value("threshold").run()
    assert not app.slider(key="set-threshold").disabled
    assert app.slider(key="set-temperature").disabled
    assert "Has an effect only where “How keys are chosen” is sample." in words(app)


def test_choosing_a_composer_chooses_their_opening(visit: Callable[..., AppTest]) -> None:
    app = visit()
    app.button_group(key="style").set_value("debussy").run()
    view = view_of(app)
    assert view.settings["composer"] == "debussy"
    assert view.start.composer == "debussy"
    assert "Claude Debussy, 1862–1918" in words(app)


def test_another_model_another_circle_of_composers(visit: Callable[..., AppTest]) -> None:
    app = visit()
    app.selectbox(key="set-model").set_value("other").run()
    assert view_of(app).settings["composer"] in ("bach", "satie")
    assert "Other is for tests." in words(app)
    compose(app)
    assert problems(app) == []


def test_from_nothing(visit: Callable[..., AppTest]) -> None:
    app = visit(seconds="5")
    app.button_group(key="from").set_value("nothing").run()
    assert "From nothing, in the style of Chopin" in words(app)
    assert len(compose(app).takes[0]) > 0
    assert view_of(app).written["seed"] == "none"


def test_an_upload_becomes_the_seed(visit: Callable[..., AppTest]) -> None:
    app = upload(visit(seconds="5"), "mine <b>.mid", write_midi(tune()))
    assert problems(app) == []
    assert len(view_of(app).start.music) == len(tune())
    assert "mine <b>.mid: 12 notes, 6 s." in words(app)  # a name is never markup
    compose(app)
    assert "After mine <b>.mid, in the style of Chopin" in words(app)


def test_an_upload_of_one_note_goes_on(visit: Callable[..., AppTest]) -> None:
    music = NoteSequence((Note(0.0, 1.0, 60, 80),))
    app = upload(visit(seconds="5"), "one.mid", write_midi(music))
    assert "one.mid: 1 note, 1 s." in words(app)
    assert len(compose(app).takes[0]) > 0
    assert problems(app) == []


def test_of_an_abc_file_another_tune_can_be_taken(visit: Callable[..., AppTest]) -> None:
    text = "X:1\nT:One\nL:1/4\nK:C\nCDEF|\n\nX:2\nT:Two\nL:1/4\nK:C\nGABcde|\n"
    app = upload(visit(seconds="5"), "tunes.abc", text.encode())
    assert len(view_of(app).start.music) == 4
    assert "One" in words(app)
    assert [option.split(". ")[0] for option in app.selectbox(key="tune").options] == ["1", "2"]
    app.selectbox(key="tune").set_value(2).run()
    assert problems(app) == []
    assert len(view_of(app).start.music) == 6
    upload(app, "one.abc", b"X:1\nK:C\nC|")
    assert len(view_of(app).start.music) == 1
    assert not [box for box in app.selectbox if box.key == "tune"]


def test_a_long_upload_begins_with_its_opening(visit: Callable[..., AppTest]) -> None:
    app = upload(visit(), "long.mid", write_midi(tune(90)))
    assert view_of(app).start.music.duration == pytest.approx(20, abs=0.5)
    app.slider(key="window").set_value((30.0, 40.0)).run()
    assert view_of(app).start.music.duration == pytest.approx(10, abs=0.5)
    assert len(view_of(app).start.music) == pytest.approx(20, abs=1)


def test_continue_makes_the_result_the_next_seed(visit: Callable[..., AppTest]) -> None:
    app = visit(seconds="5")
    first = compose(app).takes[0]
    app.button(key="continue").click().run()
    view = view_of(app)
    seed = find_seed(NOCTURNE).sequence()
    assert len(view.start.music) == len(seed) + len(first)
    finished(app)
    assert view.start.borders == (seed.duration,)
    assert "After Nocturne in E-flat major, op. 9 no. 2 (continued)" in words(app)
    assert [button for button in app.button if str(button.key).startswith("keep-mid")]
    app.button(key="undo").click().run()
    piece = view_of(app).piece
    assert piece is not None
    assert piece.job.progress().takes[0] == first
    assert view.start.id == NOCTURNE


def test_undo_and_redo_bring_back_the_settings_too(visit: Callable[..., AppTest]) -> None:
    app = visit(seconds="5", temperature="1.1")
    first = compose(app).takes[0]
    app.button_group(key="style").set_value("bach").run()
    app.slider(key="set-temperature").set_value(0.8).run()
    second = compose(app).takes[0]
    settings = dict(view_of(app).settings)
    app.button(key="undo").click().run()  # Bach's opening by itself was there for a moment
    while view_of(app).piece is None:
        app.button(key="undo").click().run()
    view = view_of(app)
    assert view.piece is not None
    assert view.piece.job.progress().takes[0] == first
    assert (view.settings["composer"], view.settings["temperature"]) == ("chopin", 1.1)
    assert app.slider(key="set-temperature").value == 1.1
    while view_of(app).future:
        app.button(key="redo").click().run()
    assert view.piece is not None
    assert view.piece.job.progress().takes[0] == second
    assert view.settings == settings
    app.button(key="undo").click().run()
    compose(app)
    assert not view.future  # what is written now takes the place of what was undone


def test_a_composer_without_openings_says_so_and_keeps_no_seed(
    visit: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = visit()
    app.button_group(key="style").set_value("bach").run()
    none = "There is no opening by Chopin here"
    with monkeypatch.context() as without:
        for module in (session, seed_picker):
            without.setattr(
                module, "seeds_by", lambda name: () if name == "chopin" else seeds_by(name)
            )
        app.button_group(key="style").set_value("chopin").run()
        assert view_of(app).start.composer == "bach"
        assert none in words(app)
    app.button_group(key="style").set_value("bach").run()
    assert none not in words(app)
    app.button_group(key="style").set_value("chopin").run()
    assert view_of(app).start.composer == "chopin"


def test_a_seed_chosen_for_itself_stays_with_another_composer(
    visit: Callable[..., AppTest],
) -> None:
    app = visit(seed="satie-gymnopedie-1", composer="bach")
    app.button_group(key="style").set_value("chopin").run()
    assert view_of(app).start.composer == "satie"


def test_stop_keeps_what_is_there(visit: Callable[..., AppTest]) -> None:
    app = visit(seconds="300", takes="10")
    app.button(key="compose").click().run()
    assert app.button(key="stop").label == "Stop"
    app.button(key="stop").click().run()
    made = finished(app)
    assert made.stopped
    assert 0 < made.made[0] < 300
    assert "Stopped. " in words(app)
    assert app.button(key="compose").label == "Compose"


def test_settings_survive_another_page(visit: Callable[..., AppTest]) -> None:
    app = visit(seconds="5")
    app.number_input(key="set-takes").set_value(2).run()
    made = compose(app)
    app.query_params.clear()  # as the browser does where a link of the bar is pressed
    app.switch_page("pages/9_About.py").run()
    app.switch_page("pages/1_Compose.py").run()
    assert app.number_input(key="set-takes").value == 2
    piece = view_of(app).piece
    assert piece is not None
    assert piece.job.progress() == made


def test_a_rejected_file_does_not_stay_listed(visit: Callable[..., AppTest]) -> None:
    app = upload(visit(), "notes.mid", b"no music at all")
    assert len(problems(app)) == 1
    assert app.file_uploader[0].value is None
    upload(app, "tune.mid", write_midi(tune()))
    assert problems(app) == []
    assert view_of(app).start.id == "upload"


def test_a_drone_says_what_to_turn(
    visit: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = visit(seconds="30", keys="threshold", threshold="0.3")
    held = NoteSequence(tuple(Note(0.0, 30.0, pitch) for pitch in (48, 55, 60, 64)))
    compose(app)
    piece = view_of(app).piece
    assert piece is not None
    for music, said in (
        (held, "held for long. Lower"),
        (NoteSequence(), "Nothing was written. Lower"),
    ):
        progress = Progress((music,), (30.0,), running=False, stopped=False, error="", left=0.0)
        object.__setattr__(piece, "job", Job.ended(replace(progress, texts=("",))))
        app.run()
        assert said in words(app)
        assert "“Threshold”" in words(app)


def test_only_single_lines_are_layered() -> None:
    line = tune()
    chord = line.merge(note._replace(pitch=note.pitch + 4) for note in line)
    assert can_be_layered([line, line.transpose(3)])
    assert not can_be_layered([line, chord])
