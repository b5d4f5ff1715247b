"""Folders of music of our own, with and without a table, for tests."""

import csv
from collections.abc import Iterable
from pathlib import Path

import mido

from pyzzicato.data.pieces import Dataset

COLUMNS = ("path", "composer", "title", "licence", "kind", "split", "work_id")


def write_file(
    path: Path, messages: Iterable[tuple[float, mido.Message]], tempo: int = 500_000
) -> Path:
    """A MIDI file of (seconds, message), 1 ms a tick."""
    path.parent.mkdir(parents=True, exist_ok=True)
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=tempo)])
    now = 0
    for seconds, message in sorted(messages, key=lambda item: item[0]):
        tick = round(seconds * 1000)
        track.append(message.copy(time=tick - now))
        now = tick
    mido.MidiFile(ticks_per_beat=tempo // 1000, tracks=[track]).save(path)
    return path


def on(pitch: int, velocity: int = 80, channel: int = 0) -> mido.Message:
    return mido.Message("note_on", note=pitch, velocity=velocity, channel=channel)


def off(pitch: int, channel: int = 0) -> mido.Message:
    return mido.Message("note_off", note=pitch, channel=channel)


def pedal(value: int) -> mido.Message:
    return mido.Message("control_change", control=64, value=value)


def write_scale(path: Path, seconds: float = 2.0, per_second: int = 2) -> Path:
    """Even notes, each half as long as the time to the next."""
    gap = 1 / per_second
    messages = []
    for index in range(round(seconds * per_second)):
        pitch = 60 + index % 12
        messages += [(index * gap, on(pitch)), (index * gap + gap / 2, off(pitch))]
    return write_file(path, messages)


def write_table(path: Path, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])


def write_manifest(folder: Path) -> Path:
    """Two composers, one work recorded four times, a score, a file without a licence, a bad one."""
    nc = "CC BY-NC-SA 4.0"
    rows = [
        *(
            (f"p/Chopin/a{i}.mid", "Chopin", "Étude", nc, "performance", "train", "w1")
            for i in "1234"
        ),
        ("p/Chopin/b.mid", "Chopin", "Prelude", nc, "performance", "val", "w2"),
        ("p/CPE/c.mid", "CPE Bach", "Solfeggio", "CC BY 4.0", "performance", "test", "w3"),
        ("p/Chopin/d.mid", "Chopin", "Waltz", "not stated in repo", "performance", "train", "w4"),
        ("s/Chopin/a.mid", "Chopin", "Étude", "Public Domain", "score", "train", "w1"),
        ("abc/tunes.abc", "Traditional", "tunes", "CC0", "abc", "train", "w9"),
    ]
    for row in rows[:-1]:
        write_scale(folder / row[0])
    write_table(folder / "MANIFEST.csv", COLUMNS, rows)
    return folder


def reasons(dataset: Dataset) -> dict[str, str]:
    return {item.path: item.reason for item in dataset.skipped}
