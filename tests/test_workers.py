"""Work that several processes share: the same answers in the same order, and how far it is."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

import pytest

from pyzzicato.workers import MOST_PROCESSES, Progress, cores, spread


@pytest.mark.parametrize("processes", [1, 2])
def test_answers_come_in_the_order_of_the_tasks(processes: int) -> None:
    assert list(spread(math.sqrt, [9.0, 4.0, 1.0], processes)) == [3.0, 2.0, 1.0]
    assert list(spread(math.sqrt, [], processes)) == []


def test_other_processes_do_the_work() -> None:
    assert os.getpid() not in set(spread(_number, [1, 2], 2))
    assert set(spread(_number, [1, 2], 1)) == {os.getpid()}


def _number(_: int) -> int:
    return os.getpid()


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
