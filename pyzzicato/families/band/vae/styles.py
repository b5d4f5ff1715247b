"""The space of a VAE's latents: styles to mix in, a map of them, and ways from piece to piece.

A style is a few points in the space, each the latents of two bars of the whole band: (points, 5,
16). Those that come with a model are counted on its training music after the training: the
windows of all pieces in a style fall into eight groups (k-means), and the middles of the groups
are the style. They are averages over many pieces, and not the music of any of them.

The map has two axes, the directions in which the training pieces differ most (their first two
principal components).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyzzicato.data.pieces import Piece
from pyzzicato.errors import ModelUnavailable, UnknownName

__all__ = [
    "POINTS",
    "STYLES_FILE",
    "StyleLibrary",
    "between",
    "by_lot",
    "load_library",
    "make_library",
    "middles",
    "style_of",
    "unique_latents",
]

STYLES_FILE = "styles.npz"
POINTS = 8  # of a style that comes with a model
LEAST = 4  # pieces that make a style
# A groove of the program MMA, which arranged most of the training music, belongs to the first
# style of which a word is in its name.
_GROOVES = (
    ("Jazz waltz", ("JazzWaltz",)),
    ("Waltz", ("Waltz",)),
    ("Bolero", ("Bolero", "Beguine", "Rhumba")),
    ("Tango", ("Tango",)),
    ("Samba", ("Samba", "Merengue", "Fusion", "Calypso")),
    ("Ska", ("Ska",)),
    ("March", ("March",)),
    ("Trance", ("Trance",)),
    ("Twist", ("Twist", "Jive", "Beat")),
    ("Ballad", ("Ballad",)),
    ("Blues", ("Blues",)),
    ("Country", ("Country", "Grass", "Folk")),
    ("Swing", ("Swing", "BigBand", "Combo", "Foxtrot", "FoxTrot")),
    ("Jazz", ("Jazz", "Evansish")),
    ("Rock", ("Rock",)),
    ("Soul", ("Soul", "R&B", "Funk")),
)
_COLLECTIONS = {"freedoom": "Dark game", "openmsx": "Railway game"}
_GROOVE = re.compile(r"/ MMA ([^+\s]+)")


def style_of(piece: Piece) -> str:
    """The style of a training piece, by its groove or by where it comes from; "" for none."""
    groove = _GROOVE.search(piece.title)
    if groove is None:
        usual = piece.composer.replace("_", " ").capitalize() if "/" in piece.path else ""
        return _COLLECTIONS.get(piece.composer, usual)
    return next((name for name, words in _GROOVES if any(w in groove[1] for w in words)), "")


@dataclass(frozen=True, eq=False)
class StyleLibrary:
    """Named styles and the map they lie on.

    `latents` (styles, points, 5, 16); `axes` (2, 80) and `middle` (80,) make the map; `pieces`
    (n, 2) are the places of the training pieces on it.
    """

    names: tuple[str, ...]
    latents: np.ndarray
    axes: np.ndarray
    middle: np.ndarray
    pieces: np.ndarray

    def style(self, name: str) -> np.ndarray:
        """The points of a style, (points, 5, 16); raises UnknownName."""
        for place, known in enumerate(self.names):
            if known.lower() == name.strip().lower():
                points: np.ndarray = self.latents[place]
                return points
        raise UnknownName(f"There is no style {name!r}: choose one of {', '.join(self.names)}.")

    def places(self, latents: np.ndarray) -> np.ndarray:
        """Where latents (..., 5, 16) lie on the map, (..., 2)."""
        flat = latents.reshape(*latents.shape[:-2], -1)
        found: np.ndarray = (flat - self.middle) @ self.axes.T
        return found

    @property
    def spots(self) -> dict[str, tuple[float, float]]:
        """Where each style lies on the map."""
        places = self.places(self.latents.mean(axis=1)).tolist()
        return {name: (x, y) for name, (x, y) in zip(self.names, places, strict=True)}

    def nearest(self, x: float, y: float) -> str:
        """The name of the style that lies nearest to a place on the map."""
        spots = self.spots
        return min(spots, key=lambda name: (spots[name][0] - x) ** 2 + (spots[name][1] - y) ** 2)

    def points(self) -> np.ndarray:
        """All points of all styles, (n, 5, 16)."""
        every: np.ndarray = self.latents.reshape(-1, *self.latents.shape[2:])
        return every

    def save(self, path: Path) -> None:
        """Writes an npz file, the latents in half precision."""
        arrays = {name: getattr(self, name) for name in ("latents", "axes", "middle", "pieces")}
        halves: dict[str, Any] = {n: np.asarray(a, np.float16) for n, a in arrays.items()}
        np.savez_compressed(path, names=np.array(self.names), **halves)


def load_library(path: Path) -> StyleLibrary:
    """What `StyleLibrary.save` wrote; raises ModelUnavailable where it is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            names = tuple(str(name) for name in file["names"])
            arrays = [file[n].astype(np.float32) for n in ("latents", "axes", "middle", "pieces")]
    except (OSError, ValueError, KeyError) as error:
        raise ModelUnavailable(
            f"The styles of the model {path.parent.name} cannot be loaded: the file {path.name} "
            "is missing or damaged. Choose another model, or fetch the project's files again."
        ) from error
    return StyleLibrary(names, *arrays)


def make_library(
    pieces: Sequence[Piece], latents_of: Callable[[Piece], np.ndarray], styles: int = 16
) -> StyleLibrary:
    """The styles of some pieces, at most `styles` of them, those with most pieces.

    `latents_of` gives the latents of a piece's windows, (n, 5, 16), n 0 for a piece too short.
    """
    by_style: dict[str, list[np.ndarray]] = {}
    everything = []
    for piece in pieces:
        latents = latents_of(piece)
        if len(latents):
            everything.append(latents)
            by_style.setdefault(style_of(piece), []).append(latents)
    by_style.pop("", None)
    chosen = sorted(
        (name for name, found in by_style.items() if len(found) >= LEAST),
        key=lambda name: (-len(by_style[name]), name),
    )[:styles]
    shape = everything[0].shape[1:]
    points = [middles(np.concatenate(by_style[name]), POINTS) for name in sorted(chosen)]
    means = np.stack([latents.mean(axis=0).ravel() for latents in everything])
    middle = means.mean(axis=0)
    axes = np.linalg.svd(means - middle, full_matrices=False)[2][:2]
    # The same way round every time: the largest entry of an axis is positive.
    axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    return StyleLibrary(
        tuple(sorted(chosen)),
        np.stack(points) if points else np.zeros((0, POINTS, *shape)),
        axes,
        middle,
        (means - middle) @ axes.T,
    )


def middles(latents: np.ndarray, count: int, rounds: int = 30) -> np.ndarray:
    """The middles of `count` groups of latents (n, 5, 16), by k-means; the largest group first.

    The first middles are chosen far apart (Arthur and Vassilvitskii, 2007), with fixed dice. Of
    fewer different latents than groups some are there more than once.
    """
    flat = latents.reshape(len(latents), -1).astype(np.float64)
    rng = np.random.default_rng(1)
    found = flat[rng.integers(len(flat))][None]
    while len(found) < count:
        apart = _apart(flat, found).min(axis=1) + 1e-12
        found = np.concatenate([found, flat[rng.choice(len(flat), p=apart / apart.sum())][None]])
    group = np.zeros(len(flat), np.int64)
    for _ in range(rounds):
        group = _apart(flat, found).argmin(axis=1)
        for number in range(count):
            if (group == number).any():
                found[number] = flat[group == number].mean(axis=0)
    order = np.argsort(-np.bincount(group, minlength=count), kind="stable")
    ordered: np.ndarray = found[order].reshape(count, *latents.shape[1:])
    return ordered


def _apart(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Squared distances, (rows, others)."""
    apart: np.ndarray = ((rows[:, None] - others[None]) ** 2).sum(axis=-1)
    return apart


def unique_latents(latents: np.ndarray) -> np.ndarray:
    """The different ones of latents (n, 5, 16), in their order; alike means within a hundredth."""
    if not len(latents):
        return latents
    rounded = np.round(latents.reshape(len(latents), -1), 2)
    first = np.unique(rounded, axis=0, return_index=True)[1]
    unique: np.ndarray = latents[np.sort(first)]
    return unique


def by_lot(sources: Sequence[np.ndarray], lots: np.ndarray) -> np.ndarray:
    """Latents of the sources (n, 5, 16) by lots (takes,) in [0, 1): (takes, 5, 16).

    Each source comes as often as the others, however long it is, and so does each of its latents.
    """
    scaled = (lots.astype(np.float64) * len(sources)).tolist()
    picked = [(sources[int(lot)], lot % 1.0) for lot in scaled]
    return np.stack([latents[int(share * len(latents))] for latents, share in picked])


def between(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    """Latents (5, 16) between two others, `share` (0 to 1) of the way, each instrument by itself.

    Along an arc (Shoemake, 1985), so that they stay as far from the middle of the space as real
    ones are; straight where the two lie in one direction or in opposite ones.
    """
    found = np.empty_like(first)
    for part, (a, b) in enumerate(zip(first, second, strict=True)):
        lengths = np.linalg.norm(a) * np.linalg.norm(b)
        angle = np.arccos(np.clip(a @ b / lengths, -1, 1)) if lengths > 0 else 0.0
        if 1e-3 < angle < np.pi - 1e-3:
            weights = np.sin([(1 - share) * angle, share * angle]) / np.sin(angle)
        else:
            weights = np.array([1 - share, share])
        found[part] = weights[0] * a + weights[1] * b
    return found
