"""The commands that list: `models`, `seeds` and `data`; and `cards`, which writes them down."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from pyzzicato import registry
from pyzzicato.generation.controls import declared

__all__ = ["show_data", "show_models", "show_seeds", "write_cards"]


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=1, ensure_ascii=False))


def show_models(options: argparse.Namespace) -> int:
    """Every model: id, title, one sentence, and its controls."""
    known = registry.models()
    if options.json:
        _print_json([_model(info) for info in known.values()])
        return 0
    wide = max(map(len, known), default=0) + 2
    for info in known.values():
        ready = "" if info.weights.is_file() else "  (not trained yet)"
        print(f"{info.id:<{wide}}{info.title}, {info.year}{ready}\n{'':<{wide}}{info.summary}")
        for item in declared(info.controls):
            allowed = item.allowed().replace("choose ", "", 1) if item.kind is not str else ""
            allowed = allowed or ", ".join(item.choices) or ", ".join(info.composers)
            print(f"{'':<{wide}}--{item.name.replace('_', '-'):<15} {allowed} ({item.default})")
    return 0


def _model(info: registry.ModelInfo) -> dict[str, Any]:
    return {
        "id": info.id,
        "title": info.title,
        "family": info.family,
        "summary": info.summary,
        "source": info.source,
        "year": info.year,
        "composers": list(info.composers),
        "trained": info.weights.is_file(),
        "controls": {
            item.name: {
                "label": item.label,
                "help": item.help,
                "default": item.default,
                "minimum": item.minimum,
                "maximum": item.maximum,
                "choices": list(item.choices),
                "unit": item.unit,
            }
            for item in declared(info.controls)
        },
    }


def show_seeds(options: argparse.Namespace) -> int:
    """Every built-in seed: id, composer with years, title, opus and length."""
    from pyzzicato.seeds.library import all_seeds

    rows: list[dict[str, Any]] = [
        {
            "id": seed.id,
            "composer": seed.composer.id,
            "name": seed.composer.name,
            "years": seed.composer.years,
            "title": seed.title,
            "opus": seed.opus,
            "seconds": round(seed.sequence().duration, 2),
            "notes": len(seed.sequence()),
        }
        for seed in all_seeds()
    ]
    if options.json:
        _print_json(rows)
        return 0
    width = max((len(row["id"]) for row in rows), default=0)
    shown = ""
    for row in rows:
        if row["composer"] != shown:
            print(f"{row['name']}, {row['years']}")
            shown = row["composer"]
        print(f"  {row['id']:<{width}}  {row['seconds']:5.1f} s  {row['title']}, {row['opus']}")
    return 0


def show_data(options: argparse.Namespace) -> int:
    """Hours, notes, splits and licences of a folder of music, and what was skipped and why."""
    from pyzzicato.data.load import read_dataset
    from pyzzicato.data.pieces import as_dict, describe

    dataset = read_dataset(options.folder, kinds=options.kind or ("performance",))
    if options.json:
        _print_json(as_dict(dataset))
    else:
        print(describe(dataset))
    return 0


def write_cards(options: argparse.Namespace) -> int:
    """Writes models/<id>/README.md for every model that is trained."""
    from pyzzicato.render.files import write_whole
    from pyzzicato.reports.cards import card

    for info in registry.models().values():
        path: Path = info.folder / "README.md"
        write_whole(path, card(info).encode())
        print(path)
    return 0
