"""ABC as it is found in files: what the standard allows and what other programs write."""

from __future__ import annotations

import pytest

from pyzzicato.formats.abc.notation import read_abc, read_abc_tune
from tests.small_abc import pitches, played, starts


def test_parts_with_endings_are_played_so_often_and_each_time_with_its_ending() -> None:
    tune = "[P:A] |:A|[1,3 B:|[2 c:|[4 d||\n[P:B] |:e|[1,2 f:|[3 g|]"
    assert pitches(tune, "P:A4.B3\nL:1/4\nK:C") == pitches("ABAcABAd efefeg")
    two = "P:A\n|:A|[1 B:|[2 c|]\nP:B\nd|"
    assert pitches(two, "P:A2B\nL:1/4\nK:C") == pitches("ABAcd")
    assert pitches(two, "P:A4\nL:1/4\nK:C") == pitches("ABAcABAc")
    assert pitches(two, "P:ABA\nL:1/4\nK:C") == pitches("ABAcdABAc")
    assert pitches("P:A\nA|[1 B|[2 c|]\nP:B\nd|", "P:ABA\nL:1/4\nK:C") == pitches("ABdAc")


def test_a_single_part_is_played_as_often_as_the_header_says() -> None:
    assert pitches("P:A\nA B|", "P:A3\nL:1/4\nK:C") == pitches("ABABAB")
    assert pitches("P:A\nA|", "P:A12\nL:1/4\nK:C") == [69] * 12
    assert pitches("P:A\n|:A:|\nP:B\nB|", "P:B\nL:1/4\nK:C") == [71]


def test_voices_without_parts_of_their_own_follow_the_first() -> None:
    body = "V:1\nP:A\nA|\nP:B\nB|\nV:2\nC|D|"
    expected = [(0, 1, 60), (0, 1, 69), (1, 2, 62), (1, 2, 71), (2, 3, 60), (2, 3, 69)]
    assert sorted(played(body, "P:ABA\nL:1/4\nK:C")) == expected


def test_an_overlay_may_go_back_over_several_bars() -> None:
    assert sorted(played("c4 | d4 |\n&&(E4 | F4) | g")) == [
        (0, 4, 64), (0, 4, 72), (4, 8, 65), (4, 8, 74), (8, 9, 79),
    ]  # fmt: skip
    assert sorted(played("c4 | d2 && E4 | F4 | g")) == [
        (0, 4, 64), (0, 4, 72), (4, 6, 74), (4, 8, 65), (8, 9, 79),
    ]  # fmt: skip
    assert starts("c|d|e|\n&&&C|D|E|f") == [0, 0, 1, 1, 2, 2, 3]


def test_an_overlay_shorter_than_its_bar_leaves_the_bar_as_long() -> None:
    assert starts("c4 & A>B | d") == [0, 0, 1.5, 4]


def test_grace_notes_may_be_in_broken_rhythm_and_chords() -> None:
    assert played("{a>b}c2")[:2] == [(0, 0.375, 81), (0.375, 0.5, 83)]
    assert played("{a<b}c2")[:2] == [(0, 0.125, 81), (0.125, 0.5, 83)]
    assert played("{[eg]a}c2") == [(0, 0.25, 76), (0, 0.25, 79), (0.25, 0.5, 81), (0.5, 2, 72)]


def test_broken_rhythm_leaves_grace_notes_as_long_as_they_are() -> None:
    assert played("{g}A>B") == [(0, 0.25, 79), (0.25, 1.5, 69), (1.5, 2, 71)]


def test_grace_notes_keep_their_length_where_they_leave_some_of_the_note() -> None:
    assert played("{gab}c") == [(0, 0.25, 79), (0.25, 0.5, 81), (0.5, 0.75, 83), (0.75, 1, 72)]


def test_rests_in_chords_are_left_out() -> None:
    assert played("[C2z2] D") == [(0, 2, 60), (2, 3, 62)]


def test_grace_notes_before_a_rest_are_not_played() -> None:
    assert pitches("A{bc'}|zG") == [69, 67]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("U:T=!fermata!", [67, 65]),
        ("U:T=!nil!", [67, 65]),
        ("U: T = !none!", [67, 65]),
        ("U:W=!trill!", [69, 67, 69, 67, 65]),
        ("U:n=+trill+", [69, 67, 69, 67, 65]),
        ("U:~=!trill!", [69, 67, 69, 67, 65]),
    ],
)
def test_symbols_are_redefined_new_and_unset(said: str, expected: list[int]) -> None:
    letter = said.removeprefix("U:").strip()[0]
    assert pitches(f"{letter}G/F", f"L:1/4\n{said}\nK:C") == expected
    assert pitches(f"{said}\n{letter}G/F") == expected


@pytest.mark.parametrize(
    ("reach", "expected"),
    [("not", [66, 65, 77, 65]), ("octave", [66, 66, 77, 66]), ("pitch", [66, 66, 78, 66])],
)
def test_how_far_accidentals_reach(reach: str, expected: list[int]) -> None:
    said = f"propagate-accidentals {reach}"
    assert pitches("^F F f F|", f"L:1/4\n%%{said}\nK:C") == expected
    assert pitches(f"%%{said}\n^F F f F|") == expected
    assert pitches(f"[I:{said}]^F F f F|") == expected


def test_a_trill_with_other_signs_beside_it_is_a_trill() -> None:
    trill = pitches("TA/")
    assert pitches("TvA/") == trill
    assert pitches("T!p!uA/") == trill
    assert pitches('vT"Am"A/') == trill
    assert pitches("T|A/") == [69]
    assert pitches("T(A/B)") == [69, 71]


def test_a_tied_trill_goes_on_through_the_tied_note() -> None:
    assert played("TA/-|A/") == played("TA")
    assert played("TA/-|TA/") == played("TA")
    assert played("A-|~A2") == [(0, 1, 69), *played("z~A2")]


def test_trills_are_as_quick_in_slow_music() -> None:
    for tempo in (40, 70, 120, 200, 290):
        notes = read_abc(f"X:1\nQ:1/4={tempo}\nL:1/4\nK:C\nTG2").notes
        assert all(0.05 < note.end - note.start <= 0.1001 for note in notes), tempo


def test_staccato_shortens_and_accents_are_louder() -> None:
    notes = read_abc("X:1\nL:1/4\nK:C\n.C D !accent!E LF !staccato![GB] A !p!c !>!d e").notes
    assert [n.end - n.start for n in notes] == [0.25, 0.5, 0.5, 0.5, 0.25, 0.25, 0.5, 0.5, 0.5, 0.5]
    assert [n.velocity for n in notes] == [80, 80, 100, 100, 80, 80, 80, 60, 80, 60]
    assert [n.start for n in notes] == [0, 0.5, 1, 1.5, 2, 2, 2.5, 3, 3.5, 4]
    assert played(".(AB).|.-c") == [(0, 1, 69), (1, 2, 71), (2, 3, 72)]


def test_hairpins_lead_from_one_loudness_to_the_next() -> None:
    notes = read_abc("X:1\nL:1/4\nK:C\n!p!C !<(!D E F!<)! G !diminuendo(!A B!diminuendo)!c").notes
    assert [n.velocity for n in notes] == [60, 65, 70, 75, 75, 67, 60, 60]


@pytest.mark.parametrize("kind", ["text", "ps", "svg"])
def test_text_blocks_are_not_played(kind: str) -> None:
    block = f"%%begin{kind}\nA gab of feed\n\nX:2\nCafe bad egg\n%%end{kind}"
    assert pitches(f"C D|\n{block}\nE F|") == [60, 62, 64, 65]
    assert pitches("C D|", f"{block}\nL:1/4\nK:C") == [60, 62]
    assert pitches(f"C D|\n%%begin{kind}\nA gab of feed") == [60, 62]


@pytest.mark.parametrize(
    "line",
    [
        "A gab of feed",
        "Collected by John Smith in 1890.",
        "D.C. al Fine",
        "Fine",
        "(see the notes below)",
        "Played twice, as a rule",
    ],
)
def test_lines_that_are_plainly_prose_are_left_out_and_named(line: str) -> None:
    found = read_abc_tune(f"X:1\nL:1/4\nK:C\nC D|\n{line}\nE F|")
    assert [n.pitch for n in found.sequence] == [60, 62, 64, 65]
    assert [line[:30] in said for said in found.said] == [True]


@pytest.mark.parametrize(
    "line", ["ABcd efga", "nG2 A2", "C D E F", "z4 G2", "uA vB TGc HA", "(uiBc)", "Abc'"]
)
def test_music_without_bar_lines_is_not_prose(line: str) -> None:
    found = read_abc_tune(f"X:1\nL:1/4\nK:C\n{line}")
    assert found.sequence.notes
    assert not found.said


@pytest.mark.parametrize("mark", ["\x85", "\u2028", "\x0b", "\x0c", "\x1c"])
def test_lines_end_nowhere_else(mark: str) -> None:
    assert pitches(f"C D|\nw:oh{mark} A B C D\nG|") == [60, 62, 67]
    assert pitches(f"C D| % remark {mark}ABC\nG|") == [60, 62, 67]
