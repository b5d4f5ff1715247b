"""The command line: what it writes, says and returns; every mistake is one plain line."""

import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import soundfile

import pyzzicato
from pyzzicato import registry
from pyzzicato.cli.main import main
from pyzzicato.composition import order as composition
from pyzzicato.families.piano_roll.generate import RollControls
from pyzzicato.formats.midi import read_midi, write_midi
from pyzzicato.generation.controls import declared
from pyzzicato.generation.generator import Step
from pyzzicato.music.composers import COMPOSERS
from pyzzicato.music.notes import Note, NoteSequence, counted
from pyzzicato.seeds.library import all_seeds, seeds_by

TUNE = NoteSequence(tuple(Note(n / 4, n / 4 + 0.25, 60 + n % 5, 70) for n in range(24)))
FIRST = next(iter(registry.models().values()))
ROLL = next(i for i in registry.models().values() if i.controls is RollControls)
STRANGER = next(c.id for c in COMPOSERS if c.id not in FIRST.composers)


def compose(*more: str | Path) -> int:
    return main(["compose", "--seconds", "5", *map(str, more)])


@pytest.fixture
def tune(tmp_path: Path) -> Path:
    path = tmp_path / "tune.mid"
    path.write_bytes(write_midi(TUNE))
    return path


def test_compose_writes_what_python_composes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mid"
    assert compose("--composer", "bach", "--rng-seed", "7", "-o", out) == 0
    piece = composition.compose("bach", seconds=5, rng_seed=7)
    assert out.read_bytes() == piece.save(tmp_path / "same.mid").read_bytes()
    shown = capsys.readouterr()
    assert shown.out == f"{out}: {piece.title}, {counted(len(piece.continuation), 'new note')}\n"
    assert shown.err == "", "no progress where nobody watches"


@pytest.mark.parametrize("ending", [".wav", ".mp3", ".png"])
def test_compose_writes_sound_and_pictures(tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"out{ending}"
    assert compose("--seed", "none", "-o", out) == 0
    if ending == ".png":
        assert out.read_bytes().startswith(b"\x89PNG")
    else:
        assert 5 < soundfile.info(out).duration < 12


def test_several_takes_are_several_files(tmp_path: Path) -> None:
    assert compose("--takes", "2", "-o", tmp_path / "out.mid") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out-1.mid", "out-2.mid"]
    one, two = (read_midi(tmp_path / f"out-{number}.mid") for number in (1, 2))
    assert one != two


def test_the_report_says_everything_a_script_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mid"
    assert compose("--composer", "chopin", "--takes", "2", "--json", "-o", out) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["settings"]["seed"] == seeds_by("chopin")[0].id
    assert report["settings"]["composer"] == "chopin"
    assert report["settings"]["seconds"] == 5
    assert report["seconds_of_music"] == 5
    assert report["whole"] is True
    assert 0 < report["first_note_seconds"] <= report["wall_seconds"]
    for number, take in enumerate(report["takes"], 1):
        assert take["file"] == str(tmp_path / f"out-{number}.mid")
        assert take["notes"] == len(take["music"]) > 0
        whole = read_midi(Path(take["file"]))
        assert len(whole) == take["notes"] + len(seeds_by("chopin")[0].sequence())


def test_the_report_alone_needs_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert compose("--json", "--seed", "none") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["takes"][0]["file"] is None
    assert report["settings"]["seed"] == "none"


def test_a_midi_or_abc_file_is_a_seed(tmp_path: Path, tune: Path) -> None:
    abc = tmp_path / "tune.abc"
    abc.write_text("X:1\nT:Tune\nM:4/4\nL:1/4\nQ:1/4=120\nK:C\nCDEF|GABc|\n")
    for number, (path, notes) in enumerate({tune: 24, abc: 8}.items()):
        out = tmp_path / f"{number}.mid"
        assert compose("--seed", path, "-o", out) == 0
        assert len(read_midi(out)) > notes


def test_a_tune_of_an_abc_file_is_chosen_by_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    abc, out = tmp_path / "tunes.abc", tmp_path / "out.mid"
    abc.write_text("X:1\nT:One\nL:1/4\nK:C\nCDEF|\n\nX:2\nT:Two\nL:1/4\nK:C\nGABcde|\n")
    assert main(["render", str(abc), "-o", str(out)]) == 0
    assert len(read_midi(out)) == 4
    assert "One" in capsys.readouterr().err
    assert main(["render", str(abc), "--tune", "2", "-o", str(out)]) == 0
    assert len(read_midi(out)) == 6
    assert compose("--seed", abc, "--tune", "2", "-o", out) == 0
    assert [note.pitch for note in read_midi(out)][:6] == [67, 69, 71, 72, 74, 76]
    assert main(["render", str(abc), "--tune", "3", "-o", str(out)]) != 0
    assert "from 1 to 2" in capsys.readouterr().err


def test_every_control_of_every_model_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    for info in registry.models().values():
        with pytest.raises(SystemExit) as ended:
            main(["compose", "--model", info.id, "--help"])
        assert ended.value.code == 0
        shown = capsys.readouterr().out
        for item in declared(info.controls):
            assert f"--{item.name.replace('_', '-')}" in shown


def test_a_control_given_as_an_option_has_its_effect(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = []
    for model in (["--model", ROLL.id], [f"--model={ROLL.id}"]):
        assert compose(*model, "--threshold", "0.2", "--json") == 0
        settings.append(json.loads(capsys.readouterr().out)["settings"])
    assert settings[0] == settings[1]
    assert (settings[0]["keys"], settings[0]["threshold"]) == ("threshold", 0.2)


def test_models_and_seeds_are_listed_for_people_and_for_scripts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for command, ids in (
        ("models", list(registry.models())),
        ("seeds", [seed.id for seed in all_seeds()]),
    ):
        assert main([command]) == 0
        shown = capsys.readouterr().out
        assert main([command, "--json"]) == 0
        rows = json.loads(capsys.readouterr().out)
        assert [row["id"] for row in rows] == ids
        assert all(re.search(rf"^ *{name}  ", shown, re.MULTILINE) for name in ids)
        assert not re.search(r"--\S{16}", shown), "nor do the names of controls touch their values"
    known = {row["name"]: row["years"] for row in rows}
    assert known["Frédéric Chopin"] == "1810–1849"


def test_a_long_name_stands_apart_from_its_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "Louis Moreau Gottschalk of New Orleans"
    folder.mkdir()
    (folder / "tune.mid").write_bytes(write_midi(TUNE))
    assert main(["data", str(tmp_path)]) == 0
    rows = re.findall(r"^(\S+)  +(?:train|val|test) ", capsys.readouterr().out, re.MULTILINE)
    assert len(rows) == 2
    assert "gottschalk" in rows[0]


def test_data_tells_what_a_folder_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "Chopin").mkdir()
    (tmp_path / "Chopin" / "tune.mid").write_bytes(write_midi(TUNE))
    (tmp_path / "Chopin" / "broken.mid").write_bytes(b"MThd")
    assert main(["data", str(tmp_path)]) == 0
    assert "chopin" in capsys.readouterr().out
    assert main(["data", str(tmp_path), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["notes"], facts["recordings"]) == (24, 1)
    assert [item["path"] for item in facts["skipped_files"]] == ["Chopin/broken.mid"]


def test_render_makes_sound_of_a_file_or_of_a_seed(tmp_path: Path, tune: Path) -> None:
    assert main(["render", str(tune), "-o", str(tmp_path / "a.wav")]) == 0
    assert soundfile.info(tmp_path / "a.wav").duration > 6
    seed = all_seeds()[0]
    assert main(["render", seed.id, "-o", str(tmp_path / "b.mid")]) == 0
    assert len(read_midi(tmp_path / "b.mid")) == len(seed.sequence())


@pytest.mark.parametrize(("count", "said"), [(1, "1 note, "), (1200, "1,200 notes, ")])
def test_render_says_how_many_notes_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int, said: str
) -> None:
    path = tmp_path / "a.mid"
    path.write_bytes(
        write_midi(NoteSequence(tuple(Note(i / 9, i / 9 + 0.1, 60) for i in range(count))))
    )
    assert main(["render", str(path), "-o", str(tmp_path / "b.mid")]) == 0
    assert said in capsys.readouterr().out


MISTAKES = {
    "unknown model": (["--model", "nothing"], "There is no model 'nothing': choose one of"),
    "unknown composer": (["--composer", "nobody"], "No composer is called “nobody”"),
    "untaught composer": (["--composer", STRANGER], f"was not taught {STRANGER}"),
    "unknown seed": (["--seed", "nothing"], "`pyzzicato seeds` names the built-in ones"),
    "seed is a folder": (["--seed", "."], "No built-in seed and no file is called"),
    "too long": (["--seconds", "301"], "choose a value from 5 to 300 seconds"),
    "not a number": (["--seconds", "long"], "Length cannot be 'long'"),
    "threshold out of range": (
        ["--model", ROLL.id, "--threshold", "2"],
        "Threshold cannot be '2'",
    ),
    "too many takes": (["--takes", "99"], "choose 1 to 10"),
    "unknown ending": (["-o", "out.doc"], "does not say what to save"),
    "no such folder": (["-o", "nowhere/out.mid"], "There is no folder nowhere"),
    "nowhere to save": ([], "Say where to save the music: add -o out.mid"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_plain_line_and_exit_code_1(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    given, sentence = MISTAKES[name]
    output = [] if "-o" in given or not given else ["-o", "out.mid"]
    assert main(["compose", *given, *output]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("pyzzicato: ")
    assert shown.err.count("\n") == 1
    assert sentence in shown.err
    assert list(tmp_path.iterdir()) == [], "nothing is written"


BAD_SEEDS = {
    "empty": (b"", "This file is empty"),
    "noise": (bytes(range(256)) * 8, "neither MIDI nor ABC"),
    "text named MIDI": (b"Dear diary", "This is a text file named like MIDI"),
    "cut short": (write_midi(TUNE)[:40], "."),
    "note-less": (write_midi(NoteSequence()), "."),
    "huge": (b"MThd" + bytes(1_000_001), "larger than 1 MB"),
    "drums only": (write_midi(NoteSequence((Note(0, 1, 38, 80, 0, True),))), "only drums"),
    "sound": (b"RIFF\0\0\0\0WAVE", "This is a sound recording"),
}


@pytest.mark.parametrize("name", BAD_SEEDS)
def test_a_bad_seed_file_is_one_plain_line(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, sentence = BAD_SEEDS[name]
    path = tmp_path / "bad.mid"
    path.write_bytes(data)
    assert compose("--seed", path, "-o", tmp_path / "out.mid") == 1
    shown = capsys.readouterr().err
    assert shown.startswith("pyzzicato: ")
    assert shown.count("\n") == 1
    assert sentence in shown
    assert [p.name for p in tmp_path.iterdir()] == ["bad.mid"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["data", "nowhere"], "There is no folder nowhere"),
        (["render", "nothing.mid", "-o", "out.wav"], "no file is called"),
        (["render", "a.mid", "-o", "out.xyz"], "does not say what to save"),
        (["train", "nothing", "--data", "."], "There is no model 'nothing'"),
        (["train", FIRST.id, "--data", "nowhere"], "There is no folder nowhere"),
        (["train", FIRST.id, "--data", ".", "--epochs", "0"], "choose 1 or more"),
        (["evaluate", "nothing", "--data", "."], "There is no model 'nothing'"),
        (["evaluate", FIRST.id, "--data", "nowhere"], "There is no folder nowhere"),
    ],
)
def test_mistakes_of_the_other_commands_are_one_plain_line(
    arguments: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("pyzzicato: ")
    assert shown.count("\n") == 1
    assert sentence in shown


@pytest.mark.parametrize(
    "arguments", [[], ["dance"], ["compose", "--frequency", "2"], ["render"], ["train", "wavenet"]]
)
def test_a_command_that_cannot_be_understood_gives_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_ctrl_c_keeps_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = composition.Order.steps

    def interrupted(self: composition.Order) -> Iterator[Step]:
        for step in real(self):
            yield step
            if step.time >= 3:
                raise KeyboardInterrupt

    monkeypatch.setattr(composition.Order, "steps", interrupted)
    assert compose("--json", "-o", tmp_path / "out.mid") == 130
    shown = capsys.readouterr()
    report = json.loads(shown.out)
    heard = report["seconds_of_music"]  # a step of a note network ends where a note begins
    assert report["whole"] is False
    assert 3 <= heard < 5
    assert report["takes"][0]["notes"] > 0
    kept = read_midi(tmp_path / "out.mid")
    assert kept.duration <= report["seed_seconds"] + heard + 4
    assert "stopped; what there was is kept" in shown.err


def test_ctrl_c_elsewhere_is_quiet(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(registry, "models", interrupted)
    assert main(["models"]) == 130
    assert capsys.readouterr().err == "pyzzicato: stopped.\n"


def test_a_full_disk_is_one_plain_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    assert compose("-o", tmp_path / "out.mid") == 1
    assert "the disk is full: make room, then save again." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_bug_stays_loud(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(registry, "models", broken)
    with pytest.raises(ZeroDivisionError):
        main(["models"])


def test_progress_is_shown_to_who_watches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert compose("-o", tmp_path / "out.mid") == 0
    shown = capsys.readouterr()
    assert "composing 100 %" in shown.err
    assert "composing" not in shown.out


def test_a_reader_that_has_had_enough_is_no_error(project: Path) -> None:
    command = f"{sys.executable} -m pyzzicato.cli.main seeds | head -n 1"
    run = subprocess.run(
        ["sh", "-c", command], cwd=project, capture_output=True, text=True, check=True
    )
    assert run.stdout.count("\n") == 1
    assert run.stderr == ""


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"pyzzicato {pyzzicato.__version__}\n"


def test_the_app_is_opened_by_streamlit(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    started: list[list[str]] = []

    def start(command: list[str], **_: Any) -> Any:
        started.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", start)
    assert main(["app", "--port", "9000"]) == 0
    assert started[0][1:5] == ["-m", "streamlit", "run", str(project / "app.py")]
    assert "9000" in started[0]
