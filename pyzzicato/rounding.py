"""What it costs to store weights as whole numbers: nats with them and with those they were made of.

A training run keeps its weights as float32; the step graph holds them as int8 with one scale a
column (`pyzzicato.step_graph`). Both are played here as step graphs over the same held-out music,
so the difference is the rounding and nothing else. Neither Keras nor TensorFlow is needed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyzzicato.chord_examples import read_vocabulary
from pyzzicato.datasets import Dataset
from pyzzicato.errors import PyzzicatoError
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime import StepGraph, weights_of

__all__ = ["before_rounding", "rounding_cost"]

SPLITS = ("val", "test")
_NEAR = 0.05  # of a weight's own spread: more than rounding ever moves it


def before_rounding(
    stored: Mapping[str, np.ndarray], kept: Sequence[np.ndarray]
) -> dict[str, np.ndarray]:
    """The weights that `stored` was rounded from, by the same names, found among `kept`.

    A run's file names its weights by their place in the network, so each is found by what it is:
    the one of the same shape that lies nearest. Raises PyzzicatoError where none is near.
    """
    found = {}
    for name, rounded in stored.items():
        same = [array for array in kept if array.shape == rounded.shape]
        distances = [float(np.sqrt(np.mean((array - rounded) ** 2))) for array in same]
        best = int(np.argmin(distances)) if distances else -1
        if best < 0 or distances[best] > _NEAR * max(float(np.abs(rounded).mean()), 1e-3):
            raise PyzzicatoError(
                f"The weights {name} are not those of that file: name the one that the model was "
                "exported from."
            )
        found[name] = same[best]
    return found


def rounding_cost(
    info: ModelInfo, dataset: Dataset, kept: Sequence[np.ndarray]
) -> dict[str, dict[str, Any]]:
    """What metrics.json gains: "rounding", with nats by split as stored, as float32, and the cost.

    `kept` are the arrays of the training run. Raises PyzzicatoError where the model is not stored
    as whole numbers, its family tells no nats, or the arrays are others.
    """
    from pyzzicato.training import family_module

    family = family_module(info.family)
    told = getattr(family, "nats", None)
    stored = info.config.get("stored", "float16")
    if told is None or stored != "int8":
        raise PyzzicatoError(
            f"The model {info.id} is not one whose rounding is measured: that needs weights "
            'stored as "int8" and a family that tells nats of a split.'
        )
    config = {**info.config, "stored": "float32"}
    if (info.folder / "vocabulary.json").exists():
        config["vocabulary"] = read_vocabulary(info.folder)
    graphs = family.export(before_rounding(weights_of(info.weights), kept), config)
    with tempfile.TemporaryDirectory() as folder:
        import onnx

        path = Path(folder) / "model.onnx"
        onnx.save(graphs["model.onnx"], str(path))
        whole = StepGraph(path)
        rows: dict[str, Any] = {"stored": stored}
        for split in SPLITS:
            nats = [told(graph, info, dataset, split) for graph in (StepGraph(info.weights), whole)]
            rows[split] = {
                "stored": round(nats[0], 4),
                "float32": round(nats[1], 4),
                "cost": round(nats[0] - nats[1], 4) + 0.0,  # never -0.0
            }
    return {"rounding": rows}
