"""The MelodyCNN and the HarmonyCNNs: their graph beside Keras, playing, scores; random weights."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from pyzzicato.codecs.multitrack_roll import spans_of
from pyzzicato.data.band import BandMusic
from pyzzicato.data.pieces import Dataset
from pyzzicato.errors import PyzzicatoError
from pyzzicato.families.band.cnn import family as melody_harmony_cnn
from pyzzicato.families.band.cnn.evaluate import cnn_told
from pyzzicato.families.band.cnn.generate import CnnGenerator
from pyzzicato.families.band.planes import PARTS, window_nats
from pyzzicato.generation.generator import Step, collect, collect_takes
from pyzzicato.music.instruments import INSTRUMENTS, instrument_of
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import BlockGraph, weights_of
from pyzzicato.training.loop import train
from pyzzicato.training.recipes import load_keras, recipe
from tests.small_band_music import band_seeds, beaten_chords

SIZE = 3
CONFIG = {
    "channels": [4, 5, 6], "dense": 7, "noise": SIZE, "beta": 0.2, "free": 0.1, "dropout": 0.1,
    "joining": 0.5, "batch": 3,
}  # fmt: skip
PUBLISHED = {**CONFIG, "noise": 0}
FORMS = {"noise": CONFIG, "published": PUBLISHED}


def shapes(size: int = SIZE) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}

    def reader(name: str, part: int) -> None:
        widths = (PARTS[part][1] - PARTS[part][0], 4, 5, 6)
        for depth in range(3):
            found[f"{name}_{depth}/kernel"] = (4, widths[depth], widths[depth + 1])

    for part, name in enumerate(melody_harmony_cnn.NAMES):
        reader(f"{name}_before", part)
        joined = 24 if part == 1 else 48
        if part != 1:
            reader(f"{name}_piano", 1)
        if size:
            reader(f"{name}_after", part)
            found[f"{name}_guess/kernel"] = (24 + joined, 2 * size)
        dense = (
            ((joined, 7), (7, 7), (7 + size, 24)) if part == 1 else ((joined, 7), (7 + size, 24))
        )
        for number, kernel in enumerate(dense):
            found[f"{name}_dense_{number}/kernel"] = kernel
        widths = (6, 5, 4, PARTS[part][1] - PARTS[part][0])
        for number in range(3):  # a transposed convolution's kernel: length, out, in
            found[f"{name}_wide_{number}/kernel"] = (4, widths[number + 1], widths[number])
    biases = {
        path.replace("kernel", "bias"): (kernel[1],) if "_wide_" in path else kernel[-1:]
        for path, kernel in found.items()
    }
    return found | biases


def piece(number: int, split: str = "train") -> BandMusic:
    return BandMusic(
        path=f"a/{number}.mid", composer="ours", work=f"w{number}", split=split, title="",
        kind="multitrack", licence="ours", recordings=1, notes=np.zeros((1, 4), np.float32),
        spans=spans_of(beaten_chords(number)), qpm=90.0, meter=(4, 4),
    )  # fmt: skip


def dataset() -> Dataset:
    splits = ["train"] * 4 + ["val"] * 2 + ["test"] * 3
    return Dataset(tuple(piece(n, split) for n, split in enumerate(splits)), (), Path())


def random_model(folder: Path, config: dict[str, Any]) -> ModelInfo:
    folder.mkdir()
    dice = np.random.default_rng(4)
    weights = {path: dice.normal(0, 0.4, s) for path, s in shapes(config["noise"]).items()}
    for name in melody_harmony_cnn.NAMES:
        weights[f"{name}_wide_2/bias"] -= 4.5  # few notes
    onnx.save(melody_harmony_cnn.export(weights, config)["model.onnx"], str(folder / "model.onnx"))
    return ModelInfo("tiny", folder, "band.cnn", "Tiny", "Tiny.", "a test", 2021, (), config)


@pytest.fixture(scope="module")
def info(tmp_path_factory: pytest.TempPathFactory) -> ModelInfo:
    """A model with noise whose weights are drawn by lot."""
    return random_model(tmp_path_factory.mktemp("models") / "noise", CONFIG)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> ModelInfo:
    """One without noise."""
    return random_model(tmp_path_factory.mktemp("models") / "published", PUBLISHED)


SEEDS = band_seeds()
SEED = SEEDS["four bars"]


def steps(info: ModelInfo, seed: NoteSequence = SEED, takes: int = 1, **values: Any) -> list[Step]:
    generator = info.load()
    return list(generator.generate(seed, info.controls(**{"seconds": 9.0, **values}), takes))


def one(info: ModelInfo, seed: NoteSequence = SEED, **values: Any) -> NoteSequence:
    return collect(steps(info, seed, **values))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.usefixtures("_usual_policy")
@pytest.mark.parametrize("form", FORMS)
def test_the_block_graph_is_the_keras_model(
    form: str, info: ModelInfo, published: ModelInfo
) -> None:
    """All that Keras tells of pairs of windows, told again from the graph's outputs."""
    found, size = (info, SIZE) if form == "noise" else (published, 0)
    assert set(weights_of(found.weights)) == set(shapes(size))
    examples = melody_harmony_cnn.examples([piece(1), piece(2)], FORMS[form], training=True)
    batch, _ = examples.batch(np.random.default_rng(1))
    wanted = np.asarray(load_keras(found)(batch))
    roll = batch["roll"].astype(np.float32)
    now, after = roll[:, 1:33], roll[:, 33:]
    inputs = {"previous": now, "piano": after}
    if size:
        noise = batch["noise"].reshape(-1, 5, size)
        inputs |= {"noise": noise, "after": after, "teach": np.ones((3, 1), np.float32)}
    made = BlockGraph(found.weights).run(**inputs)
    nats = window_nats(roll[:, 32:], made["output"]).sum(axis=1)
    kl = np.zeros((3, 5, max(size, 1)))
    if size:
        mean, log_var = np.moveaxis(made["told"], 2, 0)
        kl = 0.5 * (np.exp(log_var) + mean**2 - 1 - log_var)
    cost = 0.2 * np.maximum(kl.mean(axis=0), 0.1).sum() if size else 0.0
    told = np.stack([nats, kl.sum(axis=(1, 2)), np.full(3, cost)], axis=-1)
    assert told == pytest.approx(wanted, rel=1e-4)


def test_only_the_piano_of_the_new_bars_is_looked_at(info: ModelInfo) -> None:
    rng = np.random.default_rng(1)
    previous, piano, other = rng.random((3, 2, 32, PARTS[-1][1])).astype(np.float32)
    other[..., slice(*PARTS[1])] = piano[..., slice(*PARTS[1])]
    noise = rng.standard_normal((2, 5, SIZE)).astype(np.float32)
    graph, zeros = BlockGraph(info.weights), np.zeros((2, 1), np.float32)

    def run(window: np.ndarray) -> np.ndarray:
        return graph.run(
            previous=previous, piano=window, noise=noise, after=other * 0, teach=zeros
        )["output"]

    assert (run(piano) == run(other)).all()
    apart = np.abs(run(piano) - run(0 * piano)).max(axis=(0, 1))
    moved = [bool(apart[slice(*part)].any()) for part in PARTS]
    assert moved == [True, False, True, True, True], "the piano does not hear itself"


@pytest.mark.parametrize("takes", [1, 3])
@pytest.mark.parametrize("name", SEEDS)
def test_any_seed_will_do_and_it_ends_in_time(info: ModelInfo, name: str, takes: int) -> None:
    found = steps(info, SEEDS[name], takes)
    now = [0.0] * takes
    for step in found:
        assert now[step.take] <= step.time <= now[step.take] + 1.0
        for note in step.notes:
            assert now[step.take] - 1e-6 <= note.end <= 9.0
        now[step.take] = step.time
    assert now == [9.0] * takes
    for take in collect_takes(found, takes):
        assert {instrument_of(note) for note in take} == set(range(5))


def test_a_take_is_the_same_however_many_there_are(info: ModelInfo) -> None:
    five, two, alone = (collect_takes(steps(info, takes=n), n) for n in (5, 2, 1))
    assert five[:2] == two
    assert two[:1] == alone
    assert len({take.notes for take in five}) == 5


def test_what_changes_the_music(info: ModelInfo, published: ModelInfo) -> None:
    usual = one(info)
    assert one(info) == usual
    assert one(info, rng_seed=2) != usual
    assert one(info, variety=0.0) != usual
    assert one(info, variety=2.0) != usual
    assert one(info, SEEDS["piano only"]) != usual
    # As published there is one way on but for how many notes a fraction of one rounds to.
    assert one(published, variety=2.0) == one(published, variety=0.0)
    assert one(published) != one(published, SEEDS["piano only"])


@pytest.mark.parametrize("keep", ["Piano", "Drums+Bass", "Drums+Guitar+Bass+Strings"])
def test_what_is_kept_stays_and_the_rest_is_made_to_it(
    info: ModelInfo, published: ModelInfo, keep: str
) -> None:
    kept = [INSTRUMENTS.index(name) for name in keep.split("+")]
    others = [n for n in range(5) if n not in kept]

    def parts(sequence: NoteSequence, which: list[int]) -> set[tuple[float, int, int]]:
        return {
            (round(n.start, 4), n.pitch, n.program)
            for n in sequence
            if instrument_of(n) in which and n.start < SEED.duration - 1e-6
        }

    made, again = (one(info, keep=keep, seconds=8.0, rng_seed=n) for n in (1, 2))
    assert parts(made, kept) == parts(again, kept) == parts(SEED, kept)
    assert parts(made, others) != parts(SEED, others)
    assert parts(made, others) != parts(again, others)
    plain = one(published, keep=keep, seconds=8.0)
    assert parts(plain, kept) == parts(SEED, kept)


def test_the_piano_that_is_taken_suits_what_is_kept_best(info: ModelInfo) -> None:
    """Of eight pianos: its own nats of what is kept are the least of all."""
    generator = info.load()
    assert isinstance(generator, CnnGenerator)
    rng = np.random.default_rng(3)
    codes = np.stack([beaten_chords(1, 2), beaten_chords(2, 2)])
    noise = rng.standard_normal((2, 8, 5, SIZE)).astype(np.float32)
    before, draws, given = codes[:, -1], rng.random((2, 5), np.float32), beaten_chords(4, 2)
    kept = np.array([True, False, False, True, False])
    made = generator.next_window(codes, before, noise, draws, given, kept)
    one_by_one = np.stack(
        [
            generator.next_window(
                codes, before, np.repeat(noise[:, n : n + 1], 8, axis=1), draws, given, kept
            )
            for n in range(8)
        ]
    )
    chosen = [
        [bool((one_by_one[n, take] == made[take]).all()) for n in range(8)] for take in range(2)
    ]
    assert all(any(row) for row in chosen)
    assert len({tuple(row) for row in chosen}) == 2 or chosen[0] != [True] + [False] * 7
    assert (made[:, :, kept] == given[None][:, :, kept]).all()


def test_scores(
    info: ModelInfo, published: ModelInfo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder, beside = tmp_path / "models" / "noise", tmp_path / "runs" / "tiny_published"
    shutil.copytree(info.folder, folder)
    shutil.copytree(published.folder, beside)
    info = replace(info, folder=folder)
    for name, few in (("COUNT", 4), ("FEW", 3), ("STARTS", 1)):
        monkeypatch.setattr(f"pyzzicato.families.band.evaluate.{name}", few)
    for found, forms, what in (
        (info, {"without noise", "as published"}, "ELBO, nats per window"),
        (published, set(), "nats per window"),
    ):
        like, told, _ = melody_harmony_cnn.scores(found, dataset(), say=lambda _: None)
        others = {"this model", "the opening again", "real music"}
        assert {score.by for score in like.scores} - others == forms
        assert [measure.name for measure in told.measures] == [what]
        assert all((score.value or 0) > 0 for score in told.scores)
    with pytest.raises(PyzzicatoError, match="too little music"):
        cnn_told(info, ())


def test_instruments_join_in_training_only() -> None:
    def silent(training: bool) -> int:
        examples = melody_harmony_cnn.examples(
            dataset().split("train"), {**CONFIG, "batch": 40}, training=training
        )
        roll = examples.batch(np.random.default_rng(1))[0]["roll"]
        alone = [~roll[:, :33, slice(*part)].any(axis=(1, 2)) for part in PARTS]
        assert all(roll[:, 33:, slice(*part)].any(axis=(1, 2)).all() for part in PARTS)
        return int(np.sum(alone))

    assert silent(False) == 0
    assert 25 <= silent(True) <= 75


TOML = """
title = "Tiny"
family = "band.cnn"
year = 2021
source = "a test"
summary = "Tiny."
composers = []
[config]
channels = [4, 5, 6]
dense = 7
noise = 3
beta = 0.2
free = 0.1
dropout = 0.1
[training]
kinds = ["band"]
batch = 3
steps_per_epoch = 2
validation_steps = 1
epochs = 2
patience = 5
learning_rate = 0.001
quiet = true
[training.augmentation]
joining = 0.2
"""


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Even though:UserWarning")
@pytest.mark.usefixtures("_untraced", "_usual_policy")
def test_it_is_trained_exported_and_played(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "tiny_cnn"
    folder.mkdir(parents=True)
    (folder / "model.toml").write_text(TOML)
    plan = recipe(folder, tmp_path / "runs")
    made = train(plan, dataset(), say=lambda _: None)
    assert made["epochs"] == 2
    assert np.isfinite(made["validation_loss"])
    found = ModelInfo("t", folder, "band.cnn", "T", "T.", "a test", 2021, (), plan.config)
    assert made["weights"] == sum(w.size for w in weights_of(found.weights).values())
    assert one(found, seconds=5.0).duration <= 5.0
