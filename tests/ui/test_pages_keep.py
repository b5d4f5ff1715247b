"""What can be kept of a piece on the page: files, their names, the link and its take."""

import io
import re
import zipfile
from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from pyzzicato.composition.job import Progress
from pyzzicato.formats.midi import read_midi, write_midi
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.ui import downloads, links
from tests.ui.test_pages import small, visit
from tests.ui.visits import (
    compose,
    elements,
    finished,
    upload,
    view_of,
    words,
)

__all__ = ["small", "visit"]  # fixtures


def test_what_is_kept_can_be_read_back(visit: Callable[..., AppTest]) -> None:
    app = visit(seconds="5", takes="2")
    made = compose(app)
    piece = view_of(app).piece
    assert piece is not None
    kept = downloads.Kept(piece, made.takes, 1, "http://localhost/?takes=2")
    whole = downloads.whole(piece, made.takes[1])
    assert len(read_midi(kept.file("mid"))) == len(whole)
    assert kept.file("svg").startswith(b"<?xml")
    name = "pyzzicato-small-chopin-nocturne-op-9-no-2-chopin-1"
    assert kept.name("mid") == f"{name}-take-2.mid"
    with zipfile.ZipFile(io.BytesIO(kept.file("zip"))) as archive:
        names = set(archive.namelist())
        text = archive.read("settings.txt").decode()
        assert archive.testzip() is None
    ends = {f"{name}-take-{take}.{kind}" for take in (1, 2) for kind in ("mid", "mp3")}
    assert names == ends | {"settings.txt"}
    assert "Length (seconds): 5.0" in text
    assert "http://localhost/?takes=2" in text


def test_files_of_other_pieces_have_other_names(visit: Callable[..., AppTest]) -> None:
    tune = write_midi(NoteSequence(tuple(Note(i / 3, i / 3 + 0.3, 60 + i % 9) for i in range(24))))
    app = visit(seconds="5")
    names = []

    def keep(press: Callable[[AppTest], Progress] = compose) -> None:
        made, piece = press(app), view_of(app).piece
        assert piece is not None
        names.append(downloads.Kept(piece, made.takes, 0, "").name("mid"))

    keep()
    app.button(key="continue").click().run()
    keep(finished)
    for seed in ("bach-invention-bwv-772", links.NOTHING):
        app = visit(seconds="5", composer="chopin", seed=seed)
        keep()
    for name in ("Ä Tune.mid", "../../etc/my.tune <b>.mid"):
        app = upload(visit(seconds="5"), name, tune)
        keep()
        assert_needs_file(app, name)
    app.selectbox(key="set-model").set_value("other").run()
    keep()
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"pyzzicato-[a-z0-9-]+-take-1\.mid", name) for name in names), names
    assert "-a-tune-" in names[4]


def assert_needs_file(app: AppTest, name: str) -> None:
    """What is kept of a piece after an upload promises no link."""
    piece = view_of(app).piece
    assert piece is not None
    text = downloads.settings_text(piece, "http://localhost/?seed=upload")
    assert text.endswith(f"The same again needs your file {piece.start.title}.\n")
    assert "http" not in text


def test_what_was_used_of_a_file_is_said(visit: Callable[..., AppTest]) -> None:
    tune = NoteSequence(tuple(Note(i / 2, i / 2 + 0.5, 60 + i % 9) for i in range(120)))
    app = upload(visit(seconds="5"), "long.mid", write_midi(tune))
    app.slider(key="window").set_value((30.0, 40.0)).run()
    compose(app)
    piece = view_of(app).piece
    assert piece is not None
    text = downloads.settings_text(piece, "")
    assert "Used of it: 10.00 seconds, from second 30.00 of its music on\n" in text


def test_what_a_continued_piece_needs_is_said(visit: Callable[..., AppTest]) -> None:
    app = visit(seconds="5")
    compose(app)
    app.button(key="continue").click().run()
    finished(app)
    piece = view_of(app).piece
    assert piece is not None
    text = downloads.settings_text(piece, "http://localhost/?seed=result")
    assert f"The same again needs the piece that it was made from, {piece.start.words()}." in text
    assert "http" not in text


def test_a_link_brings_the_take_that_was_chosen(visit: Callable[..., AppTest]) -> None:
    app = visit(seconds="5", takes="3", take="2")
    assert view_of(app).written["take"] == "2"
    made = compose(app)
    assert view_of(app).take == 1
    shared = next(each.value for each in app.code if "seed=" in each.value)
    assert shared.endswith("&take=2")
    assert f"{len(made.takes[1])} notes in 5 seconds" in words(app)
    assert "take" not in view_of(app).written
    compose(app)
    assert view_of(app).take == 0


def test_a_file_is_made_when_its_button_is_pressed(visit: Callable[..., AppTest]) -> None:
    app = visit(seconds="5", takes="2")
    made, piece = compose(app), view_of(app).piece
    assert piece is not None
    assert not elements(app, "download_button")
    app.button(key=f"keep-zip-{piece.number}").click().run()
    making = app.session_state["keep-files"][-1]
    assert making.wait(60)
    app.run()
    (offered,) = elements(app, "download_button")
    assert offered.label == making.name
    assert making.parts == (2, 2)
    with zipfile.ZipFile(io.BytesIO(making.data)) as archive:
        midi = [name for name in archive.namelist() if name.endswith(".mid")]
        assert [len(read_midi(archive.read(name))) for name in midi] == [
            len(downloads.whole(piece, take)) for take in made.takes
        ]
