"""The flagship's graphs against the Keras model that was trained: the same numbers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyzzicato.codecs.piano_roll import note_array
from pyzzicato.data.pieces import Piece
from pyzzicato.families.transformer import family as transformer
from pyzzicato.families.transformer.generate import NoteControls
from pyzzicato.families.transformer.graph import NoteGraph
from pyzzicato.families.transformer.windows import NoteWindows
from pyzzicato.registry import ModelInfo, models
from pyzzicato.runtime.session import StepGraph
from tests.small_transformer import COMPOSERS, CONFIG, EVERYTHING, make_transformer
from tests.test_families import made_up

SHIPPED = [info for info in models().values() if info.controls is NoteControls]
PLACES = 96


def windows(info: ModelInfo) -> dict[str, np.ndarray]:
    """Two windows as the training makes them, gaps among them; of our own music."""
    piece = Piece(
        "a.mid", info.composers[0], "", "", "train", "performance", "", 1,
        note_array(made_up(40.0)).astype(np.float32),
    )  # fmt: skip
    config = {**info.config, "composers": info.composers, "batch": 2, "window": PLACES}
    config["filled"] = 0.5
    inputs, _ = NoteWindows([piece], config, training=True).batch(np.random.default_rng(4))
    return inputs


def check_same(info: ModelInfo) -> None:
    from pyzzicato.training.recipes import load_keras

    inputs = windows(info)
    wanted = np.asarray(load_keras(info)(inputs))
    read = {name: inputs[name].astype(np.float32) for name in ("notes", "wishes", "composer")}
    graph, heads = NoteGraph(info.weights), StepGraph(info.folder / "heads.onnx")
    chosen = inputs["chosen"].astype(np.float32)

    def run(portions: list[int]) -> np.ndarray:
        cache, found, place = graph.cache(2, PLACES), [], 0
        for steps in portions:
            part = slice(place, place + steps)
            now = {k: v if k == "composer" else v[:, part] for k, v in read.items()}
            hidden = graph.advance(now, cache)
            found.append(heads.advance({"hidden": hidden, "chosen": chosen[:, part]}, {})[0])
            place += steps
        return np.concatenate(found, axis=1)

    scale = max(1.0, np.abs(wanted).max() / 20)
    assert np.abs(run([PLACES]) - wanted).max() <= 1e-4 * scale
    assert np.abs(run([PLACES - 20] + 20 * [1]) - wanted).max() <= 1e-4 * scale
    assert wanted.std() > 0.1, "there is something to compare"


@pytest.mark.parametrize("stored", ["float16", "int8"])
@pytest.mark.parametrize("told", [{}, *({name: True} for name in EVERYTHING), EVERYTHING])
def test_the_graphs_of_any_weights_are_the_keras_model(
    tmp_path: Path, stored: str, told: dict[str, Any]
) -> None:
    told = {"context_length": PLACES, "weight_dtype": stored, "width": 64, **told}
    check_same(make_transformer(tmp_path / "small", **told))


def test_a_network_of_the_recipe_begins_by_saying_nothing() -> None:
    network = transformer.build({**CONFIG, **EVERYTHING, "composers": COMPOSERS})
    for layer in ("out_0", "down_1", "sounding_table"):
        assert not network.get_layer(layer).get_weights()[0].any()
    for name in transformer.FIELDS:
        assert not network.get_layer(f"{name}_out").get_weights()[0].any()
    (scale,) = network.get_layer("mix_1").get_weights()
    assert scale.tolist() == [1.0, 0.0]
    assert network.get_layer("qkv_0").get_weights()[0].any()


@pytest.mark.parametrize("info", SHIPPED, ids=lambda info: info.id)
def test_the_graphs_that_ship_are_the_keras_model(info: ModelInfo) -> None:
    check_same(info)


def test_all_composers_begin_alike() -> None:
    network = transformer.build({**CONFIG, "composers": COMPOSERS})
    (rows,) = network.get_layer("composer_table").get_weights()
    assert rows.shape == (len(COMPOSERS) + 1, CONFIG["width"])
    assert (rows == rows[0]).all()
    assert len(np.unique(rows[0])) == len(rows[0])
    assert 0.3 < np.abs(rows).max() <= np.sqrt(6 / sum(rows.shape)), "as large as by chance"


def test_what_is_taught_more_slowly_is_in_the_network() -> None:
    for info in SHIPPED:
        network = transformer.build({**info.config, "composers": info.composers})
        assert info.training["rates"].keys() <= {layer.name for layer in network.layers}
