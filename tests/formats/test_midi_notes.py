"""Which note off ends which note, All Notes Off and its kin, and which tempo a file has."""

import io

import mido
import numpy as np
import pytest

from pyzzicato.data.band_midi import TEMPO_EVENED, from_midi
from pyzzicato.data.quarters import quarter_notes
from pyzzicato.formats.midi import read_midi, write_midi
from pyzzicato.music.notes import Note, cut_overlaps
from pyzzicato.seeds.band import band_seed
from tests.small_midi import midi, off, on, pedal, raw, spans, tempo


def control(number: int, time: int = 0, channel: int = 0, value: int = 0) -> mido.Message:
    return mido.Message("control_change", control=number, value=value, time=time, channel=channel)


def chain(early: int, channel: int = 0, struck: int = 8) -> list[mido.Message]:
    """A key struck again every 480 ticks, each note let go `early` ticks after the next begins."""
    music = [on(channel=channel), on(time=480, channel=channel)]
    for _ in range(struck - 2):
        music += [off(time=early, channel=channel), on(time=480 - early, channel=channel)]
    return [*music, off(time=early, channel=channel), off(time=480 - early, channel=channel)]


class TestFirstInFirstOut:
    @pytest.mark.parametrize("early", [0, 5, 240, 479])
    @pytest.mark.parametrize("channel", [0, 3, 9])
    def test_a_key_struck_before_it_is_let_go_keeps_its_length(
        self, early: int, channel: int
    ) -> None:
        data = midi(chain(early, channel))
        assert [n.start for n in read_midi(data)] == [i / 2 for i in range(8)]
        assert [n.end - n.start for n in read_midi(data)] == [0.5] * 8
        rows = from_midi(data).spans.tolist()
        assert [start for start, *_ in rows] == [4 * i for i in range(8)]
        if channel != 9:
            assert {tuple(row[:2]) for row in quarter_notes(data)} == {(i, i + 1) for i in range(8)}

    def test_channels_and_tracks_do_not_mix(self) -> None:
        violin = mido.Message("program_change", program=40, channel=1)
        both = [on(), on(channel=1, time=240), off(time=240), off(channel=1, time=240)]
        assert spans(read_midi(midi([violin, *both]))) == [(0, 0.5, 60), (0.25, 0.75, 60)]
        two = midi([on(), off(time=960)], [violin, on(time=480, channel=1), off(channel=1)])
        assert spans(read_midi(two)) == [(0, 1, 60), (0.5, 1, 60)]

    def test_a_note_that_ends_where_it_begins_is_not_lost(self) -> None:
        assert len(read_midi(midi([on(), off(time=0), on(62, 480), off(62)]))) == 2
        strokes = [message for _ in range(4) for message in (on(36, 120, channel=9), off(36, 0, 9))]
        assert len(read_midi(midi(strokes))) == 4

    def test_both_orders_at_one_tick_are_the_same(self) -> None:
        one = midi([on(), off(time=480), on(time=0), off(time=480)])
        other = midi([on(), on(time=480), off(time=0), off(time=480)])
        assert read_midi(one) == read_midi(other)
        assert spans(read_midi(one)) == [(0, 0.5, 60), (0.5, 1, 60)]

    @pytest.mark.parametrize("rng_seed", range(12))
    def test_of_random_overlapping_notes_none_is_lost(self, rng_seed: int) -> None:
        """Written by mido with the ends and beginnings of a tick in any order."""
        rng = np.random.default_rng(rng_seed)
        written: list[tuple[int, int, int, int]] = []
        for channel in (0, 5, 9):
            for pitch in (60, 61):
                starts = np.unique(rng.integers(0, 4000, 40))
                # First in, first out: the ends are in the order of the beginnings.
                ends = np.maximum.accumulate(starts + rng.integers(1, 600, len(starts)))
                written += [
                    (int(s), int(e), channel, pitch) for s, e in zip(starts, ends, strict=True)
                ]
        events = [(s, rng.random(), on(p, channel=c)) for s, _, c, p in written]
        events += [(e, rng.random(), off(p, channel=c)) for _, e, c, p in written]
        track, now = [], 0
        for tick, _, message in sorted(events, key=lambda event: event[:2]):
            track.append(message.copy(time=tick - now))
            now = tick
        found = read_midi(midi(track))
        wanted = cut_overlaps(
            Note(s / 960, e / 960, p, is_drum=c == 9, program=0) for s, e, c, p in written
        )
        assert [(n.pitch, n.is_drum) for n in found] == [(n.pitch, n.is_drum) for n in wanted]
        times, meant = (np.array([n[:2] for n in notes]) for notes in (found, wanted))
        assert np.allclose(times, meant, atol=1e-9)


class TestAllNotesOff:
    @pytest.mark.parametrize("number", [120, 123, 124, 125, 126, 127])
    def test_it_ends_the_notes_of_its_channel(self, number: int) -> None:
        held = [on(), on(64), on(67, channel=1), control(number, 480), on(72, 4800), off(72)]
        data = midi([*held, off(67, channel=1, time=0)])
        ends = {n.pitch: n.end for n in read_midi(data)}
        assert ends == {60: 0.5, 64: 0.5, 67: 6.0, 72: 6.0}
        assert from_midi(data).spans[:2, 1].tolist() == [4, 4]
        assert quarter_notes(data)[:2, 1].tolist() == [1, 1]

    def test_it_works_from_another_track_of_its_channel(self) -> None:
        data = midi([on(), off(time=1920)], [control(123, 480)])
        assert read_midi(data).duration == 0.5

    def test_the_keys_that_it_ended_wait_for_no_note_off(self) -> None:
        data = midi([on(), control(123, 480), on(time=480), off(), on(time=480), off()])
        assert spans(read_midi(data)) == [(0, 0.5, 60), (1, 1.5, 60), (2, 2.5, 60)]

    def test_the_note_off_of_a_note_that_it_ended_ends_no_other(self) -> None:
        data = midi([on(), control(123, 480), on(time=0), off(time=0), off()])
        assert spans(read_midi(data)) == [(0, 0.5, 60), (0.5, 1, 60)]

    def test_the_pedal_holds_what_all_notes_off_lets_go_but_not_what_is_silenced(self) -> None:
        for number, end in ((123, 2.0), (120, 0.5)):
            data = midi([pedal(127), on(), control(number, 480), pedal(0, 1440)])
            assert read_midi(data).duration == end
        after = midi([pedal(127), on(), off(time=240), control(120, 240), pedal(0, 1440)])
        assert read_midi(after).duration == 0.5

    def test_reset_all_controllers_lifts_the_pedal(self) -> None:
        held = midi([pedal(127), on(), off(time=240), control(121, 240), on(62, 1440), off(62)])
        assert spans(read_midi(held))[0] == (0, 0.5, 60)
        other = midi([pedal(127), on(), off(time=240), control(121, 240, 1), on(62, 1440), off(62)])
        assert spans(read_midi(other))[0] == (0, 2.5, 60)

    def test_at_the_beginning_it_takes_nothing_away(self) -> None:
        track = [control(123), control(121), on(), control(123), off()]
        assert spans(read_midi(midi(track))) == [(0, 0.5, 60)]


QUARTERS = [message for pitch in range(60, 68) for message in (on(pitch), off(pitch))]


class TestTempo:
    @pytest.mark.parametrize(("tick", "length"), [(3360, 5.0), (3840, 4.0), (9600, 4.0)])
    def test_until_the_first_it_is_120(self, tick: int, length: float) -> None:
        data = midi(QUARTERS, [tempo(1_500_000, tick)])
        music = read_midi(data)
        assert (music.qpm, music.duration) == (120, length)
        assert [n.start for n in music] == [i / 2 for i in range(8)]
        for seed in (band_seed(music, data)[0], band_seed(music)[0]):
            assert (seed.qpm, seed.notes) == (120, music.notes)
        assert from_midi(data).qpm == 120
        assert from_midi(data).dropped == ((TEMPO_EVENED,) if tick == 3360 else ())
        written = mido.MidiFile(file=io.BytesIO(write_midi(music)))
        assert [m.tempo for t in written.tracks for m in t if m.type == "set_tempo"] == [500_000]

    def test_it_is_the_one_that_holds_when_the_first_note_begins(self) -> None:
        data = midi(
            [tempo(1_000_000), tempo(750_000, 480), on(), off(), tempo(250_000), on(), off()]
        )
        assert read_midi(data).qpm == 80
        late = midi([tempo(750_000, 480), on(), off(time=960)])
        assert read_midi(late).qpm == from_midi(late).qpm == 80
        assert from_midi(late).dropped == ()

    def test_of_two_at_one_tick_the_later_holds(self) -> None:
        assert read_midi(midi([tempo(1_000_000), tempo(750_000), on(), off()])).qpm == 80

    @pytest.mark.parametrize("microseconds", [12_000_000, 40_000])
    def test_a_seed_of_any_tempo_keeps_its_length_for_a_band(self, microseconds: int) -> None:
        data = midi([tempo(microseconds), *QUARTERS])
        music = read_midi(data)
        seed, said = band_seed(music, data)
        assert seed.duration == pytest.approx(8 * microseconds / 1e6)
        assert seed.qpm == pytest.approx(60e6 / microseconds)
        assert said == ()

    def test_times_that_floating_point_cannot_tell_apart_are_no_bug(self) -> None:
        track = b"\x00\xff\x51\x03\xff\xff\xff" + b"\xff\xff\xff\x7f\xff\x01\x00" * 4
        track += b"\x00\xff\x51\x03\x00\x00\x01" + b"\x00\x90\x3c\x40\x01\x80\x3c\x00"
        track += b"\x00\x90\x3e\x40\xff\xff\x7f\x80\x3e\x00"
        assert [n.pitch for n in read_midi(raw(track, division=32767), trusted=True)] == [62]
