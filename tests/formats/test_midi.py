"""MIDI files of our own making: read and written."""

import io
from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest

from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.midi import piano_part, read_midi, read_music, to_pretty_midi, write_midi
from pyzzicato.music.notes import Note, NoteSequence, cut_overlaps
from tests.small_midi import chunk, midi, off, on, pedal, random_music, raw, spans, tempo

ABC = "X:1\nL:1/4\nQ:1/4=60\nM:4/4\nK:C\nC D E F|\n"


class TestReading:
    def test_times_follow_the_tempo(self) -> None:
        data = midi(
            [tempo(1_000_000), on(), off(), on(62, velocity=33), tempo(500_000, 480), off(62)]
        )
        sequence = read_midi(data)
        assert spans(sequence) == [(0, 1, 60), (1, 2.5, 62)]
        assert sequence.qpm == 60
        assert sequence.notes[1].velocity == 33

    def test_a_tempo_in_a_later_track_counts(self) -> None:
        assert spans(read_midi(midi([on(), off()], [tempo(1_000_000)]))) == [(0, 1, 60)]

    def test_without_a_tempo_it_is_120(self) -> None:
        sequence = read_midi(midi([on(), off()]))
        assert (sequence.qpm, sequence.duration) == (120, 0.5)

    def test_a_file_is_read_by_its_path(self, tmp_path: Path) -> None:
        path = tmp_path / "music.mid"
        path.write_bytes(midi([on(), off()]))
        assert read_midi(path) == read_midi(str(path)) == read_midi(path.read_bytes())

    def test_velocity_0_ends_a_note(self) -> None:
        assert spans(read_midi(midi([on(), on(velocity=0, time=960)]))) == [(0, 1, 60)]

    def test_programs_and_drums_are_kept(self) -> None:
        piece = midi(
            [mido.Message("program_change", program=40, channel=2), on(channel=2), off(channel=2)],
            [on(36, channel=9), off(36, channel=9)],
        )
        found = {(n.pitch, n.program, n.is_drum) for n in read_midi(piece)}
        assert found == {(60, 40, False), (36, 0, True)}

    def test_a_note_struck_again_cuts_the_first(self) -> None:
        data = midi([on(), on(time=240, velocity=90), off(time=240)])
        assert spans(read_midi(data)) == [(0, 0.25, 60), (0.25, 0.5, 60)]

    def test_two_hands_on_one_key_do_not_overlap(self) -> None:
        data = midi([on(), off(time=1920)], [on(time=960), off(time=480)])
        assert spans(read_midi(data)) == [(0, 1, 60), (1, 1.5, 60)]

    def test_a_note_never_let_go_ends_with_its_track(self) -> None:
        data = midi([on(), on(64, time=480), off(64, time=480)])
        assert (0, 1, 60) in spans(read_midi(data))

    def test_a_broken_key_signature_does_not_matter(self) -> None:
        track = b"\x00\xff\x59\x02\x7f\x01" + b"\x00\x90\x3c\x40" + b"\x60\x80\x3c\x00"
        assert len(read_midi(raw(track))) == 1

    def test_running_status_goes_on_after_text(self) -> None:
        track = b"\x00\x90\x3c\x40" + b"\x00\xff\x01\x02hi" + b"\x60\x3c\x00"
        assert len(read_midi(raw(track))) == 1

    def test_unknown_chunks_are_passed_over(self) -> None:
        header, track = (
            raw(b"\x00\x90\x3c\x40\x60\x3c\x00")[:14],
            raw(b"\x00\x90\x3c\x40\x60\x3c\x00")[14:],
        )
        assert len(read_midi(header + chunk(b"XFIH", b"anything") + track)) == 1


class TestPedal:
    def test_it_holds_a_note_until_it_rises(self) -> None:
        data = midi([on(), pedal(100, 240), off(time=240), pedal(0, 480)])
        assert spans(read_midi(data)) == [(0, 1, 60)]

    def test_it_holds_only_until_the_key_is_struck_again(self) -> None:
        data = midi([pedal(127), on(), off(time=240), on(time=240), off(time=240), pedal(0, 960)])
        assert spans(read_midi(data)) == [(0, 0.5, 60), (0.5, 1.75, 60)]

    @pytest.mark.parametrize(("value", "end"), [(63, 0.5), (64, 1.0)])
    def test_it_is_down_from_64(self, value: int, end: float) -> None:
        data = midi([pedal(value), on(), off(), pedal(0, 480)])
        assert read_midi(data).duration == end

    def test_half_pedalling_is_one_press(self) -> None:
        data = midi(
            [pedal(70), on(), pedal(120, 240), off(time=240), pedal(80, 240), pedal(10, 240)]
        )
        assert spans(read_midi(data)) == [(0, 1, 60)]

    def test_one_never_lifted_ends_with_the_music(self) -> None:
        data = midi([pedal(127), on(), off(), on(64), off(64, time=960)])
        assert spans(read_midi(data)) == [(0, 1.5, 60), (0.5, 1.5, 64)]

    def test_it_works_across_the_tracks_of_a_channel_only(self) -> None:
        held = midi([on(), off()], [pedal(127), pedal(0, 960)])
        other = midi([on(), off()], [pedal(127, channel=1), pedal(0, 960, channel=1)])
        assert (read_midi(held).duration, read_midi(other).duration) == (1.0, 0.5)

    def test_drums_have_none(self) -> None:
        data = midi(
            [pedal(127, channel=9), on(channel=9), off(channel=9), pedal(0, 960, channel=9)]
        )
        assert read_midi(data).duration == 0.5


class TestWriting:
    @pytest.mark.parametrize("rng_seed", range(8))
    def test_what_is_written_is_read_back(self, rng_seed: int) -> None:
        music = random_music(np.random.default_rng(rng_seed))
        again = read_midi(write_midi(music))
        by_key = sorted(music, key=lambda n: (n.pitch, n.program, n.start))
        for before, after in zip(
            by_key, sorted(again, key=lambda n: (n.pitch, n.program, n.start)), strict=True
        ):
            assert before[2:] == after[2:]
            assert after[:2] == pytest.approx(before[:2], abs=0.0021)
        assert again.qpm == pytest.approx(music.qpm, rel=1e-5)

    @pytest.mark.parametrize("rng_seed", range(4))
    def test_pretty_midi_reads_the_same(self, rng_seed: int) -> None:
        data = write_midi(random_music(np.random.default_rng(rng_seed)))
        theirs = pretty_midi.PrettyMIDI(io.BytesIO(data))
        found = sorted(
            (n.pitch, i.program, n.start, n.end, n.velocity)
            for i in theirs.instruments
            for n in i.notes
        )
        ours = sorted((n.pitch, n.program, n.start, n.end, n.velocity) for n in read_midi(data))
        assert np.allclose(np.array(found), np.array(ours), atol=1e-6)

    def test_drums_come_back_as_drums(self) -> None:
        music = NoteSequence((Note(0, 1, 36, is_drum=True), Note(0, 1, 60)))
        assert read_midi(write_midi(music)) == music

    def test_a_very_short_note_survives(self) -> None:
        assert len(read_midi(write_midi(NoteSequence((Note(1, 1.00001, 60),))))) == 1

    @pytest.mark.parametrize("qpm", [0.01, 2, 5_000])
    def test_a_tempo_that_midi_cannot_say_keeps_the_times(self, qpm: float) -> None:
        again = read_midi(write_midi(NoteSequence((Note(1, 2, 60),), qpm=qpm)))
        assert again.notes[0][:2] == pytest.approx((1, 2), abs=0.01)

    def test_more_programs_than_channels(self) -> None:
        music = NoteSequence(tuple(Note(0, 1, 60, 80, program) for program in range(40)))
        assert read_midi(write_midi(music)) == music

    def test_the_name_is_written(self) -> None:
        file = mido.MidiFile(
            file=io.BytesIO(write_midi(NoteSequence(), name="Étude")), charset="utf-8"
        )
        assert file.tracks[0].name == "Étude"

    def test_the_same_music_gives_the_same_bytes(self) -> None:
        music = random_music(np.random.default_rng(3))
        assert write_midi(music) == write_midi(NoteSequence(music.notes[::-1], qpm=music.qpm))


class TestPianoPart:
    def test_it_keeps_the_keys_of_a_piano(self) -> None:
        music = NoteSequence(
            (
                Note(0, 1, 20),
                Note(0, 1, 21),
                Note(0, 1, 60, 80, 40),
                Note(0, 1, 108),
                Note(0, 1, 109),
            )
        )
        assert [(n.pitch, n.program) for n in piano_part(music)] == [(21, 0), (60, 0), (108, 0)]

    def test_two_instruments_on_one_key_do_not_overlap(self) -> None:
        music = NoteSequence((Note(0, 2, 60, 80, 0), Note(1, 3, 60, 80, 40)))
        assert spans(piano_part(music)) == [(0, 1, 60), (1, 3, 60)]

    @pytest.mark.parametrize(
        ("note", "sentence"),
        [(Note(0, 1, 60, is_drum=True), "only drums"), (Note(0, 1, 5), "keys")],
    )
    def test_nothing_left_is_an_error(self, note: Note, sentence: str) -> None:
        with pytest.raises(UnreadableMusic, match=sentence):
            piano_part(NoteSequence((note,)))


class TestReadMusic:
    def test_midi_and_abc_are_told_apart_by_content(self) -> None:
        assert len(read_music(midi([on(), off()]), "song.txt")) == 1
        assert len(read_music(ABC.encode(), "song.mid")) == 4
        assert len(read_music(b"\xef\xbb\xbf" + ABC.encode())) == 4

    @pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
    def test_text_with_a_byte_order_mark_is_text(self, encoding: str) -> None:
        data = ("\ufeff" + ABC).encode(encoding)
        assert read_music(data, "song.abc") == read_music(ABC.encode())
        assert len(read_music(data + b"\n", "cut in the midst of a letter.abc")) == 4
        with pytest.raises(UnreadableMusic, match="neither MIDI nor ABC"):
            read_music(("\ufeff" + "words only").encode(encoding), "a.abc")

    @pytest.mark.parametrize("mark", ["\n", "\r", "\r\n"])
    def test_lines_end_at_lf_cr_and_crlf_only(self, mark: str) -> None:
        assert len(read_music(ABC.replace("\n", mark).encode())) == 4
        for other in ("\x0b", "\x1c", "\x85", "\u2028"):
            with pytest.raises(UnreadableMusic):
                read_music(f"a poem{other}K:C{other}CDEF".encode(), "a.txt")

    @pytest.mark.parametrize(
        ("data", "name", "sentence"),
        [
            (b"", "a.mid", "empty"),
            (b"just words, no music", "a.mid", "text file named like MIDI"),
            (b"just words, no music", "a.txt", "neither MIDI nor ABC"),
            (b"PK\x03\x04" + bytes(30), "a.mxl", "ZIP archive"),
            (b"RIFF\x00\x00\x00\x00WAVE", "a.wav", "sound recording"),
            (b"<?xml version='1.0'?><score-partwise/>", "a.musicxml", "XML"),
            (b"\x00\x01\x02", "a.bin", "neither MIDI nor ABC"),
            (b"a" * 1_000_001, "a.abc", "larger than 1 MB"),
            (b"X:1\nK:C\n", "a.abc", "no notes"),
        ],
    )
    def test_everything_else_gets_a_hint(self, data: bytes, name: str, sentence: str) -> None:
        with pytest.raises(UnreadableMusic, match=sentence):
            read_music(data, name)


def test_to_pretty_midi_gives_its_piano_roll() -> None:
    music = NoteSequence((Note(0, 1, 60, 90), Note(1, 2, 64, 70, 40), Note(0, 2, 36, is_drum=True)))
    result = to_pretty_midi(music)
    assert [(i.program, i.is_drum) for i in result.instruments] == [
        (0, False),
        (0, True),
        (40, False),
    ]
    roll = result.get_piano_roll(fs=10)
    assert (roll[60, 5], roll[64, 15], roll[36].sum()) == (90, 70, 0)


def test_cut_overlaps_merges_what_starts_together() -> None:
    notes = [Note(0, 1, 60, 50), Note(0, 2, 60, 40), Note(1.5, 3, 60), Note(0, 3, 62)]
    assert cut_overlaps(notes) == (Note(0, 1.5, 60, 50), Note(0, 3, 62), Note(1.5, 3, 60))
