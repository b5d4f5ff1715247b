"""What a network wrote as a file of ABC: whole tunes that are read back as they were played."""

from pathlib import Path

import pytest

from pyzzicato.composition.order import Composition
from pyzzicato.families.abc.decode import TuneReader
from pyzzicato.formats.abc.notation import read_abc
from pyzzicato.formats.abc.tune_book import SEED_ENDS, tune_book
from pyzzicato.formats.abc.writer import melody_prompt
from pyzzicato.formats.midi import read_music
from pyzzicato.generation.generator import collect
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.registry import model_info
from pyzzicato.seeds.library import find_seed
from tests.small_tunes import tune

HEADER = "X:1\nT:Untitled\nM:4/4\nL:1/16\nK:G\n"
SEED = "G4A4B4c4|"


def tunes(book: str) -> list[NoteSequence]:
    return [read_abc(each) for each in book.split("\n\n")]


def times(music: NoteSequence | tuple[Note, ...], shift: float = 0.0) -> list[tuple[float, int]]:
    return [(round(note.start + shift, 4), note.pitch) for note in music]


def heard(text: str, header: str = "") -> NoteSequence:
    """What is played of a text."""
    return collect(TuneReader(300.0, len(text), header).add(text))


@pytest.mark.parametrize(
    "new",
    [
        "d4e4f4g4|g8G8|",
        "d4e4f4g4:|",
        "d4e4f4g4:|g8G8|d16:|",
        "|:d4e4f4g4:|g16|",
        "d4e4|1f4g4:|2g8|\nK:D\nf4f4f4f4|",
        "\nM:6/8\nL:1/8\ndef gfe|def g3:|",
    ],
)
def test_what_was_written_after_a_seed_is_a_whole_tune(new: str) -> None:
    book = tune_book(f"{HEADER}{SEED}\n{SEED_ENDS}{new}\n\n")
    assert book.startswith("X:1\n")
    before, after = read_abc(HEADER + SEED), heard(f"{new}\n\n", HEADER)
    assert times(read_abc(book)) == times(before) + times(after, before.duration)


@pytest.mark.parametrize(
    "text",
    [
        "GAB|cde|\n\n",
        "T:Nameless\nK:D\nDEF|\n\n",
        "% left out: a sign\nX:7\nK:C\nGAB|c3|\n\n",
        "K:D\nX:1\nDEF|\n\n",
        "X:1\nK:C\nC;9D|[E|G|\n\n",
        "X:1\nK:Hm\nCD,,,,,,,,,,E|\n\n",
    ],
)
def test_a_tune_without_header_or_with_mistakes_is_written_as_it_was_heard(text: str) -> None:
    book = tune_book(text)
    assert "X:1\n" in book
    assert "\nK:" in f"\n{book}"
    kept = read_abc(book)
    first = kept.notes[0].start
    assert times(kept, -first) == times(heard(text))


def test_every_tune_has_a_number_of_its_own() -> None:
    silent, stuck = "X:1\nK:C\nz4|", "X:1\nK:C\n" + "C" * 9 + "|"
    text = "\n\n".join([tune(1), silent, tune(1), stuck, "% left out: a sign\n" + tune(4), ""])
    book = tune_book(text)
    numbers = [line for line in book.splitlines() if line.startswith("X:")]
    assert numbers == ["X:1", "X:2", "X:3"]
    assert [each.notes for each in tunes(book)] == [read_abc(tune(n)).notes for n in (1, 1, 4)]
    joined = "\n".join([tune(1), tune(2)])
    assert len(tunes(tune_book(joined))) == 2
    assert tune_book("") == tune_book(silent) == ""


@pytest.mark.parametrize("model", ["char_rnn_jigs", "char_rnn_abc"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_model_that_ships_keeps_its_seed(model: str, number: int, tmp_path: Path) -> None:
    info = model_info(model)
    seed = find_seed("chopin-nocturne-op-9-no-2").sequence()
    steps = list(info.load().generate(seed, info.controls(seconds=20.0, rng_seed=number)))
    text = "".join(step.text for step in steps)
    new = collect(iter(steps))
    piece = Composition(seed, new, seed.duration, text=text)
    kept = read_music(piece.save(tmp_path / "kept.abc").read_bytes(), "kept.abc")
    prompt = melody_prompt(seed, 20.0, model == "char_rnn_abc")
    assert prompt is not None
    before = times(read_abc(prompt.text))
    assert [pitch for _, pitch in times(kept)][: len(before) - 1] == [p for _, p in before][:-1]
