"""A model too small to play well, for tests that need one quickly and must not depend on others."""

import json
from pathlib import Path

import numpy as np

from pyzzicato.families import wavenet
from pyzzicato.roll_examples import INPUTS, OUTPUTS

COMPOSERS = ("bach", "chopin", "debussy", "mozart", "haydn", "schubert", "beethoven", "liszt")
RECIPE = """
title = "{title}"
family = "wavenet"
year = 2021
source = "made for a test"
summary = "{title} is for tests."
composers = {composers}

[config]
steps_per_second = 20
channels = 8
kernel = 3
dilations = [2, 4]
gated = true
skip = 8
hidden = 8
embedding = 4
dropout = 0.1

[training]
kinds = ["performance"]

[card]
order = {order}
"""


def make_model(
    folder: Path, *, title: str = "Small", order: int = 1, composers: tuple[str, ...] = COMPOSERS
) -> None:
    """Writes model.toml, model.onnx and training.json, with weights drawn by lot."""
    import tomllib

    import onnx

    folder.mkdir(parents=True)
    text = RECIPE.format(title=title, order=order, composers=json.dumps(composers))
    (folder / "model.toml").write_text(text, encoding="utf-8")
    config = {**tomllib.loads(text)["config"], "composers": composers}
    for name, graph in wavenet.export(_weights(config, len(composers)), config).items():
        onnx.save(graph, str(folder / name))
    density = {"density": dict.fromkeys(composers, 8.0)}
    (folder / "training.json").write_text(json.dumps(density), encoding="utf-8")


def _weights(config: dict[str, int], composers: int) -> dict[str, np.ndarray]:
    width, about = 2 * config["channels"], config["embedding"] + 1
    shapes: dict[str, tuple[int, ...]] = {
        "composer/embeddings": (composers + 1, config["embedding"]),
        "input/kernel": (INPUTS, config["channels"]),
        "input/bias": (config["channels"],),
        "hidden/kernel": (config["skip"], config["hidden"]),
        "hidden/bias": (config["hidden"],),
        "output/kernel": (config["hidden"], OUTPUTS),
        "output/bias": (OUTPUTS,),
    }
    for block in range(2):
        shapes |= {
            f"conv_{block}/kernel": (config["kernel"], config["channels"], width),
            f"conv_{block}/bias": (width,),
            f"told_{block}/kernel": (about, width),
            f"mix_{block}/kernel": (config["channels"], config["channels"] + config["skip"]),
            f"mix_{block}/bias": (config["channels"] + config["skip"],),
        }
    dice = np.random.default_rng(1)
    return {name: dice.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}
