"""The documents say what is there: links, files, commands, code and versions."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from pyzzicato import compose
from pyzzicato.cli.main import main
from pyzzicato.formats.midi import write_midi
from tests.small_chords import made_up

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("models/*/*.md")])
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINS = dict(
    line.split("==")
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
)


def plain(name: str) -> str:
    """A distribution's name in the one form in which names are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def blocks(path: Path, language: str) -> list[str]:
    """The fenced blocks of a document in one language ("" for none)."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", path.read_text(encoding="utf-8"), re.M | re.S)
    return [text for name, text in found if name == language]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    for target in targets:
        if not target.startswith(("http://", "https://")):
            assert (path.parent / target).exists(), f"{target} is not there"


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_make_targets_exist(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    known = set(re.findall(r"^([a-z-]+):", makefile, re.M))
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.M))
    assert named <= known


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_commands_exist(path: Path) -> None:
    lines = "".join(blocks(path, "sh")).splitlines()
    named = {
        line.split("pyzzicato ")[1].split()[0]
        for line in lines
        if re.search(r"(^|/| )pyzzicato [a-z]", line)
    }
    start = "import sys; from pyzzicato.cli.main import main; sys.exit(main())"
    for command in sorted(named):
        run = subprocess.run(
            [sys.executable, "-c", start, command, "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        assert "usage" in run.stdout.lower()


def test_the_tree_in_the_readme_is_the_one_on_disk() -> None:
    tree = next(block for block in blocks(ROOT / "README.md", "") if "app.py" in block)
    named: set[Path] = set()
    folder = ROOT
    for line in tree.splitlines():
        entry = ROOT / line.split()[0]
        if line.startswith("  "):
            entry = folder / line.split()[0]
        elif entry.is_dir():
            folder = entry
        assert entry.exists(), f"{line.split()[0]} is not there"
        named.add(entry)
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    folders = {ROOT / name.split("/")[0] for name in tracked if "/" in name}
    assert {f for f in folders if not f.name.startswith(".")} <= named


def test_the_python_in_the_readme_runs(tmp_path: Path) -> None:
    for block in blocks(ROOT / "README.md", "python"):
        code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{block}"
        run = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_python_in_the_documents_compiles_and_its_imports_are_there(path: Path) -> None:
    for block in blocks(path, "python"):
        for node in ast.parse(block).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                exec(compile(ast.unparse(node), name_of(path), "exec"), {})


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_the_toy_family_is_taught_and_plays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = ROOT / "docs" / "adding-a-model.md"
    [code], [table] = blocks(document, "python"), blocks(document, "toml")
    module = ModuleType("pyzzicato.families.metronome")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(code, str(document), "exec", dont_inherit=True), module.__dict__)
    folder, music = tmp_path / "models" / "metronome", tmp_path / "music" / "Chopin"
    folder.mkdir(parents=True)
    (folder / "model.toml").write_text(table)
    music.mkdir(parents=True)
    for number in range(24):
        (music / f"{number}.mid").write_bytes(write_midi(made_up(number, 50)))
    monkeypatch.setenv("PYZZICATO_MODELS", str(folder.parent))
    runs = ["--runs", str(tmp_path / "runs"), "--epochs", "1"]
    assert main(["train", "metronome", "--data", str(music.parent), *runs]) == 0
    piece = compose(model="metronome", seconds=5, pulse=2)
    assert [note.end for note in piece.continuation] == [2, 4, 5]


def test_every_dependency_is_pinned() -> None:
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    named = {re.split(r"[><=;\[ ]", line)[0] for group in groups for line in group}
    assert {plain(name) for name in named} <= {plain(name) for name in PINS}


def test_pins_are_exact_and_name_no_place() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "/" not in text
    assert "@" not in text
    assert all(re.fullmatch(r"[0-9][0-9a-z.]*", version) for version in PINS.values())


def test_the_changelog_tells_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", text, re.M)[0] == PROJECT["version"]
