"""How well the five VAEs and what leads them tell real music, and real music of each style.

The ELBO of a window of two bars is the nats of its cells by the decoders (see
`pyzzicato.band_planes.band_nats`) and the KL divergence of its latents, with one draw of them.
`vae` counts from N(0, I), which knows nothing of what was before; `vae_led` from what MelodyNN and
ConditionalNNs make of the latents before, with the piano's own new ones for the others: the
difference is what leading them is worth. `cells` tells each cell by how often it was struck or
held in the first half of the windows asked, whatever stands around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from pyzzicato.band_pairs import band_codes, home_windows
from pyzzicato.band_planes import KEYS, PARTS, planes
from pyzzicato.codecs.multitrack_roll import WINDOW
from pyzzicato.datasets import Piece
from pyzzicato.errors import PyzzicatoError
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime import BlockGraph
from pyzzicato.style_space import style_of

__all__ = ["pairs_of", "style_windows", "vae_told", "window_nats"]

WINDOWS = 64  # of a style, at most
BATCH = 128


def pairs_of(pieces: Sequence[Piece]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Two bars and the two after them, as planes, with the step before each in front: (33, 733).

    All that a piece has, one after another; where a piece is silent for all four bars it is left
    out.
    """
    for codes in band_codes(pieces):
        rows = np.concatenate([np.zeros((1, *codes.shape[1:]), np.uint8), codes])
        roll = planes(rows)
        for first in range(0, len(codes) - 2 * WINDOW + 1, WINDOW):
            middle = first + WINDOW
            if roll[first + 1 : middle + WINDOW + 1].any():
                yield roll[first : middle + 1], roll[middle : middle + WINDOW + 1]


def window_nats(rows: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Nats of windows (n, 33, 733), the step before in front, by logits (n, 32, 733): (n, 5)."""
    before, cells = rows[:, :-1].astype(np.float32), rows[:, 1:].astype(np.float32)
    nats = np.logaddexp(0, logits) - cells * logits
    found = np.zeros((len(rows), len(PARTS)))
    for part, (first, end) in enumerate(PARTS):
        told = nats[..., first:end].copy()
        if part:
            struck = cells[..., first : first + KEYS]
            told[..., KEYS:] *= before[..., first + KEYS : end] * (1 - struck)
        found[:, part] = told.sum(axis=(1, 2))
    return found


def vae_told(info: ModelInfo, pieces: Sequence[Piece]) -> dict[str, Any]:
    """ELBOs in nats a window, the less the better, on all pairs of windows of some pieces."""
    pairs = list(pairs_of(pieces))
    if len(pairs) < 2:
        raise PyzzicatoError("That folder has too little music for a band to measure on.")
    graph, size = BlockGraph(info.weights), int(info.config["latents"])
    rng = np.random.default_rng(1)
    total = {"vae": 0.0, "vae_led": 0.0}
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
        total["vae"] += nats + 0.5 * (variance + read_mean**2 - 1 - log_var).sum()
        apart = (variance + (read_mean - mean) ** 2) * np.exp(-2 * log_sd)
        total["vae_led"] += nats + (0.5 * (apart - 1 - log_var) + log_sd).sum()
    return {
        "what": "ELBO, nats a window of two bars",
        "rows": {
            **{name: round(float(nats) / len(pairs), 2) for name, nats in total.items()},
            "cells": round(_by_cells(pairs), 2),
        },
    }


def _by_cells(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """Nats of the second half of some windows by how often each cell was so in the first half."""
    rows = np.stack([after for _, after in pairs])
    known, asked = rows[: len(rows) // 2], rows[len(rows) // 2 :]
    counts = known[:, 1:].sum(axis=(0, 1), dtype=np.float64)
    asked_of = np.full(counts.shape, known[:, 1:, 0].size, np.float64)
    for first, end in PARTS[1:]:
        struck, held = slice(first, first + KEYS), slice(first + KEYS, end)
        open_cells = known[:, :-1, held] * (1 - known[:, 1:, struck])
        counts[held] = (open_cells * known[:, 1:, held]).sum(axis=(0, 1), dtype=np.float64)
        asked_of[held] = open_cells.sum(axis=(0, 1), dtype=np.float64)
    chance = (counts + 0.5) / (asked_of + 1)
    logits = np.broadcast_to(np.log(chance / (1 - chance)), (len(asked), WINDOW, rows.shape[-1]))
    return float(window_nats(asked, logits).sum(axis=1).mean())


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
