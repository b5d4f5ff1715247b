"""A model too small to play well, for tests that need one quickly and must not depend on others.

It looks like one of the piano-roll families, and takes what they take; its weights are drawn by
lot, and it remembers one step only.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from pyzzicato.families.piano_roll.windows import INPUTS, OUTPUTS
from pyzzicato.runtime.graph_builder import Graph

COMPOSERS = ("bach", "chopin", "debussy", "mozart", "haydn", "schubert", "beethoven", "liszt")
RECIPE = """
title = "{title}"
family = "piano_roll.lstm"
year = 2021
source = "made for a test"
summary = "{title} is for tests."
composers = {composers}

[config]
steps_per_second = 20

[training]
kinds = ["performance"]

[card]
order = {order}
"""


def make_model(
    folder: Path, *, title: str = "Small", order: int = 1, composers: tuple[str, ...] = COMPOSERS
) -> None:
    """Writes model.toml, model.onnx and training.json."""
    import onnx

    folder.mkdir(parents=True)
    text = RECIPE.format(title=title, order=order, composers=json.dumps(composers))
    (folder / "model.toml").write_text(text, encoding="utf-8")
    onnx.save(_graph(len(composers)), str(folder / "model.onnx"))
    density = {"density": dict.fromkeys(composers, 8.0)}
    (folder / "training.json").write_text(json.dumps(density), encoding="utf-8")


def _graph(composers: int) -> Any:
    """A sum of what the last step and the composer say about the next step."""
    dice = np.random.default_rng(1)
    shapes = {
        "composer/embeddings": (composers + 1, OUTPUTS),
        "output/kernel": (INPUTS, OUTPUTS),
        "output/bias": (OUTPUTS,),
    }
    weights = {name: dice.normal(-0.3, 0.5, shape) for name, shape in shapes.items()}
    graph = Graph(weights, inputs={"roll": ("batch", "steps", INPUTS), "condition": ("batch", 2)})
    row = graph.cast_int(graph.slice("condition", 1, 0, 1))
    style = graph.gather("composer/embeddings", row)  # (batch, 1, outputs)
    return graph.model(graph.op("Add", graph.dense("roll", "output"), style))
