"""ABC text as whole numbers, one a character: what the network of characters reads and writes.

The vocabulary is counted from the data: every character of the training tunes, in the order of
their code points. A character outside it is left out when text is encoded.
Source: Giba and Rudeanu. Theirs has 87 characters, those of their file of jigs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

__all__ = ["AbcText", "shown", "typed", "vocabulary_of"]

_SHOWN = {" ": "space", "\n": "new line"}


def vocabulary_of(texts: Iterable[str], least: int = 1) -> str:
    """The characters that `texts` hold at least `least` times, in the order of code points."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    return "".join(sorted(char for char, count in counts.items() if count >= least))


def shown(character: str) -> str:
    """A character as a list shows it: itself, or its name where there would be nothing to see."""
    return _SHOWN.get(character, character)


def typed(name: str) -> str:
    """The character that `shown` shows as `name`."""
    return next((char for char, word in _SHOWN.items() if word == name), name)


@dataclass(frozen=True, slots=True)
class AbcText:
    """Text to numbers and back; `vocabulary` holds each character once."""

    vocabulary: str

    def encode(self, text: str) -> np.ndarray:
        """The places of the characters in the vocabulary, (n,) int32; unknown ones left out."""
        place = {char: index for index, char in enumerate(self.vocabulary)}
        return np.array([place[char] for char in text if char in place], np.int32)

    def decode(self, codes: np.ndarray) -> str:
        """The text of codes (n,); raises IndexError where one is outside the vocabulary."""
        return "".join(self.vocabulary[int(code)] for code in codes)
