"""Courses of density: drawn as the composer's music is, followed by answering."""

from __future__ import annotations

import numpy as np
import pytest

from pyzzicato.courses import CLASSES, Course, level, quantiles_of
from pyzzicato.density import EVERYBODY, QUANTILES, course_table
from pyzzicato.notes import Note, NoteSequence
from pyzzicato.performance_examples import density_wish
from tests.test_density import even_piece

EVEN = np.linspace(2.0, 22.0, len(QUANTILES))  # notes a second, any as likely as any


def seed(per_second: float, seconds: float = 12.0) -> NoteSequence:
    starts = np.arange(0, seconds, 1 / per_second).tolist()
    return NoteSequence(tuple(Note(start, start + 0.1, 60, 80) for start in starts))


def test_a_course_is_as_dense_as_the_music_and_each_take_has_its_own() -> None:
    course = Course(EVEN, NoteSequence(()), 600, 1, 400)
    found = course.planned
    assert np.quantile(found, [0.1, 0.5, 0.9]) == pytest.approx([4, 12, 20], abs=0.6)
    assert np.array_equal(Course(EVEN, NoteSequence(()), 600, 1, 3).planned, found[:3])
    assert not np.array_equal(found[0], found[1])
    assert not np.array_equal(Course(EVEN, NoteSequence(()), 600, 2, 3).planned, found[:3])
    near = np.corrcoef(found[:, 5], found[:, 6])[0, 1]
    far = np.corrcoef(found[:, 5], found[:, 25])[0, 1]
    assert 0.55 < near < 0.8
    assert 0.25 < far < 0.5


def test_a_course_begins_where_the_seed_is_and_comes_back() -> None:
    sparse, dense = (Course(EVEN, seed(n), 300, 1, 200).planned for n in (3, 21))
    assert sparse[:, 0].max() < 9
    assert dense[:, 0].min() > 15
    assert sparse[:, 8:].mean() > sparse[:, 0].mean() + 1
    assert dense[:, 8:].mean() > sparse[:, 8:].mean() + 1  # something of the seed stays


def test_a_short_seed_does_not_bind() -> None:
    course = Course(EVEN, seed(3, 1.0), 60, 1, 100).planned
    assert course[:, 0].std() > 3


def test_wishes_answer_to_what_was_played() -> None:
    course = Course(EVEN, seed(8), 120, 1, 2)
    course.planned[:] = 8.0
    on_course = course.wishes([0.0, 0.0])[0]
    assert density_wish(8.0) <= on_course <= density_wish(14.0)  # overstated: it follows slowly
    for now in np.arange(0, 30, 0.05):
        course.saw([float(now), float(now) * 0.1])  # 20 notes a second, and 200
    often = course.wishes([29.9, 3.0])
    assert often[0] < density_wish(8.0)
    assert often[1] == CLASSES[0]
    alone = Course(EVEN, seed(10), 120, 1, 1)
    alone.planned[:] = 8.0
    alone.saw([20.0])
    assert alone.wishes([20.0])[0] > density_wish(8.0)
    assert all(CLASSES[0] <= wish <= CLASSES[1] for wish in (*often, *alone.wishes([119.0])))


def test_quantiles_of_a_mix_lie_between_and_unknown_composers_are_as_everybody() -> None:
    table = {EVERYBODY: [1.0] * 21, "bach": [2.0] * 21, "liszt": [8.0] * 21}
    assert quantiles_of({}, {"bach": 1.0}).size == 0
    assert quantiles_of(table, {"bach": 1.0}) == pytest.approx(np.full(21, 2.0), abs=1e-4)
    assert quantiles_of(table, {"satie": 1.0}) == pytest.approx(np.full(21, 1.0), abs=1e-4)
    mixed = quantiles_of(table, {"bach": 0.5, "liszt": 0.5})
    assert (mixed > 2).all()
    assert (mixed < 8).all()
    assert (np.diff(mixed) > 0).all()


def test_the_table_has_rows_of_composers_with_enough_performances() -> None:
    pieces = [even_piece("bach", 300, 4), even_piece("bach", 330, 4), even_piece("liszt", 60, 9)]
    table = course_table(pieces)
    assert set(table) == {EVERYBODY, "bach"}
    assert table["bach"] == [4.0] * 21
    assert table[EVERYBODY][0] == 4.0
    assert table[EVERYBODY][-1] == pytest.approx(9, abs=0.1)


def test_what_was_is_counted_over_eight_seconds_the_seed_among_them() -> None:
    course = Course(EVEN, seed(8), 120, 1, 2)
    assert course.were([0.0, 0.0]) == [density_wish(8.0)] * 2
    for now in np.arange(0, 20, 0.05):
        course.saw([float(now), 0.5 * float(now)])
    assert course.were([20.0, 10.0]) == [density_wish(20.0), density_wish(40.0)]
    unknown = Course(EVEN, NoteSequence(()), 120, 1, 1)
    assert unknown.were([0.0])[0] == density_wish(unknown.planned[0, 0])


@pytest.mark.parametrize("asked", range(1, 12))
def test_a_density_that_is_asked_for_is_a_level_course(asked: int) -> None:
    course = Course(level(asked), seed(8), 60, 1, 2)
    assert np.ptp(course.planned) == 0
    assert density_wish(course.planned[0, 0]) == asked
    for now in np.arange(0, 20, 1 / course.planned[0, 0]):
        course.saw([float(now), float(now) * 2])
    assert min(asked, CLASSES[0]) <= course.wishes([19.9, 39.8])[1] <= max(asked, CLASSES[1])
    much = Course(level(asked), seed(8), 60, 1, 1)
    for now in np.arange(0, 20, 0.2 / much.planned[0, 0]):
        much.saw([float(now)])
    assert much.wishes([19.9])[0] <= asked
