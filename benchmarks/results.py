"""The kept figures: results.json, from which tools/update_readme.py writes docs/benchmarks.md.

    python benchmarks/results.py        prints what is kept

Each benchmark keeps its own part, with what it ran on: number of cores and versions, no names.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).with_name("results.json")


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine(packages: Iterable[str]) -> dict[str, Any]:
    """What a benchmark ran on, in words that tell nothing of whose machine it is.

    Of `packages` those that are installed are named with their versions.
    """
    count = cores()
    found = {}
    for name in sorted(packages):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return {
        "cores": f"{count} CPU core" + ("s" if count != 1 else ""),
        "python": platform.python_version(),
        "packages": found,
    }


def kept(path: Path = RESULTS) -> dict[str, Any]:
    """All kept figures by benchmark; empty before the first run with --write."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def keep(part: str, found: dict[str, Any], path: Path = RESULTS) -> None:
    """Puts the figures of the benchmark called `part` in place of its last ones."""
    text = json.dumps({**kept(path), part: found}, indent=1, ensure_ascii=False, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")


def verdict(value: float, wanted: float, *, most: bool = False) -> str:
    """ "reached" or "missed", with what was wanted: at least `wanted`, or less where `most`."""
    good = value < wanted if most else value >= wanted
    return f"{'reached' if good else 'missed'}, wanted {'<' if most else '>='} {wanted:g}"


if __name__ == "__main__":
    print(json.dumps(kept(), indent=1, ensure_ascii=False) if kept() else "Nothing is kept yet.")
