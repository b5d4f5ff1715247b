"""The AttentionRNN: its graph beside Keras, its playing, its scores; on tiny random weights."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from pyzzicato.codecs.melody import MelodyCodec
from pyzzicato.data.load import read_dataset
from pyzzicato.data.melody import Melody
from pyzzicato.data.pieces import Dataset
from pyzzicato.errors import InvalidControl, PyzzicatoError
from pyzzicato.families.melody import attention_rnn
from pyzzicato.families.melody.encoding import MelodyReader, classes_of
from pyzzicato.families.melody.evaluate import likeness, markov_chances, melody_scores
from pyzzicato.families.melody.windows import melody_loss, melody_metrics
from pyzzicato.generation.generator import Step, collect, collect_takes
from pyzzicato.music.notes import HIGHEST_KEY, LOWEST_KEY, Note, NoteSequence
from pyzzicato.registry import ModelInfo, model_info
from pyzzicato.reports.sheets import best_figure
from pyzzicato.runtime.session import StepGraph, weights_of
from pyzzicato.training.loop import train
from pyzzicato.training.recipes import load_keras, recipe
from tests.scores import figures
from tests.small_melody import CONFIG, SHAPES, TOML, make_model, tune


@pytest.fixture(scope="module")
def info(tmp_path_factory: pytest.TempPathFactory) -> ModelInfo:
    return make_model(tmp_path_factory.mktemp("models") / "tiny")


SEED = MelodyCodec().decode(tune())
SEEDS = {
    "empty": NoteSequence(),
    "one note": NoteSequence((Note(0.0, 0.5, 60),)),
    "a late start": SEED.shift(30.0),
    "slow": SEED.stretch(3.0),
    "ten minutes": MelodyCodec().decode(np.tile(tune(1024), 5)),
    "drums only": NoteSequence((Note(0.0, 0.5, 38, 80, 0, True),)),
    "off the piano": NoteSequence((Note(0.0, 0.5, 5), Note(0.5, 1.0, 120))),
    "every key at once": NoteSequence(tuple(Note(0.0, 2.0, p, 127) for p in range(21, 109))),
}


def steps(info: ModelInfo, seed: NoteSequence = SEED, takes: int = 1, **values: Any) -> list[Step]:
    generator = info.load()
    controls = generator.Controls(**{"seconds": 8.0, **values})
    return list(generator.generate(seed, controls, takes))


def one(info: ModelInfo, seed: NoteSequence = SEED, **values: Any) -> NoteSequence:
    return collect(steps(info, seed, **values))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.usefixtures("_usual_policy")
def test_the_step_graph_is_the_keras_model(info: ModelInfo) -> None:
    """Step by step, on two melodies at once, for longer than the attention reaches."""
    assert set(weights_of(info.weights)) == set(SHAPES)
    reader, graph = MelodyReader(2), StepGraph(info.weights)
    other = np.roll(tune(40), 7)
    read = np.stack([reader.push(e) for e in np.stack([tune(40), other], axis=1)], axis=1)
    wanted = np.asarray(load_keras(info)({"melody": read}))
    state, found = graph.start(2), []
    for step in range(40):
        output, state = graph.advance({"melody": read[:, step : step + 1]}, state)
        found.append(output)
    assert np.abs(np.concatenate(found, axis=1) - wanted).max() <= 1e-4
    assert np.abs(wanted).max() > 0.5, "there is something to compare"


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_what_is_not_told_costs_nothing() -> None:
    logits = np.random.default_rng(1).normal(size=(2, 3, 40)).astype(np.float32)
    classes = np.array([[3, 39, 36], [0, -1, -1]])
    chances = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    told = [chances[0, 0, 3], chances[0, 1, 39], chances[0, 2, 36], chances[1, 0, 0]]
    assert float(melody_loss(classes, logits)) == pytest.approx(-np.log(told).mean(), 1e-4)
    (accuracy,) = melody_metrics()
    right = classes == logits.argmax(axis=-1)
    assert float(accuracy(classes, logits)) == pytest.approx(right.sum() / 4)
    best = np.where(classes >= 0, logits.argmax(axis=-1), -1)
    assert float(accuracy(best, logits)) == pytest.approx(1.0)


@pytest.mark.parametrize("takes", [1, 3])
@pytest.mark.parametrize("name", SEEDS)
def test_any_seed_will_do_and_it_ends_in_time(info: ModelInfo, name: str, takes: int) -> None:
    found = steps(info, SEEDS[name], takes)
    now = [0.0] * takes
    for step in found:
        assert now[step.take] <= step.time <= now[step.take] + 1.0
        for note in step.notes:
            assert now[step.take] - 1e-6 <= note.end <= 8.0
            assert LOWEST_KEY <= note.pitch <= HIGHEST_KEY
        now[step.take] = step.time
    assert now == [8.0] * takes
    for take in collect_takes(found, takes):
        assert take.notes[0].start == 0.0, "there is no silence between"
        assert all(a.end <= b.start + 1e-9 for a, b in pairwise(take))


def test_a_take_is_the_same_however_many_there_are(info: ModelInfo) -> None:
    ten, three, two, alone = (collect_takes(steps(info, takes=n), n) for n in (10, 3, 2, 1))
    assert ten[:3] == three
    assert three[:2] == two
    assert two[:1] == alone
    assert len({take.notes for take in ten}) == 10


def test_the_number_the_seed_and_the_temperature_change_the_music(info: ModelInfo) -> None:
    usual = one(info)
    assert one(info) == usual
    assert one(info, rng_seed=2) != usual
    assert one(info, temperature=0.1) != usual
    assert one(info, SEED.transpose(5)) != usual


def test_primers(info: ModelInfo) -> None:
    note = one(info, primer="note")
    assert note.notes[0].pitch == SEED.notes[0].pitch
    assert note == one(info, NoteSequence(SEED.notes[:1]), primer="note")
    assert note != one(info)
    firsts = {
        take.notes[0].pitch for take in collect_takes(steps(info, takes=10, primer="none"), 10)
    }
    assert len(firsts) > 4
    assert one(info, primer="none") == one(info, NoteSequence())


def test_it_says_what_is_read_of_a_seed(info: ModelInfo) -> None:
    reads = info.load().reads
    assert reads(SEED) == ""
    chords = SEED.merge(SEED.transpose(-12).notes)
    assert "only the upper line can be read, 28 of its 56 notes" in reads(chords)
    assert reads(chords.merge((Note(0.0, 1.0, 40, is_drum=True),))) == reads(chords)
    assert reads(SEEDS["drums only"]).startswith("There is no pitched note")
    assert reads(NoteSequence()).startswith("There is no pitched note")
    long = NoteSequence(tuple(Note(n / 2, n / 2 + 0.5, 60 + n % 12) for n in range(130)))
    assert reads(long) == "Only the last 32 bars of this seed are read."


def test_a_high_melody_goes_on_high(info: ModelInfo) -> None:
    low, high = one(info), one(info, SEED.transpose(24))
    assert [note.pitch + 24 for note in low] == [note.pitch for note in high]


def test_the_tempo_is_the_seeds_or_the_one_that_is_set(info: ModelInfo) -> None:
    def grid(music: NoteSequence, qpm: float) -> bool:
        places = [note.start * qpm * 4 / 60 for note in music]
        return np.allclose(places, np.round(places), atol=1e-6)

    slow = NoteSequence(SEED.notes, qpm=120).stretch(120 / 70)
    assert grid(one(info, slow), 70.0)
    assert grid(one(info, slow, tempo="set", qpm=100.0), 100.0)
    assert grid(one(info, NoteSequence(), qpm=90.0), 90.0)
    # The same melody at another tempo is the same to the network.
    at = [[n.pitch for n in one(info, s, tempo="set")] for s in (SEED, slow)]
    assert at[0] == at[1]
    with pytest.raises(InvalidControl):
        info.controls(qpm=1000.0)  # type: ignore[call-arg]


def test_no_pitch_comes_more_than_eight_times_in_a_row_and_nothing_lasts_for_ever(
    info: ModelInfo, tmp_path: Path
) -> None:
    """A network that wants one pitch only, and one that wants nothing to happen."""
    for wish in (12, 36, 38, 39):
        weights = {path: np.zeros(shape) for path, shape in SHAPES.items()}
        weights["output/bias"][wish] = 12.0
        onnx.save(attention_rnn.export(weights, CONFIG)["model.onnx"], str(tmp_path / "model.onnx"))
        stubborn = ModelInfo("s", tmp_path, "melody.attention_rnn", "S", "S.", "a test", 2016, ())
        pitches = [note.pitch for note in one(stubborn, SEEDS["one note"], seconds=60)]
        runs = [1]
        for a, b in pairwise(pitches):
            runs.append(runs[-1] + 1 if a == b else 1)
        assert max(runs) <= 8
        assert len(pitches) >= 60 / 4, "something begins at least every two bars"


def melody(number: int, split: str) -> Melody:
    events = np.where(tune(128) >= 0, tune(128) + number % 3, tune(128))
    notes = np.zeros((0, 4), np.float32)
    path = f"melody {number}"
    return Melody(path, "traditional", path, path, split, "melody", "ours", 1, notes, events, "4/4")


def test_scores(info: ModelInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, few in (("TAKES", 2), ("LOOP_TAKES", 4), ("TEMPERATURES", (0.5, 1.5))):
        monkeypatch.setattr(f"pyzzicato.families.melody.evaluate.{name}", few)
    splits = ("train", "train", "train", "val", "test")
    dataset = Dataset(tuple(melody(n, split) for n, split in enumerate(splits)), (), Path())
    told, wildness, first = melody_scores(info, dataset, say=lambda _: None)
    assert "127 steps of 1 melodies (test) and 127 steps of 1 melodies (validation)" in told.note
    for split in ("val", "test"):
        mine, unigram, markov = (
            figures(told, by, split=split)["nats per step"]
            for by in ("this model", "how often each comes", "order-2 Markov model")
        )
        assert markov < unigram < np.log(40)
        assert 0 < mine < 10
    # Nats by hand, from the step graph.
    events = melody(4, "test").events
    reader, graph = MelodyReader(1), StepGraph(info.weights)
    state, nats = graph.start(1), []
    for event, after in zip(events[:-1], classes_of(events)[1:], strict=True):
        logits, state = graph.advance({"melody": reader.push(np.array([event]))[:, None]}, state)
        nats.append(np.log(np.exp(logits[0, 0]).sum()) - logits[0, 0, after])
    assert figures(told)["nats per step"] == pytest.approx(np.mean(nats), abs=1e-3)
    assert {score.group for score in wildness.scores} == {"0.5", "1.5"}
    assert "24 takes of 8 bars" in first.note
    assert figures(first)["of 4 takes with one pitch more than 8 times in a row"] == 0
    assert " nats per step (order-2 Markov model: " in best_figure([told])
    with pytest.raises(PyzzicatoError, match="no melodies in the training split"):
        melody_scores(info, Dataset((), (), Path()), say=lambda _: None)


def test_counted_chances_are_chances_and_lean_on_what_came_before() -> None:
    known = [np.array([5, 1, 2, 1, 2, 1, 3]), np.array([5, 1, 2, 1, 2])]
    for order in range(3):
        table = markov_chances(known, order)
        assert table.shape == (41**order, 40)
        assert table.sum(axis=1) == pytest.approx(1.0)
        assert (table > 0).all()
    unigram, after_one = markov_chances(known, 0)[0], markov_chances(known, 1)
    # 10 classes are told, 5 of them 1, of three kinds: (5 + 3 / 40) / 13.
    assert unigram[1] == pytest.approx((5 + 3 / 40) / 13)
    assert after_one[1, 2] == pytest.approx((4 + 2 * unigram[2]) / 7)
    assert after_one[30] == pytest.approx(unigram), "a class that was never seen says nothing"
    assert markov_chances(known, 2)[2 * 41 + 1, 3] > after_one[1, 3]


def test_likeness_knows_the_same_bar_again() -> None:
    bar = [60, -2, 62, -2, 64, -2, 65, -2, 67, -2, 69, -2, 71, -2, 72, -2]
    again = likeness([MelodyCodec().decode(np.array(bar * 4))])
    assert again == {
        "repeated bars": 1.0, "repeated figures": 0.75, "range in semitones": 12.0,
        "notes a bar": 8.0,
    }  # fmt: skip
    other = [e + 1 if e >= 0 else e for e in bar]
    new = likeness([MelodyCodec().decode(np.array(bar + other))])
    assert new["repeated bars"] == 0.0
    assert new["range in semitones"] == 13.0


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.usefixtures("_usual_policy")
def test_it_is_trained_exported_and_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "models" / "tiny_melody"
    (tmp_path / "melody").mkdir()
    folder.mkdir(parents=True)
    (folder / "model.toml").write_text(TOML)
    lines = [
        {"id": str(n), "sig": "4/4", "licence": "ours", "split": s, "events": tune(128).tolist()}
        for n, s in enumerate(("train", "train", "val", "test"))
    ]
    text = "\n".join(json.dumps(line) for line in lines)
    (tmp_path / "melody" / "melodies_16th.jsonl").write_text(text)
    dataset = read_dataset(tmp_path, kinds=["melody:even"])
    made = train(recipe(folder, tmp_path / "runs"), dataset, say=lambda _: None)
    assert made["epochs"] == 2
    assert made["works"] == 2
    assert np.isfinite(made["validation_loss"])
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path / "models"))
    found = model_info("tiny_melody")
    assert made["weights"] == sum(w.size for w in weights_of(found.weights).values())
    assert one(found, seconds=5.0).duration <= 5.0
