"""Rendering and sound files, by both renderers."""

from __future__ import annotations

import io
import logging
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from pyzzicato.errors import RenderingFailed, UnknownName
from pyzzicato.music.instruments import parts_of
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.render import audio
from pyzzicato.render.synth import TAIL_SECONDS
from tests.small_band import band_piece

RATE = 22050
CHORD = NoteSequence((Note(0, 1, 48), Note(0, 1, 64), Note(0.25, 1, 67)))

needs_fluidsynth = pytest.mark.skipif(
    shutil.which("fluidsynth") is None,
    reason="FluidSynth is not installed: install it to hear both renderers compared",
)


def piece() -> NoteSequence:
    """Twelve seconds of our own: a bass, broken chords and a tune, soft to loud."""
    rng = np.random.default_rng(5)
    notes = []
    for bar, root in enumerate((45, 41, 48, 43, 45, 38)):
        notes.append(Note(2 * bar, 2 * bar + 1.9, root - 12, 60 + 8 * bar))
        for beat in range(8):
            start = 2 * bar + beat / 4
            pitch = root + (0, 7, 12, 16)[beat % 4] + 12 * (beat // 6)
            velocity = int(rng.integers(25, 110))
            notes.append(Note(start, start + float(rng.uniform(0.1, 0.9)), pitch, velocity))
            notes.append(Note(start, start + 0.3, root + 31 + (beat * 5) % 12, 40 + 10 * beat))
    return NoteSequence(tuple(notes))


def log_spectrum(sound: NDArray[np.float32]) -> NDArray[np.float64]:
    """Decibels in 80 mel bands (50-10,000 Hz), every 23 ms, from 60 dB below the loudest up."""
    power = librosa.feature.melspectrogram(
        y=sound.mean(axis=1), sr=RATE, n_fft=2048, hop_length=512, n_mels=80, fmin=50, fmax=10_000
    )
    return np.asarray(librosa.power_to_db(power, ref=np.max, top_db=60), np.float64)


def brightness(sound: NDArray[np.float32]) -> float:
    """The share of energy above 2 kHz."""
    energy = np.abs(np.fft.rfft(sound.mean(axis=1))) ** 2
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    return float(energy[hertz > 2000].sum() / energy.sum())


@pytest.fixture(
    params=["built-in", pytest.param("fluidsynth", marks=needs_fluidsynth)], name="renderer"
)
def each_renderer(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="pretend")
def pretended_fluidsynth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a shell script in FluidSynth's place, and temporary files into `tmp_path`/temp."""

    def place(script: str) -> None:
        program = tmp_path / "fluidsynth"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(shutil, "which", lambda name: str(program))

    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    return place


def alike(music: NoteSequence) -> float:
    """How far the log spectra of both renderers correlate."""
    ours, theirs = (
        log_spectrum(audio.render(music, RATE, renderer)) for renderer in ("built-in", "fluidsynth")
    )
    return float(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1])


@needs_fluidsynth
def test_both_renderers_sound_alike() -> None:
    assert alike(piece()) >= 0.95


@needs_fluidsynth
def test_both_renderers_sound_alike_in_a_band() -> None:
    assert alike(band_piece()) >= 0.95  # 0.98 when it was written


@needs_fluidsynth
@pytest.mark.parametrize(("name", "least"), [("Drums", 0.9), ("Guitar", 0.9), ("Strings", 0.9)])
def test_both_renderers_sound_alike_on_each_instrument(name: str, least: float) -> None:
    assert alike(parts_of(band_piece(3))[name]) >= least


def test_the_comparison_of_renderers_can_fail() -> None:
    right = log_spectrum(audio.render(piece(), RATE, "built-in"))
    wrong = log_spectrum(audio.render(piece().transpose(1), RATE, "built-in"))
    assert np.corrcoef(right.ravel(), wrong.ravel())[0, 1] < 0.95


def decibels(sound: NDArray[np.float32]) -> float:
    """The loudest sample, in decibels below full scale."""
    return float(20 * np.log10(np.abs(sound).max()))


def loudness(sound: NDArray[np.float32]) -> float:
    """The root of the mean square, in decibels below full scale."""
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64))))


def test_sound_lasts_as_long_as_the_music(renderer: str) -> None:
    sound = audio.render(CHORD, RATE, renderer)
    assert sound.dtype == np.float32
    assert sound.shape == (round((1 + TAIL_SECONDS) * RATE), 2)


def struck(velocity: int, *pitches: int) -> NoteSequence:
    return NoteSequence(tuple(Note(0, 2, pitch, velocity) for pitch in pitches))


@pytest.mark.parametrize("format", ["wav", "mp3"])
def test_a_file_of_soft_music_is_soft_and_one_of_loud_music_loud(
    renderer: str, format: str
) -> None:
    loudest = struck(127, 28, 36, 40, 48, 52, 60, 64, 67, 72, 76)
    music = (struck(3, 60), struck(40, 60), struck(80, 60), loudest)
    heard = [
        loudness(soundfile.read(io.BytesIO(audio.sound_file(each, format, renderer)))[0])
        for each in music
    ]
    hardly, soft, usual, loud = heard
    assert hardly < soft - 30
    assert soft == pytest.approx(usual - 40 * np.log10(80 / 40), abs=1)
    assert loud > usual + 5


def test_only_what_would_be_too_loud_is_turned_down(renderer: str) -> None:
    usual = struck(80, 60, 64, 67)
    assert np.array_equal(
        audio.render(usual, RATE, renderer), audio.render_raw(usual, RATE, renderer)
    )
    loudest = struck(127, *range(30, 90, 4))
    raw = audio.render_raw(loudest, RATE, renderer)
    assert decibels(raw) > 0
    sound = audio.render(loudest, RATE, renderer)
    assert decibels(sound) == pytest.approx(-1, abs=0.01)
    assert np.allclose(sound, raw * (audio.PEAK / np.abs(raw).max()), atol=1e-6)


def test_a_usual_piece_is_neither_faint_nor_at_the_limit(renderer: str) -> None:
    for music in (piece(), band_piece()):
        sound = audio.render(music, RATE, renderer)
        assert -33 < loudness(sound) < -13
        assert -20 < decibels(sound) <= -0.99


@needs_fluidsynth
@pytest.mark.parametrize("music", [piece(), band_piece(), struck(20, 60), struck(80, 40, 76)])
def test_both_renderers_are_equally_loud(music: NoteSequence) -> None:
    ours, theirs = (
        loudness(audio.render_raw(music, RATE, name)) for name in ("built-in", "fluidsynth")
    )
    assert ours == pytest.approx(theirs, abs=1.5)


def test_music_without_notes_is_silence(renderer: str) -> None:
    sound = audio.render(NoteSequence(), RATE, renderer)
    assert sound.shape == (round(TAIL_SECONDS * RATE), 2)
    assert not sound.any()


def test_drums_are_heard(renderer: str) -> None:
    drums = NoteSequence((Note(0, 0.1, 38, is_drum=True),))
    sound = np.abs(audio.render(drums, RATE, renderer))
    assert sound[: RATE // 10].max() > 0.05
    assert sound[RATE:].max() < 0.02 * sound.max()


def test_a_closed_hi_hat_silences_an_open_one(renderer: str) -> None:
    """The open one rings for a second by itself; it is heard alone in the first half second."""
    ringing = NoteSequence((Note(0, 0.1, 46, 110, is_drum=True),))
    cut = ringing.merge([Note(0.25, 0.3, 42, 1, is_drum=True)])
    free, stopped = (
        audio.render_raw(music, RATE, renderer, seconds=0.5)[RATE // 3 : RATE // 2]
        for music in (ringing, cut)
    )
    assert np.sqrt(np.mean(stopped**2)) < 0.3 * np.sqrt(np.mean(free**2))


@pytest.mark.parametrize(("program", "like"), [(29, 25), (38, 33), (44, 48), (53, 48)])
def test_programs_of_one_group_sound_alike(renderer: str, program: int, like: int) -> None:
    music = (NoteSequence(tuple(n._replace(program=p) for n in CHORD)) for p in (program, like, 0))
    played, meant, piano = (audio.render(each, RATE, renderer).ravel() for each in music)
    assert np.corrcoef(played, meant)[0, 1] > 0.99
    assert np.corrcoef(played, piano)[0, 1] < 0.6


def test_music_for_the_piano_needs_no_other_font(monkeypatch: pytest.MonkeyPatch) -> None:
    before = audio.render(CHORD, RATE, "built-in")
    shipped = audio._font_file
    monkeypatch.setattr(audio, "_font_file", lambda name: {"piano.sf3": shipped(name)}[name])
    audio._font.cache_clear()
    assert np.array_equal(audio.render(CHORD, RATE, "built-in"), before)


def test_another_program_is_played_on_the_piano(renderer: str) -> None:
    flute = NoteSequence(tuple(note._replace(program=73) for note in CHORD))
    played, meant = (audio.render(music, RATE, renderer) for music in (flute, CHORD))
    assert np.corrcoef(played.ravel(), meant.ravel())[0, 1] > 0.99


def test_the_music_is_heard_at_its_time_and_dies_away(renderer: str) -> None:
    sound = np.abs(audio.render(NoteSequence((Note(1, 2, 60),)), RATE, renderer))
    assert sound[: round(0.95 * RATE)].max() < 1e-4 * sound.max()
    assert sound[RATE : round(1.2 * RATE)].max() == sound.max()
    assert sound[-round(0.1 * RATE) :].max() < 0.002 * sound.max()


@pytest.mark.parametrize("pitch", [28, 45, 60, 76, 93])
def test_a_key_sounds_at_its_pitch(renderer: str, pitch: int) -> None:
    sound = audio.render(NoteSequence((Note(0, 2, pitch),)), RATE, renderer)
    energy = np.abs(np.fft.rfft(sound.mean(axis=1)))
    hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
    tone = 440 * 2 ** ((pitch - 69) / 12)
    # A bass string's second partial may be louder than its first, so look near each.
    near = np.abs(np.log2(hertz[1:] / tone) * 12) < 0.5
    found = hertz[1:][near][np.argmax(energy[1:][near])]
    assert abs(np.log2(found / tone)) * 1200 < 25
    between = np.abs(np.log2(hertz[1:] / tone) * 12 - 3) < 0.5
    assert energy[1:][near].max() > 3 * energy[1:][between].max()


def test_velocity_changes_loudness_and_brightness(renderer: str) -> None:
    pair = NoteSequence((Note(0, 1, 55, 110), Note(3, 4, 55, 30)))
    sound = audio.render(pair, RATE, renderer)
    loud, soft = sound[:RATE], sound[3 * RATE : 4 * RATE]
    ratio = 20 * np.log10(np.abs(loud).max() / np.abs(soft).max())
    assert ratio == pytest.approx(40 * np.log10(110 / 30), abs=2)
    assert brightness(loud) > 1.2 * brightness(soft)


def test_the_sound_is_stereo() -> None:
    sound = audio.render(NoteSequence((Note(0, 1, 60),)), RATE, "built-in")
    assert np.corrcoef(sound[:, 0], sound[:, 1])[0, 1] < 0.98


def test_the_same_music_gives_the_same_sound() -> None:
    assert np.array_equal(
        audio.render(piece(), RATE, "built-in"), audio.render(piece(), RATE, "built-in")
    )


def test_a_key_struck_again_cuts_itself_off() -> None:
    overlapping = NoteSequence((Note(0, 2, 60), Note(1, 2, 60)))
    meeting = NoteSequence((Note(0, 1, 60), Note(1, 2, 60)))
    assert np.array_equal(
        audio.render(overlapping, RATE, "built-in"), audio.render(meeting, RATE, "built-in")
    )


@pytest.mark.parametrize("format", audio.FORMATS)
def test_files_hold_the_sound(format: str) -> None:
    sound = audio.render(CHORD, 44100, "built-in")
    data = audio.encode(sound, 44100, format)
    back, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    assert (rate, back.shape) == (44100, sound.shape)
    assert soundfile.info(io.BytesIO(data)).format == format.upper()
    tolerance = 1e-4 if format in ("wav", "flac") else 0.02
    assert np.sqrt(np.mean((back - sound) ** 2)) < tolerance


def test_compressed_files_are_small() -> None:
    sizes = {name: len(audio.sound_file(CHORD, name, "built-in")) for name in audio.FORMATS}
    assert sizes["flac"] < sizes["wav"] / 2
    assert max(sizes["mp3"], sizes["ogg"]) < sizes["wav"] / 5


def test_unknown_names_are_told() -> None:
    with pytest.raises(UnknownName, match="wav, flac, mp3, ogg"):
        audio.encode(np.zeros((10, 2), np.float32), RATE, "aiff")
    with pytest.raises(UnknownName, match="wav, flac, mp3, ogg"):
        audio.sound_file(CHORD, "xm")
    with pytest.raises(UnknownName, match="auto, built-in, fluidsynth"):
        audio.render(CHORD, RATE, "timidity")
    with pytest.raises(ValueError, match="sample_rate"):
        audio.render(CHORD, 100)


def test_a_rate_that_a_format_cannot_hold_is_told() -> None:
    with pytest.raises(RenderingFailed, match="use WAV, or 44100 Hz"):
        audio.encode(np.zeros((10, 2), np.float32), 12345, "mp3")


def test_formats_are_known_in_capitals_and_with_a_dot() -> None:
    assert audio.check_format(".WAV") == "wav"


def test_without_fluidsynth_the_built_in_renderer_plays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert not audio.has_fluidsynth()
    built_in = audio.render(CHORD, RATE, "built-in")
    assert np.array_equal(audio.render(CHORD, RATE), built_in)
    with pytest.raises(RenderingFailed, match="not installed: install it, or choose"):
        audio.render(CHORD, RATE, "fluidsynth")


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("exit 3", "exit code 3"),
        ("exit 0", "wrote no sound that can be read"),
        ('while [ "$1" != -F ]; do shift; done; echo hello > "$2"', "no sound that can be read"),
    ],
)
def test_where_fluidsynth_fails_the_built_in_renderer_plays(
    pretend: Callable[[str], None],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    script: str,
    sentence: str,
) -> None:
    pretend(script)
    with pytest.raises(RenderingFailed, match=sentence):
        audio.render(CHORD, RATE, "fluidsynth")
    with caplog.at_level(logging.WARNING):
        sound = audio.render(CHORD, RATE)
    assert sentence in caplog.text
    assert np.array_equal(sound, audio.render(CHORD, RATE, "built-in"))
    assert not list((tmp_path / "temp").iterdir())


def test_a_silent_fluidsynth_is_a_failure(
    pretend: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend("unused")

    def silence(command: list[str], **_: Any) -> None:
        soundfile.write(command[command.index("-F") + 1], np.zeros((9, 2)), RATE)

    monkeypatch.setattr(subprocess, "run", silence)
    with pytest.raises(RenderingFailed, match="stayed silent"):
        audio.render(CHORD, RATE, "fluidsynth")


def test_a_hanging_fluidsynth_is_stopped(
    pretend: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pretend("exec sleep 60")
    run = subprocess.run
    monkeypatch.setattr(
        subprocess, "run", lambda *args, **options: run(*args, **{**options, "timeout": 0.2})
    )
    with pytest.raises(RenderingFailed, match="did not finish"):
        audio.render(CHORD, RATE, "fluidsynth")
    assert not list((tmp_path / "temp").iterdir())


def test_a_full_disk_is_told(
    pretend: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend("exit 0")

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RenderingFailed, match="make room on the disk"):
        audio.render(CHORD, RATE, "fluidsynth")
    assert np.array_equal(audio.render(CHORD, RATE), audio.render(CHORD, RATE, "built-in"))
