"""Whole files of ABC: which of their tunes is read, and what is said of it."""

from __future__ import annotations

import pytest

from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.abc.notation import read_abc, read_abc_tune, titles_of_abc

TUNES = "M:4/4\nL:1/4\n\nX:5\nT:Nothing\nK:C\n\nX:6\nT:One\nK:C\nC|\n\nwords\nX:7\nK:D\nF|\n"


def test_of_several_tunes_the_first_with_notes_is_read_and_named() -> None:
    found = read_abc_tune(TUNES)
    assert [(n.pitch, n.end) for n in found.sequence] == [(60, 0.5)]
    assert "number 2" in found.said[0]
    assert "One" in found.said[0]
    assert read_abc_tune("X:1\nK:C\nC|").said == ()


def test_a_tune_is_chosen_by_its_place() -> None:
    assert titles_of_abc(TUNES) == ("“Nothing”", "“One”", "X:7")
    assert [(n.pitch, n.end) for n in read_abc(TUNES, tune=3)] == [(66, 0.5)]
    for tune in (0, 1, 4):
        with pytest.raises(UnreadableMusic):
            read_abc(TUNES, tune=tune)


def test_a_tune_that_cannot_be_read_is_passed_over_and_named() -> None:
    found = read_abc_tune("X:1\nK:Qq\nC|\n\nX:2\nT:Two\nK:C\nD|")
    assert [n.pitch for n in found.sequence] == [62]
    assert any("no key" in said for said in found.said)
    with pytest.raises(UnreadableMusic, match="no key"):
        read_abc("X:1\nK:Qq\nC|\n\nX:2\nK:C\nz|")


def test_a_collection_may_be_larger_than_a_tune() -> None:
    tunes = "\n".join(f"X:{n}\nT:Tune {n}\nL:1/4\nK:C\n{'CDEF|' * 100}\n" for n in range(400))
    assert len(tunes) > 200_000
    assert len(read_abc(tunes)) == 400
    assert len(read_abc(tunes, tune=400)) == 400
    assert len(titles_of_abc(tunes)) == 400


def test_many_trills_cannot_grow_above_the_limit() -> None:
    with pytest.raises(UnreadableMusic, match="50,000 notes"):
        read_abc("X:1\nL:1/4\nQ:1/4=100\nK:C\n" + "TA64" * 2000)


def test_a_file_of_tunes_without_notes_is_soon_refused() -> None:
    for text in (
        "X:1\n" * 100_000,
        "L:1/8\n" * 5000 + "X:1\nK:C\n" * 50_000,
        "X:1\nK:C\nz\n" * 50_000,
    ):
        with pytest.raises(UnreadableMusic):
            read_abc(text)


def test_the_header_of_a_file_is_for_all_its_tunes() -> None:
    text = "M:3/4\nL:1/4\nU:T=!fermata!\n\nA letter to you.\n\nX:1\nK:C\nC|\n\nX:2\nK:C\nTG|"
    assert [(n.pitch, n.end) for n in read_abc(text, tune=2)] == [(67, 0.5)]
