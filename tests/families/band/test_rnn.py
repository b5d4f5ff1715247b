"""The band that is written step by step: what is read, the graphs beside Keras, the drawing."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from pyzzicato.codecs.multitrack_roll import MultitrackRoll
from pyzzicato.errors import PyzzicatoError
from pyzzicato.families.band.planes import PARTS, SPANS, WIDTH, planes
from pyzzicato.families.band.rnn.generate import StepBand, draw_keys
from pyzzicato.families.band.rnn.network import ROWS, base_width, step_graphs
from pyzzicato.families.band.rnn.windows import (
    ABOUT,
    HISTORY,
    KEYS,
    LAGS,
    ORDER,
    PARTS_STRUCK,
    BandReader,
    BandSteps,
    seen_in,
    step_loss,
    window_inputs,
)
from pyzzicato.generation.generator import Step, collect, collect_takes
from pyzzicato.music.instruments import INSTRUMENTS, instrument_of
from pyzzicato.music.notes import HIGHEST_KEY, LOWEST_KEY, Note, NoteSequence
from pyzzicato.registry import ModelInfo, model_info
from pyzzicato.runtime.session import StepGraph, weights_of
from pyzzicato.training.loop import train
from pyzzicato.training.recipes import load_keras, recipe
from tests.small_band_music import band_dataset, band_music

CONFIG: dict[str, Any] = {"told": 12, "units": 10, "head": 6, "part": 4, "dropout": 0.0}
RULES = ("one by one", "all at once", "each alone", "fixed counts")


def shapes() -> dict[str, tuple[int, ...]]:
    units, head = CONFIG["units"], CONFIG["head"]
    found: dict[str, tuple[int, ...]] = {
        "told/kernel": (WIDTH + ABOUT, 12),
        "told/bias": (12,),
        "gru/gru_cell/kernel": (12, 30),
        "gru/gru_cell/recurrent_kernel": (10, 30),
        "gru/gru_cell/bias": (2, 30),
        "base/kernel": (units + 12, base_width(CONFIG)),
        "base/bias": (base_width(CONFIG),),
        "plain/kernel": (units, KEYS),
        "plain/bias": (KEYS,),
    }
    for part, ((first, end), (a, b)) in enumerate(zip(PARTS, PARTS_STRUCK, strict=True)):
        keys, width = b - a, end - first
        found |= {
            f"part_{part}/kernel": (width, 4),
            f"part_{part}/bias": (4,),
            f"context_{part}/kernel": (16, head),
            f"known_{part}/kernel": (5, head),
            f"out_{part}/kernel": (head, width + 1),
            f"out_{part}/bias": (width + 1,),
            f"pairs_{part}/kernel": (keys, keys),
        }
        if width > keys:
            found[f"after_{part}/kernel"] = (keys, keys)
    return found


@pytest.fixture(scope="module")
def info(tmp_path_factory: pytest.TempPathFactory) -> ModelInfo:
    """A model whose weights are drawn by lot, with as many notes as real music."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    folder.mkdir()
    dice = np.random.default_rng(4)
    weights = {path: dice.normal(0, 0.4, shape) for path, shape in shapes().items()}
    for part in range(5):
        weights[f"pairs_{part}/kernel"] = np.triu(weights[f"pairs_{part}/kernel"], 1)
        weights[f"out_{part}/bias"][:-1] -= 3.0
    for name, graph in step_graphs(weights, CONFIG).items():
        onnx.save(graph, str(folder / name))
    return ModelInfo("tiny", folder, "band.rnn", "Tiny", "Tiny.", "a test", 2021, (), config=CONFIG)


SEED = band_music(bars=4)
PIANO = NoteSequence(tuple(note for note in SEED if instrument_of(note) == 1))
SEEDS = {
    "empty": NoteSequence(),
    "one note": NoteSequence((Note(0.0, 0.5, 60),)),
    "a band": SEED,
    "piano only": PIANO,
    "ten minutes": band_music(bars=300),
    "a late start": PIANO.shift(30.0),
    "drums only": NoteSequence((Note(0.0, 0.5, 38, 80, 0, True),)),
    "off the piano": NoteSequence((Note(0.0, 0.5, 5), Note(0.5, 1.0, 120))),
    "another instrument": NoteSequence((Note(0.0, 0.5, 70, 80, 73),)),
    "every key at once": NoteSequence(tuple(Note(0.0, 2.0, p, 127) for p in range(21, 109))),
}


def steps(info: ModelInfo, seed: NoteSequence = SEED, takes: int = 1, **values: Any) -> list[Step]:
    generator = info.load()
    controls = generator.Controls(**{"seconds": 6.0, **values})
    return list(generator.generate(seed, controls, takes))


def rows_of(sequence: NoteSequence) -> np.ndarray:
    return planes(MultitrackRoll().encode(sequence))


def test_what_is_read_step_by_step_is_what_is_read_at_once() -> None:
    codes = MultitrackRoll().encode(band_music(bars=6))
    rows = np.concatenate([np.zeros((HISTORY, WIDTH), np.uint8), planes(codes)])
    wanted = window_inputs(rows, place=0)
    reader = BandReader(2)
    for step in range(len(codes)):
        for name, values in reader.inputs().items():
            assert np.array_equal(values[1, 0], wanted[name][step]), (name, step)
        reader.push(np.repeat(codes[step : step + 1], 2, axis=0))
    again = reader.repeated(3).inputs()
    assert np.array_equal(again["back"][2], reader.inputs()["back"][0])


def test_what_is_read_says_what_was_struck_before_and_last() -> None:
    rows = np.zeros((HISTORY + 40, WIDTH), np.uint8)
    rows[HISTORY + 3, 5] = 1  # a drum
    read = window_inputs(rows, place=7)
    back = read["back"].reshape(40, ROWS, KEYS)
    for row, lag in enumerate(LAGS):
        assert np.flatnonzero(back[:, row].any(axis=1)).tolist() == ([3 + lag] if lag < 37 else [])
    assert np.flatnonzero(back[:, -1, 5]).tolist() == list(range(4, 40))
    assert read["roll"][4, 5] == 1
    assert read["roll"].sum() == 1
    assert read["about"][0, 7] == 1
    assert read["about"][0, 16 + 7] == 1
    ago = read["about"][:, -5]
    assert ago[3] == 1.0
    assert ago[4] == 1 / 32
    assert ago[39] == 1.0


def test_batches_tell_a_step_and_what_came_before_it() -> None:
    config = {"batch": 6, "window": 48, "joining": 0.5}
    pieces = band_dataset(("train",) * 3).pieces
    examples = BandSteps(pieces, config, training=True)
    joined = 0
    for number in range(4):
        inputs, truth = examples.batch(np.random.default_rng(number))
        assert truth.shape == (6, 48, 2 * WIDTH + 1)
        assert np.array_equal(truth[..., :WIDTH], inputs["now"])
        assert np.array_equal(truth[..., WIDTH:-1], inputs["roll"])
        told = truth[:, :-1, :WIDTH] == inputs["roll"][:, 1:]
        silent = ~told.all(axis=(1, 2))  # somebody was silent that really played
        joined += int(silent.sum())
        assert (truth[silent, 0, -1] == 0).all(), "what nobody could know does not count"
        for order in inputs["seen"].reshape(6, 5, 5):
            assert sorted(order.sum(axis=1)) == [0, 1, 2, 3, 4]
    assert joined > 2
    with pytest.raises(PyzzicatoError, match="no music for a band"):
        BandSteps([], config, training=True)


def test_orders() -> None:
    seen = seen_in(ORDER)
    assert seen[0].sum() == 0
    assert np.flatnonzero(seen[1]).tolist() == [0, 3], "the piano sees drums and bass"
    assert seen[4].sum() == 4


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_both_graphs_are_the_keras_model(info: ModelInfo) -> None:
    stored = weights_of(info.weights) | weights_of(info.folder / "heads.onnx")
    assert set(stored) == set(shapes())
    config = {"batch": 2, "window": 40}
    inputs, truth = BandSteps(band_dataset().pieces, config, training=False).batch(
        np.random.default_rng(2)
    )
    inputs = {name: values.astype(np.float32) for name, values in inputs.items()}
    wanted = np.asarray(load_keras(info)(inputs))
    graph, heads = StepGraph(info.weights), StepGraph(info.folder / "heads.onnx")
    read = {name: inputs[name] for name in ("roll", "about")}
    at_once, _ = graph.advance(read, graph.start(2))
    state, by_step = graph.start(2), []
    for step in range(40):
        now = {name: values[:, step : step + 1] for name, values in read.items()}
        output, state = graph.advance(now, state)
        by_step.append(output)
    assert np.abs(np.concatenate(by_step, axis=1) - at_once).max() <= 1e-4
    base = at_once[..., : base_width(CONFIG)]
    told, _ = heads.advance(
        {"base": base, **{name: inputs[name] for name in ("back", "now", "seen")}}, {}
    )
    assert np.abs(told - wanted[..., : WIDTH + 5]).max() <= 1e-4
    assert np.abs(at_once[..., base_width(CONFIG) :] - wanted[..., WIDTH + 5 :]).max() <= 1e-4
    assert np.abs(wanted).max() > 1, "there is something to compare"
    # The loss by hand, of one step.
    nats = np.asarray(step_loss(truth, wanted))[1, 20]
    assert nats == pytest.approx(_by_hand(truth[1, 20], wanted[1, 20]), rel=1e-4)


def _by_hand(truth: np.ndarray, logits: np.ndarray) -> float:
    total, anyone = 0.0, []
    for part, ((first, end), (a, b)) in enumerate(zip(PARTS, PARTS_STRUCK, strict=True)):
        keys = b - a
        struck = truth[first : first + keys].astype(float)
        anyone.append(struck)
        chance = 1 / (1 + np.exp(-logits[[WIDTH + part]].astype(float)))[0]
        total -= np.log(chance if struck.any() else 1 - chance)
        chances = 1 / (1 + np.exp(-logits[first:end].astype(float)))
        if struck.any():
            total -= np.log(np.where(struck, chances[:keys], 1 - chances[:keys])).sum()
        for key in range(keys if end - first > keys else 0):
            if truth[WIDTH + first + keys + key] and not struck[key]:
                on = truth[first + keys + key]
                total -= np.log(chances[keys + key] if on else 1 - chances[keys + key])
    plain = logits[WIDTH + 5 :].astype(float)
    log_chance = plain - np.log(np.exp(plain - plain.max()).sum()) - plain.max()
    return total - 0.1 * float(np.concatenate(anyone) @ log_chance)


def test_keys_are_drawn_by_their_chances() -> None:
    """Against the chances of every set of three keys, worked out by hand."""
    logits, pairs = np.array([[-0.5, 0.3, -1.0]]), np.zeros((3, 3))
    pairs[0, 1], pairs[0, 2], pairs[1, 2] = -2.0, 1.3, 0.7
    draws = np.random.default_rng(1).random((20_000, 3))
    chosen = draw_keys(np.repeat(logits, 20_000, axis=0), pairs, draws, 1.0)
    wanted = {}
    for number in range(1, 8):
        keys = np.array([number & 1, number >> 1 & 1, number >> 2 & 1])
        chance = 1.0
        for key in range(3):
            on = 1 / (1 + np.exp(-(logits[0, key] + keys[:key] @ pairs[:key, key])))
            chance *= on if keys[key] else 1 - on
        wanted[tuple(keys.tolist())] = chance
    total = sum(wanted.values())
    for drawn, chance in wanted.items():
        share = (chosen == np.array(drawn, bool)).all(axis=1).mean()
        assert share == pytest.approx(chance / total, abs=0.012)
    assert chosen.any(axis=1).all(), "an instrument that strikes strikes something"
    cold = draw_keys(np.repeat(logits, 200, axis=0), pairs, draws[:200], 0.002)
    assert len({tuple(row) for row in cold.tolist()}) == 1
    assert draw_keys(np.full((4, 9), 9.0), np.zeros((9, 9)), draws[:4], 1.0).sum() == 12


@pytest.mark.parametrize("rule", RULES[:2])
@pytest.mark.parametrize("name", SEEDS)
def test_any_seed_will_do_and_it_ends_in_time(info: ModelInfo, name: str, rule: str) -> None:
    found = steps(info, SEEDS[name], 2, rule=rule)
    now = [0.0, 0.0]
    for step in found:
        assert now[step.take] <= step.time <= now[step.take] + 1.0
        for note in step.notes:
            assert now[step.take] - 1e-6 <= note.end <= 6.0
            assert LOWEST_KEY <= note.pitch <= HIGHEST_KEY
        now[step.take] = step.time
    assert now == [6.0, 6.0]
    for take in collect_takes(found, 2):
        assert len(take) > 6


@pytest.mark.parametrize("rule", RULES)
def test_a_take_is_the_same_however_many_there_are(info: ModelInfo, rule: str) -> None:
    five, three, two, alone = (
        collect_takes(steps(info, takes=n, rule=rule), n) for n in (5, 3, 2, 1)
    )
    assert five[:3] == three
    assert three[:2] == two
    assert two[:1] == alone
    assert len({take.notes for take in five}) == 5
    assert collect(steps(info, rule=rule, rng_seed=2)) != alone[0]
    assert collect(steps(info, rule=rule, temperature=0.3)) != alone[0]


def test_the_published_rules_are_in_quarter_notes(info: ModelInfo) -> None:
    for rule, most in (("all at once", 8), ("each alone", 10), ("fixed counts", 10)):
        music = collect(steps(info, rule=rule))
        for note in music:
            assert note.start % 0.5 == pytest.approx(0.0)
            assert note.is_drum or note.end - note.start == pytest.approx(0.5)
        starts = [note.start for note in music]
        assert max(starts.count(start) for start in starts) <= most
    fixed = collect(steps(info, rule="fixed counts"))
    guitar = [n for n in fixed if instrument_of(n) == 2]
    assert len(guitar) <= 3 * 12


def test_music_in_another_key_is_the_same_music_in_that_key(info: ModelInfo) -> None:
    def found(seed: NoteSequence, down: int) -> list[tuple[float, int, int]]:
        music = collect(steps(info, seed))
        return sorted((n.start, n.program, (n.pitch - down) % 12) for n in music if not n.is_drum)

    assert found(SEED, 0) == found(SEED.transpose(2), 2)


def _cut(note: Note) -> Note:
    return note._replace(end=min(note.end, 6.0))


def test_kept_instruments_are_heard_by_the_others(info: ModelInfo) -> None:
    other = PIANO.shift(0.25)
    made = [collect(steps(info, seed, keep="Piano")) for seed in (PIANO, other)]
    for music, seed in zip(made, (PIANO, other), strict=True):
        assert [n for n in music if instrument_of(n) == 1] == [_cut(n) for n in seed if n.start < 6]
        assert {instrument_of(n) for n in music} == set(range(len(INSTRUMENTS)))
    rest = [[n for n in music if n.is_drum] for music in made]
    assert rest[0] != rest[1]


def test_a_band_that_would_be_silent_is_roused(info: ModelInfo, tmp_path: Path) -> None:
    weights = {path: np.zeros(shape) for path, shape in shapes().items()}
    for part in range(5):
        weights[f"out_{part}/bias"][-1] = -9.0
    for name, graph in step_graphs(weights, CONFIG).items():
        onnx.save(graph, str(tmp_path / name))
    quiet = ModelInfo("q", tmp_path, "band.rnn", "Q", "Q.", "a test", 2021, (), config=CONFIG)
    starts = sorted({note.start for note in collect(steps(quiet, NoteSequence(), seconds=60))})
    assert np.diff([0.0, *starts, 60.0]).max() < 6


def test_ties_are_those_of_the_network(info: ModelInfo) -> None:
    generator = info.load()
    assert isinstance(generator, StepBand)
    stored = weights_of(info.folder / "heads.onnx")
    for part in range(5):
        pairs = stored[f"pairs_{part}/kernel"]
        assert generator.pairs[part] == pytest.approx(pairs, abs=1e-5)
        assert not np.tril(pairs).any()
    assert generator.after[3] == pytest.approx(stored["after_3/kernel"], abs=1e-5)
    assert generator.after[0].shape[1] == 0
    assert sum(high - low for low, high in SPANS) == KEYS


TOML = """
title = "Tiny"
family = "band.rnn"
year = 2021
source = "a test"
summary = "Tiny."
composers = []
[config]
told = 8
units = 8
head = 4
part = 3
dropout = 0.1
[training]
kinds = ["band"]
batch = 2
window = 24
steps_per_epoch = 2
validation_steps = 1
epochs = 2
patience = 5
learning_rate = 0.002
quiet = true
[training.augmentation]
joining = 0.3
"""


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:Even though:UserWarning")
@pytest.mark.usefixtures("_untraced", "_usual_policy")
def test_it_is_trained_exported_and_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "models" / "tiny_band"
    folder.mkdir(parents=True)
    (folder / "model.toml").write_text(TOML)
    made = train(recipe(folder, tmp_path / "runs"), band_dataset(), say=lambda _: None)
    assert made["epochs"] == 2
    assert np.isfinite(made["validation_loss"])
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path / "models"))
    found = model_info("tiny_band")
    stored = weights_of(found.weights) | weights_of(found.folder / "heads.onnx")
    assert made["weights"] == sum(weight.size for weight in stored.values())
    for part in range(5):
        assert not np.tril(stored[f"pairs_{part}/kernel"]).any(), "a key sees those below it only"
    assert collect(steps(found)).duration <= 6.0
