"""How long a training has taken, over every time that it was stopped and went on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

__all__ = ["minutes_of", "stopwatch"]


def minutes_of(run: Path) -> float:
    """Minutes of training so far, over every run that went on from the one before."""
    path = run / "minutes.txt"
    return float(path.read_text()) if path.exists() else 0.0


def stopwatch(run: Path) -> Any:
    """A callback that adds up the minutes epoch by epoch, so that a run cut off counts too."""
    import keras

    begun = time.time()

    def add(epoch: int, logs: object) -> None:
        nonlocal begun
        now = time.time()
        (run / "minutes.txt").write_text(f"{minutes_of(run) + (now - begun) / 60:.2f}\n")
        begun = now

    return keras.callbacks.LambdaCallback(on_epoch_end=add)
