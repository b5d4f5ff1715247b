"""What is taught and how: the recipe in a model.toml.

What a family offers: `pyzzicato.training.family`. The recipe is `models/<id>/model.toml`.
While a model is taught anew in another way, `models/<id>/next.toml` has the tables [config] and
[training] of that; it goes when its weights come.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from pyzzicato.errors import ModelUnavailable, PyzzicatoError
from pyzzicato.registry import ModelInfo
from pyzzicato.training.family import Recipe, checked, family_of

__all__ = ["load_keras", "next_recipe", "recipe", "weights_by_path"]


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
    Raises PyzzicatoError where there is no such table, and for keys that are missing or not known.
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
    family, where = family_of(table["family"]), folder / "model.toml"
    checked(training, family.training, f"The table [training] of {where}")
    augmented = {**table["config"], **training.get("augmentation", {})}
    config |= checked(augmented, family.config, f"The table [config] of {where}")
    named = ("batch", "window", "told_from")
    config |= {name: training[name] for name in named if name in training}
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
        model = family_of(info.family).build(config)
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
