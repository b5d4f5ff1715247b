"""Writes ONNX step graphs from Keras weights: state in, some steps, the same steps out, state out.

A graph takes any number of steps, so one graph is both the fast reading of a seed (many steps)
and generation (one step). Initializers keep the names of the Keras variables, so the weights
are stored once and `runtime.session.weights_of` gives them back for teaching and for tests.
They are stored as float16, or, where a graph is made with `stored="int8"`, large matrices as
whole numbers with one scale a column; both become float32 when the graph is loaded. A graph that
is made for playing only and never saved keeps them as they are (`stored="float32"`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["SCALE", "STATE_IN", "STATE_OUT", "Graph"]

STATE_IN, STATE_OUT = "state_in/", "state_out/"
SCALE = ":scale"  # after a weight's name: what its whole numbers stand for, a number a column
LARGE = 4096  # a matrix with fewer entries stays float16
FAR = 2**31 - 1  # ONNX's way to say "to the end" in a slice


class Graph:
    """A graph under construction; values are named by strings, as in ONNX.

    `weights` maps a Keras variable's path to its array; only those that are used are stored.
    `inputs` maps names to shapes, whose strings are dimensions known at run time only.
    `stored` is "float16", "int8" or "float32".
    """

    def __init__(
        self,
        weights: Mapping[str, np.ndarray],
        inputs: Mapping[str, tuple[int | str, ...]],
        stored: str = "float16",
    ) -> None:
        from onnx import TensorProto, helper

        self._whole_numbers, self._as_they_are = stored == "int8", stored == "float32"
        self._helper, self._float = helper, TensorProto.FLOAT
        self._weights = weights
        self._nodes: list[Any] = []
        self._stored: dict[str, Any] = {}
        self._inputs = [
            helper.make_tensor_value_info(name, self._float, shape)
            for name, shape in inputs.items()
        ]
        self._outputs: list[Any] = []

    def op(self, kind: str, *values: str, **attributes: Any) -> str:
        """One operator with one output; returns the output's name."""
        name = f"{kind}_{len(self._nodes)}"
        self._nodes.append(self._helper.make_node(kind, list(values), [name], **attributes))
        return name

    def weight(self, path: str) -> str:
        """The Keras variable at `path`, as float32 (stored smaller)."""
        return self._store(path, self._weights[path])

    def _store(self, name: str, values: np.ndarray) -> str:
        from onnx import TensorProto, numpy_helper

        if self._as_they_are:
            self._stored[name] = numpy_helper.from_array(np.asarray(values, np.float32), name)
            return name
        if name in self._stored:
            return name + ":float"
        if self._whole_numbers and values.ndim == 2 and values.size >= LARGE:
            self._store_whole(name, np.asarray(values, np.float32))
        else:
            half = np.asarray(values, np.float32).astype(np.float16)
            self._stored[name] = numpy_helper.from_array(half, name)
            cast = self._helper.make_node("Cast", [name], [name + ":float"], to=TensorProto.FLOAT)
            self._nodes.append(cast)
        return name + ":float"

    def _store_whole(self, name: str, values: np.ndarray) -> None:
        from onnx import numpy_helper

        scale = np.maximum(np.abs(values).max(axis=0), 1e-12) / 127
        parts = {name: np.rint(values / scale).astype(np.int8), name + SCALE: scale}
        self._stored |= {key: numpy_helper.from_array(part, key) for key, part in parts.items()}
        node = self._helper.make_node("DequantizeLinear", list(parts), [name + ":float"], axis=1)
        self._nodes.append(node)

    def constant(self, values: Any) -> str:
        """Whole numbers as a constant."""
        from onnx import numpy_helper

        array = np.asarray(values, np.int64)
        name = "int:" + ",".join(map(str, array.ravel())) + f":{array.ndim}"
        if name not in self._stored:
            self._stored[name] = numpy_helper.from_array(array, name)
        return name

    def slice(self, value: str, axis: int, start: int, stop: int | None) -> str:
        """value[start:stop] along `axis`."""
        end = FAR if stop is None else stop
        bounds = (self.constant([start]), self.constant([end]), self.constant([axis]))
        return self.op("Slice", value, *bounds)

    def split(self, value: str, axis: int, *lengths: int) -> list[str]:
        """`value` cut into parts of these lengths along `axis`."""
        names = [f"Split_{len(self._nodes)}_{part}" for part in range(len(lengths))]
        inputs = [value, self.constant(lengths)]
        self._nodes.append(self._helper.make_node("Split", inputs, names, axis=axis))
        return names

    def shape(self, value: str, first: int, stop: int) -> str:
        """The lengths of `value` along the axes first..stop-1, known at run time only."""
        return self.op("Shape", value, start=first, end=stop)

    def join(self, *shapes: str) -> str:
        """Shapes one after another."""
        return self.op("Concat", *shapes, axis=0)

    def _length(self, value: str, axis: int) -> str:
        return self.shape(value, axis, axis + 1)

    def slice_to(self, value: str, axis: int, like: str, like_axis: int) -> str:
        """value[:n] along `axis`, n being the length of `like` along `like_axis`."""
        bounds = (self.constant([0]), self._length(like, like_axis), self.constant([axis]))
        return self.op("Slice", value, *bounds)

    def slice_from(self, value: str, axis: int, like: str, like_axis: int) -> str:
        """value[n:] along `axis`, n being the length of `like` along `like_axis`."""
        bounds = (self._length(like, like_axis), self.constant([FAR]), self.constant([axis]))
        return self.op("Slice", value, *bounds)

    def reshape(self, value: str, shape: tuple[int, ...]) -> str:
        return self.op("Reshape", value, self.constant(shape))

    def unsqueeze(self, value: str, axis: int) -> str:
        return self.op("Unsqueeze", value, self.constant([axis]))

    def squeeze(self, value: str, axis: int) -> str:
        return self.op("Squeeze", value, self.constant([axis]))

    def cast_int(self, value: str) -> str:
        from onnx import TensorProto

        return self.op("Cast", value, to=TensorProto.INT64)

    def number(self, value: float) -> str:
        """One number as a constant."""
        from onnx import numpy_helper

        name = f"number:{value!r}"
        if name not in self._stored:
            self._stored[name] = numpy_helper.from_array(np.array(value, np.float32), name)
        return name

    def gather(self, path: str, rows: str) -> str:
        """Rows of the Keras variable at `path` (an embedding)."""
        return self.op("Gather", self.weight(path), rows, axis=0)

    def dense(self, value: str, layer: str) -> str:
        """A Keras Dense layer without its activation."""
        product = self.op("MatMul", value, self.weight(f"{layer}/kernel"))
        return self.op("Add", product, self.weight(f"{layer}/bias"))

    def dense_row(self, value: str, layer: str) -> str:
        """A Keras Dense layer without its activation, on one step: (batch, n) -> (batch, m)."""
        kernel, bias = self.weight(f"{layer}/kernel"), self.weight(f"{layer}/bias")
        return self.op("Gemm", value, kernel, bias)

    def flat_dense(self, value: str, layer: str) -> str:
        """A Keras Conv1D whose taps lie side by side in `value`; its kernel as one matrix."""
        kernel = np.asarray(self._weights[f"{layer}/kernel"])
        flat = self._store(f"{layer}/kernel", kernel.reshape(-1, kernel.shape[-1]))
        return self.op("Add", self.op("MatMul", value, flat), self.weight(f"{layer}/bias"))

    def convolved(self, value: str, layer: str, stride: int, *, transposed: bool = False) -> str:
        """A Keras Conv1D or Conv1DTranspose, padded to "same": (batch, n, steps) in and out.

        `stride` divides (or, transposed, multiplies) the steps without a rest; the kernel's
        length less the stride is even.
        """
        kernel = np.asarray(self._weights[f"{layer}/kernel"])
        flat = self._store(f"{layer}/kernel", kernel.reshape(-1, kernel.shape[-1]))
        whole = self.op("Transpose", self.reshape(flat, kernel.shape), perm=[2, 1, 0])
        pad = (len(kernel) - stride) // 2
        kind = "ConvTranspose" if transposed else "Conv"
        bias = self.weight(f"{layer}/bias")
        return self.op(kind, value, whole, bias, strides=[stride], pads=[pad, pad])

    def state(self, name: str, shape: tuple[int, ...]) -> str:
        """A state per take, (batch, *shape); zeros at the beginning of a piece."""
        full: tuple[int | str, ...] = ("batch", *shape)
        self._inputs.append(self._helper.make_tensor_value_info(STATE_IN + name, self._float, full))
        self._outputs.append(
            self._helper.make_tensor_value_info(STATE_OUT + name, self._float, full)
        )
        return STATE_IN + name

    def input(self, name: str, shape: tuple[int | str, ...]) -> str:
        """One more input of the graph."""
        self._inputs.append(self._helper.make_tensor_value_info(name, self._float, shape))
        return name

    def output(self, name: str, value: str, shape: tuple[int | str | None, ...]) -> None:
        """One more output of the graph, after the first."""
        self._nodes.append(self._helper.make_node("Identity", [value], [name]))
        self._outputs.append(self._helper.make_tensor_value_info(name, self._float, shape))

    def next_state(self, name: str, value: str) -> None:
        """What `state(name)` is after these steps."""
        self._nodes.append(self._helper.make_node("Identity", [value], [STATE_OUT + name]))

    def lstm(self, value: str, layer: str, units: int) -> str:
        """A Keras LSTM layer, its state carried; (batch, steps, n) -> (batch, steps, units).

        Keras orders the gates i, f, c, o; ONNX i, o, f, c: the operator's weights are sliced and
        joined anew when the graph is loaded, so that the stored ones stay as Keras has them.
        """
        cell = f"{layer}/lstm_cell"
        packed = [
            self._onnx_gates(
                self.op("Transpose", self.weight(f"{cell}/{part}"), perm=[1, 0]), units
            )
            for part in ("kernel", "recurrent_kernel")
        ]
        bias = self._onnx_gates(self.unsqueeze(self.weight(f"{cell}/bias"), 1), units)
        flat = self.op("Squeeze", bias, self.constant([2]))
        no_bias = self.op("Sub", flat, flat)  # Keras has one bias where ONNX has two
        both = self.op("Concat", flat, no_bias, axis=1)
        before = [self.state(f"{layer}_{part}", (units,)) for part in ("h", "c")]
        h, c = (self.unsqueeze(state, 0) for state in before)
        name = f"LSTM_{len(self._nodes)}"
        self._nodes.append(
            self._helper.make_node(
                "LSTM",
                [self.op("Transpose", value, perm=[1, 0, 2]), *packed, both, "", h, c],
                [name, name + "_h", name + "_c"],
                hidden_size=units,
            )
        )
        self.next_state(f"{layer}_h", self.squeeze(name + "_h", 0))
        self.next_state(f"{layer}_c", self.squeeze(name + "_c", 0))
        return self.op("Transpose", self.squeeze(name, 1), perm=[1, 0, 2])

    def gru(self, value: str, layer: str, units: int) -> str:
        """A Keras GRU layer (`reset_after`, its default), its state carried; shapes as in `lstm`.

        Keras and ONNX order the gates alike, z, r, h; each has one bias for what comes in and
        one for the state.
        """
        cell = f"{layer}/gru_cell"
        packed = [
            self.unsqueeze(self.op("Transpose", self.weight(f"{cell}/{part}"), perm=[1, 0]), 0)
            for part in ("kernel", "recurrent_kernel")
        ]
        bias = self.reshape(self.weight(f"{cell}/bias"), (1, 6 * units))
        before = self.unsqueeze(self.state(f"{layer}_h", (units,)), 0)
        name = f"GRU_{len(self._nodes)}"
        self._nodes.append(
            self._helper.make_node(
                "GRU",
                [self.op("Transpose", value, perm=[1, 0, 2]), *packed, bias, "", before],
                [name, name + "_h"],
                hidden_size=units,
                linear_before_reset=1,
            )
        )
        self.next_state(f"{layer}_h", self.squeeze(name + "_h", 0))
        return self.op("Transpose", self.squeeze(name, 1), perm=[1, 0, 2])

    def _onnx_gates(self, rows: str, units: int) -> str:
        """(4 x units, n) in Keras' gate order -> (1, 4 x units, n) in ONNX's."""
        gates = [self.slice(rows, 0, gate * units, (gate + 1) * units) for gate in (0, 3, 1, 2)]
        return self.unsqueeze(self.op("Concat", *gates, axis=0), 0)

    def model(
        self, output: str, shape: tuple[int | str | None, ...] = ("batch", "steps", None)
    ) -> Any:
        """The finished onnx.ModelProto; its first output is called "output"."""
        from onnx import checker

        self._nodes.append(self._helper.make_node("Identity", [output], ["output"]))
        first = self._helper.make_tensor_value_info("output", self._float, shape)
        graph = self._helper.make_graph(
            self._nodes, "step", self._inputs, [first, *self._outputs], list(self._stored.values())
        )
        opset = [self._helper.make_opsetid("", 18)]
        model = self._helper.make_model(graph, opset_imports=opset, ir_version=9)
        checker.check_model(model)
        return model
