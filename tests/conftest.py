"""What every test shares: quiet libraries, and no trace in the person's own folders."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Before anything imports TensorFlow or matplotlib.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A journey through a browser that trips over a slow moment is taken once more, and told."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache folder of the test run's own, shared by its tests."""
    folder = tmp_path_factory.getbasetemp() / "pyzzicato-cache"
    monkeypatch.setenv("PYZZICATO_CACHE", str(folder))
    monkeypatch.setenv("PYZZICATO_DATA", str(tmp_path_factory.getbasetemp() / "pyzzicato-data"))


@pytest.fixture
def _usual_policy() -> Iterator[None]:
    """Keras as it was before a training set the numbers that it reckons with."""
    yield
    if "keras" in sys.modules:
        sys.modules["keras"].config.set_dtype_policy("float32")


@pytest.fixture(scope="module")
def _untraced() -> Iterator[None]:
    """TensorFlow runs step by step: making graphs of a network takes longer than a few steps."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def project() -> Path:
    """The project's root folder."""
    return Path(__file__).resolve().parent.parent
