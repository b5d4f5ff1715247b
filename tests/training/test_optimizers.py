"""Optimisers as a recipe asks for them."""

import numpy as np
import pytest

from pyzzicato.training.optimizers import optimizer


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


def test_muon_in_half_precision_steps_as_in_whole() -> None:
    import keras

    dice = np.random.default_rng(1)
    shapes = [(12, 30), (30, 12), (7,)]
    begun = [dice.normal(size=shape).astype(np.float32) for shape in shapes]
    slopes = [[dice.normal(size=shape).astype(np.float32) for shape in shapes] for _ in range(3)]
    table = {"learning_rate": 0.1, "schedule": "constant", "optimizer": "muon"}
    found = []
    for precision in ("float32", "mixed_bfloat16"):
        made = optimizer({**table, "weight_decay": 0.5, "precision": precision}, epochs=1)
        weights = [keras.Variable(values) for values in begun]
        for each in slopes:
            made.apply(each, weights)
        found.append([np.asarray(weight) for weight in weights])
    for whole, half, before in zip(*found, begun, strict=True):
        assert np.abs(half - whole).max() < 0.15 * np.abs(whole - before).max()


@pytest.mark.parametrize("name", ["muon", "adamw", "adam", "rmsprop"])
def test_a_layer_may_learn_at_a_share_of_the_rate(name: str) -> None:
    import keras

    def steps(**rates: float) -> dict[str, float]:
        keras.utils.set_random_seed(1)
        read = keras.Input((4,))
        x = keras.layers.Dense(4, use_bias=False, name="some_table")(read)
        x = keras.layers.Dense(4, use_bias=False, name="middle")(x)
        model = keras.Model(read, keras.layers.Dense(1, name="some_out")(x))
        table = {"learning_rate": 0.01, "schedule": "constant", "optimizer": name, "rates": rates}
        model.compile(optimizer({**table, "weight_decay": 0.0}, epochs=1), loss="mse")
        before = model.get_weights()
        dice = np.random.default_rng(1)
        model.train_on_batch(dice.normal(size=(8, 4)), dice.normal(size=(8, 1)))
        moved = zip(model.weights, before, model.get_weights(), strict=True)
        return {weight.path: float(np.abs(new - old).max()) for weight, old, new in moved}

    usual, slow = steps(), steps(some_table=0.1, nowhere=0.5)
    assert min(usual.values()) > 0.001
    table = "some_table/kernel"
    assert slow.pop(table) == pytest.approx(usual.pop(table) / 10, rel=1e-3)
    assert slow == pytest.approx(usual)


def test_weights_that_belong_to_no_layer_learn_at_the_whole_rate() -> None:
    import keras

    table = {"learning_rate": 0.5, "schedule": "constant", "optimizer": "adamw", "clip": 0}
    made = optimizer({**table, "weight_decay": 0.0, "rates": {"some_table": 0.1}}, epochs=1)
    alone = keras.Variable(np.ones(3, np.float32), name="alone")
    assert "/" not in alone.path
    made.apply([np.ones(3, np.float32)], [alone])
    assert np.asarray(alone) == pytest.approx(np.full(3, 0.5), abs=1e-3)
