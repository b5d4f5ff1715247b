"""What storing weights as whole numbers costs a model, in nats; kept in its metrics.json.

    python tools/measure_rounding.py MODEL ... --data FOLDER [--runs runs]

Needs the folder of the training run, which holds the weights as float32, and h5py, which comes
with Keras. Works for the networks of chords and of characters.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import h5py
import numpy as np

from pyzzicato.datasets import music_for
from pyzzicato.errors import PyzzicatoError
from pyzzicato.evaluation import write_metrics
from pyzzicato.registry import ModelInfo, model_info
from pyzzicato.rounding import SPLITS, rounding_cost


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
    options = parser.parse_args()
    try:
        for info in map(model_info, options.models):
            kept = arrays_in(kept_file(info, options.runs))
            found = rounding_cost(info, music_for(info.training, options.data), kept)
            write_metrics(info, found)
            for split in SPLITS:
                print(f"{info.id}, {split}: {found['rounding'][split]}")
    except PyzzicatoError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
