"""Files that are made in the background when a person asks for one, and kept until they have it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from uuid import uuid4

from pyzzicato.errors import PyzzicatoError

__all__ = ["Making", "Tell"]

Tell = Callable[[int, int], None]

_LOG = logging.getLogger(__name__)


class Making:
    """One file that is being made, in a thread of its own, from the moment that this is made.

    `make` is given a function to tell how many of its parts are done, and of how many. An error for
    the person is kept as its sentence, any other is logged with its trace.
    """

    def __init__(self, name: str, mime: str, make: Callable[[Tell], bytes]):
        self.name = name
        self.mime = mime
        self.id = uuid4().hex  # another page, or another server, has other ones
        self.parts = 0, 0
        """How many of its parts are made, and of how many; 0 of 0 where that is not told."""
        self.error = ""
        self.data: bytes | None = None
        """The file, once it is made."""
        self._begun = self._ended = time.monotonic()
        self._done = threading.Event()
        threading.Thread(target=self._run, args=(make,), name="keep", daemon=True).start()

    @property
    def busy(self) -> bool:
        """Whether it is still being made."""
        return not self._done.is_set()

    @property
    def age(self) -> float:
        """Seconds since it was asked for."""
        return time.monotonic() - self._begun

    def older(self, seconds: float) -> bool:
        """Whether it was made longer ago than that."""
        return not self.busy and time.monotonic() - self._ended > seconds

    def wait(self, timeout: float) -> bool:
        """Waits for the end, `timeout` seconds at most; whether it came."""
        return self._done.wait(timeout)

    def _run(self, make: Callable[[Tell], bytes]) -> None:
        try:
            self.data = make(self._tell)
        except PyzzicatoError as error:
            self.error = str(error)
        except Exception:
            _LOG.exception("Making %s failed", self.name)
            self.error = f"Something went wrong while making {self.name}: press its button again."
        finally:
            self._ended = time.monotonic()
            self._done.set()

    def _tell(self, done: int, of: int) -> None:
        self.parts = done, of
