"""Courses of density: drawn as the composer's music is, kept to by wishes and by leaning."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pyzzicato.data.density import EVERYBODY, QUANTILES, course_table, in_common, steadiness_table
from pyzzicato.families.transformer.processors.density_control import (
    DENSEST,
    LEAST,
    WANDERS,
    Pace,
    level,
    pace_of,
)
from pyzzicato.families.transformer.processors.density_plan import CLASSES, STRONGEST, WAITS, Course
from pyzzicato.families.transformer.windows import density_wish
from pyzzicato.music.notes import Note, NoteSequence
from tests.data.test_density import even_piece

RISING = np.linspace(2.0, 22.0, len(QUANTILES))  # notes a second, any as likely as any
EVEN = Pace(RISING)


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


def apart(pace: Pace, knots: int) -> float:
    """The correlation of a course with itself so many knots on."""
    found = Course(pace, NoteSequence(()), 600, 1, 400).planned
    pairs = [np.corrcoef(found[:, n], found[:, n + knots])[0, 1] for n in range(1, 20)]
    return float(np.mean(pairs))


@pytest.mark.parametrize(("piece", "stays"), [(0.3, 0.6), (0.75, 0.2), (0.5, 0.0)])
def test_a_course_is_as_steady_as_the_pace_says(piece: float, stays: float) -> None:
    pace = Pace(RISING, piece, stays)
    assert apart(pace, 1) == pytest.approx(piece + (1 - piece) * stays, abs=0.09)
    assert apart(pace, 20) == pytest.approx(piece, abs=0.09)


def test_successive_numbers_and_takes_lie_evenly() -> None:
    steady = Pace(RISING, 0.99, 0.0)  # nothing but the piece as a whole
    takes = Course(steady, seed(12), 60, 7, 5).planned[:, 2:].mean(axis=1)
    numbers = [Course(steady, seed(12), 60, n, 1).planned[0, 2:].mean() for n in range(90, 95)]
    for found in (takes, numbers):
        assert np.diff([2.0, *sorted(found), 22.0]).max() < 8.5
        assert sum(value < 12 for value in found) in (2, 3)


def test_the_first_number_is_neither_sparse_nor_dense() -> None:
    steady = Pace(RISING, 0.99, 0.0)
    assert Course(steady, seed(10), 60, 1, 1).planned[0, 2:].mean() == pytest.approx(12, abs=1.5)


def test_a_seed_moves_where_pieces_begin_and_not_how_far_they_spread() -> None:
    pieces = [Course(EVEN, seed(10), 300, n, 1).planned[0, 8:] for n in range(400)]
    assert np.std(pieces) == pytest.approx(RISING.std(), rel=0.1)


def test_a_course_begins_where_the_seed_is_and_comes_back() -> None:
    sparse, dense = (Course(EVEN, seed(n), 300, 1, 200).planned for n in (3, 21))
    assert sparse[:, 0].max() < 9
    assert dense[:, 0].min() > 15
    assert sparse[:, 8:].mean() > sparse[:, 0].mean() + 1
    assert dense[:, 8:].mean() > sparse[:, 8:].mean() + 1  # something of the seed stays


def test_a_short_seed_does_not_bind() -> None:
    course = Course(EVEN, seed(3, 1.0), 60, 1, 100).planned
    assert course[:, 0].std() > 3


def test_wishes_are_the_course_whatever_was_played() -> None:
    course = Course(Pace(RISING, gives=0.0), seed(8), 120, 1, 2)
    course.planned[0], course.planned[1] = 8.0, np.linspace(3.0, 20.0, course.planned.shape[1])
    on_course = course.wishes()
    assert density_wish(8.0) <= on_course[0] <= density_wish(14.0)  # overstated: it falls short
    for now in np.arange(0, 115, 0.05):
        course.saw([float(now), float(now)])
    late = course.wishes()
    assert late[0] == on_course[0]
    assert late[1] > on_course[1]
    course.planned[:] = 100.0
    assert course.wishes() == [11, 11]


def test_who_follows_half_the_way_is_asked_for_twice_as_far() -> None:
    half = math.log(8.0 + LEAST) * 0.5, 0.5  # 8 notes a second are played as they are asked for
    assert Pace(RISING).asked(12.0) == pytest.approx(12.0)
    stays = Pace(RISING, answer=half)
    assert stays.asked(8.0) == pytest.approx(8.0)
    for wanted in (5.0, 8.0, 13.0):
        played = half[0] + half[1] * math.log(stays.asked(wanted) + LEAST)
        assert played == pytest.approx(math.log(wanted + LEAST))
    assert stays.asked(0.0) == LEAST
    assert stays.asked(1000.0) == DENSEST
    wishes = [Course(pace, seed(8), 60, 1, 1) for pace in (Pace(RISING), stays)]
    for course in wishes:
        course.planned[:] = 14.0
        course.saw([1.0])
    plain, turned = wishes
    assert turned.wishes()[0] > plain.wishes()[0]
    assert leaning(turned)[0] > leaning(plain)[0] + 0.1


def leaning(course: Course) -> np.ndarray:
    """Of each take, how much likelier a wait e times as short is now, in nats."""
    logits = np.zeros((len(course.planned), len(WAITS)))
    course.lean(logits)
    longest, shortest = WAITS[-1], WAITS[0]
    found: np.ndarray = (logits[:, 0] - logits[:, -1]) / (longest - shortest)
    assert np.allclose(logits, -found[:, None] * WAITS)
    return found


def test_moments_are_leaned_towards_the_course() -> None:
    course = Course(EVEN, seed(8), 120, 1, 4)
    course.planned[:] = 8.0
    assert leaning(course) == pytest.approx(np.zeros(4), abs=0.05)
    for now in np.arange(0, 20, 0.125):
        course.saw([now, now * 0.8, now * 3.0, min(now, 0.5) * 1e-3])
    on, dense, sparse, crowded = leaning(course)
    assert on == pytest.approx(0, abs=0.05)
    assert dense < -0.1
    assert sparse > 0.5
    assert -STRONGEST <= crowded < -0.5


def test_a_chord_is_neither_leaned_apart_nor_together() -> None:
    assert WAITS[0] == WAITS[1] == WAITS[2]
    assert (np.diff(WAITS[2:]) > 0).all()


def followed(pace: Pace, *played: tuple[float, float]) -> Course:
    """A course of 8 notes a second, and for so many seconds so many were played."""
    course, now = Course(pace, seed(8), 300, 1, 1), 0.0
    course.planned[:] = 8.0
    for seconds, per_second in played:
        for onset in np.arange(now, now + seconds, 1 / per_second):
            course.saw([float(onset)])
        now += seconds
    return course


def test_what_was_missed_for_longer_is_made_good() -> None:
    firm = Pace(RISING, gives=0.0)
    sparse, dense = ((60.0, 8.0), (30.0, 5.0)), ((60.0, 8.0), (30.0, 12.0))
    missed, more = (float(leaning(followed(firm, *way, (9.0, 8.0)))[0]) for way in (sparse, dense))
    on_course = float(leaning(followed(firm, (99.0, 8.0)))[0])
    assert missed > on_course + 0.2
    assert more < on_course - 0.2
    long_ago = float(leaning(followed(firm, (30.0, 5.0), (60.0, 8.0)))[0])
    assert long_ago == pytest.approx(on_course, abs=0.02)


def test_a_course_gives_way_to_what_the_first_minute_was() -> None:
    after = (60.0, 3.0), (120.0, 4.5)
    courses = [followed(Pace(RISING, gives=gives), *after) for gives in (0.0, 0.6, 1.0)]
    asked = [course.wishes()[0] for course in courses]
    assert asked[0] > asked[1] > asked[2]
    assert asked[2] < density_wish(8.0)
    leant = [float(leaning(course)[0]) for course in courses]
    assert leant[0] > leant[1] > leant[2]
    assert level(5).gives == 0.0  # what a listener asks for stays


def test_the_pace_of_a_mix_lies_between_and_unknown_composers_are_as_everybody() -> None:
    rows = {EVERYBODY: [1.0] * 21, "bach": [2.0] * 21, "liszt": [8.0] * 21}
    trained = {"course": rows, "steadiness": {EVERYBODY: [0.68, 0.3], "bach": [0.9, 0.5]}}
    assert pace_of({}, {"bach": 1.0}) is None
    bach, satie = (pace_of(trained, {name: 1.0}) for name in ("bach", "satie"))
    assert bach is not None
    assert satie is not None
    assert bach.quantiles == pytest.approx(np.full(21, 2.0), abs=1e-4)
    assert satie.quantiles == pytest.approx(np.full(21, 1.0), abs=1e-4)
    assert bach.piece == pytest.approx(1 - WANDERS * 0.5)
    assert satie.piece == pytest.approx(1 - WANDERS * 0.7)
    for pace, near in ((bach, 0.9), (satie, 0.68)):
        assert pace.piece + (1 - pace.piece) * pace.stays == pytest.approx(near)
    mixed = pace_of(trained, {"bach": 0.5, "liszt": 0.5})
    assert mixed is not None
    assert (mixed.quantiles > 2).all()
    assert (mixed.quantiles < 8).all()
    assert (np.diff(mixed.quantiles) > 0).all()
    assert satie.piece < mixed.piece < bach.piece
    assert mixed.answer == (0.0, 1.0)


def test_the_answer_of_a_mix_lies_between() -> None:
    rows = {EVERYBODY: [4.0] * 21, "bach": [4.0] * 21}
    answer = {EVERYBODY: [0.0, 1.0], "bach": [1.0, 0.5], "liszt": [0.2, 0.9]}
    trained = {"course": rows, "answer": answer}
    for shares, found in (
        ({"bach": 1.0}, (1.0, 0.5)),
        ({"satie": 1.0}, (0.0, 1.0)),
        ({"bach": 0.5, "liszt": 0.5}, (0.6, 0.7)),
    ):
        pace = pace_of(trained, shares)
        assert pace is not None
        assert pace.answer == pytest.approx(found)


def test_music_that_never_changes_can_be_followed() -> None:
    rows = {EVERYBODY: [4.0] * 21}
    pace = pace_of({"course": rows, "steadiness": {EVERYBODY: [1.0, 1.0]}}, {"bach": 1.0})
    assert pace is not None
    found = Course(pace, seed(4), 120, 1, 2).planned
    assert found == pytest.approx(np.full_like(found, 4.0), abs=1e-4)


def test_the_table_has_rows_of_composers_with_enough_performances() -> None:
    pieces = [even_piece("bach", 300, 4), even_piece("bach", 330, 4), even_piece("liszt", 60, 9)]
    table = course_table(pieces)
    assert set(table) == {EVERYBODY, "bach"}
    assert table["bach"] == [4.0] * 21
    assert table[EVERYBODY][0] == 4.0
    assert table[EVERYBODY][-1] == pytest.approx(9, abs=0.1)


def test_steadiness_is_what_windows_of_a_piece_have_in_common() -> None:
    dice = np.random.default_rng(1)
    steady = [even_piece("bach", 300, dice.uniform(2, 20)) for _ in range(30)]
    table = steadiness_table([*steady, *(even_piece("liszt", 300, 4) for _ in range(3))])
    assert set(table) == {EVERYBODY, "bach"}
    assert table["bach"] == pytest.approx([1.0, 1.0], abs=0.02)
    assert steadiness_table([even_piece("bach", 20, 4)]) == {}
    turning = [np.array([1.0, -1.0, 1.0, -1.0])]
    assert in_common(turning, 1) == pytest.approx(-1.0)
    assert in_common(turning, 2) == pytest.approx(1.0)
    assert in_common(turning, 9) == 0.0


@pytest.mark.parametrize("asked", range(1, 12))
def test_a_density_that_is_asked_for_is_a_level_course(asked: int) -> None:
    course = Course(level(asked), seed(8), 60, 1, 2)
    assert np.ptp(course.planned) == 0
    per_second = course.planned[0, 0]
    assert density_wish(per_second) == asked
    for now in np.arange(0, 20, 1 / per_second):
        course.saw([float(now), float(now) * 2])
    for wish in course.wishes():  # overstated by two classes at most
        assert asked <= wish <= max(asked, min(asked + 2, CLASSES[1]))
    on, sparse = leaning(course)
    assert on == pytest.approx(0, abs=0.3 if asked == 1 else 0.1)
    assert sparse > on + 0.1
