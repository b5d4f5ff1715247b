"""What a listener turns on every family that plays in a band of five."""

from __future__ import annotations

from dataclasses import dataclass

from pyzzicato.generation import controls
from pyzzicato.generation.controls import control
from pyzzicato.generation.instrument_lock import KEEP_NOTHING, KEEPS, asked_keep
from pyzzicato.music.notes import NoteSequence

__all__ = ["SLOWEST", "BandControls"]

SLOWEST, FASTEST = 30.0, 300.0  # quarter notes a minute


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
