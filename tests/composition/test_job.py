"""Composing in the background: watched, stopped, kept, and loud where it breaks."""

import logging
import threading
import weakref
from collections.abc import Iterator

import pytest

from pyzzicato.composition.job import BROKEN, Job
from pyzzicato.errors import InvalidControl
from pyzzicato.generation.generator import Step
from pyzzicato.music.notes import Note

LONG = 20.0


def note(second: int) -> Note:
    return Note(float(second), second + 0.5, 60 + second)


class Slow:
    """Steps of a second each, given out one by one: `let` allows the next ones."""

    def __init__(self, seconds: int, takes: int = 1) -> None:
        self.seconds, self.takes = seconds, takes
        self.allowed = threading.Semaphore(0)
        self.reached = threading.Semaphore(0)

    def let(self, steps: int) -> None:
        for _ in range(steps):
            self.allowed.release()
        for _ in range(steps):
            assert self.reached.acquire(timeout=LONG)

    def steps(self) -> Iterator[Step]:
        for second in range(self.seconds):
            for take in range(self.takes):
                assert self.allowed.acquire(timeout=LONG)
                yield Step((note(second),), second + 1.0, take)
                self.reached.release()


def test_it_runs_to_the_end() -> None:
    steps = [Step((note(0),), 1.0), Step((), 2.0), Step((note(2),), 3.0)]
    job = Job(lambda: iter(steps), seconds=3, takes=1, qpm=90).start()
    assert job.wait(LONG)
    made = job.progress()
    assert not job.running
    assert (made.running, made.stopped, made.error) == (False, False, "")
    assert made.takes[0].notes == (note(0), note(2))
    assert made.takes[0].qpm == 90
    assert made.made == (3.0,)
    assert made.left == 0
    assert job.progress() is made  # what cannot change is not made again


def test_the_text_of_each_take_is_put_together() -> None:
    steps = [Step((), 0.0, 0, "K:"), Step((), 0.0, 1, "X"), Step((note(0),), 1.0, 0, "C\n")]
    job = Job(lambda: iter([*steps, Step((), 1.0, 1)]), seconds=1, takes=2).start()
    assert job.wait(LONG)
    assert job.progress().texts == ("K:C\n", "X")


def test_it_can_be_watched_while_it_grows() -> None:
    music = Slow(4, takes=2)
    job = Job(music.steps, seconds=4, takes=2).start()
    assert not job.wait_for_music(0.01)
    assert job.progress().made == (0.0, 0.0)
    music.let(3)
    assert job.wait_for_music(LONG)
    made = job.progress()
    assert made.running
    assert made.made == (2.0, 1.0)
    assert [len(take) for take in made.takes] == [2, 1]
    assert made.left > 0
    music.let(4)
    music.allowed.release()
    assert job.wait(LONG)
    assert [len(take) for take in job.progress().takes] == [4, 4]


def test_stop_keeps_what_is_there() -> None:
    music = Slow(60)
    job = Job(music.steps, seconds=60, takes=1).start()
    music.let(5)
    job.stop()
    music.allowed.release()
    assert job.wait(LONG)
    made = job.progress()
    assert made.stopped
    assert not made.running
    assert made.takes[0].notes == tuple(note(second) for second in range(6))
    assert made.made == (6.0,)


def test_stopping_at_the_end_is_no_stop() -> None:
    music = Slow(2)
    job = Job(music.steps, seconds=2, takes=1).start()
    music.let(1)
    job.stop()
    music.allowed.release()
    assert job.wait(LONG)
    assert not job.progress().stopped or job.progress().made[0] < 2


def test_an_error_for_the_person_is_its_sentence_and_keeps_what_is_there() -> None:
    def steps() -> Iterator[Step]:
        yield Step((note(0),), 1.0)
        raise InvalidControl("Choose another composer.")

    job = Job(steps, seconds=9, takes=1).start()
    assert job.wait(LONG)
    assert job.progress().error == "Choose another composer."
    assert len(job.progress().takes[0]) == 1


def test_anything_else_is_loud_in_the_log_and_plain_on_the_page(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def steps() -> Iterator[Step]:
        yield Step((note(0),), 1.0)
        raise ZeroDivisionError("a bug")

    with caplog.at_level(logging.ERROR):
        job = Job(steps, seconds=9, takes=1).start()
        assert job.wait(LONG)
    assert job.progress().error == BROKEN
    assert len(job.progress().takes[0]) == 1
    assert "ZeroDivisionError" in caplog.text


def test_an_error_before_the_first_step_does_not_keep_anyone_waiting() -> None:
    def steps() -> Iterator[Step]:
        raise InvalidControl("No.")

    job = Job(steps, seconds=9, takes=2).start()
    assert job.wait_for_music(LONG)
    assert job.wait(LONG)
    assert [len(take) for take in job.progress().takes] == [0, 0]


def test_a_job_that_is_kept_keeps_no_model() -> None:
    class Model:
        def generate(self) -> Iterator[Step]:
            yield Step((Note(0.0, 1.0, 60),), 1.0)

    model = Model()
    gone = weakref.ref(model)
    job = Job(model.generate, seconds=1.0, takes=1).start()
    assert job.wait(10)
    del model
    for thread in threading.enumerate():
        if thread.name == "compose":
            thread.join(10)  # its frame held the model
    assert gone() is None
    assert len(job.progress().takes[0]) == 1
