"""Four tokens a note beside one step a note: the same numbers asked in another order."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pyzzicato.codecs.performance import BINS
from pyzzicato.codecs.piano_roll import note_array
from pyzzicato.datasets import Piece
from pyzzicato.families import transformer
from pyzzicato.note_scores import Span
from pyzzicato.performance_examples import NoteWindows, note_loss
from tests.scripts import open_scripts
from tests.small_transformer import COMPOSERS, CONFIG, make_transformer
from tests.test_families import made_up

PLACES = 48
TINY: dict[str, Any] = {**CONFIG, "composers": COMPOSERS, "stored": "float32"}


@pytest.fixture(scope="module")
def scripts() -> Iterator[dict[str, ModuleType]]:
    """The benchmark, its network, and the tool that writes what it found."""
    names = ("token_codec", "equal_networks", "equal_time")
    paths = (f"benchmarks/{name}.py" for name in names)
    with open_scripts(*paths, "tools/update_readme.py") as found:
        yield found


def piece() -> Piece:
    return Piece(
        "a.mid", COMPOSERS[1], "", "", "train", "performance", "", 1,
        note_array(made_up(40.0)).astype(np.float32),
    )  # fmt: skip


def windows(filled: float) -> tuple[dict[str, np.ndarray], np.ndarray]:
    config = {"composers": COMPOSERS, "batch": 2, "window": PLACES, "filled": filled}
    return NoteWindows([piece()], config, training=True).batch(np.random.default_rng(4))


def drawn(module: ModuleType) -> Any:
    """A small token network, all its weights drawn by lot."""
    network, dice = module.build(TINY), np.random.default_rng(2)
    for weight in network.weights:
        middle = 1.0 if weight.path.endswith("scale") else 0.0
        weight.assign(dice.normal(middle, 0.3, weight.shape))
    return network


def test_a_note_is_four_tokens_and_the_next_is_told_from_the_last(
    scripts: dict[str, ModuleType],
) -> None:
    module = scripts["token_codec"]
    codes = np.array([[[0, 40, 9, 31], [127, 87, 95, 0]]])
    begin = module.tokens_of(codes).tolist()
    assert begin == [[344, 0, 128 + 40, 216 + 9, 312 + 31, 127, 128 + 87, 216 + 95]]
    assert module.EDGES == (0, 128, 216, 312, 344)


def test_the_step_graph_of_tokens_is_the_keras_model(
    scripts: dict[str, ModuleType], tmp_path: Path
) -> None:
    import onnx

    from pyzzicato.recipes import weights_by_path
    from pyzzicato.runtime import CachedGraph

    module = scripts["token_codec"]
    inputs, target = windows(filled=0.0)
    network = drawn(module)
    wanted = np.asarray(network(inputs)).reshape(2, PLACES, -1)
    onnx.save(module.export(weights_by_path(network), TINY), str(tmp_path / "tokens.onnx"))
    graph = CachedGraph(tmp_path / "tokens.onnx")
    assert (target >= 0).all()
    read = {
        "notes": module.tokens_of(target)[..., None].astype(np.float32),
        "wishes": np.repeat(inputs["wishes"], 4, axis=1).astype(np.float32),
    }
    cache, found = graph.cache(2, 4 * PLACES), []
    for first, stop in [(0, 150), *((at, at + 1) for at in range(150, 4 * PLACES))]:
        part = {name: values[:, first:stop] for name, values in read.items()}
        found.append(graph.advance({**part, "composer": inputs["composer"]}, cache))
    told = np.concatenate(found, axis=1).reshape(2, PLACES, 4, -1)
    assert wanted.std() > 0.3, "there is something to compare"
    for field in range(4):
        mine = slice(module.EDGES[field], module.EDGES[field + 1])
        assert np.abs(told[:, :, field, mine] - wanted[..., mine]).max() <= 1e-4


def test_nothing_is_told_of_what_is_still_to_come(scripts: dict[str, ModuleType]) -> None:
    network = drawn(scripts["token_codec"])
    inputs, _ = windows(filled=1.0)
    told = np.asarray(network(inputs))
    chosen, notes = inputs["chosen"].copy(), inputs["notes"].copy()
    chosen[:, 20, 1:] += 1  # key and length of note 20, and all that is read later
    chosen[:, 21:] += 1
    notes[:, 21:] = np.roll(notes[:, 21:], 1, axis=1)
    other = np.asarray(network({**inputs, "chosen": chosen, "notes": notes}))
    known = BINS[0] + BINS[1]  # time and key of note 20 are told before the key is read
    assert np.abs(other - told)[:, :20].max() <= 1e-5
    assert np.abs(other - told)[:, 20, :known].max() <= 1e-5
    assert np.abs(other - told)[:, 20, known:].max(axis=-1).min() > 1e-3
    assert np.abs(other - told)[:, 21].max(axis=-1).min() > 1e-3


def test_knowing_nothing_costs_as_many_bits_as_there_are_choices(
    scripts: dict[str, ModuleType],
) -> None:
    network = scripts["token_codec"].build(TINY)
    for weight in network.weights:
        if "_out/" in weight.path:
            weight.assign(np.zeros(weight.shape))
    notes = np.array([[n / 4, n / 4 + 0.2, 40 + n % 30, 60] for n in range(40)], np.float32)
    asked = Piece("b.mid", "", "", "", "val", "score", "", 1, notes)
    codes = windows(filled=0.0)[1][0]
    codes = np.concatenate([codes, np.zeros((len(codes), 1), np.int64)], axis=1)
    spans = [Span(asked, codes, 0, 0, 30), Span(asked, codes, 10, 25, PLACES)]
    bits = scripts["equal_time"].bits_of(network, COMPOSERS, spans)
    assert [len(each) for each in bits] == [30, 23]
    assert np.concatenate(bits) == pytest.approx(np.log2(np.prod(BINS)), abs=1e-4)
    inputs, target = windows(filled=0.5)
    target[:, 30:] = -1
    nats = np.asarray(note_loss(target, network(inputs)))
    assert nats[:, 30:].max() == 0.0, "what is not there is not counted"
    assert nats[:, :30] == pytest.approx(np.log(np.prod(BINS)), abs=1e-4)


def test_both_are_timed_for_one_take_and_ten(
    scripts: dict[str, ModuleType], tmp_path: Path
) -> None:
    info = make_transformer(tmp_path / "small", places=PLACES)
    found = scripts["token_codec"].notes_per_second(info, rounds=1, notes=2)
    assert list(found) == ["transformer", "tokens", "times"]
    for takes in ("1", "10"):
        notes, tokens = found["transformer"][takes], found["tokens"][takes]
        assert min(notes, tokens) > 0
        assert found["times"][takes] == pytest.approx(notes / tokens, rel=0.01, abs=0.01)


def test_what_was_told_is_kept_span_by_span(scripts: dict[str, ModuleType], tmp_path: Path) -> None:
    codes = np.zeros((99, 5), np.int64)
    asked = [Span(piece(), codes, 0, 0, 2), Span(piece(), codes, 1, 4, 7)]
    begun = [Span(piece(), codes, 0, 0, 64), Span(piece(), codes, 0, 0, 3)]
    bits, first = np.arange(5, dtype=np.float32), np.arange(67, dtype=np.float32)
    arrays: dict[str, Any] = {"bits": bits, "averaged": bits + 1, "begun": first}
    np.savez(tmp_path / "a.npz", **arrays, notes_seen=7, weights=3)
    counts, found, beginnings = scripts["equal_time"].told(tmp_path / "a.npz", asked, begun)
    assert counts == {"weights": 3, "notes_seen": 7, "averaged": 3.0}
    assert [each.tolist() for each in found] == [[0, 1], [2, 3, 4]]
    assert [len(each) for each in beginnings] == [64, 3]
    rows = scripts["equal_time"].of_beginnings(beginnings, [each + 1 for each in beginnings])
    assert rows["8"]["bits_per_note"] == round((28 + 64 + 65 + 66) / 11, 4)
    assert rows["64"]["more"] == -1.0
    assert "more" not in scripts["equal_time"].of_beginnings(beginnings, None)["8"]


def test_another_recipe_has_another_name(scripts: dict[str, ModuleType]) -> None:
    digest = scripts["equal_time"].digest
    assert digest([{"a": 1, "b": (2,)}]) == digest([{"b": [2], "a": 1}])
    assert digest([{"a": 1}]) != digest([{"a": 2}])


def test_figures_of_some_networks_stand_beside_those_of_other_minutes(
    scripts: dict[str, ModuleType], tmp_path: Path
) -> None:
    path, tool = tmp_path / "results.json", scripts["equal_time"]

    def keep(figures: int, **asked: Any) -> None:
        given = {"minutes": 70.0, "only": "", "further": False, "rng_seed": 1, **asked}
        tool.keep_by(argparse.Namespace(**given), {"figures": figures, "recipe": "a"}, path)

    keep(1)
    keep(2, only="lstm")
    keep(3, only="lstm", minutes=100.0)
    keep(4, only="transformer")
    keep(5, only="transformer", rng_seed=2)
    keep(6, only="transformer,no_composer", further=True)
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["equal_time"]["figures"] == 1
    some = {name: each["figures"] for name, each in found["equal_time_some"].items()}
    assert some == {"70 a 1": 4, "100 a 1": 3, "70 a 2": 5}
    assert found["taught_further"]["figures"] == 6


def test_the_readme_says_what_the_parts_are_worth(scripts: dict[str, ModuleType]) -> None:
    tool = scripts["update_readme"]
    assert "equal_time.py --data FOLDER --write" in tool.parts_table({})
    row = {"bits_per_note": 14.004, "standard_error": 0.111}
    taught = {"weights": 7_215_064, "notes_seen": 2_340_000}
    networks = {
        "transformer": {**row, **taught},
        "tokens": {**row, **taught, "more": 1.0, "more_error": 0.04},
        "markov": {**row, "more": -0.5, "more_error": 0.2},
    }
    found = {"minutes": 18.0, "windows": 100, "networks": networks, "machine": {"cores": "1 core"}}
    text = tool.parts_table({"equal_time": found})
    assert "| the flagship | 7.2 M | 2.34 million | 14.00 ± 0.11 | – |" in text
    assert "| 14.00 ± 0.11 | +1.00 ± 0.04 |" in text
    assert "| an order-3 Markov model | – | – | 14.00 ± 0.11 | -0.50 ± 0.20 |" in text
    assert "18 minutes on 1 core and asked about the same 100 windows" in text
    assert "a second" not in text, "not timed"
    speed = {"transformer": {"1": 400.2, "10": 1020.0}, "tokens": {"1": 62.0, "10": 88.0}}
    text = tool.parts_table({"equal_time": {**found, "notes_per_second": speed}})
    assert "writes 400 notes a second, four tokens a note 62; ten takes" in text
    assert "at once 1,020 and 88 in all." in text
    assert "a piece's first" not in text

    longer = {
        "transformer": {**row, **taught, "beginnings": {"8": row}},
        "no_composer": {**networks["tokens"], "beginnings": {"8": networks["tokens"]}},
    }
    some = {**found, "minutes": 60.0, "networks": longer}
    text = tool.parts_table({"equal_time": found, "equal_time_some": {"60": some}})
    assert "Some of them again, for 60 minutes of processor time each, on 1 core:" in text
    both = {"100": {**some, "minutes": 100.0}, "60": {**some, "recipe": "1"}}
    text = tool.parts_table({"equal_time": found, "equal_time_some": both})
    assert "each, on 1 core, by a later recipe (`docs/decisions.md`):" in text
    assert text.index("for 60 minutes of processor") < text.index("for 100 minutes of processor")
    assert "| 14.00 ± 0.11 | – | – |" in text
    assert "| +1.00 ± 0.04 | +1.00 ± 0.04 |" in text

    text = tool.parts_table({"equal_time": found, "taught_further": {**some, "minutes": 25.0}})
    assert "taught on for 25 minutes on 1 core, once told" in text
    assert "Some of them again" not in text
    longer["no_composer"] |= {"more_error": 0.0028}
    text = tool.parts_table({"equal_time": found, "taught_further": some})
    assert "| +1.000 ± 0.003 | +1.00 ± 0.04 |" in text


def test_the_readme_says_where_two_networks_part(scripts: dict[str, ModuleType]) -> None:
    row = {"bits_per_note": 14.0, "standard_error": 0.1, "weights": 7_215_064, "notes_seen": 1}
    cores = {"machine": {"cores": "1 core"}, "windows": 100, "networks": {"transformer": row}}
    found = {**cores, "minutes": 18.0}
    some = {**cores, "minutes": 60.0, "recipe": "1"}
    late = {**some, "recipe": "2", "told_from": 0.5, "rng_seed": 1}
    pair = {"60 2 1": late, "60 2 2": {**late, "rng_seed": 2}, "90 1 1": {**some, "minutes": 90.0}}
    text = scripts["update_readme"].parts_table({"equal_time": found, "equal_time_some": pair})
    apart = "the first two are one until composers are told, after 50% of that"
    assert text.count(f"{apart}:") == 1
    assert text.count(f"{apart}, drawn by other dice:") == 1
    assert text.index("for 90 minutes") < text.index(f"{apart}:") < text.index("other dice")


@pytest.mark.parametrize("composers", [COMPOSERS, []])
def test_teaching_can_go_on_from_a_models_weights(
    scripts: dict[str, ModuleType], tmp_path: Path, composers: list[str]
) -> None:
    from pyzzicato.recipes import load_keras

    info = make_transformer(tmp_path / "small", places=PLACES)
    inputs, _ = windows(filled=0.0)
    nobody = np.eye(len(COMPOSERS) + 1, dtype=np.float32)[[0, 0]]
    wanted = np.asarray(load_keras(info)({**inputs, "composer": nobody}))
    network = transformer.build({**info.config, "composers": composers})
    scripts["equal_networks"].go_on_from(network, info)
    told = network({**inputs, "composer": nobody[:, : len(composers) + 1]})
    np.testing.assert_allclose(np.asarray(told), wanted, atol=1e-4)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_two_networks_go_on_from_what_they_were_taught_in_common(
    scripts: dict[str, ModuleType], tmp_path: Path
) -> None:
    """With the optimiser's memory: the next step of the one that began is that of the others."""
    from pyzzicato.optimizers import optimizer

    tool, path = scripts["equal_networks"], tmp_path / "shared.npz"
    inputs, target = windows(filled=0.0)

    def told(composers: tuple[str, ...]) -> dict[str, np.ndarray]:
        count = len(composers) + 1
        return {**inputs, "composer": np.full((2, count), 1 / count, np.float32)}

    def network(composers: tuple[str, ...]) -> Any:
        made = transformer.build({**TINY, "composers": composers})
        made.compile(optimizer({"learning_rate": 0.01, "schedule": "constant"}, 1), note_loss)
        made.train_on_batch(told(composers), target)
        return made

    first, again, untold = network(COMPOSERS), network(COMPOSERS), network(())
    first.train_on_batch(told(COMPOSERS), target)
    tool.store(first, tool.Taught(step=2, notes=7, seconds=1.5), path)
    assert tool.restored(again, path) == tool.Taught(step=2, notes=7, seconds=1.5)
    assert tool.restored(untold, path) == tool.Taught(step=2, notes=7, seconds=1.5)
    wanted = np.asarray(first(told(COMPOSERS)))
    np.testing.assert_allclose(np.asarray(again(told(COMPOSERS))), wanted, atol=1e-5)
    np.testing.assert_allclose(np.asarray(untold(told(()))), wanted, atol=1e-5)
    for each, composers in ((first, COMPOSERS), (again, COMPOSERS), (untold, ())):
        each.train_on_batch(told(composers), target)
    wanted = np.asarray(first(told(COMPOSERS)))
    np.testing.assert_allclose(np.asarray(again(told(COMPOSERS))), wanted, atol=1e-5)
    # A row that is met four times as often begins with a memory of gradients a fourth as large.
    np.testing.assert_allclose(np.asarray(untold(told(()))), wanted, atol=0.1)


def test_every_network_that_is_taught_has_a_name(scripts: dict[str, ModuleType]) -> None:
    from pyzzicato.recipes import recipe
    from pyzzicato.registry import models

    info = models()["transformer"]
    names = scripts["equal_networks"].variants(recipe(info.folder, Path("runs")))
    assert [*names, "markov"] == list(scripts["update_readme"].PARTS)
