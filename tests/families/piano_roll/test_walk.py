"""Going through a network step by step: the same as its windowed graph, whatever it remembers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from pyzzicato.errors import ModelUnavailable
from pyzzicato.families.piano_roll import lstm as roll_lstm
from pyzzicato.families.piano_roll import wavenet
from pyzzicato.families.piano_roll.generate import RollGenerator
from pyzzicato.families.piano_roll.windows import INPUTS, OUTPUTS
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import repeat

COMPOSERS = ("bach", "chopin")
WAVENET = {"channels": 6, "kernel": 3, "dilations": [1, 4, 3], "skip": 5, "hidden": 7}
CONFIGS: dict[str, tuple[str, dict[str, Any]]] = {
    "wavenet": ("piano_roll.wavenet", {**WAVENET, "gated": True}),
    "a wider kernel": ("piano_roll.wavenet", {**WAVENET, "gated": False, "kernel": 5}),
    "one block": ("piano_roll.wavenet", {**WAVENET, "gated": False, "dilations": [2]}),
    "lstm": ("piano_roll.lstm", {"told": 6, "units": 5, "hidden": [7, 4]}),
}


def shapes_of(family: str, config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """The Keras variables of a family's network, as its `build` makes them."""
    about = config["embedding"] + 1
    shapes: dict[str, tuple[int, ...]] = {"composer/embeddings": (len(COMPOSERS) + 1, about - 1)}

    def dense(layer: str, *kernel: int) -> None:
        shapes[f"{layer}/kernel"], shapes[f"{layer}/bias"] = kernel, kernel[-1:]

    if family == "piano_roll.wavenet":
        channels, skip = config["channels"], config["skip"]
        dense("input", INPUTS, channels)
        for block in range(len(config["dilations"])):
            width = channels * (2 if config["gated"] else 1)
            dense(f"conv_{block}", config["kernel"], channels, width)
            shapes[f"told_{block}/kernel"] = (about, width)
            dense(f"mix_{block}", channels, channels + skip)
        dense("hidden", skip, config["hidden"])
        last = config["hidden"]
    else:
        units = config["units"]
        dense("input", INPUTS, config["told"])
        dense("told", about, config["told"])
        for layer, width in enumerate((config["told"], units)):
            cell = f"lstm_{layer}/lstm_cell"
            shapes[f"{cell}/recurrent_kernel"] = (units, 4 * units)
            dense(cell, width, 4 * units)
        for number, width in enumerate((units, config["hidden"][0])):
            dense(f"hidden_{number}", width, config["hidden"][number])
        last = config["hidden"][1]
    dense("output", last, OUTPUTS)
    shapes["straight/kernel"] = (INPUTS, OUTPUTS)
    return shapes


def made(folder: Path, family: str, config: Mapping[str, Any]) -> ModelInfo:
    """A network whose weights are drawn by lot."""
    dice = np.random.default_rng(7)
    config = {**config, "composers": COMPOSERS, "embedding": 4, "steps_per_second": 20}
    shapes = shapes_of(family, config)
    weights = {name: dice.normal(0, 0.3, shape) for name, shape in shapes.items()}
    module = {"piano_roll.wavenet": wavenet, "piano_roll.lstm": roll_lstm}[family]
    for name, graph in module.export(weights, config).items():
        onnx.save(graph, str(folder / name))
    return ModelInfo("small", folder, family, "", "", "", 2021, COMPOSERS, config)


@pytest.mark.parametrize("kind", CONFIGS)
@pytest.mark.parametrize("seed_steps", [1, 5, 40])
def test_a_walk_is_the_windowed_graph(tmp_path: Path, kind: str, seed_steps: int) -> None:
    """Several takes that part after a seed, shorter and longer than what is remembered."""
    generator = made(tmp_path, *CONFIGS[kind]).load()
    assert isinstance(generator, RollGenerator)
    dice, row, takes, steps = np.random.default_rng(2), 1, 3, 50
    seed = dice.random((1, seed_steps, INPUTS), np.float32)
    rest = dice.random((takes, steps, INPUTS), np.float32)
    density = dice.normal(size=steps).astype(np.float32)

    graph = generator.graph
    told = {"roll": seed, "condition": np.array([[row, 0.5]], np.float32)}
    _, after = graph.advance(told, graph.start(1))
    walk, state, farthest = (
        generator.walk(repeat(after, takes), row, takes),
        repeat(after, takes),
        0.0,
    )
    for step in range(steps):
        condition = np.tile(np.array([row, density[step]], np.float32), (takes, 1))
        now = {"roll": rest[:, step : step + 1], "condition": condition}
        wanted, state = graph.advance(now, state)
        walk.roll[:] = rest[:, step]
        walk.step(float(density[step]))
        np.testing.assert_allclose(walk.logits, wanted[:, 0], atol=2e-5)
        farthest = max(farthest, np.abs(wanted).max())
    assert farthest > 1, "there is something to compare"


@pytest.mark.parametrize("kind", CONFIGS)
def test_two_walks_do_not_disturb_each_other(tmp_path: Path, kind: str) -> None:
    generator = made(tmp_path, *CONFIGS[kind]).load()
    assert isinstance(generator, RollGenerator)
    rolls = np.random.default_rng(3).random((2, 20, INPUTS), np.float32)

    def steps(which: int) -> Any:
        walk = generator.walk(generator.graph.start(2), 2, 2)
        for roll in rolls[which]:
            walk.roll[:] = roll
            walk.step(0.1)
            yield walk.logits.copy()

    apart = [list(steps(which)) for which in (0, 1)]
    by_turns = list(zip(steps(0), steps(1), strict=True))
    for which in (0, 1):
        assert all((a == b[which]).all() for a, b in zip(apart[which], by_turns, strict=True))


def test_weights_of_another_recipe_are_one_sentence(tmp_path: Path) -> None:
    info = made(tmp_path, *CONFIGS["wavenet"])
    other = ModelInfo(
        "small", tmp_path, "piano_roll.wavenet", "", "", "", 2021, COMPOSERS,
        {**info.config, "dilations": [1, 4, 3, 8]},
    )  # fmt: skip
    with pytest.raises(ModelUnavailable, match=r"are not those of its model\.toml"):
        other.load()
