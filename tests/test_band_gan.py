"""The GAN for a band: its graphs beside Keras, its neurons, a tiny training, its playing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyzzicato.band_measures import variety
from pyzzicato.band_planes import SPANS, WIDTH, planes
from pyzzicato.codecs.multitrack_roll import INSTRUMENTS, MultitrackRoll, instrument_of
from pyzzicato.errors import ModelUnavailable
from pyzzicato.families import roll_gan
from pyzzicato.gan_network import COND, KIND_OF, NOISE, binary, given_too, published_generator
from pyzzicato.gan_training import distance
from pyzzicato.gan_windows import GanPairs, cells_of, codes_of, cond_of, roll_codes, roll_of
from pyzzicato.generator import Step, collect, collect_takes
from pyzzicato.notes import HIGHEST_KEY, LOWEST_KEY, Note, NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime import BlockGraph, weights_of
from pyzzicato.training import load_keras, recipe, train
from tests.small_band_music import band_dataset, band_music

# TensorFlow's own, with NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

TOML = """
title = "Tiny"
family = "roll_gan"
year = 2021
source = "a test"
summary = "Tiny."
composers = []
[config]
channels = 6
wide = 8
seeded = 4
judge = 6
[training]
kinds = ["band"]
batch = 4
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
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelInfo, dict[str, Any]]:
    """A tiny model after a handful of turns, and what training.json says of it."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    folder.mkdir()
    (folder / "model.toml").write_text(TOML)
    plan = recipe(folder, tmp_path_factory.mktemp("runs"))
    said: list[str] = []
    made = train(plan, band_dataset(), say=said.append)
    assert sum("val_loss" in line for line in said) == 3
    assert sum(line.startswith("alone") for line in said) == 1
    info = ModelInfo(
        "tiny", folder, "roll_gan", "Tiny", "Tiny.", "a test", 2021, (), config=plan.config
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


def test_binary_neurons_are_as_many_as_the_chances_add_up_to(info: ModelInfo) -> None:
    from keras import ops

    logits = np.random.default_rng(2).normal(-4, 1.5, (3, 32, WIDTH)).astype(np.float32)
    lock = np.array([[0, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0, 1, 0, 1, 0]], bool)
    given = np.repeat(planes(window()), 3, axis=0)
    cond = cond_of(np.zeros((3, 32, WIDTH), np.float32), given, lock)
    cells = cells_of(logits, cond)
    made = ops.convert_to_numpy(given_too(binary(ops.convert_to_tensor(logits)), cond))
    assert np.abs(made - cells).max() < 1e-5
    assert set(np.unique(cells)) == {0.0, 1.0}
    wanted = (1 / (1 + np.exp(-logits[0]))).sum(axis=0) @ KIND_OF
    found = cells[0].sum(axis=0) @ KIND_OF
    struck = [0, 1, 3, 5, 7]
    assert np.abs(found[struck] - wanted[struck]).max() <= 1.5
    assert np.array_equal(cells[1, :, :61], given[1, :, :61])
    assert np.array_equal(cells[2, :, 61 : 61 + 168], given[2, :, 61 : 61 + 168])
    assert not np.array_equal(cells[2, :, :61], given[2, :, :61])


def test_planes_become_the_codes_they_were_made_of() -> None:
    codes = window()
    before = np.zeros((1, 5, 128), np.uint8)
    assert np.array_equal(codes_of(planes(codes).astype(np.float32), before), codes)
    held = planes(codes).astype(np.float32)
    held[:, 0] = 0  # the beginnings of what sounds are lost, unless it sounded before
    assert codes_of(held, before)[0, 1, 4].sum() == 0
    before[0, 4, 76] = 1
    held[:, 0, WIDTH - 84 + 76 - 24] = 1
    assert codes_of(held, before)[0, 0, 4, 76] == 1


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
    config = {"batch": 64}
    pairs = GanPairs(band_dataset(("train",) * 4).pieces, config)
    batch = pairs.batch(np.random.default_rng(1))
    assert batch.cond.shape == (64, 32, COND)
    lock = batch.cond[:, 0, -5:]
    assert 10 < lock.any(axis=1).sum() < 45
    assert not lock.all(axis=1).any()
    drums = lock[:, 0] > 0
    given = batch.cond[..., WIDTH : WIDTH + 61]
    assert np.array_equal(given[drums], batch.real[drums][..., :61])
    assert given[~drums].sum() == 0
    silent = batch.cond[..., :WIDTH].sum(axis=(1, 2)) == 0
    assert 0 < silent.sum() < 20
    plain = pairs.batch(np.random.default_rng(1), training=False)
    assert plain.cond[..., WIDTH:].sum() == 0
    assert not np.array_equal(plain.noise, plain.other)


def test_the_distance_knows_real_music_silence_and_sameness() -> None:
    real = np.concatenate([window(number) for number in range(4)])
    assert distance(real, real) == 0.0
    assert distance(np.zeros_like(real), real) > 1.2
    same = np.repeat(real[:1], 4, axis=0)
    assert variety(same) == 0.0
    assert distance(same, real) >= 1.0


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
    lone = ModelInfo("lone", tmp_path, "roll_gan", "L", "L.", "a test", 2021, (), {})
    with pytest.raises(ModelUnavailable, match=r"published\.onnx is missing"):
        roll_gan.load(lone)


def test_scores(info: ModelInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, few in (("COUNT", 3), ("FEW", 3), ("STARTS", 1)):
        monkeypatch.setattr(f"pyzzicato.band_scores.{name}", few)
    sheet = roll_gan.scores(info, band_dataset(("val", "test", "test")), lambda _: None)["band"]
    json.dumps(sheet)
    assert sheet["forms"] == {"new": {}, "as published": {"form": "published"}}
    assert "told" not in sheet
