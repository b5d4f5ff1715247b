"""One training loop for every family: build, examples, fit, checkpoints, history, ONNX export.

A family is a module with the names of `FamilyModule`. The recipe is `models/<id>/model.toml`.
Training runs on whichever backend Keras was started with (KERAS_BACKEND); TensorFlow is the
one that is tested. A run can be stopped and started again: it goes on after its last epoch.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np

from pyzzicato.datasets import Dataset, Piece
from pyzzicato.density import course_table, density_table
from pyzzicato.errors import ModelUnavailable, PyzzicatoError
from pyzzicato.intervals import interval_table
from pyzzicato.optimizers import optimizer
from pyzzicato.registry import ModelInfo
from pyzzicato.stopwatch import minutes_of, stopwatch

__all__ = [
    "Examples",
    "FamilyModule",
    "Recipe",
    "family_module",
    "load_keras",
    "recipe",
    "train",
    "weights_by_path",
]

Batch = tuple[dict[str, np.ndarray], np.ndarray]


class Examples(Protocol):
    """Training batches, drawn with the generator that is handed in.

    Where batches have an order there is also `at(epoch, index)`, and it is asked instead.
    """

    def batch(self, rng: np.random.Generator) -> Batch: ...


class FamilyModule(Protocol):
    """What a file in `pyzzicato/families/` offers."""

    def build(self, config: Mapping[str, Any]) -> Any: ...

    def examples(
        self, pieces: Sequence[Piece], config: Mapping[str, Any], *, training: bool
    ) -> Examples: ...

    def loss(self, y_true: Any, y_pred: Any) -> Any: ...

    def metrics(self) -> list[Any]: ...

    def export(
        self, weights: Mapping[str, np.ndarray], config: Mapping[str, Any]
    ) -> dict[str, Any]: ...

    def load(self, info: Any) -> Any: ...

    def scores(self, info: Any, dataset: Dataset, say: Callable[[str], None]) -> dict[str, Any]: ...


def family_module(family: str) -> FamilyModule:
    """The module of a family, by the name of its file."""
    return cast(FamilyModule, import_module(f"pyzzicato.families.{family}"))


@dataclass(frozen=True)
class Recipe:
    """What is trained and how: the two tables of a model.toml and where the results go."""

    model: str
    family: str
    config: Mapping[str, Any]
    training: Mapping[str, Any]
    run: Path  # checkpoints and history
    folder: Path  # the finished model


def recipe(folder: Path, runs: Path) -> Recipe:
    """The recipe in `folder`/model.toml; its run is kept in `runs`/<model id>."""
    import tomllib

    table = tomllib.loads((folder / "model.toml").read_text(encoding="utf-8"))
    config = {"composers": table.get("composers", []), **table["config"]}
    training = table["training"]
    config |= {name: training[name] for name in ("batch", "window") if name in training}
    config |= training.get("augmentation", {})
    return Recipe(folder.name, table["family"], config, training, runs / folder.name, folder)


def weights_by_path(model: Any) -> dict[str, np.ndarray]:
    """The variables of a Keras model by path, as float32 arrays."""
    import keras

    return {
        variable.path: keras.ops.convert_to_numpy(keras.ops.cast(variable, "float32"))
        for variable in model.variables
    }


def load_keras(info: ModelInfo) -> Any:
    """The Keras model with the weights of the model's step graph, in float32: for teaching, tests.

    Raises ModelUnavailable where the step graph is missing, damaged or of another recipe.
    """
    import keras

    from pyzzicato.runtime import weights_of

    stored = weights_of(info.weights)
    heads = info.folder / "heads.onnx"  # a network that draws inside a step has a second graph
    if heads.exists():
        stored |= weights_of(heads)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        config = {**info.config, "composers": info.composers, **_counted(info.folder)}
        model = family_module(info.family).build(config)
    finally:
        keras.config.set_dtype_policy(policy)
    try:
        for weight in model.weights:
            weight.assign(stored[weight.path].reshape(weight.shape))
    except (KeyError, ValueError) as error:
        raise ModelUnavailable(
            f"The weights of the model {info.id} are not those of its model.toml: "
            f"train it again with `pyzzicato train {info.id}`."
        ) from error
    return model


def _counted(folder: Path) -> dict[str, Any]:
    """What a family counted on its training music, for its config; nothing for most families."""
    path = folder / "vocabulary.json"
    return {"vocabulary": json.loads(path.read_text(encoding="utf-8"))} if path.exists() else {}


def train(
    plan: Recipe,
    dataset: Dataset,
    *,
    epochs: int | None = None,
    rng_seed: int = 1,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Trains by the recipe and writes model.onnx and training.json into the model's folder.

    `epochs` shortens or lengthens the recipe's own number (the learning rate falls to its end
    with it). Returns what training.json holds. Raises PyzzicatoError where the folder of music
    has nothing for this recipe.
    """
    import keras

    pieces = dataset.split("train")
    if not pieces:
        raise PyzzicatoError(
            "There is no training music for this model in that folder: "
            "see what `pyzzicato data` says about it."
        )
    keras.utils.set_random_seed(rng_seed)
    keras.mixed_precision.set_global_policy(plan.training.get("precision", "float32"))
    family = family_module(plan.family)
    plan = _prepared(plan, family, pieces)
    plan.run.mkdir(parents=True, exist_ok=True)
    model = family.build(plan.config)
    total = int(epochs or plan.training["epochs"])
    size = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    say(f"{plan.model}: {size:,} weights, {len(pieces)} pieces, {total} epochs")
    # Two networks that are trained against each other have a loop of their own.
    own = getattr(family, "fit", None)
    if own is None:
        history = _fit(model, family, plan, dataset, total, rng_seed)
    else:
        history = own(model, plan, dataset, total, rng_seed, say)
    minutes = minutes_of(plan.run)
    summary = _summary(plan, dataset, history, size, minutes)
    _export(model, family, plan, len(history))
    finish = getattr(family, "finish", None)
    if finish is not None:
        finish(plan, dataset, say)
    text = json.dumps(summary, indent=1, ensure_ascii=False)
    (plan.folder / "training.json").write_text(text + "\n", encoding="utf-8")
    return summary


def _export(model: Any, family: FamilyModule, plan: Recipe, epochs: int) -> None:
    """Writes the step graphs of the model, then those of the weights kept on the way."""
    import onnx

    for name, graph in family.export(weights_by_path(model), plan.config).items():
        onnx.save(graph, plan.folder / name)
    for epoch, path in _kept(plan, epochs).items():
        model.load_weights(path)
        for name, graph in family.export(weights_by_path(model), plan.config).items():
            onnx.save(graph, plan.folder / name.replace("model", f"checkpoint_{epoch}"))


def _prepared(plan: Recipe, family: FamilyModule, pieces: Sequence[Piece]) -> Recipe:
    """The plan with what the family counts on the music before its network is built."""
    prepare = getattr(family, "prepare", None)
    if prepare is None:
        return plan
    return replace(plan, config={**plan.config, **prepare(plan, pieces)})


def _stream(examples: Examples, count: int, rng_seed: int, first_epoch: int | None = None) -> Any:
    """A Keras data set of `count` batches an epoch.

    Batch i of epoch e depends on rng_seed, e and i only. Without `first_epoch` every epoch has
    the same batches.
    """
    import keras

    in_order = getattr(examples, "at", None)

    class Stream(keras.utils.PyDataset):  # type: ignore[misc, name-defined, unused-ignore]
        epoch = first_epoch or 0

        def __len__(self) -> int:
            return count

        def __getitem__(self, index: int) -> Batch:
            if in_order is not None:
                made: Batch = in_order(self.epoch, index)
                return made
            return examples.batch(np.random.default_rng((rng_seed, self.epoch, index)))

        def on_epoch_end(self) -> None:
            if first_epoch is not None:
                self.epoch += 1

    return Stream(workers=1, use_multiprocessing=False, max_queue_size=6)


def _fit(
    model: Any, family: FamilyModule, plan: Recipe, dataset: Dataset, epochs: int, rng_seed: int
) -> list[dict[str, float]]:
    import keras

    training = plan.training
    model.compile(
        optimizer(training, epochs),
        loss=family.loss,
        metrics=family.metrics(),
        # Without it JAX does each operation by itself, two hundred times as slowly.
        jit_compile=keras.backend.backend() == "jax",
    )
    log = plan.run / "history.csv"
    best = plan.run / "best.weights.h5"
    history = _read_history(log) if log.exists() else []
    train_examples = family.examples(dataset.split("train"), plan.config, training=True)
    learned = _stream(
        train_examples,
        training["steps_per_epoch"],
        rng_seed,
        first_epoch=len(history),
    )
    checked = _stream(
        family.examples(dataset.split("val"), plan.config, training=False),
        training["validation_steps"],
        rng_seed,
    )
    # A run that goes on must not put its first epoch in the place of a better one before.
    before = min((row["val_loss"] for row in history), default=None)
    model.fit(
        learned,
        validation_data=checked,
        epochs=epochs,
        shuffle=not hasattr(train_examples, "at"),
        verbose=2 if training.get("quiet") else 1,
        callbacks=[*_keepers(plan, best, before), *_memory(plan)],
    )
    if not training.get("keep_every"):
        model.load_weights(best)
    return _read_history(log)


def _keepers(plan: Recipe, best: Path, before: float | None) -> list[Any]:
    """What keeps the run, its best weights (better than `before`) and its history, and ends it."""
    from keras import callbacks

    # After the backup, which is to go on from the weights themselves; before what keeps the best.
    average = (
        [callbacks.SwapEMAWeights(swap_on_epoch=True)] if plan.training.get("averaging") else []
    )
    return [
        callbacks.BackupAndRestore(str(plan.run / "backup"), delete_checkpoint=False),
        *average,
        callbacks.ModelCheckpoint(
            str(best),
            save_best_only=True,
            save_weights_only=True,
            initial_value_threshold=before,
        ),
        callbacks.CSVLogger(str(plan.run / "history.csv"), append=True),
        callbacks.EarlyStopping(patience=plan.training["patience"]),
        stopwatch(plan.run),
        callbacks.TerminateOnNaN(),
    ]


def _memory(plan: Recipe) -> list[Any]:
    """What forgets states that were carried from batch to batch, and keeps weights on the way."""
    import keras

    keep_every = plan.training.get("keep_every", 0)

    class Forget(keras.callbacks.Callback):  # type: ignore[misc, name-defined, unused-ignore]
        def _forget(self) -> None:
            for layer in self.model.layers:
                if hasattr(layer, "reset_state"):
                    layer.reset_state()

        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self._forget()

        def on_test_begin(self, logs: Any = None) -> None:
            self._forget()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            if keep_every and (epoch + 1) % keep_every == 0:
                self.model.save_weights(_kept_file(plan, epoch + 1), overwrite=True)

    return [Forget()]


def _kept_file(plan: Recipe, epoch: int) -> Path:
    return plan.run / f"epoch_{epoch}.weights.h5"


def _kept(plan: Recipe, epochs: int) -> dict[int, Path]:
    """The weights kept on the way, by epoch; the last epoch's are the model itself."""
    every = plan.training.get("keep_every", 0)
    wanted = range(every, epochs, every) if every else ()
    return {epoch: _kept_file(plan, epoch) for epoch in wanted}


def _read_history(log: Path) -> list[dict[str, float]]:
    import csv

    with log.open(newline="") as lines:
        return [
            {name: float(value) for name, value in row.items()} for row in csv.DictReader(lines)
        ]


def _summary(
    plan: Recipe, dataset: Dataset, history: list[dict[str, float]], weights: int, minutes: float
) -> dict[str, Any]:
    train = dataset.split("train")
    learned = Dataset(train, (), dataset.folder)
    offered = plan.config["composers"]
    best = min(history, key=lambda row: row["val_loss"])
    if plan.training.get("keep_every"):
        best = history[-1]  # with weights kept on the way, the model is where the way ends
    return {
        "model": plan.model,
        "weights": weights,
        "minutes": round(minutes, 1),
        "epochs": len(history),
        "best_epoch": int(best["epoch"]) + 1,
        "training_loss": round(best["loss"], 4),
        "validation_loss": round(best["val_loss"], 4),
        "hours": round(sum(piece.duration for piece in train) / 3600, 2),
        "recordings": len(train),
        "works": len({piece.work for piece in train}),
        "notes": sum(len(piece.notes) for piece in train),
        "licences": {name: round(hours, 2) for name, hours in learned.licences().items()},
        "composers": {name: round(hours, 2) for name, hours in learned.composers().items()},
        "density": {
            name: row["p50"] for name, row in density_table(train).items() if name in offered
        },
        "course": course_table(train),
        "loudness": _loudness(train),
        "intervals": interval_table(train),
        "history": history,
    }


def _loudness(pieces: Sequence[Piece]) -> dict[str, float]:
    """The mean MIDI velocity of each composer's notes."""
    velocities: dict[str, list[np.ndarray]] = {}
    for piece in pieces:
        velocities.setdefault(piece.composer, []).append(piece.notes[:, 3])
    return {
        name: round(float(np.concatenate(parts).mean()), 1)
        for name, parts in sorted(velocities.items())
    }
