"""Training of a network of notes that goes on from day to day at one rate, and its decay.

The rate rises over `warmup_steps` and then stays, so nobody has to know beforehand how long the
training will be. Weights for use come from a decay: from the last checkpoint of the steady part
the rate falls in a straight line to 0, over a tenth as many notes as were seen. The steady part
is not touched by that (Hägele et al., 2024, "Scaling laws and compute-optimal training beyond
fixed training durations").

Both are stopped by Ctrl-C, by SIGTERM or by being killed, and go on when the same command is given
again. Training music is drawn by number of step, so a stopped run goes on as if it had not been.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pyzzicato.data.pieces import Dataset
from pyzzicato.errors import PyzzicatoError
from pyzzicato.training.checkpoints import locked, restore, save
from pyzzicato.training.family import Batch, Lessons, Recipe, family_of
from pyzzicato.training.optimizers import optimizer
from pyzzicato.training.recipes import next_recipe, weights_by_path

__all__ = ["CHECKPOINT", "decay", "train_steadily"]

CHECKPOINT = "checkpoint.npz"
SAVED_EVERY = 240  # seconds
DECAY = 0.1  # of the notes seen before

Say = Callable[[str], None]


def train_steadily(
    plan: Recipe, dataset: Dataset, *, notes: int | None = None, rng_seed: int = 1, say: Say = print
) -> dict[str, Any]:
    """Trains on from the last checkpoint in `plan.run` until it is stopped; returns the progress.

    With `notes` it stops there. Raises PyzzicatoError where the checkpoint is damaged or of another
    recipe, where there is no room for the next one, or where another training is at work.
    """
    with locked(plan.run):
        run = _Run(plan, dataset, rng_seed, say)
        if run.path.exists():
            run.progress = restore(run.path, run.model, plan.network)
        run.until(notes)
        return run.progress


def decay(
    plan: Recipe, dataset: Dataset, output: Path, *, rng_seed: int = 1, say: Say = print
) -> dict[str, Any]:
    """Makes weights for use from the last checkpoint in `plan.run`; writes the model to `output`.

    What is half done is in `plan.run`/decay, is gone on with, and is deleted at the end. Returns
    what training.json holds, or the progress where it was stopped. Raises as `train_steadily`.
    """
    with _writing(output):  # not only after hours
        output.mkdir(parents=True, exist_ok=True)
    begun = plan.run / CHECKPOINT
    branch = replace(plan, run=plan.run / "decay")
    with locked(branch.run):
        run = _Run(branch, dataset, rng_seed, say)
        if run.path.exists():
            run.progress = restore(run.path, run.model, plan.network)
        elif begun.exists():
            run.progress = restore(begun, run.model, plan.network)
            run.progress["decay_from"] = run.progress["notes"]
            run.keep()
        else:
            raise PyzzicatoError(f"There is no {begun} to decay from: train with --steady first.")
        first = run.progress["decay_from"]
        if not run.until(round(first * (1 + DECAY))):
            return run.progress
        with _writing(output):
            summary = _finish(run, output)
    shutil.rmtree(branch.run)
    return summary


def _finish(run: _Run, output: Path) -> dict[str, Any]:
    """Writes the model's graphs, its recipe and training.json into the folder `output`."""
    import onnx

    from pyzzicato.training.summary import training_summary

    plan, progress = run.plan, run.progress
    (output / "model.toml").write_text(next_recipe(plan.folder), encoding="utf-8")
    for name, graph in (
        family_of(plan.family).export(weights_by_path(run.model), plan.config).items()
    ):
        onnx.save(graph, output / name)
    weights = sum(int(np.prod(weight.shape)) for weight in run.model.trainable_weights)
    minutes = sum(day["hours"] for day in progress["days"].values()) * 60
    summary = training_summary(plan, run.dataset, progress["history"], weights, minutes)
    last = progress["history"][-1]  # the weights are those at the end of the decay
    summary |= {
        "best_epoch": last["epoch"] + 1,
        "training_loss": round(last["loss"], 4),
        "validation_loss": round(last["val_loss"], 4),
        "notes_seen": progress["notes"],
        "decay_from": progress["decay_from"],
        "days": progress["days"],
    }
    text = json.dumps(summary, indent=1, ensure_ascii=False)
    (output / "training.json").write_text(text + "\n", encoding="utf-8")
    return summary


@contextlib.contextmanager
def _writing(output: Path) -> Iterator[None]:
    """Makes of what goes wrong while `output` is written one PyzzicatoError."""
    try:
        yield
    except OSError as error:
        raise PyzzicatoError(
            f"The model cannot be written to {output} ({error.strerror}): make room, or name "
            "another folder, and give the same command again; nothing is lost."
        ) from error


class _Run:
    """A network that is being taught, and how far it has come.

    `progress` has step, notes, days (notes and hours of each), history (a row an epoch) and, of a
    decay, the notes after which it began.
    """

    def __init__(self, plan: Recipe, dataset: Dataset, rng_seed: int, say: Say) -> None:
        import keras

        pieces = {name: dataset.split(name) for name in ("train", "val")}
        if not all(pieces.values()):
            raise PyzzicatoError(
                "There is no music to train on or none to check by in that folder: "
                "see what `pyzzicato data` says about it."
            )
        keras.utils.set_random_seed(rng_seed)
        keras.mixed_precision.set_global_policy(plan.training.get("precision", "float32"))
        family = family_of(plan.family)
        lessons = family.teaching
        constant = plan.training.get("schedule") == "constant"
        if not constant or not isinstance(lessons, Lessons) or lessons.counted is None:
            raise PyzzicatoError(
                f"There is no steady training of {plan.model}: it is for networks of notes whose "
                'recipe says schedule = "constant".'
            )
        self.plan, self.dataset, self.rng_seed, self.say = plan, dataset, rng_seed, say
        self.path = plan.run / CHECKPOINT
        self.progress: dict[str, Any] = {"step": 0, "notes": 0, "days": {}, "history": []}
        self.model = family.build(plan.config)
        self.model.compile(
            optimizer({**plan.training, "schedule": "constant"}, 1),
            loss=lessons.loss,
            metrics=lessons.metrics(),
            jit_compile=keras.backend.backend() == "jax",
        )
        self.model.optimizer.build(self.model.trainable_variables)
        self._learned = lessons.examples(pieces["train"], plan.config, training=True)
        self._learned.passed = 1.0
        self._counted = lessons.counted
        self._checked = lessons.examples(pieces["val"], plan.config, training=False)

    def until(self, notes: int | None) -> bool:
        """Goes on until so many notes have been seen (None: for ever); False where it was stopped.

        The last checkpoint is written at the end, whatever the reason.
        """
        each = self.plan.training["steps_per_epoch"]
        told, saved = _Sums(self._counted), time.monotonic()
        with _stopping() as stopped:
            while not stopped and (notes is None or self.progress["notes"] < notes):
                self._step(told, notes)
                if self.progress["step"] % each == 0:
                    self._row(told)
                    told = _Sums(self._counted)
                if time.monotonic() - saved > SAVED_EVERY:
                    self.keep()
                    saved = time.monotonic()
            if told.notes and not stopped:
                self._row(told)
            self.keep()
        return not stopped

    def keep(self) -> None:
        """Writes the checkpoint, and beside it the progress for people to read."""
        self.progress["network"] = self.plan.network
        save(self.path, self.model, self.progress)
        text = json.dumps(self.progress, indent=1) + "\n"
        with contextlib.suppress(OSError):  # the checkpoint has it all
            (self.plan.run / "training.json").write_text(text, encoding="utf-8")

    def _step(self, told: _Sums, notes: int | None) -> None:
        begun, progress = time.monotonic(), self.progress
        self.model.optimizer.learning_rate = self._rate(notes)
        # A decay is given other music than the steady part after the same checkpoint.
        key = (self.rng_seed, progress["step"], int("decay_from" in progress))
        inputs, target = self._learned.batch(np.random.default_rng(key))
        self.model.reset_metrics()
        logs = self.model.train_on_batch(inputs, target, return_dict=True)
        count = told.add(logs, target)
        if not np.isfinite(logs["loss"]):
            raise PyzzicatoError(
                f"The training went wrong after {progress['notes']:,} notes (the loss is no "
                "number): lower the learning_rate and give the same command again."
            )
        progress["step"] += 1
        progress["notes"] += count
        day = progress["days"].setdefault(time.strftime("%Y-%m-%d"), {"notes": 0, "hours": 0.0})
        day["notes"] += count
        day["hours"] += (time.monotonic() - begun) / 3600

    def _rate(self, notes: int | None) -> float:
        most: float = self.plan.training["learning_rate"]
        progress = self.progress
        if "decay_from" in progress and notes is not None:
            first: int = progress["decay_from"]
            seen: int = progress["notes"]
            return most * max(0.0, (notes - seen) / (notes - first))
        warm: int = self.plan.training.get("warmup_steps", 0)
        step: int = progress["step"]
        return most * min(1.0, (step + 1) / (warm + 1))

    def _row(self, told: _Sums) -> None:
        """One more row of the history: what was learned since the last, and the validation."""
        checked = _Sums(self._counted)
        for number in range(self.plan.training["validation_steps"]):
            batch: Batch = self._checked.batch(np.random.default_rng((self.rng_seed, number)))
            self.model.reset_metrics()
            checked.add(self.model.test_on_batch(*batch, return_dict=True), batch[1])
        progress = self.progress
        row: dict[str, Any] = {"epoch": len(progress["history"]), "notes": progress["notes"]}
        row["hours"] = round(sum(day["hours"] for day in progress["days"].values()), 4)
        row |= told.means() | {f"val_{name}": v for name, v in checked.means().items()}
        progress["history"].append(row)
        bits = row["val_loss"] / np.log(2)
        self.say(
            f"{progress['notes']:,} notes in {row['hours']:.2f} hours: "
            f"{row['loss'] / np.log(2):.3f} bits a note, validation {bits:.3f}"
        )


class _Sums:
    """Losses and metrics of several batches, added up note by note."""

    def __init__(self, counted: Callable[[np.ndarray], int]) -> None:
        self.notes = 0
        self._counted = counted
        self._sums: dict[str, float] = {}

    def add(self, logs: dict[str, float], target: np.ndarray) -> int:
        """Takes one batch in, whose logs are means over all places; returns its notes."""
        for name, mean in logs.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(mean) * target[..., 0].size
        count = self._counted(target)
        self.notes += count
        return count

    def means(self) -> dict[str, float]:
        """The means over notes."""
        return {name: round(total / self.notes, 5) for name, total in self._sums.items()}


@contextlib.contextmanager
def _stopping() -> Iterator[list[int]]:
    """A list that is no longer empty once the process is asked to stop, between two steps."""
    asked: list[int] = []
    before = {
        number: signal.signal(number, lambda signum, _: asked.append(signum))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
