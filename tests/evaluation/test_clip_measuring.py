"""What is counted in clips: the same as one by one, kept, and shared by models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pyzzicato.evaluation import clip_measuring
from pyzzicato.evaluation.clip_measuring import FORM, KNOWN, PLAIN, measured
from pyzzicato.evaluation.clips import Clip
from pyzzicato.metrics.notes import METRICS, measure
from pyzzicato.metrics.originality import originality
from pyzzicato.metrics.structureness import structureness
from pyzzicato.metrics.yang_lerch import FEATURES, features
from pyzzicato.music.notes import Note, NoteSequence

SECONDS = 12.0


def tune(seed: int, count: int = 60) -> NoteSequence:
    dice = np.random.default_rng(seed)
    starts = dice.uniform(0, SECONDS - 1, count)
    return NoteSequence(tuple(Note(s, s + 0.3, int(dice.integers(40, 90))) for s in starts))


@pytest.fixture
def clips() -> list[Clip]:
    groups = ("bach", "chopin", "bach", "bach")
    music = (tune(1), tune(2), NoteSequence(), NoteSequence((Note(0, 1, 60),)))
    return [Clip(each, g, str(n)) for n, (each, g) in enumerate(zip(music, groups, strict=True))]


def same(one: dict[str, np.ndarray | None], other: dict[str, np.ndarray | None]) -> bool:
    return list(one) == list(other) and all(
        np.array_equal(a, b) if a is not None and b is not None else a is b
        for a, b in zip(one.values(), other.values(), strict=True)
    )


@pytest.mark.parametrize("processes", [1, 2])
def test_as_one_by_one(clips: list[Clip], tmp_path: Path, processes: int) -> None:
    for _ in range(2):  # counted, then kept
        found = measured(clips, SECONDS, KNOWN, tmp_path, lambda _: None, processes)
        for clip, made in zip(clips, found, strict=True):
            one = measure(clip.sequence, SECONDS)
            assert {k: v for k, v in one.items() if not METRICS[k].on_beat} == {
                k: v for k, v in made.values.items() if k in METRICS
            }
            assert made.values["known_passage"] == originality(clip.sequence).notes
            assert same(made.features, features(clip.sequence, SECONDS))
    assert set(made.features) == set(FEATURES)
    assert len(list(tmp_path.iterdir())) == 2, "one file a group"


def test_form_is_that_of_the_beginning(clips: list[Clip], tmp_path: Path) -> None:
    found = measured(clips, 8.0, FORM, tmp_path, lambda _: None)
    one = structureness(clips[0].sequence.trim(0, 8.0), 8.0)
    assert found[0].values == {f"structureness_{name}": value for name, value in one.items()}
    assert found[2].values["structureness_3-8"] is None
    assert found[0].features == {}


def test_nothing_is_counted_twice(
    clips: list[Clip], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    first = measured(clips, SECONDS, PLAIN, tmp_path, said.append)
    assert said == ["measuring 4 clips: 75%", "measuring 4 clips: 100%"]
    said.clear()
    again = measured(clips[:1] + clips[2:], SECONDS, PLAIN, tmp_path, said.append)
    assert said == []
    assert [row.values for row in again] == [first[n].values for n in (0, 2, 3)]
    moved = [*clips[:1], Clip(tune(3), "bach", "9"), *clips[3:]]
    measured(moved, SECONDS, PLAIN, tmp_path, said.append)
    assert said == ["measuring 3 clips: 100%"], "another clip, so the whole group anew"
    said.clear()
    monkeypatch.setattr(clip_measuring, "_stamp", lambda: "another way of counting")
    measured(clips, SECONDS, PLAIN, tmp_path, said.append)
    assert said[-1] == "measuring 4 clips: 100%"


def test_a_damaged_file_is_counted_anew(clips: list[Clip], tmp_path: Path) -> None:
    first = measured(clips, SECONDS, PLAIN, tmp_path, lambda _: None)
    for file in tmp_path.iterdir():
        file.write_bytes(b"PK not a file")
    again = measured(clips, SECONDS, PLAIN, tmp_path, lambda _: None)
    assert [row.values for row in again] == [row.values for row in first]
    assert measured([], SECONDS, PLAIN, tmp_path) == []
