"""Reading SoundFonts, carving them, playing them, and the piano that ships."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from pyzzicato.errors import RenderingFailed
from pyzzicato.music.notes import Note
from pyzzicato.render import audio
from pyzzicato.render.soundfont import RECORDS, VORBIS_FLAG, Amount, Modulator, SoundFont, chunks
from pyzzicato.render.synth import render_notes
from tests.scripts import open_script

RATE = 22050
SINE_RATE = 16000
PERIOD = 32  # frames of one wave: 500 Hz, recorded as key 71 (493.9 Hz) 21 cents sharp

Zones = Sequence[Sequence[tuple[int, int]]]


@pytest.fixture(scope="module", name="tool")
def carving_tool() -> Iterator[ModuleType]:
    with open_script("tools/carve_soundfont.py") as module:
        yield module


@pytest.fixture(scope="module", name="piano")
def shipped_piano() -> SoundFont:
    return SoundFont(asset("piano.sf3"))


def asset(name: str) -> bytes:
    return resources.files("pyzzicato").joinpath("assets", name).read_bytes()


def span(low: int, high: int) -> int:
    return low | high << 8


def riff(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def small_font(preset: Zones, instrument: Zones, modulators: Sequence[Any] = ()) -> bytes:
    """A SoundFont 2 of one sine: each zone is its amounts; `modulators` go to the first one."""
    wave = np.sin(2 * np.pi * np.arange(40 * PERIOD) / PERIOD)
    sine = np.concatenate([wave, np.zeros(46)]) * 16384
    end, first, last = len(wave), 10 * PERIOD, 38 * PERIOD
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in RECORDS}
    for kind, zones in (("p", preset), ("i", instrument)):
        for zone in zones:
            rows[kind + "bag"].append((len(rows[kind + "gen"]), len(rows[kind + "mod"])))
            rows[kind + "gen"].extend(zone)
            if kind == "i" and zone is zones[0]:
                rows["imod"].extend(modulators)
        rows[kind + "bag"].append((len(rows[kind + "gen"]), len(rows[kind + "mod"])))
        rows[kind + "gen"].append((0, 0))
        rows[kind + "mod"].append((0, 0, 0, 0, 0))
    rows["phdr"] = [("Sine", 0, 0, 0, (0, 0, 0)), ("EOP", 0, 0, len(preset), (0, 0, 0))]
    rows["inst"] = [("Sine", 0), ("EOI", len(instrument))]
    rows["shdr"] = [("Sine", 0, end, first, last, SINE_RATE, 71, 0, 0, 1), ("EOS", *[0] * 9)]
    tables = (
        riff(name.encode(), np.array(rows[name], kind).tobytes()) for name, kind in RECORDS.items()
    )
    sound = riff(b"smpl", sine.astype("<i2").tobytes())
    info = riff(b"ifil", struct.pack("<HH", 2, 1))
    lists = ((b"INFO", info), (b"sdta", sound), (b"pdta", b"".join(tables)))
    return riff(b"RIFF", b"sfbk" + b"".join(riff(b"LIST", name + body) for name, body in lists))


PRESET: Zones = [[(Amount.INSTRUMENT, 0)]]
LOOPED = [(Amount.LOOP_MODE, 1), (Amount.SAMPLE, 0)]


def played(font: bytes, *notes: Note) -> NDArray[np.float32]:
    return render_notes(SoundFont(font), notes, RATE, reverb=False)


def loudness(sound: NDArray[np.float32], start: float, end: float, side: int = 0) -> float:
    """Decibels of one side between two times in seconds."""
    part = sound[round(start * RATE) : round(end * RATE), side]
    return float(20 * np.log10(np.sqrt(np.mean(part**2)) + 1e-12))


def pitch(sound: NDArray[np.float32]) -> float:
    energy = np.abs(np.fft.rfft(sound[:, 0] * np.hanning(len(sound))))
    return float(np.argmax(energy) * RATE / len(sound))


# The reader


@pytest.mark.parametrize("keep", [0, 3, 40, 5000])
def test_a_file_cut_short_is_told(keep: int) -> None:
    with pytest.raises(RenderingFailed, match="install it"):
        SoundFont(asset("piano.sf3")[:keep])


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(RenderingFailed, match=r"none\.sf3 is missing"):
        SoundFont.read(tmp_path / "none.sf3")


def test_global_zones_fill_in_and_preset_zones_add() -> None:
    preset = [[(Amount.ATTENUATION, 30)], [(Amount.RELEASE, -100), (Amount.INSTRUMENT, 0)]]
    instrument = [
        [(Amount.RELEASE, 1200), (Amount.ATTENUATION, 50)],
        [(Amount.ATTENUATION, 10), (Amount.SAMPLE, 0)],
    ]
    (zone,) = SoundFont(small_font(preset, instrument)).zones(0, 0)
    assert zone.amount(Amount.RELEASE) == 1100
    assert zone.amount(Amount.ATTENUATION) == 40
    assert zone.amount(Amount.FILTER_CUTOFF) == 13500


def test_ranges_of_preset_and_instrument_narrow_each_other() -> None:
    preset = [[(Amount.KEY_RANGE, span(0, 60)), (Amount.INSTRUMENT, 0)]]
    instrument = [
        [(Amount.KEY_RANGE, span(50, 127)), (Amount.VELOCITY_RANGE, span(0, 63)), *LOOPED],
        [(Amount.KEY_RANGE, span(70, 127)), *LOOPED],
    ]
    (zone,) = SoundFont(small_font(preset, instrument)).zones(0, 0)
    assert (zone.keys, zone.velocities) == ((50, 60), (0, 63))
    assert zone.sounds(55, 63)
    assert not zone.sounds(55, 64)
    assert not zone.sounds(61, 63)


def test_a_preset_that_is_not_there_has_no_zones() -> None:
    assert SoundFont(small_font(PRESET, [LOOPED])).zones(0, 40) == ()


@pytest.mark.parametrize(
    ("source", "velocity", "share"),
    [
        (2, 127, 1),
        (2, 0, 0),
        (0x102, 127, 0),  # falling
        (0x102, 0, 1),
        (0x202, 0, -1),  # from -1 to 1
        (0x402, 64, 0.1268),  # concave: 5/12 log10(127/63)
        (0x802, 64, 0.8760),  # convex
        (0xC02, 63, 0),  # switch
        (0xC02, 64, 1),
        (0x82, 127, 0),  # a controller, at rest
        (13, 127, 0),  # channel pressure, at rest
    ],
)
def test_modulators_follow_velocity_as_the_standard_says(
    source: int, velocity: int, share: float
) -> None:
    assert Modulator(source, 8, 1000).value(60, velocity) == pytest.approx(1000 * share, abs=1)


# The renderer


def test_a_loop_holds_a_tone_as_long_as_the_key() -> None:
    sound = played(small_font(PRESET, [LOOPED]), Note(0, 3, 71, 127))
    assert loudness(sound, 0.1, 0.2) == pytest.approx(loudness(sound, 2.8, 2.9), abs=0.05)
    assert pitch(sound[: 3 * RATE]) == pytest.approx(500, abs=0.5)
    assert loudness(sound, 3.1, 3.3) < -100


def test_without_a_loop_the_sample_ends() -> None:
    sound = played(small_font(PRESET, [[(Amount.SAMPLE, 0)]]), Note(0, 3, 71, 127))
    assert loudness(sound, 0.01, 0.07) > -20
    assert loudness(sound, 0.1, 2.9) < -100


@pytest.mark.parametrize(
    ("amounts", "key", "hertz"),
    [
        ([], 83, 1000),
        ([], 59, 250),
        ([(Amount.ROOT_KEY, 83)], 71, 250),
        ([(Amount.COARSE_TUNE, 7), (Amount.FINE_TUNE, 50)], 71, 500 * 2 ** (7.5 / 12)),
        ([(Amount.SCALE_TUNING, 0)], 90, 500),
    ],
)
def test_tuning(amounts: list[tuple[int, int]], key: int, hertz: float) -> None:
    sound = played(small_font(PRESET, [[*amounts, *LOOPED]]), Note(0, 2, key, 127))
    assert pitch(sound[: 2 * RATE]) == pytest.approx(hertz, rel=0.002)


def test_velocity_scales_by_its_square() -> None:
    font = small_font(PRESET, [LOOPED])
    loud, soft = (played(font, Note(0, 1, 71, velocity)) for velocity in (127, 50))
    fall = loudness(loud, 0.1, 0.9) - loudness(soft, 0.1, 0.9)
    assert fall == pytest.approx(40 * np.log10(127 / 50), abs=0.01)


def test_attack_hold_decay_sustain_and_release() -> None:
    amounts = [
        (Amount.ATTACK, -1200),  # 0.5 s
        (Amount.HOLD, 0),  # 1 s
        (Amount.DECAY, 1200),  # 96 dB in 2 s
        (Amount.SUSTAIN, 240),  # 24 dB down, so 0.5 s later
        (Amount.RELEASE, 0),  # 96 dB in 1 s
    ]
    sound = played(small_font(PRESET, [[*amounts, *LOOPED]]), Note(0, 3, 71, 127))
    full = loudness(sound, 0.6, 1.4)
    assert loudness(sound, 0.245, 0.255) - full == pytest.approx(-6, abs=0.3)
    assert loudness(sound, 1.745, 1.755) - full == pytest.approx(-12, abs=0.5)
    assert loudness(sound, 2.2, 2.9) - full == pytest.approx(-24, abs=0.1)
    assert loudness(sound, 3.245, 3.255) - full == pytest.approx(-48, abs=0.5)


def test_pan_and_attenuation() -> None:
    left = played(small_font(PRESET, [[(Amount.PAN, -500), *LOOPED]]), Note(0, 1, 71))
    assert loudness(left, 0.1, 0.9, side=0) - loudness(left, 0.1, 0.9, side=1) > 100
    quiet = played(
        small_font(PRESET, [[(Amount.PAN, -500), (Amount.ATTENUATION, 100), *LOOPED]]),
        Note(0, 1, 71),
    )
    fall = loudness(left, 0.1, 0.9) - loudness(quiet, 0.1, 0.9)
    assert fall == pytest.approx(4, abs=0.01)  # 10 dB in the file are 4 dB of sound


def test_the_low_pass_follows_velocity() -> None:
    rule = (2, Amount.FILTER_CUTOFF, 4800, 0, 0)  # four octaves up at full velocity
    amounts = [[(Amount.FILTER_CUTOFF, 5721), *LOOPED]]  # 222.5 Hz, 3,560 Hz
    plain, ruled = (small_font(PRESET, amounts, rules) for rules in ((), (rule,)))
    dark, bright = (
        loudness(played(font, Note(0, 1, 71, 127)), 0.1, 0.9) for font in (plain, ruled)
    )
    # A two-pole low-pass: 10 log10(1 + (500 / 222.5)^4) = 14.2 dB down.
    assert bright - dark == pytest.approx(14.2, abs=0.5)


# The tool


def test_carving_keeps_the_sound(tool: ModuleType, tmp_path: Path) -> None:
    source, target = tmp_path / "large.sf2", tmp_path / "small.sf3"
    zones = [[(Amount.RELEASE, -2400)], [(Amount.KEY_RANGE, span(0, 100)), *LOOPED]]
    source.write_bytes(small_font(PRESET, zones))
    tool.main([str(source), str(target), "--programs", "0"])
    note = Note(0, 2, 76, 100)
    before, after = (played(path.read_bytes(), note) for path in (source, target))
    assert np.sqrt(np.mean((before - after) ** 2) / np.mean(before**2)) < 0.02
    assert SoundFont.read(target).zones(0, 0) == SoundFont.read(source).zones(0, 0)


def test_carving_can_make_soft_notes_darker(tool: ModuleType, tmp_path: Path) -> None:
    source, target = tmp_path / "large.sf2", tmp_path / "small.sf3"
    zones = [[(Amount.FILTER_CUTOFF, 12000)], LOOPED]
    source.write_bytes(small_font(PRESET, zones))
    tool.main([str(source), str(target), "--velocity-to-cutoff", "-2400"])
    (zone,) = SoundFont.read(target).zones(0, 0)
    cutoffs = [zone.amount(Amount.FILTER_CUTOFF, 60, velocity) for velocity in (0, 80, 127)]
    assert cutoffs[1] == pytest.approx(12000, abs=1)
    assert cutoffs[2] - cutoffs[0] == 2400


def test_carving_a_preset_that_is_not_there_is_told(tool: ModuleType, tmp_path: Path) -> None:
    source = tmp_path / "large.sf2"
    source.write_bytes(small_font(PRESET, [LOOPED]))
    with pytest.raises(SystemExit, match="no preset 128:0"):
        tool.main([str(source), str(tmp_path / "x.sf3"), "--programs", "drums"])


# What ships


def test_the_piano_is_a_sound_font_3_with_its_licence() -> None:
    data = asset("piano.sf3")
    parts = chunks(data)
    assert len(data) < 1_500_000
    assert struct.unpack("<HH", parts["ifil"]) == (3, 1)
    assert list(parts)[-9:] == list(RECORDS)
    assert b"MIT" in bytes(parts["ICMT"])
    notice = asset("PIANO-LICENCE.txt").decode()
    assert "Frank Wen" in notice
    assert "Permission is hereby granted, free of charge" in notice


def test_the_piano_has_two_sides_for_every_key_and_velocity(piano: SoundFont) -> None:
    zones = piano.zones(0, 0)
    for key in range(21, 109):
        for velocity in (1, 40, 64, 65, 90, 127):
            pans = [z.amount(Amount.PAN) for z in zones if z.sounds(key, velocity)]
            assert sorted(pans) == [-500, 500], (key, velocity)


def test_the_pianos_samples_lie_side_by_side_and_hold_their_loops(piano: SoundFont) -> None:
    headers = piano.tables["shdr"][:-1]
    assert headers["start"][0] == 0
    assert (headers["start"][1:] == headers["end"][:-1]).all()
    assert (headers["type"] & VORBIS_FLAG).all()
    for index in range(0, len(headers), 7):
        sample = piano.sample(index)
        assert 0 < sample.loop[0] < sample.loop[1] <= len(sample.frames)
        assert 0.01 < np.abs(sample.frames).max() <= 1.05


def test_the_band_is_a_sound_font_3_with_its_licence() -> None:
    data = asset("band.sf3")
    assert len(data) < 3_700_000
    assert b"MIT" in bytes(chunks(data)["ICMT"])
    notice = asset("BAND-LICENCE.txt").decode()
    assert "Frank Wen" in notice
    assert "Permission is hereby granted, free of charge" in notice


def test_the_band_has_all_guitars_basses_and_strings_and_a_drum_kit() -> None:
    band = SoundFont(asset("band.sf3"))
    assert sorted(band.presets) == [*((0, program) for program in range(24, 56)), (128, 0)]
    assert band.zones(0, 24) == band.zones(0, 25) != band.zones(0, 32)
    for key in range(35, 82):
        assert any(zone.sounds(key, 100) for zone in band.zones(128, 0)), key
    for program, keys in ((25, range(40, 89)), (33, range(23, 68)), (48, range(28, 97))):
        zones = band.zones(0, program)
        assert all(any(zone.sounds(key, 64) for zone in zones) for key in keys), program


def test_a_preset_can_be_put_in_several_places(tool: ModuleType, tmp_path: Path) -> None:
    source, target = tmp_path / "large.sf2", tmp_path / "small.sf3"
    source.write_bytes(small_font(PRESET, [LOOPED]))
    tool.main([str(source), str(target), "--programs", "0=3-5"])
    font = SoundFont.read(target)
    assert sorted(font.presets) == [(0, 3), (0, 4), (0, 5)]
    assert font.zones(0, 3) == font.zones(0, 5) == SoundFont.read(source).zones(0, 0)
    assert len(font.tables["shdr"]) == 2  # its sample is there once


def test_the_browsers_bank_is_as_its_format_says(tool: ModuleType, piano: SoundFont) -> None:
    data = audio.browser_bank()
    assert len(data) <= 900_000
    assert data[:4] == b"PZB1"
    (length,) = struct.unpack_from("<I", data, 4)
    header = json.loads(data[8 : 8 + length])
    assert header["lowpass"] == tool.lowpass(piano)
    reached, offset = 0, 0
    for sample in header["samples"]:
        assert (sample["low"], sample["offset"]) == (reached, offset)
        assert sample["low"] <= sample["key"] <= sample["high"]
        reached, offset = sample["high"] + 1, offset + sample["bytes"]
    assert reached == 128
    assert 8 + length + offset == len(data)


def test_the_browsers_bank_sounds_like_the_piano(piano: SoundFont, tool: ModuleType) -> None:
    data = audio.browser_bank()
    (length,) = struct.unpack_from("<I", data, 4)
    header = json.loads(data[8 : 8 + length])
    for sample in header["samples"][::6]:
        start = 8 + length + sample["offset"]
        sound, rate = soundfile.read(io.BytesIO(data[start : start + sample["bytes"]]))
        assert rate == header["sample_rate"]
        assert len(sound) / rate == pytest.approx(sample["seconds"], abs=0.05)
        meant = tool.key_sound(piano, sample["key"], 0.5, rate).mean(axis=1)
        assert np.corrcoef(sound[: len(meant)], meant)[0, 1] > 0.98
        assert np.abs(sound[-50:]).max() < 0.01
