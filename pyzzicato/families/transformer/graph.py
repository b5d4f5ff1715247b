"""The step graph of a network of notes, and what it reads beside the notes themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pyzzicato.families.transformer.sounding import Sounding
from pyzzicato.runtime.session import Cache, CachedGraph

__all__ = ["NoteCache", "NoteGraph"]


@dataclass(frozen=True)
class NoteCache:
    """What is kept of some pieces: keys and values of their notes, and which keys sound."""

    notes: Cache
    sounding: Sounding | None

    def repeated(self, takes: int) -> NoteCache:
        """What is kept of each piece, for `takes` pieces that go on from there apart."""
        sounding = self.sounding.repeated(takes) if self.sounding else None
        return NoteCache(self.notes.repeated(takes), sounding)


class NoteGraph:
    """A `CachedGraph` that is told which keys sound, where it was taught so."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        self._graph = CachedGraph(path, threads)

    def cache(self, takes: int, places: int) -> NoteCache:
        """An empty cache for `takes` pieces and their last `places` notes."""
        hears = "sounding" in self._graph.inputs
        return NoteCache(self._graph.cache(takes, places), Sounding(takes) if hears else None)

    def advance(self, inputs: Mapping[str, np.ndarray], cache: NoteCache) -> np.ndarray:
        """See `CachedGraph.advance`; `inputs` has notes, wishes and composer."""
        if cache.sounding:
            heard = cache.sounding.read(inputs["notes"].astype(np.int64))
            inputs = {**inputs, "sounding": heard}
        return self._graph.advance(inputs, cache.notes)
