"""Playing the note Transformer: any seed, any number of takes, the same music every time."""

import json
from collections import defaultdict
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from pyzzicato.codecs.performance import BINS, DURATION, PITCH, TIME, VELOCITY
from pyzzicato.errors import InvalidControl
from pyzzicato.families.transformer.decode import LONGEST_SILENCE, LOOSER, NoteHeads, Writer, guided
from pyzzicato.families.transformer.generate import NoteControls, NoteGenerator, shares
from pyzzicato.families.transformer.processors.density_control import level
from pyzzicato.families.transformer.processors.density_plan import Course
from pyzzicato.families.transformer.processors.motif_recall import FIRST as RETURNS_FIRST
from pyzzicato.families.transformer.processors.pitch_loops import PitchGuard
from pyzzicato.generation.generator import Step, collect, collect_takes
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.runtime.session import StepGraph
from tests.small_transformer import CONFIG, make_transformer, weights

PLACES = CONFIG["context_length"]


@pytest.fixture(scope="module")
def player(tmp_path_factory: pytest.TempPathFactory) -> NoteGenerator:
    return NoteGenerator(make_transformer(tmp_path_factory.mktemp("small")))


def asked(**values: Any) -> NoteControls:
    return NoteControls(seconds=20.0, composer="chopin").changed(**values)


def tune(count: int) -> NoteSequence:
    """A note every 0.55 s, so on the 10 ms grid."""
    return NoteSequence(
        tuple(Note(n * 0.55, n * 0.55 + 0.5, 48 + n * 7 % 29, 60 + n % 20) for n in range(count))
    )


SEEDS = {
    "empty": NoteSequence(),
    "one note": tune(1),
    "two notes": tune(2),
    "just the context": tune(PLACES),
    "longer than the context": tune(3 * PLACES),
}


@pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS.keys())
def test_any_seed_is_played_on(player: NoteGenerator, seed: NoteSequence) -> None:
    steps = list(player.generate(seed, asked()))
    assert steps[-1].time == 20.0
    assert all(before.time <= after.time for before, after in pairwise(steps))
    music = collect(steps)
    assert len(music) > 5
    for note in music:
        assert 0 <= note.start < note.end <= 20.01
        assert 21 <= note.pitch <= 108


def test_music_goes_on_beyond_the_context(player: NoteGenerator) -> None:
    music = collect(player.generate(tune(4), asked(seconds=300.0)))
    assert len(music) > 2 * PLACES
    assert any(note.start > 290 for note in music)


def test_of_a_long_seed_its_end_is_read(player: NoteGenerator) -> None:
    long = tune(3 * PLACES)
    end = NoteSequence(long.notes[-(PLACES - 1) :])
    assert collect(player.generate(long, asked())) == collect(player.generate(end, asked()))


def test_the_seed_matters(player: NoteGenerator) -> None:
    played = {collect(player.generate(seed, asked())) for seed in SEEDS.values()}
    assert len(played) == len(SEEDS)


def test_a_take_does_not_depend_on_the_number_of_takes(player: NoteGenerator) -> None:
    for seed in (NoteSequence(), tune(6)):
        three = collect_takes(player.generate(seed, asked(), 3), 3)
        two = collect_takes(player.generate(seed, asked(), 2), 2)
        assert three[:2] == two
        assert three[0] == collect(player.generate(seed, asked()))
        assert len(set(three)) == 3


@pytest.fixture(scope="module")
def rising(tmp_path_factory: pytest.TempPathFactory) -> NoteGenerator:
    """A player whose music was measured: it is wished as dense as that."""
    info = make_transformer(tmp_path_factory.mktemp("rising"))
    table = {"": np.linspace(1.0, 20.0, 21).tolist(), "bach": [3.0] * 21}
    (info.folder / "training.json").write_text(json.dumps({"course": table}))
    return NoteGenerator(info)


def test_density_follows_a_course_unless_it_is_asked_for(rising: NoteGenerator) -> None:
    def played(**values: Any) -> NoteSequence:
        return collect(rising.generate(tune(16), asked(**values)))

    assert played() != played(course=False)
    assert played(density=5) == played(density=5, course=False)
    three = collect_takes(rising.generate(tune(16), asked(), 3), 3)
    assert three[0] == played()
    assert three[:2] == collect_takes(rising.generate(tune(16), asked(), 2), 2)
    assert played(guidance=1.0) == collect(rising.generate(tune(16), asked(guidance=1.0)))


def test_themes_come_back_unless_they_shall_not(player: NoteGenerator) -> None:
    def played(**values: Any) -> NoteSequence:
        return collect(player.generate(tune(16), asked(seconds=90.0, **values)))

    back, without = played(), played(returns=False)
    assert back != without
    first = [
        tuple(note for note in music if note.end < RETURNS_FIRST[0]) for music in (back, without)
    ]
    assert first[0] == first[1]
    takes = collect_takes(player.generate(tune(16), asked(seconds=90.0), 3), 3)
    assert takes[0] == back


def test_of_touch_nothing_unlikely_is_left_out() -> None:
    class Heads:
        """Of two classes the second has a chance of 1 in 50."""

        def logits(self, hidden: np.ndarray, field: int) -> np.ndarray:
            logits = np.full((len(hidden), BINS[field]), -1e9)
            logits[:, 1], logits[:, 2] = np.log(0.98), np.log(0.02)
            return logits

        def told(self, hidden: np.ndarray, field: int, chosen: np.ndarray) -> np.ndarray:
            return hidden

    takes = 20_000
    for strict in ({"top_p": 0.9}, {"min_p": 0.3}):
        guard = PitchGuard(np.zeros((0, 4), np.int64), takes)
        writer = Writer(cast(NoteHeads, Heads()), asked(**strict), takes, guard)
        least = np.zeros(takes, np.int64)
        chosen, _ = writer.write(np.zeros((takes, 4)), least=least)
        rare = (chosen == 2).mean(axis=0)
        assert rare[[TIME, PITCH]].tolist() == [0.0, 0.0]
        for field in (DURATION, VELOCITY):
            wanted = 1 / (1 + 49 ** (1 / LOOSER[field]))
            assert rare[field] == pytest.approx(wanted, abs=0.006)


def test_with_guidance_what_the_composer_adds_counts_more() -> None:
    told, free = np.array([[1.0, 3.0]]), np.array([[2.0, 2.0]])
    both = np.concatenate([told, free])
    assert guided(told, 1, 3.0).tolist() == [[1.0, 3.0]]
    assert guided(both, 1, 1.0).tolist() == [[1.0, 3.0]]
    assert guided(both, 1, 3.0).tolist() == [[-1.0, 5.0]]


def test_moments_are_leaned_to_the_course_and_nothing_else_is() -> None:
    class Heads:
        """Everything is as likely as everything."""

        def logits(self, hidden: np.ndarray, field: int) -> np.ndarray:
            return np.zeros((len(hidden), BINS[field]))

        def told(self, hidden: np.ndarray, field: int, chosen: np.ndarray) -> np.ndarray:
            return hidden

    takes = 4_000
    found = []
    for per_second in (None, 1.0, 30.0):
        course = None if per_second is None else Course(level(5), tune(20), 30, 1, takes)
        for now in np.arange(0, 12, 1 / (per_second or 1.0)):
            if course:
                course.saw([float(now)] * takes)
        guard = PitchGuard(np.zeros((0, 4), np.int64), takes)
        writer = Writer(cast(NoteHeads, Heads()), asked(), takes, guard, course=course)
        chosen, _ = writer.write(np.zeros((takes, 4)), least=np.zeros(takes, np.int64))
        found.append(chosen.mean(axis=0))
    left, sparse, dense = np.array(found)
    assert sparse[TIME] < left[TIME] - 10
    assert dense[TIME] > left[TIME] + 10
    assert sparse[[DURATION, VELOCITY]].tolist() == left[[DURATION, VELOCITY]].tolist()


def test_with_guidance_both_readings_are_told_one_density(
    rising: NoteGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[np.ndarray] = []
    advance = rising.graph.advance

    def listened(inputs: dict[str, np.ndarray], cache: Any) -> np.ndarray:
        read.append(inputs["wishes"][:, -1].copy())
        return advance(inputs, cache)

    monkeypatch.setattr(rising.graph, "advance", listened)
    for wished in ({"loudness": 4}, {"loudness": 4, "density": 6}):
        read.clear()
        collect_takes(rising.generate(tune(6), asked(guidance=2.0, **wished), 3), 3)
        assert len(read) > 10
        for wishes in read:
            told, free = np.split(wishes, 2)
            assert (told[:, 1] >= 2).all()
            assert (told == free).all()
    read.clear()
    unpaced = asked(guidance=2.0, course=False)
    collect_takes(rising.generate(tune(6), unpaced, 3), 3)
    assert all((wishes[:, 1] == 0).all() for wishes in read)


def test_two_runs_beside_each_other_equal_two_apart(player: NoteGenerator) -> None:
    def run(rng_seed: int) -> Any:
        return player.generate(tune(6), asked(rng_seed=rng_seed))

    beside: list[list[Step]] = [[], []]
    for pair in zip_longest(run(1), run(2)):
        for steps, step in zip(beside, pair, strict=True):
            if step is not None:
                steps.append(step)
    assert beside[0] == list(run(1))
    assert beside[1] == list(run(2))
    assert collect(beside[0]) != collect(beside[1])


def test_every_control_changes_the_music(player: NoteGenerator) -> None:
    plain = collect(player.generate(tune(6), asked()))
    changes: list[dict[str, Any]] = [
        {"composer": "bach"},
        {"guidance": 1.0},
        {"guidance": 3.0},
        {"temperature": 0.5},
        {"top_p": 0.5},
        {"min_p": 0.3},
        {"density": 3},
        {"loudness": 4},
        {"rng_seed": 2},
    ]
    for change in changes:
        assert collect(player.generate(tune(6), asked(**change))) != plain, change


def test_more_time_begins_with_the_same_notes(player: NoteGenerator) -> None:
    short = collect(player.generate(tune(6), asked(seconds=10.0)))
    long = collect(player.generate(tune(6), asked(seconds=40.0)))
    begun = [note for note in long if note.start < 10.0]
    assert [n._replace(end=min(n.end, 10.0)) for n in begun if n.start < 9.9] == [
        n for n in short if n.start < 9.9
    ]


def test_a_key_is_never_struck_while_it_sounds(player: NoteGenerator) -> None:
    for music in collect_takes(player.generate(NoteSequence(), asked(seconds=60.0), 4), 4):
        by_key = defaultdict(list)
        for note in music:
            by_key[note.pitch].append(note)
        for notes in by_key.values():
            assert all(before.end <= after.start for before, after in pairwise(notes))


def test_no_wait_is_longer_than_the_longest_silence(tmp_path: Path) -> None:
    """A network that always asks for ten seconds of silence."""
    arrays = weights(CONFIG)
    arrays["time_out/bias"][-1] = 100.0
    music = collect(NoteGenerator(make_transformer(tmp_path, arrays)).generate(tune(3), asked()))
    assert len(music) >= 3
    starts = [note.start for note in music]
    assert all(b - a <= LONGEST_SILENCE + 1e-9 for a, b in pairwise(starts))


def test_a_composer_it_was_not_taught_is_refused_at_once(player: NoteGenerator) -> None:
    with pytest.raises(InvalidControl, match="was not taught joplin: choose one of bach, chopin"):
        player.generate(tune(2), asked(composer="joplin"))


def test_the_heads_in_numpy_are_those_of_the_graph(player: NoteGenerator) -> None:
    dice = np.random.default_rng(1)
    hidden = dice.normal(size=(5, 1, CONFIG["width"])).astype(np.float32)
    chosen = np.stack([dice.integers(0, BINS[i], (5, 1)) for i in range(3)], axis=2)
    graph = StepGraph(player.info.folder / "heads.onnx")
    both = {"hidden": hidden, "chosen": chosen.astype(np.float32)}
    wanted, _ = graph.advance(both, {})
    read, found = hidden[:, 0], []
    for field in range(len(BINS)):
        found.append(player.heads.logits(read, field))
        if field < 3:
            read = player.heads.told(read, field, chosen[:, 0, field])
    np.testing.assert_allclose(np.concatenate(found, axis=1), wanted[:, 0], rtol=1e-4, atol=1e-4)


def test_two_composers_are_mixed_by_weight(player: NoteGenerator) -> None:
    def played(**values: Any) -> NoteSequence:
        return collect(player.generate(tune(6), asked(**values)))

    chopin, bach = played(), played(composer="bach")
    mixed = played(composer_2="bach", mix=0.5)
    assert mixed not in (chopin, bach)
    assert played(composer_2="bach", mix=0.0) == chopin
    assert played(composer_2="bach", mix=1.0) == bach
    assert played(composer_2="chopin") == chopin
    assert played(composer="bach", composer_2="chopin", mix=0.5) == mixed
    assert played(mix=0.9) == chopin


def test_how_much_of_whom() -> None:
    assert shares(asked()) == {"chopin": 1.0}
    assert shares(asked(composer_2="bach", mix=0.25)) == {"chopin": 0.75, "bach": 0.25}


@pytest.mark.parametrize("given", [{"composer_2": "joplin"}, {"composer": ""}])
def test_a_second_composer_it_was_not_taught_is_refused(
    player: NoteGenerator, given: dict[str, str]
) -> None:
    with pytest.raises(InvalidControl, match=r"was not taught .*: choose one of bach, chopin"):
        player.generate(tune(2), asked(**given))


def test_it_says_that_it_reads_the_end_of_a_long_seed(player: NoteGenerator) -> None:
    assert player.reads(tune(PLACES - 1)) == ""
    assert player.reads(tune(PLACES)) == f"Only the last {PLACES - 1} notes of this seed are read."
