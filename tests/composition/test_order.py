"""Composing by call and by command with models that know no composers, or two at once."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pyzzicato
from pyzzicato.cli.main import main
from pyzzicato.composition import order as composition
from pyzzicato.composition.order import Composition, style_of
from pyzzicato.errors import InvalidControl, SavingFailed, UnknownName
from pyzzicato.formats.abc.tune_book import tune_book
from pyzzicato.generation.generator import Generator, Step
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.seeds.library import find_seed, seeds_by
from tests.small_families import add_models
from tests.small_model import make_model
from tests.small_transformer import make_transformer_model

TUNE = NoteSequence((Note(0, 0.5, 60), Note(0.5, 1, 64)))


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_model(tmp_path / "models" / "small", title="Small")
    add_models(tmp_path / "models", monkeypatch)
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path / "models"))


def test_without_composers_it_goes_on_from_any_seed() -> None:
    usual = pyzzicato.compose(model="tunes", seconds=5)
    assert usual.seed == seeds_by("chopin")[0].sequence()
    assert usual.title == f"After Chopin's {seeds_by('chopin')[0].title}"
    assert "composer" not in usual.settings
    seed = find_seed("bach-invention-bwv-772")
    assert composition.order(model="tunes", seed=seed.id).seed == seed.sequence()
    nothing = pyzzicato.compose(model="tunes", seed="none", seconds=5)
    assert (nothing.title, len(nothing.continuation)) == ("From nothing", 10)
    assert pyzzicato.compose(model="tunes", seed=TUNE, seconds=5).title == "After your own music"


def test_a_composer_asked_of_it_is_one_sentence() -> None:
    with pytest.raises(InvalidControl, match="Tunes knows no composers: leave the composer out"):
        pyzzicato.compose("chopin", model="tunes", seconds=5)


def test_a_model_that_begins_by_itself_has_no_seed() -> None:
    piece = pyzzicato.compose(model="letters", seconds=5)
    assert (len(piece.seed), piece.settings["seed"]) == (0, "none")
    assert pyzzicato.compose(model="letters", seed="none", seconds=5) == piece
    with pytest.raises(InvalidControl, match="reads no seed: leave the seed out"):
        pyzzicato.compose(model="letters", seed=TUNE, seconds=5)


def test_copying_can_be_avoided_by_models_that_go_on_from_a_seed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[int] = []

    def watched(generator: Generator, *given: Any) -> Iterator[Step]:
        asked.append(given[2])
        return generator.generate(*given)

    monkeypatch.setattr(composition, "avoid_copying", watched)
    (piece,) = pyzzicato.compose(model="tunes", seconds=5, takes=1, avoid_copying=True)
    assert piece.settings["avoid_copying"] is True
    assert pyzzicato.compose(model="tunes", seconds=5).settings["avoid_copying"] is False
    arguments = ["--model=tunes", "--seconds=5", "--takes=2", "--avoid-copying"]
    assert main(["compose", *arguments, "-o", str(tmp_path / "out.mid")]) == 0
    assert asked == [1, 2]
    with pytest.raises(InvalidControl, match="cannot go back to avoid copying"):
        pyzzicato.compose(model="letters", seconds=5, avoid_copying=True)


def test_text_comes_with_the_music_and_can_be_saved(tmp_path: Path) -> None:
    takes = pyzzicato.compose(model="letters", seconds=5, takes=2)
    assert takes[0].text != takes[1].text
    assert len(takes[0].text.replace("|", "").split()) == len(takes[0].continuation)
    saved = takes[1].save(tmp_path / "out.abc")
    assert saved.read_text() == tune_book(takes[1].text)
    with pytest.raises(SavingFailed, match=r"only what a model wrote as ABC text can be"):
        Composition(TUNE, TUNE, 1.0).save(tmp_path / "none.abc")
    assert not (tmp_path / "none.abc").exists()


def test_the_command_saves_text_and_reports_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.abc"
    command = ["compose", "--model", "letters", "--seconds", "5", "-o", str(out)]
    assert main([*command, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert tune_book(report["takes"][0]["text"]) == out.read_text()
    assert report["title"] == "From nothing"
    assert main(["compose", "--model", "tunes", "--composer", "bach", "-o", str(out)]) == 1
    assert "knows no composers" in capsys.readouterr().err
    assert main(["compose", "--model", "tunes", "--seconds", "5", "-o", str(out)]) == 1
    assert "end the name in .mid" in capsys.readouterr().err


def test_whose_style_it_is() -> None:
    assert style_of({}) == ""
    assert style_of({"composer": "chopin", "composer_2": "", "mix": 0.5}) == "Chopin"
    assert style_of({"composer": "chopin", "composer_2": "chopin", "mix": 0.5}) == "Chopin"
    mixed = {"composer": "chopin", "composer_2": "bach"}
    assert style_of(mixed) == "Chopin with Bach"
    assert style_of({**mixed, "mix": 0.0}) == "Chopin"
    assert style_of({**mixed, "mix": 1.0}) == "Bach"
    with pytest.raises(UnknownName):
        style_of({"composer": "nobody"})


def test_two_composers_by_their_names(tmp_path: Path) -> None:
    make_transformer_model(tmp_path / "models" / "notes")
    piece = pyzzicato.compose(
        "Chopin", model="notes", composer_2="Johann Sebastian Bach", seconds=5
    )
    assert (piece.settings["composer"], piece.settings["composer_2"]) == ("chopin", "bach")
    assert piece.title.startswith("Chopin with Bach, after ")
    with pytest.raises(InvalidControl, match="was not taught joplin: choose one of"):
        pyzzicato.compose("Chopin", model="notes", composer_2="Joplin", seconds=5)


def test_a_stretch_written_anew_by_call(tmp_path: Path) -> None:
    make_transformer_model(tmp_path / "models" / "notes")
    piece = pyzzicato.compose("chopin", model="notes", fill_from=2.0, fill_to=6.0)
    seed = seeds_by("chopin")[0]
    assert piece.title == f"Chopin, inside {seed.title}"
    assert piece.border == 2.0
    stays = [note.start for note in piece.seed]
    assert stays == [n.start for n in seed.sequence() if not 2.0 <= n.start < 6.0]
