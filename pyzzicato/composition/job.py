"""Composing in the background: a thread that can be watched, stopped, and kept."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pyzzicato.composition.order import Order
from pyzzicato.errors import PyzzicatoError
from pyzzicato.generation.generator import Step
from pyzzicato.music.notes import Note, NoteSequence

__all__ = ["BROKEN", "Job", "Progress"]

BROKEN = (
    "Something went wrong while composing. What was written so far is kept: press Compose to try "
    "again, or choose another model."
)
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """What a job has made so far: new music per take, its times from 0."""

    takes: tuple[NoteSequence, ...]
    made: tuple[float, ...]
    """Seconds of new music per take that are complete."""
    running: bool
    stopped: bool
    """True where the person stopped it before the end."""
    error: str
    """One sentence for the person, or "" where all is well."""
    left: float
    """Seconds of waiting that remain, as far as one can tell."""
    texts: tuple[str, ...] = ()
    """What was written of each take's text; empty texts from a network that writes none."""


class Job:
    """One press of Compose: reads a generator's steps in a thread of its own.

    `steps` is called in that thread; `seconds` is how much new music each of `takes` takes was
    asked for. An error for the person ends the job with its sentence; any other is logged with
    its trace. Whatever came before is kept.
    """

    def __init__(
        self, steps: Callable[[], Iterator[Step]], *, seconds: float, takes: int, qpm: float = 120.0
    ) -> None:
        self._steps: Callable[[], Iterator[Step]] | None = steps
        self._seconds = seconds
        self._takes = [NoteSequence(qpm=qpm)] * takes
        self._news: list[list[Note]] = [[] for _ in range(takes)]  # that are not in them yet
        self._texts = [""] * takes
        self._made = [0.0] * takes
        self._error = ""
        self._cut = False
        self._begun = time.monotonic()
        self._lock = threading.Lock()
        self._halt = threading.Event()
        self._first = threading.Event()
        self._done = threading.Event()
        self._last: Progress | None = None
        self._then: Callable[[], None] | None = None

    @classmethod
    def of(cls, plan: Order) -> Job:
        """A job that composes what is ordered."""
        return cls(plan.steps, seconds=plan.seconds, takes=plan.takes, qpm=plan.seed.qpm)

    @classmethod
    def ended(cls, progress: Progress) -> Job:
        """A job that was done before, with what it made."""
        job = cls(lambda: iter(()), seconds=0.0, takes=len(progress.takes))
        job._last = progress
        job._done.set()
        job._first.set()
        return job

    def start(self) -> Job:
        """Begins; returns itself."""
        threading.Thread(target=self._run, name="compose", daemon=True).start()
        return self

    def stop(self) -> None:
        """Asks it to end after the step at hand; returns at once."""
        self._halt.set()

    @property
    def running(self) -> bool:
        """Whether notes may still come."""
        return not self._done.is_set()

    def wait_for_music(self, timeout: float) -> bool:
        """Waits for the first notes or the end, `timeout` seconds at most; whether it came."""
        return self._first.wait(timeout)

    def wait(self, timeout: float) -> bool:
        """Waits for the end, `timeout` seconds at most; whether it came."""
        return self._done.wait(timeout)

    def at_end(self, then: Callable[[], None]) -> None:
        """Calls `then` once at the end, in place of what was given before; at once after it."""
        with self._lock:
            self._then = then
        if not self.running:
            self._call()

    def _call(self) -> None:
        with self._lock:
            then, self._then = self._then, None
        if then is not None:
            then()

    def progress(self) -> Progress:
        """What there is now; from the end on always the same object."""
        if self._last is not None:
            return self._last
        ended = self._done.is_set()  # read first: what is copied after it is complete
        with self._lock:
            for take, news in enumerate(self._news):
                if news:
                    self._takes[take], self._news[take] = self._takes[take].merge(news), []
            takes = tuple(self._takes)
            made, texts = tuple(self._made), tuple(self._texts)
        progress = Progress(
            takes=takes,
            made=made,
            running=not ended,
            stopped=self._cut,
            error=self._error,
            left=self._left(min(made)),
            texts=texts,
        )
        if ended:
            self._last = progress
        return progress

    def _left(self, made: float) -> float:
        if made <= 0:
            return self._seconds
        return (time.monotonic() - self._begun) * max(self._seconds - made, 0.0) / made

    def _run(self) -> None:
        try:
            begin, self._steps = self._steps, None  # a job that is kept keeps no model
            for step in begin() if begin else ():
                with self._lock:
                    self._news[step.take].extend(step.notes)
                    self._texts[step.take] += step.text
                    self._made[step.take] = step.time
                if step.notes:
                    self._first.set()
                if self._halt.is_set():
                    self._cut = min(self._made) < self._seconds
                    break
        except PyzzicatoError as error:
            self._error = str(error)
        except Exception:
            _LOG.exception("Composing failed")
            self._error = BROKEN
        finally:
            self._done.set()
            self._first.set()
            self._call()
