"""Notes are read once: the cache, what spoils it, and several processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from pyzzicato.data import note_cache
from pyzzicato.data.load import read_dataset
from pyzzicato.paths import cache_folder
from tests.small_library import reasons, write_manifest, write_scale


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYZZICATO_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return write_manifest(tmp_path / "music")


def no_reading(path: Path) -> None:
    raise ValueError(f"{path} was read again")


def cache_file() -> Path:
    (file,) = cache_folder().glob("*.npz")
    return file


def test_the_second_reading_comes_from_the_cache(
    manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int]] = []
    first = read_dataset(manifest, progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, 6)
    assert told[-1] == (6, 6)
    monkeypatch.setattr(note_cache, "read_notes", no_reading)
    again = read_dataset(manifest)
    assert [p.path for p in again.pieces] == [p.path for p in first.pieces]
    for old, new in zip(first.pieces, again.pieces, strict=True):
        np.testing.assert_array_equal(old.notes, new.notes)
        assert not new.notes.flags.writeable
        assert not old.notes.flags.writeable
    # A part of the folder comes from the same cache, and does not shrink it.
    assert len(read_dataset(manifest, composers=["chopin"]).pieces) == 5
    assert len(read_dataset(manifest).pieces) == 6


def test_only_changed_files_are_read_again(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_dataset(manifest)
    write_scale(manifest / "p/Chopin/b.mid", seconds=3)
    os.utime(manifest / "p/Chopin/b.mid", (1, 1))
    (manifest / "p/Chopin/a4.mid").unlink()
    seen: list[str] = []
    real = note_cache.read_notes

    def spy(path: Path) -> note_cache.NoteArray:
        seen.append(path.name)
        return real(path)

    monkeypatch.setattr(note_cache, "read_notes", spy)
    dataset = read_dataset(manifest)
    assert seen == ["b.mid"]
    assert len(dataset.split("val")[0].notes) == 6
    assert reasons(dataset)["p/Chopin/a4.mid"] == "the file is missing"
    assert dataset.pieces[0].recordings == 3


@pytest.mark.parametrize("damage", ["text", "cut", "flipped", "empty", "other format"])
def test_a_damaged_cache_is_built_again(
    manifest: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_dataset(manifest)
    file = cache_file()
    data = file.read_bytes()
    if damage == "other format":
        head = np.frombuffer(json.dumps({"format": -1}).encode(), np.uint8)
        np.savez(file, head=head)
    else:
        middle = len(data) // 2
        file.write_bytes(
            {
                "text": b"not a cache",
                "cut": data[:middle],
                "flipped": data[:400] + bytes(byte ^ 255 for byte in data[400:]),
                "empty": b"",
            }[damage]
        )
    after = read_dataset(manifest)
    for old, new in zip(before.pieces, after.pieces, strict=True):
        np.testing.assert_array_equal(old.notes, new.notes)
    monkeypatch.setattr(note_cache, "read_notes", no_reading)
    assert len(read_dataset(manifest).pieces) == 6
    assert list(cache_folder().iterdir()) == [file]


def test_a_cache_that_cannot_be_written_is_done_without(manifest: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where the folder should be")
    assert len(read_dataset(manifest, cache=blocked / "cache").pieces) == 6


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PYZZICATO_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("PYZZICATO_CACHE")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "pyzzicato"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "pyzzicato"


def test_several_processes_read_the_same(tmp_path: Path) -> None:
    for number in range(40):
        write_scale(tmp_path / "Bach" / f"{number}.mid", seconds=1 + number % 3)
    (tmp_path / "Bach" / "bad.mid").write_text("no music")
    alone = read_dataset(tmp_path, cache=tmp_path / "one", processes=1)
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(f"""
            from pathlib import Path
            from pyzzicato.data.load import read_dataset
            if __name__ == "__main__":
                folder = Path({str(tmp_path)!r})
                read_dataset(folder, cache=folder / "two", processes=2)
        """)
    )
    root = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, script], check=True, env={**os.environ, "PYTHONPATH": str(root)}
    )
    (one,), (two,) = ((tmp_path / name).glob("*.npz") for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert len(alone.pieces) == 40
