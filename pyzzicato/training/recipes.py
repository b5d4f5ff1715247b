"""What is taught and how: the recipe in a model.toml, and what a family's file offers for it.

A family is a module with the names of `FamilyModule`. The recipe is `models/<id>/model.toml`.
While a model is taught anew in another way, `models/<id>/next.toml` has the tables [config] and
[training] of that; it goes when its weights come.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np

from pyzzicato import registry
from pyzzicato.data.datasets import Dataset, Piece
from pyzzicato.errors import ModelUnavailable, PyzzicatoError
from pyzzicato.registry import ModelInfo

__all__ = [
    "Batch",
    "Examples",
    "FamilyModule",
    "Recipe",
    "family_module",
    "load_keras",
    "next_recipe",
    "recipe",
    "weights_by_path",
]

Batch = tuple[dict[str, np.ndarray], np.ndarray]


class Examples(Protocol):
    """Training batches, drawn with the generator that is handed in.

    Where batches have an order there is also `at(epoch, index)`, and it is asked instead. Where
    they change in the course of the training there is `passed`: before each batch it is set to the
    share of the training that is over, 0 to 1.
    """

    def batch(self, rng: np.random.Generator) -> Batch: ...


class FamilyModule(Protocol):
    """What a file in `pyzzicato/families/` offers."""

    def build(self, config: Mapping[str, Any]) -> Any: ...

    def examples(
        self, pieces: Sequence[Piece], config: Mapping[str, Any], *, training: bool
    ) -> Examples: ...

    def loss(self, y_true: Any, y_pred: Any) -> Any: ...

    def metrics(self) -> list[Any]: ...

    def export(
        self, weights: Mapping[str, np.ndarray], config: Mapping[str, Any]
    ) -> dict[str, Any]: ...

    def load(self, info: Any) -> Any: ...

    def scores(self, info: Any, dataset: Dataset, say: Callable[[str], None]) -> dict[str, Any]: ...


def family_module(family: str) -> FamilyModule:
    """The module of a family, with what it offers for training."""
    return cast(FamilyModule, registry.family_module(family))


@dataclass(frozen=True)
class Recipe:
    """What is trained and how: the two tables of a model.toml and where the results go."""

    model: str
    family: str
    config: Mapping[str, Any]
    training: Mapping[str, Any]
    run: Path  # checkpoints and history
    folder: Path  # the finished model
    begin: ModelInfo | None = None  # whose weights it goes on from
    network: Mapping[str, Any] = field(default_factory=dict)  # what a checkpoint depends on


def next_recipe(folder: Path) -> str:
    """The text of `folder`/model.toml, with the tables of next.toml for its own where it is there.

    Of the tables [config] and [training], with those inside them, all are replaced.
    """
    text = (folder / "model.toml").read_text(encoding="utf-8")
    path = folder / "next.toml"
    if not path.exists():
        return text
    tables = re.split(r"^(?=\[)", text, flags=re.MULTILINE)
    kept = [table for table in tables if not re.match(r"\[(config|training)[].]", table)]
    return "".join(kept).rstrip() + "\n\n" + path.read_text(encoding="utf-8")


def recipe(
    folder: Path, runs: Path, begin: ModelInfo | None = None, text: str | None = None
) -> Recipe:
    """The recipe in `folder`/model.toml; its run is kept in `runs`/<model id>.

    With `text` it is that text's, of a training that goes on from day to day, and the run is kept
    in `runs`/<model id>-steady.

    To go on from the weights of `begin` it is the table [training.further] that counts, and
    beside it what [training] says of everything else; the run is known by those weights then.
    Raises PyzzicatoError where there is no such table.
    """
    import tomllib

    steady = text is not None
    table = tomllib.loads(text or (folder / "model.toml").read_text(encoding="utf-8"))
    config = {"composers": table.get("composers", []), **table["config"]}
    training, run = table["training"], folder.name + ("-steady" if steady else "")
    network = {**config, "split": training.get("split", "own")}
    network["optimizer"] = training.get("optimizer", "adamw")
    further = training.pop("further", None)
    if begin is not None:
        if further is None:
            raise PyzzicatoError(
                f"{folder / 'model.toml'} does not say how to go on from the weights there are: "
                "give it a table [training.further] with epochs and a learning_rate."
            )
        training |= further
        run += f"-further-{hashlib.sha256(begin.weights.read_bytes()).hexdigest()[:8]}"
    named = ("batch", "window", "told_from")
    config |= {name: training[name] for name in named if name in training}
    config |= training.get("augmentation", {})
    return Recipe(
        folder.name, table["family"], config, training, runs / run, folder, begin, network
    )


def weights_by_path(model: Any) -> dict[str, np.ndarray]:
    """The variables of a Keras model by path, as float32 arrays."""
    import keras

    return {
        variable.path: keras.ops.convert_to_numpy(keras.ops.cast(variable, "float32"))
        for variable in model.variables
    }


def load_keras(info: ModelInfo) -> Any:
    """The Keras model with the weights of the model's step graph, in float32: for teaching, tests.

    Raises ModelUnavailable where the step graph is missing, damaged or of another recipe.
    """
    import keras

    from pyzzicato.runtime.session import weights_of

    stored = weights_of(info.weights)
    heads = info.folder / "heads.onnx"  # a network that draws inside a step has a second graph
    if heads.exists():
        stored |= weights_of(heads)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        config = {**info.config, "composers": info.composers, **_counted(info.folder)}
        model = family_module(info.family).build(config)
    finally:
        keras.config.set_dtype_policy(policy)
    try:
        for weight in model.weights:
            weight.assign(stored[weight.path].reshape(weight.shape))
    except (KeyError, ValueError) as error:
        raise ModelUnavailable(
            f"The weights of the model {info.id} are not those of its model.toml: "
            f"train it again with `pyzzicato train {info.id}`."
        ) from error
    return model


def _counted(folder: Path) -> dict[str, Any]:
    """What a family counted on its training music, for its config; nothing for most families."""
    path = folder / "vocabulary.json"
    return {"vocabulary": json.loads(path.read_text(encoding="utf-8"))} if path.exists() else {}
