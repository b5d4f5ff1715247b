"""Try the settings of models on the validation split and say which should be the usual one.

    python tools/tune_defaults.py lstm wavenet --data FOLDER
    python tools/tune_defaults.py --write-page

Writes `benchmarks/tuning.json`, from which `docs/tuning.md` is made. A stopped run goes on where
it was. A default is changed by hand, in the family's Controls, where the tool says so; what stands
in the file is then kept as the record of before and after, so change it when all is tried.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from pyzzicato.cli_options import add_runs, say
from pyzzicato.datasets import music_for
from pyzzicato.errors import PyzzicatoError
from pyzzicato.evaluation import fingerprint
from pyzzicato.registry import ModelInfo, model_info, models
from pyzzicato.tuning import RNG_SEEDS, page, promising, settings, tried, verdict
from pyzzicato.workers import cores

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "benchmarks" / "tuning.json"
PAGE = ROOT / "docs" / "tuning.md"


def main() -> int:
    """Tries all settings of the models that are named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("models", nargs="*", metavar="ID")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="real music")
    parser.add_argument("--clips", type=int, default=8, metavar="N", help="a composer (default: 8)")
    parser.add_argument("--processes", type=int, default=cores(), metavar="N")
    parser.add_argument("--write-page", action="store_true", help="only make docs/tuning.md anew")
    add_runs(parser, "what was written, from which a stopped run goes on")
    options = parser.parse_args()
    try:
        if not options.write_page:
            if not options.models or options.data is None:
                raise PyzzicatoError("Say which models, and where real music is: --data FOLDER.")
            for model in options.models:
                _tune(model_info(model), options)
        known = models().values()
        titles = {info.id: info.title for info in known}
        now = {info.id: dataclasses.asdict(info.controls()) for info in known}
        PAGE.write_text(page(_read(), titles, now), encoding="utf-8")
        print(f"{PAGE.relative_to(ROOT)} is written")
    except PyzzicatoError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _read() -> dict[str, Any]:
    return dict(json.loads(KEPT.read_text(encoding="utf-8"))) if KEPT.exists() else {}


def _tune(info: ModelInfo, options: argparse.Namespace) -> None:
    head = {
        "weights": fingerprint(info),
        "asked": options.clips,
        "usual": dataclasses.asdict(info.controls()),
    }
    found = _read().get(info.id, {})
    rows = found["rows"] if {**found, "rows": None} == {**head, "rows": None} else []
    dataset = music_for(info.training, options.data)
    for rng_seed in RNG_SEEDS:
        for values in settings(info):
            if any((r["values"], r["rng_seed"]) == (values, rng_seed) for r in rows):
                continue
            if not promising(rows, values):
                continue
            row = tried(
                info, dataset, values, rng_seed, options.clips, options.runs,
                processes=options.processes, say=say,
            )  # fmt: skip
            rows.append(row)
            _write(info.id, {**head, "rows": rows})
            print(f"{info.id} {values or 'usual'}, rng seed {rng_seed}: {row['composite']:.3f}")
    said = verdict(rows)
    print(f"{info.id}: best {dict(said.best) or 'usual'}, {said.before:.3f} to {said.after:.3f}")
    print(f"{info.id}: {'change the default' if said.changes else 'leave it'}: {said}")


def _write(model: str, found: dict[str, Any]) -> None:
    """Keeps the rows of one model; others that run beside this one keep theirs."""
    kept = {**_read(), model: found}
    order = [name for name in models() if name in kept]
    text = json.dumps({name: kept[name] for name in order}, indent=1, ensure_ascii=False)
    partial = KEPT.with_suffix(".part")
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(KEPT)


if __name__ == "__main__":
    sys.exit(main())
