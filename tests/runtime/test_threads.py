"""numpy keeps to one thread where music is played or measured."""

import subprocess
import sys

import pytest
import threadpoolctl

from pyzzicato.runtime.processes import spread

_ASK = """
import threadpoolctl
from pyzzicato.registry import models
models()["transformer"].load()
print(*[pool["num_threads"] for pool in threadpoolctl.threadpool_info()
        if pool["user_api"] == "blas"])
"""


def threads_here(_: int) -> list[int]:
    found = threadpoolctl.threadpool_info()
    return [pool["num_threads"] for pool in found if pool["user_api"] == "blas"]


def several(monkeypatch: pytest.MonkeyPatch) -> None:
    """New processes begin with three threads, on a machine of one core as well."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")


# On a Mac numpy may use Accelerate, which is not known here and shares out nothing so small.
KNOWN = sys.platform != "darwin"


def test_a_player_keeps_numpy_to_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    several(monkeypatch)
    told = subprocess.run([sys.executable, "-c", _ASK], capture_output=True, text=True, check=True)
    assert set(told.stdout.split()) <= {"1"}
    assert told.stdout.split() or not KNOWN


def test_every_worker_keeps_numpy_to_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    several(monkeypatch)
    for found in spread(threads_here, [0, 1], processes=2):
        assert set(found) <= {1}
        assert found or not KNOWN
