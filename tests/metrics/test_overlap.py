"""Overlapping Area and divergence: known densities, and the traps of the published form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from pyzzicato.metrics.overlap import divergence, likeness, overlapping_area


@pytest.fixture
def dice() -> np.random.Generator:
    return np.random.default_rng(5)


def test_the_same_distances_overlap_wholly(dice: np.random.Generator) -> None:
    values = dice.normal(5, 1, 400)
    assert overlapping_area(values, values) == pytest.approx(1, abs=1e-3)
    assert divergence(values, values) == pytest.approx(0, abs=1e-9)


def test_as_the_kernel_densities_of_scipy(dice: np.random.Generator) -> None:
    first, second = dice.gamma(4, 1, 300), dice.gamma(6, 1, 250)
    one, other = stats.gaussian_kde(first), stats.gaussian_kde(second)
    grid = np.linspace(-5, 30, 20_000)
    area = integrate.trapezoid(np.minimum(one(grid), other(grid)), grid)
    assert overlapping_area(first, second) == pytest.approx(area, abs=2e-3)
    p, q = one(grid), other(grid)
    inside = p > p.max() * 1e-6
    entropy = integrate.trapezoid((p * np.log(p / q))[inside], grid[inside])
    assert divergence(first, second) == pytest.approx(entropy, rel=0.02)


def test_the_published_form_is_that_of_mgeval(dice: np.random.Generator) -> None:
    real, new = dice.normal(0, 1, (40, 3)), dice.normal(0.6, 1.5, (30, 3))
    within = [np.linalg.norm(a - b) for n, a in enumerate(real) for b in real[:n]]
    between = [np.linalg.norm(a - b) for a in real for b in new]
    one, other = stats.gaussian_kde(within), stats.gaussian_kde(between)
    grids = (np.linspace(min(each), max(each), 1000) for each in (within, between))
    expected = stats.entropy(one(next(grids)), other(next(grids)))
    made = likeness(real, new)
    assert made is not None
    assert made.published_divergence == pytest.approx(expected, rel=0.02)
    grid = np.linspace(min(within + between), max(within + between), 5000)
    area = integrate.trapezoid(np.minimum(one(grid), other(grid)), grid)
    assert made.published_overlap == pytest.approx(area, abs=3e-3)


def test_distances_twice_as_large_are_seen_on_one_grid_only(dice: np.random.Generator) -> None:
    from pyzzicato.metrics.overlap import _published_divergence

    values = dice.gamma(4, 1, 500)
    assert _published_divergence(values, 2 * values) == pytest.approx(0, abs=1e-4)
    assert divergence(values, 2 * values) > 0.3


def test_always_the_same_piece_is_seen_in_the_other_direction(dice: np.random.Generator) -> None:
    real = dice.normal(0, 1, (60, 4))
    same = np.zeros((60, 4)) + dice.normal(0, 0.01, (60, 4))
    made = likeness(real, same)
    assert made is not None
    assert made.overlap > 0.3
    assert made.overlap_new < 0.05
    assert made.divergence_new > made.divergence


def test_two_halves_of_one_set_are_alike(dice: np.random.Generator) -> None:
    values = dice.normal(0, 1, (200, 12))
    made = likeness(values[::2], values[1::2])
    assert made is not None
    assert min(made.overlap, made.overlap_new) > 0.9


@pytest.mark.parametrize("numbers", [1, 4])
def test_few_or_equal_pieces(numbers: int) -> None:
    same = np.ones((5, numbers))
    made = likeness(same, same)
    assert made is not None
    assert made.overlap == pytest.approx(1, abs=1e-3)
    assert made.divergence == pytest.approx(0, abs=1e-12)
    assert made.published_divergence == pytest.approx(0, abs=1e-12)
    other = likeness(same, same + 3)
    assert other is not None
    assert other.overlap < 1e-3
    assert np.isfinite(other.divergence)
    assert likeness(np.ones((2, numbers)), same) is None
    assert likeness(same, np.ones((0, numbers))) is None
