"""Files that are made in the background, and what they are called and say."""

import logging
import threading

import pytest

from pyzzicato.errors import RenderingFailed
from pyzzicato.ui.making import Making, Tell


def test_a_file_is_made_while_one_waits() -> None:
    go_on = threading.Event()

    def make(tell: Tell) -> bytes:
        tell(1, 2)
        assert go_on.wait(10)
        return b"music"

    file = Making("a.wav", "audio/wav", make)
    assert not file.wait(0.05)
    assert (file.busy, file.parts, file.data) == (True, (1, 2), None)
    assert not file.older(0.0)
    go_on.set()
    assert file.wait(10)
    assert (file.busy, file.data, file.error) == (False, b"music", "")
    assert file.older(-1.0)
    assert not file.older(60.0)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RenderingFailed("There is no sound: choose MIDI."), "There is no sound: choose MIDI."),
        (KeyError("x"), "Something went wrong while making a.wav: press its button again."),
    ],
)
def test_what_goes_wrong_is_one_sentence(
    error: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    def make(tell: Tell) -> bytes:
        raise error

    with caplog.at_level(logging.ERROR):
        file = Making("a.wav", "audio/wav", make)
        assert file.wait(10)
    assert (file.error, file.data) == (said, None)
    assert bool(caplog.records) == isinstance(error, KeyError)
