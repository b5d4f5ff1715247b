"""The sentence under a take: what it says of each kind of report."""

import dataclasses

from pyzzicato.metrics.originality import Report
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.ui.originality import closeness, in_words, underlined

FOUND = Report(
    start=4.0, end=7.5, notes=9, share=0.1, composer="chopin", title="Nocturne_op_32 [x]",
    work="w1", score=5.0, percentile=40.0, usual_notes=12,
)  # fmt: skip


def test_a_passage_is_named_with_its_place_after_the_seed() -> None:
    assert in_words(FOUND, 60.0) == (
        "Closest to known music: 9 notes of Chopin, Nocturne op 32, at 1:04. "
        "Two real works of one composer share 12 notes as a rule."
    )


def test_an_opus_is_said_once() -> None:
    for title, said in {
        "Rondo_Op._16_Op._16.": "Rondo Op. 16,",
        "Rondo op. 1 op. 16": "Rondo op. 1 op. 16,",
        "Etudes op. 10, no. 10": "Etudes op. 10, no. 10,",
    }.items():
        assert f"of Chopin, {said} at" in in_words(dataclasses.replace(FOUND, title=title), 0.0)


def test_a_copy_says_so_and_what_to_do() -> None:
    said = in_words(dataclasses.replace(FOUND, copied=True), 0.0)
    assert said.startswith(
        "This copies: 9 notes of Chopin, Nocturne op 32, at 0:04 (underlined on the roll)"
    )
    assert said.endswith("Roll the dice for another.")


def test_nothing_found_is_one_sentence() -> None:
    assert in_words(Report(), 0.0) == "No passage of it stands in the training music."


def test_an_unlikely_row_of_notes_is_compared_with_the_index_that_ships() -> None:
    notes = tuple(Note(n * 0.31, n * 0.31 + 0.2, 30 + (n * n * 7) % 60) for n in range(40))
    said, known = closeness(NoteSequence(notes), 10.0)
    assert "known music" in said or "training music" in said
    assert ("underlined" in said) == (known is not None)


def test_only_more_than_real_works_share_as_a_rule_is_underlined() -> None:
    assert underlined(FOUND, 60.0) is None
    long = dataclasses.replace(FOUND, notes=13)
    assert underlined(long, 60.0) == (64.0, 67.5, "As in 13 notes of Chopin, Nocturne op 32")
    assert "underlined" in in_words(long, 60.0)
    assert underlined(dataclasses.replace(FOUND, copied=True), 60.0) is not None
