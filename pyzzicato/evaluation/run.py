"""A model's score sheet: measured on music it was not trained on, written to its metrics.json.

The cards, the pages and the README read that file; nothing in them is typed by hand. Each of its
sections carries the fingerprint of the weights it was measured with, in `weights`, so that
figures that no longer belong to the weights can be told: `misfits`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyzzicato.data.pieces import Dataset
from pyzzicato.errors import ModelUnavailable, PyzzicatoError
from pyzzicato.evaluation.clips import Plan
from pyzzicato.evaluation.stamps import code_stamp
from pyzzicato.registry import ModelInfo

__all__ = ["evaluate", "evaluate_clips", "fingerprint", "misfits", "run_folder", "write_metrics"]

WEIGHTS = ("*.onnx", "*.npz", "*.h5", "vocabulary*.json")
STAMPS = "weights"
_WRITING = (
    "music",
    "codecs",
    "formats",
    "generation",
    "runtime",
    "seeds",
    "evaluation/clips",
    "evaluation/clip_writing",
)  # and the family: what decides over the notes of a clip
_MADE_BY = {
    "clips": "pyzzicato evaluate {id} --data FOLDER --clips 200 --only-clips",
    "minutes_long": "python benchmarks/minutes_long.py {id} --data FOLDER --write",
}  # other sections: `pyzzicato evaluate`
_VALUE = r"(?:[-+.e\d]+|null|\"[^\"\n]{0,63}\")"  # no fingerprint
_INNERMOST = re.compile(rf"[\[{{]\n[^\[\]{{}}\"]*(?:\"[a-z_]+\": {_VALUE},?\s*)*[\]}}]")


def evaluate(
    info: ModelInfo,
    dataset: Dataset,
    say: Callable[[str], None] = print,
    *,
    quick: bool = False,
) -> dict[str, Any]:
    """Measures how well the model tells real music, adds it to metrics.json as "scores".

    `quick` is rougher for a family that has `quick_scores`; with the others it is the same.
    Raises PyzzicatoError where `dataset` has no test split to measure on.
    """
    if not dataset.split("test") or not dataset.split("val"):
        raise PyzzicatoError(
            "That folder has too little music to measure on: it needs a validation and a test "
            "split (see `pyzzicato data`)."
        )
    from pyzzicato.training.family import family_of

    family = family_of(info.family)
    scores = (family.quick_scores if quick else None) or family.scores
    sheets = scores(info, dataset, say)
    return write_metrics(info, {"scores": [sheet.plain() for sheet in sheets]})


def evaluate_clips(
    info: ModelInfo,
    dataset: Dataset,
    plan: Plan,
    runs: Path,
    say: Callable[[str], None] = print,
    processes: int = 1,
) -> dict[str, Any]:
    """Measures what the model writes (`score_sheet`), adds it to metrics.json as "clips".

    What it wrote is kept under `runs`, so that the same call goes on where it stopped; with more
    than one of `processes` a script calls it under `if __name__ == "__main__":`. Raises
    ModelUnavailable without weights.
    """
    from pyzzicato.evaluation.score_sheet import score_sheet

    run = run_folder(info, plan, runs)
    sheet = score_sheet(info, dataset, plan, run, say, processes=processes)
    return write_metrics(info, {"clips": sheet})


def run_folder(info: ModelInfo, plan: Plan, runs: Path) -> Path:
    """Where what the model writes by a plan is kept: named after all that decides over it.

    That is its weights, its controls, what was measured of its training music, and the code that
    writes; a change of the app alone makes nothing anew.
    """
    key = plan.key(
        weights=fingerprint(info),
        controls=dataclasses.asdict(info.controls()),
        trained=info.trained,
        code=code_stamp(*_WRITING, f"families/{info.family.partition('.')[0]}"),
    )
    return Path(runs) / "evaluate" / f"{info.id}-{key}"


def write_metrics(info: ModelInfo, found: dict[str, Any]) -> dict[str, Any]:
    """Puts `found` into the model's metrics.json, beside what stands there already."""
    path = info.folder / "metrics.json"
    sheet = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    stamp = fingerprint(info)
    sheet.update(found)
    sheet[STAMPS] = {**sheet.get(STAMPS, {}), **dict.fromkeys(found, stamp)}
    text = json.dumps(sheet, indent=1, ensure_ascii=False, sort_keys=True, allow_nan=False)
    path.write_text(_INNERMOST.sub(_one_line, text) + "\n", encoding="utf-8")
    return dict(sheet)


def _one_line(found: re.Match[str]) -> str:
    """A list or table of plain values on one line, so that the file can be read."""
    short = re.sub(r"\n\s*", " ", found[0])
    return short.replace("{ ", "{").replace("[ ", "[").replace(" }", "}").replace(" ]", "]")


def fingerprint(info: ModelInfo) -> str:
    """The SHA-256 of a model's weights and vocabularies; raises ModelUnavailable without any."""
    files = sorted({path for pattern in WEIGHTS for path in info.folder.glob(pattern)})
    if not files:
        raise ModelUnavailable(
            f"The model {info.id} has no weights: train it, or fetch the project's files again."
        )
    total = hashlib.sha256()
    for path in files:
        total.update(f"{path.name} {path.stat().st_size}\n".encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def misfits(info: ModelInfo) -> list[str]:
    """What in metrics.json does not belong to the weights or the controls, in sentences."""
    if not info.metrics:
        return [f"{info.id}: nothing has been measured; {_command(info, '')} does it"]
    stamp, stamps = fingerprint(info), info.metrics.get(STAMPS, {})
    found = []
    for name in sorted(set(info.metrics) - {STAMPS}):
        if name not in stamps:
            why = f"it is not known with which weights “{name}” was measured"
        elif stamps[name] != stamp:
            why = f"“{name}” was measured with other weights"
        else:
            continue
        found.append(f"{info.id}: {why}; measure it again: {_command(info, name)}")
    measured = info.metrics.get("clips", {}).get("controls", {})
    usual = dataclasses.asdict(info.controls())
    changed = [n for n in usual if n in measured and n != "seconds" and usual[n] != measured[n]]
    if changed:
        found.append(
            f"{info.id}: “clips” were written with another {', '.join(changed)} than is usual now; "
            f"measure them again: {_command(info, 'clips')}"
        )
    return found + _of_another_classifier(info)


def _of_another_classifier(info: ModelInfo) -> list[str]:
    from pyzzicato.evaluation import recognition

    asked = info.metrics.get("clips", {}).get("recognition", {}).get("classifier")
    here = recognition.classifier_here() if asked else None
    if here is None or here.fingerprint == asked:
        return []
    return [
        f"{info.id}: whose music its “clips” sound of was asked of another classifier; measure "
        f"them again: {_command(info, 'clips')}"
    ]


def _command(info: ModelInfo, section: str) -> str:
    """What measures a section of metrics.json anew."""
    made_by = _MADE_BY.get(section, "pyzzicato evaluate {id} --data FOLDER")
    return made_by.format(id=info.id)
