"""How well the five VAEs and what leads them tell real music, and real music of each style.

The ELBO of a window of two bars is the nats of its cells by the decoders (see
`band.planes.band_nats`) and the KL divergence of its latents, with one draw of them.
The VAEs alone count from N(0, I), which knows nothing of what was before; this model from what
MelodyNN and ConditionalNNs make of the latents before, with the piano's own new ones for the
others: the difference is what leading them is worth. Beside them each cell is told by how often it
was struck or held in the first half of the windows asked, whatever stands around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyzzicato.data.pieces import Piece
from pyzzicato.errors import PyzzicatoError
from pyzzicato.families.band.evaluate import Told
from pyzzicato.families.band.pairs import home_windows, pairs_of
from pyzzicato.families.band.planes import nats_by_cells, window_nats
from pyzzicato.families.band.vae.styles import style_of
from pyzzicato.metrics.scores import MODEL
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import BlockGraph

__all__ = ["style_windows", "vae_told"]

WINDOWS = 64  # of a style, at most
BATCH = 128
ALONE = "its VAEs alone"


def vae_told(info: ModelInfo, pieces: Sequence[Piece]) -> Told:
    """ELBOs in nats a window, the less the better, on all pairs of windows of some pieces."""
    pairs = list(pairs_of(pieces))
    if len(pairs) < 2:
        raise PyzzicatoError("That folder has too little music for a band to measure on.")
    graph, size = BlockGraph(info.weights), int(info.config["latents"])
    rng = np.random.default_rng(1)
    total = {MODEL: 0.0, ALONE: 0.0}
    for first in range(0, len(pairs), BATCH):
        now, after = (np.stack(rows) for rows in zip(*pairs[first : first + BATCH], strict=True))
        choice = np.zeros((len(now), 5, 3), np.float32)
        choice[..., 1] = 1

        def read(rows: np.ndarray, latents: np.ndarray, how: np.ndarray = choice) -> Any:
            noise = rng.standard_normal(latents.shape, np.float32)
            roll = rows[:, 1:].astype(np.float32)
            return graph.run(latents=latents, roll=roll, noise=noise, choice=how)

        before = read(now, np.zeros((len(now), 5, size), np.float32))["next"]
        found = read(after, before)
        nats = window_nats(after, found["output"]).sum()
        mean, log_sd, read_mean, log_var = np.moveaxis(found["told"], 2, 0)
        variance = np.exp(log_var)
        total[ALONE] += nats + 0.5 * (variance + read_mean**2 - 1 - log_var).sum()
        apart = (variance + (read_mean - mean) ** 2) * np.exp(-2 * log_sd)
        total[MODEL] += nats + (0.5 * (apart - 1 - log_var) + log_sd).sum()
    return {
        "ELBO, nats per window": {
            **{name: round(float(nats) / len(pairs), 2) for name, nats in total.items()},
            "how often each cell comes": round(nats_by_cells([after for _, after in pairs]), 2),
        }
    }


def style_windows(pieces: Sequence[Piece], names: Sequence[str]) -> dict[str, np.ndarray]:
    """Real windows of each style, in the home key: (up to 64, 32, 5, 128), evenly chosen."""
    by_style: dict[str, list[np.ndarray]] = {}
    for piece in pieces:
        name = style_of(piece)
        if name in names:
            by_style.setdefault(name, []).extend(home_windows(piece.codes))  # type: ignore[attr-defined]
    return {
        name: np.stack([found[n] for n in np.linspace(0, len(found) - 1, WINDOWS).astype(int)])
        for name, found in sorted(by_style.items())
        if found
    }
