"""Conv1D and pseudo-WaveNet: causal convolutions that draw the piano roll step by step.

Source: Pyzzicato (2021). The published pseudo-WaveNet is "5 Conv1D blocks, dilation between 2
and 16, then a classification block", the last activation a sigmoid over 88 keys; the published
Conv1D has "a few layers". Not stated there and decided here: kernel 5, dilations 2, 4, 8, 16,
16 (so that the network sees 9 s, close to the published 10 s), 128 channels, gated and residual
blocks with skip connections as in WaveNet (van den Oord et al., 2016), AdamW.
Differs from the source in: onsets, velocities, a note count, and the composer and density as
inputs (see `piano_roll/windows.py`). The sigmoid is applied where keys are chosen
(`pyzzicato/families/piano_roll/generate.py`), not in the graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyzzicato.errors import ModelUnavailable
from pyzzicato.families.piano_roll.evaluate import roll_scores
from pyzzicato.families.piano_roll.generate import RollGenerator
from pyzzicato.families.piano_roll.layers import finished, finished_graph, inputs, started_graph
from pyzzicato.families.piano_roll.walk import NOW, PAST, QueueWalk
from pyzzicato.families.piano_roll.windows import (
    INPUTS,
    OUTPUTS,
    RollWindows,
    roll_loss,
    roll_metrics,
)
from pyzzicato.families.piano_roll.wishes import roll_statistics
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.graph_builder import STATE_IN, Graph
from pyzzicato.runtime.session import MadeGraph, State, weights_of
from pyzzicato.training.family import Family, Lessons

__all__ = ["FAMILY", "build", "export", "one_step"]


@dataclass(frozen=True)
class Config:
    """The keys of [config] and [training.augmentation]."""

    steps_per_second: int
    channels: int
    kernel: int
    dilations: Sequence[int]
    gated: bool
    skip: int
    hidden: int
    embedding: int
    dropout: float
    transpose: int = 0
    corrupted: float = 0.0
    corruption: float = 0.0


def build(config: Mapping[str, Any]) -> Any:
    """The Keras model: roll (batch, steps, 264) and condition (batch, 2) -> (batch, steps, 274).

    `config` has composers, channels, kernel, dilations (one per block), gated (bool), skip and
    hidden (widths of the classification block), embedding.
    """
    from keras import layers, ops

    roll, condition, about = inputs(config)
    channels, skip = config["channels"], config["skip"]
    x = layers.Dense(channels, name="input")(roll)
    skips = []
    for block, dilation in enumerate(config["dilations"]):
        width = channels * (2 if config["gated"] else 1)
        convolved = layers.Conv1D(
            width, config["kernel"], padding="causal", dilation_rate=dilation, name=f"conv_{block}"
        )(x)
        told = layers.Dense(width, use_bias=False, name=f"told_{block}")(about)
        z = convolved + told[:, None, :]
        if config["gated"]:
            z = ops.tanh(z[..., :channels]) * ops.sigmoid(z[..., channels:])
        else:
            z = ops.relu(z)
        mixed = layers.Dense(channels + skip, name=f"mix_{block}")(z)
        x = x + mixed[..., :channels]
        skips.append(mixed[..., channels:])
    y = ops.relu(layers.Add()(skips) if len(skips) > 1 else skips[0])
    y = layers.Dense(config["hidden"], activation="relu", name="hidden")(y)
    return finished(roll, condition, y, config)


def export(weights: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The step graph: any number of steps in, the same number out, queues as state.

    A convolution with dilation d over kernel k keeps its last (k - 1) d inputs as a queue, joins
    the new steps to it and reads k shifted slices side by side: one matrix product a block.
    """
    graph, about = started_graph(weights, config)
    channels, kernel = config["channels"], config["kernel"]
    x = graph.dense("roll", "input")
    skips = []
    for block, dilation in enumerate(config["dilations"]):
        reach = (kernel - 1) * dilation
        queue = graph.state(f"queue_{block}", (reach, channels))
        joined = graph.op("Concat", queue, x, axis=1)
        graph.next_state(f"queue_{block}", graph.slice(joined, 1, -reach, None))
        ends = [tap * dilation - reach or None for tap in range(kernel)]
        taps = [graph.slice(joined, 1, tap * dilation, ends[tap]) for tap in range(kernel)]
        beside = graph.op("Concat", *taps, axis=2)
        convolved = graph.flat_dense(beside, f"conv_{block}")
        told = graph.unsqueeze(graph.op("MatMul", about, graph.weight(f"told_{block}/kernel")), 1)
        z = graph.op("Add", convolved, told)
        if config["gated"]:
            left = graph.op("Tanh", graph.slice(z, 2, 0, channels))
            right = graph.op("Sigmoid", graph.slice(z, 2, channels, 2 * channels))
            z = graph.op("Mul", left, right)
        else:
            z = graph.op("Relu", z)
        mixed = graph.dense(z, f"mix_{block}")
        x = graph.op("Add", x, graph.slice(mixed, 2, 0, channels))
        skips.append(graph.slice(mixed, 2, channels, channels + config["skip"]))
    y = graph.op("Relu", graph.op("Sum", *skips))
    y = graph.op("Relu", graph.dense(y, "hidden"))
    return finished_graph(graph, y)


def one_step(weights: Mapping[str, np.ndarray], config: Mapping[str, Any]) -> bytes:
    """The same network for one step whose taps are picked out already; see `QueueWalk`.

    Made when a model is loaded, from the weights of its step graph, so that they are stored
    once. Products over several inputs are one product over all of them side by side: the taps
    and what is told of the condition, and the output with the straight way past the layers.
    """
    channels, skip, last = config["channels"], config["skip"], len(config["dilations"]) - 1
    tapped = (config["kernel"] - 1) * channels
    graph = Graph(
        _side_by_side(weights, config),
        {
            "roll": ("batch", INPUTS),
            "about": ("batch", config["embedding"] + 1),
            PAST: ("batch", (last + 1) * tapped),
        },
        stored="float32",
    )
    x = graph.dense_row("roll", "input")
    entered, skips = [], []
    for block, past in enumerate(graph.split(PAST, 1, *[tapped] * (last + 1))):
        entered.append(x)
        z = graph.dense_row(graph.op("Concat", past, x, "about", axis=1), f"conv_{block}")
        if config["gated"]:
            left, right = graph.split(z, 1, channels, channels)
            z = graph.op("Mul", graph.op("Tanh", left), graph.op("Sigmoid", right))
        else:
            z = graph.op("Relu", z)
        mixed = graph.dense_row(z, f"mix_{block}")
        if block == last:  # what it would hand on is read by nobody
            skips.append(mixed)
        else:
            more, passed = graph.split(mixed, 1, channels, skip)
            x = graph.op("Add", x, more)
            skips.append(passed)
    y = graph.op("Relu", graph.op("Sum", *skips))
    y = graph.op("Relu", graph.dense_row(y, "hidden"))
    graph.output(NOW, graph.op("Concat", *entered, axis=1), ("batch", (last + 1) * channels))
    output = graph.dense_row(graph.op("Concat", y, "roll", axis=1), "output")
    made: bytes = graph.model(output, ("batch", OUTPUTS)).SerializeToString()
    return made


def _side_by_side(
    weights: Mapping[str, np.ndarray], config: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """The weights as `one_step` multiplies them."""
    last = len(config["dilations"]) - 1
    joined = dict(weights)
    for block in range(last + 1):
        kernel = weights[f"conv_{block}/kernel"]
        flat = kernel.reshape(-1, kernel.shape[-1])
        joined[f"conv_{block}/kernel"] = np.concatenate([flat, weights[f"told_{block}/kernel"]])
    for part in ("kernel", "bias"):
        joined[f"mix_{last}/{part}"] = weights[f"mix_{last}/{part}"][..., config["channels"] :]
    both = [weights["output/kernel"], weights["straight/kernel"]]
    joined["output/kernel"] = np.concatenate(both)
    return joined


class WaveNet(RollGenerator):
    """A trained network of this family: reads the seed at once, then goes on step by step."""

    def __init__(self, info: ModelInfo) -> None:
        super().__init__(info)
        weights = weights_of(info.weights)
        try:
            made = one_step(weights, info.config)
        except (KeyError, ValueError) as error:
            raise ModelUnavailable(
                f"The weights of the model {info.id} are not those of its model.toml: "
                f"train it again with `pyzzicato train {info.id}`."
            ) from error
        self.composers = weights["composer/embeddings"]
        self.one_step = MadeGraph(info.weights, made)

    def walk(self, state: State, row: int, takes: int) -> QueueWalk:
        """See `RollGenerator.walk`."""
        dilations = self.info.config["dilations"]
        queues = [state[f"{STATE_IN}queue_{block}"] for block in range(len(dilations))]
        return QueueWalk(self.one_step, queues, dilations, self.composers[row])


FAMILY = Family(
    config=Config,
    build=build,
    export=export,
    generator=WaveNet,
    scores=roll_scores,
    teaching=Lessons(RollWindows, roll_loss, roll_metrics),
    statistics=roll_statistics,
)
