"""A small ABC tune, played: the notes in quarter notes."""

from __future__ import annotations

from pyzzicato.formats.abc.notation import read_abc

Played = list[tuple[float, float, int]]


def played(body: str, header: str = "M:4/4\nL:1/4\nK:C") -> Played:
    """Start and end in quarter notes, and pitch, of every note at the default tempo."""
    sequence = read_abc(f"X:1\nT:Test\n{header}\n{body}\n")
    return [(round(n.start * 2, 4), round(n.end * 2, 4), n.pitch) for n in sequence]


def pitches(body: str, header: str = "M:4/4\nL:1/4\nK:C") -> list[int]:
    return [pitch for _, _, pitch in played(body, header)]


def starts(body: str, header: str = "M:4/4\nL:1/4\nK:C") -> list[float]:
    return [start for start, _, _ in played(body, header)]
