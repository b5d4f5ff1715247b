"""Note sequences to sound, and sound to files.

Two renderers play the same instruments: FluidSynth, where it is installed, and the built-in one.
The piano is assets/piano.sf3; assets/band.sf3 has drums, guitar, bass and strings, for the General
MIDI programs 24 to 55, and everything else is played on the piano. Both give stereo float32 that
lasts `TAIL_SECONDS` longer than the music, so that the last note can die away.

An instrument is as loud in every file: soft music stays soft, and files can be compared. Only what
would peak above -1 dBFS is turned down, as a whole, until it does not.
"""

from __future__ import annotations

import contextlib
import functools
import io
import logging
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyzzicato.errors import RenderingFailed, UnknownName
from pyzzicato.formats.midi import write_midi
from pyzzicato.music.notes import HIGHEST_KEY, Note, NoteSequence
from pyzzicato.render.soundfont import SoundFont
from pyzzicato.render.synth import TAIL_SECONDS, render_notes

__all__ = [
    "FORMATS",
    "PEAK",
    "RENDERERS",
    "TAIL_SECONDS",
    "browser_bank",
    "check_format",
    "encode",
    "has_fluidsynth",
    "headroom",
    "render",
    "render_raw",
    "sound_file",
]

RENDERERS = ("auto", "built-in", "fluidsynth")
FORMATS = ("wav", "flac", "mp3", "ogg")
PEAK = 10 ** (-1 / 20)
"""The loudest that a sample of a rendered piece may be: -1 dBFS."""

Floats = NDArray[np.float32]

# MP3 and Ogg come out near 180 kbit/s.
_ENCODINGS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "wav": {"format": "WAV", "subtype": "PCM_16"},
        "flac": {"format": "FLAC", "subtype": "PCM_16"},
        "mp3": {
            "format": "MP3",
            "subtype": "MPEG_LAYER_III",
            "bitrate_mode": "VARIABLE",
            "compression_level": 0.2,
        },
        "ogg": {"format": "OGG", "subtype": "VORBIS", "compression_level": 0.4},
    }
)
_BLOCK = 1 << 16  # frames written at once: one long write of Vorbis can overflow the stack
_FLUIDSYNTH_GAIN = 1.43  # with which it is as loud as the built-in renderer
_FLUIDSYNTH_SILENCE = 1e-6  # its reverb hums at 9e-8; one key as soft as can be reaches 1.4e-5
_BAND_PROGRAMS = range(24, 56)  # guitars, basses, strings and voices: what band.sf3 has
_LOG = logging.getLogger(__name__)


def render(
    sequence: NoteSequence, sample_rate: int = 44100, renderer: str = "auto"
) -> NDArray[np.float32]:
    """The sound of `sequence`: float32 (samples, 2), peak -1 dBFS at most, silence without notes.

    `sample_rate` is 8,000 to 96,000 Hz (ValueError outside). `renderer` is "built-in",
    "fluidsynth", or "auto": FluidSynth where it is installed and does its work, else built-in.
    Raises UnknownName on another renderer, RenderingFailed where "fluidsynth" cannot play.
    """
    sound = render_raw(sequence, sample_rate, renderer)
    sound *= headroom(sound)
    return sound


def render_raw(
    sequence: NoteSequence, sample_rate: int, renderer: str = "auto", *, seconds: float = 0.0
) -> NDArray[np.float32]:
    """As `render`, but never turned down, so that parts can be added up.

    It lasts as if the music were at least `seconds` long.
    """
    if renderer not in RENDERERS:
        raise UnknownName(f"There is no renderer {renderer!r}: choose {', '.join(RENDERERS)}.")
    if not 8_000 <= sample_rate <= 96_000:
        raise ValueError(f"sample_rate must be 8,000 to 96,000 Hz, not {sample_rate}")
    seconds = max(seconds, sequence.duration)
    if renderer == "fluidsynth" or (renderer == "auto" and has_fluidsynth()):
        try:
            return _with_fluidsynth(sequence, sample_rate, seconds + TAIL_SECONDS)
        except RenderingFailed as failure:
            if renderer == "fluidsynth":
                raise
            _LOG.warning("Using the built-in renderer: %s", failure)
    return render_notes(_fonts(sequence), sequence.notes, sample_rate, seconds=seconds)


def has_fluidsynth() -> bool:
    """Whether the FluidSynth program is installed."""
    return shutil.which("fluidsynth") is not None


def sound_file(sequence: NoteSequence, format: str, renderer: str = "auto") -> bytes:
    """`sequence` as the bytes of a sound file of 44.1 kHz; errors as `render` and `encode`."""
    check_format(format)
    return encode(render(sequence, renderer=renderer), 44100, format)


def check_format(format: str) -> str:
    """`format` in small letters without a dot; raises UnknownName where it is not in FORMATS."""
    name = format.lower().removeprefix(".")
    if name not in FORMATS:
        raise UnknownName(f"There is no sound format {format!r}: choose {', '.join(FORMATS)}.")
    return name


def encode(samples: NDArray[np.floating[Any]], sample_rate: int, format: str) -> bytes:
    """`samples` (frames,) or (frames, channels), -1 to 1, as WAV, FLAC (16 bits), MP3 or Ogg.

    Raises UnknownName on another format, RenderingFailed where the format cannot hold the sound.
    """
    import soundfile

    encoding = _ENCODINGS[check_format(format)]
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    buffer = io.BytesIO()
    try:
        with soundfile.SoundFile(buffer, "w", sample_rate, channels, **encoding) as file:
            for start in range(0, len(samples), _BLOCK):
                file.write(samples[start : start + _BLOCK])
    except (soundfile.SoundFileError, ValueError):
        raise RenderingFailed(
            f"Sound of {sample_rate} Hz with {channels} channels cannot be saved as {format}: "
            "use WAV, or 44100 Hz in stereo."
        ) from None
    return buffer.getvalue()


def browser_bank() -> bytes:
    """The piano for the browser's WebAudio; tools/carve_soundfont.py describes its format."""
    return resources.files("pyzzicato").joinpath("assets/piano-bank.bin").read_bytes()


def _fonts(sequence: NoteSequence) -> tuple[SoundFont, ...]:
    """The fonts that `sequence` needs; the first that has a preset plays it."""
    return tuple(_font(name) for name in _font_names(sequence))


def _font_names(sequence: NoteSequence) -> tuple[str, ...]:
    """The band is there only where it plays, so that piano music costs what it did."""
    band = any(note.is_drum or note.program in _BAND_PROGRAMS for note in sequence)
    return ("piano.sf3", "band.sf3") if band else ("piano.sf3",)


@functools.lru_cache(maxsize=2)
def _font(name: str) -> SoundFont:
    """A font, kept with the samples that were decoded so far (16 MB the piano, 40 MB the band)."""
    with resources.as_file(_font_file(name)) as path:
        return SoundFont.read(path)


def _font_file(name: str) -> Any:
    return resources.files("pyzzicato").joinpath("assets", name)


def headroom(*sounds: Floats) -> np.float32:
    """What `sounds` are multiplied with so that none peaks above -1 dBFS: 1 where none does."""
    peak = max((float(max(sound.max(), -sound.min())) for sound in sounds), default=0.0)
    return np.float32(PEAK / max(peak, PEAK))


def _with_fluidsynth(sequence: NoteSequence, sample_rate: int, seconds: float) -> Floats:
    """`sequence` played by FluidSynth: float32 (samples, 2) of `seconds`."""
    import soundfile

    try:
        with contextlib.ExitStack() as stack:
            names = _font_names(sequence)
            fonts = [stack.enter_context(resources.as_file(_font_file(name))) for name in names]
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pyzzicato-"))
            midi, wave = Path(folder, "music.mid"), Path(folder, "music.wav")
            midi.write_bytes(write_midi(sequence))
            _run_fluidsynth(fonts, midi, wave, sample_rate, timeout=20 + seconds / 2)
            played, _ = soundfile.read(wave, dtype="float32", always_2d=True)
    except (OSError, soundfile.SoundFileError):
        raise RenderingFailed(
            "FluidSynth wrote no sound that can be read: make room on the disk, "
            "or choose the built-in renderer."
        ) from None
    sound = np.zeros((round(seconds * sample_rate), 2), np.float32)
    if np.abs(played).max(initial=0) > _FLUIDSYNTH_SILENCE:
        length = min(len(sound), len(played))
        sound[:length] = played[:length]
    elif any(_audible(note) for note in sequence):
        raise RenderingFailed("FluidSynth stayed silent: choose the built-in renderer.")
    return sound


def _audible(note: Note) -> bool:
    """Whether the fonts certainly have a sound for it."""
    if note.is_drum:
        return 35 <= note.pitch <= 81  # General MIDI's percussion
    return note.pitch <= (84 if note.program in _BAND_PROGRAMS else HIGHEST_KEY)


def _run_fluidsynth(
    fonts: Sequence[Path], midi: Path, wave: Path, rate: int, timeout: float
) -> None:
    """midi2audio's FluidSynth, with what it lacks: a time limit, exit codes, headroom, quiet."""
    from midi2audio import FluidSynth

    found = shutil.which("fluidsynth")
    if found is None:
        raise RenderingFailed(
            "FluidSynth is not installed: install it, or choose the built-in renderer."
        )
    command: str = found

    class Checked(FluidSynth):  # type: ignore[misc]
        def midi_to_audio(self, midi_file: str, audio_file: str) -> None:
            quiet = ["-ni", "-q", "-g", str(_FLUIDSYNTH_GAIN), "-C", "no"]
            output = ["-r", str(self.sample_rate), "-O", "float", "-T", "wav", "-F", audio_file]
            subprocess.run(
                [command, *quiet, *output, *map(str, fonts), midi_file],
                check=True,
                timeout=timeout,
                stdin=subprocess.DEVNULL,
                capture_output=True,
            )

    try:
        Checked(str(fonts[0]), rate).midi_to_audio(str(midi), str(wave))
    except subprocess.TimeoutExpired:
        raise RenderingFailed(
            f"FluidSynth did not finish within {timeout:.0f} seconds: choose the built-in renderer."
        ) from None
    except subprocess.CalledProcessError as error:
        raise RenderingFailed(
            f"FluidSynth stopped with exit code {error.returncode}: choose the built-in renderer."
        ) from None
