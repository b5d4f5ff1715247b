"""Filling in: read as in training, inside the gap and nowhere else, joined without a seam."""

from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pyzzicato import registry
from pyzzicato.composition import order as composition
from pyzzicato.data.pieces import Piece
from pyzzicato.errors import InvalidControl
from pyzzicato.families.transformer import windows as performance_examples
from pyzzicato.families.transformer.decode import Report, Writer
from pyzzicato.families.transformer.generate import NoteControls, NoteGenerator
from pyzzicato.families.transformer.processors.pitch_loops import PitchGuard
from pyzzicato.families.transformer.processors.playability import FINGERS
from pyzzicato.families.transformer.prompt import to_fill
from pyzzicato.families.transformer.windows import NoteWindows
from pyzzicato.generation.controls import declared
from pyzzicato.generation.generator import collect, collect_takes
from pyzzicato.generation.infill import Gap, around, filled, parted
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.runtime.session import Cache, CachedGraph
from pyzzicato.ui.controls import others
from tests.small_transformer import COMPOSERS, CONFIG, make_transformer, weights


@pytest.fixture(scope="module")
def player(tmp_path_factory: pytest.TempPathFactory) -> NoteGenerator:
    return NoteGenerator(make_transformer(tmp_path_factory.mktemp("small")))


def asked(start: float, stop: float, **values: Any) -> NoteControls:
    return NoteControls(composer="chopin", fill_from=start, fill_to=stop).changed(**values)


def tune(count: int) -> NoteSequence:
    """Two notes at a time, a pair every 0.5 s, each as long as the next pair but one begins."""
    return NoteSequence(
        tuple(
            Note(n // 2 * 0.5, n // 2 * 0.5 + 0.9, 40 + n * 7 % 29 + n % 2 * 30, 60 + n % 20)
            for n in range(count)
        )
    )


class Fixed:
    """Dice that fall as told, for the choices that training makes: no stretch, no wishes."""

    def __init__(self, stop: int) -> None:
        self.stop = stop
        self.randoms = iter([0.9, 0.9, 0.0])  # density and loudness are not said; fill a gap

    def integers(self, low: int, high: int) -> int:
        return self.stop if low > 0 else 0

    def uniform(self, low: float, high: float) -> float:
        return 1.0

    def random(self) -> float:
        return next(self.randoms)


def test_a_gap_is_read_as_in_training() -> None:
    """A window that training makes is what is read to fill the same gap in the same piece."""
    music = tune(120)
    rows = [(n.start, n.end, n.pitch, n.velocity) for n in music]
    piece = Piece("x", "chopin", "", "x", "train", "performance", "", 1, np.array(rows, np.float32))
    config = {"window": 120, "batch": 1, "composers": COMPOSERS, "filled": 1.0}
    windows = NoteWindows([piece], config, training=True)
    stop, first_new = 80, 60
    codes, read, wishes = windows._window(piece, 120, Fixed(stop))  # type: ignore[arg-type]
    gap = Gap(music.notes[first_new].start, music.notes[stop].start)
    prompt = to_fill(music, gap, 1024)
    later, known = 120 - stop, 120 - stop + first_new
    assert len(prompt.notes) == known + 1
    np.testing.assert_array_equal(prompt.notes, read[: known + 1])
    np.testing.assert_array_equal(prompt.wishes[:, 3:], wishes[: known + 1, 3:])
    np.testing.assert_array_equal(prompt.codes[:, :4], codes[later:known, :4])
    assert prompt.wishes[0, 3] == performance_examples.FILL
    assert prompt.left == pytest.approx(gap.seconds)
    assert prompt.since == pytest.approx(0.5)


def test_a_gap_at_the_beginning_and_one_at_the_end() -> None:
    music = tune(40)
    start = to_fill(music, Gap(0.0, 4.0), 1024)
    assert len(start.codes) == 0
    assert start.notes[-1].tolist() == [size - 1 for size in performance_examples.READ]
    assert start.wishes[-1, 4] == performance_examples.time_left(4.0)
    end = to_fill(music, Gap(8.0, music.duration), 1024)
    assert (end.wishes[:, 3] == performance_examples.MUSIC).all()
    assert len(end.codes) == 32
    assert end.left == pytest.approx(music.duration - 8.0)


def test_where_the_gap_ends_in_a_rest_the_time_left_counts_to_the_next_note() -> None:
    music = tune(40)
    prompt = to_fill(music, Gap(4.0, 6.3), 1024)
    assert prompt.left == pytest.approx(2.5)


@pytest.mark.parametrize("places", [48, 64, 1024])
def test_a_long_piece_leaves_room_for_new_notes(places: int) -> None:
    music = tune(3000)
    prompt = to_fill(music, Gap(300.0, 320.0), places)
    later = int((prompt.wishes[:, 3] == performance_examples.FILL).sum())
    assert later == places // 4
    assert len(prompt.notes) + min(places // 2, 400) == places
    assert prompt.codes[0, 0] == 0
    # The time left of the note after the last one read before the gap, wherever it begins.
    assert prompt.wishes[-1, 4] == performance_examples.time_left(20.5)


GAPS = {
    "inside": (4.0, 9.0),
    "the beginning": (0.0, 3.0),
    "the end": (15.0, 20.4),
    "as short as can be": (6.0, 6.5),
    "not on a note": (5.23, 9.81),
    "everything": (0.0, 20.4),
}


@pytest.mark.parametrize(("start", "stop"), GAPS.values(), ids=GAPS.keys())
def test_new_notes_begin_inside_the_gap(player: NoteGenerator, start: float, stop: float) -> None:
    seed = tune(80)
    steps = list(player.generate(seed, asked(start, stop)))
    assert steps[-1].time == pytest.approx(stop - start)
    assert all(before.time <= after.time for before, after in pairwise(steps))
    new = collect(steps)
    assert all(0 <= note.start < stop - start for note in new)
    whole = filled(seed, new, start, stop)
    before, after = around(seed, Gap(start, stop))
    assert len(whole) == len(before) + len(new) + len(after)
    assert [note for note in whole if note.start >= stop] == list(after)
    by_key = defaultdict(list)
    for note in whole:
        by_key[note.pitch].append(note)
    for notes in by_key.values():
        for one, two in pairwise(notes):
            assert one.end <= two.start or {one, two} <= {*before, *after}


def test_the_length_of_the_gap_counts_and_not_seconds(player: NoteGenerator) -> None:
    seed = tune(80)
    short, long = (asked(4.0, 12.0, seconds=seconds) for seconds in (5.0, 300.0))
    assert collect(player.generate(seed, short)) == collect(player.generate(seed, long))


def test_what_comes_after_matters(player: NoteGenerator) -> None:
    seed = tune(80)
    higher = NoteSequence(
        tuple(n._replace(pitch=n.pitch + 12) if n.start >= 9 else n for n in seed)
    )
    asks = asked(4.0, 9.0, temperature=0.8)
    one, two = (collect(player.generate(music, asks)) for music in (seed, higher))
    assert one != two


def test_what_stood_in_the_gap_does_not_matter(player: NoteGenerator) -> None:
    seed = tune(80)
    before, after = around(seed, Gap(4.0, 9.0))
    emptied = before.merge(after)
    one, two = (collect(player.generate(music, asked(4.0, 9.0))) for music in (seed, emptied))
    assert one == two


def test_a_take_does_not_depend_on_the_number_of_takes(player: NoteGenerator) -> None:
    seed = tune(80)
    three = collect_takes(player.generate(seed, asked(4.0, 12.0), 3), 3)
    assert three[0] == collect(player.generate(seed, asked(4.0, 12.0)))
    assert three[:2] == collect_takes(player.generate(seed, asked(4.0, 12.0), 2), 2)
    assert len(set(three)) == 3


@pytest.mark.parametrize(
    ("start", "stop", "words"),
    [
        (4.0, 4.4, "From 4 to 4.4 seconds is too short .* at least 0.5 seconds after"),
        (4.0, 0.0, "From 4 to 0 seconds is too short"),
        (15.0, 30.0, "no stretch from 15 to 30 seconds .* the seed, which lasts 20.4 seconds"),
    ],
)
def test_a_gap_that_cannot_be_is_told_at_once(
    player: NoteGenerator, start: float, stop: float, words: str
) -> None:
    with pytest.raises(InvalidControl, match=words):
        player.generate(tune(80), asked(start, stop))


def test_from_nothing_there_is_no_gap(player: NoteGenerator) -> None:
    with pytest.raises(InvalidControl, match=r"lasts 0.0 seconds\.$"):
        player.generate(NoteSequence(), asked(1.0, 3.0))


def test_both_ends_at_nought_mean_no_gap(player: NoteGenerator) -> None:
    plain = NoteControls(composer="chopin", seconds=10.0)
    seed = tune(20)
    assert collect(player.generate(seed, plain)) == collect(
        player.generate(seed, plain.changed(fill_from=0, fill_to=0))
    )


def test_a_network_that_never_waits_fills_no_gap_for_ever(tmp_path: Path) -> None:
    """It strikes one key after another at the same instant, whatever time is left."""
    arrays = weights(CONFIG)
    arrays["time_out/kernel"][:] = 0
    arrays["time_out/bias"][:] = -100.0
    arrays["time_out/bias"][0] = 100.0
    arrays["time_out/bias"][30] = 50.0
    player = NoteGenerator(make_transformer(tmp_path, arrays))
    new = collect(player.generate(tune(80), asked(4.0, 8.0)))
    at_once: dict[float, int] = defaultdict(int)
    for note in new:
        at_once[round(note.start, 2)] += 1
    assert len(at_once) > 5
    assert max(at_once.values()) <= 2 * FINGERS


def told(player: NoteGenerator, logits: np.ndarray) -> Writer:
    """A writer of 4,000 takes whose time head says `logits`, whatever it reads."""
    guard = PitchGuard(np.zeros((0, 5), np.int64), 4000)
    writer = Writer(player.heads, NoteControls(temperature=1.0), 4000, guard)
    writer.heads = type("Heads", (), {"logits": lambda self, hidden, field: logits.copy()})()
    return writer


def test_a_gap_is_full_as_often_as_the_next_note_would_come_later(player: NoteGenerator) -> None:
    logits = np.full((4000, 128), -1e9, np.float32)
    logits[:, 10], logits[:, 40] = np.log(0.7), np.log(0.3)
    none, soon = np.zeros(4000, np.int64), np.full(4000, 20)

    def share(least: np.ndarray, most: np.ndarray) -> float:
        return float(told(player, logits).full(np.zeros((4000, 1)), least, most).mean())

    assert share(none, np.full(4000, 41)) == 0
    assert share(none, np.full(4000, 40)) == pytest.approx(0.3, abs=0.03)
    assert share(none, np.full(4000, 10)) == 1
    assert share(soon, np.full(4000, 40)) == 1, "the first of the two chances is gone"


def test_a_note_rings_on_until_its_key_is_struck_in_the_part_after() -> None:
    report = Report(4.0, 0.0, {60: 4.5})
    report.add(np.array([100, 39, 95, 10]), 0)  # C4 at 1 s, for 10 s
    report.add(np.array([100, 40, 95, 10]), 0)
    step = report.finish()
    assert step is not None
    assert step.time == 4.0
    ends = {note.pitch: note.end for note in step.notes}
    assert ends == {60: 4.5, 61: pytest.approx(12.0)}
    assert report.finish() is None


def test_parts_are_joined_at_their_times() -> None:
    seed = NoteSequence(
        (Note(0, 9, 60), Note(0, 9, 61), Note(0.5, 1, 61), Note(3, 4, 62), Note(6, 8, 64))
    )
    new = NoteSequence((Note(0, 1, 60), Note(0.5, 5, 64), Note(1, 2, 67)))
    stays, played = parted(seed, new, 2.0, 5.0)
    assert stays.notes == (
        Note(0, 2, 60), Note(0, 9, 61), Note(0.5, 1, 61), Note(6, 8, 64),
    )  # fmt: skip
    assert played.notes == (Note(0, 1, 60), Note(0.5, 4, 64), Note(1, 2, 67))
    assert filled(seed, new, 2.0, 5.0) == stays.followed_by(played, 2.0)


def test_composing_gives_the_joined_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, player: NoteGenerator
) -> None:
    monkeypatch.setattr(composition, "model_info", lambda model: player.info)
    monkeypatch.setattr(registry.ModelInfo, "load", lambda info: player)
    seed = tune(80)
    made = composition.compose(
        "chopin", seed, model="small", fill_from="4", fill_to="9", rng_seed=3
    )
    new = collect(player.generate(seed, asked(4.0, 9.0, rng_seed=3)))
    assert made.sequence == filled(seed, new, 4.0, 9.0)
    assert made.border == 4.0
    assert made.title == "Chopin, inside your own music"
    assert made.save(tmp_path / "whole.mid").stat().st_size > 0


def test_every_new_note_is_told_the_time_left(
    player: NoteGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []

    def heard(graph: CachedGraph, inputs: dict[str, np.ndarray], cache: Cache) -> np.ndarray:
        told.append(int(inputs["wishes"][0, -1, 4]))
        return advance(graph, inputs, cache)

    advance = CachedGraph.advance
    monkeypatch.setattr(CachedGraph, "advance", heard)
    new = collect(player.generate(tune(80), asked(4.0, 9.3)))
    filling, plain = told[0::2], told[1::2]
    assert set(plain) == {0}, "the reading that tells when the gap is full knows of none"
    # Up to the first note of the part after, at 9.5 s; first counted from the note at 3.5 s.
    wanted = [5.5 + 0.5, *(5.5 - note.start for note in new)]
    assert filling == [int(performance_examples.time_left(left)) for left in wanted]


def test_the_app_does_not_list_the_ends_of_the_gap() -> None:
    view: Any = SimpleNamespace(info=SimpleNamespace(controls=NoteControls))
    listed = ["guidance", "top_p", "min_p", "density", "course", "returns", "loudness"]
    assert [item.name for item in others(view)] == listed
    assert {"fill_from", "fill_to"} <= {item.name for item in declared(NoteControls)}
