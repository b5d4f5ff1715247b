"""The benchmark of *avoid copying*: what is compared, and what known music is gone on from."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.families.piano_roll.generate import RollControls
from pyzzicato.generation.generator import Generator, Step
from pyzzicato.metrics.originality import Report
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.registry import ModelInfo
from tests.scripts import open_script


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    with open_script("benchmarks/avoiding.py") as module:
        yield module


class Metronome(Generator):
    """Two notes a second in every take; remembers what was asked."""

    Controls = RollControls

    def __init__(self) -> None:
        self.asked: list[tuple[float, int]] = []

    def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
        self.asked.append((controls.seconds, takes))
        for beat in range(round(controls.seconds * 2)):
            for take in range(takes):
                end = (beat + 1) / 2
                yield Step((Note(beat / 2, end, 60),), end, take)


def test_takes_are_compared_with_and_without_avoiding(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    player = Metronome()

    def shorter(player: Generator, seed: NoteSequence, controls: Any, takes: int) -> Iterator[Step]:
        return player.generate(seed, controls.changed(seconds=5), takes)

    def by_length(take: NoteSequence) -> Report:
        long = len(take) > 15
        return Report(1.0, 4.5, len(take), percentile=95.0 if long else 90.0, copied=long)

    monkeypatch.setattr(script, "avoid_copying", shorter)
    monkeypatch.setattr(script, "originality", by_length)
    info = SimpleNamespace(load=lambda: player, controls=RollControls, composers=("bach", "chopin"))
    prompts = [("chopin", NoteSequence()), ("bach", NoteSequence())]
    row = script.compared(info, prompts, {"seconds": "10"})
    assert player.asked == [(10, 2)] * 2 + [(5, 2)] * 2
    assert (row["takes"], row["changed"]) == (4, 4)
    assert (row["without"]["avoidable"], row["without"]["copied"]) == (4, 4)
    assert (row["with"]["avoidable"], row["with"]["copied"]) == (0, 0)
    assert row["without"]["passage_notes"] == {"median": 20, "p90": 20, "most": 20}
    assert row["with"]["passage_notes"]["most"] == 10
    assert row["with"]["passage_seconds"]["most"] == 3.5
    said = {"model": "small", "seeds": "built-in", "wildness": 1.0, "seconds": 10.0}
    assert "4 of 4 changed" in script.line(said | row)


def test_known_music_begins_with_what_was_recorded_most(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def piece(work: str, kind: str, split: str = "train") -> Piece:
        rows = [[2 + i, 3 + i, 60 + len(work), 80] for i in range(40)]
        notes = np.array(rows, np.float32)
        return Piece(f"{work}.mid", "bach", work, work, split, kind, "CC0", 1, notes)

    pieces = [piece("a", "performance"), *[piece("bb", "performance")] * 3,
              *[piece("c", "score")] * 5, *[piece("d", "performance", "test")] * 5]  # fmt: skip
    monkeypatch.setattr(script, "music_for", lambda *_: Dataset(tuple(pieces), (), tmp_path))
    info = ModelInfo("small", tmp_path, "piano_roll.wavenet", "Small", "", "", 2021, ("bach",), {})
    found = script.known(info, tmp_path, 9)
    assert [(composer, {note.pitch for note in seed}) for composer, seed in found] == [
        ("bach", {62}), ("bach", {61}),
    ]  # fmt: skip
    assert [(seed.notes[0].start, len(seed), seed.duration) for _, seed in found] == [
        (0, 25, 25)
    ] * 2
    assert pieces[0].notes[0, 0] == 2, "the piece itself stays as it is"
