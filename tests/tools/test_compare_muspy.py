"""Our measures beside MusPy's own, on the openings of real pieces that come with the package."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Iterator
from types import ModuleType

import numpy as np
import pytest

from pyzzicato.data.pieces import Piece
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.seeds.library import all_seeds
from tests.scripts import open_script

needs_muspy = pytest.mark.skipif(
    importlib.util.find_spec("muspy") is None, reason="MusPy is not installed (extra: dev)"
)
quiet = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    with open_script("tools/compare_muspy.py") as module:
        yield module


@needs_muspy
@quiet
def test_both_agree_on_fifty_real_openings(script: ModuleType) -> None:
    found = script.differences(seed.sequence() for seed in all_seeds()[:50])
    assert {len(values) for values in found.values()} == {50}
    assert {name: max(values) for name, values in found.items() if max(values) > 1e-6} == {}


@needs_muspy
@quiet
def test_a_difference_would_be_seen(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"pitch_range": ("n_pitches_used", script.metrics.pitch_range, ())}
    monkeypatch.setattr(script, "SAME", wrong)
    music = NoteSequence((Note(0, 1, 60), Note(0, 1, 72)))
    assert script.differences([music]) == {"pitch_range": [10.0]}
    wrong["pitch_range"] = ("pitch_class_entropy", script.metrics.pitch_range, ())
    drums = NoteSequence((Note(0, 1, 36, is_drum=True),))
    assert script.differences([drums]) == {"pitch_range": [math.inf]}, "theirs is not defined"


def test_works_take_turns(script: ModuleType) -> None:
    def piece(name: str, work: str) -> Piece:
        notes = np.zeros((0, 4), np.float32)
        return Piece(name, "bach", "", work, "test", "performance", "", 1, notes)

    pieces = [piece("a1", "a"), piece("a2", "a"), piece("b1", "b"), piece("b2", "b")]
    assert [each.path for each in script.chosen(pieces, 3)] == ["a1", "b1", "a2"]


def test_the_page_says_what_does_not_agree(script: ModuleType) -> None:
    found = {"pitch_range": [0.0, 2e-6], "polyphony": [0.0, 1e-9]}
    text = script.page(found, "0.5.0", 2)
    assert "2 real performances of 2 works" in text
    assert "| `pitch_range` | `pitch_range` | 2.0e-06 | not agreed |" in text
    assert "1.0e-09 | agreed |" in text
