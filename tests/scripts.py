"""Programs of the project that are no part of its package, as modules to test."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def open_scripts(*paths: str) -> Iterator[dict[str, ModuleType]]:
    """Programs such as "tools/check_seeds.py" by their names without ending.

    While they are open they can import what lies beside them; afterwards nothing of it is left.
    """
    before = set(sys.modules)
    folders = list(dict.fromkeys(str((ROOT / path).parent) for path in paths))
    sys.path[:0] = folders
    try:
        yield {Path(path).stem: _module(ROOT / path) for path in paths}
    finally:
        for folder in folders:
            sys.path.remove(folder)
        beside = {path.stem for folder in folders for path in Path(folder).glob("*.py")}
        for name in set(sys.modules) - before:
            if name.removeprefix("script_") in beside:
                del sys.modules[name]


@contextmanager
def open_script(path: str) -> Iterator[ModuleType]:
    """One of them."""
    with open_scripts(path) as found:
        yield next(iter(found.values()))


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"script_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
