"""Codecs: one representation each, the same object for training and for generation."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from pyzzicato.music.notes import NoteSequence

__all__ = ["Codec"]


class Codec(Protocol):
    """Music to arrays and back. A frozen dataclass, so that a recipe can hold its settings."""

    def encode(self, sequence: NoteSequence) -> np.ndarray: ...

    def decode(self, codes: np.ndarray) -> NoteSequence: ...
