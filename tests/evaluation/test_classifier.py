"""The composer classifier: its features, its folds, its network, its distance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyzzicato.data.pieces import Piece
from pyzzicato.errors import ModelUnavailable
from pyzzicato.evaluation.classifier.clips import (
    FOLDS,
    VERSIONS,
    Clips,
    changed,
    folds,
    gather,
    keep,
    kept,
    known_composers,
)
from pyzzicato.evaluation.classifier.features import FEWEST, WIDTH, composer_features
from pyzzicato.evaluation.classifier.network import (
    CLIP,
    HIDDEN,
    clips_of,
    distance,
    load_classifier,
)
from pyzzicato.evaluation.classifier.sources import between_sources
from pyzzicato.evaluation.classifier.training import among_main, by_work, measure, save, scores
from pyzzicato.music.notes import Note, NoteSequence


def tune(seed: int, seconds: float = 45.0) -> NoteSequence:
    dice = np.random.default_rng(seed)
    starts = np.sort(dice.uniform(0, seconds - 1, int(seconds * 4)))
    return NoteSequence(tuple(Note(s, s + 0.5, int(dice.integers(48, 84)), 70) for s in starts))


def piece(composer: str, work: int, kind: str = "performance", source: str = "home") -> Piece:
    rows = [(n.start, n.end, n.pitch, n.velocity) for n in tune(work)]
    name = f"{composer}-{work}"
    notes = np.array(rows, np.float32)
    path = f"{kind}/{source}__{name}.mid"
    return Piece(path, composer, name, name, "train", kind, "ours", 1, notes)


def test_features_are_shares_and_few_numbers() -> None:
    row = composer_features(tune(1, 20))
    assert row is not None
    assert row.shape == (WIDTH,)
    assert np.isfinite(row).all()
    assert (row[:22] ** 2).sum() == pytest.approx(1), "registers"


def test_what_does_not_tell_the_composer_is_left_out() -> None:
    music = tune(1, 20)
    loud = NoteSequence(tuple(note._replace(velocity=127) for note in music))
    assert np.array_equal(composer_features(loud), composer_features(music))  # type: ignore[arg-type]
    held = NoteSequence(tuple(note._replace(end=note.end + 2) for note in music))
    assert np.array_equal(composer_features(held), composer_features(music)), "pedal"  # type: ignore[arg-type]
    drums = music.merge([Note(0, 30, 36, is_drum=True)])
    assert np.array_equal(composer_features(drums), composer_features(music))  # type: ignore[arg-type]


def test_another_key_has_the_same_harmony() -> None:
    one, other = composer_features(tune(2, 20)), composer_features(tune(2, 20).transpose(5))
    assert one is not None
    assert other is not None
    heights = slice(66, -9)
    assert one[heights] == pytest.approx(other[heights], abs=1e-4), "all but registers, heights"
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
    begun = NoteSequence(tuple(note for note in music if CLIP <= note.start < 2 * CLIP))
    assert clips_of(music)[1] == pytest.approx(composer_features(begun)), "where a note begins"


def test_works_are_never_on_both_sides() -> None:
    pieces = [piece("bach", n) for n in range(12)] + [piece("chopin", n) for n in range(10)]
    pieces += [piece("satie", 1)]
    composers = known_composers(pieces)
    assert composers == ("bach", "chopin"), "one work of Satie is too few"
    pieces += [piece("bach", n, "score") for n in (3, 20)]
    clips = gather(pieces, composers)
    assert clips.features.shape == (48, VERSIONS, WIDTH)
    assert clips.score.sum() == 4
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
    weights = {k: v / np.sqrt(len(v)) if v.ndim == 2 else v for k, v in weights.items()}
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


def made_up_clips(dice: np.random.Generator, count: int = 240) -> Clips:
    """Two composers, works of two clips, forty numbers that tell them apart."""
    composer = np.repeat([0, 1], count // 2)
    features = dice.normal(0, 1, (count, 1, WIDTH)).astype(np.float16)
    features[:, 0, 5:45] += 2 * composer[:, None]
    work = np.array([str(n // 2) for n in range(count)])
    number = np.arange(count)
    turn = np.where(number // 2 % 10 == 0, number % 2, number // 2 % 2)  # every tenth is in both
    source = np.array(["one", "other"])[turn]
    return Clips(features, composer, work, np.arange(count) % 8 > 5, source)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_training_learns_what_is_there() -> None:
    pytest.importorskip("keras")
    from pyzzicato.evaluation.classifier.training import Plan, train

    clips = made_up_clips(np.random.default_rng(7), 120)
    weights = train(clips, 2, Plan(steps=72, batch=20))
    assert weights["hidden/kernel"].shape[1] == HIDDEN
    found = scores(weights, clips.features[:, 0]).argmax(axis=1)
    assert (found == clips.composer).mean() > 0.9


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_nobody_is_named_for_being_heard_often() -> None:
    pytest.importorskip("keras")
    from pyzzicato.evaluation.classifier.training import Plan, train

    composer = np.repeat([0, 1], [180, 20])  # drawn three times as often: by the root of the works
    alike = np.ones((200, 1, WIDTH), np.float16)
    work, source = np.arange(200).astype(str), np.full(200, "home")
    clips = Clips(alike, composer, work, np.zeros(200, np.bool_), source)
    plan = Plan(steps=400, batch=20, learning_rate=0.01, dropout=(0, 0, 0))
    often, seldom, never = scores(train(clips, 3, plan), alike[:1, 0])[0]
    assert often == pytest.approx(seldom, abs=0.5), "log 3 is 1.1"
    assert never < seldom - 0.5, "there is nothing to make up for"


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_sources_are_held_apart() -> None:
    pytest.importorskip("keras")
    from pyzzicato.evaluation.classifier.training import Plan

    clips = made_up_clips(np.random.default_rng(8))
    logs = np.log(np.where(np.eye(2)[clips.composer] > 0, 0.9, 0.1))
    found = between_sources(clips, logs, ("bach", "chopin"), Plan(steps=40, batch=20))
    assert found["performed"]["one"]["right"] == 1
    assert found["same_works"]["other"]["works"] > 4
    assert set(found["crossed"]) == {"one to other", "other to one"}
    for row in found["crossed"].values():
        assert row["right"] > 0.8, "what tells them is the same in both"


def test_performances_alone_are_counted() -> None:
    clips = made_up_clips(np.random.default_rng(9), 80)
    wrong = np.log(np.where(np.eye(2)[clips.composer] > 0, 0.1, 0.9))
    right = np.log(np.where(np.eye(2)[clips.composer] > 0, 0.9, 0.1))
    found = measure(clips, np.where(clips.score[:, None], wrong, right))
    assert (found["works_right"], found["main_scores_right"]) == (1, 0)
    assert found["works"] == len(set(clips.work[~clips.score]))
    assert np.trace(found["matrix"]) == found["works"]


def test_a_work_is_told_by_the_mean_of_its_clips() -> None:
    clips = made_up_clips(np.random.default_rng(10), 8)
    logs = np.log(np.tile([[0.9, 0.1], [0.2, 0.8]], (4, 1)))
    truth, votes = by_work(clips, logs)
    assert truth.tolist() == [0, 0, 1, 1]
    assert votes.argmax(axis=1).tolist() == [0, 0, 0, 0], "0.9 * 0.2 is more than 0.1 * 0.8"
    assert among_main(truth, votes).tolist() == [True, True, False, False]
    assert among_main(truth, votes, main=1).tolist() == [True, True], "among one alone"


def test_changes_keep_the_music() -> None:
    music = np.array([(n.start, n.end, n.pitch) for n in tune(11, 20)])
    dice = np.random.default_rng(12)
    for _ in range(20):
        found = changed(music, dice)
        assert found.shape == music.shape
        assert (np.diff(found[:, 0]) >= 0).all()
        assert (found[:, 1] >= found[:, 0]).all()
        assert abs(found[:, 2].mean() - music[:, 2].mean()) <= 4
        assert 0.7 < found[-1, 0] / music[-1, 0] < 1.35


def test_clips_are_kept_in_a_file(tmp_path: Path) -> None:
    clips = made_up_clips(np.random.default_rng(13), 8)
    keep(clips, tmp_path / "clips.npz")
    again = kept(tmp_path / "clips.npz")
    assert np.array_equal(again.features, clips.features)
    assert np.array_equal(again.source, clips.source)
