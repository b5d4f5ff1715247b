"""Tunes of our own in ABC, made by lot, and a character network too small to play well."""

import json
from pathlib import Path

import numpy as np

from pyzzicato.codecs.abc_text import vocabulary_of
from pyzzicato.registry import ModelInfo, models

RECIPE = """
title = "Small text"
family = "abc.char_rnn"
year = 2020
source = "a test"
summary = "Small."
composers = []
[config]
vocabulary = {vocabulary}
embedding = 6
units = 8
dropout = 0.1
weight_dtype = "{stored}"
{config}
[training]
kinds = ["abc"]
batch = 4
window = 16
steps_per_epoch = 3
validation_steps = 1
epochs = {epochs}
patience = 9
keep_every = {keep_every}
optimizer = "adam"
learning_rate = 0.01
quiet = true
[card]
order = 9
"""


def tune(number: int) -> str:
    """A tune of eight bars; each number gives another."""
    dice = np.random.default_rng(number)
    bars = ["".join(dice.choice(list("GABcdefg"), 3)) for _ in range(16)]
    lines = [
        "".join(f"{a} {b}|" for a, b in zip(bars[i::4], bars[i::4], strict=True)) for i in (0, 1)
    ]
    return f"X: {number}\nT:Tune number {number}\nR:jig\nM:6/8\nK:G\n" + "\n".join(lines)


def write_tunes(folder: Path, count: int = 40) -> Path:
    """A folder with one ABC file of `count` tunes."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n\n".join(tune(number) for number in range(1, count + 1)) + "\n"
    (folder / "own.abc").write_text(text, encoding="utf-8")
    return folder


def write_recipe(
    folder: Path,
    *,
    config: str = "",
    stored: str = "float16",
    epochs: int = 2,
    keep_every: int = 1,
    vocabulary: str = "",
) -> None:
    """A model.toml in `folder`."""
    known = vocabulary or vocabulary_of([tune(n) + "\n\n" for n in range(1, 200)])
    folder.mkdir(parents=True, exist_ok=True)
    text = RECIPE.format(
        vocabulary=json.dumps(known),
        config=config,
        stored=stored,
        epochs=epochs,
        keep_every=keep_every,
    )
    (folder / "model.toml").write_text(text, encoding="utf-8")


def make_model(
    folder: Path, *, prompts: bool = False, scale: float = 1.0, vocabulary: str = ""
) -> ModelInfo:
    """A model with weights drawn by lot, made without Keras; two checkpoints, 1 and 2."""
    import onnx

    from pyzzicato.families.abc import char_rnn

    write_recipe(
        folder,
        config="prompts = true" if prompts else "",
        keep_every=0 if prompts else 1,
        vocabulary=vocabulary,
    )
    (folder / "training.json").write_text("{}", encoding="utf-8")
    info = models(folder.parent)[folder.name]
    size, names = len(info.config["vocabulary"]), ["checkpoint_1.onnx", "model.onnx"]
    for number, name in enumerate(names):
        dice = np.random.default_rng(number)
        shapes: dict[str, tuple[int, ...]] = {
            "embedding/embeddings": (size, 6),
            "output/kernel": (8, size),
        }
        shapes |= {"output/bias": (size,)}
        for layer in range(3):
            cell = f"lstm_{layer}/lstm_cell"
            shapes |= {f"{cell}/kernel": (8 if layer else 6, 32)}
            shapes |= {f"{cell}/recurrent_kernel": (8, 32), f"{cell}/bias": (32,)}
        weights = {path: dice.normal(0, scale, shape) for path, shape in shapes.items()}
        graphs = char_rnn.export(weights, info.config)
        onnx.save(graphs["model.onnx"], str(folder / name))
    return info
