"""The GAN for a band: its graphs beside Keras, its neurons, a tiny training, its playing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyzzicato.codecs.multitrack_roll import MultitrackRoll
from pyzzicato.errors import ModelUnavailable
from pyzzicato.families.band.gan.discriminator import (
    MINE,
    STRUCK,
    drawn,
    given_too,
    played,
    strokes,
)
from pyzzicato.families.band.gan.evaluate import gan_scores
from pyzzicato.families.band.gan.generate import resting
from pyzzicato.families.band.gan.network import COND, NOISE
from pyzzicato.families.band.gan.published import published_generator
from pyzzicato.families.band.gan.training import distance, lacking
from pyzzicato.families.band.gan.windows import (
    GanPairs,
    cond_of,
    real_codes,
    roll_codes,
    roll_of,
    step_before,
)
from pyzzicato.families.band.planes import KEYS, SPANS, WIDTH, planes
from pyzzicato.generation.generator import Step, collect, collect_takes
from pyzzicato.metrics.band import variety
from pyzzicato.music.instruments import INSTRUMENTS, instrument_of
from pyzzicato.music.notes import HIGHEST_KEY, LOWEST_KEY, Note, NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import BlockGraph, weights_of
from pyzzicato.training.loop import train
from pyzzicato.training.recipes import load_keras, recipe
from tests.small_band_music import band_dataset, band_music

# TensorFlow's own, with NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

TOML = """
title = "Tiny"
family = "band.gan"
year = 2021
source = "a test"
summary = "Tiny."
composers = []
[config]
channels = 6
wide = 8
seeded = 4
discriminator = 6
encoder = 4
beta = 0.1
[training]
kinds = ["band:even"]
batch = 8
judge_alone = 1
steps_per_epoch = 2
epochs = 2
warm = 2
learning_rate_warm = 0.004
learning_rate = 0.002
learning_rate_judge = 0.002
[training.published]
steps_per_epoch = 1
epochs = 1
learning_rate = 0.0002
learning_rate_judge = 0.0004
"""
SEED = band_music(bars=4)
PIANO = NoteSequence(tuple(note for note in SEED if instrument_of(note) == 1))
SEEDS = {
    "empty": NoteSequence(),
    "one note": NoteSequence((Note(0.0, 0.5, 60),)),
    "a band": SEED,
    "piano only": PIANO,
    "drums only": NoteSequence((Note(0.0, 0.5, 38, 80, 0, True),)),
    "off the piano": NoteSequence((Note(0.0, 0.5, 5), Note(0.5, 1.0, 120))),
}
FORMS = ("ours", "published")


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, _untraced: None
) -> tuple[ModelInfo, dict[str, Any]]:
    """A tiny model after a handful of turns, and what training.json says of it."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    folder.mkdir()
    (folder / "model.toml").write_text(TOML)
    plan = recipe(folder, tmp_path_factory.mktemp("runs"))
    said: list[str] = []
    made = train(plan, band_dataset(), say=said.append)
    assert sum("val_loss" in line for line in said) == 4
    assert sum(line.startswith("alone") for line in said) == 1
    info = ModelInfo(
        "tiny", folder, "band.gan", "Tiny", "Tiny.", "a test", 2021, (), config=plan.config
    )
    return info, made


@pytest.fixture(scope="module")
def info(trained: tuple[ModelInfo, dict[str, Any]]) -> ModelInfo:
    return trained[0]


def steps(info: ModelInfo, seed: NoteSequence = SEED, takes: int = 1, **values: Any) -> list[Step]:
    generator = info.load()
    controls = generator.Controls(**{"seconds": 6.0, **values})
    return list(generator.generate(seed, controls, takes))


def window(number: int = 0) -> np.ndarray:
    """Two bars of the band, (1, 32, 5, 128)."""
    return MultitrackRoll().encode(band_music(2, number))[None, :32]


def noise(count: int, rng_seed: int = 1) -> np.ndarray:
    return np.random.default_rng(rng_seed).standard_normal((count, NOISE)).astype(np.float32)


def test_what_the_training_writes(trained: tuple[ModelInfo, dict[str, Any]]) -> None:
    info, made = trained
    json.dumps(made)
    assert made["epochs"] == 2
    assert made["weights"] == sum(weight.size for weight in weights_of(info.weights).values())
    assert made["validation_loss"] == min(round(row["val_loss"], 4) for row in made["history"])
    assert all(row["judge"] > 0.0 for row in made["history"])
    assert (info.folder / "published.onnx").is_file()


def test_the_graph_is_the_keras_model(info: ModelInfo) -> None:
    dice = np.random.default_rng(3)
    cond = (dice.random((3, 32, COND)) < 0.05).astype(np.float32)
    wanted = np.asarray(load_keras(info)([noise(3), cond]))
    found = BlockGraph(info.weights).run(noise=noise(3), cond=cond)["output"]
    assert found.shape == (3, 32, WIDTH)
    assert np.abs(found - wanted).max() <= 1e-4
    assert np.ptp(wanted) > 1, "there is something to compare"


def test_the_published_graph_is_the_keras_model(info: ModelInfo) -> None:
    path = info.folder / "published.onnx"
    stored = weights_of(path)
    model = published_generator({})
    for weight in model.weights:
        weight.assign(stored[weight.path].reshape(weight.shape))
    wanted = np.asarray(model([noise(3)]))
    found = BlockGraph(path).run(noise=noise(3))["output"]
    assert found.shape == (3, 32, 128, 5)
    assert np.abs(found - wanted).max() <= 1e-4


def some_logits() -> np.ndarray:
    """Logits (3, 32, 733) with a bar in which little is expected and a step with a tower."""
    logits = np.random.default_rng(2).normal(-6, 2, (3, 32, WIDTH)).astype(np.float32)
    logits[0, :16] -= 6
    logits[:, 20] += 3
    return logits


def test_what_is_taught_is_what_is_played() -> None:
    from keras import ops

    logits = some_logits()
    draws = np.random.default_rng(3).random((3, 5)).astype(np.float32)
    codes = drawn(logits, np.zeros((3, 5, 128), np.uint8), draws)
    made = ops.convert_to_numpy(played(ops.convert_to_tensor(logits), ops.convert_to_tensor(draws)))
    assert np.abs(made - strokes(planes(codes).astype(np.float32))).max() < 1e-5
    assert not (codes[0, :16] == 2).any(), "an instrument that is hardly expected rests"
    assert ((codes[:, :, 1:] == 2).sum(axis=-1) <= 6).all()
    assert (codes[:, 20, 1:] == 2).sum(axis=-1).max() == 6
    wanted = 1 / (1 + np.exp(-logits[1].astype(np.float64)))
    for part, (first, end) in enumerate(MINE):
        count = strokes(wanted)[:, first:end].sum() + draws[1, part]
        assert (codes[1, :, part] == 2).sum() == int(count)


def test_who_rests_begins_again_only_where_much_is_expected() -> None:
    logits = np.full((2, 32, WIDTH), -12.0, np.float32)
    logits[:, :16, 61 : 61 + 4] = -3.2  # of the piano 2.5 strokes in the first bar
    logits[:, 16:, 61 : 61 + 4] = -2.5  # and 4.9 in the second
    before = np.repeat(window(), 2, axis=0)
    before[1, :, 1] = 0
    found = resting(logits, before)
    assert np.array_equal(found[0], logits[0])
    assert (found[1, :16, 61 : 61 + KEYS] < -20).all()
    assert np.array_equal(found[1, 16:], logits[1, 16:])
    assert np.array_equal(found[1, :, 61 + KEYS :], logits[1, :, 61 + KEYS :])
    assert np.array_equal(resting(logits, np.zeros_like(before)), logits), "anyone may begin"


def test_given_instruments_take_the_place_of_made_ones() -> None:
    from keras import ops

    given = np.repeat(planes(window()), 2, axis=0)
    lock = np.array([[0, 0, 0, 0, 0], [1, 0, 0, 1, 0]], bool)
    cond = cond_of(np.zeros((2, 32, WIDTH), np.float32), given, lock)
    made = np.random.default_rng(1).integers(0, 2, (2, 32, STRUCK)).astype(np.float32)
    found = ops.convert_to_numpy(given_too(ops.convert_to_tensor(made), cond))
    assert np.array_equal(found[0], made[0])
    for part, (first, end) in enumerate(MINE):
        wanted = strokes(given) if lock[1, part] else made
        assert np.array_equal(found[1, :, first:end], wanted[1, :, first:end])
    assert (MINE[1][1] - MINE[1][0], STRUCK) == (KEYS, 61 + 4 * KEYS)


def test_a_batch_becomes_the_codes_it_was_made_of() -> None:
    pieces = band_dataset(("train",)).pieces
    batch = GanPairs(pieces, {"batch": 8}).batch(np.random.default_rng(1), training=False)
    codes = real_codes(batch)
    assert np.array_equal(planes(codes), batch.rows[:, 1:])
    before = step_before(batch)
    assert np.array_equal(planes(before[:, None])[:, 0, 61 + KEYS :], batch.rows[:, 0, 61 + KEYS :])


def test_published_rolls() -> None:
    roll = roll_of(planes(window()).astype(np.float32))
    assert roll.shape == (1, 32, 128, 5)
    assert np.array_equal(np.moveaxis(roll[0] > 0, -1, 1), window()[0] > 0)
    # Chances that add up to as many cells, all below a half: the likeliest are taken.
    unsure = np.zeros_like(roll)
    for part, (low, high) in enumerate(SPANS):
        mine = roll[0, :, low:high, part]
        rest = 0.6 * mine.sum() / (mine.size - mine.sum())
        unsure[0, :, low:high, part] = np.where(mine > 0, 0.4, rest)
    assert unsure.max() < 0.5
    assert np.array_equal(roll_codes(unsure), roll_codes(roll))
    codes = roll_codes(roll)
    assert set(np.unique(codes[0, :, 0])) == {0, 2}
    assert (codes[0, 0] == 2).sum() == (window()[0, 0] > 0).sum()
    assert np.array_equal(codes[0, :, 1:] > 0, window()[0, :, 1:] > 0)


def test_batches_give_some_instruments_and_silence_others() -> None:
    pairs = GanPairs(band_dataset(("train",) * 4).pieces, {"batch": 128})
    batch = pairs.batch(np.random.default_rng(1))
    assert batch.cond.shape == (128, 32, COND)
    lock = batch.cond[:, 0, -5:]
    assert 20 < lock.any(axis=1).sum() < 90
    assert not lock.all(axis=1).any()
    drums, real = lock[:, 0] > 0, batch.rows[:, 1:]
    given = batch.cond[..., WIDTH : WIDTH + 61]
    assert np.array_equal(given[drums], real[drums][..., :61])
    assert given[~drums].sum() == 0
    plays = np.stack(
        [strokes(batch.cond[..., :WIDTH])[..., a:b].any(axis=(1, 2)) for a, b in MINE], axis=1
    )
    assert (plays.sum(axis=1) == 1).any(), "one that the others join"
    assert (plays.sum(axis=1) == 0).any()
    assert (plays.sum(axis=1) == 5).sum() > 64
    plain = pairs.batch(np.random.default_rng(1), training=False)
    assert plain.cond[..., WIDTH:].sum() == 0
    assert not np.array_equal(plain.noise, plain.other)


def test_the_distance_knows_real_music_silence_and_sameness() -> None:
    real = np.concatenate([window(number) for number in range(4)])
    assert distance(real, real) == 0.0
    assert distance(np.zeros_like(real), real) > 1.0
    assert lacking(real, np.roll(real, 1, axis=0), real) == 0.0
    same = np.repeat(real[:1], 4, axis=0)
    assert variety(same) == 0.0
    assert lacking(same, same, real) == 2.0
    assert lacking(real, real, real) == 1.0


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SEEDS)
def test_any_seed_will_do_and_it_ends_in_time(info: ModelInfo, name: str, form: str) -> None:
    now = [0.0, 0.0]
    for step in steps(info, SEEDS[name], 2, form=form):
        assert now[step.take] <= step.time <= now[step.take] + 1.0
        for note in step.notes:
            assert now[step.take] - 1e-6 <= note.end <= 6.0
            assert LOWEST_KEY <= note.pitch <= HIGHEST_KEY
        now[step.take] = step.time
    assert now == [6.0, 6.0]


@pytest.mark.parametrize("form", FORMS)
def test_a_take_is_the_same_however_many_there_are(info: ModelInfo, form: str) -> None:
    five, three, two, alone = (
        collect_takes(steps(info, takes=n, form=form), n) for n in (5, 3, 2, 1)
    )
    assert five[:3] == three
    assert three[:2] == two
    assert two[:1] == alone
    if form == "ours":
        assert len({take.notes for take in five}) == 5
        assert collect(steps(info, wildness=0.2)) != alone[0]
        assert collect(steps(info, rng_seed=2)) != alone[0]
        assert collect(steps(info, PIANO)) != alone[0]


def test_kept_instruments_stay_and_the_others_hear_them(info: ModelInfo) -> None:
    music = collect(steps(info, SEED, keep="Drums+Piano"))
    for place in (0, 1):
        own = [n for n in SEED if instrument_of(n) == place and n.end <= 6]
        assert [n for n in music if instrument_of(n) == place and n.end < 6] == [
            n for n in own if n.end < 6
        ]
    assert {instrument_of(n) for n in music} == set(range(len(INSTRUMENTS)))
    later = NoteSequence(tuple(n for n in SEED if instrument_of(n) != 1)).merge(PIANO.shift(0.25))
    rest = [
        [n for n in collect(steps(info, seed, keep="Piano")) if instrument_of(n) == 3]
        for seed in (SEED, later)
    ]
    assert rest[0] != rest[1]


def test_without_the_published_weights_it_says_so(info: ModelInfo, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(info.weights.read_bytes())
    lone = ModelInfo("lone", tmp_path, "band.gan", "L", "L.", "a test", 2021, (), {})
    with pytest.raises(ModelUnavailable, match=r"published\.onnx is missing"):
        lone.load()


def test_scores(info: ModelInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, few in (("COUNT", 3), ("FEW", 3), ("STARTS", 1)):
        monkeypatch.setattr(f"pyzzicato.families.band.evaluate.{name}", few)
    like, measures = gan_scores(info, band_dataset(("val", "test", "test")), lambda _: None)
    assert {score.by for score in like.scores} >= {"this model", "as published"}
    assert "3 openings" in measures.note
