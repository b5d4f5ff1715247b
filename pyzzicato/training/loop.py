"""One training loop for every family: build, examples, fit, checkpoints, history, ONNX export.

Training runs on whichever backend Keras was started with (KERAS_BACKEND); TensorFlow is the
one that is tested. A run can be stopped and started again: it goes on after its last epoch.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.errors import PyzzicatoError
from pyzzicato.training.family import Batch, Examples, Family, Lessons, Recipe, family_of
from pyzzicato.training.optimizers import optimizer
from pyzzicato.training.recipes import load_keras, weights_by_path
from pyzzicato.training.stopwatch import minutes_of, stopwatch
from pyzzicato.training.summary import training_summary

__all__ = ["train"]


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
    with it). Returns what training.json holds; of a plan that goes on from weights there are, it
    tells of both trainings. Raises PyzzicatoError where the folder of music has nothing for this
    recipe.
    """
    import keras

    _check(dataset)
    keras.utils.set_random_seed(rng_seed)
    keras.mixed_precision.set_global_policy(plan.training.get("precision", "float32"))
    family = family_of(plan.family)
    plan = _prepared(plan, family, dataset.split("train"))
    plan.run.mkdir(parents=True, exist_ok=True)
    model = family.build(plan.config)
    if plan.begin is not None:
        model.set_weights(load_keras(plan.begin).get_weights())
    total = int(epochs or plan.training["epochs"])
    size = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    say(f"{plan.model}: {size:,} weights, {len(dataset.split('train'))} pieces, {total} epochs")
    if isinstance(family.teaching, Lessons):
        history = _fit(model, family.teaching, plan, dataset, total, rng_seed)
    else:
        history = family.teaching(model, plan, dataset, total, rng_seed, say)
    minutes = minutes_of(plan.run)
    summary = training_summary(plan, dataset, history, size, minutes)
    _export(model, family, plan, len(history))
    if family.finish is not None:
        family.finish(plan, dataset, say)
    text = json.dumps(summary, indent=1, ensure_ascii=False)
    (plan.folder / "training.json").write_text(text + "\n", encoding="utf-8")
    return summary


def _check(dataset: Dataset) -> None:
    """Raises PyzzicatoError where there is nothing to learn from, or to check by."""
    if not dataset.split("train"):
        raise PyzzicatoError(
            "There is no training music for this model in that folder: "
            "see what `pyzzicato data` says about it."
        )
    if not dataset.split("val"):
        raise PyzzicatoError(
            "There is no music in that folder to check the training by: it needs a validation "
            "split (see `pyzzicato data`), so add more works."
        )


def _export(model: Any, family: Family, plan: Recipe, epochs: int) -> None:
    """Writes the step graphs of the model, then those of the weights kept on the way."""
    import onnx

    for name, graph in family.export(weights_by_path(model), plan.config).items():
        onnx.save(graph, plan.folder / name)
    for epoch, path in _kept(plan, epochs).items():
        model.load_weights(path)
        for name, graph in family.export(weights_by_path(model), plan.config).items():
            onnx.save(graph, plan.folder / name.replace("model", f"checkpoint_{epoch}"))


def _prepared(plan: Recipe, family: Family, pieces: Sequence[Piece]) -> Recipe:
    """The plan with what the family counts on the music before its network is built."""
    if family.prepare is None:
        return plan
    return replace(plan, config={**plan.config, **family.prepare(plan, pieces)})


def _stream(
    examples: Examples, count: int, rng_seed: int, first_epoch: int | None = None, epochs: int = 1
) -> Any:
    """A Keras data set of `count` batches an epoch.

    Batch i of epoch e depends on rng_seed, e, i and, where batches change in the course of the
    training, `epochs` only. Without `first_epoch` every epoch has the same batches.
    """
    import keras

    class Stream(keras.utils.PyDataset):  # type: ignore[misc, name-defined, unused-ignore]
        epoch = first_epoch or 0

        def __len__(self) -> int:
            return count

        def __getitem__(self, index: int) -> Batch:
            examples.passed = max(0.0, self.epoch - 1 + index / count) / epochs
            rng = np.random.default_rng((rng_seed, self.epoch, index))
            return examples.at(self.epoch, index, rng)

        def on_epoch_end(self) -> None:
            # Keras calls it once before the first epoch too, so that they are numbered from 1.
            if first_epoch is not None:
                self.epoch += 1

    return Stream(workers=1, use_multiprocessing=False, max_queue_size=6)


def _fit(
    model: Any, lessons: Lessons, plan: Recipe, dataset: Dataset, epochs: int, rng_seed: int
) -> list[dict[str, float]]:
    import keras

    training = plan.training
    model.compile(
        optimizer(training, epochs),
        loss=lessons.loss,
        metrics=lessons.metrics(),
        # Without it JAX does each operation by itself, two hundred times as slowly.
        jit_compile=keras.backend.backend() == "jax",
    )
    log = plan.run / "history.csv"
    best = plan.run / "best.weights.h5"
    history = _read_history(log) if log.exists() else []
    train_examples = lessons.examples(dataset.split("train"), plan.config, training=True)
    learned = _stream(
        train_examples,
        training["steps_per_epoch"],
        rng_seed,
        first_epoch=len(history),
        epochs=epochs,
    )
    checked = _stream(
        lessons.examples(dataset.split("val"), plan.config, training=False),
        training["validation_steps"],
        rng_seed,
    )
    # A run that goes on must not put its first epoch in the place of a better one before.
    before = min((row["val_loss"] for row in history), default=None)
    model.fit(
        learned,
        validation_data=checked,
        epochs=epochs,
        shuffle=not train_examples.in_order,
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
