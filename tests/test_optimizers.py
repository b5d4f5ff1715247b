"""Optimisers as a recipe asks for them."""

import numpy as np
import pytest

from pyzzicato.optimizers import optimizer


def rate_at(made: object, step: int) -> float:
    made.iterations.assign(step)  # type: ignore[attr-defined]
    return float(made.learning_rate)  # type: ignore[attr-defined]


def test_the_rate_rises_then_falls_to_a_fiftieth() -> None:
    table = {"steps_per_epoch": 100, "learning_rate": 0.5, "warmup_steps": 50}
    made = optimizer(table, epochs=10)
    assert [rate_at(made, step) for step in (0, 50, 1000)] == pytest.approx([0.0, 0.5, 0.01])


def test_a_constant_rate_and_no_clipping_can_be_asked_for() -> None:
    table = {"learning_rate": 0.25, "schedule": "constant", "optimizer": "rmsprop", "clip": 0}
    made = optimizer(table, epochs=1)
    assert type(made).__name__ == "RMSprop"
    assert made.global_clipnorm is None
    assert rate_at(made, 0) == rate_at(made, 900) == 0.25


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_muon_turns_a_matrix_into_a_nearly_orthogonal_step(precision: str) -> None:
    table = {"learning_rate": 1.0, "schedule": "constant", "optimizer": "muon", "clip": 0}
    made = optimizer({**table, "precision": precision}, epochs=1)
    gradient = np.random.default_rng(1).normal(size=(12, 30)).astype(np.float32)
    step = np.asarray(made.zeropower_via_newtonschulz5(gradient, 5))
    assert step.dtype == np.float32
    sizes = np.linalg.svd(step, compute_uv=False)
    assert 0.4 < sizes.min() <= sizes.max() < 1.6
    assert np.linalg.cond(gradient) > 2 * sizes.max() / sizes.min()
