"""Work shared out among several processes, and how far it is.

    for found in spread(work, tasks, processes=2): ...

`work` is a function of a module and its tasks are plain values, for every process begins anew and
imports what it needs. What comes out does not depend on the number of processes.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TypeVar

from pyzzicato.runtime.threads import one_thread

__all__ = ["MOST_PROCESSES", "Progress", "cores", "spread"]

MOST_PROCESSES = 4  # each has the model in its memory
TELL_EVERY = 10  # percent

Task = TypeVar("Task")
Found = TypeVar("Found")


def cores() -> int:
    """How many processes are of use here: one for each core that may be used, at most four."""
    allowed = getattr(os, "sched_getaffinity", None)  # not on every system
    return min(len(allowed(0)) if allowed else os.cpu_count() or 1, MOST_PROCESSES)


def spread(
    work: Callable[[Task], Found], tasks: Sequence[Task], processes: int = 1, together: int = 1
) -> Iterator[Found]:
    """`work(task)` of every task, in their order; with one process all in this one.

    Small tasks are handed out `together`, so many at once.

    A script that asks for more does so under `if __name__ == "__main__":`; without it, or where
    no process can be started, this one goes on alone. When it is stopped, tasks that have begun
    are finished first.
    """
    workers, done = min(processes, len(tasks)), 0
    if workers > 1:
        # Not "fork": this process may already hold the threads of a network library.
        context = multiprocessing.get_context("spawn")
        with (
            contextlib.suppress(BrokenProcessPool, OSError),
            ProcessPoolExecutor(workers, mp_context=context, initializer=_begin) as pool,
        ):
            for found in pool.map(work, tasks, chunksize=together):
                done += 1
                yield found
    for task in tasks[done:]:
        yield work(task)


def _begin() -> None:
    """One thread a process; and Ctrl-C reaches every one: the first process stops the others."""
    one_thread()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_first, daemon=True).start()


def _end_with_the_first() -> None:
    """Where the first process was killed, nobody would ever tell this one to stop."""
    first = multiprocessing.parent_process()
    if first is not None:
        first.join()
        os._exit(1)


@dataclass
class Progress:
    """Says now and then how much of `total` is done, as "what: 40%"."""

    what: str
    total: int
    say: Callable[[str], None]
    done: int = 0
    told: int = 0

    def add(self, amount: int = 1) -> None:
        """So much more is done."""
        self.done += amount
        percent = 100 * self.done // max(self.total, 1)
        if percent >= self.told + TELL_EVERY or (percent == 100 and self.told < 100):
            self.told = percent - percent % TELL_EVERY
            self.say(f"{self.what}: {percent}%")
