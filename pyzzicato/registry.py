"""The models at hand: each folder in `models/` with a model.toml is one.

    info = models()["wavenet"]
    generator = load_model("wavenet")

A new model of an old family is one folder and no code.
"""

from __future__ import annotations

import json
import logging
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from pyzzicato.errors import ModelUnavailable, UnknownName
from pyzzicato.generation import controls
from pyzzicato.generation.generator import Generator
from pyzzicato.paths import project_folder

__all__ = ["ModelInfo", "family_module", "load_model", "model_info", "models", "models_folder"]


def family_module(family: str) -> Any:
    """The module of a family: a file in `pyzzicato/families/`, or a folder with a family.py."""
    name = f"pyzzicato.families.{family}"
    module = import_module(name)
    return import_module(f"{name}.family") if hasattr(module, "__path__") else module


@dataclass(frozen=True)
class ModelInfo:
    """What model.toml says of one model, and where its files are."""

    id: str
    folder: Path
    family: str
    title: str
    summary: str
    source: str
    year: int
    composers: tuple[str, ...]  # ids
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    training: Mapping[str, Any] = field(default_factory=dict, repr=False)
    card: Mapping[str, Any] = field(default_factory=dict, repr=False)
    examples: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    """Settings of the pieces that are kept beside the weights; see `composition.examples`."""
    defaults: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What this model's controls are unless told, where that is not what its family's are."""

    @property
    def controls(self) -> type[controls.Controls]:
        """The family's controls with the model's `defaults`; nothing heavy is loaded.

        Raises InvalidControl for a default that the family has no control for, or cannot have.
        """
        kind = self._loader().controls_for(self)
        return controls.with_defaults(kind, tuple(self.defaults.items()))

    @property
    def reads_seed(self) -> bool:
        """Whether it goes on from a seed; False where it begins by itself."""
        return bool(self._loader().reads_seed)

    def can(self, ability: str) -> bool:
        """Whether its generator has a method of this name, such as "morph"."""
        return hasattr(self._loader(), ability)

    def load(self) -> Generator:
        """The model, ready to play; raises ModelUnavailable where its files are not."""
        generator: Generator = self._loader()(self)
        return generator

    def _loader(self) -> Any:
        return family_module(self.family).FAMILY.generator

    @property
    def weights(self) -> Path:
        """The step graph's file."""
        return self.folder / "model.onnx"

    @cached_property
    def trained(self) -> dict[str, Any]:
        """What the training wrote: losses, hours, licences, densities; empty before it."""
        return _read_json(self.folder / "training.json")

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The measured score sheet; empty before it was measured."""
        return _read_json(self.folder / "metrics.json")


def _read_json(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError, OSError) as error:
        raise ModelUnavailable(
            f"The file {path.name} of the model {path.parent.name} is damaged: "
            "fetch the project's files again."
        ) from error


def models_folder() -> Path:
    """Where models are looked for: PYZZICATO_MODELS, or `models/` of the project."""
    named = os.environ.get("PYZZICATO_MODELS")
    return Path(named) if named else project_folder() / "models"


def models(folder: Path | None = None) -> dict[str, ModelInfo]:
    """Every model by id, in the order of the `order` in their model.toml, then by id.

    A model whose model.toml cannot be read is left out, with a warning in the log, so that the
    others can play; where none can be read, ModelUnavailable says why.
    """
    found, broken = [], []
    for path in sorted((folder or models_folder()).glob("*/model.toml")):
        try:
            found.append(_read(path))
        except ModelUnavailable as error:
            logging.getLogger(__name__).warning("%s", error)
            broken.append(error)
    if broken and not found:
        raise broken[0]
    found.sort(key=lambda info: (info.card.get("order", 100), info.id))
    return {info.id: info for info in found}


def _read(path: Path) -> ModelInfo:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return ModelInfo(
            id=path.parent.name,
            folder=path.parent,
            family=table["family"],
            title=table["title"],
            summary=table["summary"],
            source=table["source"],
            year=table["year"],
            composers=tuple(table.get("composers", ())),
            config=table["config"],
            training=table["training"],
            card=table.get("card", {}),
            examples=tuple(table.get("examples", ())),
            defaults=table.get("defaults", {}),
        )
    except (KeyError, ValueError, OSError) as error:
        raise ModelUnavailable(
            f"The file model.toml of the model {path.parent.name} cannot be read ({error}): "
            "fetch the project's files again."
        ) from error


def model_info(model: str) -> ModelInfo:
    """One model by id; raises UnknownName with the ids there are, or ModelUnavailable."""
    known = models()
    if model not in known:
        path = models_folder() / model / "model.toml"
        if model.isidentifier() and path.exists():
            _read(path)  # says what is wrong with it
        raise UnknownName(f"There is no model {model!r}: choose one of {', '.join(known)}.")
    return known[model]


def load_model(model: str) -> Generator:
    """A model ready to play. Raises UnknownName or ModelUnavailable."""
    return model_info(model).load()
