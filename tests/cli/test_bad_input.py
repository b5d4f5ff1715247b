"""What can go wrong through no fault of ours: each gets one clear sentence, and nothing is lost.

The tables hold the sentence that a person reads; the app, Python and the command line say the
same.
"""

import errno
import os
import struct
import subprocess
import sys
from pathlib import Path

import mido
import pytest
from streamlit.testing.v1 import AppTest

import pyzzicato
from pyzzicato.cli import main as cli
from pyzzicato.errors import (
    RenderingFailed,
    SavingFailed,
    UnreadableMusic,
)
from pyzzicato.formats.midi import piano_part, read_music, write_midi
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.render import audio
from pyzzicato.render import files as saving
from tests.small_model import make_model
from tests.ui.visits import compose, open_app, problems, upload, view_of, words

NOCTURNE = "chopin-nocturne-op-9-no-2"
TUNE = NoteSequence(tuple(Note(i / 2, i / 2 + 0.4, 60 + i) for i in range(8)))


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one good model, which the app, Python and the command line look into."""
    make_model(tmp_path / "models" / "small", title="Small")
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def bomb() -> bytes:
    """44 bytes of MIDI whose one note would end after 600 hours."""
    track = b"\x00\x90\x3c\x50" + b"\xff\xff\xff\x7f\x80\x3c\x00" + b"\x00\xff\x2f\x00"
    track = b"\x00\xff\x51\x03\xff\xff\xff" + track
    return (
        b"MThd"
        + struct.pack(">IHHH", 6, 0, 1, 24)
        + b"MTrk"
        + struct.pack(">I", len(track))
        + track
    )


def without_notes() -> bytes:
    import io

    file = mido.MidiFile(tracks=[mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=500_000)])])
    buffer = io.BytesIO()
    file.save(file=buffer)
    return buffer.getvalue()


def drums() -> bytes:
    return write_midi(NoteSequence(tuple(n._replace(is_drum=True) for n in TUNE)))


MIDI = write_midi(TUNE)
ABC = "X:1\nT:Ours\nL:1/8\nK:D\n|:d2 fd ABd2|e2 ge [ce]2 A2:|\n"
UPLOADS: dict[str, tuple[str, bytes, str]] = {
    "empty": (
        "tune.mid",
        b"",
        "This file is empty: choose a MIDI or ABC file that holds music.",
    ),
    "huge": (
        "tune.mid",
        MIDI + bytes(1_100_000),
        "This file is larger than 1 MB: choose a shorter piece.",
    ),
    "cut off": (
        "tune.mid",
        MIDI[:45],
        "This MIDI file is cut off before its end: export or download it again.",
    ),
    "corrupt": (
        "tune.mid",
        MIDI.replace(b"\x90", b"\xf4"),
        "This MIDI file is damaged: export or download it again.",
    ),
    "no notes": (
        "tune.mid",
        without_notes(),
        "There are no notes in this file: choose one that holds music.",
    ),
    "drums only": (
        "tune.mid",
        drums(),
        "There are only drums in this file: choose one with pitched notes.",
    ),
    "44 bytes that ask for weeks": (
        "tune.mid",
        bomb(),
        "This file is longer than 30 minutes: choose a shorter piece.",
    ),
    "text named like MIDI": (
        "poem.mid",
        b"Shall I compare thee to a summer's day?",
        "This is a text file named like MIDI: export the music as MIDI and choose that file.",
    ),
    "a recording": (
        "tune.wav",
        b"RIFF\x24\x00\x00\x00WAVEfmt ",
        "This is a sound recording, not notes: choose a MIDI or ABC file.",
    ),
    "an archive": (
        "tune.mxl",
        b"PK\x03\x04" + bytes(40),
        "This is a ZIP archive or compressed score: unpack it and choose a MIDI or ABC file.",
    ),
    "a web page": (
        "tune.html",
        b"<!doctype html><title>x</title>",
        "This file is XML or a web page: export the music as MIDI and choose that file.",
    ),
    "a picture": (
        "tune.png",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        "This file is neither MIDI nor ABC: choose one that ends in .mid or .abc.",
    ),
    "nothing on the piano": (
        "tune.mid",
        write_midi(NoteSequence((Note(0, 1, 5), Note(1, 2, 120)))),
        "No note here is on a piano's keys: choose music for the piano.",
    ),
    "ABC that is none": (
        "tune.abc",
        b"X:1\nK:D\nABc | <> |\n",
        "Line 3 of the ABC text: “<” has to stand between two notes.",
    ),
    "ABC cut off in a chord": (
        "tune.abc",
        ABC[: ABC.index("ce]") + 2].encode(),
        "Line 5 of the ABC text: “[ce” is not understood.",
    ),
    "ABC cut off in its header": (
        "tune.abc",
        ABC[:20].encode(),
        "The ABC text holds no notes to play.",
    ),
    "long ABC": (
        "tune.abc",
        (ABC + "d2 fd ABd2|\n" * 10_000).encode(),
        "The ABC tune is larger than 100 kB; give a shorter one.",
    ),
    "megabytes of ABC": (
        "tune.abc",
        (ABC + "d2 fd ABd2|\n" * 200_000).encode(),
        "This file is larger than 1 MB: choose a shorter piece.",
    ),
}

every_upload = pytest.mark.parametrize(
    ("name", "data", "sentence"), list(UPLOADS.values()), ids=list(UPLOADS)
)


def test_the_bomb_is_as_small_as_they_come() -> None:
    assert len(bomb()) == 44


@every_upload
def test_an_upload_in_the_app(models: Path, name: str, data: bytes, sentence: str) -> None:
    app = open_app(seconds="5")
    upload(app, name, data)
    assert problems(app) == [sentence]
    assert view_of(app).start.id == NOCTURNE  # what was chosen before is still there
    assert len(compose(app).takes[0]) > 0
    assert problems(app) == []


@every_upload
def test_a_file_in_python(name: str, data: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableMusic) as raised:
        piano_part(read_music(data, name))
    assert str(raised.value) == sentence


@every_upload
def test_a_file_on_the_command_line(
    models: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    data: bytes,
    sentence: str,
) -> None:
    (tmp_path / name).write_bytes(data)
    out = tmp_path / "out.mid"
    code = cli.main(["compose", "--seed", str(tmp_path / name), "-o", str(out)])
    assert code == 1
    assert capsys.readouterr().err == f"pyzzicato: {sentence}\n"
    assert not out.exists()


MENDED: dict[str, tuple[bytes, str]] = {
    "cut off": (MIDI[:-20], "it breaks off in the midst"),
    "corrupt": (
        MIDI[:22] + b"\x00\xf4\xff\xff" + MIDI[26:],
        "a track can be read only in part",
    ),
    "a track that is not there": (
        MIDI[:10] + struct.pack(">H", 3) + MIDI[12:],
        "it has fewer tracks than it says",
    ),
}
every_mended = pytest.mark.parametrize(("data", "what"), list(MENDED.values()), ids=list(MENDED))


@every_mended
def test_what_was_mended_is_said_in_the_app(models: Path, data: bytes, what: str) -> None:
    app = open_app(seconds="5")
    upload(app, "tune.mid", data)
    assert problems(app) == []
    assert words(app).count(f"This MIDI file was mended: {what}.") == 1
    assert view_of(app).start.title == "tune.mid"
    assert len(compose(app).takes[0]) > 0


@every_mended
def test_what_was_mended_is_said_in_python(
    models: Path, tmp_path: Path, data: bytes, what: str
) -> None:
    (tmp_path / "tune.mid").write_bytes(data)
    made = pyzzicato.compose(seed=tmp_path / "tune.mid", seconds=5)
    assert isinstance(made, pyzzicato.Composition)
    assert made.said == (f"This MIDI file was mended: {what}.",)
    assert set(made.seed) <= set(TUNE)
    assert pyzzicato.compose(seed=TUNE, seconds=5).said == ()


@every_mended
@pytest.mark.parametrize("command", ["compose", "render"])
def test_what_was_mended_is_said_on_the_command_line(
    models: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
    data: bytes,
    what: str,
) -> None:
    given, out = tmp_path / "tune.mid", tmp_path / "out.mid"
    given.write_bytes(data)
    asked = ["--seed", str(given), "--seconds", "5"] if command == "compose" else [str(given)]
    assert cli.main([command, *asked, "-o", str(out)]) == 0
    assert capsys.readouterr().err == f"pyzzicato: This MIDI file was mended: {what}.\n"
    assert out.exists()


LINKS: dict[str, tuple[dict[str, str], str]] = {
    "model": (
        {"model": "nobody"},
        "This link asks for a model that is not here, “nobody”: Small is chosen instead.",
    ),
    "composer": (
        {"composer": "<b>Zappa</b>"},
        "This link asks for a composer that is not here, “<b>Zappa</b>”: choose one below.",
    ),
    "composer whom the model does not know": (
        {"composer": "satie"},
        "The model Small was not taught Satie: choose another composer.",
    ),
    "seed": (
        {"seed": "../../etc/passwd"},
        "This link asks for a seed that is not here, “../../etc/passwd”: choose one below.",
    ),
    "somebody's file": (
        {"seed": "upload"},
        "This link was made with a file that only its maker has: choose a seed to start from.",
    ),
    "somebody's piece": (
        {"seed": "result"},
        "This link continues a piece that only its maker has: choose a seed to start from.",
    ),
    "too wild": (
        {"temperature": "99"},
        "Wildness cannot be '99': choose a value from 0.3 to 1.5. "
        "This link gets the usual value instead.",
    ),
    "too long": (
        {"seconds": "1e9"},
        "Length cannot be '1e9': choose a value from 5 to 300 seconds. "
        "This link gets the usual value instead.",
    ),
    "not a number": (
        {"seconds": "nan"},
        "Length cannot be 'nan': choose a value from 5 to 300 seconds. "
        "This link gets the usual value instead.",
    ),
    "not a whole number": (
        {"rng_seed": "dice"},
        "Dice cannot be 'dice': choose a value from 0 to 2147483647. "
        "This link gets the usual value instead.",
    ),
    "not a choice": (
        {"keys": "all"},
        "How keys are chosen cannot be 'all': choose one of sample, automatic, threshold. "
        "This link gets the usual value instead.",
    ),
    "too many takes": (
        {"takes": "1000"},
        "Takes cannot be '1000': choose a value from 1 to 10. "
        "This link gets the usual value instead.",
    ),
}


@pytest.mark.parametrize(("link", "sentence"), list(LINKS.values()), ids=list(LINKS))
def test_a_link(models: Path, link: dict[str, str], sentence: str) -> None:
    app = open_app(**link)
    assert problems(app) == [sentence]
    assert "Nocturne in E-flat major, op. 9 no. 2" in words(app)
    assert not app.button(key="compose").disabled
    compose(app)
    assert problems(app) == []


def test_what_a_link_has_besides_is_not_minded(models: Path) -> None:
    assert problems(open_app(utm_source="letter", seconds="20")) == []


def test_without_fluidsynth_the_built_in_renderer_plays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert not audio.has_fluidsynth()
    assert audio.sound_file(TUNE, "wav").startswith(b"RIFF")
    with pytest.raises(RenderingFailed) as raised:
        audio.render(TUNE, renderer="fluidsynth")
    assert str(raised.value) == (
        "FluidSynth is not installed: install it, or choose the built-in renderer."
    )


def test_a_full_disk_while_saving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.mid"
    path.write_bytes(b"what was there before")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SavingFailed) as raised:
        saving.save(path, TUNE, NoteSequence())
    assert str(raised.value) == (
        f"{path} was not saved, the disk is full: make room, then save again."
    )
    assert path.read_bytes() == b"what was there before"
    assert list(tmp_path.iterdir()) == [path]


def test_without_chromium_the_browser_tests_say_so(project: Path) -> None:
    path = os.fspath(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": path, "CHROMIUM": ""}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-rs",
        "tests/ui/test_browser.py",
        "-k",
        "upload",
    ]
    run = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stdout
    assert "no chromium on this machine: the app is not tested in a browser" in run.stdout


def test_the_app_goes_on_after_a_bug_in_a_model(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyzzicato.composition.job import BROKEN
    from pyzzicato.families.piano_roll.generate import RollGenerator

    def broken(*_: object) -> object:
        raise ZeroDivisionError("a bug")

    app: AppTest = open_app(seconds="5")
    with monkeypatch.context() as patch:
        patch.setattr(RollGenerator, "generate", broken)
        compose(app)
        assert problems(app) == [BROKEN]
    assert len(compose(app).takes[0]) > 0
    assert problems(app) == []
