"""Giving memory back: what was freed leaves the process, and other systems are left in peace."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest

from pyzzicato.ui import memory

SCATTERED = """
import ctypes
from pathlib import Path
from pyzzicato.ui.memory import give_back

def resident():
    rows = Path("/proc/self/status").read_text().splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("VmRSS"))

kept = [bytearray(30_000) for _ in range(4000)]
before = resident()
kept[::2] = [None] * 2000  # 60 MB, none of it at the end
kept[1::400] = [bytes(1)] * len(kept[1::400])
freed = resident()
give_back()
print(before - freed, before - resident())
"""


@pytest.mark.skipif(memory._trim() is None, reason="this C library cannot give memory back")
def test_what_is_free_between_others_leaves_the_process(project: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCATTERED], cwd=project, capture_output=True, text=True, check=True
    )
    by_itself, given = map(int, run.stdout.split())
    assert by_itself < 20_000 < 40_000 < given  # kB


@pytest.mark.parametrize("error", [OSError, TypeError, AttributeError])
def test_elsewhere_it_does_nothing(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    def missing(_: object) -> None:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", missing)
    memory._trim.cache_clear()
    try:
        memory.give_back()
        assert memory._trim() is None
    finally:
        memory._trim.cache_clear()
