"""What whole-number weights cost: the weights they were made of are found, and both are read."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from pyzzicato.card_figures import sheets
from pyzzicato.chord_examples import read_vocabulary
from pyzzicato.chord_network import exported
from pyzzicato.datasets import Dataset, read_dataset
from pyzzicato.errors import PyzzicatoError
from pyzzicato.note_scores import NoteReader, spans
from pyzzicato.registry import ModelInfo, models
from pyzzicato.rounding import before_rounding, rounding_cost
from pyzzicato.runtime import weights_of
from tests import small_chords
from tests.small_transformer import CONFIG, make_transformer, weights
from tests.test_note_scores import piece


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = small_chords.write_music(tmp_path_factory.mktemp("music"))
    return read_dataset(folder, kinds=("beats",))


def rounded(folder: Path, **values: Any) -> tuple[ModelInfo, list[np.ndarray]]:
    """A model whose large matrices are whole numbers, and the arrays it was made of, shuffled."""
    small_chords.make_model(folder / "small", **values)
    info = models(folder)["small"]
    config = {**info.config, "units": 48, "vocabulary": read_vocabulary(info.folder)}
    text = (info.folder / "model.toml").read_text(encoding="utf-8")
    (info.folder / "model.toml").write_text(text.replace("units = 8", "units = 48"))
    dice, known = np.random.default_rng(3), config["vocabulary"]
    names, lengths = len(known["notes"]), len(known["durations"])
    shapes = {
        "note/embeddings": (names + 1, 6), "duration/embeddings": (lengths + 1, 4),
        "lstm_0/lstm_cell/kernel": (10, 192), "lstm_0/lstm_cell/recurrent_kernel": (48, 192),
        "lstm_0/lstm_cell/bias": (192,), "note_out/kernel": (48, names), "note_out/bias": (names,),
        "duration_out/kernel": (48, lengths), "duration_out/bias": (lengths,),
    }  # fmt: skip
    weights = {
        name: dice.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()
    }
    onnx.save(exported(weights, config)["model.onnx"], str(info.weights))
    kept = [weights[name] for name in sorted(weights, reverse=True)]
    kept.append(dice.normal(0, 0.5, (48, 192)).astype(np.float32))  # another of the same shape
    return models(folder)["small"], kept


def test_the_cost_is_the_difference_of_both_readings(tmp_path: Path, music: Dataset) -> None:
    info, kept = rounded(tmp_path, stored="int8")
    found = rounding_cost(info, music, kept)["rounding"]
    assert found["stored"] == "int8"
    for split in ("val", "test"):
        row = found[split]
        assert row["cost"] == pytest.approx(row["stored"] - row["float32"], abs=1e-4)
        assert row["stored"] != row["float32"], "they are two readings"
        assert abs(row["cost"]) < 0.05
    sheet = sheets({"rounding": found})[-1]
    assert sheet.table[0][1] == "as stored (int8)"
    assert sheet.table[2] == (
        "test",
        f"{found['test']['stored']:.4f}",
        f"{found['test']['float32']:.4f}",
        f"{found['test']['cost']:+.4f}",
    )


def test_of_a_network_of_notes_the_cost_is_in_bits_per_note(tmp_path: Path) -> None:
    arrays = weights({**CONFIG, "width": 48}, scale=0.15)
    info = make_transformer(tmp_path / "small", arrays, width=48, stored="int8")
    whole = make_transformer(tmp_path / "whole", arrays, width=48, stored="float32")
    pieces = [piece(count, split=split) for split in ("val", "test") for count in (90, 60)]
    dataset = Dataset(tuple(pieces), (), Path())
    kept = [array + 1e-6 for array in arrays.values()]
    found = rounding_cost(info, dataset, kept)["rounding"]
    for split in ("val", "test"):
        row, windows = found[split], list(spans(dataset.split(split), CONFIG["places"]))
        assert (row["windows"], row["notes"]) == (len(windows), 150)
        for name, model in (("stored", info), ("float32", whole)):
            bits = np.concatenate(NoteReader(model).bits(windows)).sum(axis=1)
            assert row[name] == pytest.approx(bits.mean(), abs=1e-3)
        assert row["stored"] != row["float32"], "they are two readings"
        assert row["cost"] == pytest.approx(row["stored"] - row["float32"], abs=2e-4)
        assert 0 < row["standard_error"] < 1
    drawn = rounding_cost(info, dataset, kept, most=2)["rounding"]["val"]
    assert drawn["windows"] == 2
    sheet = sheets({"rounding": found})[-1]
    assert "bits per note" in sheet.note
    assert sheet.table[1][3] == row_cost(found["val"])


def row_cost(row: dict[str, Any]) -> str:
    return f"{row['cost']:+.4f} ± {row['standard_error']:.4f}"


def test_the_weights_before_rounding_are_found_by_what_they_are(tmp_path: Path) -> None:
    info, kept = rounded(tmp_path, stored="int8")
    stored = weights_of(info.weights)
    found = before_rounding(stored, kept)
    assert set(found) == set(stored)
    kernel = "lstm_0/lstm_cell/recurrent_kernel"
    assert not np.array_equal(found[kernel], stored[kernel]), "rounding moved it"
    assert np.abs(found[kernel] - stored[kernel]).max() < 0.02
    with pytest.raises(PyzzicatoError, match="not those of that file"):
        before_rounding(stored, [array + 1 for array in kept])
    with pytest.raises(PyzzicatoError, match="not those of that file"):
        before_rounding(stored, kept[:2])


def test_what_is_not_rounded_has_no_cost(tmp_path: Path, music: Dataset) -> None:
    info, kept = rounded(tmp_path, stored="float16")
    with pytest.raises(PyzzicatoError, match='weights stored as "int8"'):
        rounding_cost(info, music, kept)
