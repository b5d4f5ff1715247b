"""Melody events, the melody line of polyphonic music, and what the AttentionRNN reads and says."""

import numpy as np
import pytest

from pyzzicato.codecs.melody import (
    HIGHEST,
    LOWEST,
    NO_EVENT,
    NOTE_OFF,
    MelodyCodec,
    fold,
    into_range,
    several_at_once,
)
from pyzzicato.families.melody.encoding import CLASSES, INPUTS, MAJOR, MelodyReader, classes_of
from pyzzicato.music.notes import Note, NoteSequence

STEP = 0.125  # at 120
TUNE = (60, -2, 62, -2, 64, -2, -2, -2, -1, -2, 62, 62, 60, -2, -2, -2)


def played(*notes: tuple[int, int, int]) -> NoteSequence:
    """Music from (first step, step after the last, pitch)."""
    return NoteSequence(tuple(Note(a * STEP, b * STEP, pitch) for a, b, pitch in notes))


def encoded(*notes: tuple[int, int, int]) -> list[int]:
    events: list[int] = MelodyCodec().encode(played(*notes)).tolist()
    return events


def by_lot(steps: int, seed: int) -> np.ndarray:
    dice = np.random.default_rng(seed)
    events = dice.choice([-2, -2, -2, -1, 48, 55, 60, 62, 64, 83], steps)
    events[0] = 60
    return events


@pytest.mark.parametrize("qpm", [60.0, 97.0, 120.0])
def test_events_come_back(qpm: float) -> None:
    codec = MelodyCodec(qpm)
    music = codec.decode(np.array(TUNE))
    assert [note.pitch for note in music] == [60, 62, 64, 62, 62, 60]
    assert music.qpm == qpm
    assert music.notes[0].end == pytest.approx(2 * 15 / qpm)
    assert codec.encode(music).tolist() == list(TUNE)


def test_a_rest_is_an_end_and_a_held_note_is_nothing_new() -> None:
    assert encoded((0, 2, 60), (4, 6, 62)) == [60, -2, -1, -2, 62, -2]
    assert encoded((2, 4, 60)) == [-2, -2, 60, -2]


def test_a_note_that_is_played_short_keeps_its_step() -> None:
    music = NoteSequence((Note(0.0, 0.01, 60), Note(0.13, 0.37, 62)))
    assert MelodyCodec().encode(music).tolist() == [60, 62, -2]


def test_without_pitched_notes_there_is_no_melody() -> None:
    assert not len(MelodyCodec().encode(NoteSequence()))
    assert not len(MelodyCodec().encode(NoteSequence((Note(0.0, 1.0, 38, 80, 0, True),))))
    assert MelodyCodec().decode(np.array([], np.int64)) == NoteSequence()


def test_the_melody_line_is_the_upper_one() -> None:
    chords = [(0, 4, 72), (0, 4, 64), (0, 4, 60), (4, 8, 71), (4, 8, 67), (4, 8, 62)]
    assert encoded(*chords) == [72, -2, -2, -2, 71, -2, -2, -2]
    alberti = [(step, step + 1, pitch) for step, pitch in enumerate((60, 67, 64, 67))]
    assert encoded((0, 4, 76), *alberti) == [76, -2, -2, -2]


def test_a_long_held_note_does_not_hide_the_melody_for_ever() -> None:
    assert encoded((0, 32, 84), (4, 8, 72), (10, 14, 74), (20, 24, 72))[:24] == [
        *(84, -2, -2, -2, -2, -2, -2, -2, -2, -2, 74, -2, -2, -2, -1, -2, -2, -2, -2, -2),
        *(72, -2, -2, -2),
    ]


def test_accompaniment_does_not_show_through_the_rests_of_the_melody() -> None:
    melody = [(0, 2, 74), (2, 4, 76), (8, 10, 77), (10, 12, 76)]
    bass = [(0, 6, 50), (6, 12, 48)]
    assert encoded(*melody, *bass) == [74, -2, 76, -2, -1, -2, -2, -2, 77, -2, 76, -2]
    # A single line may leap as far as it likes.
    assert encoded((0, 2, 74), (2, 4, 48), (4, 6, 76)) == [74, -2, 48, -2, 76, -2]


def test_it_says_whether_notes_were_left_out() -> None:
    assert several_at_once(played((0, 4, 60), (2, 6, 64)))
    assert not several_at_once(played((0, 4, 60), (4, 6, 64)))
    assert not several_at_once(NoteSequence())


def test_a_melody_is_moved_by_octaves_and_what_sticks_out_is_folded() -> None:
    events, moved = into_range(np.array([90, NO_EVENT, 95, 101, NOTE_OFF]))
    assert (events.tolist(), moved) == ([66, -2, 71, 77, -1], -24)
    assert into_range(np.array([60, 83]))[1] == 0
    events, moved = into_range(np.array([60, 62, 30, 100]))
    assert (events.tolist(), moved) == ([60, 62, 54, 76], 0)
    every = fold(np.arange(128))
    assert ((every >= LOWEST) & (every <= HIGHEST)).all()
    assert ((every - np.arange(128)) % 12 == 0).all()


def test_classes_prefer_two_bars_ago_to_one_and_one_to_the_event() -> None:
    bar = [60, *[NO_EVENT] * 14, NOTE_OFF]
    classes = classes_of(np.array(bar * 3))
    assert classes[0] == 12
    assert (classes[1:15] == 39).all(), "before there are two bars, 39 is nothing new"
    assert classes[15] == 37
    assert classes[16] == 38
    assert (classes[17:31] == 39).all()
    assert classes[31] == 38
    assert (classes[32:] == 39).all()
    other = classes_of(np.array([*bar, *bar, 61, *[NO_EVENT] * 15]))
    assert (other[32], other[47]) == (13, 36)


@pytest.mark.parametrize("seed", range(4))
def test_every_class_stands_for_the_event_it_was_made_from(seed: int) -> None:
    events = by_lot(120, seed)
    reader = MelodyReader(1)
    for event, its_class in zip(events, classes_of(events), strict=True):
        assert reader.meant().shape == (1, CLASSES)
        assert reader.meant()[0, its_class] == event
        reader.push(np.array([event]))


def slowly(events: list[int]) -> np.ndarray:
    """What is read after the last of `events`, put together from its description."""
    sounding = last = None
    direction = 0.0
    newest: list[int] = []
    for event in events:
        if event == NOTE_OFF:
            sounding = None
        if event >= 0:
            if last is not None and event != last:
                direction = 1.0 if event > last else -1.0
            sounding = last = event
            newest = [*[pitch for pitch in newest if pitch != event][-2:], event]

    def keys(pitches: list[int]) -> list[bool]:
        held = [sum(MAJOR[pitch % 12, key] for pitch in pitches) for key in range(12)]
        return [each == max(held) for each in held]

    count = len(events)
    notes = [event for event in events if event >= 0]
    return np.array(
        [
            *(float(sounding == pitch) for pitch in range(48, 84)),
            sounding is not None,
            sounding is None,
            events[-1] >= 0,
            direction,
            *(count > ago and events[-1] == events[-1 - ago] for ago in (16, 32)),
            *(1.0 if count // 2**digit % 2 else -1.0 for digit in range(7)),
            count % 16 == 0,
            *keys(notes),
            *keys(newest),
        ],
        np.float32,
    )


def test_what_is_read_is_what_is_described() -> None:
    melodies = [by_lot(140, seed) for seed in range(3)]
    reader = MelodyReader(3)
    for step, column in enumerate(np.array(melodies).T):
        read = reader.push(column)
        assert read.shape == (3, INPUTS)
        for row, events in zip(read, melodies, strict=True):
            assert (row == slowly(events[: step + 1].tolist())).all()


def test_a_reader_goes_on_for_several() -> None:
    events = by_lot(50, 1)
    one, apart = MelodyReader(1), MelodyReader(2)
    for event in events[:40]:
        one.push(np.array([event]))
        apart.push(np.array([event, event]))
    both = one.repeated(2)
    for event in events[40:]:
        assert (both.meant() == apart.meant()).all()
        assert (both.push(np.array([event, 60])) == apart.push(np.array([event, 60]))).all()
    assert one.steps == 40
