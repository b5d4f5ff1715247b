"""The character network: its batches, its step graph, what it plays, its training."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyzzicato.codecs.abc_text import AbcText, shown
from pyzzicato.data.abc import read_tunes
from pyzzicato.data.load import read_dataset
from pyzzicato.errors import InvalidControl, ModelUnavailable, PyzzicatoError
from pyzzicato.families.abc import char_rnn
from pyzzicato.families.abc.decode import LONGEST, TuneReader
from pyzzicato.families.abc.evaluate import is_valid_tune, reading, tunes_written
from pyzzicato.families.abc.windows import TextStreams
from pyzzicato.formats.abc.tune_book import HEAD
from pyzzicato.generation.controls import declared
from pyzzicato.generation.generator import Step, collect, collect_takes
from pyzzicato.metrics.text import markov_nats
from pyzzicato.music.notes import Note, NoteSequence, longest_repeat
from pyzzicato.registry import ModelInfo, models
from pyzzicato.runtime.session import StepGraph, weights_of
from tests.small_tunes import make_model, tune, write_recipe, write_tunes

# TensorFlow's own, with NumPy 2.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.usefixtures("_usual_policy"),
]

MELODY = NoteSequence(tuple(Note(i / 4, i / 4 + 0.25, 60 + i * 5 % 12) for i in range(64)))


@pytest.fixture(scope="module")
def info(tmp_path_factory: pytest.TempPathFactory) -> ModelInfo:
    return make_model(tmp_path_factory.mktemp("models") / "small")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> ModelInfo:
    """A model that takes a kind and a key."""
    vocabulary = "\n" + "".join(chr(code) for code in range(32, 127))
    folder = tmp_path_factory.mktemp("models") / "asked"
    return make_model(folder, prompts=True, vocabulary=vocabulary)


def checked(steps: Iterator[Step], seconds: float, takes: int = 1) -> list[Step]:
    """The contract of every generator: times go on and end at `seconds`."""
    found, now = list(steps), [0.0] * takes
    for step in found:
        assert now[step.take] <= step.time <= min(seconds, now[step.take] + 1)
        for note in step.notes:
            assert now[step.take] <= note.end <= step.time
            assert 0 <= note.start < note.end
        now[step.take] = step.time
    assert now == [seconds] * takes
    return found


def test_batches_go_on_where_the_last_one_ended(tmp_path: Path) -> None:
    pieces = read_tunes(write_tunes(tmp_path / "own")).pieces
    write_recipe(tmp_path / "recipe" / "small")
    config = dict(models(tmp_path / "recipe")["small"].config) | {"batch": 4, "window": 16}
    streams = TextStreams(pieces, config, training=True)
    codec = AbcText(config["vocabulary"])
    text = "".join(piece.text + "\n\n" for piece in pieces if hasattr(piece, "text"))
    first, wanted = streams.at(0, 0)
    second, _ = streams.at(0, 1)
    assert codec.decode(first["characters"][0]) == text[:16]
    assert codec.decode(second["characters"][0]) == text[16:32]
    assert codec.decode(wanted[0]) == text[1:17]
    length = len(text) // 4
    assert codec.decode(first["characters"][1]) == text[length : length + 16]
    assert (streams.at(3, 1)[0]["characters"] == second["characters"]).all()
    mixed = TextStreams(pieces, {**config, "shuffled": True}, training=True)
    one, other = (mixed.at(epoch, 0)[0]["characters"] for epoch in (1, 2))
    assert (one != other).any()
    assert (mixed.at(1, 0)[0]["characters"] == one).all()


def test_a_vocabulary_of_other_music_is_one_sentence(tmp_path: Path) -> None:
    pieces = read_tunes(write_tunes(tmp_path / "own", 5)).pieces
    config = {"vocabulary": "ABC", "batch": 2, "window": 8}
    with pytest.raises(PyzzicatoError, match=r"write vocabulary = .* into its \[config\]\.$"):
        TextStreams(pieces, config, training=True)
    with pytest.raises(PyzzicatoError, match="no ABC tunes"):
        TextStreams([], config, training=True)


def test_it_plays_to_the_end_whatever_it_writes(info: ModelInfo) -> None:
    for temperature in (0.3, 0.7, 1.5):
        controls = info.controls(seconds=20.0, temperature=temperature)  # type: ignore[call-arg]
        found = checked(info.load().generate(NoteSequence(), controls, 3), 20.0, 3)
        assert len({take.notes for take in collect_takes(found, 3)}) == 3
        assert "".join(step.text for step in found if step.take == 0).startswith("X")


def test_takes_and_listeners_do_not_disturb_each_other(info: ModelInfo) -> None:
    controls = info.controls(seconds=12.0)
    three, one = (list(info.load().generate(MELODY, controls, takes)) for takes in (3, 1))
    assert [step for step in three if step.take == 0] == one
    other = list(info.load().generate(MELODY, controls.changed(rng_seed=2)))
    assert other != one


def test_its_controls_are_its_characters_and_checkpoints(info: ModelInfo) -> None:
    assert info.controls is info.controls, "one class for one model"
    items = {item.name: item for item in declared(info.controls)}
    assert items["start"].choices == tuple(shown(c) for c in info.config["vocabulary"])
    assert {"space", "new line", "X"} <= set(items["start"].choices)
    assert (items["checkpoint"].minimum, items["checkpoint"].maximum) == (1, 2)
    assert sum(item.main for item in items.values()) == 1


@pytest.mark.parametrize("start", ["new line", "space", "|", "A", "7"])
def test_any_character_may_begin(info: ModelInfo, start: str) -> None:
    controls = info.controls(seconds=8.0, start=start)  # type: ignore[call-arg]
    found = checked(info.load().generate(NoteSequence(), controls), 8.0)
    text = "".join(step.text for step in found)
    assert text.startswith({"new line": "\n", "space": " "}.get(start, start))


def test_a_checkpoint_is_another_network(info: ModelInfo, tmp_path: Path) -> None:
    generator = info.load()
    made = [
        list(generator.generate(NoteSequence(), info.controls(seconds=9.0, checkpoint=c)))  # type: ignore[call-arg]
        for c in (1, 2)
    ]
    assert made[0] != made[1]
    with pytest.raises(InvalidControl):
        info.controls(checkpoint=3)  # type: ignore[call-arg]
    with pytest.raises(InvalidControl, match="There is no checkpoint 7: choose one of 1, 2"):
        generator.graph(7)  # type: ignore[attr-defined]
    lost = make_model(tmp_path / "lost")
    (lost.folder / "checkpoint_1.onnx").unlink()
    with pytest.raises(ModelUnavailable, match=r"checkpoint_1\.onnx"):
        lost.load().generate(NoteSequence(), lost.controls(checkpoint=1))  # type: ignore[call-arg]


def test_so_many_characters_then_silence(info: ModelInfo) -> None:
    controls = info.controls(seconds=300.0, characters=300, start="X")  # type: ignore[call-arg]
    found = checked(info.load().generate(NoteSequence(), controls), 300.0)
    text = "".join(step.text for step in found)
    written = "".join(line + "\n" for line in text.split("\n") if not line.startswith("% "))
    assert 290 <= len(written.strip()) <= 300


def test_a_seed_is_written_down_and_continued(info: ModelInfo) -> None:
    generator, controls = info.load(), info.controls(seconds=10.0)
    assert "melody of the last 20 seconds" in generator.reads(MELODY)
    assert "no melody" in generator.reads(NoteSequence())
    made = [collect(generator.generate(seed, controls)) for seed in (MELODY, NoteSequence())]
    assert made[0] != made[1]


def test_kind_and_key_stand_in_the_text(asked: ModelInfo) -> None:
    names = {item.name for item in declared(asked.controls)}
    assert {"kind", "key"} <= names
    assert not {"start", "checkpoint"} & names
    controls = asked.controls(seconds=6.0, kind="reel", key="Dmix")  # type: ignore[call-arg]
    steps = checked(asked.load().generate(NoteSequence(), controls, 2), 6.0, 2)
    for take in range(2):
        text = "".join(step.text for step in steps if step.take == take)
        assert text.startswith("X:1\nR:reel\nK:Dmix\n")
    any_kind = asked.controls(seconds=6.0, key="Em", temperature=1.5)  # type: ignore[call-arg]
    text = "".join(s.text for s in asked.load().generate(NoteSequence(), any_kind))
    assert text.startswith("X:1\nR:")
    after_kind = text.partition("R:")[2].partition("\n")[2]
    assert not after_kind or after_kind.startswith("K:Em\n")
    checked(asked.load().generate(MELODY, any_kind), 6.0)


def told(text: str, seconds: float = 60.0, **values: Any) -> list[Step]:
    reader = TuneReader(seconds, **values)
    return list(reader.add(text))


def test_a_tune_is_played_when_it_ends() -> None:
    steps = told(tune(1) + "\n")
    assert all(not step.notes for step in steps)
    steps = told(tune(1) + "\n\n" + tune(2) + "\n\n")
    notes = collect(iter(steps)).notes
    assert len(notes) == 96
    breath = notes[48].start - notes[47].end
    assert breath == pytest.approx(0.5)
    assert "".join(step.text for step in steps) == tune(1) + "\n\n" + tune(2) + "\n\n"
    joined = told(tune(1) + "\n" + tune(2) + "\n\n")
    assert collect(iter(joined)).notes == notes, "the next X: ends a tune too"


def test_what_was_left_out_is_said_in_a_comment() -> None:
    text = "".join(step.text for step in told("X:1\nK:C\nC;9D|\n\n"))
    assert text == "X:1\nK:C\nC;9D|\n\n% left out: Line 3: “9” is not understood.\n"
    text = "".join(step.text for step in told("X:1\nK:C\n1C2 3|4 5C 6C 7C 8C9\n\n"))
    assert "more signs like these" in text


def test_a_tune_without_header_gets_one_and_one_without_end_is_cut() -> None:
    pitches = [note.pitch for note in collect(iter(told("FAc|\n\n")))]
    assert pitches == [66, 69, 73], HEAD
    steps = told("X:1\nL:1/16\nK:C\n" + "CDEF|" * 600, 300.0)
    assert len(collect(iter(steps))) == 1988
    assert LONGEST == 2500


def test_a_tune_on_one_note_is_left_out() -> None:
    assert longest_repeat([Note(i, i + 1, 60) for i in range(9)]) == 9
    chords = [Note(i // 2, i // 2 + 1, 60 + i % 2 * 4) for i in range(8)]
    assert longest_repeat(chords) == 4
    assert longest_repeat([]) == 0
    steps = told("X:1\nK:C\n" + "C" * 9 + "|\n\n")
    assert not collect(iter(steps)).notes
    assert "turns round on one note" in steps[-1].text
    assert len(collect(iter(told("X:1\nK:C\n" + "C" * 8 + "|\n\n")))) == 8


def test_valid_is_what_can_be_read_as_it_stands() -> None:
    assert is_valid_tune(tune(1))
    for text in ("", "C|", "X:1\nC|", "X:1\nK:C\nz|", "X:1\nK:C\n[C"):
        assert not is_valid_tune(text)


def test_tunes_written_have_no_remarks(info: ModelInfo) -> None:
    texts = tunes_written(info, 4)
    assert len(texts) == 4
    assert all(texts)
    assert not any("% left out" in text for text in texts)


def test_nats_are_those_of_the_graph(info: ModelInfo) -> None:
    codes = AbcText(info.config["vocabulary"]).encode(tune(1) * 4)
    graph = StepGraph(info.weights)
    nats, right = reading(graph, codes)
    feed = {"characters": codes[None, :-1].astype(np.float32)}
    logits = graph.advance(feed, graph.start(1))[0][0].astype(np.float64)
    chance = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    wanted = -np.log(chance[np.arange(len(codes) - 1), codes[1:]]).mean()
    assert nats == pytest.approx(wanted, rel=1e-4)
    assert right == pytest.approx((logits.argmax(axis=-1) == codes[1:]).mean())


def test_baselines_by_hand() -> None:
    text = np.array([0, 1, 0, 1, 0, 1])
    # Six characters, three of each kind of two, and a uniform chance that weighs as two more.
    assert markov_nats(text, np.array([0, 1]), 0, 4) == pytest.approx(-np.log((3 + 0.5) / 8))
    assert markov_nats(text, text, 2, 4) < markov_nats(text, text, 0, 4)


@pytest.mark.parametrize("stored", ["float16", "int8"])
def test_the_step_graph_is_the_keras_model(tmp_path: Path, stored: str) -> None:
    import keras
    import onnx

    from pyzzicato.training.recipes import load_keras, weights_by_path

    write_recipe(tmp_path / "small", stored=stored)
    made = models(tmp_path)["small"]
    keras.utils.set_random_seed(4)
    weights = weights_by_path(char_rnn.build(made.config))
    graphs = char_rnn.export({k: 3 * v for k, v in weights.items()}, made.config)
    onnx.save(graphs["model.onnx"], str(made.weights))
    read = np.random.default_rng(1).integers(0, len(made.config["vocabulary"]), (2, 50))
    wanted = np.asarray(load_keras(made)({"characters": read}))
    graph = StepGraph(made.weights)
    feed = read.astype(np.float32)
    at_once, _ = graph.advance({"characters": feed}, graph.start(2))
    assert np.abs(at_once - wanted).max() <= 1e-4
    state, by_step = graph.start(2), []
    for place in range(50):
        said, state = graph.advance({"characters": feed[:, place : place + 1]}, state)
        by_step.append(said)
    assert np.abs(np.concatenate(by_step, axis=1) - wanted).max() <= 1e-4
    assert np.abs(wanted).max() > 0.5, "there is something to compare"


def test_states_are_carried_from_batch_to_batch(tmp_path: Path) -> None:
    import keras

    write_recipe(tmp_path / "small")
    config = {**models(tmp_path)["small"].config, "batch": 2}
    keras.utils.set_random_seed(4)
    carried = char_rnn.build(config)
    plain = char_rnn.build({k: v for k, v in config.items() if k != "batch"})
    stored = {weight.path: weight for weight in carried.trainable_weights}
    for weight in plain.weights:
        weight.assign(stored[weight.path])
    read = np.random.default_rng(1).integers(0, len(config["vocabulary"]), (2, 24))
    whole = np.asarray(plain({"characters": read}))
    parts = [
        np.asarray(carried({"characters": read[:, place : place + 8]})) for place in (0, 8, 16)
    ]
    assert np.abs(np.concatenate(parts, axis=1) - whole).max() < 1e-5
    for layer in carried.layers:
        if hasattr(layer, "reset_state"):
            layer.reset_state()
    assert np.abs(np.asarray(carried({"characters": read[:, :8]})) - whole[:, :8]).max() < 1e-5


def test_it_is_trained_stopped_resumed_and_keeps_its_checkpoints(tmp_path: Path) -> None:
    from pyzzicato.training.loop import train
    from pyzzicato.training.recipes import recipe

    music = write_tunes(tmp_path / "music")
    write_recipe(tmp_path / "models" / "tiny", epochs=3)
    plan = recipe(tmp_path / "models" / "tiny", tmp_path / "runs")
    dataset = read_dataset(music, kinds=["abc"])
    train(plan, dataset, epochs=2)
    made = train(plan, dataset)
    assert [row["epoch"] for row in made["history"]] == [0, 1, 2], "it went on, not anew"
    assert made["best_epoch"] == 3, "the last is kept, and those on the way"
    files = sorted(path.name for path in plan.folder.glob("*.onnx"))
    assert files == ["checkpoint_1.onnx", "checkpoint_2.onnx", "model.onnx"]
    kept = [weights_of(plan.folder / name)["output/kernel"] for name in files]
    assert (kept[0] != kept[1]).any()
    assert (kept[1] != kept[2]).any()
    tiny = models(tmp_path / "models")["tiny"]
    assert tiny.trained["weights"] == sum(w.size for w in weights_of(tiny.weights).values())
    controls = tiny.controls(seconds=5.0, checkpoint=2)  # type: ignore[call-arg]
    checked(tiny.load().generate(NoteSequence(), controls), 5.0)
