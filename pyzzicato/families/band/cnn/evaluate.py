"""How well a MelodyCNN and four HarmonyCNNs tell real music.

What is told is every window of two bars of a split from the two bars before and, for the others,
the real piano of the same two bars, in nats (see `band.planes.band_nats`). Of a network
with noise it is the ELBO, with one draw of the noise: the nats, and the KL divergence of the noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyzzicato.data.pieces import Piece
from pyzzicato.errors import PyzzicatoError
from pyzzicato.families.band.evaluate import Told
from pyzzicato.families.band.pairs import pairs_of
from pyzzicato.families.band.planes import nats_by_cells, window_nats
from pyzzicato.metrics.scores import MODEL
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import BlockGraph

__all__ = ["cnn_told"]

BATCH = 128


def cnn_told(info: ModelInfo, pieces: Sequence[Piece]) -> Told:
    """Nats (an upper bound where there is noise) of all windows of some pieces, less is better."""
    pairs = list(pairs_of(pieces))
    if len(pairs) < 2:
        raise PyzzicatoError("That folder has too little music for a band to measure on.")
    graph, size = BlockGraph(info.weights), int(info.config["noise"])
    rng = np.random.default_rng(1)
    total = 0.0
    for first in range(0, len(pairs), BATCH):
        now, after = (np.stack(rows) for rows in zip(*pairs[first : first + BATCH], strict=True))
        cells = after[:, 1:].astype(np.float32)
        inputs = {"previous": now[:, 1:].astype(np.float32), "piano": cells}
        if size:
            noise = rng.standard_normal((len(now), 5, size), np.float32)
            inputs |= {"noise": noise, "after": cells, "teach": np.ones((len(now), 1), np.float32)}
        found = graph.run(**inputs)
        total += float(window_nats(after, found["output"]).sum())
        if size:
            mean, log_var = np.moveaxis(found["told"], 2, 0)
            total += float(0.5 * (np.exp(log_var) + mean**2 - 1 - log_var).sum())
    return {
        "ELBO, nats per window" if size else "nats per window": {
            MODEL: round(total / len(pairs), 2),
            "how often each cell comes": round(nats_by_cells([after for _, after in pairs]), 2),
        }
    }
