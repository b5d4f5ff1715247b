"""Reading SoundFont 2 and 3 files: presets, zones and samples.

SoundFont 2.04 (Creative/E-mu, 1998-2006) describes the container and the numbers; SoundFont 3
is the same with each sample stored as an Ogg Vorbis stream: the start and end of a sample
header are then bytes within the `smpl` chunk, and its loop points count frames from the start
of that sample.
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pyzzicato.errors import RenderingFailed

__all__ = [
    "DEFAULTS",
    "RECORDS",
    "VORBIS_FLAG",
    "Amount",
    "Modulator",
    "Sample",
    "SoundFont",
    "Zone",
    "chunks",
]

VORBIS_FLAG = 0x10
"""Bit of a sample header's type that says its sound is an Ogg Vorbis stream."""

_BAG = [("generator", "<u2"), ("modulator", "<u2")]
_GENERATOR = [("operator", "<u2"), ("amount", "<i2")]
_MODULATOR = [
    ("source", "<u2"),
    ("destination", "<u2"),
    ("amount", "<i2"),
    ("amount_source", "<u2"),
    ("transform", "<u2"),
]
RECORDS: Mapping[str, np.dtype[np.void]] = MappingProxyType(
    {
        "phdr": np.dtype(
            [
                ("name", "S20"),
                ("program", "<u2"),
                ("bank", "<u2"),
                ("bag", "<u2"),
                ("reserved", "<u4", 3),
            ]
        ),
        "pbag": np.dtype(_BAG),
        "pmod": np.dtype(_MODULATOR),
        "pgen": np.dtype(_GENERATOR),
        "inst": np.dtype([("name", "S20"), ("bag", "<u2")]),
        "ibag": np.dtype(_BAG),
        "imod": np.dtype(_MODULATOR),
        "igen": np.dtype(_GENERATOR),
        "shdr": np.dtype(
            [
                ("name", "S20"),
                ("start", "<u4"),
                ("end", "<u4"),
                ("loop_start", "<u4"),
                ("loop_end", "<u4"),
                ("rate", "<u4"),
                ("root", "u1"),
                ("correction", "i1"),
                ("link", "<u2"),
                ("type", "<u2"),
            ]
        ),
    }
)
"""The nine tables of a SoundFont's `pdta` list, in the order in which a file holds them."""


class Amount(IntEnum):
    """The numbers a zone can set ("generators"), by their number in the file."""

    START_OFFSET = 0
    END_OFFSET = 1
    LOOP_START_OFFSET = 2
    LOOP_END_OFFSET = 3
    START_COARSE = 4
    FILTER_CUTOFF = 8
    FILTER_RESONANCE = 9
    MODULATION_TO_FILTER = 11
    END_COARSE = 12
    PAN = 17
    MODULATION_SUSTAIN = 29
    DELAY = 33
    ATTACK = 34
    HOLD = 35
    DECAY = 36
    SUSTAIN = 37
    RELEASE = 38
    KEY_TO_HOLD = 39
    KEY_TO_DECAY = 40
    INSTRUMENT = 41
    KEY_RANGE = 43
    VELOCITY_RANGE = 44
    LOOP_START_COARSE = 45
    FIXED_KEY = 46
    FIXED_VELOCITY = 47
    ATTENUATION = 48
    LOOP_END_COARSE = 50
    COARSE_TUNE = 51
    FINE_TUNE = 52
    SAMPLE = 53
    LOOP_MODE = 54
    SCALE_TUNING = 56
    EXCLUSIVE_CLASS = 57
    ROOT_KEY = 58


_EMPTY_TIME = -12000  # time cents: 1 ms, the standard's "no time at all"
DEFAULTS: Mapping[int, int] = MappingProxyType(
    {
        Amount.FILTER_CUTOFF: 13500,
        **dict.fromkeys((33, 34, 35, 36, 38), _EMPTY_TIME),
        Amount.FIXED_KEY: -1,
        Amount.FIXED_VELOCITY: -1,
        Amount.SCALE_TUNING: 100,
        Amount.ROOT_KEY: -1,
    }
)
"""What the standard says of an amount that no zone sets; those not here are 0."""

# A preset's zones may not set these: they speak of one sample.
_INSTRUMENT_ONLY = frozenset({0, 1, 2, 3, 4, 12, 45, 46, 47, 50, 54, 57, 58})


@dataclass(frozen=True, slots=True)
class Modulator:
    """A rule by which velocity, key or a controller moves an amount."""

    source: int
    destination: int
    amount: int
    amount_source: int = 0

    def value(self, key: int, velocity: int) -> float:
        """What this adds to its destination; 0 where its source is neither velocity nor key."""
        if self.amount_source or self.source & 0x80:
            return 0.0
        numbers = {2: velocity, 3: key}
        if self.source & 0x7F not in numbers:
            return 0.0
        falling, bipolar, curve = self.source & 0x100, self.source & 0x200, self.source >> 10
        x = numbers[self.source & 0x7F] / 127
        x = _curved(1 - x if falling else x, curve)
        return self.amount * (2 * x - 1 if bipolar else x)


def _curved(x: float, curve: int) -> float:
    """The standard's four source curves (section 9.5.3): linear, concave, convex, switch."""
    if curve == 1:
        return 1.0 if x >= 1 else min(1.0, -5 / 12 * math.log10(1 - x))
    if curve == 2:
        return 0.0 if x <= 0 else max(0.0, 1 + 5 / 12 * math.log10(x))
    if curve == 3:
        return float(x >= 0.5)
    return x


@dataclass(frozen=True, slots=True)
class Zone:
    """One sample as one preset plays it: where it sounds and every amount, already summed up.

    `keys` and `velocities` are inclusive ranges; `sample` is an index for `SoundFont.sample`.
    """

    keys: tuple[int, int]
    velocities: tuple[int, int]
    sample: int
    amounts: Mapping[int, int]
    modulators: tuple[Modulator, ...] = ()

    def sounds(self, key: int, velocity: int) -> bool:
        """Whether this zone is heard for that key and velocity."""
        low, high = self.keys
        soft, loud = self.velocities
        return low <= key <= high and soft <= velocity <= loud

    def amount(self, amount: int, key: int = 60, velocity: int = 127) -> float:
        """An amount in the file's unit, with what velocity and key do to it."""
        moved = sum(m.value(key, velocity) for m in self.modulators if m.destination == amount)
        return self.amounts.get(amount, DEFAULTS.get(amount, 0)) + moved


@dataclass(frozen=True, slots=True)
class Sample:
    """Decoded sound: `frames` float32 (frames,) from -1 to 1 at `rate` Hz.

    `loop` is (first frame, frame after the last); `root` the MIDI key at which it was
    recorded, `correction` its detuning in cents.
    """

    frames: NDArray[np.float32]
    rate: int
    loop: tuple[int, int]
    root: int
    correction: int


def chunks(data: bytes) -> dict[str, memoryview]:
    """The leaf chunks of a RIFF file by name, lists opened; raises RenderingFailed if broken."""
    found: dict[str, memoryview] = {}
    view = memoryview(data)

    def walk(at: int, end: int) -> None:
        while at + 8 <= end:
            name, size = struct.unpack_from("<4sI", view, at)
            body, after = at + 8, at + 8 + size
            if after > end:
                raise RenderingFailed("The SoundFont file is cut short: install it again.")
            if name in (b"RIFF", b"LIST"):
                walk(body + 4, after)
            else:
                found[name.decode("latin-1")] = view[body:after]
            at = after + (size & 1)

    walk(0, len(view))
    return found


class SoundFont:
    """A SoundFont file, read once; samples are decoded when first asked for, then kept.

    Raises RenderingFailed where the file is missing or is no SoundFont.
    """

    def __init__(self, data: bytes) -> None:
        found = chunks(data)
        if "smpl" not in found or any(name not in found for name in RECORDS):
            raise RenderingFailed("The SoundFont file is damaged: install it again.")
        self._sound = found["smpl"]
        self.tables = {
            name: np.frombuffer(found[name], kind, count=len(found[name]) // kind.itemsize)
            for name, kind in RECORDS.items()
        }
        self._samples: dict[int, Sample] = {}

    @classmethod
    def read(cls, path: Path) -> SoundFont:
        """The SoundFont at `path`."""
        try:
            return cls(path.read_bytes())
        except OSError:
            raise RenderingFailed(f"The sound file {path.name} is missing: install it.") from None

    @property
    def presets(self) -> dict[tuple[int, int], int]:
        """(bank, program) -> row of the preset table."""
        rows = self.tables["phdr"][:-1]
        return {(int(r["bank"]), int(r["program"])): i for i, r in enumerate(rows)}

    def zones(self, bank: int, program: int) -> tuple[Zone, ...]:
        """The zones of a preset; none where the font has no such preset."""
        row = self.presets.get((bank, program))
        if row is None:
            return ()
        return tuple(
            _joined(outer, inner)
            for outer in self._layers("p", row, Amount.INSTRUMENT)
            for inner in self._layers("i", outer.end, Amount.SAMPLE)
            if _overlap(outer.keys, inner.keys) and _overlap(outer.velocities, inner.velocities)
        )

    def _layers(self, kind: str, row: int, end: Amount) -> Iterator[_Layer]:
        """The zones of one preset ("p") or instrument ("i"), each with its global zone's values."""
        table = self.tables["phdr" if kind == "p" else "inst"]
        bags = self.tables[kind + "bag"]
        common = _Layer()
        first, last = int(table["bag"][row]), int(table["bag"][row + 1])
        for bag in range(first, last):
            here, after = bags[bag], bags[bag + 1]
            generators = self.tables[kind + "gen"][here["generator"] : after["generator"]]
            modulators = self.tables[kind + "mod"][here["modulator"] : after["modulator"]]
            layer = common.with_values(generators, modulators, end)
            if layer.end >= 0:
                yield layer
            elif bag == first:
                common = layer

    def sample(self, index: int) -> Sample:
        """A sample of the font, decoded."""
        if index not in self._samples:  # two threads may both decode: they get the same sound
            self._samples[index] = self._decoded(index)
        return self._samples[index]

    def _decoded(self, index: int) -> Sample:
        header = self.tables["shdr"][index]
        start, end = int(header["start"]), int(header["end"])
        loop = int(header["loop_start"]), int(header["loop_end"])
        if header["type"] & VORBIS_FLAG:
            import soundfile

            stream = io.BytesIO(self._sound[start:end])
            frames, _ = soundfile.read(stream, dtype="float32")
        else:
            frames = np.frombuffer(self._sound[2 * start : 2 * end], "<i2") / np.float32(32768)
            loop = loop[0] - start, loop[1] - start
        return Sample(
            frames, int(header["rate"]), loop, int(header["root"]), int(header["correction"])
        )


@dataclass(frozen=True, slots=True)
class _Layer:
    """One zone of a preset or an instrument as the file has it; `end` is what it points to."""

    keys: tuple[int, int] = (0, 127)
    velocities: tuple[int, int] = (0, 127)
    end: int = -1
    amounts: Mapping[int, int] = field(default_factory=dict)
    modulators: tuple[Modulator, ...] = ()

    def with_values(
        self, generators: NDArray[np.void], modulators: NDArray[np.void], end: Amount
    ) -> _Layer:
        """This zone with a local zone's values written over its own."""
        keys, velocities, target, amounts = self.keys, self.velocities, -1, dict(self.amounts)
        for operator, amount in generators.tolist():
            if operator == Amount.KEY_RANGE:
                keys = amount & 0xFF, amount >> 8 & 0xFF
            elif operator == Amount.VELOCITY_RANGE:
                velocities = amount & 0xFF, amount >> 8 & 0xFF
            elif operator == end:
                target = amount & 0xFFFF
            else:
                amounts[operator] = amount
        rules = {(m.source, m.destination, m.amount_source): m for m in self.modulators}
        for source, destination, amount, amount_source, _ in modulators.tolist():
            rule = Modulator(source, destination, amount, amount_source)
            rules[source, destination, amount_source] = rule
        return _Layer(keys, velocities, target, amounts, tuple(rules.values()))


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return max(one[0], other[0]) <= min(one[1], other[1])


def _joined(outer: _Layer, inner: _Layer) -> Zone:
    """A preset zone laid over an instrument zone: ranges narrow, amounts add (section 9.4)."""
    amounts = dict(inner.amounts)
    for number, amount in outer.amounts.items():
        if number not in _INSTRUMENT_ONLY:
            amounts[number] = amounts.get(number, DEFAULTS.get(number, 0)) + amount
    return Zone(
        keys=(max(outer.keys[0], inner.keys[0]), min(outer.keys[1], inner.keys[1])),
        velocities=(
            max(outer.velocities[0], inner.velocities[0]),
            min(outer.velocities[1], inner.velocities[1]),
        ),
        sample=inner.end,
        amounts=MappingProxyType(amounts),
        modulators=inner.modulators + outer.modulators,
    )
