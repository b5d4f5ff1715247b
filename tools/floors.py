"""How the house stands: the floor of each room, its lines, and whether there is a circle.

    python tools/floors.py [--most 8]

A room is a folder or a file of `pyzzicato/`. Its floor is one above the highest room that it
imports from, 1 where it imports from none. Imports inside functions count, those for types alone
do not. Exits 1 where two rooms, or two modules, import each other in a circle, or where there are
more floors than `--most`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "pyzzicato"


def imports() -> dict[str, set[str]]:
    """Every module of the package and the modules that it imports."""
    graph = grimp.build_graph(PACKAGE, exclude_type_checking_imports=True)
    return {
        module: graph.find_modules_directly_imported_by(module) - {PACKAGE}
        for module in graph.modules - {PACKAGE}  # which imports everything, when it is asked for
    }


def rooms(modules: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Every room and the rooms that it imports from."""
    found: dict[str, set[str]] = {_room(module): set() for module in modules}
    for module, imported in modules.items():
        found[_room(module)] |= {_room(other) for other in imported} - {_room(module)}
    return found


def _room(module: str) -> str:
    return module.split(".")[1]


def floors(below: Mapping[str, set[str]]) -> dict[str, int]:
    """The floor of each; raises graphlib.CycleError where there is a circle."""
    found: dict[str, int] = {}
    for name in TopologicalSorter(below).static_order():
        found[name] = 1 + max((found[other] for other in below[name]), default=0)
    return found


def lines_of(room: str) -> int:
    """The lines of a room's Python files."""
    place = ROOT / PACKAGE / room
    files = place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")]
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--most", type=int, default=8, help="floors that there may be")
    options = parser.parse_args()
    modules = imports()
    try:
        floors(modules)
        found = floors(rooms(modules))
    except CycleError as error:
        print(f"These go in a circle: {' -> '.join(error.args[1])}")
        return 1
    for room, floor in sorted(found.items(), key=lambda each: (-each[1], each[0])):
        print(f"{floor}  {room:<12}{lines_of(room):>7,} lines")
    print(f"{max(found.values())} floors, {sum(map(lines_of, found)):,} lines, no circle")
    return 0 if max(found.values()) <= options.most else 1


if __name__ == "__main__":
    sys.exit(main())
