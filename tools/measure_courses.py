"""How dense, high and connected each composer's music is, for a trained model's training.json.

    python tools/measure_courses.py MODEL --data FOLDER

Training writes it by itself ("course" and "steadiness", see `data.density`, "register", see
`processors.register`, and "touch", see `processors.articulation`); this is for a model trained
before it did. It also prints what windows of a piece have in common, by how far they are apart, and
where the first of them stands: `OPENING` in `transformer/processors/density_control.py`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pyzzicato.data.density import course_table, in_common, steadiness_table, window_ranks
from pyzzicato.data.load import music_for
from pyzzicato.families.transformer.processors.articulation import touch_table
from pyzzicato.families.transformer.processors.density_control import KNOT, OPENING
from pyzzicato.families.transformer.processors.register import register_table
from pyzzicato.registry import model_info

LAGS = (1, 2, 4, 8)


def tell(lines: Sequence[np.ndarray]) -> None:
    """Prints what windows of a piece have in common, and the mean rank of openings."""
    for lag in LAGS:
        print(f"{lag * KNOT:g} s apart: {in_common(lines, lag):.2f} in common")
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
    tables = {
        "course": course_table(pieces),
        "steadiness": steadiness_table(pieces),
        "register": register_table(pieces),
        "touch": touch_table(pieces),
    }
    told = json.loads(path.read_text(encoding="utf-8")) | tables
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(f"{path}: {', '.join(f'{len(table)} rows of {name}' for name, table in tables.items())}")
    tell([line for lines in window_ranks(pieces).values() for line in lines])


if __name__ == "__main__":
    main()
