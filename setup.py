"""The one step of the build that pyproject.toml cannot say; everything else is there."""

from pathlib import Path
from shutil import rmtree

from setuptools import setup
from setuptools.command.build_py import build_py

CARRIED = (
    "app.py",
    "pages/*.py",
    ".streamlit/config.toml",
    "models/*/model.toml",
    "models/*/README.md",
    "models/*/*.json",
    "models/*/*.npz",
    "models/*/*.onnx",
    "models/*/examples/*",
)


class BuildWithProject(build_py):
    """Carries the app and the models in a wheel, as `pyzzicato/project`."""

    # They lie beside the package, and setuptools maps a folder into it only where every package
    # is listed by hand. `paths.project_folder` finds them; an editable install has the checkout.
    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib, "pyzzicato", "project")
        rmtree(target, ignore_errors=True)
        for source in sorted(path for pattern in CARRIED for path in Path().glob(pattern)):
            self.mkpath(str(target / source.parent))
            self.copy_file(str(source), str(target / source))


setup(cmdclass={"build_py": BuildWithProject})
