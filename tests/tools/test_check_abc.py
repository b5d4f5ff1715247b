"""The tool that holds the ABC reader against abc2midi: what it writes out, what it counts."""

import re
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
        ("CDEF|1GABc:|\n|2GFED||", "CDEF|1GABc:|\n|2GFED||"),
    ],
    ids=[
        "after endings",
        "two bars",
        "one sign",
        "begun already",
        "no endings before",
        "an ending on the next line",
    ],
)
def test_the_repeats_that_the_standard_implies_are_written_out(
    tool: ModuleType, music: str, wanted: str
) -> None:
    assert tool.begun(f"{HEAD}{music}\n") == f"{HEAD}{wanted}\n"
    assert tool.changed(f"{HEAD}{music}\n", tool.begun(f"{HEAD}{music}\n")) == ""
    assert len(tool.ours(f"{HEAD}{music}\n")) > 4


def test_what_would_be_read_differently_is_named(tool: ModuleType) -> None:
    assert "first at" in tool.changed(f"{HEAD}CDEF|\n", f"{HEAD}CDEG|\n")


def test_the_plain_form_says_the_same_music(tool: ModuleType) -> None:
    tune = f'{HEAD}"Am"A>.B (vc<"4"d)|C>DE>F:[|]|]\n'.replace("L:1/4", "L:1/4\nQ:100")
    plain = tool.plain_form(tune)
    assert plain == f"{HEAD}A>B (c<d)|C>DE>F:|]\n".replace("L:1/4", "L:1/4\nQ:1/4=100")
    assert tool.changed(tune, plain) == ""


def test_both_ways_are_counted_over_every_tune_and_differences_are_sorted(
    tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, implied = f"{HEAD}CDEF|\n", f"{HEAD}{ENDINGS}cdef:|\n".replace("X:1", "X:2")
    tied = f"{HEAD}CD-|DF|\n".replace("X:1", "X:3")
    refused = f"{HEAD}[CE|\n".replace("X:1", "X:4")
    tunes = "\n".join([plain, implied, tied, refused])
    (tmp_path / "small.abc").write_text(tunes, encoding="utf-8")

    def performed(tunes: list[str]) -> list[object]:
        """A player that knows no repeats without |: after endings, no ties and no open chords."""
        return [
            None if "[CE" in t else tool.ours(t.replace("-", "").replace("||cdef:|", "||cdef|"))
            for t in tunes
        ]

    monkeypatch.setattr(tool, "performed", performed)
    count, rows = tool.compare([tmp_path / "small.abc"])
    assert count == 4
    assert [(row.number, bool(row.plain), bool(row.as_it_stands)) for row in rows] == [
        ("2", False, True),
        ("3", True, True),
        ("4", True, True),
    ]
    assert rows[0].kind == "repeats after numbered endings"
    assert rows[1].kind == "ties"
    assert rows[2].kind.startswith("refused here")
    said = tool.report("small", count, rows)
    assert said.startswith("**1 of 4 tunes** of small (25.0%)")
    assert "; 2 (50.0%) in the plain form" in said
    assert said.index("| 3 |") < said.index("| 2 |")


def test_without_music21_the_tool_says_so(
    tool: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tool, "corpus", lambda: None)
    monkeypatch.setattr("sys.argv", ["check_abc.py", "--music21"])
    assert tool.main() == 1
    assert "music21" in capsys.readouterr().out


def test_a_folder_without_tunes_is_said(
    tool: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["check_abc.py", "--music21", str(tmp_path)])
    assert tool.main() == 1
    assert "no ABC files" in capsys.readouterr().out


@pytest.mark.parametrize("block", ["check_abc", "check_abc_music21"])
def test_the_page_holds_what_the_tool_wrote(tool: ModuleType, block: str) -> None:
    text = tool.DOCUMENT.read_text(encoding="utf-8")
    found = text.partition(f"<!-- {block} -->")[2].partition(f"<!-- /{block} -->")[0]
    numbers = re.search(r"\*\*([\d,]+) of ([\d,]+) tunes\*\*", found)
    assert numbers is not None
    same, count = (int(number.replace(",", "")) for number in numbers.groups())
    table = found.partition("| file |")[0]
    kinds = [int(times) for times in re.findall(r"^\|[^|]*(?:\\\|[^|]*)*\| (\d+) \|", table, re.M)]
    assert sum(kinds) == count - same
    assert same >= tool.LEAST["music21"] * count
