"""Reading ABC that is not quite ABC: nothing is raised, what was left out is said."""

import numpy as np
import pytest

from pyzzicato.formats.abc.notation import read_abc, repaired_abc

TUNE = """X:1
T:Our own
M:6/8
L:1/8
Q:1/4=100
K:D
|:A2d {g}f>ed|"A"[Ac]3-[Ac]2 (3efg|1 !trill!f3 _e=e^e:|2 z3 d2-d||
[M:2/4][K:G]V,,/2 G//A//B c'z|~d3 & B3|P:B
V:2
C,4|[r:x]D,4::Z2|]
w:some words
"""


def pitches(text: str) -> list[int]:
    return [note.pitch for note in repaired_abc(text).sequence]


def test_a_good_tune_is_read_as_it_is() -> None:
    good = "X:1\nK:G\n|:GABc|1 d4:|2 g4|]"
    assert repaired_abc(good).sequence == read_abc(good)
    assert repaired_abc(good).dropped == ()


@pytest.mark.parametrize(
    ("text", "left", "said"),
    [
        ("X:1\nK:C\nCD;;5E|", [60, 62, 64], "Line 3: “5” is not understood."),
        ("X:1\nK:C\n[CE|G", [60, 64, 67], "“[” is not understood"),
        ("X:1\nK:Hm\nCD|", [60, 62], "is no key"),
        ("X:1\nL:1/0\nK:C\nCD|", [60, 62], "no length"),
        ("X:1\nK:C\nC[x]D|", [60, 62], "not a note"),
        ("X:1\nK:C\nc'''''''''C|", [60], "too high"),
        ("C D E|", [60, 62, 64], "there is no K: line before the music; it is read in C."),
        ("X:1\nT:nothing", [], "there is no K: line"),
        ("X:1\nK:C\nz4|", [], "There are no notes to play."),
        ("", [], "There are no notes to play."),
        ("X:1\nK:C\nC Z9999 D|", [60], "30 minutes"),
    ],
)
def test_what_makes_no_sense_is_left_out_and_named(text: str, left: list[int], said: str) -> None:
    found = repaired_abc(text)
    assert [note.pitch for note in found.sequence] == left
    assert any(said in sentence for sentence in found.dropped), found.dropped
    assert all("\n" not in sentence for sentence in found.dropped)


def test_repeats_that_grow_too_long_are_played_once() -> None:
    text = "X:1\nL:1/64\nQ:1/4=400\nK:C\n|:" + "CDEF|" * 1500 + "1-9 C:|"
    found = repaired_abc(text)
    assert len(found.sequence) == 6001
    assert any("repeats are left out" in sentence for sentence in found.dropped)


def test_a_text_without_end_is_cut() -> None:
    found = repaired_abc("X:1\nK:C\n" + "C" * 50_000)
    assert 0 < len(found.sequence) < 20_000
    assert any("20,000 characters" in sentence for sentence in found.dropped)


def mutated(dice: np.random.Generator) -> str:
    """The tune above with some characters changed, left out, doubled or moved; or noise."""
    alphabet = "ABCDEFGabcdefgzxZ |:[]()123456789/,'^_=-<>~!\"{}&%\\+.\nXKLMQTVPwrRT"
    if dice.random() < 0.3:
        return "".join(dice.choice(list(alphabet), int(dice.integers(0, 80))))
    start = int(dice.integers(0, len(TUNE) - 40))
    text = list(TUNE[: int(dice.integers(20, len(TUNE)))] if dice.random() < 0.5 else TUNE[start:])
    for _ in range(int(dice.integers(1, 12))):
        place = int(dice.integers(0, len(text)))
        kind = dice.random()
        if kind < 0.4:
            text[place] = str(dice.choice(list(alphabet)))
        elif kind < 0.7 and len(text) > 1:
            del text[place]
        else:
            text[place] *= int(dice.integers(2, 5))
    return "".join(text)


def test_ten_thousand_damaged_texts_are_read_without_a_crash() -> None:
    dice = np.random.default_rng(20)
    played = repaired = 0
    for _ in range(10_000):
        found = repaired_abc(mutated(dice))
        played += len(found.sequence) > 0
        repaired += len(found.dropped) > 0
    assert played > 5_000, "most of them have something to play"
    assert repaired > 5_000, "most of them have something wrong"
