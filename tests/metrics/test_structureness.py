"""Structureness: the fitness of stretches against paths found one by one, and known forms."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pyzzicato.metrics.structureness import RANGES, fitness, self_similarity, structureness
from pyzzicato.music.notes import Note, NoteSequence


def tune(seed: int, seconds: float = 10.0) -> NoteSequence:
    dice = np.random.default_rng(seed)
    starts = dice.uniform(0, seconds - 0.5, int(seconds * 5))
    return NoteSequence(tuple(Note(s, s + 0.5, int(dice.integers(48, 84))) for s in starts))


def fitness_cell_by_cell(part: np.ndarray, rows: int) -> float:
    """The fitness of one stretch, `part` (rows, size), by filling in and going back."""
    size = part.shape[1]
    score = np.full((rows, size + 1), -np.inf)  # column 0 is outside all paths
    score[0, :2] = 0, part[0, 0]
    for n in range(1, rows):
        score[n, 0] = max(score[n - 1, 0], score[n - 1, size])
        score[n, 1] = score[n, 0] + part[n, 0]
        for m in range(2, size + 1):
            score[n, m] = part[n, m - 1] + max(score[a, b] for a, b in before(n, m))
    n, m = rows - 1, 0 if score[-1, 0] >= score[-1, size] else size
    cells, covered = 0, 0
    while True:
        if m == 0:
            if n == 0:
                break
            m = size if score[n - 1, size] > score[n - 1, 0] else 0
            n -= 1
            continue
        end = n
        while m > 1:
            cells += 1
            n, m = max(before(n, m), key=lambda cell: score[cell])
        cells, covered, m = cells + 1, covered + end - n + 1, 0
    each = (max(score[-1, 0], score[-1, size]) - size) / cells
    share = (covered - size) / rows
    return max(0.0, 2 * each * share / (each + share)) if each + share > 1e-12 else 0.0


def before(n: int, m: int) -> list[tuple[int, int]]:
    """The cells that a path may come from; columns from 1."""
    found = [(n - 1, m - 1), (n - 2, m - 1), (n - 1, m - 2)]
    return [(a, b) for a, b in found if a >= 0 and b >= 1]


@pytest.mark.parametrize("size", [1, 2, 5, 9])
def test_fitness_is_that_of_the_best_paths(size: int) -> None:
    dice = np.random.default_rng(3)
    matrix = np.where(dice.random((18, 18)) < 0.4, dice.random((18, 18)), -0.5)
    np.fill_diagonal(matrix, 1.0)
    expected = [
        fitness_cell_by_cell(matrix[:, first : first + size], 18) for first in range(19 - size)
    ]
    assert fitness(matrix, size) == pytest.approx(expected, abs=1e-12)
    assert max(expected) > 0.05


def test_what_comes_back_is_seen() -> None:
    theme = tune(1)
    again = structureness(theme.followed_by(theme, 10).followed_by(theme, 20), 30)
    other = structureness(tune(1).followed_by(tune(2), 10).followed_by(tune(3), 20), 30)
    assert again["8-15"] is not None
    assert other["8-15"] is not None
    assert again["8-15"] > 0.5 > 0.3 > other["8-15"]
    higher = theme.followed_by(tune(2), 10).followed_by(theme.transpose(3), 20)
    found = structureness(higher, 30)["8-15"]
    assert found is not None
    assert found > other["8-15"] + 0.1, "in another key too"


def test_a_form_of_two_long_parts() -> None:
    part = tune(4, 20.0)
    found = structureness(part.followed_by(part, 20), 40)
    assert found["15+"] is not None
    assert found["15+"] > 0.4


def test_the_matrix() -> None:
    matrix = self_similarity(tune(1), 10.0)
    assert matrix.shape == (20, 20)
    assert np.diag(matrix).tolist() == [1.0] * 20
    assert matrix.max() == 1.0
    assert set(matrix[matrix < 0].tolist()) == {-2.0}


@pytest.mark.parametrize(
    "sequence",
    [
        NoteSequence(), tune(1).trim(0, 2), NoteSequence((Note(0, 1, 60),)),
        NoteSequence((Note(0, 40, 60),)), NoteSequence((Note(0, 40, 36, is_drum=True),)),
    ],
    ids=["nothing", "short", "one note", "one long note", "drums"],
)  # fmt: skip
@pytest.mark.parametrize("seconds", [None, 0.0, 1.0, 40.0])
def test_bad_input(sequence: NoteSequence, seconds: float | None) -> None:
    found = structureness(sequence, seconds)
    assert set(found) == set(RANGES)
    json.dumps(found, allow_nan=False)
    if not any(not note.is_drum for note in sequence) or seconds in (0.0, 1.0):
        assert set(found.values()) == {None}


def test_a_piece_must_hold_a_stretch_twice() -> None:
    found = structureness(tune(1), 10.0)
    assert found["3-8"] is not None
    assert found["8-15"] is found["15+"] is None
