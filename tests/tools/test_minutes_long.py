"""What the benchmark of long pieces counts, on pieces that one can count by hand."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.errors import PyzzicatoError
from tests.scripts import open_script
from tests.small_transformer import make_transformer

SECONDS = 180.0
LATER = np.array([[9.0, 9.0, 0, 0]])


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    with open_script("benchmarks/minutes_long.py") as module:
        yield module


@pytest.fixture(scope="module")
def counted(script: ModuleType) -> ModuleType:
    """`long_figures.py`, which the script has loaded."""
    return sys.modules["long_figures"]


def notes(*starts: float, length: float = 0.5, pitch: int = 60) -> np.ndarray:
    rows = [(s, s + length, pitch + n % 12, 64) for n, s in enumerate(starts)]
    return np.array(rows, np.float64).reshape(-1, 4)


def test_densities_are_of_whole_windows(counted: ModuleType) -> None:
    music = notes(*np.arange(0, 30, 0.5), *np.arange(60, 75, 1.0), 179.9)
    found = counted.densities(music, SECONDS) * 30
    assert found.round(6).tolist() == [60, 0, 15, 0, 0, 1]
    assert len(counted.densities(music, 100.0)) == 3


def test_heights_are_of_the_windows_that_have_notes(counted: ModuleType) -> None:
    music = np.concatenate([notes(1.0, 2.0, pitch=40), notes(62.0, pitch=70), notes(95.0)])
    assert counted.heights(music, 100.0).tolist() == [40.5, 70.0]
    found = counted.figures([music, notes()], 90.0, np.empty(0))
    percentiles = [found[f"pitch_p{p}"] for p in (10, 50, 90)]
    assert percentiles == pytest.approx([43.45, 55.25, 67.05], abs=0.06)
    assert "pitch_p50" not in counted.figures([music], 20.0, np.empty(0))


def test_drift_is_the_last_third_over_the_first(counted: ModuleType) -> None:
    music = notes(*np.arange(0, 60, 2.0), *np.arange(60, 120, 1.0), *np.arange(120, 180, 1.0))
    assert counted.drift(music, SECONDS) == pytest.approx(61 / 31)
    assert counted.drift(notes(), SECONDS) == 1.0


def test_bursts_and_gaps_are_uneven_and_long_waves_are_not(counted: ModuleType) -> None:
    even, sparse = np.arange(0, 60, 0.25), np.arange(0, 30, 1.0)
    assert counted.unevenness(notes(*even), 60.0) == pytest.approx(0, abs=0.01)
    waves = notes(*sparse, *even[even >= 30])  # 1 a second for half a minute, then 4
    assert counted.unevenness(waves, 60.0) == pytest.approx(0, abs=0.01)
    bursts = notes(*even[even % 6 < 3])  # 3 s of 4 a second, then 3 s of nothing
    assert counted.unevenness(bursts, 60.0) == pytest.approx(np.log(4.3 / 0.3) / 2, abs=0.01)
    assert counted.unevenness(bursts, 20.0) == 0.0, "there is no half minute"


def test_silence_is_where_nothing_sounds_and_a_wait_where_nothing_is_struck(
    counted: ModuleType,
) -> None:
    held = np.array([(1.0, 9.0, 48, 64), (2.0, 3.0, 60, 64), (14.0, 20.0, 60, 64)])
    assert counted.longest_silence(held, 22.0) == 5.0
    assert counted.longest_wait(held, 22.0) == 12.0
    assert counted.longest_silence(held, 40.0) == 20.0, "the end is silent"
    assert counted.longest_silence(held + LATER, 29.0) == 10.0, "so is the beginning"
    assert counted.longest_silence(notes(), 30.0) == counted.longest_wait(notes(), 30.0) == 30.0


def test_a_repeat_is_exact_on_the_grid(counted: ModuleType) -> None:
    dice = np.random.default_rng(1)
    bar = np.sort(dice.choice(np.arange(0.0, 8.0, 0.05), 30, replace=False))
    keys = dice.integers(40, 80, 30)
    once = np.stack([bar, bar + 0.2, keys, np.full(30, 64)], axis=1)
    twice = np.concatenate([once, once + LATER * 8.02 / 9])
    assert counted.repeats(once, 8.0)[0] == 0
    again, total = counted.repeats(twice, 16.0)
    inside = int((bar <= 4.0).sum())  # windows that lie inside the second time
    assert inside - 1 <= again <= inside
    assert total == 30 + inside
    twice[35, 2] += 1
    assert counted.repeats(twice, 16.0)[0] < again


def test_seeds_take_turns(script: ModuleType) -> None:
    assert script.in_turn(["a", "b", "c"], 5) == ["a", "b", "c", "a", "b"]
    assert script.in_turn(["a", "b", "c"], 2) == ["a", "b"]
    with pytest.raises(PyzzicatoError, match="no built-in seed of that composer"):
        script.in_turn([], 2)


def test_openings_are_of_held_out_performances_one_of_each_work_first(script: ModuleType) -> None:
    array = notes(*np.arange(50.0, 90.0, 0.5)).astype(np.float32)

    def piece(work: str, split: str = "test", kind: str = "performance") -> Piece:
        return Piece(work + split + kind, "bach", "", work, split, kind, "", 1, array)

    pieces = (piece("b"), piece("b", "val"), piece("a"), piece("c", kind="score"),
              piece("d", "train"))  # fmt: skip
    found = script.prompts("bach", Dataset(pieces, (), Path("music")))
    assert [name for name, _ in found] == ["a", "b", "b"]
    for _, opened in found:
        assert opened.duration <= script.OPENING
        assert [note.start for note in opened] == pytest.approx(list(np.arange(0, 20, 0.5)))
    assert next(name for name, _ in script.prompts("bach", None)).startswith("bach-")


def test_real_music_counts_from_its_first_note(script: ModuleType, counted: ModuleType) -> None:
    array = notes(*np.arange(50.0, 300.0, 0.25)).astype(np.float32)
    real = Piece("x", "bach", "", "x", "test", "performance", "", 1, array)
    opened = script.opening(real, SECONDS)
    assert opened[0, 0] == 0
    assert len(opened) == 720
    found = counted.figures([opened], SECONDS, counted.densities(opened, SECONDS))
    assert found["pieces"] == 1
    assert (found["p10"], found["p50"], found["p90"]) == (4.0, 4.0, 4.0)
    assert found["drift"] == found["drift_size"] == 1.0
    assert found["longest_wait"] == 0.25
    assert found["uneven"] == 0.0
    assert found["longest_silence"] == 0.0
    assert (found["note_seconds"], found["velocity"]) == (0.5, 64.0)


def test_more_drift_is_told_with_an_interval(counted: ModuleType) -> None:
    assert counted.drift_sizes([notes(), notes(1.0, 2.0)], SECONDS).tolist() == [1.0, 3.0]
    dice = np.random.default_rng(3)
    calm, wild = 1 + 0.2 * dice.random(30), 2 + 0.2 * dice.random(12)
    much = counted.more_drift(wild, calm)
    assert 0.8 < much["low"] < much["more"] < much["high"] < 1.2
    same = counted.more_drift(calm[:12], calm)
    assert same["low"] < 0 < same["high"]
    assert counted.more_drift(calm[:1], calm) == {}


def test_a_model_is_measured_and_shown(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    info = make_transformer(tmp_path)
    monkeypatch.setattr(script, "models", lambda: {"small": info})
    arguments = ["--pieces=4", "--seconds=30", "--composers=bach,chopin", "--set=top_p=0.9"]
    monkeypatch.setattr(sys, "argv", ["minutes_long.py", *arguments, "--write"])
    assert script.main() == 0
    out = capsys.readouterr().out
    assert "of 2 composers have every density within" in out
    assert "drift" not in out.split("of 2 composers")[1], "with nothing to hold it against"
    sheet = info.metrics["minutes_long"]
    assert (sheet["pieces"], sheet["seconds"], sheet["controls"]["top_p"]) == (4, 30.0, 0.9)
    row = sheet["composers"]["chopin"]
    assert row["real"] == {"p50": 8.0}
    assert row["new_over_real"]["p50"] == pytest.approx(row["new"]["p50"] / 8.0, abs=1e-3)


def piece(array: np.ndarray, split: str = "train", name: str = "x") -> Piece:
    return Piece(name, "bach", "", name, split, "performance", "", 1, array.astype(np.float32))


def tune(dice: np.random.Generator, count: int = 400) -> np.ndarray:
    start = np.arange(count) * 0.25
    pitch = dice.integers(40, 80, count)
    return np.stack([start, start + 0.2, pitch, np.full(count, 64.0)], axis=1)


def test_copies_of_new_pieces_stand_beside_those_of_real_ones(script: ModuleType) -> None:
    dice = np.random.default_rng(3)
    known = tune(dice)
    new = script.copying([known, known[:0]], 100.0)
    assert new["pieces"] == 1
    assert new["repeated"] == 0.0
    assert new["passage"]["median"] == new["passage"]["longest"] < 40
    later = known[:40] + np.array([50.0, 50, 0, 0])
    again = script.copying([np.concatenate([known[:40], later])], 100.0)
    assert again["repeated"] > 0.2
    text = script.copies_in_lines({"new": new, "real": {"pieces": 0}})
    assert len(text) == 2
    assert script.copying([], 100.0) == {"pieces": 0}


def test_real_pieces_are_of_the_test_split_and_long_enough(script: ModuleType) -> None:
    dice = np.random.default_rng(4)
    pieces = [piece(tune(dice), split, split) for split in ("train", "test")]
    dataset = Dataset((*pieces, piece(tune(dice, 40), "test", "short")), (), Path())
    (opened,) = script.unheard_openings(dataset, ("bach",), 60.0)
    assert len(opened) == 240
    assert script.unheard_openings(dataset, ("chopin",), 60.0) == []
