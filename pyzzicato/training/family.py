"""What a kind of network offers, in one record, and the keys that its recipes may have."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np

from pyzzicato import registry
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.errors import PyzzicatoError, listed
from pyzzicato.generation.generator import Generator
from pyzzicato.metrics.scores import Sheet
from pyzzicato.registry import ModelInfo

__all__ = [
    "Batch",
    "Config",
    "Examples",
    "Family",
    "Lessons",
    "Recipe",
    "Row",
    "Training",
    "checked",
    "family_of",
]

Batch = tuple[dict[str, np.ndarray], np.ndarray]
Config = Mapping[str, Any]
Row = dict[str, float]
Say = Callable[[str], None]


class Examples(ABC):
    """Training batches, drawn with the generator that is handed in."""

    in_order: ClassVar[bool] = False
    """Whether each batch goes on where the last one ended: they are not shuffled then."""
    passed: float = 0.0
    """The share of the training that is over, 0 to 1; it is set before each batch."""

    @abstractmethod
    def batch(self, rng: np.random.Generator) -> Batch:
        """The next batch."""

    def at(self, epoch: int, index: int, rng: np.random.Generator) -> Batch:
        """Batch `index` of an epoch."""
        return self.batch(rng)


@dataclass(frozen=True)
class Lessons:
    """How a network is taught by the common loop.

    `examples(pieces, config, training=...)` gives batches, drawn anew for ever (training) or
    always the same (validation); `loss` and `metrics()` are as Keras takes them. `counted` says
    how many notes a batch's target holds; only a network that has it can be taught steadily.
    """

    examples: Callable[..., Examples]
    loss: Callable[[Any, Any], Any]
    metrics: Callable[[], list[Any]]
    counted: Callable[[np.ndarray], int] | None = None


Fit = Callable[[Any, "Recipe", Dataset, int, int, Say], list[Row]]
"""A loop of a family's own: model, plan, dataset, epochs, rng_seed, say -> a row an epoch."""


@dataclass(frozen=True)
class Training:
    """The keys of the table [training] of a model.toml."""

    batch: int
    steps_per_epoch: int
    learning_rate: float
    kinds: tuple[str, ...] = ("performance",)
    composers: tuple[str, ...] | None = None
    split: str = "own"
    window: int = 0
    validation_steps: int = 0
    epochs: int = 0
    patience: int = 0
    optimizer: str = "adamw"
    schedule: str = "cosine"
    warmup_steps: int = 500
    weight_decay: float = 0.01
    clip: float = 1.0
    averaging: float = 0.0
    precision: str = "float32"
    quiet: bool = False
    keep_every: int = 0
    told_from: float = 0.0
    rates: Mapping[str, float] = field(default_factory=dict)
    further: Mapping[str, Any] = field(default_factory=dict)
    augmentation: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Family:
    """A kind of network: what it is, how it is taught, played and measured."""

    config: type[Any]
    """A frozen dataclass: the keys of [config] and of [training.augmentation]."""
    build: Callable[[Config], Any]
    """The Keras model, written with `keras.layers` and `keras.ops` only."""
    export: Callable[[Mapping[str, np.ndarray], Config], dict[str, Any]]
    """Weights by path to ONNX graphs by file name."""
    generator: type[Generator]
    """What plays it, made of a ModelInfo."""
    scores: Callable[[ModelInfo, Dataset, Say], Sequence[Sheet]]
    """How well it tells real music, the most telling sheet first."""
    quick_scores: Callable[[ModelInfo, Dataset, Say], Sequence[Sheet]] | None = None
    """The same, rougher; None where `scores` is quick enough."""
    teaching: Lessons | Fit
    training: type[Training] = Training
    """The keys of [training]."""
    prepare: Callable[[Recipe, Sequence[Piece]], dict[str, Any]] | None = None
    """What has to be counted on the training music before the network can be built."""
    finish: Callable[[Recipe, Dataset, Say], None] | None = None
    """What is made with the trained network and lies beside its graphs."""
    statistics: Callable[[Sequence[Piece]], dict[str, Any]] = lambda _: {}
    """What its generator wants to know of the training music, for training.json."""


@dataclass(frozen=True)
class Recipe:
    """What is trained and how: the two tables of a model.toml and where the results go."""

    model: str
    family: str
    config: Config
    training: Mapping[str, Any]
    run: Path  # checkpoints and history
    folder: Path  # the finished model
    begin: ModelInfo | None = None  # whose weights it goes on from
    network: Config = field(default_factory=dict)  # what a checkpoint depends on


def family_of(name: str) -> Family:
    """The family of a name, such as "piano_roll.wavenet"."""
    return cast(Family, registry.family_module(name).FAMILY)


def checked(table: Config, kind: type[Any], where: str) -> dict[str, Any]:
    """`table` with every key of the dataclass `kind`, those left out as is usual.

    Raises PyzzicatoError for a key that `kind` does not have, and for one that is missing.
    """
    keys = {each.name: each for each in dataclasses.fields(kind)}
    unknown = sorted(set(table) - set(keys))
    if unknown:
        raise PyzzicatoError(
            f"{where} has a key that is not known, {unknown[0]}: take it out, or spell it as one "
            f"of {', '.join(sorted(keys))}."
        )
    missing = [
        name
        for name, each in keys.items()
        if name not in table
        and each.default is dataclasses.MISSING
        and each.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise PyzzicatoError(f"{where} does not say {listed(missing)}: write it there.")
    return {name: getattr(kind(**table), name) for name in keys}
