"""Every way in which a MIDI file can be bad: damaged, cut off, too large, or made to be slow."""

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.midi import read_midi, read_music, write_midi
from pyzzicato.music.limits import MAX_NOTES, MAX_SECONDS, MAX_TRACKS
from pyzzicato.music.notes import Note, NoteSequence
from tests.small_midi import chunk, midi, random_music, raw, tempo


def bomb() -> bytes:
    """44 bytes whose last note ends after 2**28 ticks of one 32,767th: hours of nothing."""
    return raw(
        b"\x00\xff\x51\x03\xff\xff\xff\x00\x90\x3c\x40\xff\xff\xff\x7f\x80\x3c\x00", division=96
    )


BAD = {
    "empty": (b"", "empty"),
    "large": (b"MThd" + bytes(1_000_000), "larger than 1 MB"),
    "noise": (bytes(range(256)) * 4, "not a MIDI file"),
    "header only": (b"MThd", "cut off"),
    "short header": (chunk(b"MThd", b"\x00\x01") + bytes(20), "damaged"),
    "no track": (chunk(b"MThd", struct.pack(">HHH", 1, 1, 480)), "cut off"),
    "zero tracks": (chunk(b"MThd", struct.pack(">HHH", 1, 0, 480)), "damaged"),
    "format 2 without notes": (raw(b"", kind=2), "no notes"),
    "65535 tracks that are not there": (raw(b"", tracks=65535), "cut off"),
    "too many tracks": (raw(b"") + chunk(b"MTrk", b"") * MAX_TRACKS, f"more than {MAX_TRACKS}"),
    "division 0": (raw(b"", division=0), "damaged"),
    "film frames of no length": (raw(b"", division=-6400), "film frames"),
    "film frames that there are not": (raw(b"", division=-(31 * 256) + 40), "film frames"),
    "chunk too long": (raw(b"\x00\x90\x3c\x40")[:-2], "cut off"),
    "note cut in two": (raw(b"\x00\x90\x3c"), "cut off"),
    "text too long": (raw(b"\x00\xff\x01\x7fhi"), "cut off"),
    "no status": (raw(b"\x00\x3c\x40"), "damaged"),
    "pitch above 127": (raw(b"\x00\x90\xf0\x40"), "damaged"),
    "system message": (raw(b"\x00\xf4\x00\x00"), "damaged"),
    "endless number": (raw(b"\xff\xff\xff\xff\xff\xff\x7f\x90\x3c\x40"), "damaged"),
    "tempo 0": (raw(b"\x00\xff\x51\x03\x00\x00\x00"), "tempo of zero"),
    "tempo of 2 bytes": (raw(b"\x00\xff\x51\x02\x07\xa1"), "damaged"),
    "no notes": (midi([tempo(500_000)]), "no notes"),
    "bomb": (bomb(), "30 minutes"),
    "many notes": (
        raw(b"\x00\x90\x3c\x40" + b"\x01\x3c\x40" * MAX_NOTES),
        "50,000 notes",
    ),
}


class TestBadFiles:
    @pytest.mark.parametrize("name", BAD)
    def test_each_gets_its_sentence(self, name: str) -> None:
        data, sentence = BAD[name]
        with pytest.raises(UnreadableMusic, match=sentence) as caught:
            read_midi(data)
        assert str(caught.value).endswith(".")
        assert ": " in str(caught.value)  # what is wrong: what to do

    def test_the_bomb_costs_nothing(self) -> None:
        data = bomb()
        assert len(data) <= 44
        tracemalloc.start()
        with pytest.raises(UnreadableMusic):
            read_midi(data)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 1_000_000

    def test_a_long_wait_before_the_end_is_no_bomb(self) -> None:
        track = b"\x00\x90\x3c\x40" + b"\x60\x80\x3c\x00" + b"\xff\xff\xff\x7f\xff\x2f\x00"
        assert read_midi(raw(track)).duration == 0.1

    def test_the_limits_are_the_last_that_pass(self) -> None:
        notes = MAX_NOTES
        full = NoteSequence(tuple(Note(i * 0.03, i * 0.03 + 0.02, 60) for i in range(notes)))
        track = b"\x00\x90\x3c\x40" + b"\x01\x3c\x00\x01\x3c\x40" * (notes - 1) + b"\x01\x3c\x00"
        assert len(read_midi(raw(track))) == len(full)
        long = NoteSequence((Note(0, MAX_SECONDS, 60),), qpm=60)
        assert read_midi(write_midi(long)).duration == MAX_SECONDS
        with pytest.raises(UnreadableMusic, match="30 minutes"):
            read_midi(write_midi(NoteSequence((Note(0, MAX_SECONDS + 1, 60),), qpm=60)))

    def test_trusted_files_may_be_longer_and_may_be_empty(self) -> None:
        long = NoteSequence((Note(0, MAX_SECONDS + 1, 60),), qpm=60)
        assert read_midi(write_midi(long), trusted=True) == long
        assert len(read_midi(midi([tempo(500_000)]), trusted=True)) == 0

    def test_a_path_that_is_no_file(self, tmp_path: Path) -> None:
        for path in (tmp_path / "none.mid", tmp_path, "a\0b.mid"):
            with pytest.raises(UnreadableMusic, match=r"check its name|cannot be opened"):
                read_midi(path)

    def test_only_the_beginning_of_a_huge_file_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "huge.mid"
        with path.open("wb") as file:
            file.truncate(3_000_000_000)  # takes no room on the disk
        with pytest.raises(UnreadableMusic, match="larger than 1 MB"):
            read_midi(path)


class TestFuzz:
    """Whatever the bytes, the outcome is music within the limits or UnreadableMusic."""

    @staticmethod
    def outcome(data: bytes) -> bool:
        try:
            sequence = read_music(data, "any.mid")
        except UnreadableMusic:
            return False
        assert 0 < len(sequence) <= MAX_NOTES
        assert sequence.duration <= MAX_SECONDS
        return True

    def test_random_bytes(self) -> None:
        rng = np.random.default_rng(1)
        for length in rng.integers(0, 3000, 300):
            body = rng.bytes(int(length))
            self.outcome(body)
            self.outcome(b"MThd" + body)
            self.outcome(raw(body))

    def test_every_truncation(self) -> None:
        data = write_midi(random_music(np.random.default_rng(2), 25))
        whole = read_midi(data)
        read = [self.outcome(data[:length]) for length in range(len(data))]
        first = read.index(True)
        assert data[first - 3 : first - 2] == b"\x90", "the first note is what it takes"
        assert all(read[first:])
        assert len(read_midi(data[: len(data) // 2])) < len(read_midi(data[:-5])) == len(whole)

    def test_mutations(self) -> None:
        rng = np.random.default_rng(3)
        data = write_midi(random_music(rng, 60))
        read = 0
        for _ in range(1500):
            changed = bytearray(data)
            for place in rng.integers(0, len(data), rng.integers(1, 6)):
                changed[place] = rng.integers(0, 256)
            read += self.outcome(bytes(changed))
        assert 0 < read < 1500  # both outcomes were seen

    @pytest.mark.parametrize(
        ("track", "readable"),
        [
            (
                b"\x00\x90\x3c\x40" + b"\x00\xb0\x40\x7f" + b"\x01\x40\x00\x01\x40\x7f" * 160_000,
                True,
            ),
            (b"\x00\xc0\x01" + b"\x00\x02" * 480_000, False),
            (b"\x00\xff\x51\x03\x07\xa1\x20" * 140_000, False),
            (b"\x00\xff\x01\x00" * 240_000, False),
            (b"\x00\x80\x3c\x00" + b"\x00\x3d\x00" * 320_000, False),
            (b"\x00\x90\x3c\x40" + b"\x00\x3c\x40" * 40_000 + b"\x00\x3c\x00" * 200_000, True),
            (b"\x00\x90\x3c\x40" * 40_000 + b"\x00\xb0\x7b\x00\x01\x78\x00" * 100_000, True),
        ],
        ids=["pedals", "programs", "tempos", "texts", "ends", "one tick", "silences"],
    )
    def test_a_megabyte_made_to_be_slow(self, track: bytes, readable: bool) -> None:
        assert self.outcome(raw(track)) == readable
