"""The networks that `equal_time.py` compares with the flagship, and how each is taught.

Nothing by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from token_codec import build as build_of_tokens

from pyzzicato.datasets import Dataset
from pyzzicato.families import transformer
from pyzzicato.optimizers import optimizer
from pyzzicato.performance_examples import NoteWindows, note_loss
from pyzzicato.recipes import Recipe, load_keras, weights_by_path
from pyzzicato.registry import ModelInfo

LSTM_UNITS, LSTM_LAYERS = 528, 3  # as many weights as the six blocks of attention, to 1 %
WARM = 0.02  # of the time, in which the learning rate rises
FURTHER = 0.2  # of the recipe's rate, for weights that have been taught before
AVERAGING = 0.99


def recurrent(x: Any, notes: Any, config: Mapping[str, Any]) -> Any:
    """Three LSTM layers where the flagship has blocks of attention."""
    import keras
    from keras import layers

    if keras.backend.backend() == "torch":
        inside = _torch_lstm(config["width"])(x)
    else:
        inside = x
        for number in range(LSTM_LAYERS):
            inside = layers.LSTM(LSTM_UNITS, return_sequences=True, name=f"lstm_{number}")(inside)
    return x + layers.Dense(config["width"], use_bias=False, name="down")(inside)


def _torch_lstm(width: int) -> Any:
    import torch
    from keras.layers import TorchModuleWrapper

    class Layers(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = torch.nn.LSTM(width, LSTM_UNITS, LSTM_LAYERS, batch_first=True)

        def forward(self, x: Any) -> Any:
            return self.lstm(x.float())[0]

    return TorchModuleWrapper(Layers(), output_shape=(None, None, LSTM_UNITS), name="lstm")


def variants(plan: Recipe) -> dict[str, tuple[Callable[[], Any], Mapping[str, Any], Any]]:
    """By name: what builds the network, its config and its training table."""
    # Without composers the table is one row, and all windows are nobody's.
    own, plain = plan.config, {**plan.config, "composers": []}
    adamw = {**plan.training, "optimizer": "adamw"}
    tokens = {**own, "sounding": False}  # they read no notes beside which keys could sound
    small = {**tokens, "batch": max(1, own["batch"] // 4)}

    def build(config: Mapping[str, Any], core: Any = None) -> Callable[[], Any]:
        return lambda: transformer.build(config, core)

    return {
        "transformer": (build(own), own, plan.training),
        "no_composer": (build(plain), plain, plan.training),
        "lstm": (build(own, recurrent), own, {**adamw, "learning_rate": 0.002}),
        "adamw": (build(own), own, {**adamw, "learning_rate": 0.001}),
        "tokens": (partial(build_of_tokens, tokens), tokens, plan.training),
        "tokens_small": (partial(build_of_tokens, tokens), small, plan.training),
    }


@dataclass
class Taught:
    """How far a network's teaching has come: steps, notes seen, seconds on the processor."""

    step: int = 0
    notes: int = 0
    seconds: float = 0.0


def taught(
    build: Callable[[], Any],
    config: Mapping[str, Any],
    training: Mapping[str, Any],
    dataset: Dataset,
    minutes: float,
    rng_seed: int,
    begun: ModelInfo | None = None,
    shared: Path | None = None,
) -> tuple[Any, int, int]:
    """The network after so many minutes, the notes that it saw and its weights.

    The minutes are the process's own time on the processor: on one thread they are those of the
    clock, and what else the machine does takes none of them away. With `begun` it goes on from
    that model's weights, at a fifth of the rate. `shared` is a file for what the network has in
    common with one that is never told a composer, its teaching up to `told_from`: taken from there
    if it is there, else written.
    """
    import keras

    keras.utils.set_random_seed(rng_seed)
    keras.mixed_precision.set_global_policy(training.get("precision", "float32"))
    network, most = build(), float(training["learning_rate"])
    if begun:
        go_on_from(network, begun)
        most, config = most * FURTHER, {**config, "told_from": 0.0}
    constant = {**training, "schedule": "constant", "averaging": AVERAGING}
    compiled = keras.backend.backend() == "jax"
    network.compile(optimizer(constant, 1), loss=note_loss, jit_compile=compiled)
    examples = NoteWindows(dataset.split("train"), config, training=True)
    network.train_on_batch(*examples.batch(np.random.default_rng((rng_seed, 0))))  # made ready
    teach = partial(_teach, network, examples, 60 * minutes, most, rng_seed)
    done = restored(network, shared) if shared and shared.exists() else Taught()
    if shared and not done.step:
        teach(done, config["told_from"])
        store(network, done, shared)
    teach(done, 1.0)
    size = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
    return network, done.notes, size


def _teach(
    network: Any,
    examples: NoteWindows,
    seconds: float,
    most: float,
    rng_seed: int,
    done: Taught,
    until: float,
) -> None:
    """Goes on from what is `done` up to the share `until` of all the seconds."""
    since = process_time() - done.seconds
    while done.seconds < until * seconds:
        done.step += 1
        part = examples.passed = done.seconds / seconds
        rise, fall = min(1.0, part / WARM), 0.5 + 0.5 * np.cos(np.pi * part)
        network.optimizer.learning_rate = most * rise * float(fall)
        inputs, target = examples.batch(np.random.default_rng((rng_seed, done.step)))
        network.train_on_batch(inputs, target)
        done.notes += int((target[..., 0] >= 0).sum())
        done.seconds = process_time() - since


def store(network: Any, done: Taught, path: Path) -> None:
    """Keeps a network, what its optimiser remembers, and how far it has come."""
    from keras import ops

    arrays: dict[str, Any] = {
        str(n): ops.convert_to_numpy(variable) for n, variable in enumerate(_variables(network))
    }
    np.savez(path, **arrays, **asdict(done))


def restored(network: Any, path: Path) -> Taught:
    """Gives `network` what `store` kept; where it knows no composers, one row of theirs."""
    with np.load(path) as file:
        for n, variable in enumerate(_variables(network)):
            kept = file[str(n)]
            variable.assign(kept[: variable.shape[0]] if kept.ndim else kept)
        return Taught(int(file["step"]), int(file["notes"]), float(file["seconds"]))


def _variables(network: Any) -> list[Any]:
    return [*network.weights, *network.optimizer.variables]


def go_on_from(network: Any, info: ModelInfo) -> None:
    """Gives `network` the weights of a model; where it knows no composers, the row of nobody."""
    stored = weights_by_path(load_keras(info))
    for weight in network.weights:
        # Only the table of composers can be shorter; its first row is nobody's.
        weight.assign(stored[weight.path][: weight.shape[0]])
