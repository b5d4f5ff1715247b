"""Step graphs in ONNX Runtime: the only file that imports onnxruntime.

A `StepGraph` is loaded once and never changes; the state of a piece is a dict that `start` makes
and `advance` replaces, so any number of pieces run beside each other. One thread a session: for
batches this small a second one costs more than it brings, and two listeners share two cores.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime

from pyzzicato.errors import ModelUnavailable
from pyzzicato.step_graph import STATE_IN, STATE_OUT

__all__ = ["State", "StepGraph", "repeat", "weights_of"]

State = dict[str, np.ndarray]


def _unavailable(path: Path) -> ModelUnavailable:
    return ModelUnavailable(
        f"The model {path.parent.name} cannot be loaded: its file {path.name} is missing or "
        "damaged. Choose another model, or fetch the project's files again."
    )


class StepGraph:
    """A network that advances any number of pieces by any number of steps.

    Raises ModelUnavailable where the file is missing or is not a step graph.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                path.read_bytes(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises a dozen kinds of its own
            raise _unavailable(path) from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        states = {i.name: i.shape[1:] for i in inputs if i.name.startswith(STATE_IN)}
        self._states: dict[str, list[int]] = states
        self._next = [STATE_IN + o.name.removeprefix(STATE_OUT) for o in outputs[1:]]
        if set(self._next) != set(states):
            raise _unavailable(path)

    def start(self, takes: int) -> State:
        """The state at the beginning of `takes` pieces: zeros."""
        return {name: np.zeros((takes, *shape), np.float32) for name, shape in self._states.items()}

    def advance(self, inputs: Mapping[str, np.ndarray], state: State) -> tuple[np.ndarray, State]:
        """The outputs (takes, steps, n) for `inputs`, and the state after them."""
        results = self._session.run(None, {**inputs, **state})
        return results[0], dict(zip(self._next, results[1:], strict=True))


def repeat(state: State, takes: int) -> State:
    """The state of one piece, for `takes` pieces that go on from there apart."""
    return {name: np.repeat(values, takes, axis=0) for name, values in state.items()}


def weights_of(path: Path) -> dict[str, np.ndarray]:
    """The Keras variables that a step graph holds, by path, as float32.

    A convolution's kernel comes flat, (kernel x in, out); reshape it to the variable's shape.
    """
    import onnx
    from onnx import numpy_helper

    try:
        graph = onnx.load(str(path)).graph
    except Exception as error:  # protobuf and OS errors alike mean a missing or damaged file
        raise _unavailable(path) from error
    return {
        item.name: numpy_helper.to_array(item).astype(np.float32)
        for item in graph.initializer
        if not item.name.startswith("int:")
    }
