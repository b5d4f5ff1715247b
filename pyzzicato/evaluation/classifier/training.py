"""Training of the composer classifier: clips by work, a small Keras network, folds by work.

Nothing of a work is ever on both sides: the works of each composer are dealt into FOLDS, each
fold is told by a network that was trained on the others, and the figures count those answers, on
performances alone. Scores teach too: they bring three times as many works, and the way a
recording was made is not what composers have in common there. The network that is kept learns
from the training split alone, so that real music of the other splits is new to it.

From what the network says, how often it heard each composer while it learned is taken off, so that
a clip is asked about as if all composers were as likely.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pyzzicato.evaluation.classifier.clips import FOLDS, Clips, folds
from pyzzicato.evaluation.classifier.features import WIDTH
from pyzzicato.evaluation.classifier.network import CLIP, HIDDEN
from pyzzicato.render.files import write_whole

__all__ = ["Plan", "among_main", "by_work", "measure", "save", "scores", "told_by_folds", "train"]

Say = Callable[[str], None]
Floats = npt.NDArray[np.float64]

MAIN = 10  # composers with most works, for the figure that is quoted
FAR = 6.0  # spreads from the mean, beyond which a number counts as that far
SCORE = 0.7  # how much a work's score counts beside its performances
WARMING = 50  # steps, in which the learning rate grows


@dataclass(frozen=True)
class Plan:
    """How the network is trained; a step is `batch` clips, drawn by weight."""

    steps: int = 560
    batch: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    dropout: tuple[float, float, float] = (0.3, 0.5, 0.3)
    smoothing: float = 0.1
    width: int = 128


def train(clips: Clips, classes: int, plan: Plan, rng_seed: int = 1) -> dict[str, np.ndarray]:
    """The weights of a network that was trained on `clips`: scale, wide, hidden, who."""
    import keras

    keras.utils.set_random_seed(rng_seed)
    mean, spread = _scale(clips.features[:, 0])
    network = _network(classes, plan)
    network.compile(
        optimizer=keras.optimizers.AdamW(plan.learning_rate, weight_decay=plan.weight_decay),
        loss=keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=plan.smoothing),
    )
    dice, chance = np.random.default_rng(rng_seed), _chances(clips)
    whose = np.eye(classes, dtype=np.float32)
    for step in range(plan.steps):
        drawn = dice.choice(len(chance), plan.batch, p=chance)
        version = dice.integers(clips.features.shape[1], size=plan.batch)
        rows = _scaled(clips.features[drawn, version], mean, spread)
        rate = min(1, (step + 1) / WARMING) * (1 - step / plan.steps)
        network.optimizer.learning_rate = plan.learning_rate * rate
        network.train_on_batch(rows, whose[clips.composer[drawn]])
    found = {
        f"{layer.name}/{variable.name}": keras.ops.convert_to_numpy(
            keras.ops.cast(variable, "float32")
        )
        for layer in network.layers
        for variable in layer.trainable_variables
    }
    return {**_even(found, clips, chance), "scale/mean": mean, "scale/spread": spread}


def _scale(rows: npt.NDArray[np.floating]) -> tuple[np.ndarray, np.ndarray]:
    mean, spread = rows.mean(axis=0, dtype=np.float64), rows.std(axis=0, dtype=np.float64)
    return mean.astype(np.float32), np.maximum(spread, 0.02).astype(np.float32)


def _scaled(rows: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.clip((rows.astype(np.float32) - mean) / spread, -FAR, FAR)
    return found


def _network(classes: int, plan: Plan) -> Any:
    """(batch, WIDTH) -> (batch, classes)."""
    import keras

    def dense(inside: int, units: int, name: str, activation: str | None = None) -> Any:
        # Small at the start: what is left of it after a few hundred steps is noise.
        far = inside**-0.5
        start = keras.initializers.RandomUniform(-far, far)
        return keras.layers.Dense(units, activation, kernel_initializer=start, name=name)

    first, second, third = plan.dropout
    return keras.Sequential(
        [
            keras.Input((WIDTH,)),
            keras.layers.Dropout(first),
            dense(WIDTH, plan.width, "wide", "relu"),
            keras.layers.Dropout(second),
            dense(plan.width, HIDDEN, "hidden", "relu"),
            keras.layers.Dropout(third),
            dense(HIDDEN, classes, "who"),
        ],
        name="classifier",
    )


def _even(weights: dict[str, np.ndarray], clips: Clips, chance: Floats) -> dict[str, np.ndarray]:
    """The same without a leaning to composers that were drawn more often than others."""
    heard = np.bincount(clips.composer, chance, minlength=len(weights["who/bias"]))
    # One that was never heard is not made up for it.
    leaning = np.log(np.where(heard > 0, heard, 1.0))
    return {**weights, "who/bias": (weights["who/bias"] - leaning).astype(np.float32)}


def _chances(clips: Clips) -> Floats:
    """How often each clip is drawn: composers by the root of their works, works of one alike."""
    keys = list(zip(clips.work.tolist(), clips.score.tolist(), strict=True))
    count = Counter(keys)
    raw = np.array([(SCORE if key[1] else 1.0) / count[key] for key in keys])
    of_composer = np.bincount(clips.composer, raw)
    raw /= np.sqrt(of_composer[clips.composer])
    found: Floats = raw / raw.sum()
    return found


def scores(weights: Mapping[str, np.ndarray], rows: npt.NDArray[np.floating]) -> np.ndarray:
    """What the network says of rows of features, (n, classes), without Keras."""
    value = _scaled(rows, weights["scale/mean"], weights["scale/spread"])
    for layer in ("wide", "hidden"):
        value = np.maximum(value @ weights[f"{layer}/kernel"] + weights[f"{layer}/bias"], 0)
    found: np.ndarray = value @ weights["who/kernel"] + weights["who/bias"]
    return found


def _logs(answers: np.ndarray) -> Floats:
    """Logarithms of the chances, (n, classes)."""
    even = answers - answers.max(axis=1, keepdims=True)
    found: Floats = even - np.log(np.exp(even).sum(axis=1, keepdims=True))
    return found


def told_by_folds(clips: Clips, classes: int, plan: Plan, say: Say = print) -> Floats:
    """Logarithms of chances for each clip by a network that never saw its work, (n, classes)."""
    fold, answers = folds(clips), np.zeros((len(clips.work), classes))
    for number in range(FOLDS):
        weights = train(clips.chosen(fold != number), classes, plan, number)
        answers[fold == number] = scores(weights, clips.features[fold == number, 0])
        say(f"fold {number + 1} of {FOLDS} is told")
    return _logs(answers)


def by_work(clips: Clips, logs: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
    """Truth (works,) and votes (works, classes): the means of the clips of each work."""
    works = sorted(set(clips.work.tolist()))
    masks = [clips.work == work for work in works]
    truth = np.array([clips.composer[mask][0] for mask in masks], np.int64)
    return truth, np.array([logs[mask].mean(axis=0) for mask in masks]).reshape(-1, logs.shape[1])


def measure(clips: Clips, logs: Floats) -> dict[str, Any]:
    """Shares of clips and works that are right in `told_by_folds`, and the matrix.

    Performances alone count; `score_works_right` is the same for scores.
    """
    played, written = clips.chosen(~clips.score), clips.chosen(clips.score)
    truth, votes = by_work(played, logs[~clips.score])
    classes = logs.shape[1]
    matrix = np.zeros((classes, classes), np.int64)  # row: truth, column: answer; works
    np.add.at(matrix, (truth, votes.argmax(axis=1)), 1)
    main = among_main(truth, votes)
    by_score = among_main(*by_work(written, logs[clips.score]))
    return {
        "folds": FOLDS,
        "clip_seconds": CLIP,
        "clips": len(played.work),
        "clips_right": float((logs[~clips.score].argmax(axis=1) == played.composer).mean()),
        "works": int(matrix.sum()),
        "works_right": float(np.trace(matrix) / max(matrix.sum(), 1)),
        "main_composers": min(MAIN, classes),
        "main_works": len(main),
        "main_works_right": _mean(main),
        "main_scores_right": _mean(by_score),
        "matrix": matrix.tolist(),
    }


def among_main(
    truth: npt.NDArray[np.int64], votes: Floats, main: int = MAIN
) -> npt.NDArray[np.bool_]:
    """Which works of the main composers are right, where the vote is among those alone."""
    inner = truth < main
    found: npt.NDArray[np.bool_] = votes[inner, :main].argmax(axis=1) == truth[inner]
    return found


def _mean(right: npt.NDArray[np.bool_]) -> float | None:
    return float(right.mean()) if len(right) else None


def save(weights: Mapping[str, np.ndarray], known: Mapping[str, Any], path: Path) -> None:
    """Writes the network as ONNX and what is known of it as JSON beside it."""
    from pyzzicato.runtime.graph_builder import Graph

    graph = Graph(weights, inputs={"features": ("batch", WIDTH)})
    value = graph.op("Sub", "features", graph.weight("scale/mean"))
    value = graph.op("Div", value, graph.weight("scale/spread"))
    value = graph.op("Clip", value, graph.number(-FAR), graph.number(FAR))
    for layer in ("wide", "hidden"):
        value = graph.op("Relu", graph.dense(value, layer))
    both = graph.op("Concat", value, graph.dense(value, "who"), axis=1)
    write_whole(path, graph.model(both, ("batch", None)).SerializeToString())
    text = json.dumps(known, indent=1, ensure_ascii=False) + "\n"
    write_whole(path.with_suffix(".json"), text.encode())
