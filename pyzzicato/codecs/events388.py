"""Music in the 388 events of Oore et al. (2018), "This time with feeling", to compare figures.

Conventions. An event is a whole number below 388: 0-127 a key is struck, 128-255 a key is let
go, 256-355 time moves on by 1 to 100 steps of 10 ms, 356-387 the velocity of the notes that
follow, four MIDI velocities each. The pedal is in the note ends. At one instant keys are let go
before others are struck; velocity is said where it changes. Longer waits are several events.

Published Music Transformers say how well they do in nats per event: 1.84 to 1.99 on MAESTRO
(Huang et al., 2018, and after). `nats_per_event` turns bits per note into that. The figure is
only nearby: the network here writes lengths and not when keys are let go, its bins of time above
1 s and of length are coarser than 10 ms, and the music is not the whole of MAESTRO.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["EVENTS", "decode_events", "encode_events", "nats_per_event"]

ON, OFF, SHIFT, VELOCITY = 0, 128, 256, 356
EVENTS = 388
LONGEST = 100  # steps in one event
STEPS = 100  # a second


def encode_events(notes: np.ndarray) -> np.ndarray:
    """The events, (m,) int64, of notes with rows (start s, end s, pitch, velocity), (n, 4).

    Time counts from the first note. A key struck twice in one step counts once; one that is
    struck again is let go before.
    """
    if not len(notes):
        return np.empty(0, np.int64)
    happens = []  # (step, let go before struck, event, velocity)
    for start, stop, pitch, velocity in _on_grid(notes):
        happens.append((start, 1, ON + pitch, velocity))
        happens.append((stop, 0, OFF + pitch, -1))
    happens.sort()
    now, loud = happens[0][0], -1
    events: list[int] = []
    for step, _, event, velocity in happens:
        while step > now:
            wait = min(step - now, LONGEST)
            events.append(SHIFT + wait - 1)
            now += wait
        if velocity >= 0 and velocity != loud:
            loud = velocity
            events.append(VELOCITY + loud)
        events.append(event)
    return np.array(events, np.int64)


def _on_grid(notes: np.ndarray) -> list[tuple[int, int, int, int]]:
    """(start, stop, pitch, velocity bin) in steps of 10 ms, each key ended where it returns."""
    times = np.rint(notes[:, :2].astype(np.float64) * STEPS).astype(np.int64)
    pitch = notes[:, 2].astype(np.int64)
    loud = np.clip(notes[:, 3].astype(np.int64) // 4, 0, 31)
    order = np.lexsort((times[:, 0], pitch))
    kept: list[tuple[int, int, int, int]] = []
    for i in order.tolist():
        start, key = int(times[i, 0]), int(pitch[i])
        if kept and kept[-1][2] == key:
            if kept[-1][0] == start:
                continue
            kept[-1] = (kept[-1][0], min(kept[-1][1], start), *kept[-1][2:])
        kept.append((start, max(int(times[i, 1]), start + 1), key, int(loud[i])))
    return kept


def decode_events(events: np.ndarray) -> np.ndarray:
    """The notes, (n, 4), from 0 seconds; a key that is never let go rings to the end."""
    now, loud = 0, 16
    sounding: dict[int, tuple[int, int]] = {}
    rows: list[tuple[float, float, int, int]] = []

    def let_go(pitch: int) -> None:
        if pitch in sounding:
            start, velocity = sounding.pop(pitch)
            rows.append((start / STEPS, now / STEPS, pitch, velocity * 4 + 2))

    for event in events.tolist():
        if event >= VELOCITY:
            loud = event - VELOCITY
        elif event >= SHIFT:
            now += event - SHIFT + 1
        elif event >= OFF:
            let_go(event - OFF)
        else:
            let_go(event)
            sounding[event] = (now, loud)
    for pitch in list(sounding):
        let_go(pitch)
    return np.array(sorted(rows), np.float64).reshape(-1, 4)


def nats_per_event(bits_per_note: float, events_per_note: float) -> float:
    """Bits per note in nats for each event of the same music; see the top of this file."""
    return bits_per_note * math.log(2) / events_per_note
