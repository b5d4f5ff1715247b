"""What `pip install .` carries, and that it works from any folder without the checkout."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CHECKOUT = ("app.py", "pages/", ".streamlit/", "models/")
"""What lies beside the package in the checkout, and within it in a wheel."""
BUILD = "import sys; from setuptools import build_meta as b; b.build_wheel(sys.argv[1])"

VISIT = """
from pyzzicato.paths import project_folder
from streamlit.testing.v1 import AppTest
app = AppTest.from_file(project_folder() / "app.py", default_timeout=60).run()
assert not app.exception, app.exception
app.switch_page("pages/3_Models.py").run()
assert not app.exception, app.exception
"""


@dataclass(frozen=True)
class Installed:
    """The wheel, unpacked, and an empty folder to use it from."""

    wheel: Path
    folder: Path
    elsewhere: Path

    @property
    def environment(self) -> dict[str, str]:
        """Where the unpacked wheel comes before everything else that Python finds."""
        kept = {name: value for name, value in os.environ.items() if name != "PYZZICATO_MODELS"}
        return {**kept, "PYTHONPATH": str(self.folder), "STREAMLIT_SERVER_HEADLESS": "true"}

    def python(self, *arguments: str) -> str:
        """What a fresh Python prints; it must not fail."""
        run = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.elsewhere,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        return run.stdout

    def pyzzicato(self, *arguments: str) -> str:
        """The same of a command."""
        return self.python("-m", "pyzzicato.cli.main", *arguments)


@pytest.fixture(scope="module")
def clone(project: Path) -> list[str]:
    """The files that a clone has."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.splitlines() if (project / name).is_file()]


@pytest.fixture(scope="module")
def installed(
    project: Path, clone: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Installed:
    root = tmp_path_factory.mktemp("wheel")
    for name in clone:
        (root / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(project / name, root / "source" / name)
    (root / "source" / "models" / "wavenet" / "checkpoint.keras").touch()
    command = [sys.executable, "-c", BUILD, str(root)]
    subprocess.run(command, cwd=root / "source", capture_output=True, check=True)
    [wheel] = root.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(root / "installed")
    (root / "elsewhere").mkdir()
    return Installed(wheel, root / "installed", root / "elsewhere")


def test_the_wheel_carries_all_that_serves_and_nothing_else(
    installed: Installed, clone: list[str]
) -> None:
    wanted = {name for name in clone if name.startswith("pyzzicato/")}
    wanted |= {f"pyzzicato/project/{name}" for name in clone if name.startswith(CHECKOUT)}
    carried = {
        path.relative_to(installed.folder).as_posix()
        for path in installed.folder.rglob("*")
        if path.is_file() and ".dist-info" not in path.as_posix()
    }
    unserved = {name for name in wanted if name.endswith("/next.toml")}
    assert carried == wanted - unserved
    assert installed.wheel.stat().st_size < 100e6


def test_it_is_the_wheel_that_is_tested(installed: Installed, project: Path) -> None:
    said = installed.python("-c", "import pyzzicato as p; print(p.__file__, p.__version__)")
    version = tomllib.loads((project / "pyproject.toml").read_text())["project"]["version"]
    assert said.split() == [str(installed.folder / "pyzzicato" / "__init__.py"), version]


def test_the_commands_find_models_and_seeds(installed: Installed, clone: list[str]) -> None:
    listed = installed.pyzzicato("models")
    for name in clone:
        if name.startswith("models/") and name.endswith("/model.toml"):
            assert name.split("/")[1] in listed
    installed.pyzzicato("compose", "--composer", "chopin", "--seconds", "5", "-o", "x.mid")
    assert (installed.elsewhere / "x.mid").read_bytes().startswith(b"MThd")


def test_the_pages_are_drawn(installed: Installed) -> None:
    installed.python("-c", VISIT)


def test_the_app_starts(installed: Installed) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    server = subprocess.Popen(
        [sys.executable, "-m", "pyzzicato.cli.main", "app", "--port", str(port)],
        cwd=installed.elsewhere,
        env=installed.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        assert answers(f"http://localhost:{port}/_stcore/health", server)
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.communicate(timeout=20)


def answers(url: str, server: subprocess.Popen[bytes]) -> bool:
    """Whether the server says that it is well, within a minute and before it ends."""
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as reply:
                return bool(reply.read() == b"ok")
        except OSError:
            time.sleep(0.1)
    return False
