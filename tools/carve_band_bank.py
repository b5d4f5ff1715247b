"""Record the band of a SoundFont for the browser's WebAudio, one sample every few keys.

    python tools/carve_band_bank.py pyzzicato/assets/band.sf3 pyzzicato/assets/band-bank.bin

The format is that of the piano's bank (tools/carve_soundfont.py), with another header:

    header = {
      "sample_rate": 32000,
      "instruments": {
        "Drums": {
          "level": 1.52,            # gain beside the piano's bank, at velocity 127
          "release_seconds": 0.25,  # time constant, as in the piano's bank
          "samples": [{"key": 35, "low": 0, "high": 35, "seconds": 0.46, "offset": 0,
                       "bytes": 5616, "loop": null}, ...]
        },
        "Guitar": ..., "Bass": ..., "Strings": ...
      }
    }

To play a note, do as with the piano's bank, but without its low-pass, and with `level` in the
gain; drums are not tuned (playbackRate 1) and ring out by themselves. Where `loop` is a pair of
seconds, the sound between them repeats as long as the key is down. A decoder may put all of a
sound up to 50 ms later or earlier: loops are made such that this is not heard.
"""

from __future__ import annotations

import argparse
import json
import math
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from carve_soundfont import BANK_MAGIC, BANK_RATE, encoded
from numpy.typing import NDArray

from pyzzicato.music.notes import Note
from pyzzicato.render.soundfont import SoundFont
from pyzzicato.render.synth import key_sound, render_notes

VELOCITY = 100  # at which everything is recorded; brought up to 127 by `level`
SILENCE = -54.0  # dB below its peak at which a drum has died away
SLACK = 0.05  # seconds that a decoder may be off
CROSSFADE = 0.35  # seconds before the end of a loop


class Plan(NamedTuple):
    """How one instrument is recorded."""

    program: int
    keys: tuple[int, ...]
    seconds: tuple[float, float]  # of the lowest and the highest key, at most
    release: float
    compression: float  # of MP3, 0 to 1
    loop: tuple[float, float] | None = None


PLANS = {
    "Drums": Plan(0, tuple(range(35, 82)), (1.9, 1.9), 0.25, 0.45),
    "Guitar": Plan(25, tuple(range(40, 90, 4)), (3.2, 1.4), 0.1, 0.4),
    "Bass": Plan(33, tuple(range(24, 68, 4)), (2.6, 2.0), 0.08, 0.5),
    "Strings": Plan(48, tuple(range(31, 97, 5)), (3.0, 3.0), 0.22, 0.4, (0.9, 2.9)),
}


def recorded(font: SoundFont, name: str, key: int, seconds: float) -> NDArray[np.float32]:
    """One key as it sounds dry, in mono, at the loudness of velocity 127."""
    plan, drums = PLANS[name], name == "Drums"
    note = Note(0.0, 0.1 if drums else seconds + 0.2, key, VELOCITY, plan.program, drums)
    sound = render_notes(font, [note], BANK_RATE, reverb=False, seconds=seconds)
    mono: NDArray[np.float32] = sound.mean(axis=1)[: round(seconds * BANK_RATE)]
    return mono * np.float32((127 / VELOCITY) ** 2)


def looped(sound: NDArray[np.float32], loop: tuple[float, float]) -> NDArray[np.float32]:
    """`sound` up to the end of the loop and a little more, that end faded into its beginning."""
    first, last = (round(second * BANK_RATE) for second in loop)
    fade, more = round(CROSSFADE * BANK_RATE), round(2 * SLACK * BANK_RATE)
    angle = np.linspace(0, math.pi / 2, fade, dtype=np.float32)
    kept = sound[:last].copy()
    # Many players are never in phase, so that the powers add up, not the amplitudes.
    kept[-fade:] = kept[-fade:] * np.cos(angle) + sound[first - fade : first] * np.sin(angle)
    return np.concatenate([kept, sound[first : first + more]])


def faded(sound: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """`sound` with its last part faded out, and cut where it has died away before."""
    loud = np.flatnonzero(np.abs(sound) > np.abs(sound).max() * 10 ** (SILENCE / 20))
    kept = sound[: loud[-1] + 1].copy()
    fade = max(1, round(len(kept) * share))
    kept[-fade:] *= 0.5 + 0.5 * np.cos(np.linspace(0, math.pi, fade, dtype=np.float32))
    return kept


def instrument(font: SoundFont, name: str, piano: float, offset: int) -> tuple[Any, list[bytes]]:
    """The header's entry of an instrument, and the streams of its samples."""
    plan = PLANS[name]
    sounds = []
    for key in plan.keys:
        seconds = float(np.interp(key, (plan.keys[0], plan.keys[-1]), plan.seconds))
        sound = recorded(font, name, key, seconds + 2 * SLACK)
        share = 0.3 if name == "Drums" else 0.6
        sounds.append(looped(sound, plan.loop) if plan.loop else faded(sound, share))
    peak = max(float(np.abs(sound).max()) for sound in sounds)
    scale = 10 ** (-3 / 20)
    samples, streams = [], []
    for place, (key, sound) in enumerate(zip(plan.keys, sounds, strict=True)):
        whole = np.asarray(sound * (scale / peak), np.float32)
        stream = encoded(whole, BANK_RATE, "MP3", plan.compression)
        low = 0 if place == 0 else (plan.keys[place - 1] + key) // 2 + 1
        high = 127 if place == len(plan.keys) - 1 else (key + plan.keys[place + 1]) // 2
        loop = None if plan.loop is None else [round(each + SLACK, 3) for each in plan.loop]
        samples.append(
            {
                "key": key, "low": low, "high": high, "seconds": round(len(sound) / BANK_RATE, 3),
                "offset": offset, "bytes": len(stream), "loop": loop,
            }
        )  # fmt: skip
        streams.append(stream)
        offset += len(stream)
    level = round(peak / piano, 4)
    return {"level": level, "release_seconds": plan.release, "samples": samples}, streams


def band_bank(font: SoundFont, piano: SoundFont) -> bytes:
    """The file that the module's docstring describes, as loud as `piano`'s bank is."""
    loudest = max(
        float(np.abs(key_sound(piano, key, 1.0, BANK_RATE).mean(axis=1)).max())
        for key in range(22, 109, 3)
    )
    entries, streams, offset = {}, [], 0
    for name in PLANS:
        entries[name], own = instrument(font, name, loudest, offset)
        streams += own
        offset += sum(map(len, own))
    head = {"sample_rate": BANK_RATE, "instruments": entries}
    header = json.dumps(head, separators=(",", ":")).encode("utf-8")
    return BANK_MAGIC + struct.pack("<I", len(header)) + header + b"".join(streams)


def main(arguments: Iterable[str] | None = None) -> None:
    """Runs the tool."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args(None if arguments is None else list(arguments))
    piano = SoundFont.read(options.source.parent / "piano.sf3")
    options.target.write_bytes(band_bank(SoundFont.read(options.source), piano))
    print(f"{options.target}: {options.target.stat().st_size / 1e3:.0f} KB")


if __name__ == "__main__":
    main()
