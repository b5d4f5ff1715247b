"""Step graphs in ONNX Runtime: the only file that imports onnxruntime.

A `StepGraph` is loaded once and never changes; the state of a piece is a dict that `start` makes
and `advance` replaces, so any number of pieces run beside each other. Where one piece takes many
single steps, `bind` ties the graph to arrays of that piece, which saves a third of the overhead.
One thread a session: for batches this small a second one costs more than it brings, and two
listeners share two cores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from pyzzicato.errors import ModelUnavailable
from pyzzicato.runtime.attention import CACHED_KEYS, CACHED_VALUES
from pyzzicato.runtime.graph_builder import SCALE, STATE_IN, STATE_OUT
from pyzzicato.runtime.threads import one_thread

__all__ = [
    "BlockGraph",
    "Bound",
    "Cache",
    "CachedGraph",
    "Carried",
    "MadeGraph",
    "State",
    "StepGraph",
    "repeat",
    "weights_of",
]

State = dict[str, np.ndarray]


def _unavailable(path: Path) -> ModelUnavailable:
    return ModelUnavailable(
        f"The model {path.parent.name} cannot be loaded: its file {path.name} is missing or "
        "damaged. Choose another model, or fetch the project's files again."
    )


def _session(path: Path, threads: int, made: bytes | None = None) -> onnxruntime.InferenceSession:
    """The session of the graph in `path`, or of `made`, a graph made from it."""
    one_thread()  # what a player computes beside its graphs
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Whole-number weights become float32 once, at loading: the products that ONNX Runtime would
    # make of them directly are a sixth faster here, but differ from processor to processor.
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    try:
        return onnxruntime.InferenceSession(
            made or path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime raises a dozen kinds of its own
        raise _unavailable(path) from error


class Bound:
    """A graph at fixed arrays: each call reads the inputs as they are and fills the outputs."""

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        inputs: Mapping[str, np.ndarray],
        outputs: Mapping[str, np.ndarray],
    ) -> None:
        self._session, self._binding = session, session.io_binding()
        # ONNX Runtime looks at the arrays' memory and does not hold on to them itself.
        self._values = {
            name: onnxruntime.OrtValue.ortvalue_from_numpy(array)
            for name, array in {**inputs, **outputs}.items()
        }
        for name in inputs:
            self._binding.bind_ortvalue_input(name, self._values[name])
        for name in outputs:
            self._binding.bind_ortvalue_output(name, self._values[name])

    def __call__(self) -> None:
        self._session.run_with_iobinding(self._binding)


class Carried:
    """A step graph on its way through a piece: `inputs` are written in place before each call,
    `output` is what it says after it, and the states change places with those after them.

    Arrays of float32, contiguous, for a fixed number of takes and steps; `state` is what comes
    before, and is overwritten.
    """

    def __init__(
        self, graph: StepGraph, inputs: Mapping[str, np.ndarray], output: np.ndarray, state: State
    ) -> None:
        after = {name: np.zeros_like(values) for name, values in state.items()}
        self._run, self._other = (
            graph.bind(inputs, output, before, then)
            for before, then in ((state, after), (after, state))
        )

    def __call__(self) -> None:
        self._run()
        self._run, self._other = self._other, self._run


class MadeGraph:
    """A graph that was made from the weights in a model's file (`path`) and is never saved."""

    def __init__(self, path: Path, made: bytes, threads: int = 1) -> None:
        self._session = _session(path, threads, made)

    def bind(self, inputs: Mapping[str, np.ndarray], outputs: Mapping[str, np.ndarray]) -> Bound:
        """A run from arrays to arrays, float32 and contiguous, by the names of the graph."""
        return Bound(self._session, inputs, outputs)


class BlockGraph:
    """A network that makes a block of music in one run, and has no state of its own.

    Raises ModelUnavailable where the file is missing or damaged.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._session = _session(path, threads)
        self._names = [item.name for item in self._session.get_outputs()]

    def run(self, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        """Every output by its name."""
        return dict(zip(self._names, self._session.run(None, inputs), strict=True))


class StepGraph:
    """A network that advances any number of pieces by any number of steps.

    Raises ModelUnavailable where the file is missing or is not a step graph.
    """

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._session = _session(path, threads)
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

    def bind(
        self, inputs: Mapping[str, np.ndarray], output: np.ndarray, before: State, after: State
    ) -> Bound:
        """A run from `inputs` and the state `before` to `output` and the state `after`: arrays
        of float32, contiguous, for a fixed number of takes and steps."""
        named = {STATE_OUT + name.removeprefix(STATE_IN): array for name, array in after.items()}
        return Bound(self._session, {**inputs, **before}, {"output": output, **named})


class CachedGraph:
    """A Transformer's step graph; the cache of keys and values is a `Cache`."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._session = _session(path, threads)
        found = {item.name: item.shape for item in self._session.get_inputs()}
        self.inputs = frozenset(found)
        self._layers = sum(name.startswith(CACHED_KEYS) for name in found)
        if not self._layers:
            raise _unavailable(path)
        _, self._heads, self._size, _ = found[f"{CACHED_KEYS}0"]

    def cache(self, takes: int, places: int) -> Cache:
        """An empty cache for `takes` pieces and their last `places` notes."""
        return Cache(self._layers, (takes, self._heads, self._size), places)

    def advance(self, inputs: Mapping[str, np.ndarray], cache: Cache) -> np.ndarray:
        """What the network makes of some new notes, (takes, steps, width); the cache takes them.

        At most `cache.places` notes at once.
        """
        steps = inputs["notes"].shape[1]
        cache.reserve(steps)
        place = (cache.written + np.arange(steps))[:, None]
        angle = place * 10000.0 ** (-np.arange(0, self._size, 2) / self._size)
        feed = {
            **inputs,
            **cache.feed(),
            "cos": np.cos(angle).astype(np.float32),
            "sin": np.sin(angle).astype(np.float32),
            "mask": cache.mask(steps),
        }
        results = self._session.run(None, feed)
        cache.write(results[1::2], results[2::2])
        hidden: np.ndarray = results[0]
        return hidden


class Cache:
    """Keys and values of the last `places` notes of some pieces; the newest takes the oldest's
    place. Room grows with the piece, so that short ones stay cheap."""

    def __init__(self, layers: int, shape: tuple[int, int, int], places: int) -> None:
        takes, heads, size = shape
        self.places = places
        self.written = 0
        self._keys = [np.zeros((takes, heads, size, 0), np.float32) for _ in range(layers)]
        self._values = [np.zeros((takes, heads, 0, size), np.float32) for _ in range(layers)]

    @property
    def _room(self) -> int:
        room: int = self._keys[0].shape[3]
        return room

    def reserve(self, steps: int) -> None:
        """Makes room for `steps` more notes, up to `places` in all."""
        wanted = min(self.places, self.written + steps)
        if wanted > self._room:
            more = min(self.places, max(wanted, 2 * self._room, 128)) - self._room
            grown = [(0, 0)] * 3
            self._keys = [np.pad(k, [*grown, (0, more)]) for k in self._keys]
            self._values = [np.pad(v, [(0, 0), (0, 0), (0, more), (0, 0)]) for v in self._values]

    def feed(self) -> dict[str, np.ndarray]:
        """The graph's inputs."""
        keys = {f"{CACHED_KEYS}{i}": k for i, k in enumerate(self._keys)}
        return keys | {f"{CACHED_VALUES}{i}": v for i, v in enumerate(self._values)}

    def mask(self, steps: int) -> np.ndarray:
        """What each of `steps` new notes may see: (steps, room + steps), 0 or a very low number."""
        seen = np.arange(self._room) < self.written
        # A cached note leaves the window as soon as `places` newer ones are there.
        age = self.written + np.arange(steps)[:, None] - self._position()[None, :]
        old = seen[None, :] & (age < self.places)
        new = np.tril(np.ones((steps, steps), bool))
        return np.where(np.concatenate([old, new], axis=1), 0.0, -1e9).astype(np.float32)

    def _position(self) -> np.ndarray:
        """The number of the note in each place."""
        place = np.arange(self._room)
        turns = (self.written - 1 - place) // max(self._room, 1)
        numbers: np.ndarray = place + np.maximum(turns, 0) * self._room
        return numbers

    def write(self, keys: Sequence[np.ndarray], values: Sequence[np.ndarray]) -> None:
        """Keeps what the graph gave of each layer's new notes."""
        steps = keys[0].shape[3]
        slots = (self.written + np.arange(steps)) % self._room
        for layer, (k, v) in enumerate(zip(keys, values, strict=True)):
            self._keys[layer][:, :, :, slots] = k
            self._values[layer][:, :, slots] = v
        self.written += steps

    def repeated(self, takes: int) -> Cache:
        """The cache of one piece, for `takes` pieces that go on from there apart."""
        copy = Cache(len(self._keys), (takes, *self._keys[0].shape[1:3]), self.places)
        copy.written = self.written
        copy._keys = [np.repeat(k, takes, axis=0) for k in self._keys]
        copy._values = [np.repeat(v, takes, axis=0) for v in self._values]
        return copy


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
    stored = {
        item.name: numpy_helper.to_array(item).astype(np.float32)
        for item in graph.initializer
        if not item.name.startswith(("int:", "number:"))
    }
    scales = {name: stored.pop(name) for name in list(stored) if name.endswith(SCALE)}
    return {name: array * scales.get(name + SCALE, 1.0) for name, array in stored.items()}
