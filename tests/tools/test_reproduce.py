"""The published experiment in small: trained, scored, tabled, gone on with after a stop."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from pyzzicato.data.quarters import quarter_notes
from pyzzicato.families.chords.windows import to_one_key
from pyzzicato.formats.midi import write_midi
from pyzzicato.music.notes import Note, NoteSequence
from tests.scripts import open_script
from tests.small_chords import made_up

# TensorFlow's own, with NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def reproduce() -> Iterator[ModuleType]:
    with open_script("benchmarks/reproduce.py") as module:
        yield module


@pytest.fixture
def music(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYZZICATO_CACHE", str(tmp_path / "cache"))
    place = tmp_path / "music" / "Beethoven"
    place.mkdir(parents=True)
    for number in range(10):
        (place / f"pianomidi__{number}.mid").write_bytes(write_midi(made_up(number, 200)))
    return place.parent


def test_it_is_trained_scored_and_tabled_and_never_done_twice(
    reproduce: ModuleType, music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = {key: reproduce.PUBLISHED[key] for key in [(128, "lstm")]}
    monkeypatch.setattr(reproduce, "PUBLISHED", few)
    output = tmp_path / "docs" / "table.md"
    command = ["--data", str(music), "--epochs", "1"]
    command += ["--units", "4", "--one-key", "--runs", str(tmp_path / "runs"), "--output"]
    assert reproduce.main([*command, str(output)]) == 0
    text = output.read_text()
    assert "| 128 | LSTM | published | 0.1062 | 0.7072 |" in text
    assert text.count("| 128 | LSTM | trained on |") == 1
    assert text.count("| 128 | LSTM, one key | kept back |") == 1
    assert text.count("order-2 Markov model |") == 2
    found = json.loads(output.with_suffix(".json").read_text())
    assert set(found["runs"]) == {"lstm_128", "lstm_128_one_key"}
    for sheet in found["runs"].values():
        assert sheet["samples"] == sheet["train"]["tokens"] > 0 < sheet["held_out"]["tokens"]

    def not_again(*_: object, **__: object) -> None:
        raise AssertionError("this was done before")

    monkeypatch.setattr(reproduce, "train", not_again)
    assert reproduce.main([*command, str(tmp_path / "again.md")]) == 0
    assert (tmp_path / "again.md").read_text() == text
    assert reproduce.main([*command, str(tmp_path / "some.md"), "--only", "gru"]) == 0
    assert (tmp_path / "some.md").read_text() == text, "what was done before is told too"


def test_a_run_that_is_not_there_is_one_sentence(
    reproduce: ModuleType, music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--data", str(music), "--runs", str(tmp_path / "runs")]
    assert reproduce.main([*command, "--only", "organ"]) == 1
    assert "No run has 'organ' in its name" in capsys.readouterr().err


def test_impossible_numbers_are_one_sentence(
    reproduce: ModuleType, music: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reproduce.main(["--data", str(music), "--epochs", "0"]) == 1
    assert "There cannot be 0 epochs" in capsys.readouterr().err


@pytest.mark.parametrize("semitones", range(-5, 7))
def test_the_key_is_found_and_its_way_home(semitones: int) -> None:
    major = [(0, 4, 48), (0, 1, 60), (1, 2, 64), (2, 3, 67), (3, 4, 65), (4, 5, 62), (5, 8, 60)]
    minor = [(0, 4, 45), (0, 1, 57), (1, 2, 60), (2, 3, 64), (3, 3.5, 68), (3.5, 6, 69)]
    for line in (major, minor):
        notes = quarter_notes(write_midi(_sequence(line, semitones)))
        assert to_one_key(notes) == -semitones or (semitones == 6 and to_one_key(notes) == 6)


def _sequence(rows: Sequence[tuple[float, float, int]], semitones: int) -> NoteSequence:
    return NoteSequence(tuple(Note(a, b, p + semitones) for a, b, p in rows), qpm=60)
