"""The tool that counts what the codec keeps of performances, on small music of our own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from pyzzicato.music.notes import Note, NoteSequence
from tests.scripts import open_script

MUSIC = NoteSequence(
    tuple(Note(0.137 * n, 0.137 * n + 0.4, 48 + 7 * n % 24, 20 + n) for n in range(60))
)


@pytest.fixture(scope="module")
def tool() -> Iterator[ModuleType]:
    with open_script("tools/check_round_trip.py") as module:
        yield module


def test_every_note_of_a_performance_comes_back(tool: ModuleType) -> None:
    found = tool.kept(MUSIC)
    assert found[:2] == (60, 60)
    assert 0 < found.error < 0.00501, "half a step"


def test_a_key_struck_twice_within_a_step_comes_back_once(tool: ModuleType) -> None:
    doubled = NoteSequence((Note(1.0, 2.0, 60, 80), Note(1.002, 2.0, 60, 80)))
    assert tool.kept(doubled)[:2] == (2, 1)


@pytest.mark.parametrize(("off", "kept"), [(0.0, 60), (0.008, 60), (0.02, 0)])
def test_a_codec_that_moves_notes_too_far_does_not_keep_them(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, off: float, kept: int
) -> None:
    class Late:
        def encode(self, music: NoteSequence) -> NoteSequence:
            return music

        def decode(self, music: NoteSequence) -> NoteSequence:
            return NoteSequence(tuple(n._replace(start=n.start + off) for n in music))

    monkeypatch.setattr(tool, "Performance", Late)
    found = tool.kept(MUSIC)
    assert found.kept == kept
    assert found.error == pytest.approx(off if kept else 0.0)


def test_the_report_wants_nearly_all_notes_of_each(tool: ModuleType) -> None:
    whole, part = ("chopin, A", tool.Kept(10_000, 10_000, 0.005)), tool.Kept(100, 99, 0.0)
    text, good = tool.report([whole, ("bach, B", tool.Kept(1000, 996, 0.004))])
    assert good
    assert text.startswith("2 performances, 11,000 notes: 99.964% kept, the fewest of bach, B (99.")
    assert text.endswith("the largest onset error is 5.0 ms.")
    assert not tool.report([whole, ("bach, B", part)])[1], "too few of one"
    text, good = tool.report([])
    assert not good
    assert "name another folder" in text


def test_a_folder_without_music_is_said(
    tool: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["check_round_trip.py", "--data", str(tmp_path)])
    assert tool.main() == 1
    assert str(tmp_path) in capsys.readouterr().out
