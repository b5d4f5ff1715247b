"""The composer classifier: its features, its folds, its network, its distance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyzzicato.classifier import CLIP, HIDDEN, clips_of, distance, load_classifier
from pyzzicato.classifier_training import (
    FOLDS,
    Clips,
    folds,
    gather,
    known_composers,
    save,
    scores,
)
from pyzzicato.composer_features import FEWEST, WIDTH, composer_features
from pyzzicato.datasets import Piece
from pyzzicato.errors import ModelUnavailable
from pyzzicato.notes import Note, NoteSequence


def tune(seed: int, seconds: float = 45.0) -> NoteSequence:
    dice = np.random.default_rng(seed)
    starts = np.sort(dice.uniform(0, seconds - 1, int(seconds * 4)))
    return NoteSequence(tuple(Note(s, s + 0.5, int(dice.integers(48, 84)), 70) for s in starts))


def piece(composer: str, work: int, split: str = "train") -> Piece:
    rows = [(n.start, n.end, n.pitch, n.velocity) for n in tune(work)]
    name = f"{composer}-{work}"
    notes = np.array(rows, np.float32)
    return Piece(name, composer, name, name, split, "performance", "ours", 1, notes)


def test_features_are_shares_and_few_numbers() -> None:
    row = composer_features(tune(1, 20))
    assert row is not None
    assert row.shape == (WIDTH,)
    assert np.isfinite(row).all()
    assert row[:22].sum() == pytest.approx(1), "registers"


def test_what_does_not_tell_the_composer_is_left_out() -> None:
    music = tune(1, 20)
    loud = NoteSequence(tuple(note._replace(velocity=127) for note in music))
    assert np.array_equal(composer_features(loud), composer_features(music))  # type: ignore[arg-type]
    drums = music.merge([Note(0, 30, 36, is_drum=True)])
    assert np.array_equal(composer_features(drums), composer_features(music))  # type: ignore[arg-type]


def test_another_key_has_the_same_harmony() -> None:
    one, other = composer_features(tune(2, 20)), composer_features(tune(2, 20).transpose(5))
    assert one is not None
    assert other is not None
    assert one[22:-6] == pytest.approx(other[22:-6], abs=1e-5), "all but registers and heights"
    assert not np.allclose(one[:22], other[:22])


@pytest.mark.parametrize(
    "music",
    [
        NoteSequence(), NoteSequence((Note(0, 1, 60),)), tune(1).trim(0, 2),
        NoteSequence(tuple(Note(n, n + 0.1, 36, is_drum=True) for n in range(50))),
    ],
    ids=["nothing", "one note", "few notes", "drums"],
)  # fmt: skip
def test_too_few_notes(music: NoteSequence) -> None:
    assert composer_features(music) is None
    assert clips_of(music).shape == (0, WIDTH)


def test_only_one_chord_or_key_is_no_trouble() -> None:
    same = NoteSequence(tuple(Note(0, 1, 30 + n) for n in range(FEWEST)))
    one_key = NoteSequence(tuple(Note(n, n + 1, 60) for n in range(FEWEST)))
    for music in (same, one_key):
        row = composer_features(music)
        assert row is not None
        assert np.isfinite(row).all()


def test_clips_stand_side_by_side() -> None:
    music = tune(3, 65)
    assert clips_of(music).shape == (3, WIDTH)
    second = composer_features(music.trim(CLIP, 2 * CLIP))
    # A note that is held across the border counts only where it began.
    assert second is not None
    assert np.abs(clips_of(music)[1] - second).max() < 0.1


def test_works_are_never_on_both_sides() -> None:
    pieces = [piece("bach", n) for n in range(12)] + [piece("chopin", n) for n in range(10)]
    pieces += [piece("satie", 1)]
    composers = known_composers(pieces)
    assert composers == ("bach", "chopin"), "one work of Satie is too few"
    clips = gather(pieces, composers, keys=(0, 2))
    assert clips.features.shape == (44, 2, WIDTH)
    fold = folds(clips)
    for work in set(clips.work):
        assert len(set(fold[clips.work == work])) == 1
    assert set(fold) == set(range(FOLDS))
    for composer in (0, 1):
        assert len(set(fold[clips.composer == composer])) == FOLDS


def made_up(classes: int) -> dict[str, Any]:
    dice = np.random.default_rng(4)
    shapes = {"wide": (WIDTH, 16), "hidden": (16, HIDDEN), "who": (HIDDEN, classes)}
    weights = {f"{k}/kernel": dice.normal(0, 0.3, shape) for k, shape in shapes.items()}
    weights |= {f"{k}/bias": dice.normal(0, 0.3, shape[1]) for k, shape in shapes.items()}
    scale = {"scale/mean": dice.normal(0, 1, WIDTH), "scale/spread": dice.uniform(1, 2, WIDTH)}
    return {k: v.astype(np.float32) for k, v in (weights | scale).items()}


def test_the_saved_network_says_the_same(tmp_path: Path) -> None:
    weights, path = made_up(3), tmp_path / "classifier.onnx"
    save(weights, {"composers": ["bach", "chopin", "satie"]}, path)
    classifier = load_classifier(path)
    rows = clips_of(tune(5, 65))
    hidden, shares = classifier.read(rows)
    expected = scores(weights, rows)
    assert hidden.shape == (3, HIDDEN)
    assert np.log(shares) - np.log(shares[:, :1]) == pytest.approx(
        expected - expected[:, :1], abs=1e-3
    )
    voted, none = classifier.vote([tune(5, 65), NoteSequence()])
    assert none is None
    assert voted is not None
    assert sum(voted.values()) == pytest.approx(1)
    assert (
        max(voted, key=lambda name: voted[name])
        == classifier.composers[int(np.log(shares).mean(axis=0).argmax())]
    )


def test_without_a_network_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="train_classifier"):
        load_classifier(tmp_path / "none.onnx")


def test_the_distance_of_two_known_clouds() -> None:
    dice = np.random.default_rng(6)
    one = dice.normal(0, 1, (20_000, 2))
    other = dice.normal(3, 2, (20_000, 2))
    # |3, 3|² + 2 * (1 + 4 - 2 * 2) = 18 + 2.
    assert distance(one, other) == pytest.approx(20, rel=0.03)
    assert distance(one, one) == pytest.approx(0, abs=1e-9)
    assert distance(one[:1], other) is None
    flat = np.zeros((5, 3))
    assert distance(flat, flat) == 0


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_training_learns_what_is_there() -> None:
    pytest.importorskip("keras")
    from pyzzicato.classifier_training import Plan, train

    dice = np.random.default_rng(7)
    composer = np.repeat([0, 1], 60)
    features = dice.normal(0, 1, (120, 1, WIDTH)).astype(np.float32)
    features[:, 0, 5] += 4 * composer
    clips = Clips(features, composer, np.array([str(n // 3) for n in range(120)]))
    weights = train(clips, 2, Plan(epochs=8, batch=20))
    found = scores(weights, clips.features[:, 0]).argmax(axis=1)
    assert (found == composer).mean() > 0.9
