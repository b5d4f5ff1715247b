"""The rules of the house that a machine can check: imports, sizes, names."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "pyzzicato"
MODULES = sorted(PACKAGE.rglob("*.py"))
HEAVY = (
    "streamlit", "tensorflow", "keras", "librosa", "matplotlib", "onnxruntime", "torch", "jax",
    "soundfile", "scipy", "pretty_midi", "mido", "onnx", "numba", "pandas",
)  # fmt: skip
# Who may import what, anywhere in the file; None is any file of the package.
OWNERS = {
    "streamlit": ("ui/",),
    "pretty_midi": ("formats/midi.py",),
    "onnxruntime": ("runtime/session.py",),
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(tree: ast.AST) -> Iterator[str]:
    """The top names of all imports below `tree`; relative ones begin with a dot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "").split(".")[0]


def loaded_by(module: str) -> set[str]:
    """The heavy modules that a fresh Python has after importing `module`."""
    code = f"import sys, {module}; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(run.stdout.split()) & set(HEAVY)


@pytest.mark.parametrize(
    "module",
    [
        "pyzzicato",
        "pyzzicato.formats.midi",
        "pyzzicato.registry",
        "pyzzicato.seeds.library",
        "pyzzicato.cli.main",
    ],
)
def test_the_light_modules_load_nothing_heavy(module: str) -> None:
    assert loaded_by(module) == set()


def test_the_check_of_what_is_loaded_works() -> None:
    assert "mido" in loaded_by("mido")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_library_is_imported_by_its_owner_only(path: Path) -> None:
    found = set(imports(ast.parse(path.read_text(encoding="utf-8"))))
    place = path.relative_to(PACKAGE).as_posix()
    for library, owners in OWNERS.items():
        if library in found:
            assert place.startswith(owners), f"only {owners} may import {library}"
    assert not [name for name in found if name.startswith(".")], "imports are absolute"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_imports_a_family_or_keeps_a_forbidden_name(path: Path) -> None:
    assert path.stem not in {"utils", "helpers", "common", "misc"}
    families = {"pyzzicato.families." + other.stem for other in PACKAGE.glob("families/*.py")}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.module not in families, "what families share belongs below them"
            assert [alias.name for alias in node.names] != ["*"]


PYTHON = sorted(
    path
    for folder in ("pyzzicato", "pages", "tests", "tools", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
)


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_files_and_functions_can_be_read_at_once(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    limit = 600 if path.is_relative_to(ROOT / "tests") else 400
    assert len(text.splitlines()) <= limit
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 50, f"{node.name} has {length} lines"
