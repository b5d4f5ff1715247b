"""Minutes of training, added up epoch by epoch."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from pyzzicato.training import stopwatch


def test_every_epoch_counts_over_several_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 60.0, 150.0, 1000.0, 1030.0])
    monkeypatch.setattr(stopwatch, "time", SimpleNamespace(time=lambda: next(clock)))
    assert stopwatch.minutes_of(tmp_path) == 0.0
    first = stopwatch.stopwatch(tmp_path)
    first.on_epoch_end(0, {})
    first.on_epoch_end(1, {})
    assert stopwatch.minutes_of(tmp_path) == pytest.approx(2.5)
    stopwatch.stopwatch(tmp_path).on_epoch_end(2, {})
    assert stopwatch.minutes_of(tmp_path) == pytest.approx(3.0)
