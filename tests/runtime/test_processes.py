"""Work that several processes share: the same answers in the same order, and how far it is."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyzzicato.runtime.processes import MOST_PROCESSES, Progress, cores, spread


@pytest.mark.parametrize("processes", [1, 2])
def test_answers_come_in_the_order_of_the_tasks(processes: int) -> None:
    assert list(spread(math.sqrt, [9.0, 4.0, 1.0], processes)) == [3.0, 2.0, 1.0]
    assert list(spread(math.sqrt, [], processes)) == []


def test_other_processes_do_the_work() -> None:
    assert os.getpid() not in set(spread(_number, [1, 2], 2))
    assert set(spread(_number, [1, 2], 1)) == {os.getpid()}


def _number(_: int) -> int:
    return os.getpid()


_FIRST = """
from pyzzicato.runtime.processes import spread
from tests.runtime.test_processes import beat
if __name__ == "__main__":
    list(spread(beat, {files!r}, 2))
"""


def beat(path: str) -> None:
    """Makes the file grow for a minute."""
    for _ in range(600):
        with Path(path).open("a") as file:
            file.write(".")
        time.sleep(0.1)


def wait_for(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_no_process_outlives_the_first_one(tmp_path: Path, project: Path) -> None:
    files = [tmp_path / "a", tmp_path / "b"]
    script = tmp_path / "first.py"
    script.write_text(_FIRST.format(files=[str(path) for path in files]))
    first = subprocess.Popen(
        [sys.executable, str(script)], env={**os.environ, "PYTHONPATH": str(project)}
    )
    try:
        wait_for(lambda: all(path.exists() for path in files))
    finally:
        first.kill()
        first.wait()

    def quiet() -> bool:
        before = [path.stat().st_size for path in files]
        time.sleep(1.0)
        return before == [path.stat().st_size for path in files]

    wait_for(quiet)


def test_what_goes_wrong_in_a_process_is_told() -> None:
    with pytest.raises(ValueError, match="domain"):
        list(spread(math.sqrt, [4.0, -1.0], 2))


def test_nothing_more_begins_once_it_is_stopped() -> None:
    begun: list[int] = []
    answers: Iterator[None] = spread(begun.append, [1, 2, 3])
    next(answers)
    answers.close()  # type: ignore[attr-defined]
    assert begun == [1]


def test_how_far_it_is() -> None:
    said: list[str] = []
    progress = Progress("work", 40, said.append)
    for _ in range(40):
        progress.add()
    assert said[0] == "work: 10%"
    assert said[-1] == "work: 100%"
    assert len(said) == 10
    said.clear()
    Progress("all", 3, said.append).add(3)
    assert said == ["all: 100%"]


def test_cores() -> None:
    assert 1 <= cores() <= MOST_PROCESSES
