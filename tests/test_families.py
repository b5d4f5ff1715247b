"""The contract of every model in models/: found by looking, so a new one is tested unasked."""

from collections.abc import Iterator
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyzzicato.codecs.piano_roll import note_array
from pyzzicato.data.pieces import Piece
from pyzzicato.errors import InvalidControl
from pyzzicato.families.piano_roll.generate import RollControls, RollGenerator
from pyzzicato.generation.controls import declared
from pyzzicato.generation.generator import Generator, Step, collect, collect_takes
from pyzzicato.generation.infill import asked_gap
from pyzzicato.music.notes import HIGHEST_KEY, LOWEST_KEY, Note, NoteSequence
from pyzzicato.registry import ModelInfo, models

MODELS = list(models().values())
SECONDS = 6.0

every_model = pytest.mark.parametrize("info", MODELS, ids=lambda info: info.id)
every_model_with_composers = pytest.mark.parametrize(
    "info", [i for i in MODELS if i.composers], ids=lambda info: info.id
)
# The others give their own parity test: their graph is not the whole network.
every_step_graph = pytest.mark.parametrize(
    "info", [i for i in MODELS if i.controls is RollControls], ids=lambda info: info.id
)


@cache
def loaded(model: str) -> Generator:
    """A model, loaded once: it never changes, which is what the tests below look at too."""
    return models()[model].load()


def made_up(seconds: float = 8.0, lowest: int = 48) -> NoteSequence:
    """Broken chords over held basses, our own."""
    notes = []
    for number in range(int(seconds * 4)):
        start, bar = number / 4, number // 8
        pitch = lowest + 12 + (0, 4, 7, 12, 7, 4, 9, 5)[number % 8] + (0, 5, 7, 0)[bar % 4]
        notes.append(Note(start, start + 0.22, pitch, 60 + number % 5 * 8))
        if number % 8 == 0:
            notes.append(Note(start, start + 1.9, lowest + (0, 5, 7, 0)[bar % 4], 70))
    return NoteSequence(tuple(notes))


SEEDS = {
    "empty": NoteSequence(),
    "one note": NoteSequence((Note(0.0, 0.5, 60, 80),)),
    "ten minutes": made_up(600.0),
    "a late start": made_up(4.0).shift(30.0),
    "drums only": NoteSequence((Note(0.0, 0.5, 38, 80, 0, True),)),
    "off the piano": NoteSequence((Note(0.0, 0.5, 5), Note(0.5, 1.0, 120))),
    "every key at once": NoteSequence(
        tuple(Note(0.0, 2.0, pitch, 127) for pitch in range(LOWEST_KEY, HIGHEST_KEY + 1))
    ),
}


def steps(
    info: ModelInfo, seed: NoteSequence | None = None, takes: int = 1, **values: Any
) -> Iterator[Step]:
    usual = {"composer": info.composers[0]} if info.composers else {}
    controls = info.controls(**{"seconds": SECONDS, **usual, **values})
    return loaded(info.id).generate(made_up() if seed is None else seed, controls, takes)


def check(found: list[Step], seconds: float, takes: int = 1) -> None:
    """Times go on and end where they should; every note is one that a piano can play."""
    now = [0.0] * takes
    for step in found:
        assert now[step.take] <= step.time <= seconds + 1e-6
        for note in step.notes:
            assert 0 <= note.start < note.end <= seconds + 1e-6
            assert note.end >= now[step.take] - 1e-6, "a note may not come after its time is told"
            assert LOWEST_KEY <= note.pitch <= HIGHEST_KEY
            assert 1 <= note.velocity <= 127
        now[step.take] = step.time
    assert now == pytest.approx([seconds] * takes)


def test_there_are_models_and_each_has_its_weights() -> None:
    assert MODELS
    for info in MODELS:
        assert info.weights.is_file(), f"{info.id} has a model.toml but is not trained"
        assert info.trained, f"{info.id} has no training.json"


@every_model
def test_it_ends_in_time_and_plays_what_a_piano_can(info: ModelInfo) -> None:
    found = list(steps(info, takes=3))
    check(found, SECONDS, takes=3)
    for take in collect_takes(found, 3):
        assert len(take) > SECONDS / 2, "there is music, not silence"


@every_model
def test_it_gives_news_often_enough_to_be_watched(info: ModelInfo) -> None:
    times = [step.time for step in steps(info)]
    assert max(b - a for a, b in zip([0.0, *times], times, strict=False)) <= 1.0


@every_model
def test_chance_is_fixed_by_the_number(info: ModelInfo) -> None:
    first = collect(steps(info, rng_seed=5))
    assert collect(steps(info, rng_seed=5)) == first
    assert collect(steps(info, rng_seed=6)) != first


@every_model
def test_two_listeners_do_not_disturb_each_other(info: ModelInfo) -> None:
    mine: dict[str, Any] = {"seed": made_up(), "rng_seed": 1}
    yours: dict[str, Any] = {"seed": made_up(5.0, lowest=40), "rng_seed": 2, "takes": 2}
    apart = list(steps(info, **mine)), list(steps(info, **yours))
    by_turns: tuple[list[Step], list[Step]] = [], []
    for pair in zip_longest(steps(info, **mine), steps(info, **yours)):
        for place, step in enumerate(pair):
            if step is not None:
                by_turns[place].append(step)
    assert by_turns == apart


@every_model
def test_a_take_is_the_same_however_many_there_are(info: ModelInfo) -> None:
    three, two, one = (collect_takes(steps(info, takes=n), n) for n in (3, 2, 1))
    assert three[:2] == two
    assert two[:1] == one
    assert len({three[0].notes, three[1].notes, three[2].notes}) == 3


@every_model
@pytest.mark.parametrize("name", SEEDS)
def test_any_seed_will_do(info: ModelInfo, name: str) -> None:
    found = list(steps(info, SEEDS[name]))
    check(found, SECONDS)
    assert len(collect(found)) > 0


@every_model
def test_the_seed_matters_where_it_is_read(info: ModelInfo) -> None:
    takes = {collect(steps(info, SEEDS[name])).notes for name in ("empty", "ten minutes")}
    assert len(takes) == (2 if info.reads_seed else 1)


@every_model
def test_what_it_makes_of_a_seed_is_one_sentence_or_nothing(info: ModelInfo) -> None:
    said = [loaded(info.id).reads(seed) for seed in SEEDS.values()]
    assert all(not text or (text.endswith(".") and "\n" not in text) for text in said)


@every_model
def test_a_composer_is_a_control_where_there_are_composers(info: ModelInfo) -> None:
    names = {item.name for item in declared(info.controls)}
    assert ("composer" in names) == bool(info.composers)


@every_model
def test_every_control_may_be_at_its_limits(info: ModelInfo) -> None:
    tried = 0
    for item in declared(info.controls):
        for value in item.choices or (item.minimum, item.maximum):
            if value is None:
                continue
            if item.name == "seconds" and value == item.maximum:
                continue  # it takes long: see the next test
            values = {item.name: item.check(value)}
            # What a control needs to have an effect is set with it.
            if item.only_when is not None and item.only_when[0] not in values:
                values[item.only_when[0]] = item.only_when[1][0]
            usual = {"composer": info.composers[0]} if info.composers else {}
            controls = info.controls(**{"seconds": SECONDS, **usual, **values})
            gap = asked_gap(controls)
            if gap is not None:
                continue  # a stretch has two ends: see tests/families/transformer/test_generate.py
            check(list(loaded(info.id).generate(made_up(), controls)), controls.seconds)
            tried += 1
    assert tried >= 6


def test_the_longest_piece_is_written_to_its_end() -> None:
    info = next(iter(MODELS))
    longest = next(item.maximum for item in declared(info.controls) if item.name == "seconds")
    assert longest
    check(list(steps(info, seconds=longest)), longest)


@every_model
def test_its_main_control_changes_the_music(info: ModelInfo) -> None:
    main = [item for item in declared(info.controls) if item.main]
    assert len(main) == 1
    low, high = (
        collect(steps(info, **{main[0].name: main[0].check(value)}))
        for value in (main[0].minimum, main[0].maximum)
    )
    assert low != high


@every_model_with_composers
def test_the_composer_changes_the_music(info: ModelInfo) -> None:
    made = {collect(steps(info, composer=name)).notes for name in info.composers[:4]}
    assert len(made) == len(info.composers[:4])


@every_model_with_composers
def test_a_composer_it_was_not_taught_is_refused_in_one_sentence(info: ModelInfo) -> None:
    with pytest.raises(InvalidControl, match=r"was not taught nobody: choose one of .*\.$"):
        next(steps(info, composer="nobody"))


@every_model
def test_stopping_midway_leaves_the_model_as_it_was(info: ModelInfo) -> None:
    whole = list(steps(info))
    running = steps(info)
    kept = [next(running) for _ in range(len(whole) // 2)]
    running.close()  # type: ignore[attr-defined]
    assert next(running, None) is None
    assert kept == whole[: len(kept)]
    assert list(steps(info)) == whole


@every_model
def test_what_is_collected_is_all_that_was_told(info: ModelInfo) -> None:
    found = list(steps(info, takes=2))
    notes = [note for step in found if step.take == 0 for note in step.notes]
    assert collect(step for step in found if step.take == 0).notes == tuple(sorted(notes))


@every_step_graph
def test_the_step_graph_is_the_keras_model(info: ModelInfo, tmp_path: Path) -> None:
    """At once, step by step and as it is played; at most 1e-4 apart.

    On windows as the training makes them. Played it goes on from a seed of 20 steps, which is
    shorter than what some networks remember.
    """
    from pyzzicato.runtime.session import StepGraph, repeat
    from pyzzicato.training.family import Lessons, family_of
    from pyzzicato.training.recipes import load_keras, recipe

    config = {**recipe(info.folder, tmp_path).config, "batch": 2, "window": 120}
    piece = Piece(
        "a.mid", info.composers[0], "", "", "val", "performance", "", 1,
        note_array(made_up(20.0)).astype(np.float32),
    )  # fmt: skip
    lessons = family_of(info.family).teaching
    assert isinstance(lessons, Lessons)
    examples = lessons.examples([piece], config, training=False)
    inputs, _ = examples.batch(np.random.default_rng(1))
    wanted = np.asarray(load_keras(info)(inputs))
    graph = StepGraph(info.weights)
    at_once, _ = graph.advance(inputs, graph.start(2))
    assert np.abs(at_once - wanted).max() <= 1e-4
    state, by_step = graph.start(2), []
    for place in range(120):
        now = {k: v[:, place : place + 1] if v.ndim == 3 else v for k, v in inputs.items()}
        output, state = graph.advance(now, state)
        by_step.append(output)
    assert np.abs(np.concatenate(by_step, axis=1) - wanted).max() <= 1e-4
    for take in range(2):
        (row, density), roll = inputs["condition"][take], inputs["roll"][take]
        alone = {name: values[take : take + 1] for name, values in inputs.items()}
        _, state = graph.advance({**alone, "roll": roll[None, :20]}, graph.start(1))
        generator = loaded(info.id)
        assert isinstance(generator, RollGenerator)
        walk = generator.walk(repeat(state, 2), int(row), 2)
        for place in range(20, 120):
            walk.roll[:] = roll[place]
            walk.step(density)
            assert np.abs(walk.logits - wanted[take, place]).max() <= 1e-4
    assert np.abs(wanted).max() > 1, "there is something to compare"
