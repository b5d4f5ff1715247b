"""What the families for a band share: the seed on its grid, kept instruments, notes as they end."""

from collections.abc import Iterator
from itertools import repeat
from typing import Any

import numpy as np
import pytest

from pyzzicato.codecs.multitrack_roll import MultitrackRoll
from pyzzicato.errors import InvalidControl
from pyzzicato.families.band.controls import BandControls
from pyzzicato.families.band.decode import BandGenerator, Plan, plan, play
from pyzzicato.generation.controls import declared
from pyzzicato.generation.generator import Step, collect, collect_takes
from pyzzicato.generation.instrument_lock import KEEPS, asked_keep, kept_instruments
from pyzzicato.music.instruments import INSTRUMENTS
from pyzzicato.music.notes import Note, NoteSequence

DRUMS, PIANO, GUITAR, BASS, STRINGS = range(5)


def band(bars: int = 2, qpm: float = 120.0) -> NoteSequence:
    """Our own: drums on every beat, a bass, and a piano figure; velocities all different."""
    beat = 60 / qpm
    notes = []
    for quarter in range(4 * bars):
        start = quarter * beat
        notes.append(
            Note(start, start + beat / 4, 36 + quarter % 2 * 2, 60 + quarter % 40, 0, True)
        )
        notes.append(Note(start, start + beat, 36 + quarter % 3, 70 + quarter % 40, 32))
        notes.append(Note(start + beat / 2, start + beat, 60 + quarter % 5, 50 + quarter % 40, 0))
    return NoteSequence(tuple(notes), qpm=qpm)


def pattern(pitch: int = 64, instrument: int = STRINGS) -> Iterator[np.ndarray]:
    """Two takes, block after block of four steps: a note struck, held twice, and a rest."""
    for number in repeat(0):
        block = np.zeros((2, 4, 5, 128), np.uint8)
        block[:, 0, instrument, pitch + number] = 2
        block[:, 1:3, instrument, pitch + number] = 1
        yield block


def music(seed: NoteSequence, blocks: Iterator[np.ndarray], **values: Any) -> NoteSequence:
    controls = BandControls(**{"seconds": 8.0, **values})
    return collect(play(plan(seed, controls), blocks, 1))


def times(found: NoteSequence) -> list[float]:
    """Start and end of each note, one after another."""
    return [time for note in found for time in (note.start, note.end)]


def test_codes_become_notes_on_the_grid_with_the_instruments_program() -> None:
    found = music(NoteSequence(), pattern(), seconds=5)
    assert times(found) == pytest.approx([t for k in range(10) for t in (0.5 * k, 0.5 * k + 0.375)])
    assert {(n.pitch, n.program, n.is_drum) for n in found} == {(64, 48, False)}
    assert found.notes[0].velocity > found.notes[2].velocity > found.notes[1].velocity
    drums = music(NoteSequence(), pattern(38, DRUMS), seconds=5)
    assert {(n.program, n.is_drum) for n in drums} == {(0, True)}


def test_it_ends_in_time_and_tells_at_least_once_a_second() -> None:
    for qpm in (0, 1, 40, 101, 240):
        controls = BandControls(seconds=7, qpm=qpm)
        held = (np.ones((2, 32, 5, 128), np.uint8) for _ in repeat(0))
        now = [0.0, 0.0]
        for step in play(plan(band(), controls), held, 2):
            assert now[step.take] <= step.time <= now[step.take] + 1.0
            assert all(now[step.take] - 1e-9 <= note.end <= 7.0 for note in step.notes)
            now[step.take] = step.time
        assert now == [7.0, 7.0]


def test_a_key_that_sounds_unstruck_begins_there_and_one_that_is_struck_again_ends() -> None:
    block = np.zeros((1, 64, 5, 128), np.uint8)
    block[0, 4:8, PIANO, 60] = 1
    block[0, 8, PIANO, 60] = 2
    found = music(NoteSequence(), iter([block]), seconds=5)
    assert times(found) == pytest.approx([0.5, 1.0, 1.0, 1.125])


def test_a_pitch_that_no_piano_has_is_played_an_octave_nearer() -> None:
    for written, heard in ((5, 29), (20, 32), (21, 21), (108, 108), (109, 97), (127, 103)):
        assert {n.pitch for n in music(NoteSequence(), pattern(written), seconds=5)} == {heard}
    assert {n.pitch for n in music(NoteSequence(), pattern(5, DRUMS), seconds=5)} == {5}


def test_the_tempo_is_the_seeds_or_the_one_that_is_set() -> None:
    slow = band(qpm=80)
    assert music(slow, pattern()).notes[1].start == pytest.approx(0.75)
    assert music(slow, pattern(), qpm=100).notes[1].start == pytest.approx(0.6)
    assert music(slow, pattern(), qpm=3).notes[1].start == pytest.approx(2.0)
    assert plan(slow, BandControls(keep="Bass", qpm=100)).step == pytest.approx(60 / 320)
    own, other = (plan(slow, BandControls(qpm=qpm)).before for qpm in (0, 100))
    assert np.array_equal(own, other), (
        "a seed is read at its own tempo, whatever that of the new music"
    )


def test_the_seed_is_read_to_its_end() -> None:
    seed = band(bars=3)
    made = plan(seed, BandControls())
    assert np.array_equal(made.before, MultitrackRoll().encode(seed))
    assert np.array_equal(made.window, made.before[-32:])
    assert (made.before_place, made.place, made.offset) == (0, 48, 0.0)
    long = plan(band(bars=40), BandControls())
    assert (len(long.before), long.before_place, long.place) == (256, 384, 640)
    assert np.array_equal(long.before, MultitrackRoll().encode(band(bars=40))[-256:])
    one = plan(NoteSequence((Note(0.0, 0.5, 60),)), BandControls())
    assert one.window[:28].sum() == 0
    assert one.window[28:, PIANO, 60].tolist() == [2, 1, 1, 1]
    assert plan(NoteSequence(), BandControls()).window.sum() == 0


def test_the_beat_goes_on_where_a_seed_ends_between_two_steps() -> None:
    seed = NoteSequence((Note(0.0, 0.45, 60),))
    made = plan(seed, BandControls(seconds=8))
    assert made.place == 4
    assert made.offset == pytest.approx(0.05)
    assert music(seed, pattern()).notes[0].start == pytest.approx(0.05)
    assert music(seed, pattern(), qpm=60).notes[0].start == pytest.approx(0.1)


def test_kept_instruments_are_the_seeds_own_and_the_others_are_made_anew() -> None:
    seed = band(bars=3)
    found = music(seed, pattern(), seconds=6, keep="Drums+Bass")
    old = {n for n in seed if n.is_drum or n.program == 32}
    assert {n for n in found if n.program != 48} == old, "with their own velocities and times"
    assert [n.start for n in found if n.program == 48] == pytest.approx([k / 2 for k in range(12)])
    made = plan(seed, BandControls(seconds=8, keep="Drums+Bass"))
    assert made.place == 0
    assert np.array_equal(made.window, plan(seed, BandControls()).window)
    codes, lock = made.given(32, 32)
    assert lock[:16, [DRUMS, BASS]].all()
    assert not lock[16:].any()
    assert not lock[:, [PIANO, GUITAR, STRINGS]].any()
    whole = MultitrackRoll().encode(seed)
    assert np.array_equal(codes[:16, BASS], whole[32:, BASS])
    assert codes[:, PIANO].sum() == 0
    assert codes[16:].sum() == 0
    assert made.given(1000, 4)[0].sum() == 0


def test_after_the_seeds_stretch_everyone_is_free_and_a_short_run_cuts_what_is_kept() -> None:
    longer = music(band(), pattern(50, BASS), seconds=6, keep="Bass")
    own = [n.start for n in longer if n.program == 33]
    assert min(own) == pytest.approx(4.0), "what the network says of a kept bass is not played"
    assert max(n.end for n in longer if n.program == 32) == pytest.approx(4.0)
    held = NoteSequence((Note(0.0, 20.0, 60),))
    assert Note(0.0, 5.0, 60) in music(held, pattern(), seconds=5, keep="Piano").notes


def test_keep_with_nothing_to_keep() -> None:
    assert music(NoteSequence(), pattern(), keep="Piano") == music(NoteSequence(), pattern())
    silent = music(band(), pattern(60, GUITAR), keep="Guitar", seconds=5)
    assert min(n.start for n in silent if n.program == 25) == pytest.approx(4.0)


def test_the_words_of_keep() -> None:
    assert len(set(KEEPS)) == 31
    assert kept_instruments(BandControls(keep="Piano+Strings")) == (PIANO, STRINGS)
    assert not asked_keep(BandControls())
    assert kept_instruments(BandControls()) == ()
    assert asked_keep(BandControls(keep="Bass"))
    assert not asked_keep(object())
    with pytest.raises(InvalidControl):
        BandControls(keep="+".join(INSTRUMENTS))
    assert {item.name for item in declared(BandControls)} == {"seconds", "rng_seed", "qpm", "keep"}


class Same(BandGenerator):
    """Plays the last two bars again and again."""

    def blocks(self, plan: Plan, controls: Any, takes: int) -> Iterator[np.ndarray]:
        while True:
            yield np.repeat(plan.window[None], takes, axis=0)


def test_a_generator_needs_only_blocks() -> None:
    generator, seed = Same(), band()
    steps: list[Step] = list(generator.generate(seed, BandControls(seconds=8), 2))
    first, second = collect_takes(steps, 2)
    assert first == second
    assert [(n.start, n.pitch) for n in first][:24] == [(n.start, n.pitch) for n in seed]
    assert generator.reads(seed) == ""
    rain = seed.merge([Note(0.0, 1.0, 72, 80, 96)])
    assert "1 of 25 notes are not read" in generator.reads(rain)
