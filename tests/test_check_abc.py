"""The tool that holds the ABC reader against abc2midi: what it writes out, what it counts."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.scripts import open_script

HEAD = "X:1\nT:Small\nM:4/4\nL:1/4\nK:C\n"
ENDINGS = "|:CDEF|[1GABc:|[2GFED||"


@pytest.fixture(scope="module")
def tool() -> Iterator[ModuleType]:
    with open_script("tools/check_abc.py") as module:
        yield module


@pytest.mark.parametrize(
    ("music", "wanted"),
    [
        (f"{ENDINGS}cdef:|", f"{ENDINGS}|:cdef:|"),
        (f"{ENDINGS}cdef|edcB:|", f"{ENDINGS}|:cdef|edcB:|"),
        ("|:CDEF:|:GABc:|", "|:CDEF::GABc:|"),
        (f"{ENDINGS}|:cdef:|", f"{ENDINGS}|:cdef:|"),
        ("CDEF:|GABc:|", "CDEF:|GABc:|"),
    ],
    ids=["after endings", "two bars", "one sign", "begun already", "no endings before"],
)
def test_the_repeats_that_the_standard_implies_are_written_out(
    tool: ModuleType, music: str, wanted: str
) -> None:
    assert tool.begun(f"{HEAD}{music}\n") == f"{HEAD}{wanted}\n"
    assert tool.changed(f"{HEAD}{music}\n", tool.begun(f"{HEAD}{music}\n")) == ""
    assert len(tool.ours(f"{HEAD}{music}\n")) > 4


def test_what_would_be_read_differently_is_named(tool: ModuleType) -> None:
    assert "first at" in tool.changed(f"{HEAD}CDEF|\n", f"{HEAD}CDEG|\n")


def test_both_ways_are_counted_over_every_tune(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, implied = f"{HEAD}CDEF|\n", f"{HEAD}{ENDINGS}cdef:|\n".replace("X:1", "X:2")
    wrong = f"{HEAD}CDEF|\n".replace("X:1", "X:3")
    (tmp_path / "small.abc").write_text("\n".join([plain, implied, wrong]), encoding="utf-8")

    def performed(tunes: list[str]) -> dict[int, object]:
        """A player that knows |: only, and plays the third tune a step higher."""
        heard = [tool.ours(tune) for tune in tunes]
        if tunes[1].count("|:") == 1:
            heard[1] = tool.ours(f"{HEAD}{ENDINGS}cdef|\n")
        heard[2] = type(heard[2])({(when, pitch + 2): 1 for when, pitch in heard[2]})
        return dict(enumerate(heard))

    monkeypatch.setattr(tool, "performed", performed)
    count, rows = tool.compare([tmp_path / "small.abc"])
    assert count == 3
    assert [(row.number, bool(row.begun), bool(row.as_it_stands)) for row in rows] == [
        ("2", False, True),
        ("3", True, True),
    ]
    said = tool.report("small", count, rows)
    assert said.startswith("**2 of 3 tunes** of the collection small (66.7%)")
    assert "; 1 (33.3%) as they stand" in said
    assert said.index("| 3 |") < said.index("| 2 |")


def test_the_page_holds_what_the_tool_wrote(tool: ModuleType) -> None:
    found = tool.BLOCK.search(tool.DOCUMENT.read_text(encoding="utf-8"))
    assert found is not None
    assert "**997 of 1,001 tunes** of the collection nottingham" in found[0]
    rows = [line for line in found[0].splitlines() if ".abc |" in line]
    assert sum("| nowhere |" not in row for row in rows) == 1001 - 997
    assert f"{1001 - len(rows)} (" in found[0]
