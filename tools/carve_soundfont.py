"""Carve a few instruments out of a large SoundFont, small enough to ship.

    python tools/carve_soundfont.py FluidR3_GM.sf2 pyzzicato/assets/piano.sf3 --programs 0 \\
        --velocity-to-cutoff -2400 --bank pyzzicato/assets/piano-bank.bin

    python tools/carve_soundfont.py FluidR3_GM.sf2 pyzzicato/assets/band.sf3 \\
        --programs drums 25=24-31 33=32-39 48=40-55

`--programs` takes General MIDI programs (0 is the grand piano), `drums` or `BANK:PROGRAM`;
`25=24-31` puts program 25 in the places of 24 to 31, so that it plays for all of them. The
result is a SoundFont 3: the presets, instruments and zones as they were, each sample an Ogg
Vorbis stream. Debian's package fluid-soundfont-gm holds FluidR3_GM.sf2 (MIT).

`--velocity-to-cutoff CENTS` makes soft notes darker, which FluidR3's piano (one layer of
samples for all velocities) does not do by itself: the low-pass is opened so that velocity 80
sounds as before, and falls by CENTS from velocity 127 to 0.

`--bank` writes the same piano for the browser's WebAudio, one sample every three keys, as it
sounds at velocity 127. Its format, little-endian:

    bytes 0-3      "PZB1"
    bytes 4-7      uint32: length H of the header in bytes
    bytes 8-8+H    the header, JSON in UTF-8
    then           MP3 streams (mono), one after the other

    header = {
      "sample_rate": 32000,
      "release_seconds": 0.12,  # time constant: gain.setTargetAtTime(0, end, release_seconds)
      "lowpass": {"hz": 11247, "cents": -2400, "q_db": -3.01},
      "samples": [{"key": 22, "low": 0, "high": 23, "seconds": 5.474, "offset": 0, "bytes": 36000},
                  ...]          # by key; `offset` counts from the end of the header
    }

To play key k at velocity v: take the sample with low <= k <= high, decodeAudioData its bytes,
playbackRate = 2 ** ((k - key) / 12), gain = (v / 127) ** 2, and a low-pass BiquadFilter with
frequency = hz * 2 ** (cents * (1 - v / 127) / 1200) and Q = q_db. Envelope and fade-out are in
the sample. Together the keys cover 0-127. All samples share one scale: full velocity of the
loudest key peaks at about -3 dBFS, so a chord needs a master gain of about 0.3.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import math
import struct
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyzzicato.render.soundfont import RECORDS, VORBIS_FLAG, Amount, SoundFont
from pyzzicato.render.synth import key_sound

QUALITY = 0.6
UNCHANGED_VELOCITY = 80

# A modulator's source: velocity, rising, linear, from 0 to 1. FluidSynth takes a falling one for
# the standard's default rule, which it ignores; so the cutoff is set for velocity 0 and rises.
RISING_VELOCITY = 2

BANK_RATE = 32000
BANK_RELEASE = 0.12
BANK_MAGIC = b"PZB1"


Row = tuple[Any, ...]


class Carver:
    """Collects what some presets need and numbers it anew."""

    def __init__(self, font: SoundFont, quality: float) -> None:
        self.font, self.quality = font, quality
        self.rows: dict[str, list[Row]] = {name: [] for name in RECORDS}
        self.instruments: dict[int, int] = {}
        self.samples: dict[int, int] = {}
        self.sound = bytearray()

    def add_preset(self, bank: int, program: int, place: int) -> None:
        """Copies one preset with all that it points to, as program `place` of its bank.

        Exits where the font lacks it.
        """
        row = self.font.presets.get((bank, program))
        if row is None:
            sys.exit(f"The SoundFont has no preset {bank}:{program}.")
        name = self.font.tables["phdr"][row]["name"]
        self.rows["phdr"].append((name, place, bank, len(self.rows["pbag"]), (0, 0, 0)))
        self._copy_zones("p", row, Amount.INSTRUMENT)

    def finish(self) -> None:
        """Numbers the instruments' zones and writes the terminal records."""
        for old in self.instruments:  # in the order of their new numbers
            name, _ = self.font.tables["inst"][old].tolist()
            self.rows["inst"].append((name, len(self.rows["ibag"])))
            self._copy_zones("i", old, Amount.SAMPLE)
        self.rows["phdr"].append((b"EOP", 0, 0, len(self.rows["pbag"]), (0, 0, 0)))
        self.rows["inst"].append((b"EOI", len(self.rows["ibag"])))
        self.rows["shdr"].append((b"EOS", *[0] * 9))
        for kind in "pi":
            ends = len(self.rows[kind + "gen"]), len(self.rows[kind + "mod"])
            self.rows[kind + "bag"].append(ends)
            self.rows[kind + "gen"].append((0, 0))
            self.rows[kind + "mod"].append((0, 0, 0, 0, 0))

    def _copy_zones(self, kind: str, row: int, pointer: Amount) -> None:
        tables = self.font.tables
        owners, bags = tables["phdr" if kind == "p" else "inst"], tables[kind + "bag"]
        for bag in range(int(owners["bag"][row]), int(owners["bag"][row + 1])):
            here, after = bags[bag], bags[bag + 1]
            self.rows[kind + "bag"].append(
                (len(self.rows[kind + "gen"]), len(self.rows[kind + "mod"]))
            )
            generators = tables[kind + "gen"][here["generator"] : after["generator"]]
            for operator, amount in generators.tolist():
                if operator == pointer:
                    amount = self._moved(kind, amount & 0xFFFF)
                self.rows[kind + "gen"].append((operator, amount))
            modulators = tables[kind + "mod"][here["modulator"] : after["modulator"]]
            self.rows[kind + "mod"].extend(modulators.tolist())

    def _moved(self, kind: str, old: int) -> int:
        """The new number of an instrument or sample."""
        if kind == "p":
            return self.instruments.setdefault(old, len(self.instruments))
        if old not in self.samples:
            self.samples[old] = len(self.samples)
            self._copy_sample(old)
        return self.samples[old]

    def _copy_sample(self, index: int) -> None:
        header, sample = self.font.tables["shdr"][index].tolist(), self.font.sample(index)
        start = len(self.sound)
        # Frames after the loop are never heard; the codec sees the loop go on instead, so that
        # the seam stays smooth.
        first, last = sample.loop
        more = np.resize(sample.frames[first:last], 2048) if first < last else sample.frames[:0]
        frames = np.concatenate([sample.frames[:last], more]) if first < last else sample.frames
        self.sound += encoded(frames, sample.rate, "OGG", 1 - self.quality)
        # Panned zones make the stereo image; a link to a partner would mean nothing here.
        self.rows["shdr"].append(
            (header[0], start, len(self.sound), first, last, *header[5:8], 0, 1 | VORBIS_FLAG)
        )


def encoded(frames: NDArray[np.float32], rate: int, kind: str, compression: float) -> bytes:
    """Frames as an Ogg Vorbis or MP3 stream."""
    import soundfile

    stream = io.BytesIO()
    with soundfile.SoundFile(
        stream, "w", rate, 1, format=kind, compression_level=compression
    ) as file:
        for at in range(0, len(frames), 8192):  # one long Vorbis write can overflow the stack
            file.write(frames[at : at + 8192])
    return stream.getvalue()


def soften(rows: dict[str, list[Row]], cents: int) -> None:
    """Makes every instrument's low-pass follow velocity: `cents` lower at 0 than at 127."""
    zones = [row[1] for row in rows["inst"][:-1]]
    generators: list[Row] = []
    modulators: list[Row] = []
    bags: list[Row] = []
    starts = [row[0] for row in rows["ibag"]]
    rules = [row[1] for row in rows["ibag"]]
    for bag in range(len(starts) - 1):
        values = rows["igen"][starts[bag] : starts[bag + 1]]
        own = rows["imod"][rules[bag] : rules[bag + 1]]
        bags.append((len(generators), len(modulators)))
        if bag in zones:
            values, own = softened(values, cents), [*own, (RISING_VELOCITY, 8, -cents, 0, 0)]
        generators += values
        modulators += own
    bags.append((len(generators), len(modulators)))
    rows["ibag"] = bags
    rows["igen"] = [*generators, (0, 0)]
    rows["imod"] = [*modulators, (0, 0, 0, 0, 0)]


def softened(values: Sequence[Row], cents: int) -> list[Row]:
    """A global zone's amounts with the cutoff for velocity 0."""
    if any(operator == Amount.SAMPLE for operator, _ in values):
        sys.exit("An instrument has no global zone to set the low-pass in.")
    found: dict[int, int] = dict(values)
    cutoff = found.get(Amount.FILTER_CUTOFF, 13500)
    found[Amount.FILTER_CUTOFF] = cutoff + round(cents * UNCHANGED_VELOCITY / 127)
    ranges = Amount.KEY_RANGE, Amount.VELOCITY_RANGE  # these must come first
    return sorted(found.items(), key=lambda item: (item[0] not in ranges, item[0]))


def written(carver: Carver, info: dict[str, bytes]) -> bytes:
    """The file: RIFF sfbk with its three lists."""
    tables = (
        chunk(name, np.array(carver.rows[name], kind).tobytes()) for name, kind in RECORDS.items()
    )
    lists = (
        (b"INFO", b"".join(chunk(name, body) for name, body in info.items())),
        (b"sdta", chunk("smpl", bytes(carver.sound))),
        (b"pdta", b"".join(tables)),
    )
    return chunk("RIFF", b"sfbk" + b"".join(chunk("LIST", name + body) for name, body in lists))


def chunk(name: str, body: bytes) -> bytes:
    """A RIFF chunk, padded to an even length."""
    return name.encode("ascii") + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def text(words: str) -> bytes:
    """A zero-ended text of even length, as INFO chunks want it."""
    body = words.encode("latin-1") + b"\0"
    return body + b"\0" * (len(body) & 1)


def browser_bank(font: SoundFont, every: int = 3, compression: float = 0.3) -> bytes:
    """The font's first preset as the file that the module's docstring describes."""
    keys = list(range(22, 109, every))
    edges = [0, *(key + (every + 1) // 2 for key in keys[:-1]), 128]
    sounds = [shortened(key_sound(font, key, 7.0, BANK_RATE).mean(axis=1), key) for key in keys]
    scale = 10 ** (-3 / 20) / max(float(np.abs(sound).max()) for sound in sounds)
    samples, streams, offset = [], [], 0
    for number, (key, sound) in enumerate(zip(keys, sounds, strict=True)):
        stream = encoded(np.asarray(sound * scale, np.float32), BANK_RATE, "MP3", compression)
        samples.append(
            {
                "key": key,
                "low": edges[number],
                "high": edges[number + 1] - 1,
                "seconds": round(len(sound) / BANK_RATE, 3),
                "offset": offset,
                "bytes": len(stream),
            }
        )
        streams.append(stream)
        offset += len(stream)
    head = {
        "sample_rate": BANK_RATE,
        "release_seconds": BANK_RELEASE,
        "lowpass": lowpass(font),
        "samples": samples,
    }
    header = json.dumps(head, separators=(",", ":")).encode("utf-8")
    return BANK_MAGIC + struct.pack("<I", len(header)) + header + b"".join(streams)


def lowpass(font: SoundFont) -> dict[str, float]:
    """How the preset's low-pass follows velocity."""
    zone = font.zones(0, 0)[0]
    loud, soft = (zone.amount(Amount.FILTER_CUTOFF, 60, velocity) for velocity in (127, 0))
    cents = loud + zone.amount(Amount.MODULATION_TO_FILTER)
    return {
        "hz": round(440 * 2 ** ((cents - 6900) / 1200)),
        "cents": round(soft - loud),
        "q_db": -3.01,
    }


def shortened(sound: NDArray[np.float32], key: int) -> NDArray[np.float32]:
    """A key's sound cut to what a browser needs: 5 s in the bass, less above, faded out."""
    seconds = float(np.interp(key, [21, 60, 84, 108], [5.5, 4.5, 2.5, 0.8]))
    frames = min(len(sound), round(seconds * BANK_RATE))
    fade = round(frames * 0.6)
    kept = sound[:frames].copy()
    kept[-fade:] *= 0.5 + 0.5 * np.cos(np.linspace(0, math.pi, fade, dtype=np.float32))
    return kept


def preset(word: str) -> list[tuple[int, int, int]]:
    """A preset by the words of the command line: bank, program, each program it is put as."""
    if word == "drums":
        return [(128, 0, 0)]
    name, _, places = word.partition("=")
    bank, _, program = name.rpartition(":")
    first, _, last = (places or program).partition("-")
    return [
        (int(bank or 0), int(program), place) for place in range(int(first), int(last or first) + 1)
    ]


def main(arguments: Iterable[str] | None = None) -> None:
    """Runs the tool."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--programs", nargs="+", type=preset, default=[preset("0")])
    parser.add_argument("--quality", type=float, default=QUALITY, help="of Vorbis, 0 to 1")
    parser.add_argument("--velocity-to-cutoff", type=int, default=0, metavar="CENTS")
    parser.add_argument("--bank", type=Path, help="also write the browser's bank here")
    options = parser.parse_args(None if arguments is None else list(arguments))
    carver = Carver(SoundFont.read(options.source), options.quality)
    # The standard wants them by bank and program, which is how players look them up.
    programs = itertools.chain.from_iterable(options.programs)
    for bank, program, place in sorted(programs, key=lambda each: (each[0], each[2])):
        carver.add_preset(bank, program, place)
    carver.finish()
    if options.velocity_to_cutoff:
        soften(carver.rows, options.velocity_to_cutoff)
    info = {
        "ifil": struct.pack("<HH", 3, 1),
        "isng": text("EMU8000"),
        "INAM": text(f"Pyzzicato {options.target.stem}, from Fluid R3 GM"),
        "IENG": text("Frank Wen"),
        "ICOP": text("Frank Wen 2000-2002, 2008; Toby Smithe 2008"),
        "ICMT": text("Licensed under the MIT License; see the notice beside this file."),
        "ISFT": text("tools/carve_soundfont.py"),
    }
    options.target.write_bytes(written(carver, info))
    print(f"{options.target}: {options.target.stat().st_size / 1e6:.2f} MB")
    if options.bank:
        options.bank.write_bytes(browser_bank(SoundFont.read(options.target)))
        print(f"{options.bank}: {options.bank.stat().st_size / 1e3:.0f} KB")


if __name__ == "__main__":
    main()
