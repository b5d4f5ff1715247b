"""What a listener turns on every family that plays in a band of five.

Locking instruments ("keep one, make the rest anew"). With `keep` other than "none", the new music
does not follow the seed but takes its place: its time 0 is where the seed begins, and its notes
hold all five instruments, the kept ones as they stand in the seed. So whoever shows or saves it
puts it *instead of* the seed: where `asked_keep(controls)` is true, the seed beside the new music
is empty and the border lies at 0 seconds; a usual length is the seed's own. A result is made anew
in the same way, as the seed of the next run.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

from pyzzicato.codecs.multitrack_roll import INSTRUMENTS
from pyzzicato.generation import controls
from pyzzicato.generation.controls import control
from pyzzicato.music.notes import NoteSequence

__all__ = [
    "KEEPS",
    "KEEP_NOTHING",
    "SLOWEST",
    "BandControls",
    "asked_keep",
    "keep_word",
    "kept_instruments",
]

KEEP_NOTHING = "none"
SLOWEST, FASTEST = 30.0, 300.0  # quarter notes a minute


def keep_word(names: tuple[str, ...]) -> str:
    """The value of `keep` for some instruments, such as "Piano+Bass"; "none" for no names."""
    return "+".join(name for name in INSTRUMENTS if name in names) or KEEP_NOTHING


KEEPS = tuple(
    keep_word(names)
    for count in range(len(INSTRUMENTS))
    for names in combinations(INSTRUMENTS, count)
)
"""Every value of `keep`: any instruments but all five, which would leave nothing to make."""


@dataclass(frozen=True, kw_only=True)
class BandControls(controls.Controls):
    """Length, dice, tempo, and which instruments of the seed stay as they are."""

    seconds: float = control(
        32.0,
        label="Length",
        help="How much new music to write; at a tempo of 120, 16 seconds are 8 bars.",
        minimum=5,
        maximum=300,
        step=1,
        unit="seconds",
    )
    qpm: float = control(
        0.0,
        label="Tempo",
        help=(
            f"Quarter notes a minute, {SLOWEST:g} at the slowest; 0 keeps the seed's own. Where "
            "instruments are kept it is always the seed's."
        ),
        minimum=0,
        maximum=240,
        step=1,
        unit="quarter notes a minute",
    )
    keep: str = control(
        KEEP_NOTHING,
        label="Keep of the seed",
        help=(
            "Nothing, and the new music follows the seed; or some of its instruments, which then "
            "stay as they are while the others are made anew, from the seed's beginning."
        ),
        choices=KEEPS,
    )

    def tempo_after(self, seed: NoteSequence) -> float:
        """Quarter notes a minute of the new music, 30 to 300."""
        asked = self.qpm and not asked_keep(self)
        return min(max(self.qpm if asked else seed.qpm, SLOWEST), FASTEST)


def asked_keep(controls: Any) -> bool:
    """Whether `controls`, of any family, ask for music that takes the seed's place."""
    return getattr(controls, "keep", KEEP_NOTHING) != KEEP_NOTHING


def kept_instruments(controls: Any) -> tuple[int, ...]:
    """The places of the kept instruments in INSTRUMENTS; none where nothing is kept."""
    names = controls.keep.split("+") if asked_keep(controls) else []
    return tuple(INSTRUMENTS.index(name) for name in names)
