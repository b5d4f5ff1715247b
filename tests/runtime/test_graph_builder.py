"""Step graphs and how their weights are stored."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from pyzzicato.runtime.graph_builder import Graph
from pyzzicato.runtime.session import StepGraph, weights_of

DICE = np.random.default_rng(3)
WEIGHTS: dict[str, np.ndarray] = {
    "wide/kernel": DICE.normal(size=(64, 96)).astype(np.float32) * np.geomspace(0.01, 1, 96),
    "wide/bias": DICE.normal(size=96).astype(np.float16).astype(np.float32),
    "few/kernel": DICE.normal(size=(96, 4)).astype(np.float16).astype(np.float32),
    "few/bias": np.zeros(4, np.float32),
}


def made(path: Path, stored: str) -> Path:
    graph = Graph(WEIGHTS, {"x": ("batch", "steps", 64)}, stored)
    onnx.save(graph.model(graph.dense(graph.dense("x", "wide"), "few")), str(path))
    return path


@pytest.mark.parametrize(
    ("stored", "most"), [("float32", 1e-7), ("float16", 5e-4), ("int8", 0.5 / 127 + 1e-6)]
)
def test_weights_come_back_as_they_were_stored(tmp_path: Path, stored: str, most: float) -> None:
    back = weights_of(made(tmp_path / "a.onnx", stored))
    assert set(back) == set(WEIGHTS)
    for name, values in WEIGHTS.items():
        allowed = most * np.abs(values).max(axis=0) if name == "wide/kernel" else 1e-7
        assert (np.abs(back[name] - values) <= allowed).all(), name


@pytest.mark.parametrize("stored", ["float32", "float16", "int8"])
def test_the_graph_computes_with_what_is_stored(tmp_path: Path, stored: str) -> None:
    path = made(tmp_path / "a.onnx", stored)
    back = weights_of(path)
    x = DICE.normal(size=(2, 3, 64)).astype(np.float32)
    found, _ = StepGraph(path).advance({"x": x}, {})
    hidden = x @ back["wide/kernel"] + back["wide/bias"]
    wanted = hidden @ back["few/kernel"] + back["few/bias"]
    assert np.abs(found - wanted).max() < 1e-4


def test_whole_numbers_take_half_the_room(tmp_path: Path) -> None:
    sizes = [made(tmp_path / f"{s}.onnx", s).stat().st_size for s in ("float16", "int8")]
    assert sizes[1] < 0.65 * sizes[0]
