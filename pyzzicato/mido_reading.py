"""One MIDI file as an array of notes, without limits of length, for training."""

from __future__ import annotations

from pathlib import Path

import mido
import numpy as np
import numpy.typing as npt

from pyzzicato.errors import UnreadableMusic

_PEDAL = 64  # the value of CC64 from which the pedal is down


def read_file(path: Path) -> npt.NDArray[np.float32]:
    """(n, 4) float32 rows of start s, end s, pitch, velocity; raises UnreadableMusic."""
    try:
        file = mido.MidiFile(path, clip=True)
    except Exception:
        raise UnreadableMusic("not a readable MIDI file") from None
    if file.ticks_per_beat <= 0:
        raise UnreadableMusic("not a readable MIDI file")
    events = [event for index, track in enumerate(file.tracks) for event in _absolute(track)]
    events.sort(key=lambda event: event[0])
    rows = _notes([e for e in events if e[1] != "tempo"])
    if not rows:
        return np.empty((0, 4), np.float32)
    notes = np.array(rows, np.float64)
    clock = _clock([(e[0], e[2]) for e in events if e[1] == "tempo"], file.ticks_per_beat)
    notes[:, 0], notes[:, 1] = clock(notes[:, 0]), clock(notes[:, 1])
    notes = notes[notes[:, 1] > notes[:, 0]]
    return notes[np.lexsort((notes[:, 2], notes[:, 0]))].astype(np.float32)


def _absolute(track):  # type: ignore[no-untyped-def]
    tick = 0
    for m in track:
        tick += m.time
        kind = m.type
        if kind == "note_on" and m.channel != 9:
            yield tick, "on" if m.velocity else "off", (m.channel, m.note), m.velocity
        elif kind == "note_off" and m.channel != 9:
            yield tick, "off", (m.channel, m.note), 0
        elif kind == "control_change" and m.control == 64:
            yield tick, "pedal", m.channel, m.value
        elif kind == "set_tempo":
            yield tick, "tempo", m.tempo, 0
    yield tick, "end", None, 0


def _notes(events):  # type: ignore[no-untyped-def]
    rows, open_, held, down = [], {}, {}, set()

    def close(key, note, tick):  # type: ignore[no-untyped-def]
        rows.append((note[0], tick, key[1], note[1]))

    tick = 0
    for tick, kind, key, value in events:
        if kind == "on":
            for store in (open_, held):
                if key in store:
                    close(key, store.pop(key), tick)
            open_[key] = (tick, value)
        elif kind == "off":
            if key in open_:
                if key[0] in down:
                    held[key] = open_.pop(key)
                else:
                    close(key, open_.pop(key), tick)
        elif kind == "pedal":
            if value >= _PEDAL:
                down.add(key)
            elif key in down:
                down.discard(key)
                for each in [k for k in held if k[0] == key]:
                    close(each, held.pop(each), tick)
    for store in (open_, held):
        for key, note in store.items():
            close(key, note, tick)
    return rows


def _clock(tempi, division):  # type: ignore[no-untyped-def]
    ticks, rates, seconds = [0], [500_000], [0.0]
    for tick, tempo in tempi:
        if tick == ticks[-1]:
            rates[-1] = tempo
            continue
        seconds.append(seconds[-1] + (tick - ticks[-1]) * rates[-1] / division / 1e6)
        ticks.append(tick)
        rates.append(tempo)
    starts, speeds = np.array(ticks), np.array(rates) / division / 1e6

    def at(when):  # type: ignore[no-untyped-def]
        index = np.searchsorted(starts, when, side="right") - 1
        return np.array(seconds)[index] + (when - starts[index]) * speeds[index]

    return at
