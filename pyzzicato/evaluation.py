"""A model's score sheet: measured on the test split, written to its metrics.json.

The cards, the pages and the README read that file; nothing in them is typed by hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pyzzicato.datasets import Dataset
from pyzzicato.errors import PyzzicatoError
from pyzzicato.registry import ModelInfo

__all__ = ["evaluate", "write_metrics"]


def evaluate(
    info: ModelInfo, dataset: Dataset, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """Measures what the model's family supports and adds it to metrics.json.

    Raises PyzzicatoError where `dataset` has no test split to measure on.
    """
    if not dataset.split("test") or not dataset.split("val"):
        raise PyzzicatoError(
            "That folder has too little music to measure on: it needs a validation and a test "
            "split (see `pyzzicato data`)."
        )
    from pyzzicato.training import family_module

    found = family_module(info.family).scores(info, dataset, say)
    return write_metrics(info, found)


def write_metrics(info: ModelInfo, found: dict[str, Any]) -> dict[str, Any]:
    """Puts `found` into the model's metrics.json, beside what stands there already."""
    path = info.folder / "metrics.json"
    sheet = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    sheet.update(found)
    text = json.dumps(sheet, indent=1, ensure_ascii=False, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")
    return dict(sheet)
