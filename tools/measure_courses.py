"""How dense each composer's music is, written into a trained model's training.json.

    python tools/measure_courses.py MODEL --data FOLDER

Training writes it by itself ("course", see `pyzzicato.density.course_table`); this is for a model
that was trained before it did.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from pyzzicato.datasets import music_for
from pyzzicato.density import course_table
from pyzzicato.registry import model_info


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    options = parser.parse_args()
    info = model_info(options.model)
    path = info.folder / "training.json"
    table = course_table(music_for(info.training, options.data).split("train"))
    told = json.loads(path.read_text(encoding="utf-8")) | {"course": table}
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(f"{path}: {len(table)} rows")


if __name__ == "__main__":
    main()
