"""Silence before a seed is left out, whoever asks, and it is said once."""

from pathlib import Path

import pytest

from pyzzicato.cli import main as cli
from pyzzicato.composition.order import order
from pyzzicato.formats.midi import write_midi
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.music.silence import without_silence
from pyzzicato.seeds.band import band_seed
from pyzzicato.seeds.sources import seed_music
from pyzzicato.ui.uploads import read_upload
from tests.small_model import make_model
from tests.ui.visits import open_app, problems, upload, view_of, words

TUNE = NoteSequence(tuple(Note(i / 2, i / 2 + 0.5, 60 + i) for i in range(8)))
LATE = TUNE.shift(30.25)
SAID = "Before its first note 30 s of silence are left out."


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_model(tmp_path / "models" / "small", title="Small")
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path / "models"))


@pytest.fixture
def late(tmp_path: Path) -> Path:
    path = tmp_path / "late.mid"
    path.write_bytes(write_midi(LATE))
    return path


def test_it_is_the_same_from_a_file_from_notes_and_in_the_app(models: None, late: Path) -> None:
    app = open_app(seconds="5")
    upload(app, "late.mid", late.read_bytes())
    assert problems(app) == []
    assert words(app).count(SAID) == 1
    in_the_app = view_of(app).seed.music
    for seed in (late, LATE):
        plan = order(model="small", seed=seed)
        assert plan.seed == in_the_app
        assert plan.said == (SAID,)
    assert [n[:3] for n in in_the_app] == [n[:3] for n in TUNE]


def test_the_command_line_says_it(
    models: None, late: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mid"
    assert cli.main(["compose", "--seed", str(late), "--seconds", "5", "-o", str(out)]) == 0
    assert capsys.readouterr().err == f"pyzzicato: {SAID}\n"


def test_a_band_loses_whole_bars_only(late: Path) -> None:
    data = late.read_bytes()
    for music, said in (
        band_seed(LATE, data),
        band_seed(LATE),
        (read_upload(data, "late.mid").band.music, read_upload(data, "late.mid").band.said),
        seed_music(late, "", band=True)[::3],
    ):
        assert music.notes[0].start == pytest.approx(0.25)
        assert said == (SAID,)


def test_where_times_count_the_whole_is_kept(late: Path) -> None:
    for seed in (late, LATE):
        found = seed_music(seed, "", band=False, whole=True)
        assert found.music.notes[0].start == pytest.approx(30.25)
        assert found.said == ()


def test_a_breath_is_left_out_without_a_word() -> None:
    assert without_silence(TUNE.shift(0.3)) == (TUNE.shift(0.3).trim(0.3, 9), ())
    assert without_silence(TUNE) == (TUNE, ())
    assert without_silence(NoteSequence()) == (NoteSequence(), ())
