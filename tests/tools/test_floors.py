"""The script that counts the floors of the house."""

from graphlib import CycleError

import pytest

from tests.scripts import open_script


def test_floors_are_counted_and_circles_found() -> None:
    with open_script("tools/floors.py") as script:
        below = {"roof": {"hall", "cellar"}, "hall": {"cellar"}, "cellar": set[str]()}
        assert script.floors(below) == {"cellar": 1, "hall": 2, "roof": 3}
        with pytest.raises(CycleError):
            script.floors({"a": {"b"}, "b": {"a"}})


def test_modules_are_taken_together_by_room() -> None:
    with open_script("tools/floors.py") as script:
        modules = {
            "pyzzicato.music.notes": set[str](),
            "pyzzicato.data.load": {"pyzzicato.data.abc", "pyzzicato.music.notes"},
            "pyzzicato.data.abc": set[str](),
        }
        assert script.rooms(modules) == {"music": set(), "data": {"music"}}
