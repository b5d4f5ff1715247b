"""What storing weights as whole numbers costs a model; kept in its metrics.json.

    python tools/measure_rounding.py MODEL ... --data FOLDER [--runs runs] [--print]

Needs the folder of the training run, which holds the weights as float32, and h5py, which comes
with Keras. Works for the networks of chords and of characters, in nats, and for those that write
one note a step, in bits per note, on `--windows` windows a split that `--rng-seed` draws.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import h5py
import numpy as np

from pyzzicato.datasets import music_for
from pyzzicato.errors import PyzzicatoError
from pyzzicato.evaluation import write_metrics
from pyzzicato.registry import ModelInfo, model_info
from pyzzicato.rounding import rounding_cost


def kept_file(info: ModelInfo, runs: Path) -> Path:
    """The weights that the model was exported from: the last epoch's, or the best."""
    last = f"epoch_{info.trained['epochs']}" if info.training.get("keep_every") else "best"
    path = runs / info.id / f"{last}.weights.h5"
    if not path.exists():
        raise PyzzicatoError(f"{path} is not there: name the folder of training runs by --runs.")
    return path


def arrays_in(path: Path) -> list[np.ndarray]:
    """Every array of the network in a Keras weights file; none of the optimizer's."""
    found: list[np.ndarray] = []

    def visit(_: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            found.append(np.asarray(item, np.float32))

    with h5py.File(path) as file:
        file["layers"].visititems(visit)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--windows", type=int, default=50, help="of notes, a split (50)")
    parser.add_argument("--rng-seed", type=int, default=1)
    parser.add_argument(
        "--print", action="store_true", help="print it only, and leave metrics.json as it is"
    )
    options = parser.parse_args()
    try:
        for info in map(model_info, options.models):
            kept = arrays_in(kept_file(info, options.runs))
            found = rounding_cost(
                info,
                music_for(info.training, options.data),
                kept,
                most=options.windows,
                rng_seed=options.rng_seed,
            )
            if not options.print:
                write_metrics(info, found)
            print(f"{info.id}: {json.dumps(found)}")
    except PyzzicatoError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
