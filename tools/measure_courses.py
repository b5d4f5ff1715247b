"""How dense and how high each composer's music is, written into a trained model's training.json.

    python tools/measure_courses.py MODEL --data FOLDER

Training writes it by itself ("course" and "register", see `pyzzicato.density.course_table` and
`pyzzicato.registers.register_table`); this is for a model that was trained before it did. It also
prints what the constants of `pyzzicato/courses.py` stand for: how like each other the windows of a
piece are, by how far they are apart, and where the first of them stands.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import NormalDist

import numpy as np

from pyzzicato.courses import KNOT, OPENING, PIECE, STAYS
from pyzzicato.datasets import Piece, music_for
from pyzzicato.density import course_table, window_densities
from pyzzicato.registers import register_table
from pyzzicato.registry import model_info

LAGS = (1, 2, 4, 8)


def ranks(pieces: Sequence[Piece]) -> list[np.ndarray]:
    """Each performance's windows as normal ranks among its composer's, (windows,)."""
    found: dict[str, list[np.ndarray]] = defaultdict(list)
    for piece in pieces:
        if piece.kind == "performance" and len(windows := window_densities(piece, KNOT)) > 2:
            found[piece.composer].append(windows)
    normal = np.vectorize(NormalDist().inv_cdf)
    lines = []
    for parts in found.values():
        every = np.sort(np.concatenate(parts))
        for windows in parts:
            low, high = (np.searchsorted(every, windows, side) for side in ("left", "right"))
            lines.append(normal((low + high) / 2 / len(every)))
    return lines


def tell(lines: Sequence[np.ndarray]) -> None:
    """Prints correlations beside those of a course, and the mean rank of openings."""
    for lag in LAGS:
        pairs = [np.stack([line[:-lag], line[lag:]]) for line in lines if len(line) > lag]
        real = np.corrcoef(np.concatenate(pairs, axis=1))[0, 1]
        made = PIECE + (1 - PIECE) * STAYS**lag
        print(f"{lag * KNOT:g} s apart: correlation {real:.2f}, of a course {made:.2f}")
    first = float(np.mean([line[0] for line in lines]))
    print(f"openings stand at {first:.2f} standard deviations, in a course {-OPENING:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    options = parser.parse_args()
    info = model_info(options.model)
    path = info.folder / "training.json"
    pieces = music_for(info.training, options.data).split("train")
    tables = {"course": course_table(pieces), "register": register_table(pieces)}
    told = json.loads(path.read_text(encoding="utf-8")) | tables
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(f"{path}: {', '.join(f'{len(table)} rows of {name}' for name, table in tables.items())}")
    tell(ranks(pieces))


if __name__ == "__main__":
    main()
