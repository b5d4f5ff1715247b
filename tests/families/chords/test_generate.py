"""Playing networks of notes and lengths: length, tempo, takes, seeds, no endless runs."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyzzicato.codecs.chord_duration import Voice
from pyzzicato.errors import InvalidControl, ModelUnavailable
from pyzzicato.families.chords.generate import MOST_AGAIN, TokenGenerator, Walk, _Player, _Runs
from pyzzicato.generation.generator import Step, collect, collect_takes
from pyzzicato.music.notes import Note, NoteSequence, longest_repeat
from pyzzicato.registry import model_info
from pyzzicato.runtime.session import State, StepGraph
from tests.small_chords import made_up, make_model

NETWORKS = {
    "lstm": {"family": "chords.note_duration_rnn", "cell": "lstm", "cut": "slices"},
    "next": {"family": "chords.next_note_gru", "cell": "gru", "cut": "onsets"},
}
SEED = made_up(3, 16)
every_network = pytest.mark.parametrize("name", NETWORKS)


@pytest.fixture(autouse=True)
def _shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path))
    for name, values in NETWORKS.items():
        make_model(tmp_path / name, **values)


def steps(name: str, seed: NoteSequence = SEED, takes: int = 1, **values: Any) -> list[Step]:
    info = model_info(name)
    return list(info.load().generate(seed, info.controls(**{"seconds": 20, **values}), takes))


@every_network
def test_a_take_ends_in_time_with_news_all_along(name: str) -> None:
    for tempo in (0, 20, 240):
        found = steps(name, tempo=tempo)
        times = [0.0, *(step.time for step in found)]
        assert all(0 <= b - a <= 0.5 + 1e-9 for a, b in pairwise(times))
        assert times[-1] == 20
        for before, step in zip(times, found, strict=False):
            assert all(before - 1e-9 <= note.end <= 20 for note in step.notes)
        assert sum(len(step.notes) for step in found) > 10


@every_network
def test_takes_do_not_depend_on_each_other(name: str) -> None:
    three, one = (collect_takes(steps(name, takes=n), n) for n in (3, 1))
    assert three[0] == one[0]
    assert len({take.notes for take in three}) == 3


@every_network
def test_the_tempo_is_the_seeds_unless_it_is_set(name: str) -> None:
    slow, fast = collect(steps(name, tempo=60)), collect(steps(name, tempo=120))
    first = [n for n in fast if n.end < 9.9]
    assert len(first) > 5
    for a, b in zip(first, slow, strict=False):
        assert b.start == pytest.approx(2 * a.start)
        assert b.pitch == a.pitch
    own, as_seed = collect(steps(name)), collect(steps(name, tempo=SEED.qpm))
    assert own == as_seed


def test_a_tempo_between_nothing_and_slow_is_refused() -> None:
    with pytest.raises(InvalidControl, match="choose 0 for the seed's, or 20 to 240"):
        steps("lstm", tempo=5)


@every_network
@pytest.mark.parametrize(
    "seed",
    [
        NoteSequence(),
        NoteSequence((Note(0, 0.5, 5), Note(1, 2, 38, 80, 0, True))),
        NoteSequence((Note(0, 0.5, 60),), qpm=5),
        NoteSequence((Note(30, 30.001, 60),), qpm=900),
        NoteSequence(tuple(Note(0, 2, p) for p in range(21, 109))),
    ],
    ids=["nothing", "nothing a piano has", "very slow", "very fast", "every key"],
)
def test_any_seed_will_do(name: str, seed: NoteSequence) -> None:
    found = steps(name, seed)
    assert found[-1].time == 20
    assert len(collect(found)) > 0


@every_network
def test_the_seed_is_read(name: str) -> None:
    assert collect(steps(name)) != collect(steps(name, made_up(4, 16)))


@every_network
def test_it_is_about_as_loud_as_the_seed(name: str) -> None:
    for velocity in (45, 100):
        seed = NoteSequence(tuple(n._replace(velocity=velocity) for n in SEED), SEED.qpm)
        made = [note.velocity for note in collect(steps(name, seed))]
        assert max(abs(v - velocity) for v in made) <= 6


def test_quarter_notes_only_as_published() -> None:
    made = collect(steps("next", durations=False, tempo=60))
    starts = {n.start for n in made}
    assert starts <= {float(n) for n in range(20)}
    assert all(n.end - n.start == pytest.approx(1.0) for n in made)
    free = collect(steps("next", tempo=60))
    assert any(n.start % 1 for n in free)


class _Stuck(TokenGenerator):
    """A network that says the same for ever, once it has begun."""

    def walk(self, state: State) -> Walk:
        known = self.codec.vocabulary
        same = [3, len(known.notes)]

        class Still(Walk):
            def step(self, codes: np.ndarray) -> None:
                self.told[:] = -20.0
                self.told[:, same] = 0.0

        return Still(self.graph, state, len(known.notes) + len(known.durations))


def test_the_same_chord_comes_at_most_eight_times_whatever_the_seed_does() -> None:
    info = model_info("next")
    stuck, controls = _Stuck(info), info.controls(seconds=60)
    assert longest_repeat(collect(stuck.generate(SEED, controls)).notes) == MOST_AGAIN
    key = stuck.chords[3][0]
    drone = NoteSequence(tuple(Note(n, n + 1, key) for n in range(20)), qpm=60)
    assert longest_repeat(collect(stuck.generate(drone, controls)).notes) == MOST_AGAIN


def test_no_bass_is_held_for_good_under_what_changes() -> None:
    """A network that wants one bass: more chords over it than the rule of eight can hear."""
    info = model_info("lstm")
    generator = info.load()
    assert isinstance(generator, TokenGenerator)
    basses = [keys[0] if keys else -1 for keys in generator.chords]
    wanted = max(set(basses) - {-1}, key=basses.count)
    over = np.flatnonzero([bass == wanted for bass in basses])
    assert len(over) > 3

    class Droning(TokenGenerator):
        def walk(self, state: State) -> Walk:
            class Drone(Walk):
                def step(self, codes: np.ndarray) -> None:
                    super().step(codes)
                    self.told[:, over] += 6.0

            known = self.codec.vocabulary
            return Drone(self.graph, state, len(known.notes) + len(known.durations))

    notes = collect(Droning(info).generate(SEED, info.controls(seconds=120)))
    times = np.arange(30, 120, 0.1)
    heard = [any(n.pitch == wanted and n.start <= t < n.end for n in notes) for t in times]
    assert 0 < np.mean(heard) < 0.8  # without the guard all of them


def test_a_chord_with_rests_between_is_in_a_row_too() -> None:
    """What is counted is what is struck: staccato chords and keys struck over a held one."""
    runs = _Runs.after([(60,), (), (60,), (), (60,)], held=True)
    assert (runs.last, runs.again) == ((60,), 3)
    runs = _Runs.after([(48, 64), (48,), (48, 64), (48,), (48, 64)], held=True)
    assert (runs.last, runs.again) == ((64,), 2)
    assert _Runs.after([(60,)] * 12, held=False).again == 12
    player = _Player(60.0, 0.05, 72, Voice(), _Runs())
    for chord in [(48, 64), (48,)] * 9:
        assert player.tired_of([chord]) == []
        list(player.play(chord, 3))
    assert player.tired_of([(48, 64), (48, 65), (64,), (), (48,)]) == [0, 2]


@every_network
def test_a_walk_says_what_the_graph_says(name: str) -> None:
    generator = model_info(name).load()
    assert isinstance(generator, TokenGenerator)
    graph = StepGraph(generator.info.weights)
    codes = np.random.default_rng(2).integers(0, 5, (7, 3, 2))
    walk = generator.walk(graph.start(3))
    for place in range(len(codes)):
        walk.step(codes[place])
        read = codes[: place + 1].swapaxes(0, 1).astype(np.float32) + 1
        whole, _ = graph.advance({"tokens": read}, graph.start(3))
        np.testing.assert_allclose(walk.told, whole[:, -1], atol=1e-5)


def test_no_rest_follows_a_rest_and_none_is_long(tmp_path: Path) -> None:
    info = model_info("lstm")
    generator = info.load()
    assert isinstance(generator, TokenGenerator)
    assert "rest" in generator.codec.vocabulary.notes
    for take in collect_takes(generator.generate(SEED, info.controls(seconds=60), 4), 4):
        sounding = sorted((n.start, n.end) for n in take)
        now, gap = 0.0, 0.0
        for start, end in sounding:
            gap, now = max(gap, start - now), max(now, end)
        assert gap <= 60 / SEED.qpm + 1e-6


def test_a_model_without_its_vocabulary_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "lstm" / "vocabulary.json").unlink()
    with pytest.raises(ModelUnavailable, match=r"vocabulary\.json"):
        model_info("lstm").load()
