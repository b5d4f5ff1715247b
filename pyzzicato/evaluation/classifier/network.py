"""Who might have composed this: a small network of our own that reads 20 s of notes.

    classifier = load_classifier()
    classifier.vote([sequence])[0]           shares by composer, of all its stretches of 20 s

Made by `tools/train_classifier.py`; `classifier.json` beside the network says which composers it
knows and how often it is right on works that it was not trained on. From its last hidden layer
`distance` takes a Fréchet distance between two sets of clips; it depends on this network, so it
is not comparable with figures of other encoders, and it is to be read beside that of two halves
of real music.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pyzzicato.errors import ModelUnavailable
from pyzzicato.evaluation.classifier.features import WIDTH, features_of
from pyzzicato.generation.sampling import softmax
from pyzzicato.music.notes import NoteSequence

__all__ = [
    "ASSET",
    "CLIP",
    "HIDDEN",
    "Classifier",
    "clips_of",
    "clips_of_rows",
    "distance",
    "load_classifier",
    "stretches",
]

Floats = npt.NDArray[np.float64]

ASSET = Path(__file__).resolve().parents[2] / "assets" / "classifier.onnx"
CLIP = 20.0  # seconds
HIDDEN = 64  # numbers of the last hidden layer


@dataclass(frozen=True)
class Classifier:
    """The network, the ids of the composers it tells apart, and what was measured of it."""

    composers: tuple[str, ...]
    measured: Mapping[str, Any]
    graph: Any
    fingerprint: str = ""
    """The first letters of the SHA-256 of its file."""

    def read(self, rows: npt.NDArray[np.float32]) -> tuple[Floats, Floats]:
        """Hidden layer (clips, HIDDEN) and shares of the composers, for rows of features."""
        found, _ = self.graph.advance({"features": rows}, {})
        hidden, scores = found[:, :HIDDEN].astype(np.float64), found[:, HIDDEN:].astype(np.float64)
        return hidden, softmax(scores)

    def vote(self, pieces: Sequence[NoteSequence]) -> list[dict[str, float] | None]:
        """For each piece the shares by composer, the mean of its clips; None with too few notes."""
        return [self._one(piece) for piece in pieces]

    def _one(self, piece: NoteSequence) -> dict[str, float] | None:
        rows = clips_of(piece)
        if not len(rows):
            return None
        shares = np.log(self.read(rows)[1] + 1e-6).mean(axis=0)
        return dict(zip(self.composers, softmax(shares).tolist(), strict=True))


def clips_of(piece: NoteSequence) -> npt.NDArray[np.float32]:
    """Features of the stretches of a piece side by side, (clips, numbers); a short one is one."""
    rows = [(n.start, n.end, n.pitch) for n in piece if not n.is_drum]
    return clips_of_rows(np.array(rows, np.float64).reshape(-1, 3))


def clips_of_rows(rows: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """The same for rows (n, 3 or more) of start, end, pitch, sorted by start.

    Stretches with too few notes are left out.
    """
    found = [row for each in stretches(rows) if (row := features_of(each)) is not None]
    return np.array(found, np.float32).reshape(-1, WIDTH)


def stretches(rows: npt.NDArray[np.floating]) -> list[Floats]:
    """The notes that begin in each stretch of CLIP seconds, cut at its end, (n, 3) each."""
    last = float(rows[:, 1].max(initial=0.0))
    edges = CLIP * np.arange(max(1, int(last // CLIP)) + 1)
    borders = np.searchsorted(rows[:, 0], edges)
    found = []
    for low, high, end in zip(borders, borders[1:], edges[1:], strict=False):
        inside = rows[low:high, :3].astype(np.float64)
        inside[:, 1] = np.minimum(inside[:, 1], end)
        found.append(inside)
    return found


@cache
def load_classifier(path: Path = ASSET) -> Classifier:
    """The classifier that comes with the package; raises ModelUnavailable without its files."""
    from pyzzicato.runtime.session import StepGraph

    try:
        known = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        stamp = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        return Classifier(tuple(known["composers"]), known, StepGraph(path), stamp)
    except (OSError, ValueError, KeyError) as error:
        raise ModelUnavailable(
            "There is no composer classifier here: train it with tools/train_classifier.py."
        ) from error


def distance(one: Floats, other: Floats) -> float | None:
    """The Fréchet distance of two sets of hidden rows, 0 or more; None below two rows in one.

    |difference of means|² + trace(A + B - 2 (A^½ B A^½)^½) of the covariances A and B.
    """
    if len(one) < 2 or len(other) < 2:
        return None
    means = ((one.mean(axis=0) - other.mean(axis=0)) ** 2).sum()
    first, second = (np.atleast_2d(np.cov(each, rowvar=False)) for each in (one, other))
    root = _root(first)
    both = np.linalg.eigvalsh(root @ second @ root)
    shared = np.sqrt(np.maximum(both, 0.0)).sum()
    return float(max(means + np.trace(first) + np.trace(second) - 2 * shared, 0.0))


def _root(matrix: Floats) -> Floats:
    """The square root of a symmetric matrix without negative values."""
    values, vectors = np.linalg.eigh(matrix)
    found: Floats = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return found
