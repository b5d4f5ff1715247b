"""What a long training keeps on disk: one file with everything it needs to go on, and a lock.

A checkpoint is an `.npz`: every variable of the network and of its optimiser, and `progress`,
a JSON text. It does not depend on the backend of Keras.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np

from pyzzicato.errors import PyzzicatoError
from pyzzicato.runtime.files import replacing

__all__ = ["locked", "read_progress", "restore", "save"]


def save(path: Path, model: Any, progress: Mapping[str, Any]) -> None:
    """Writes a checkpoint beside `path`, then moves it there; until then the one before stays.

    Raises PyzzicatoError where there is no room.
    """
    from keras import ops

    arrays = {name: ops.convert_to_numpy(variable) for name, variable in _variables(model).items()}
    buffer = io.BytesIO()
    np.savez(buffer, progress=np.frombuffer(json.dumps(progress).encode(), np.uint8), **arrays)
    try:
        with replacing(path) as beside:
            beside.write_bytes(buffer.getbuffer())
    except OSError as error:
        raise PyzzicatoError(
            f"The checkpoint {path} cannot be written ({error.strerror}): the one before is whole; "
            "make room and give the same command again, it goes on from there."
        ) from error


def read_progress(path: Path) -> dict[str, Any]:
    """What a checkpoint says of the training so far; raises PyzzicatoError where it is damaged."""
    return _read(path)[0]


def restore(path: Path, model: Any, network: Mapping[str, Any]) -> dict[str, Any]:
    """Gives `model`, whose optimiser is built, what a checkpoint holds; returns its progress.

    Raises PyzzicatoError where it is damaged or where its "network" is not `network`, the
    settings that weights depend on.
    """
    progress, arrays = _read(path)
    kept = progress["network"]
    for name in sorted(network.keys() | kept.keys()):
        if network.get(name) != kept.get(name):
            raise PyzzicatoError(
                f"The checkpoint {path} is of another recipe, with {name} = "
                f"{json.dumps(kept.get(name))} where now it is {json.dumps(network.get(name))}: "
                "set it back, or begin anew with another folder for --runs."
            )
    for name, variable in _variables(model).items():
        variable.assign(arrays[name])
    return progress


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps a second training out of `folder`; when a process ends, however, its lock goes with it.

    Raises PyzzicatoError where another training is at work.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as file:
        if not _lock(file):
            raise PyzzicatoError(
                f"Another training is at work in {folder}: wait until it ends or stop it, or name "
                "another folder with --runs."
            )
        yield


def _lock(file: IO[str]) -> bool:
    """Whether `file` is ours from now on; it is given back when it is closed."""
    if sys.platform == "win32":
        import msvcrt

        take = partial(msvcrt.locking, file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        take = partial(fcntl.flock, file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        take()
    except OSError:
        return False
    return True


def _read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The progress and the arrays of a checkpoint."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = dict(stored)
        return json.loads(arrays.pop("progress").tobytes()), arrays
    except Exception as error:  # a damaged archive fails in more ways than can be named
        raise PyzzicatoError(
            f"The checkpoint {path} is not whole: put a good copy in its place, or take it away "
            "to begin anew."
        ) from error


def _variables(model: Any) -> dict[str, Any]:
    """Every variable of a network, by its path, and of its optimiser, by its number."""
    weights = {f"network/{weight.path}": weight for weight in model.weights}
    return weights | {f"optimizer/{n}": each for n, each in enumerate(model.optimizer.variables)}
