"""The Compose page with a model that mixes styles: the map, one's own music, morphing."""

import json
import os
import re
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pyzzicato.families.band.vae.generate import StyleGenerator
from pyzzicato.families.band.vae.styles import STYLES_FILE, StyleLibrary, load_library
from pyzzicato.formats.midi import read_midi, write_midi
from pyzzicato.generation.generator import collect
from pyzzicato.music.instruments import INSTRUMENTS, parts_of
from pyzzicato.registry import ModelInfo, models
from pyzzicato.seeds.library import find_seed
from pyzzicato.ui import downloads, resources, style_map
from pyzzicato.ui.memory import settle
from pyzzicato.ui.pieces import Piece
from tests.families.band.test_vae import TOML, info
from tests.small_band import band_piece
from tests.small_model import make_model
from tests.ui.visits import compose, finished, open_app, problems, upload, view_of, words

__all__ = ["info"]  # a fixture

FILES = "style-files-0"


@pytest.fixture
def visit(info: ModelInfo, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Opens the app with a model for a band that mixes styles and one for the piano."""
    folder = info.folder.parent
    (info.folder / "model.toml").write_text(TOML, encoding="utf-8")
    if not (folder / "small").exists():
        make_model(folder / "small", title="Small")
    monkeypatch.setenv("PYZZICATO_MODELS", str(folder))
    return open_app


def piece_of(app: AppTest) -> Piece:
    piece = view_of(app).piece
    assert piece is not None
    return piece


def maps(app: AppTest) -> list[Any]:
    """What the map was given, each time it stands on the page."""
    return [each for each in app.get("bidi_component") if "style_map" in str(each.proto)]


def mix_in(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    given = [(name, data, "audio/midi") for name, data in files]
    return app.file_uploader(key=FILES).set_value(given).run()


def test_the_map_stands_where_styles_are_mixed_and_nowhere_else(
    visit: Callable[..., AppTest],
) -> None:
    assert len(maps(visit(model="tiny"))) == 1
    app = visit(model="small")
    assert maps(app) == []
    assert [button for button in app.button if button.key == "morph-open"] == []


class Shown:
    """Stands for the component in the browser: what it is given, and a click in it."""

    def __init__(self) -> None:
        self.data: dict[str, Any] = {}

    def __call__(self, key: str, data: bytes, on_pick_change: Callable[[], None]) -> None:
        self.data, self.picked = json.loads(data), on_pick_change


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    found = Shown()
    monkeypatch.setattr(style_map, "_map", found)
    return found


def test_a_click_on_the_map_chooses_a_style(
    visit: Callable[..., AppTest], shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = visit(model="tiny", seconds="5")
    assert app.selectbox(key="set-style").value == "none"
    assert app.slider(key="set-alpha").disabled
    for pick in ("Polka", "Tango"):
        with monkeypatch.context() as clicked:
            clicked.setattr(st, "session_state", {"style-map": {"pick": pick}})
            shown.picked()
        assert view_of(app).settings["style"] == ("Tango" if pick == "Tango" else "none")
    app.run()
    assert app.selectbox(key="set-style").value == "Tango"
    assert not app.slider(key="set-alpha").disabled
    assert shown.data["chosen"] == "Tango"
    assert [each["name"] for each in shown.data["marks"]] == ["the seed"]
    assert "In blue: the seed." in words(app)
    app.button_group(key="from").set_value("nothing").run()
    assert shown.data["marks"] == []
    compose(app)
    assert piece_of(app).controls.style == "Tango"
    assert piece_of(app).texts["style"] == "Tango"


def test_the_map_keeps_no_model_alive(visit: Callable[..., AppTest], shown: Shown) -> None:
    app = visit(model="tiny", seconds="5")
    assert [each["name"] for each in shown.data["marks"]] == ["the seed"]
    found = view_of(app).info
    model = weakref.ref(resources.generator(found))
    del app
    resources._generator.clear()  # as when another model takes its place
    settle()  # as when the next one is there
    assert model() is None


def test_what_the_map_shows(info: ModelInfo) -> None:
    library = load_library(info.folder / STYLES_FILE)
    data = style_map.drawn(library)
    assert [each["name"] for each in data["spots"]] == list(library.names)
    assert all(each["always"] for each in data["spots"])
    places = np.array([(each["x"], each["y"]) for each in data["spots"]])
    assert (places >= 0).all()
    assert (places <= [data["width"], data["height"]]).all()
    assert 0 < len(re.findall(r"M-?\d+ -?\d+h0", data["dots"])) <= len(library.pieces)
    # What lies nearest on the picture is nearest on the map; up is up.
    spots = np.array(list(library.spots.values()))
    moved = (spots[0] - spots[1]) * [1, -1] / (places[0] - places[1])
    assert moved == pytest.approx(moved[0], rel=0.02)
    assert moved[0] > 0
    assert data["marks"] == []
    marks = style_map.drawn(library, {"a": spots[0], "far": spots[0] + 1e6})["marks"]
    assert [(each["name"], each["x"], each["y"]) for each in marks] == [
        ("a", *places[0]),
        ("far", data["width"] - 10, 10),
    ]


def test_one_style_alone_lies_in_the_middle(info: ModelInfo) -> None:
    library = load_library(info.folder / STYLES_FILE)
    alone = StyleLibrary(
        ("Tango",), library.latents[1:], library.axes, library.middle, library.pieces
    )
    data = style_map.drawn(alone)
    assert (data["spots"][0]["x"], data["spots"][0]["y"]) == (150, data["height"] / 2)
    none = StyleLibrary((), library.latents[:0], library.axes, library.middle, library.pieces)
    style_map.style_map(none, "none", "no-map", lambda _: None)  # draws nothing


def test_names_cover_nothing() -> None:
    places = {"One": (50.0, 50.0), "Two": (60.0, 50.0), "Three": (55.0, 55.0), "Far": (299.0, 20.0)}
    labels = style_map.labelled(places, 300, 100)
    assert labels["One"] == (42.0, 54.0, "end")
    assert labels["Far"] is not None
    assert labels["Far"].anchor == "end"
    assert style_map.labelled(places, 300, 100, [(30.0, 50.0)])["One"] == (50.0, 42.0, "middle")
    crowd = {f"Style {n}": (100.0 + n, 50.0) for n in range(12)}
    labels = style_map.labelled(crowd, 300, 100)
    assert None not in labels.values(), "a line leads to those that stand apart"
    many = {f"Style {n}": (100.0 + n % 20, 50.0) for n in range(60)}
    hidden = [name for name, label in style_map.labelled(many, 300, 100).items() if label is None]
    assert 0 < len(hidden) < 60


@pytest.mark.parametrize("rng_seed", range(20))
def test_every_style_that_ships_is_named_wherever_the_seed_lies(rng_seed: int) -> None:
    library = load_library(models()["band_vae"].folder / STYLES_FILE)
    spots = np.array(list(library.spots.values()))
    mark = np.random.default_rng(rng_seed).uniform(spots.min(axis=0), spots.max(axis=0))
    data = style_map.drawn(library, {"the seed": mark})
    assert [each["name"] for each in data["spots"] if not each["always"]] == []


def test_the_style_of_ones_own_music_is_mixed_in(visit: Callable[..., AppTest]) -> None:
    app = visit(model="tiny", seconds="5")
    usual = compose(app).takes[0]
    app = visit(model="tiny", seconds="5")
    mix_in(app, ("ours.mid", write_midi(band_piece(4))))
    assert problems(app) == []
    assert "Mixed in: ours.mid. Not in a link." in words(app)
    assert not app.slider(key="set-alpha").disabled
    made = compose(app).takes[0]
    piece = piece_of(app)
    generator = piece.info.load()
    assert isinstance(generator, StyleGenerator)
    theirs = (piece.mixed[0].music,)
    assert (
        made.notes
        == collect(generator.generate(piece.start.music, piece.controls, 1, theirs)).notes
    )
    assert made.notes != usual.notes
    assert "The same again needs your music whose style is mixed in, ours.mid." in words(app)
    assert "Style of: ours.mid" in downloads.settings_text(piece, "")
    app.button(key="style-out").click().run()
    assert app.slider(key="set-alpha").disabled
    assert compose(app).takes[0].notes == usual.notes, "not rolled: it is another mixture"


def test_several_files_and_a_style_make_a_hybrid(visit: Callable[..., AppTest]) -> None:
    app = visit(model="tiny", seconds="5", style="Tango", avoid_copying="True")
    files = [(f"{name}.mid", write_midi(band_piece(4).transpose(n))) for n, name in enumerate("ab")]
    mix_in(app, *files)
    assert "Mixed in: a.mid, b.mid and Tango." in words(app)
    made = compose(app)
    assert made.error == ""
    assert [each.name for each in piece_of(app).mixed] == ["a.mid", "b.mid"]
    assert tuple(parts_of(made.takes[0])) == INSTRUMENTS
    app.selectbox(key="set-model").set_value("small").run()
    compose(app)
    assert piece_of(app).mixed == (), "another model plays as ever"


def test_files_that_cannot_be_mixed_are_named(visit: Callable[..., AppTest]) -> None:
    app = visit(model="tiny")
    mix_in(app, ("bad.mid", b"MThd"), ("good.mid", write_midi(band_piece(2))), ("no.mid", b""))
    (said,) = problems(app)
    assert said.startswith("bad.mid: ")
    assert "no.mid: This file is empty" in said
    assert "Mixed in: good.mid." in words(app)
    mix_in(app, *[(f"{n}.mid", write_midi(band_piece(1))) for n in range(9)])
    assert problems(app) == ["More than 8 files cannot be mixed: only the first ones are taken."]
    assert len(view_of(app).others) == 8


def test_a_seed_morphs_into_another_opening(visit: Callable[..., AppTest]) -> None:
    app = visit(model="tiny", seed="chopin-nocturne-op-9-no-2")
    app.button(key="morph-open").click().run()
    assert app.button(key="morph-write").disabled
    app.selectbox(key="morph-goal").set_value("satie-gymnopedie-1").run()
    app.slider(key="morph-steps").set_value(3).run()
    app.button(key="morph-write").click().run()
    made = finished(app)
    piece = piece_of(app)
    generator = piece.info.load()
    assert isinstance(generator, StyleGenerator)
    ends = [find_seed(name).sequence() for name in (view_of(app).start.id, "satie-gymnopedie-1")]
    assert made.takes[0].notes == generator.morph(ends[0], ends[1], 3).notes
    assert (piece.border, piece.takes) == (0.0, 1)
    assert piece.seconds == pytest.approx(3 * 8 * 60 / ends[0].qpm)
    title = "Chopin's Nocturne in E-flat major, op. 9 no. 2 into Satie's Gymnop\u00e9die No. 1"
    assert downloads.title_of(piece).startswith(title)
    assert f"The same again needs the two pieces of {piece.start.words()}." in words(app)
    kept = downloads.Kept(piece, made.takes, 0, "")
    assert len(read_midi(kept.file("mid"))) == len(made.takes[0])
    app.button(key="undo").click().run()
    assert view_of(app).piece is None
    assert view_of(app).start.id == "chopin-nocturne-op-9-no-2"


def test_a_result_morphs_into_a_file(visit: Callable[..., AppTest]) -> None:
    app = upload(visit(model="tiny", seconds="5"), "ours.mid", write_midi(band_piece(4)))
    first = compose(app)
    whole = downloads.whole(piece_of(app), first.takes[0])
    app.button(key="morph-open").click().run()
    app.selectbox(key="morph-goal").set_value("file").run()
    app.file_uploader(key="morph-file").upload("bad.mid", b"MThd", "audio/midi").run()
    assert len(problems(app)) == 1
    assert app.button(key="morph-write").disabled
    goal = band_piece(4).transpose(5)
    app.file_uploader(key="morph-file").upload("goal.mid", write_midi(goal), "audio/midi").run()
    assert problems(app) == []
    app.button(key="morph-write").click().run()
    made = finished(app)
    generator = piece_of(app).info.load()
    assert isinstance(generator, StyleGenerator)
    read = view_of(app).goal
    assert read is not None
    assert made.takes[0].notes == generator.morph(whole, read.music, 8).notes
    assert downloads.title_of(piece_of(app)) == "Ours.mid (continued) into goal.mid"
    assert compose(app).error == ""
    assert not piece_of(app).morph


def test_the_map_loads_no_tables(info: ModelInfo, project: Path) -> None:
    (info.folder / "model.toml").write_text(TOML, encoding="utf-8")
    code = (
        "import sys; from tests.ui.visits import open_app; app = open_app(model='tiny'); "
        "print(len(app.get('bidi_component')), 'pandas' in sys.modules, 'pyarrow' in sys.modules)"
    )
    environment = {**os.environ, "PYZZICATO_MODELS": str(info.folder.parent)}
    run = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    count, *tables = run.stdout.split()
    assert int(count) > 2
    assert tables == ["False", "False"]
