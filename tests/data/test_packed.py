"""Training music in one file, and a training carried from place to place by it and in parts."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pyzzicato.cli.main import main
from pyzzicato.codecs.performance import codes_of
from pyzzicato.data.load import music_for
from pyzzicato.data.packed import FIELDS, pack, packed_music
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.errors import UnreadableMusic
from pyzzicato.training.checkpoints import read_progress
from tests.scripts import open_script
from tests.training.test_loop import music
from tests.training.test_steady import STEP, eager, shelf

__all__ = ["eager", "music", "shelf"]

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.usefixtures("_usual_policy"),
]


def drawn(number: int, split: str, count: int = 3000) -> Piece:
    """A piece by lot with all that may occur: chords, silences, very short and long notes."""
    dice = np.random.default_rng(number)
    waits = dice.choice([0.0, 0.004, 0.11, 1.7, 31.0], count, p=[0.3, 0.2, 0.4, 0.09, 0.01])
    start = np.cumsum(waits)
    notes = np.stack(
        [
            start,
            start + np.exp(dice.uniform(np.log(0.001), np.log(20.0), count)),
            dice.integers(21, 109, count),
            dice.integers(1, 128, count),
        ],
        axis=1,
    ).astype(np.float32)
    notes = notes[np.lexsort((notes[:, 2], notes[:, 0]))]
    return Piece(f"é{number}.mid", "bach", "Fuge", f"w{number}", split, "score", "CC0", 2, notes)


def test_what_comes_back_are_the_same_codes_of_the_same_pieces(tmp_path: Path) -> None:
    pieces = [drawn(n, split) for n, split in enumerate(["train", "test", "val", "train"])]
    size = pack(Dataset(tuple(pieces), (), Path()), {"kinds": ["score"]}, tmp_path / "a.notes")
    assert size == (tmp_path / "a.notes").stat().st_size < 5 * 9000
    back = music_for({"kinds": ["score"]}, tmp_path / "a.notes").pieces
    kept = [pieces[0], pieces[3], pieces[2]]  # those that are tested stay at home
    assert len(back) == len(kept)
    for found, piece in zip(back, kept, strict=True):
        for name in FIELDS:
            assert getattr(found, name) == getattr(piece, name)
        assert (codes_of(found.notes.astype(float)) == codes_of(piece.notes.astype(float))).all()
        assert found.duration == pytest.approx(piece.duration, rel=0.01)
        assert not found.notes.flags.writeable


@pytest.mark.parametrize("other", [{"split": "maestro"}, {"kinds": ["score"]}, {"composers": []}])
def test_music_that_another_recipe_asked_for_is_refused(
    tmp_path: Path, other: dict[str, Any]
) -> None:
    pack(Dataset((drawn(1, "train", 50),), (), Path()), {}, tmp_path / "a.notes")
    assert packed_music({}, tmp_path / "a.notes").pieces
    with pytest.raises(UnreadableMusic, match="packed for another recipe"):
        packed_music(other, tmp_path / "a.notes")


@pytest.mark.parametrize("part", [0, 5, 60, -4])
def test_a_part_of_a_packed_file_is_refused(tmp_path: Path, part: int) -> None:
    path = tmp_path / "a.notes"
    pack(Dataset((drawn(1, "train", 50),), (), Path()), {}, path)
    path.write_bytes(path.read_bytes()[:part])
    with pytest.raises(UnreadableMusic, match="no packed training music"):
        packed_music({}, path)


@pytest.fixture
def carry() -> Iterator[ModuleType]:
    with open_script("tools/carry_training.py") as script:
        yield script


def test_a_training_is_carried_away_and_back(
    shelf: Path,
    music: Path,
    carry: ModuleType,
    capsys: pytest.CaptureFixture[str],
) -> None:
    packed = shelf / "music.notes"
    assert carry.main(["pack", "small", "--data", str(music), str(packed)]) == 0
    assert "notes in 0.0 MB" in capsys.readouterr().out
    order = ["train", "small", "--data", str(packed), "--steady"]
    away, home = shelf / "away", shelf / "home"
    assert main([*order, "--runs", str(away), "--notes", str(3 * STEP)]) == 0
    checkpoint = away / "small-steady" / "checkpoint.npz"
    assert carry.main(["cut", str(checkpoint), "--mib", "0.02"]) == 0
    parts = sorted(checkpoint.parent.glob("checkpoint.npz.*"))
    assert len(parts) > 3
    assert all(part.stat().st_size <= 0.02 * 2**20 for part in parts)
    (home / "small-steady").mkdir(parents=True)
    for part in parts:
        shutil.move(part, home / "small-steady")
    back = home / "small-steady" / "checkpoint.npz"
    assert carry.main(["join", str(back)]) == 0
    assert back.read_bytes() == checkpoint.read_bytes()
    order[3] = str(music)
    assert main([*order, "--runs", str(home), "--notes", str(5 * STEP)]) == 0
    assert read_progress(back)["step"] == 5

    lost = back.with_name("checkpoint.npz.001")
    whole = lost.read_bytes()
    lost.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert carry.main(["join", str(back)]) == 1
    assert "are not those that were cut" in capsys.readouterr().err
    lost.unlink()
    assert carry.main(["join", str(back)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert read_progress(back)["step"] == 5, "what was there stays"
