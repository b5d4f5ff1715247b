"""The five VAEs: the graph beside Keras, playing, styles, the map, morphing; random weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from pyzzicato.codecs.multitrack_roll import MultitrackRoll, spans_of
from pyzzicato.data.band import BandMusic
from pyzzicato.data.pieces import Dataset
from pyzzicato.errors import InvalidControl, ModelUnavailable, PyzzicatoError, UnknownName
from pyzzicato.families.band.pairs import pairs_of
from pyzzicato.families.band.planes import PARTS, home_shift, shifted, window_nats
from pyzzicato.families.band.vae import family as style_vae
from pyzzicato.families.band.vae.evaluate import style_windows, vae_told
from pyzzicato.families.band.vae.generate import STYLES_FILE, StyleGenerator
from pyzzicato.families.band.vae.styles import (
    between,
    by_lot,
    load_library,
    make_library,
    middles,
    style_of,
)
from pyzzicato.generation.generator import Step, collect, collect_takes
from pyzzicato.music.instruments import INSTRUMENTS, instrument_of
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import BlockGraph, weights_of
from pyzzicato.training.loop import train
from pyzzicato.training.recipes import load_keras, recipe
from tests.small_band_music import band_seeds, beaten_chords

SIZE = 4
CONFIG = {
    "latents": SIZE, "beat": 6, "hidden": 10, "lead": 8, "beta": 0.2, "free": 0.1,
    "lure": 0.3, "dropout": 0.2, "batch": 3
}  # fmt: skip
GROOVES = ("Tango1+TangoSus", "FastJazzWaltz+FastJazzWaltz")


def shapes() -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for part, (name, (first, end)) in enumerate(zip(style_vae.NAMES, PARTS, strict=True)):
        width = 4 * (end - first)
        asked = SIZE if part == 1 else 2 * SIZE
        for layer, kernel in {
            "beat": (width, 6), "heard": (48, 10), "latents": (10, 2 * SIZE), "thought": (SIZE, 10),
            "beats": (10, 48), "played": (6, width), "lead_0": (asked, 8), "lead_1": (8, 8),
            "lead_2": (8, 2 * SIZE),
        }.items():  # fmt: skip
            found[f"{name}_{layer}/kernel"], found[f"{name}_{layer}/bias"] = kernel, kernel[1:]
    return found


def piece(number: int, split: str = "train") -> BandMusic:
    return BandMusic(
        path=f"a/{number}.mid", composer="ours", work=f"w{number}", split=split,
        title=f"{number} / MMA {GROOVES[number % 2]}", kind="multitrack", licence="ours",
        recordings=1, notes=np.zeros((1, 4), np.float32), qpm=90.0,
        spans=spans_of(beaten_chords(number)), meter=(4, 4),
    )  # fmt: skip


def dataset() -> Dataset:
    splits = ["train"] * 10 + ["val"] * 2 + ["test"] * 3
    return Dataset(tuple(piece(n, split) for n, split in enumerate(splits)), (), Path())


@pytest.fixture(scope="module")
def info(tmp_path_factory: pytest.TempPathFactory) -> ModelInfo:
    """A model whose weights are drawn by lot, with styles of our own pieces."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    folder.mkdir()
    dice = np.random.default_rng(4)
    weights = {path: dice.normal(0, 0.5, shape) for path, shape in shapes().items()}
    for name in style_vae.NAMES:
        weights[f"{name}_played/bias"] -= 4.0  # few notes
    onnx.save(style_vae.export(weights, CONFIG)["model.onnx"], str(folder / "model.onnx"))
    made = ModelInfo("tiny", folder, "band.vae", "Tiny", "Tiny.", "a test", 2021, (), CONFIG)
    said: list[str] = []
    plan = recipe_of(made)
    style_vae.finish(plan, dataset(), said.append)
    assert said == ["tiny: styles Jazz waltz, Tango"]
    return made


def recipe_of(info: ModelInfo) -> Any:
    from pyzzicato.training.family import Recipe

    return Recipe(info.id, info.family, info.config, {}, info.folder, info.folder)


SEEDS = band_seeds()
SEED = SEEDS["four bars"]


def steps(info: ModelInfo, seed: NoteSequence = SEED, takes: int = 1, **values: Any) -> list[Step]:
    controls = info.controls(**{"seconds": 9.0, **values})
    return list(info.load().generate(seed, controls, takes))


def one(info: ModelInfo, seed: NoteSequence = SEED, **values: Any) -> NoteSequence:
    return collect(steps(info, seed, **values))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.usefixtures("_usual_policy")
def test_the_block_graph_is_the_keras_model(info: ModelInfo) -> None:
    """All that Keras tells of pairs of windows, told again from the graph's outputs."""
    assert set(weights_of(info.weights)) == set(shapes())
    batch, _ = style_vae.examples([piece(1), piece(2)], CONFIG, training=True).batch(
        np.random.default_rng(1)
    )
    wanted = np.asarray(load_keras(info)(batch))
    roll = batch["roll"].astype(np.float32)
    noise = batch["noise"].reshape(-1, 2, 5, SIZE)
    choice = np.zeros((3, 5, 3), np.float32)
    choice[..., 1] = 1
    graph, latents, found = BlockGraph(info.weights), np.zeros((3, 5, SIZE), np.float32), []
    for half in range(2):
        rows = np.ascontiguousarray(roll[:, 32 * half : 32 * half + 33])
        made = graph.run(latents=latents, roll=rows[:, 1:], noise=noise[:, half], choice=choice)
        lead, log_sd, mean, log_var = np.moveaxis(made["told"], 2, 0)
        kl = 0.5 * (np.exp(log_var) + mean**2 - 1 - log_var)
        found.append((window_nats(rows, made["output"]).sum(axis=1), kl))
        latents = made["next"]
    nats = 0.5 * (found[0][0] + found[1][0])
    each = np.stack([found[0][1], found[1][1]], axis=1)
    apart = (np.exp(log_var) + (mean - lead) ** 2) * np.exp(-2 * log_sd)
    told = [
        nats,
        0.5 * each.sum(axis=(1, 2, 3)),
        np.full(3, 0.2 * np.maximum(each.mean(axis=(0, 1)), 0.1).sum()),
        (0.5 * (apart - 1 - log_var) + log_sd).sum(axis=(1, 2)),
    ]
    assert np.stack(told, axis=-1) == pytest.approx(wanted, rel=1e-4)
    # What is led on or taken as it is, is so.
    led = graph.run(
        latents=latents, roll=roll[:, 1:33], noise=noise[:, 0], choice=np.roll(choice, -1, axis=2)
    )
    mean, log_sd = np.moveaxis(led["told"], 2, 0)[:2]
    assert led["next"] == pytest.approx(mean + np.exp(log_sd) * noise[:, 0], abs=1e-4)
    as_it_is = graph.run(
        latents=latents, roll=roll[:, 1:33], noise=noise[:, 0], choice=np.roll(choice, 1, axis=2)
    )
    assert (as_it_is["next"] == latents).all()


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
        assert {instrument_of(note) for note in take} == set(range(5)), "arranged for five"


def test_a_take_is_the_same_however_many_there_are(info: ModelInfo) -> None:
    five, two, alone = (collect_takes(steps(info, takes=n), n) for n in (5, 2, 1))
    assert five[:2] == two
    assert two[:1] == alone
    assert len({take.notes for take in five}) == 5


def test_what_changes_the_music(info: ModelInfo) -> None:
    usual = one(info)
    assert one(info) == usual
    assert one(info, rng_seed=2) != usual
    assert one(info, noise_sd=0.0) != usual
    assert one(info, SEEDS["piano only"]) != usual
    assert one(info, noise_sd=0.0) == one(info, noise_sd=0.0, rng_seed=1)
    assert one(info, style="Tango") != usual
    assert one(info, style="Tango", alpha=0.0) == usual
    assert one(info, style="Tango", alpha=1.0) != one(info, style="Jazz waltz", alpha=1.0)
    assert one(info, style="seed") != usual
    assert one(info, NoteSequence(), style="seed") == one(info, NoteSequence())
    with pytest.raises(InvalidControl):
        one(info, style="Polka")


def test_a_style_alone_leaves_nothing_of_the_seed(info: ModelInfo) -> None:
    """With alpha 1 what leads on begins with the style in every step."""
    other = NoteSequence(tuple(n._replace(pitch=45) if n.is_drum else n for n in SEED))
    alone, shared = (
        [one(info, seed, style="Tango", alpha=alpha) for seed in (SEED, other)]
        for alpha in (1.0, 0.5)
    )
    assert alone[0] == alone[1]
    assert shared[0] != shared[1]


def test_several_styles_at_once(info: ModelInfo) -> None:
    generator = info.load()
    assert isinstance(generator, StyleGenerator)
    controls = info.controls(seconds=9.0, rng_seed=1)

    def mixed(*styles: NoteSequence | str) -> NoteSequence:
        return collect(generator.generate(SEED, controls, 1, styles))

    theirs = MultitrackRoll().decode(beaten_chords(8))
    assert mixed() == one(info)
    assert mixed("Tango") == one(info, style="Tango")
    assert len({mixed(*s).notes for s in (("tango",), (theirs,), ("Tango", theirs), ())}) == 4
    assert mixed(NoteSequence()) == mixed(), "a piece without notes has no style"
    with pytest.raises(UnknownName, match=r"choose one of Jazz waltz, Tango\.$"):
        mixed("polka")


@pytest.mark.parametrize("keep", ["Piano", "Drums+Bass", "Drums+Guitar+Bass+Strings"])
def test_what_is_kept_stays_and_the_rest_is_made_to_it(info: ModelInfo, keep: str) -> None:
    kept = [INSTRUMENTS.index(name) for name in keep.split("+")]

    def parts(sequence: NoteSequence, which: list[int]) -> set[tuple[float, int, int]]:
        return {
            (round(n.start, 4), n.pitch, n.program)
            for n in sequence
            if instrument_of(n) in which and n.start < SEED.duration - 1e-6
        }

    made, again = (one(info, keep=keep, seconds=8.0, rng_seed=n) for n in (1, 2))
    assert parts(made, kept) == parts(again, kept) == parts(SEED, kept)
    others = [n for n in range(5) if n not in kept]
    assert parts(made, others) != parts(SEED, others)
    assert parts(made, others) != parts(again, others)
    # What is made depends on what is kept.
    moved = NoteSequence(
        tuple(n if n.is_drum else n._replace(pitch=n.pitch + n.start.__ceil__() % 3) for n in SEED)
    )
    assert parts(one(info, moved, keep=keep, seconds=8.0), others) != parts(made, others)


def test_morphing_begins_with_one_and_ends_with_the_other(info: ModelInfo) -> None:
    generator = info.load()
    assert isinstance(generator, StyleGenerator)
    first, second = (MultitrackRoll().decode(beaten_chords(n, 8)) for n in (6, 7))
    made = generator.morph(first, second, 5)
    codes = MultitrackRoll().encode(made)
    home = home_shift(MultitrackRoll().encode(first))
    ends = [
        generator.decode(generator.latents(m)[[place]]) for m, place in ((first, 0), (second, 0))
    ]
    assert (codes[:32] == shifted(ends[0], -home)).mean() > 0.999
    assert 4 * 32 < len(codes) <= 5 * 32
    assert generator.morph(first, second, 1).duration <= 4.0
    assert len(generator.morph(NoteSequence(), NoteSequence(), 2)) >= 0
    assert (generator.latents(first) == generator.latents(MultitrackRoll().encode(first))).all()


def test_each_source_comes_as_often_as_the_others() -> None:
    short, long = np.zeros((1, 5, 4)), np.arange(1.0, 31.0)[:, None, None] * np.ones((5, 4))
    drawn = by_lot([short, long], np.linspace(0, 1, 600, endpoint=False, dtype=np.float32))
    assert drawn.shape == (600, 5, 4)
    counts = np.bincount(drawn[:, 0, 0].astype(int))
    assert counts[0] == 300
    assert counts[1:] == pytest.approx(np.full(30, 10), abs=1)


def test_between_is_an_arc() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 5, 16))
    assert between(a, b, 0.0) == pytest.approx(a)
    assert between(a, b, 1.0) == pytest.approx(b)
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b)]
    assert np.linalg.norm(between(unit[0], unit[1], 0.3), axis=1) == pytest.approx(np.ones(5))
    assert between(a, a, 0.3) == pytest.approx(a)
    assert between(a, np.zeros_like(a), 0.5) == pytest.approx(a / 2)


def test_middles_are_those_of_groups() -> None:
    rng = np.random.default_rng(2)
    wanted = rng.normal(0, 10, (3, 5, 4))
    counts = (50, 30, 20)
    latents = np.concatenate(
        [rng.normal(0, 0.1, (n, 5, 4)) + middle for n, middle in zip(counts, wanted, strict=True)]
    )
    assert middles(latents, 3) == pytest.approx(wanted, abs=0.15)
    assert middles(latents[:1], 3) == pytest.approx(np.repeat(latents[:1], 3, axis=0))


def test_the_map(info: ModelInfo) -> None:
    library = load_library(info.folder / STYLES_FILE)
    assert library.names == ("Jazz waltz", "Tango")
    assert library.pieces.shape == (10, 2)
    assert library.pieces.mean(axis=0) == pytest.approx(np.zeros(2), abs=0.02)
    spread = library.pieces.std(axis=0)
    assert spread[0] >= spread[1]
    for name, (x, y) in library.spots.items():
        assert library.nearest(x, y) == name
    assert library.places(library.points()).shape == (16, 2)
    generator = info.load()
    assert isinstance(generator, StyleGenerator)
    place = library.places(generator.latents(beaten_chords(0)).mean(axis=0))
    assert np.abs(place - library.pieces[0]).max() < 0.05


def test_styles_of_pieces_and_files_that_are_not_there(tmp_path: Path) -> None:
    assert style_of(piece(0)) == "Tango"
    assert style_of(piece(1)) == "Jazz waltz"
    few = [piece(n) for n in (0, 1, 2, 3, 4, 6)]
    library = make_library(few, lambda p: np.full((2, 5, 4), float(p.path[2])))
    assert library.names == ("Tango",), "a style is of four pieces or more"
    with pytest.raises(ModelUnavailable, match="styles"):
        load_library(tmp_path / "styles.npz")
    (tmp_path / "styles.npz").write_bytes(b"no")
    with pytest.raises(ModelUnavailable, match="styles"):
        load_library(tmp_path / "styles.npz")


def test_scores(info: ModelInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, few in (("COUNT", 4), ("FEW", 3), ("STARTS", 1), ("STYLE_SEEDS", 1)):
        monkeypatch.setattr(f"pyzzicato.families.band.evaluate.{name}", few)
    monkeypatch.setattr("pyzzicato.families.band.evaluate.ALPHAS", (0.0, 1.0))
    told = vae_told(info, dataset().split("test"))
    rows = told["ELBO, nats per window"]
    assert set(rows) == {"this model", "its VAEs alone", "how often each cell comes"}
    assert min(rows.values()) > 0
    cells = np.stack([after for _, after in pairs_of(dataset().split("test"))])
    sure = np.where(cells[:, 1:] == 1, 30.0, -30.0)
    assert window_nats(cells, sure) == pytest.approx(0.0, abs=1e-6)
    assert window_nats(cells, 0 * sure).sum() > len(cells) * 397 * 32 * np.log(2)
    assert set(style_windows(dataset().split("train"), ("Tango",))) == {"Tango"}
    with pytest.raises(PyzzicatoError, match="too little music"):
        vae_told(info, ())
    like, _, _, style = style_vae.scores(info, dataset(), say=lambda _: None)
    assert {score.by for score in like.scores} >= {"this model", "without noise", "noise 0.5"}
    assert "The styles: Jazz waltz and Tango." in style.note


TOML = """
title = "Tiny"
family = "band.vae"
year = 2021
source = "a test"
summary = "Tiny."
composers = []
[config]
latents = 4
beat = 6
hidden = 10
lead = 8
beta = 0.2
free = 0.1
lure = 0.3
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
"""


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Even though:UserWarning")
@pytest.mark.usefixtures("_untraced", "_usual_policy")
def test_it_is_trained_exported_and_played(tmp_path: Path) -> None:
    folder = tmp_path / "models" / "tiny_vae"
    folder.mkdir(parents=True)
    (folder / "model.toml").write_text(TOML)
    plan = recipe(folder, tmp_path / "runs")
    made = train(plan, dataset(), say=lambda _: None)
    assert made["epochs"] == 2
    assert np.isfinite(made["validation_loss"])
    assert {path.name for path in folder.iterdir()} == {
        "model.toml", "model.onnx", "styles.npz", "training.json"
    }  # fmt: skip
    found = ModelInfo("t", folder, "band.vae", "T", "T.", "a test", 2021, (), plan.config)
    assert made["weights"] == sum(w.size for w in weights_of(found.weights).values())
    assert one(found, seconds=5.0).duration <= 5.0
