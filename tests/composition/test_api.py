"""The package as a script sees it: eight names at most, light, and one call to compose."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import soundfile

import pyzzicato
from pyzzicato import errors, registry
from pyzzicato.composition import order as composition
from pyzzicato.formats.midi import read_midi
from pyzzicato.music.composers import COMPOSERS, find_composer
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.seeds.library import all_seeds, seeds_by

FIRST = next(iter(registry.models().values()))
STRANGER = next(c.id for c in COMPOSERS if c.id not in FIRST.composers)
TUNE = NoteSequence(tuple(Note(n / 4, n / 4 + 0.25, 60 + n % 5, 70) for n in range(24)), qpm=90)


def test_there_are_few_names_and_each_is_there() -> None:
    assert len(pyzzicato.__all__) <= 8
    assert pyzzicato.__all__ == sorted(pyzzicato.__all__)
    for name in pyzzicato.__all__:
        assert getattr(pyzzicato, name).__doc__, f"{name} says what it is"
        assert name in dir(pyzzicato)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = pyzzicato.nothing


def test_importing_it_loads_no_more_than_itself(project: Path) -> None:
    code = "import sys; old = set(sys.modules); import pyzzicato; print(*set(sys.modules) - old)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True
    )
    assert not [name for name in run.stdout.split() if name.startswith("pyzzicato.")]
    assert "numpy" not in run.stdout.split()


def test_the_version_is_the_one_that_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pyzzicato.__version__ == metadata.version("pyzzicato")

    def nothing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", nothing)
    assert pyzzicato.__version__ == "unknown"


def test_no_module_hides_a_public_name() -> None:
    # Importing pyzzicato.compose, were it a module, would replace the function.
    modules = {path.stem for path in Path(pyzzicato.__file__).parent.iterdir()}
    assert modules.isdisjoint(pyzzicato.__all__)


def test_three_lines_make_a_file(tmp_path: Path) -> None:
    piece = pyzzicato.compose(composer="chopin", seconds=5)
    saved = piece.save(tmp_path / "out.mid")
    seed = seeds_by("chopin")[0]
    assert piece.seed == seed.sequence()
    assert piece.border == piece.seed.duration
    assert piece.settings["model"] == next(iter(registry.models()))
    assert piece.settings["seed"] == seed.id
    assert piece.settings["composer"] == "chopin"
    assert piece.title == f"Chopin, after {seed.title}"
    assert len(piece.continuation) > 0
    assert piece.continuation.duration <= 5 + 1e-6
    assert len(piece.sequence) == len(piece.seed) + len(piece.continuation)
    back = read_midi(saved)
    assert len(back) == len(piece.sequence)
    assert back.duration == pytest.approx(piece.sequence.duration, abs=0.01)
    assert all(n.start >= piece.border - 1e-6 for n in piece.sequence.notes[-3:])


def test_the_same_arguments_give_the_same_music() -> None:
    first = pyzzicato.compose("bach", seconds=5, rng_seed=3)
    assert pyzzicato.compose("Johann Sebastian Bach", seconds=5, rng_seed=3) == first
    assert pyzzicato.compose("bach", seconds=5, rng_seed=4).continuation != first.continuation


def test_several_takes_are_a_list_and_the_first_is_the_one_alone() -> None:
    alone = pyzzicato.compose("bach", seconds=5)
    takes = pyzzicato.compose("bach", seconds=5, takes=3)
    assert [piece.settings["take"] for piece in takes] == [0, 1, 2]
    assert takes[0].continuation == alone.continuation
    assert len({piece.continuation for piece in takes}) == 3
    assert len(pyzzicato.compose("bach", seconds=5, takes=1)) == 1


def test_a_seed_brings_its_composer_and_another_may_be_asked_for() -> None:
    seed = seeds_by("debussy")[0]
    assert pyzzicato.compose(seed=seed.id, seconds=5).settings["composer"] == "debussy"
    mixed = pyzzicato.compose("bach", seed.id, seconds=5)
    assert (mixed.settings["composer"], mixed.seed) == ("bach", seed.sequence())


def test_a_seed_by_somebody_it_was_not_taught_leaves_the_usual_composer() -> None:
    info, seed = next(
        (info, seed)
        for info in registry.models().values()
        for seed in all_seeds()
        if info.composers and seed.composer.id not in info.composers
    )
    plan = composition.order(model=info.id, seed=seed.id)
    assert vars(plan.controls)["composer"] == "chopin"


def test_own_music_files_and_nothing_are_seeds(tmp_path: Path) -> None:
    midi, abc = tmp_path / "tune.mid", tmp_path / "tune.abc"
    composition.Composition(TUNE, NoteSequence(), 0.0).save(midi)
    abc.write_text("X:1\nT:Tune\nM:4/4\nL:1/4\nQ:1/4=120\nK:C\nCDEF|GABc|\n")
    assert composition.order(seed=TUNE).seed == TUNE
    assert composition.order(seed=midi).seed_name == "tune.mid"
    assert len(composition.order(seed=str(midi)).seed) == len(TUNE)
    assert len(composition.order(seed=abc).seed) == 8
    for nothing in ("none", NoteSequence()):
        piece = pyzzicato.compose("chopin", nothing, seconds=5)
        assert (len(piece.seed), piece.border, piece.title) == (0, 0.0, "Chopin")
        assert len(piece.continuation) > 0


def test_drums_and_far_notes_of_a_seed_are_left_out() -> None:
    mixed = TUNE.merge([Note(0, 1, 38, 80, 0, True), Note(0, 1, 5)])
    assert composition.order(seed=mixed).seed == TUNE


def test_a_threshold_means_that_keys_are_chosen_by_it() -> None:
    info = next(i for i in registry.models().values() if "threshold" in i.controls.__annotations__)
    by_it = vars(composition.order(model=info.id, controls={"threshold": 0.2}).controls)
    assert (by_it["keys"], by_it["threshold"]) == ("threshold", 0.2)
    told = {"threshold": 0.2, "keys": "automatic"}
    assert vars(composition.order(model=info.id, controls=told).controls)["keys"] == "automatic"


@pytest.mark.parametrize("ending", [".mid", ".wav", ".mp3", ".flac", ".ogg", ".png", ".svg"])
def test_every_ending_gives_its_own_kind_of_file(tmp_path: Path, ending: str) -> None:
    piece = composition.Composition(TUNE.trim(0, 1), TUNE.trim(1, 2), 1.0, {"composer": "bach"})
    data = piece.save(tmp_path / f"out{ending}").read_bytes()
    first = {
        ".mid": b"MThd",
        ".wav": b"RIFF",
        ".flac": b"fLaC",
        ".ogg": b"OggS",
        ".png": b"\x89PNG",
    }
    if ending in first:
        assert data.startswith(first[ending])
    if ending in {".wav", ".mp3", ".flac", ".ogg"}:
        sound, rate = soundfile.read(tmp_path / f"out{ending}")
        assert rate == 44100
        assert 0.05 < np.abs(sound).max() <= 1
    if ending == ".svg":
        assert b"<svg" in data
    assert [path.name for path in tmp_path.iterdir()] == [f"out{ending}"]


def test_a_note_of_settings_is_enough_to_name_a_piece() -> None:
    empty = composition.Composition(NoteSequence(), NoteSequence(), 0.0)
    assert empty.title == ""
    named = composition.Composition(TUNE, TUNE, 6.0, {"composer": "ravel", "seed": "tune.mid"})
    assert named.title == f"{find_composer('ravel').short}, after tune.mid"


WRONG = [
    ({"composer": "nobody"}, errors.UnknownName, "No composer is called “nobody”"),
    ({"composer": STRANGER}, errors.InvalidControl, f"was not taught {STRANGER}: choose one of"),
    ({"seed": "chopin-nothing"}, errors.UnknownName, "No built-in seed and no file is called"),
    ({"seed": "/"}, errors.UnknownName, "No built-in seed and no file is called"),
    ({"seed": "a\0b"}, errors.PyzzicatoError, "."),
    ({"model": "nothing"}, errors.UnknownName, "There is no model 'nothing': choose one of"),
    ({"seconds": 4}, errors.InvalidControl, "Length cannot be 4: choose a value from 5 to 300"),
    ({"seconds": float("nan")}, errors.InvalidControl, "Length cannot be nan"),
    ({"rng_seed": -1}, errors.InvalidControl, "Dice cannot be -1"),
    ({"takes": 0}, errors.InvalidControl, "There cannot be 0 takes: choose 1 to 10."),
    ({"takes": 11}, errors.InvalidControl, "There cannot be 11 takes: choose 1 to 10."),
    ({"colour": "red"}, errors.InvalidControl, "This model has no control 'colour': it has"),
    (
        {"seed": NoteSequence((Note(0, 1, 38, 80, 0, True),))},
        errors.UnreadableMusic,
        "There are only drums",
    ),
    (
        {"seed": NoteSequence((Note(0, 1900, 60),))},
        errors.UnreadableMusic,
        "longer than 30 minutes",
    ),
]


@pytest.mark.parametrize(
    ("arguments", "kind", "sentence"), WRONG, ids=[str(w[0])[:40] for w in WRONG]
)
def test_a_mistake_is_one_sentence(
    arguments: dict[str, object], kind: type[Exception], sentence: str
) -> None:
    with pytest.raises(kind) as caught:
        pyzzicato.compose(**arguments)  # type: ignore[call-overload]
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_no_model_at_all_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path))
    with pytest.raises(errors.ModelUnavailable, match="There is no model in"):
        pyzzicato.compose()
