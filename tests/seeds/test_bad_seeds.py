"""Seeds and settings that networks of letters, chords and melodies cannot use as they are.

None of them is an error but a checkpoint that is not there: the network reads what it can, says
so where that is not all, and plays.
"""

from pathlib import Path

import pytest

from pyzzicato.cli import main as cli
from pyzzicato.formats.abc.notation import read_abc
from pyzzicato.formats.midi import write_midi
from pyzzicato.generation.generator import collect
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.registry import models
from tests import small_chords, small_melody, small_tunes
from tests.ui.visits import compose, open_app, problems, upload, view_of, words

LINE = NoteSequence(tuple(Note(i / 2, i / 2 + 0.5, 60 + i % 7) for i in range(16)))
CHORDS = LINE.merge(LINE.transpose(-12).notes)
SEEDS = {
    "nothing": NoteSequence(),
    "drums only": NoteSequence((Note(0.0, 0.5, 38, is_drum=True),)),
    "below the piano": NoteSequence((Note(0.0, 1.0, 3), Note(1.0, 2.0, 9))),
    "above the piano": NoteSequence((Note(0.0, 1.0, 120),)),
    "in no octave of the melodies": NoteSequence((Note(0.0, 1.0, 21), Note(1.0, 2.0, 108))),
    "many at once": NoteSequence(tuple(Note(0.0, 1.0, pitch) for pitch in range(21, 109))),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One small model of each kind."""
    folder = tmp_path_factory.mktemp("models")
    small_chords.make_model(folder / "chords")
    small_chords.make_model(
        folder / "onsets", family="chords.next_note_gru", cell="gru", cut="onsets"
    )
    small_tunes.make_model(folder / "letters")
    small_melody.make_model(folder / "melodies")
    return folder


@pytest.fixture
def known(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYZZICATO_MODELS", str(folder))
    return folder


@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS)
@pytest.mark.parametrize("name", ["chords", "onsets", "letters", "melodies"])
def test_any_seed_is_gone_on_from(folder: Path, name: str, seed: NoteSequence) -> None:
    info = models(folder)[name]
    found = list(info.load().generate(seed, info.controls(seconds=6.0), 1))
    assert found[-1].time == pytest.approx(6.0)
    music = collect(found)
    assert music.duration <= 6.0
    assert name == "letters" or len(music) > 0  # random letters are seldom a tune


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (write_midi(LINE), ""),
        (write_midi(CHORDS), "only the upper line can be read, 16 of its 32 notes"),
        (b"X:1\nL:1/4\nK:C\n[CEG]2 [DFA]2|[EGB]4|\n", "the upper line can be read, 3 of its 9"),
    ],
    ids=["a line", "two lines", "chords in ABC"],
)
def test_the_page_says_that_the_melody_is_taken(known: Path, data: bytes, sentence: str) -> None:
    app = open_app(model="melodies", seconds="5")
    upload(app, "tune.abc" if data.startswith(b"X:") else "tune.mid", data)
    assert problems(app) == []
    text = words(app)
    assert sentence in text
    assert ("can be read" in text) == bool(sentence)
    compose(app)
    assert problems(app) == []
    assert words(app).count("can be read") == (2 if sentence else 0), "also under the piece"


def test_the_upper_line_alone_gives_the_same(folder: Path) -> None:
    info = models(folder)["melodies"]
    generator, controls = info.load(), info.controls(seconds=8.0)
    line, chords = (collect(generator.generate(seed, controls)) for seed in (LINE, CHORDS))
    assert line == chords


def test_a_link_to_a_checkpoint_that_is_not_there(known: Path) -> None:
    app = open_app(model="letters", checkpoint="7", seconds="5")
    assert problems(app) == [
        "Checkpoint cannot be '7': choose a value from 1 to 2. "
        "This link gets the usual value instead."
    ]
    compose(app)
    assert problems(app) == []


def test_a_checkpoint_that_is_not_there_on_the_command_line(
    known: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mid"
    asked = ["compose", "--model", "letters", "--checkpoint", "7", "-o", str(out)]
    assert cli.main(asked) == 1
    said = "pyzzicato: Checkpoint cannot be '7': choose a value from 1 to 2.\n"
    assert capsys.readouterr().err == said
    assert not out.exists()


def test_a_checkpoint_whose_file_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = small_tunes.make_model(tmp_path / "models" / "letters")
    (lost.folder / "checkpoint_1.onnx").unlink()
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path / "models"))
    sentence = (
        "The model letters cannot be loaded: its file checkpoint_1.onnx is missing or damaged. "
        "Choose another model, or fetch the project's files again."
    )
    out = tmp_path / "out.mid"
    asked = ["compose", "--model", "letters", "--checkpoint", "1", "-o", str(out)]
    assert cli.main(asked) == 1
    assert capsys.readouterr().err == f"pyzzicato: {sentence}\n"
    app = open_app(model="letters", checkpoint="1", seconds="5")
    app.button(key="compose").click().run()
    piece = view_of(app).piece
    if piece is not None:
        piece.job.wait(60)
        app.run()
    assert sentence in words(app)


def test_abc_as_a_seed_of_the_network_that_writes_it(known: Path) -> None:
    tune = "X:1\nL:1/8\nK:G\n|:GABc d2 d2|efge d4:|\n"
    info = models(known)["letters"]
    assert "melody" in info.load().reads(read_abc(tune))
    app = open_app(model="letters", seconds="5")
    upload(app, "tune.abc", tune.encode())
    assert problems(app) == []
    compose(app)
    assert problems(app) == []
