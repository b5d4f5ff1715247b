"""What it costs to store weights as whole numbers: nats with them and with those they were made of.

A training run keeps its weights as float32; the step graph holds them as int8 with one scale a
column (`pyzzicato.step_graph`). Both are played here as step graphs over the same held-out music,
so the difference is the rounding and nothing else. Neither Keras nor TensorFlow is needed.

Networks of chords and of characters tell nats of a whole split; one that writes a note a step
tells bits per note, on windows drawn from it (`pyzzicato.note_scores`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pyzzicato.chord_examples import read_vocabulary
from pyzzicato.datasets import Dataset
from pyzzicato.errors import PyzzicatoError
from pyzzicato.note_scores import BATCH, WINDOW, NoteReader, Span, drawn, spans
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime import StepGraph, weights_of

__all__ = ["before_rounding", "rounding_cost"]

SPLITS = ("val", "test")
HEADS = "heads.onnx"  # the second graph of a network that draws inside a step
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
    info: ModelInfo,
    dataset: Dataset,
    kept: Sequence[np.ndarray],
    *,
    most: int = 50,
    rng_seed: int = 1,
) -> dict[str, dict[str, Any]]:
    """What metrics.json gains: "rounding", with nats by split as stored, as float32, and the cost.

    `kept` are the arrays of the training run. Of a network that writes a note a step there are
    bits per note instead, on at most `most` windows a split, drawn by `rng_seed`. Raises
    PyzzicatoError where the model is not stored as whole numbers, its family tells neither, or
    the arrays are others.
    """
    from pyzzicato.recipes import family_module

    family = family_module(info.family)
    told = getattr(family, "nats", None)
    stored = info.config.get("stored", "float16")
    if (told is None and not (info.folder / HEADS).exists()) or stored != "int8":
        raise PyzzicatoError(
            f"The model {info.id} is not one whose rounding is measured: that needs weights "
            'stored as "int8" and a family that tells nats of a split or bits per note.'
        )
    with _as_trained(info, kept, family.export) as trained:
        if told is None:
            rows = _in_notes((info, trained), dataset, most, rng_seed)
            return {"rounding": {"stored": stored, "unit": "bits per note", **rows}}
        graphs = [StepGraph(each.weights) for each in (info, trained)]
        rows = {
            split: _row(*(told(graph, info, dataset, split) for graph in graphs))
            for split in SPLITS
        }
    return {"rounding": {"stored": stored, **rows}}


@contextmanager
def _as_trained(
    info: ModelInfo, kept: Sequence[np.ndarray], export: Callable[..., Mapping[str, Any]]
) -> Iterator[ModelInfo]:
    """The same model with its graphs in float32, in a folder that is there for a while."""
    import onnx

    heads = info.folder / HEADS
    stored = weights_of(info.weights) | (weights_of(heads) if heads.exists() else {})
    config = {"composers": info.composers, **info.config, "stored": "float32"}
    if (info.folder / "vocabulary.json").exists():
        config["vocabulary"] = read_vocabulary(info.folder)
    graphs = export(before_rounding(stored, kept), config)
    with tempfile.TemporaryDirectory() as folder:
        for name, graph in graphs.items():
            onnx.save(graph, str(Path(folder) / name))
        yield replace(info, folder=Path(folder))


def _in_notes(
    pair: Sequence[ModelInfo], dataset: Dataset, most: int, rng_seed: int
) -> dict[str, dict[str, Any]]:
    """By split: bits per note of both models on the same windows, and the cost's standard error."""
    readers = [NoteReader(info, threads=1) for info in pair]
    rows = {}
    for split in SPLITS:
        every = list(spans(dataset.split(split), min(WINDOW, readers[0].places)))
        picked = sorted(drawn(every, most, np.random.default_rng(rng_seed)), key=len)
        bits = np.array([_sums(reader, picked) for reader in readers])  # (2, windows)
        notes = np.array([span.stop - span.counted for span in picked])
        more = bits[0] - bits[1]
        spread = more - notes * more.sum() / notes.sum()  # as in pyzzicato.note_scores
        rows[split] = {
            **_row(*(bits.sum(axis=1) / notes.sum())),
            "standard_error": round(float(np.sqrt((spread**2).sum())) / int(notes.sum()), 5),
            "windows": len(picked),
            "notes": int(notes.sum()),
        }
    return rows


def _sums(reader: NoteReader, picked: Sequence[Span]) -> np.ndarray:
    """The bits of all counted notes of each window, (windows,)."""
    found: list[np.ndarray] = []
    for first in range(0, len(picked), BATCH):
        found += reader.bits(picked[first : first + BATCH])
    return np.array([each.sum(dtype=np.float64) for each in found])


def _row(stored: float, whole: float) -> dict[str, Any]:
    return {
        "stored": round(float(stored), 4),
        "float32": round(float(whole), 4),
        "cost": round(float(stored - whole), 4) + 0.0,  # never -0.0
    }
