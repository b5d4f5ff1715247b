"""The Compose page with a model that plays in a band: uploads, what stays of them, what is kept."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import mido
import pytest
from streamlit.testing.v1 import AppTest

from pyzzicato.formats.midi import read_midi, write_midi
from pyzzicato.music.instruments import INSTRUMENTS, parts_of
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.seeds.library import find_seed
from pyzzicato.ui import downloads, uploads
from pyzzicato.ui.pieces import Piece
from tests.small_band import band_piece
from tests.small_band_model import FAMILY, FAST_FAMILY, RECIPE, add_band_model
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

ARRANGED = "Only the piano plays in it: drums, guitar, bass and strings are arranged for it."
ON_THE_PIANO = (
    "This model plays the piano: its guitar, bass and strings are played on the piano and its "
    "drums are left out."
)


@pytest.fixture
def visit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Opens the app with a model for the piano and one for a band."""
    make_model(tmp_path / "small", title="Small")
    add_band_model(tmp_path)
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path))
    return open_app


def piece_of(app: AppTest) -> Piece:
    piece = view_of(app).piece
    assert piece is not None
    return piece


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def test_an_upload_keeps_its_instruments(visit: Callable[..., AppTest]) -> None:
    app = upload(visit(model="five", seconds="8"), "ours.mid", write_midi(band_piece(4)))
    assert problems(app) == []
    assert "ours.mid: 178 notes of drums, piano, guitar, bass and strings, 8 s." in words(app)
    music = view_of(app).start.music
    assert tuple(parts_of(music)) == INSTRUMENTS
    assert [note.velocity for note in music] == [note.velocity for note in band_piece(4)]
    made = compose(app)
    assert tuple(parts_of(made.takes[0])) == INSTRUMENTS
    piece = piece_of(app)
    assert piece.border == pytest.approx(8.0)
    assert len(piece.parts(made.takes[0])[0]) == len(music)
    assert view_of(app).hears_band


def test_all_that_is_kept_has_the_instruments(visit: Callable[..., AppTest]) -> None:
    app = upload(visit(model="five", seconds="5"), "ours.mid", write_midi(band_piece(2)))
    made = compose(app)
    assert "Each instrument" in kept_as(app)
    assert "Files have all instruments, also those that are muted here" in words(app)
    kept = downloads.Kept(piece_of(app), made.takes, 0, "")
    assert kept.name("stems") == "pyzzicato-five-ours-1-take-1-stems.zip"
    midi = mido.MidiFile(file=io.BytesIO(kept.file("mid")))
    assert [track.name for track in midi.tracks[1:]] == list(INSTRUMENTS)
    with zipfile.ZipFile(io.BytesIO(kept.file("stems"))) as archive:
        names = archive.namelist()
        assert len(names) == 10
        assert "pyzzicato-five-ours-1-take-1-strings.wav" in names
        drums = read_midi(archive.read("pyzzicato-five-ours-1-take-1-drums.mid"))
        whole = downloads.whole(piece_of(app), made.takes[0])
        assert len(drums) == len(parts_of(whole)["Drums"])
    assert kept.file("png").startswith(b"\x89PNG")


def test_piano_pieces_are_kept_as_before(visit: Callable[..., AppTest]) -> None:
    app = visit(model="small", seconds="5")
    compose(app)
    assert "Each instrument" not in kept_as(app)
    assert "muted" not in words(app)
    assert not {"Arrange for five", "Make instruments anew"} & set(labels(app))
    assert not view_of(app).hears_band


def test_a_model_for_the_piano_says_what_becomes_of_a_band(visit: Callable[..., AppTest]) -> None:
    app = upload(visit(model="small"), "ours.mid", write_midi(band_piece(2)))
    assert ON_THE_PIANO in words(app)
    assert {(n.program, n.is_drum) for n in view_of(app).start.music} == {(0, False)}
    app.selectbox(key="set-model").set_value("five").run()
    assert ON_THE_PIANO not in words(app)
    assert tuple(parts_of(view_of(app).seed.music)) == INSTRUMENTS
    app.selectbox(key="set-model").set_value("small").run()
    assert {(n.program, n.is_drum) for n in view_of(app).seed.music} == {(0, False)}
    assert compose(app).error == ""


def test_a_piece_of_a_band_goes_on_as_a_piano_piece(visit: Callable[..., AppTest]) -> None:
    app = visit(model="five", seconds="5")
    compose(app)
    app.button(key="continue").click().run()
    app.selectbox(key="set-model").set_value("small").run()
    assert ON_THE_PIANO in words(app)
    assert {(n.program, n.is_drum) for n in view_of(app).seed.music} == {(0, False)}
    assert compose(app).error == ""


def test_drums_alone_are_for_a_band_only(visit: Callable[..., AppTest]) -> None:
    data = write_midi(parts_of(band_piece(2))["Drums"])
    app = upload(visit(model="small"), "drums.mid", data)
    assert problems(app) == ["There are only drums in this file: choose one with pitched notes."]
    app = upload(visit(model="five", seconds="5"), "drums.mid", data)
    assert problems(app) == []
    assert tuple(parts_of(compose(app).takes[0])) == INSTRUMENTS
    app.selectbox(key="set-model").set_value("small").run()
    assert problems(app) == ["There are only drums in this file: choose one with pitched notes."]


def test_what_was_left_out_is_said(visit: Callable[..., AppTest]) -> None:
    odd = band_piece(2).merge([Note(0, 1, 60, program=100), Note(1, 2, 60, program=100)])
    app = upload(visit(model="five"), "odd.mid", write_midi(odd))
    assert "2 notes of another instrument were left out" in words(app)
    assert len(view_of(app).start.music) == len(band_piece(2))


def test_winds_and_organs_are_called_so_and_the_strings_play_them(
    visit: Callable[..., AppTest],
) -> None:
    parts = {73: 0.0, 60: 1.0, 19: 2.0, 33: 3.0}
    odd = NoteSequence(tuple(Note(at, at + 1, 60, program=who) for who, at in parts.items()))
    app = upload(visit(model="small"), "winds.mid", write_midi(odd))
    said = "This model plays the piano: its bass, organ and winds are played on the piano."
    assert said in words(app)
    assert {note.program for note in view_of(app).seed.music} == {0}
    app.selectbox(key="set-model").set_value("five").run()
    assert "The strings play its organ and winds." in words(app)
    assert {note.program for note in view_of(app).seed.music} == {33, 48}
    organ = NoteSequence((Note(0, 1, 60, program=19),))
    app = upload(visit(model="small"), "organ.mid", write_midi(organ))
    assert "This model plays the piano: its organ is played on the piano." in words(app)


def test_a_changing_tempo_moves_no_note_off_its_beat(visit: Callable[..., AppTest]) -> None:
    file = mido.MidiFile(file=io.BytesIO(write_midi(band_piece(4))))
    file.tracks[0].append(mido.MetaMessage("set_tempo", tempo=400_000, time=4 * 960))
    data = io.BytesIO()
    file.save(file=data)
    app = upload(visit(model="five"), "faster.mid", data.getvalue())
    assert "The tempo changes: the notes follow the beats, at one tempo throughout." in words(app)
    music = view_of(app).start.music
    steps = [note.start * music.qpm / 60 * 4 for note in music]
    assert all(abs(step - round(step)) < 1e-6 for step in steps)
    assert tuple(parts_of(music)) == INSTRUMENTS


def test_a_piano_seed_is_arranged_for_five(visit: Callable[..., AppTest]) -> None:
    app = visit(model="five")
    assert ARRANGED in words(app)
    assert "Make instruments anew" not in labels(app)
    app.button(key="keeping-open").click().run()
    assert app.button_group(key="keep-names").value == ["Piano"]
    app.button(key="keeping-write").click().run()
    made = finished(app)
    piece, seed = piece_of(app), find_seed("chopin-nocturne-op-9-no-2").sequence()
    assert (piece.kept, piece.border) == (("Piano",), 0.0)
    assert piece.seconds == pytest.approx(seed.duration)
    parts = parts_of(made.takes[0])
    assert tuple(parts) == INSTRUMENTS
    assert parts["Piano"].notes == seed.notes
    assert "Nocturne in E-flat major, op. 9 no. 2, anew around its piano" in words(app)
    assert piece.texts["keep"] == "Piano"
    app.button(key="undo").click().run()
    assert view_of(app).piece is None


def test_instruments_of_a_result_are_locked_and_the_others_made_anew(
    visit: Callable[..., AppTest],
) -> None:
    app = upload(visit(model="five", seconds="5"), "ours.mid", write_midi(band_piece(2)))
    first = compose(app)
    old = parts_of(downloads.whole(piece_of(app), first.takes[0]))
    app.button(key="keeping-open").click().run()
    assert app.button(key="keeping-write").disabled
    assert "Choose what to keep." in words(app)
    app.button_group(key="keep-names").set_value(["Drums", "Bass"]).run()
    app.button(key="keeping-write").click().run()
    new = parts_of(finished(app).takes[0])
    assert piece_of(app).kept == ("Drums", "Bass")
    assert "anew around its drums and bass" in words(app)
    assert (new["Drums"].notes, new["Bass"].notes) == (old["Drums"].notes, old["Bass"].notes)
    assert new["Strings"].notes != old["Strings"].notes
    app.button_group(key="keep-names").set_value(list(INSTRUMENTS)).run()
    assert app.button(key="keeping-write").disabled
    app.button(key="undo").click().run()
    assert parts_of(downloads.whole(piece_of(app), first.takes[0])) == old


def test_the_same_kept_again_gives_something_else(visit: Callable[..., AppTest]) -> None:
    app = visit(model="five")
    app.button(key="keeping-open").click().run()
    made = []
    for _ in range(2):
        app.button(key="keeping-write").click().run()
        made.append(parts_of(finished(app).takes[0]))
        app.button_group(key="keep-names").set_value(["Piano"]).run()
    assert made[0]["Piano"].notes == made[1]["Piano"].notes
    assert made[0]["Bass"].notes != made[1]["Bass"].notes


def test_takes_of_a_band_are_not_layered(visit: Callable[..., AppTest]) -> None:
    app = visit(model="five", seconds="5", takes="2")
    compose(app)
    assert [toggle for toggle in app.toggle if toggle.key == "layers"] == []


def test_a_file_begins_with_a_bar_for_a_band() -> None:
    late = band_piece(2).shift(4.0)
    first = late.merge([Note(3.5, 3.75, 60)])  # before the third bar
    found = uploads.read_upload(write_midi(first), "late.mid")
    assert found.band.music.notes[0].start == pytest.approx(1.5)
    assert found.piano.music.notes[0].start == 0
    assert found.between(1.9, 3.1, band=True)[1].duration <= 1.0 + 1e-6
    assert not found.between(0, 0, band=True)[1].duration > 1.0 + 1e-6


def test_nothing_but_effects_is_for_the_piano_only() -> None:
    found = uploads.read_upload(write_midi(NoteSequence((Note(0, 1, 60, program=100),))), "a.mid")
    assert found.band.problem
    assert len(found.piano.music) == 1


def test_the_tempo_is_the_bands_usual_one_whatever_others_have(
    visit: Callable[..., AppTest], tmp_path: Path
) -> None:
    faster = RECIPE.replace('"Five"', '"Faster"').replace("order = 60", "order = 50")
    (tmp_path / "faster").mkdir()
    (tmp_path / "faster" / "model.toml").write_text(
        faster.replace(f'"{FAMILY}"', f'"{FAST_FAMILY}"'), encoding="utf-8"
    )
    (tmp_path / "faster" / "model.onnx").write_bytes(b"not looked at")
    app = visit(model="five")
    assert view_of(app).settings["qpm"] == 0
    app.slider(key="set-qpm").set_value(90).run()
    app.selectbox(key="set-model").set_value("small").run()
    app.selectbox(key="set-model").set_value("five").run()
    assert view_of(app).settings["qpm"] == 90  # set by hand
    app.selectbox(key="set-model").set_value("faster").run()
    assert view_of(app).settings["qpm"] == 90
    assert visit(model="faster").slider(key="set-qpm").value == 150
