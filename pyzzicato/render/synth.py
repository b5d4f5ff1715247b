"""The built-in renderer: plays a note sequence with a SoundFont, offline, in numpy.

What a note sounds like follows SoundFont 2.04: zones by key and velocity, tuning, loops, the
volume envelope, attenuation, a low-pass that velocity may move, pan; velocity scales the sound
by (velocity / 127) squared, the standard's default. Differs from the standard in: the
low-pass of a note is fixed (a modulation envelope counts with the level it settles at), there
are no low-frequency oscillators and no chorus, and the reverb is our own. It is fast because
all notes of one key share one resampled sound with its envelope already on it.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyzzicato.music.notes import Note, cut_overlaps
from pyzzicato.render.soundfont import Amount, SoundFont, Zone

__all__ = ["TAIL_SECONDS", "key_sound", "render_notes"]

TAIL_SECONDS = 1.5
"""Seconds after the end of the last note in which it and the reverb die away."""

Floats = NDArray[np.float32]
_Key = tuple[bool, int, int]  # is_drum, program, pitch

_FULL_RANGE = 96.0  # dB that a decay or release of 100 % falls through
_INAUDIBLE = 80.0  # dB below its own start at which a release is cut
_EMU_ATTENUATION = 0.4  # what the hardware, and so every font, means by one unit
_DRUM_BANK = 128
_CUT_SECONDS = 0.01  # in which a drum falls silent that another one cuts off

_REVERB_SECONDS = 0.9
_REVERB_LEVEL = 0.03  # energy of the echo, of the direct sound's, from 100 to 2000 Hz
_REVERB_BLOCK = 1 << 18


def render_notes(
    fonts: SoundFont | Sequence[SoundFont],
    notes: Sequence[Note],
    sample_rate: int,
    *,
    reverb: bool = True,
    seconds: float = 0.0,
) -> Floats:
    """Sound of `notes`, float32 (samples, 2), not normalised.

    Of several fonts the first one with a note's preset plays it; where none has it, the first one
    with the preset 0 of its bank. It lasts to the end of the last note, or to `seconds` if that is
    later, and `TAIL_SECONDS` more. A key struck again while it sounds is cut off, as a piano's
    hammer does. Drums are silent where there is no drum kit.
    """
    among = [fonts] if isinstance(fonts, SoundFont) else fonts
    length = max([seconds, *(note.end for note in notes)]) + TAIL_SECONDS
    sound = np.zeros((2, round(length * sample_rate)), np.float32)
    by_key: dict[tuple[bool, int, int], list[Note]] = defaultdict(list)
    for note in cut_overlaps(notes):
        by_key[note.is_drum, note.program, note.pitch].append(note)
    presets = {(drum, program): _preset(among, drum, program) for drum, program, _ in by_key}
    zones = {
        (drum, program, key): [
            z for z in presets[drum, program][1] if z.keys[0] <= key <= z.keys[1]
        ]
        for drum, program, key in by_key
    }
    choked = _choked(by_key, zones)
    for (is_drum, program, key), strokes in sorted(by_key.items()):
        font = presets[is_drum, program][0]
        _add_key(sound, font, zones[is_drum, program, key], strokes, choked, sample_rate)
    if reverb and notes:
        _add_reverb(sound, sample_rate)
    return sound.T


def key_sound(
    font: SoundFont, key: int, seconds: float, sample_rate: int, velocity: int = 127
) -> Floats:
    """One key of the font's first preset, held for `seconds`: float32 (samples, 2), dry."""
    note = Note(0.0, seconds, key, velocity)
    return render_notes(font, [note], sample_rate, reverb=False)[: round(seconds * sample_rate)]


def _preset(
    fonts: Sequence[SoundFont], is_drum: bool, program: int
) -> tuple[SoundFont, tuple[Zone, ...]]:
    """The zones for a program and the font they are in, or those of the nearest preset there is."""
    wanted = [(_DRUM_BANK, program), (_DRUM_BANK, 0)] if is_drum else [(0, program), (0, 0)]
    found = ((font, font.zones(*at)) for at in wanted for font in fonts)
    return next(((font, zones) for font, zones in found if zones), (fonts[0], ()))


def _choked(
    by_key: Mapping[_Key, Sequence[Note]], zones: Mapping[_Key, Sequence[Zone]]
) -> dict[Note, float]:
    """When notes are cut off by another of their exclusive class: an open hi-hat by a closed one.

    In seconds; notes of no class, and the last of one, are not in it (section 8.1.2).
    """
    together: dict[tuple[bool, int, float], list[Note]] = defaultdict(list)
    for key, notes in by_key.items():
        named = {zone.amount(Amount.EXCLUSIVE_CLASS) for zone in zones[key]} - {0}
        for name in named:
            together[key[0], key[1], name].extend(notes)
    found = {}
    for notes in together.values():
        starts = sorted({note.start for note in notes})
        for note in notes:
            later = bisect.bisect_right(starts, note.start)
            if later < len(starts):
                found[note] = starts[later]
    return found


class _Source(NamedTuple):
    """What one zone gives to a key before the key is let go: a sample, tuned, shaped, placed."""

    sample: int
    cents: float  # above the pitch at which the sample was recorded
    looped: bool
    moves: tuple[int, ...]  # frames added to start, end, loop start and loop end
    times: tuple[float, float, float, float]  # seconds of delay, attack, hold, decay
    sustain: float  # dB below full that decay settles at
    left: float
    right: float


class _Voice(NamedTuple):
    """Zones of one key and velocity that end alike, so that their sum can be treated as one."""

    sources: tuple[_Source, ...]
    release: float  # seconds from full to nothing
    cutoff: float  # Hz
    resonance: float  # quality factor of the low-pass


def _voices(font: SoundFont, zones: Sequence[Zone], key: int, velocity: int) -> list[_Voice]:
    """What the zones that a key and velocity choose sound like."""
    together: dict[tuple[float, float, float], list[_Source]] = defaultdict(list)
    for zone in zones:
        if zone.sounds(key, velocity):
            release = _seconds(zone.amount(Amount.RELEASE, key, velocity))
            settled = 1 - zone.amount(Amount.MODULATION_SUSTAIN) / 1000
            cents = zone.amount(Amount.FILTER_CUTOFF, key, velocity)
            cents += zone.amount(Amount.MODULATION_TO_FILTER) * min(1.0, max(0.0, settled))
            resonance = zone.amount(Amount.FILTER_RESONANCE, key, velocity) / 10 - 3.01
            how = release, _hertz(cents), 10 ** (resonance / 20)
            together[how].append(_source(font, zone, key))
    return [_Voice(tuple(sources), *how) for how, sources in together.items()]


def _source(font: SoundFont, zone: Zone, key: int) -> _Source:
    sample = font.sample(zone.sample)
    root = zone.amount(Amount.ROOT_KEY)
    fixed = zone.amount(Amount.FIXED_KEY)
    pitch = key if fixed < 0 else fixed
    cents = (pitch - (sample.root if root < 0 else root)) * zone.amount(Amount.SCALE_TUNING)
    cents += 100 * zone.amount(Amount.COARSE_TUNE) + zone.amount(Amount.FINE_TUNE)
    moves = (
        (Amount.START_OFFSET, Amount.START_COARSE),
        (Amount.END_OFFSET, Amount.END_COARSE),
        (Amount.LOOP_START_OFFSET, Amount.LOOP_START_COARSE),
        (Amount.LOOP_END_OFFSET, Amount.LOOP_END_COARSE),
    )
    by_key = ((Amount.HOLD, Amount.KEY_TO_HOLD), (Amount.DECAY, Amount.KEY_TO_DECAY))
    hold, decay = (zone.amount(a) + zone.amount(k) * (60 - pitch) for a, k in by_key)
    angle = (min(500.0, max(-500.0, zone.amount(Amount.PAN))) / 1000 + 0.5) * math.pi / 2
    gain = 10 ** (-_EMU_ATTENUATION * zone.amount(Amount.ATTENUATION) / 200)
    return _Source(
        sample=zone.sample,
        cents=cents + sample.correction,
        looped=zone.amount(Amount.LOOP_MODE) in (1, 3),
        moves=tuple(int(zone.amount(f) + 32768 * zone.amount(c)) for f, c in moves),
        times=(
            _seconds(zone.amount(Amount.DELAY)),
            _seconds(zone.amount(Amount.ATTACK)),
            _seconds(hold),
            _seconds(decay),
        ),
        sustain=min(_FULL_RANGE, max(0.0, zone.amount(Amount.SUSTAIN) / 10)),
        left=gain * math.cos(angle),
        right=gain * math.sin(angle),
    )


def _seconds(time_cents: float) -> float:
    return float(2 ** (time_cents / 1200))


def _hertz(cents: float) -> float:
    return float(440 * 2 ** ((cents - 6900) / 1200))


def _add_key(
    sound: Floats,
    font: SoundFont,
    zones: Sequence[Zone],
    notes: Sequence[Note],
    choked: Mapping[Note, float],
    sample_rate: int,
) -> None:
    """Adds all notes of one key to `sound` (2, samples); `choked` says when some are cut off."""
    key = notes[0].pitch
    voices = {v: _voices(font, zones, key, v) for v in {note.velocity for note in notes}}
    longest: dict[tuple[_Source, ...], float] = defaultdict(float)
    for note in notes:
        for voice in voices[note.velocity]:
            need = note.end - note.start + voice.release
            longest[voice.sources] = max(longest[voice.sources], need)
    struck = {
        sources: _struck(font, sources, math.ceil(need * sample_rate) + 1, sample_rate)
        for sources, need in longest.items()
    }
    for note in notes:
        for voice in voices[note.velocity]:
            cut = choked.get(note, math.inf)
            _add_note(sound, struck[voice.sources], voice, note, cut, sample_rate)


def _struck(font: SoundFont, sources: Sequence[_Source], frames: int, sample_rate: int) -> Floats:
    """The sound of a key that is never let go, float32 (2, at most `frames`)."""
    sound = np.zeros((2, frames), np.float32)
    reached = 0
    for source in sources:
        mono = _resampled(font, source, frames, sample_rate)
        mono *= _envelope(source, len(mono), sample_rate)
        sound[0, : len(mono)] += np.float32(source.left) * mono
        sound[1, : len(mono)] += np.float32(source.right) * mono
        reached = max(reached, len(mono))
    return sound[:, :reached]


def _resampled(font: SoundFont, source: _Source, frames: int, sample_rate: int) -> Floats:
    """A sample at its pitch and the wanted rate, looped; third-order Hermite interpolation."""
    sample = font.sample(source.sample)
    start, end = source.moves[0], len(sample.frames) + source.moves[1]
    first, last = sample.loop[0] + source.moves[2], sample.loop[1] + source.moves[3]
    ratio = 2 ** (source.cents / 1200) * sample.rate / sample_rate
    wanted = math.ceil(frames * ratio) + 4
    line = sample.frames[max(0, start) : end]
    first, last = first - max(0, start), last - max(0, start)
    if source.looped and 0 <= first < last <= len(line):
        turns = max(0, math.ceil((wanted - last) / (last - first)))
        line = np.concatenate([line[:last], *itertools.repeat(line[first:last], turns)])
    line = np.pad(line[:wanted], (1, 3))
    count = min(frames, int((len(line) - 4) / ratio))
    place = np.arange(count) * ratio
    whole = place.astype(np.int32)
    part = (place - whole).astype(np.float32)
    before, here, after, later = (line[whole + k] for k in range(4))
    slope = np.float32(0.5) * (after - before)
    bend = before - np.float32(2.5) * here + np.float32(2) * after - np.float32(0.5) * later
    twist = np.float32(0.5) * (later - before) + np.float32(1.5) * (here - after)
    result: Floats = ((twist * part + bend) * part + slope) * part + here
    return result


def _envelope(source: _Source, frames: int, sample_rate: int) -> Floats:
    """Gain over time while a key is down: delay, attack, hold, decay, sustain (section 8.1.2)."""
    delay, attack, hold, decay = source.times
    # A corner between straight lines is enough: decay is straight in dB, attack in amplitude.
    rise = round((delay + attack) * sample_rate)
    top = rise + round(hold * sample_rate)
    gain = np.ones(frames, np.float32)
    if top < frames:
        seconds = np.arange(frames - top, dtype=np.float32) / np.float32(sample_rate)
        fallen = np.minimum(_FULL_RANGE / decay * seconds, source.sustain)
        gain[top:] = np.exp(fallen * np.float32(-math.log(10) / 20))
    ramp = (np.arange(min(rise, frames)) / sample_rate - delay) / attack
    gain[: len(ramp)] = np.maximum(ramp, 0)
    return gain


def _add_note(
    sound: Floats, struck: Floats, voice: _Voice, note: Note, cut: float, sample_rate: int
) -> None:
    """Adds one note: the struck key, let go, filtered and as loud as its velocity says.

    At `cut` seconds it is silenced, within some milliseconds.
    """
    start = round(note.start * sample_rate)
    held = round((note.end - note.start) * sample_rate)
    falling = math.ceil(voice.release * sample_rate * _INAUDIBLE / _FULL_RANGE)
    fade = round(_CUT_SECONDS * sample_rate)
    length = min(held + falling, struck.shape[1], sound.shape[1] - start)
    if cut < math.inf:
        length = min(length, round(cut * sample_rate) - start + fade)
    if length <= 0:
        return
    tone = struck[:, :length] * np.float32((note.velocity / 127) ** 2)
    if length > held:
        seconds = np.arange(length - held, dtype=np.float32) / np.float32(sample_rate)
        slope = -_FULL_RANGE / voice.release * math.log(10) / 20
        tone[:, held:] *= np.exp(np.float32(slope) * seconds)
    if cut < math.inf:
        last = min(fade, length)
        tone[:, length - last :] *= np.linspace(1, 0, last, dtype=np.float32)
    if voice.cutoff < 0.45 * sample_rate:
        tone = _low_passed(tone, voice.cutoff, voice.resonance, sample_rate)
    sound[:, start : start + length] += tone


def _low_passed(tone: Floats, cutoff: float, resonance: float, sample_rate: int) -> Floats:
    """A two-pole low-pass (R. Bristow-Johnson's cookbook), at `cutoff` Hz."""
    from scipy.signal import sosfilt

    angle = 2 * math.pi * cutoff / sample_rate
    width, cosine = math.sin(angle) / (2 * resonance), math.cos(angle)
    half = (1 - cosine) / 2
    section = np.array([[half, 2 * half, half, 1 + width, -2 * cosine, 1 - width]])
    filtered: Floats = sosfilt((section / (1 + width)).astype(np.float32), tone, axis=1)
    return filtered


def _add_reverb(sound: Floats, sample_rate: int) -> None:
    """Adds a small room to `sound` (2, samples): decaying noise, darker and darker, convolved."""
    from scipy import fft

    echo = _room(sample_rate)
    size = fft.next_fast_len(_REVERB_BLOCK + echo.shape[1], real=True)
    response = fft.rfft(echo, size, axis=1)
    left_over = np.zeros((2, echo.shape[1]), np.float32)
    for at in range(0, sound.shape[1], _REVERB_BLOCK):
        block = sound[:, at : at + _REVERB_BLOCK]
        # Each ear hears some of the other side, as in a room.
        mixed = np.float32(0.75) * block + np.float32(0.25) * block[::-1]
        wet = fft.irfft(fft.rfft(mixed, size, axis=1) * response, size, axis=1)
        width = block.shape[1]
        wet[:, : left_over.shape[1]] += left_over
        block += wet[:, :width]
        left_over = wet[:, width : width + left_over.shape[1]].copy()


def _room(sample_rate: int) -> Floats:
    """The room's impulse response, float32 (2, samples); always the same."""
    from scipy.signal import lfilter

    seconds = np.arange(round(_REVERB_SECONDS * sample_rate)) / sample_rate
    noise = np.random.default_rng(1).standard_normal((2, len(seconds)))
    bright = noise * 10 ** (-3 * seconds / 0.45)  # falls by 60 dB in that many seconds
    warm = lfilter([0.12], [1, -0.88], noise, axis=1) * 3 * 10 ** (-3 * seconds / 0.85)
    echo = bright + warm
    echo[:, : round(0.008 * sample_rate)] = 0  # the direct sound arrives first
    spectrum = np.abs(np.fft.rfft(echo, axis=1)) ** 2
    middle = slice(round(100 * _REVERB_SECONDS), round(2000 * _REVERB_SECONDS))
    echo *= math.sqrt(_REVERB_LEVEL / np.mean(spectrum[:, middle]))
    return np.asarray(echo, np.float32)
