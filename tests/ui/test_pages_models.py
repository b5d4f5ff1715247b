"""The Compose page with models of every kind: no composers, text, two composers, filling in."""

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pyzzicato.formats.abc.tune_book import tune_book
from pyzzicato.formats.midi import read_midi, write_midi
from pyzzicato.generation.generator import Generator, Step
from pyzzicato.generation.infill import Gap
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.seeds.library import find_seed
from pyzzicato.ui import downloads
from pyzzicato.ui.pieces import Piece
from tests.small_families import LETTERS, MELODY, add_models
from tests.small_model import make_model
from tests.small_transformer import CONFIG, make_transformer_model
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
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("known")
    make_model(folder / "small", title="Small")
    make_transformer_model(folder / "notes")
    return folder


@pytest.fixture
def visit(known: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Opens the app with one model of each kind."""
    for each in known.iterdir():
        (tmp_path / each.name).symlink_to(each, target_is_directory=True)
    add_models(tmp_path, monkeypatch)
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path))
    return open_app


def piece_of(app: AppTest) -> Piece:
    piece = view_of(app).piece
    assert piece is not None
    return piece


def kept(app: AppTest, shown: int | None = 0) -> downloads.Kept:
    piece = piece_of(app)
    made = piece.job.progress()
    return downloads.Kept(piece, made.takes, shown, "http://localhost/", made.texts)


def tune(count: int) -> NoteSequence:
    return NoteSequence(tuple(Note(n / 4, n / 4 + 0.2, 50 + n * 7 % 29) for n in range(count)))


def test_a_model_without_composers_is_offered_without_them(visit: Callable[..., AppTest]) -> None:
    app = visit(model="tunes", seconds="5")
    assert problems(app) == []
    text = words(app)
    assert "In the style of" not in text
    assert "Chopin's Nocturne in E-flat major, op. 9 no. 2" in text
    made = compose(app)
    assert len(made.takes[0]) == 10
    assert "After Chopin's Nocturne in E-flat major, op. 9 no. 2\n" in words(app)
    assert "composer" not in view_of(app).written
    piece = piece_of(app)
    assert (piece.style, piece.composer) == ("", "")
    assert kept(app).name("mid") == f"pyzzicato-tunes-{NOCTURNE}-1-take-1.mid"
    assert "Model: Tunes (tunes)" in downloads.settings_text(piece, "")


def test_its_openings_are_those_of_the_chosen_ones_composer(visit: Callable[..., AppTest]) -> None:
    app = visit(model="tunes", seed="bach-invention-bwv-772")
    assert problems(app) == []
    assert view_of(app).start.composer == "bach"
    app.button_group(key="from").set_value("nothing").run()
    assert "From nothing, by Tunes" in words(app)
    assert "Silence before the first note." in words(app)
    compose(app)
    assert "From nothing, by Tunes" in words(app)


def test_coming_back_to_composers_the_last_one_is_still_chosen(
    visit: Callable[..., AppTest],
) -> None:
    app = visit(composer="debussy")
    app.selectbox(key="set-model").set_value("tunes").run()
    assert "In the style of" not in words(app)
    app.selectbox(key="set-model").set_value("small").run()
    assert view_of(app).settings["composer"] == "debussy"
    assert "Claude Debussy, 1862–1918" in words(app)


def test_a_model_brings_its_own_usual_settings(visit: Callable[..., AppTest]) -> None:
    app = visit()
    assert app.slider(key="set-temperature").value == 0.9
    app.selectbox(key="set-model").set_value("tunes").run()
    assert app.slider(key="set-temperature").value == 1.0
    assert app.number_input(key="set-takes").value == 4
    app.slider(key="set-temperature").set_value(2.5).run()
    app.number_input(key="set-takes").set_value(2).run()
    app.selectbox(key="set-model").set_value("small").run()
    assert app.slider(key="set-temperature").value == 0.9  # 2.5 is more than it can
    assert app.number_input(key="set-takes").value == 2  # chosen by hand
    assert compose(app).error == ""


def test_a_model_that_begins_by_itself_shows_no_seed(visit: Callable[..., AppTest]) -> None:
    app = visit(model="letters", seconds="5")
    assert "Letters begins by itself: it reads no seed." in words(app)
    assert "From nothing, by Letters" in words(app)
    compose(app)
    assert len(piece_of(app).start.music) == 0
    app.selectbox(key="set-model").set_value("small").run()
    assert view_of(app).start.id == NOCTURNE


def test_text_is_shown_and_kept(visit: Callable[..., AppTest]) -> None:
    app = visit(model="letters", seconds="5", takes="2")
    made = compose(app)
    assert [len(text.split()) for text in made.texts] == [11, 11]  # ten notes and a bar line
    assert set("".join(made.texts)) <= set(LETTERS + " |\n")
    assert made.texts[0] in [each.value for each in app.code]
    assert made.texts[1] not in [each.value for each in app.code]
    assert kept_as(app) == ["ABC", "MIDI", "WAV", "MP3", "Picture", "SVG", "All takes"]
    assert kept(app, 1).file("abc").decode() == tune_book(made.texts[1])
    assert kept(app, 1).name("abc") == "pyzzicato-letters-1-take-2.abc"
    with zipfile.ZipFile(io.BytesIO(kept(app).file("zip"))) as archive:
        assert archive.read("pyzzicato-letters-1-take-2.abc").decode() == tune_book(made.texts[1])


def test_all_takes_at_once(visit: Callable[..., AppTest]) -> None:
    app = visit(model="tunes", seconds="5")
    made = compose(app)
    assert len(made.takes) == 4
    app.toggle(key="layers").set_value(True).run()
    assert f"{4 * 10} notes in 5 seconds" in words(app)
    assert "each on an instrument of its own" in words(app)
    whole = read_midi(kept(app, None).file("mid"))
    assert len({note.program for note in whole}) == 4
    assert len(whole) == 40 + len(find_seed(NOCTURNE).sequence())
    assert kept(app, None).name("mid") == f"pyzzicato-tunes-{NOCTURNE}-1-layers.mid"
    assert "continue" not in [button.key for button in app.button]
    app.toggle(key="layers").set_value(False).run()
    assert "10 notes in 5 seconds" in words(app)


def test_one_take_has_nothing_to_layer(visit: Callable[..., AppTest]) -> None:
    app = visit(model="tunes", seconds="5", takes="1")
    compose(app)
    assert "layers" not in [toggle.key for toggle in app.toggle]


def test_copying_is_avoided_where_it_is_asked(
    visit: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def watched(generator: Generator, *given: Any) -> Iterator[Step]:
        asked.append(given[2])
        return generator.generate(*given)

    monkeypatch.setattr("pyzzicato.composition.order.avoid_copying", watched)
    app = visit(model="tunes", seconds="5", takes="1")
    compose(app)
    assert asked == []
    app.toggle(key="set-avoid_copying").set_value(True).run()
    compose(app)
    assert asked == [1]
    assert view_of(app).written["avoid_copying"] == "True"
    again = visit(model="tunes", seconds="5", avoid_copying="True", takes="2")
    assert problems(again) == []
    assert view_of(again).settings["avoid_copying"] is True
    bare = visit(model="letters")
    assert "set-avoid_copying" not in [toggle.key for toggle in bare.toggle]
    assert "avoid_copying" not in view_of(bare).written


def test_what_is_read_of_a_seed_is_said(visit: Callable[..., AppTest]) -> None:
    app = visit(model="tunes", seconds="5")
    assert MELODY in words(app)
    compose(app)
    assert words(app).count(MELODY) == 2  # beside the seed, and under the piece
    app.button_group(key="from").set_value("nothing").run()
    assert MELODY not in words(app)


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        ("notes", f"Only the last {CONFIG['context_length'] - 1} notes of this seed are read."),
        ("small", "Only the last 30 seconds of this seed are read."),
    ],
)
def test_a_long_seed_is_read_from_its_end(
    visit: Callable[..., AppTest], model: str, sentence: str
) -> None:
    app = visit(model=model, seconds="5")
    upload(app, "long.mid", write_midi(tune(300)))
    app.slider(key="window").set_value((0.0, 60.0)).run()
    assert sentence in words(app)
    compose(app)
    assert sentence in words(app)
    upload(app, "short.mid", write_midi(tune(8)))
    assert sentence not in words(app)


def test_two_composers_are_mixed(visit: Callable[..., AppTest]) -> None:
    app = visit(model="notes", seconds="5")
    assert not [each for each in app.slider if each.key == "set-mix"]
    plain = compose(app).takes
    app.selectbox(key="set-composer_2").set_value("bach").run()
    app.slider(key="set-mix").set_value(0.4).run()
    assert compose(app).takes != plain
    assert "After Nocturne in E-flat major, op. 9 no. 2, in the style of Chopin with Bach" in words(
        app
    )
    assert kept(app).name("mid") == f"pyzzicato-notes-{NOCTURNE}-chopin-bach-1-take-1.mid"
    link = dict(view_of(app).written)
    assert (link["composer_2"], link["mix"]) == ("bach", "0.4")
    again = visit(**link)
    assert problems(again) == []
    assert compose(again).takes == piece_of(app).job.progress().takes


def test_a_second_composer_who_becomes_the_first_is_no_second(
    visit: Callable[..., AppTest],
) -> None:
    app = visit(model="notes", composer_2="bach")
    assert view_of(app).settings["composer_2"] == "bach"
    app.button_group(key="style").set_value("bach").run()
    assert view_of(app).settings["composer_2"] == ""
    assert view_of(app).style == "Bach"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("joplin", "The model Small Transformer was not taught Joplin: choose another composer."),
        ("nobody", "This link asks for a composer that is not here, “nobody”"),
    ],
)
def test_a_second_composer_it_cannot_have(
    visit: Callable[..., AppTest], name: str, sentence: str
) -> None:
    app = visit(model="notes", composer_2=name)
    assert sentence in " ".join(problems(app))
    assert view_of(app).settings["composer_2"] == ""


def test_only_models_that_fill_in_offer_it(visit: Callable[..., AppTest]) -> None:
    def offered(app: AppTest) -> bool:
        return "anew-open" in [button.key for button in app.button]

    app = visit(model="small", seconds="5")
    assert not offered(app)
    compose(app)
    assert not offered(app)
    app.selectbox(key="set-model").set_value("notes").run()
    assert offered(app)
    app.button_group(key="from").set_value("nothing").run()
    assert not offered(app)  # nothing is there to be written anew


def test_a_stretch_is_written_anew_and_undone(visit: Callable[..., AppTest]) -> None:
    app = visit(model="notes", seconds="20", takes="2")
    compose(app)
    before = piece_of(app)
    whole = downloads.whole(before, before.job.progress().takes[0])
    app.button(key="anew-open").click().run()
    app.slider(key="stretch").set_value((10.0, 14.0)).run()
    app.button(key="anew-write").click().run()
    made = finished(app)
    assert made.error == ""
    assert len(made.takes) == 2
    piece = piece_of(app)
    assert piece.gap == Gap(10.0, 14.0)
    assert "(continued), anew from 0:10 to 0:14" in words(app)
    for take in made.takes:
        now = downloads.whole(piece, take)
        inside = [note for note in now if 10 <= note.start < 14]
        assert inside != [note for note in whole if 10 <= note.start < 14]
        for stays in ((0.0, 10.0), (14.0, 1000.0)):
            assert [(n.start, n.pitch) for n in now if stays[0] <= n.start < stays[1]] == [
                (n.start, n.pitch) for n in whole if stays[0] <= n.start < stays[1]
            ]
    assert "seed=result" in _address_of(piece)
    app.button(key="undo").click().run()
    assert view_of(app).piece is before


def _address_of(piece: Piece) -> str:
    return "&".join(f"{name}={value}" for name, value in piece.texts.items())


def test_pressing_again_writes_another_version(visit: Callable[..., AppTest]) -> None:
    app = visit(model="notes", seconds="20")
    compose(app)
    app.button(key="anew-open").click().run()
    made = []
    for _ in range(3):
        app.button(key="anew-write").click().run()
        made.append(finished(app).takes[0])
    assert len(set(made)) == 3


def test_a_stretch_of_the_seed_itself(visit: Callable[..., AppTest]) -> None:
    app = visit(model="notes")
    app.button(key="anew-open").click().run()
    low, high = app.slider(key="stretch").value
    assert 0 < low < high
    app.button(key="anew-write").click().run()
    finished(app)
    assert "Nocturne in E-flat major, op. 9 no. 2, anew from" in words(app)
    assert view_of(app).start.id == NOCTURNE  # Compose goes on from the seed as before


def test_a_stretch_too_short_cannot_be_written(visit: Callable[..., AppTest]) -> None:
    app = visit(model="notes")
    app.button(key="anew-open").click().run()
    app.slider(key="stretch").set_value((5.0, 5.0)).run()
    assert app.button(key="anew-write").disabled
    assert "Mark at least half a second." in words(app)
