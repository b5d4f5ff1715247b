"""Styles to mix in, by call and by command: a model's own, built-in seeds, files and notes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import pyzzicato
from pyzzicato.cli.main import main
from pyzzicato.composition.order import Composition, order
from pyzzicato.errors import InvalidControl, UnknownName, UnreadableMusic
from pyzzicato.formats.midi import write_midi
from pyzzicato.generation.generator import collect
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo, load_model
from pyzzicato.seeds.sources import MOST_STYLES, find_music
from tests.families.band.test_vae import TOML, info
from tests.small_band import band_piece
from tests.small_model import make_model

__all__ = ["info"]  # a fixture

OPENING = "chopin-nocturne-op-9-no-2"


@pytest.fixture(autouse=True)
def models(info: ModelInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = info.folder.parent
    (info.folder / "model.toml").write_text(TOML, encoding="utf-8")
    if not (folder / "small").exists():
        make_model(folder / "small", title="Small")
    monkeypatch.setenv("PYZZICATO_MODELS", str(folder))


def made(*styles: str | Path | NoteSequence, **more: Any) -> Composition:
    given = {"model": "tiny", "seed": "none", "seconds": 9, "alpha": 0.9, **more}
    piece = pyzzicato.compose(styles=styles, **given)
    assert isinstance(piece, Composition)
    return piece


def test_one_of_the_models_own_is_what_the_control_says() -> None:
    as_control = pyzzicato.compose(model="tiny", seed="none", seconds=9, alpha=0.9, style="Tango")
    assert made("tango") == as_control
    assert made("none", "Tango") == as_control
    assert made(style="Tango") == as_control
    assert "styles" not in as_control.settings
    assert made("Jazz waltz").continuation != as_control.continuation


def test_several_are_a_hybrid_like_the_one_on_the_page(tmp_path: Path) -> None:
    mine = tmp_path / "mine.mid"
    mine.write_bytes(write_midi(band_piece()))
    piece = made("Tango", mine, OPENING)
    assert piece.settings["styles"] == ["Tango", "mine.mid", OPENING]
    assert piece.settings["style"] == "Tango"
    generator: Any = load_model("tiny")
    plan = order(model="tiny", seed="none", styles=[mine, OPENING])
    mixing = generator.mixing(plan.styles.beside)
    controls = generator.Controls(seconds=9, alpha=0.9, style="Tango")
    assert piece.continuation.notes == collect(mixing.generate(NoteSequence(), controls)).notes
    assert piece.continuation != made("Tango").continuation
    assert made("Tango", str(mine), OPENING) == piece


def test_a_file_alone_has_all_the_say_and_no_style_joins_it() -> None:
    piece = made(band_piece())
    assert piece.settings["style"] == "none"
    assert piece.settings["styles"] == ["your own music"]
    assert piece.continuation != made().continuation
    assert pyzzicato.compose(
        model="tiny", seed="none", seconds=9, alpha=0.9, styles=band_piece()
    ) == made(band_piece())


def test_the_seeds_own_style_can_be_one_of_several() -> None:
    both = order(model="tiny", seed=OPENING, styles=["Tango", "seed", "Jazz waltz"])
    assert both.controls.style == "seed"  # type: ignore[attr-defined]
    assert both.styles.beside == ("Tango", "Jazz waltz")
    beside = order(model="tiny", styles=["Tango"], controls={"style": "Jazz waltz"})
    assert beside.controls.style == "Jazz waltz"  # type: ignore[attr-defined]
    assert beside.styles.beside == ("Tango",)


def test_what_cannot_be_mixed_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="file is called “Tangoo”: the styles are none, seed"):
        made("Tangoo")
    with pytest.raises(InvalidControl, match="More than 8 styles cannot be mixed"):
        made(*[band_piece()] * (MOST_STYLES + 1))
    with pytest.raises(UnreadableMusic, match="no notes in one of the styles"):
        made(NoteSequence())
    with pytest.raises(InvalidControl, match="Small mixes no styles: leave them out"):
        pyzzicato.compose(model="small", seconds=5, styles=["Tango"])
    (tmp_path / "not.mid").write_bytes(b"nothing of the kind")
    with pytest.raises(UnreadableMusic):
        made(tmp_path / "not.mid")


def test_the_command_takes_one_style_or_several(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.mid"
    mine.write_bytes(write_midi(band_piece()))
    usual = ["compose", "--model", "tiny", "--seed", "none", "--seconds", "9", "--alpha", "0.9"]

    def report(*styles: str) -> dict[str, Any]:
        given = [word for style in styles for word in ("--style", style)]
        assert main([*usual, *given, "--json"]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    one, several = report("Tango"), report("Tango", str(mine))
    assert one["settings"]["style"] == several["settings"]["style"] == "Tango"
    assert several["settings"]["styles"] == ["Tango", "mine.mid"]
    assert several["takes"][0]["notes"] == len(made("Tango", mine).continuation)
    assert main([*usual, "--style", "Tangoo", "--json"]) == 1
    assert "no built-in seed and no file is called “Tangoo”" in capsys.readouterr().err


def test_a_file_with_a_number_behind_it_is_one_of_its_tunes(tmp_path: Path) -> None:
    abc = tmp_path / "tunes.abc"
    abc.write_text("X:1\nT:One\nK:C\nCDEF|\n\nX:2\nT:Two\nK:C\nGABcde|\n")
    assert len(find_music(abc)[0].music) == 4
    assert len(find_music(f"{abc}#2")[0].music) == 6
    assert find_music(f"{abc}#2")[1] == "tunes.abc"
    (tmp_path / "tunes.abc#2").write_text("X:1\nK:C\nC|")
    assert len(find_music(f"{abc}#2")[0].music) == 1
    with pytest.raises(UnreadableMusic, match="from 1 to 2"):
        find_music(f"{abc}#9")
    midi = tmp_path / "mine.mid"
    midi.write_bytes(write_midi(band_piece()))
    with pytest.raises(UnreadableMusic, match="one piece"):
        find_music(f"{midi}#1")
