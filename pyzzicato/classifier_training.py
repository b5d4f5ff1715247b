"""Training of the composer classifier: clips by work, a small Keras network, folds by work.

Nothing of a work is ever on both sides: the works of each composer are dealt into FOLDS, each
fold is told by a network that was trained on the others, and the figures count those answers. The
network that is kept learns from the training split alone, so that real music of the other splits
is new to it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pyzzicato.classifier import CLIP, HIDDEN, clips_of_rows
from pyzzicato.composer_features import WIDTH
from pyzzicato.datasets import Piece
from pyzzicato.saving import write_whole

__all__ = ["Clips", "Plan", "folds", "gather", "known_composers", "measure", "save", "train"]

Say = Callable[[str], None]

FOLDS = 5
FEWEST_WORKS = 10
MOST_CLIPS = 120  # of a work, spread over its recordings
MAIN = 10  # composers with most works, for the figure that is quoted
MOVED = np.array([0, 0, 1, 0], np.float32)  # the pitch of a note
KEYS = (0, -3, -2, -1, 1, 2, 3)  # semitones that clips are also moved by in training


@dataclass(frozen=True)
class Plan:
    """How the network is trained."""

    epochs: int = 40
    batch: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    dropout: float = 0.4
    smoothing: float = 0.1
    width: int = 256


@dataclass(frozen=True)
class Clips:
    """Clips as rows: features (n, keys, WIDTH) in each of KEYS, composer (n,), work (n,)."""

    features: npt.NDArray[np.float32]
    composer: npt.NDArray[np.int64]
    work: npt.NDArray[np.str_]

    def chosen(self, mask: npt.NDArray[np.bool_]) -> Clips:
        """The rows of `mask`."""
        return Clips(self.features[mask], self.composer[mask], self.work[mask])


def known_composers(pieces: Collection[Piece]) -> tuple[str, ...]:
    """The ids of composers with at least FEWEST_WORKS works, most works first."""
    works = Counter(composer for composer, _ in {(p.composer, p.work) for p in pieces})
    order = sorted(works.items(), key=lambda item: (-item[1], item[0]))
    return tuple(composer for composer, count in order if count >= FEWEST_WORKS)


def gather(
    pieces: Sequence[Piece], composers: Sequence[str], keys: Sequence[int] = KEYS, say: Say = print
) -> Clips:
    """The clips of all pieces by these composers, at most MOST_CLIPS of a work."""
    by_work: dict[tuple[str, str], list[Piece]] = defaultdict(list)
    for piece in pieces:
        if piece.composer in composers:
            by_work[piece.composer, piece.work].append(piece)
    rows, labels, works = [], [], []
    for number, ((composer, work), mine) in enumerate(sorted(by_work.items())):
        found = _of_work(mine, keys)
        rows.append(found)
        labels += [composers.index(composer)] * len(found)
        works += [work] * len(found)
        if number % 50 == 49:
            say(f"{number + 1} of {len(by_work)} works read")
    features = np.concatenate([np.zeros((0, len(keys), WIDTH), np.float32), *rows])
    return Clips(features, np.array(labels, np.int64), np.array(works))


def _of_work(pieces: Sequence[Piece], keys: Sequence[int]) -> npt.NDArray[np.float32]:
    """Clips of a work, (n, keys, WIDTH), equally many of each recording."""
    each = max(1, MOST_CLIPS // len(pieces))
    found: list[npt.NDArray[np.float32]] = []
    for piece in sorted(pieces, key=lambda p: hashlib.sha256(p.path.encode()).digest()):
        if sum(len(rows) for rows in found) >= MOST_CLIPS:
            break
        moved = np.stack([clips_of_rows(piece.notes + MOVED * key) for key in keys], axis=1)
        found.append(moved[:: max(1, len(moved) // each)][:each])
    return np.concatenate([np.zeros((0, len(keys), WIDTH), np.float32), *found])


def folds(clips: Clips, count: int = FOLDS) -> npt.NDArray[np.int64]:
    """The fold of each clip, (n,): works of each composer dealt out in turn."""
    fold: dict[str, int] = {}
    for composer in range(int(clips.composer.max(initial=-1)) + 1):
        works = sorted(
            set(clips.work[clips.composer == composer].tolist()),
            key=lambda work: hashlib.sha256(work.encode()).digest(),
        )
        fold |= {work: (number + composer) % count for number, work in enumerate(works)}
    return np.array([fold[work] for work in clips.work.tolist()], np.int64)


def train(clips: Clips, classes: int, plan: Plan, rng_seed: int = 1) -> dict[str, np.ndarray]:
    """The weights of a network that was trained on `clips`, by the names of the Keras variables."""
    import keras

    keras.utils.set_random_seed(rng_seed)
    flat = clips.features[:, 0]
    mean, spread = flat.mean(axis=0), np.maximum(flat.std(axis=0), 1e-2)
    network = _network(classes, plan)
    network.compile(
        optimizer=keras.optimizers.AdamW(plan.learning_rate, weight_decay=plan.weight_decay),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=plan.smoothing),
    )
    dice = np.random.default_rng(rng_seed)
    weight, labels = _weights(clips), np.eye(classes, dtype=np.float32)[clips.composer]
    for epoch in range(plan.epochs):
        key = dice.integers(clips.features.shape[1], size=len(labels))
        rows = (clips.features[np.arange(len(labels)), key] - mean) / spread
        network.optimizer.learning_rate = plan.learning_rate * (1 - epoch / plan.epochs)
        network.fit(rows, labels, batch_size=plan.batch, sample_weight=weight, verbose=0)
    found = {
        f"{layer.name}/{variable.name}": keras.ops.convert_to_numpy(
            keras.ops.cast(variable, "float32")
        )
        for layer in network.layers
        for variable in layer.trainable_variables
    }
    return {**found, "scale/mean": mean, "scale/spread": spread}


def _network(classes: int, plan: Plan) -> Any:
    import keras

    return keras.Sequential(
        [
            keras.Input((WIDTH,)),
            keras.layers.Dropout(plan.dropout / 2),
            keras.layers.Dense(plan.width, activation="relu", name="wide"),
            keras.layers.Dropout(plan.dropout),
            keras.layers.Dense(HIDDEN, activation="relu", name="hidden"),
            keras.layers.Dropout(plan.dropout / 2),
            keras.layers.Dense(classes, name="who"),
        ],
        name="classifier",
    )


def _weights(clips: Clips) -> npt.NDArray[np.float32]:
    """How much each clip counts: composers by the root of their works, works of one alike."""
    clips_of_work = Counter(zip(clips.composer.tolist(), clips.work.tolist(), strict=True))
    works = Counter(composer for composer, _ in clips_of_work)
    raw = np.array(
        [
            1 / clips_of_work[composer, work] / np.sqrt(works[composer])
            for composer, work in zip(clips.composer.tolist(), clips.work.tolist(), strict=True)
        ]
    )
    found: npt.NDArray[np.float32] = (raw / raw.mean()).astype(np.float32)
    return found


def scores(weights: Mapping[str, np.ndarray], rows: npt.NDArray[np.float32]) -> np.ndarray:
    """What the network says of rows of features, (n, classes), without Keras."""
    value = (rows - weights["scale/mean"]) / weights["scale/spread"]
    for layer in ("wide", "hidden"):
        value = np.maximum(value @ weights[f"{layer}/kernel"] + weights[f"{layer}/bias"], 0)
    found: np.ndarray = value @ weights["who/kernel"] + weights["who/bias"]
    return found


def measure(clips: Clips, classes: int, plan: Plan, say: Say = print) -> dict[str, Any]:
    """Held-out answers of all folds: share of clips and works that are right, and the matrix."""
    fold, answers = folds(clips), np.zeros((len(clips.work), classes))
    for number in range(FOLDS):
        weights = train(clips.chosen(fold != number), classes, plan, number)
        answers[fold == number] = scores(weights, clips.features[fold == number, 0])
        say(f"fold {number + 1} of {FOLDS} is told")
    logs = answers - np.log(np.exp(answers).sum(axis=1, keepdims=True))
    matrix = np.zeros((classes, classes), np.int64)  # row: truth, column: answer; works
    for work in sorted(set(clips.work.tolist())):
        mine = clips.work == work
        matrix[clips.composer[mine][0], logs[mine].mean(axis=0).argmax()] += 1
    main = slice(0, MAIN)
    # Among the main composers alone, as the published figures are.
    inner = np.isin(clips.composer, np.arange(classes)[main])
    right = [
        logs[(clips.work == work), main].mean(axis=0).argmax()
        == clips.composer[clips.work == work][0]
        for work in sorted(set(clips.work[inner].tolist()))
    ]
    return {
        "folds": FOLDS,
        "clip_seconds": CLIP,
        "clips": len(clips.work),
        "clips_right": float((logs.argmax(axis=1) == clips.composer).mean()),
        "works": int(matrix.sum()),
        "works_right": float(np.trace(matrix) / max(matrix.sum(), 1)),
        "main_composers": min(MAIN, classes),
        "main_works": len(right),
        "main_works_right": float(np.mean(right)) if right else None,
        "matrix": matrix.tolist(),
    }


def save(weights: Mapping[str, np.ndarray], known: Mapping[str, Any], path: Path) -> None:
    """Writes the network as ONNX and what is known of it as JSON beside it."""
    from pyzzicato.step_graph import Graph

    graph = Graph(weights, inputs={"features": ("batch", WIDTH)}, stored="float32")
    value = graph.op("Sub", "features", graph.weight("scale/mean"))
    value = graph.op("Div", value, graph.weight("scale/spread"))
    for layer in ("wide", "hidden"):
        value = graph.op("Relu", graph.dense(value, layer))
    both = graph.op("Concat", value, graph.dense(value, "who"), axis=1)
    write_whole(path, graph.model(both, ("batch", None)).SerializeToString())
    text = json.dumps(known, indent=1, ensure_ascii=False) + "\n"
    write_whole(path.with_suffix(".json"), text.encode())
