"""Seeds for a band outside the app: files and notes, and composing around what is kept."""

import io
from pathlib import Path

import mido
import numpy as np
import pytest

from pyzzicato.composition.order import compose, order
from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.midi import read_midi, write_midi
from pyzzicato.music.instruments import INSTRUMENTS, parts_of
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.seeds.band import band_seed
from pyzzicato.seeds.library import find_seed
from tests.small_band import band_piece
from tests.small_band_model import add_band_model
from tests.small_model import make_model
from tests.ui.visits import open_app, problems, upload, view_of, words

NOCTURNE = "chopin-nocturne-op-9-no-2"


@pytest.fixture(autouse=True)
def _models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "models"
    make_model(folder / "small", title="Small")
    add_band_model(folder)
    monkeypatch.setenv("PYZZICATO_MODELS", str(folder))


def test_a_file_keeps_its_instruments_and_its_touch(tmp_path: Path) -> None:
    path = tmp_path / "ours.mid"
    path.write_bytes(write_midi(band_piece(2)))
    made = compose(model="five", seed=str(path), seconds=5)
    assert tuple(parts_of(made.seed)) == INSTRUMENTS
    assert [note.velocity for note in made.seed] == [note.velocity for note in band_piece(2)]
    assert {n.program for n in compose(model="small", seed=str(path), seconds=5).seed} == {0}


def test_notes_keep_their_instruments() -> None:
    assert order(model="five", seed=band_piece(2)).seed == band_piece(2)
    assert not any(note.is_drum for note in order(model="small", seed=band_piece(2)).seed)


def test_what_is_kept_takes_the_place_of_the_seed() -> None:
    made = compose(model="five", seed=NOCTURNE, seconds=8, keep="Piano")
    seed = find_seed(NOCTURNE).sequence()
    assert (made.border, len(made.seed)) == (0.0, 0)
    piano = parts_of(made.sequence)["Piano"].notes
    # After the end of the seed everyone is free.
    assert piano[: len(seed)] == tuple(n._replace(end=min(n.end, 8.0)) for n in seed)[: len(piano)]
    assert made.title == "Around Chopin's Nocturne in E-flat major"


def test_music_for_no_instrument_of_the_band_is_told() -> None:
    with pytest.raises(UnreadableMusic, match="Neither drums, piano"):
        order(model="five", seed=NoteSequence((Note(0, 1, 60, program=100),)))


def test_a_pedal_and_free_timing_are_put_on_the_beats() -> None:
    free = NoteSequence(tuple(n._replace(end=n.end + 0.3) for n in band_piece(2) if not n.is_drum))
    data = write_midi(free)
    played, _ = band_seed(read_midi(data), data)
    assert [n.velocity for n in played] == [n.velocity for n in read_midi(data)]
    file = mido.MidiFile(file=io.BytesIO(data))
    strings = file.tracks[-1]
    pedal = mido.Message("control_change", channel=strings[-2].channel, control=64, value=127)
    strings.insert(2, pedal)  # and it never comes up
    held = io.BytesIO()
    file.save(file=held)
    assert read_midi(held.getvalue()).duration == pytest.approx(free.duration, abs=0.01)
    found, said = band_seed(read_midi(held.getvalue()), held.getvalue())
    assert said == ()
    steps = np.array([(n.start * 8, n.end * 8) for n in found])
    assert np.abs(steps - np.round(steps)).max() < 1e-6


@pytest.mark.parametrize(("qpm", "read_as"), [(12, 30), (20, 30), (30, 0), (300, 0), (420, 300)])
def test_a_tempo_that_no_band_plays_is_told_and_the_seed_keeps_its_length(
    tmp_path: Path, qpm: float, read_as: int
) -> None:
    seed = band_piece(2).stretch(band_piece(2).qpm / qpm)
    path = tmp_path / "slow or fast.mid"
    path.write_bytes(write_midi(seed))
    for given in (seed, path):
        plan = order(model="five", seed=given)
        assert plan.seed.duration == pytest.approx(seed.duration, rel=0.01)
        told = [sentence for sentence in plan.said if f"as if that were {read_as}," in sentence]
        assert len(told) == len(plan.said) == bool(read_as)


def test_the_page_says_that_a_tempo_is_too_slow() -> None:
    seed = band_piece(2).stretch(band_piece(2).qpm / 20)
    app = open_app(model="five", seconds="5")
    upload(app, "slow.mid", write_midi(seed))
    app.run()
    assert problems(app) == []
    assert "has a tempo of 20: it is read as if that were 30" in words(app)
    shown = view_of(app).upload
    assert shown is not None
    assert shown.band.music.duration == pytest.approx(seed.duration, rel=0.01)
