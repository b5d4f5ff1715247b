"""MIDI files that are slightly broken: what is there is read, and it is said what was mended."""

import io
import struct
import tracemalloc

import mido
import numpy as np
import pytest

from pyzzicato.data.band_midi import from_midi
from pyzzicato.data.quarters import quarter_notes
from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.midi import Reading, midi_reading, music_reading, read_midi, write_midi
from pyzzicato.formats.midi_track import Fault
from tests.small_midi import chunk, midi, off, on, random_music, raw, spans, tempo

TUNE = b"".join(bytes((0, 0x90, 60 + i, 64, 0x83, 0x60, 0x80, 60 + i, 0)) for i in range(8))
END = b"\x00\xff\x2f\x00"
WHOLE = raw(TUNE + END)
OTHER = b"\x00\x91\x30\x40\x83\x60\x81\x30\x00"
AFTER_HEADER = 14


def header(kind: int = 1, tracks: int = 1, division: int = 480) -> bytes:
    return raw(b"", kind=kind, tracks=tracks, division=division)[:AFTER_HEADER]


def with_length(length: int, track: bytes = TUNE + END) -> bytes:
    return b"MTrk" + struct.pack(">L", length) + track


# What is broken, and what is said of it; all hold the eight notes of TUNE and no other.
BROKEN: dict[str, tuple[bytes, set[Fault]]] = {
    "track length too long": (header() + with_length(len(TUNE) + 9), {Fault.LENGTH}),
    "track length far too long": (header() + with_length(2**32 - 1), {Fault.LENGTH}),
    "track length too short": (header() + with_length(20), {Fault.LENGTH}),
    "track length nought": (header() + with_length(0), {Fault.LENGTH}),
    "last byte gone": (WHOLE[:-1], {Fault.CUT_OFF}),
    "last three bytes gone": (WHOLE[:-3], {Fault.CUT_OFF}),
    "all of the end gone": (WHOLE[:-4], {Fault.CUT_OFF}),
    "no end of track": (raw(TUNE), {Fault.NO_END}),
    "controller above 127": (raw(b"\x00\xb0\x07\xff" + TUNE + END), {Fault.ABOVE_127}),
    "note above 127": (raw(b"\x00\x90\xc0\x40" + TUNE + END), {Fault.ABOVE_127}),
    "program above 127": (raw(b"\x00\xc0\xff" + TUNE + END), {Fault.ABOVE_127}),
    "format 2 of one": (raw(TUNE + END, kind=2), {Fault.ALONE}),
    "format 2 of several": (
        header(2, 3)
        + chunk(b"MTrk", END)
        + chunk(b"MTrk", TUNE + END)
        + chunk(b"MTrk", OTHER + END),
        {Fault.SEVERAL},
    ),
    "format 7": (raw(TUNE + END, kind=7), {Fault.FORMAT}),
    "fewer tracks": (raw(TUNE + END, tracks=5), {Fault.MISSING}),
    "65535 tracks": (raw(TUNE + END, tracks=65535), {Fault.MISSING}),
    "more tracks": (header() + chunk(b"MTrk", END) + chunk(b"MTrk", TUNE + END), {Fault.MORE}),
    "tracks not counted": (raw(TUNE + END, tracks=0), {Fault.MORE}),
    "junk before the track": (header() + b"\r\n??" + chunk(b"MTrk", TUNE + END), {Fault.BETWEEN}),
    "junk between tracks": (
        header(1, 2) + chunk(b"MTrk", END) + b"\x00\x00\x00" + chunk(b"MTrk", TUNE + END),
        {Fault.BETWEEN},
    ),
    "junk before the header": (bytes(128) + WHOLE, {Fault.BEFORE}),
    "header too short by its word": (
        WHOLE[:4] + struct.pack(">L", 2) + WHOLE[8:],
        {Fault.HEADER},
    ),
    "header too long by its word": (WHOLE[:4] + struct.pack(">L", 999) + WHOLE[8:], {Fault.HEADER}),
    "running status after text": (
        raw(TUNE.replace(b"\x00\x90\x3d", b"\x00\x90\x3d\x00\x00\xff\x01\x02hi\x00\x3d", 1) + END),
        {Fault.RUNNING},
    ),
    "running status after sysex": (
        raw(
            TUNE.replace(b"\x00\x90\x3d", b"\x00\x90\x3d\x00\x00\xf0\x02\x01\xf7\x00\x3d", 1) + END
        ),
        {Fault.RUNNING},
    ),
    "active sensing": (raw(b"\x00\xfe\x00\xf8" + TUNE + END), {Fault.LIVE}),
    "song position": (raw(b"\x00\xf2\x00\x01" + TUNE + END), {Fault.LIVE}),
    "tempo of two bytes": (raw(b"\x00\xff\x51\x02\x07\xa1" + TUNE + END), {Fault.TEMPO}),
    "a system message that there is not": (raw(TUNE + b"\x00\xf4\x01\x02" + END), {Fault.IN_PART}),
    "an endless number": (raw(TUNE + b"\xff\xff\xff\xff\xff" + END), {Fault.IN_PART}),
    "one track of two broken": (
        header(1, 2) + chunk(b"MTrk", b"\x00\x3c\x40") + chunk(b"MTrk", TUNE + END),
        {Fault.IN_PART},
    ),
    "several things": (
        raw(b"\x00\xb0\x07\xff" + TUNE, kind=2)[:-1],
        {Fault.ABOVE_127, Fault.CUT_OFF, Fault.ALONE},
    ),
}
BROKEN |= {
    f"film frames, {rate} a second": (raw(TUNE + END, division=40 - (rate << 8)), {Fault.FRAMES})
    for rate in (24, 25, 29, 30)
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_there_is_read_and_one_sentence_says_what_was_mended(name: str) -> None:
    data, faults = BROKEN[name]
    for reading in (midi_reading(data), music_reading(data, "tune.mid")):
        assert [n.pitch for n in reading.music] == list(range(60, 68))
        (sentence,) = reading.said
        assert sentence.startswith("This MIDI file was mended: ")
        assert {fault for fault in Fault if fault.value in sentence} == faults
        assert sentence.count(".") == 1
    if Fault.FRAMES not in faults:
        assert reading.music.duration == 4.0


WRAPPED = b"RMIDdata" + struct.pack("<L", len(WHOLE)) + WHOLE
SOUND = {
    "as it should be": WHOLE,
    "a longer header": WHOLE[:4] + struct.pack(">L", 10) + WHOLE[8:14] + b"more" + WHOLE[14:],
    "an unknown chunk": WHOLE[:14] + chunk(b"XFIH", b"anything") + WHOLE[14:],
    "nothing but zeros after it": WHOLE + bytes(60),
    "in a RIFF wrapper": b"RIFF" + struct.pack("<L", len(WRAPPED)) + WRAPPED,
    "wrapped with padding": b"RIFF" + struct.pack("<L", len(WRAPPED) + 1) + WRAPPED + b"\0",
    "wrapped after other chunks": b"RIFF\xff\xff\0\0RMIDLIST\x04\0\0\0INFO" + WRAPPED[4:],
    "wrapped before other chunks": b"RIFF\xff\xff\0\0" + WRAPPED + b"LIST\x04\0\0\0INFO",
    "wrapper of wrong sizes": b"RIFF\0\0\0\0RMIDdata\0\0\0\0" + WHOLE,
}


@pytest.mark.parametrize("data", SOUND.values(), ids=SOUND)
def test_of_a_sound_file_nothing_is_said(data: bytes) -> None:
    assert music_reading(data, "a.rmi") == Reading(read_midi(WHOLE), ())


def test_a_wrapped_file_that_breaks_off_is_read_as_far_as_it_goes() -> None:
    data = SOUND["in a RIFF wrapper"]
    music, said = music_reading(data[:-30], "a.rmi")
    assert 0 < len(music) < 8
    assert said == ("This MIDI file was mended: it breaks off in the midst.",)
    for length in (12, 30, 44):
        with pytest.raises(UnreadableMusic, match="cut off"):
            music_reading(data[:length], "a.rmi")


def test_film_frames_are_seconds_whatever_the_tempo() -> None:
    for rate, seconds in ((24, 24.0), (25, 25.0), (29, 30_000 / 1001), (30, 30.0)):
        data = midi([tempo(250_000), on(), off(time=1000)])
        data = data[:12] + struct.pack(">h", -(rate << 8) + 40) + data[14:]
        music = read_midi(data)
        assert music.duration == pytest.approx(1000 / (seconds * 40))
        assert music.qpm == 120


def test_a_velocity_above_127_is_the_loudest() -> None:
    assert read_midi(raw(b"\x00\x90\x3c\xf0\x60\x80\x3c\x00" + END)).notes[0].velocity == 127


def test_a_piece_of_format_2_has_its_own_tempo_only() -> None:
    first = chunk(b"MTrk", b"\x00\xff\x51\x03\x0f\x42\x40" + TUNE + END)
    second = chunk(b"MTrk", b"\x00\xff\x51\x03\x03\xd0\x90" + OTHER + END)
    music = read_midi(header(2, 2) + first + second)
    assert (music.qpm, music.duration) == (60, 8.0)


def test_tracks_of_wrong_lengths_do_not_hide_the_next() -> None:
    for length in (0, 3, len(TUNE + END) - 1, len(TUNE + END) + 1, len(TUNE + END) + 30, 10**9):
        data = header(1, 3) + with_length(length) + with_length(length, OTHER + END)
        data += chunk(b"MTrk", b"\x00\x92\x20\x40\x60\x82\x20\x00" + END)
        music, said = midi_reading(data)
        assert sorted(n.pitch for n in music) == [0x20, 0x30, *range(60, 68)]
        assert said == (f"This MIDI file was mended: {Fault.LENGTH.value}.",)


def test_a_second_file_behind_the_first_is_not_part_of_it() -> None:
    assert spans(read_midi(WHOLE + raw(OTHER + END))) == spans(read_midi(WHOLE))


@pytest.mark.parametrize("data", [WHOLE[:-1], BROKEN["one track of two broken"][0]])
def test_training_music_that_may_have_lost_notes_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableMusic, match=r"cut off|damaged"):
        read_midi(data, trusted=True)
    with pytest.raises(UnreadableMusic, match=r"cut off|damaged"):
        from_midi(data, trusted=True)
    with pytest.raises(UnreadableMusic, match=r"cut off|damaged"):
        quarter_notes(data)
    assert len(from_midi(data).spans) == len(read_midi(data)) == 8
    assert len(read_midi(BROKEN["no end of track"][0], trusted=True)) == 8


def test_what_is_claimed_costs_nothing() -> None:
    data = header(1, 65535) + with_length(2**32 - 1, TUNE + b"\x00\xff\x01\xff\xff\xff\x7f")
    tracemalloc.start()
    assert len(read_midi(data)) == 8
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_any_damage_ends_in_music_or_in_one_sentence() -> None:
    """Bytes changed, cut out, put in and doubled, in files that mido wrote."""
    rng = np.random.default_rng(5)
    mended = 0
    for number in range(1200):
        if number % 100 == 0:
            data = write_midi(random_music(rng, 40))
        changed = bytearray(data)
        for place in rng.integers(0, len(data), rng.integers(1, 4)).tolist():
            match int(rng.integers(0, 4)):
                case 0:
                    changed[place : place + 1] = rng.bytes(1)
                case 1:
                    del changed[place : place + int(rng.integers(1, 40))]
                case 2:
                    changed[place:place] = rng.bytes(int(rng.integers(1, 40)))
                case _:
                    changed[place:place] = changed[place : place + 30]
        try:
            music, said = music_reading(bytes(changed), "any.mid")
        except UnreadableMusic:
            continue
        assert music
        mended += bool(said)
    assert mended > 300


def test_mido_reads_the_whole_one_as_we_do() -> None:
    theirs = mido.MidiFile(file=io.BytesIO(WHOLE))
    assert theirs.length == read_midi(WHOLE).duration
