"""A note Transformer too small to play well, its weights drawn by lot; made without Keras."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyzzicato.codecs.performance import BINS
from pyzzicato.families.transformer import family as transformer
from pyzzicato.families.transformer.sounding import KEYS
from pyzzicato.families.transformer.windows import READ, WISHES
from pyzzicato.registry import ModelInfo

COMPOSERS = ("bach", "chopin", "debussy")
CONFIG: dict[str, Any] = {
    "width": 16,
    "heads": 2,
    "layers": 2,
    "ffn_dim": 24,
    "head_width": 12,
    "context_length": 48,
}
EVERYTHING: dict[str, Any] = dict.fromkeys(
    ("zero_begin", "qk_norm", "input_mix", "value_mix", "sounding"), True
)


def weights(config: Mapping[str, Any], rng_seed: int = 1, scale: float = 0.4) -> dict[str, Any]:
    """Random arrays by Keras path, representable as float16, with the shapes `build` gives them."""
    width = config["width"]
    shapes: dict[str, tuple[int, ...]] = {"composer_table/kernel": (len(COMPOSERS) + 1, width)}
    shapes |= {f"read_{i}/embeddings": (rows, width) for i, rows in enumerate(READ)}
    shapes |= {f"wish_{i}/embeddings": (rows, width) for i, rows in enumerate(WISHES)}
    shapes |= {f"chosen_{i}/embeddings": (BINS[i], width) for i in range(3)}
    for layer in range(config["layers"]):
        shapes |= {
            f"before_{layer}/scale": (width,),
            f"qkv_{layer}/kernel": (width, width + 2 * (width // config["heads"])),
            f"out_{layer}/kernel": (width, width),
            f"between_{layer}/scale": (width,),
            f"up_{layer}/kernel": (width, config["ffn_dim"]),
            f"down_{layer}/kernel": (config["ffn_dim"], width),
        }
        if config.get("input_mix"):
            shapes[f"mix_{layer}/scale"] = (2,)
        if config.get("value_mix") and layer:
            shapes[f"value_mix_{layer}/scale"] = (2,)
    if config.get("sounding"):
        shapes["sounding_table/kernel"] = (KEYS, width)
    for field, name in enumerate(transformer.FIELDS):
        shapes |= {
            f"{name}_norm/scale": (width,),
            f"{name}_up/kernel": (width, config["head_width"]),
            f"{name}_out/kernel": (config["head_width"], BINS[field]),
            f"{name}_out/bias": (BINS[field],),
        }
    dice = np.random.default_rng(rng_seed)
    return {
        path: dice.normal(1.0 if path.endswith("scale") else 0.0, scale, shape)
        .astype(np.float16)
        .astype(np.float32)
        for path, shape in shapes.items()
    }


RECIPE = """
title = "Small Transformer"
family = "transformer"
year = 2026
source = "made for a test"
summary = "Small Transformer is for tests."
composers = {composers}

[config]
{config}

[training]

[card]
order = 2
"""


def make_transformer_model(folder: Path) -> None:
    """Writes a small Transformer with its model.toml, to be found among the models."""
    make_transformer(folder)
    config = "\n".join(f"{name} = {value}" for name, value in CONFIG.items())
    recipe = RECIPE.format(composers=json.dumps(COMPOSERS), config=config)
    (folder / "model.toml").write_text(recipe, encoding="utf-8")


def make_transformer(
    folder: Path, arrays: Mapping[str, Any] | None = None, **changes: Any
) -> ModelInfo:
    """Writes a small Transformer's graphs into `folder`; `changes` are those of `CONFIG`."""
    import onnx

    config = {**CONFIG, **changes, "composers": COMPOSERS}
    folder.mkdir(parents=True, exist_ok=True)
    graphs = transformer.export(weights(config) if arrays is None else arrays, config)
    for name, graph in graphs.items():
        onnx.save(graph, str(folder / name))
    density = {"density": dict.fromkeys(COMPOSERS, 8.0)}
    (folder / "training.json").write_text(json.dumps(density), encoding="utf-8")
    return ModelInfo(
        id="small",
        folder=folder,
        family="transformer",
        title="Small Transformer",
        summary="For tests.",
        source="made for a test",
        year=2026,
        composers=COMPOSERS,
        config=config,
    )
