"""The cached attention: against plain numpy, and whatever the portions in which notes come."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyzzicato.errors import ModelUnavailable
from pyzzicato.families.transformer.sounding import KEYS
from pyzzicato.families.transformer.windows import READ, WISHES
from pyzzicato.runtime.session import Cache, CachedGraph
from tests.small_transformer import COMPOSERS, CONFIG, EVERYTHING, make_transformer, weights

PLACES = 24
Inputs = dict[str, np.ndarray]


def inputs(count: int, takes: int = 1, rng_seed: int = 1) -> Inputs:
    """Notes by lot, with wishes and a mixture of composers."""
    dice = np.random.default_rng(rng_seed)

    def rows(sizes: tuple[int, ...]) -> np.ndarray:
        columns = [dice.integers(0, size, (takes, count)) for size in sizes]
        return np.stack(columns, axis=2).astype(np.float32)

    composer = dice.dirichlet(np.ones(len(COMPOSERS) + 1), takes).astype(np.float32)
    return {"notes": rows(READ), "wishes": rows(WISHES), "composer": composer}


def part(whole: Inputs, first: int, stop: int) -> Inputs:
    return {k: v if k == "composer" else v[:, first:stop] for k, v in whole.items()}


def run(graph: CachedGraph, whole: Inputs, portions: list[int], places: int) -> np.ndarray:
    """What the graph makes of notes that come in `portions`."""
    cache = graph.cache(len(whole["notes"]), places)
    stops = np.cumsum(portions).tolist()
    parts = zip([0, *stops], stops, strict=False)
    return np.concatenate([graph.advance(part(whole, a, b), cache) for a, b in parts], axis=1)


def by_hand(w: dict[str, Any], whole: Inputs, config: dict[str, Any]) -> np.ndarray:
    """The network in plain numpy, one take, every note at once."""
    layers, heads = config["layers"], config["heads"]

    def plain(x: np.ndarray) -> np.ndarray:
        normed: np.ndarray = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6)
        return normed

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        scaled: np.ndarray = plain(x) * w[f"{name}/scale"]
        return scaled

    notes, wishes = whole["notes"][0].astype(int), whole["wishes"][0].astype(int)
    x: np.ndarray = whole["composer"][0].astype(np.float64) @ w["composer_table/kernel"]
    x = x + sum(w[f"read_{i}/embeddings"][notes[:, i]] for i in range(len(READ)))
    x = x + sum(w[f"wish_{i}/embeddings"][wishes[:, i]] for i in range(len(WISHES)))
    if "sounding" in whole:
        x = x + whole["sounding"][0] @ w["sounding_table/kernel"]
    first, first_v, (count, width) = x, x, x.shape
    size = width // heads
    scale = 0.12 * 8 / np.sqrt(size) if "qk_norm" in config else 1 / np.sqrt(size)
    turn = np.exp(1j * np.arange(count)[:, None] * 10000.0 ** (-np.arange(0, size, 2) / size))
    for layer in range(layers):
        if "input_mix" in config:
            own, again = w[f"mix_{layer}/scale"]
            x = own * x + again * first
        joined = norm(x, f"before_{layer}") @ w[f"qkv_{layer}/kernel"]
        q, k, v = np.split(joined, [width, width + size], axis=1)
        first_v = v if layer == 0 else first_v
        if "value_mix" in config and layer:
            own, again = w[f"value_mix_{layer}/scale"]
            v = own * v + again * first_v
        mixed = []
        for head in range(heads):
            mine = slice(head * size, (head + 1) * size)
            asked, found = q[:, mine], k
            if "qk_norm" in config:
                asked, found = plain(asked), plain(found)
            # A pair of numbers turned by an angle is one complex number times a unit one.
            both = [z[:, : size // 2] + 1j * z[:, size // 2 :] for z in (asked, found)]
            turned = [z * turn for z in both]
            scores = (turned[0] @ turned[1].conj().T).real * scale
            scores[np.triu_indices(count, 1)] = -np.inf
            chance = np.exp(scores - scores.max(axis=1, keepdims=True))
            mixed.append(chance / chance.sum(axis=1, keepdims=True) @ v)
        x = x + np.concatenate(mixed, axis=1) @ w[f"out_{layer}/kernel"]
        z = np.maximum(norm(x, f"between_{layer}") @ w[f"up_{layer}/kernel"], 0.0)
        x = x + (z * z) @ w[f"down_{layer}/kernel"]
    return x


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> CachedGraph:
    """Two layers."""
    return CachedGraph(make_transformer(tmp_path_factory.mktemp("deep")).weights)


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> CachedGraph:
    """One layer: what it makes of a note depends on the notes in the cache and on nothing older."""
    info = make_transformer(tmp_path_factory.mktemp("flat"), layers=1)
    return CachedGraph(info.weights)


def close(found: np.ndarray, wanted: np.ndarray) -> None:
    np.testing.assert_allclose(found, wanted, rtol=0, atol=2e-4 * float(np.abs(wanted).max()))


@pytest.mark.parametrize("told", [{}, *({name: True} for name in EVERYTHING), EVERYTHING])
def test_the_graph_is_the_network_as_it_is_written_down(
    tmp_path: Path, told: dict[str, Any]
) -> None:
    whole, config = inputs(20), {**CONFIG, **told}
    if "sounding" in told:
        struck = np.random.default_rng(2).random((1, 20, KEYS)) < 0.1
        whole["sounding"] = struck.astype(np.float32)
    graph = CachedGraph(make_transformer(tmp_path, **told).weights)
    close(run(graph, whole, [20], PLACES)[0], by_hand(weights(config), whole, config))


@pytest.mark.parametrize("portions", [[1] * 20, [7, 1, 1, 11], [19, 1]])
def test_one_go_equals_any_portions(deep: CachedGraph, portions: list[int]) -> None:
    whole = inputs(20, takes=2)
    close(run(deep, whole, portions, PLACES), run(deep, whole, [20], PLACES))


def test_the_cache_grows_without_a_trace(deep: CachedGraph) -> None:
    """Room is made in steps; 300 notes pass two of them."""
    whole = inputs(300)
    close(run(deep, whole, [100] + [1] * 200, 512), run(deep, whole, [300], 300))


@pytest.mark.parametrize("stop", [PLACES + 1, PLACES + 2, 2 * PLACES, 3 * PLACES + 5])
def test_beyond_its_places_one_layer_sees_the_last_notes_only(flat: CachedGraph, stop: int) -> None:
    whole = inputs(stop)
    last = run(flat, whole, [1] * stop, PLACES)[:, -1]
    fresh = run(flat, part(whole, stop - PLACES, stop), [PLACES], PLACES)[:, -1]
    close(last, fresh)
    longer = run(flat, part(whole, stop - PLACES - 1, stop), [PLACES + 1], PLACES + 1)[:, -1]
    assert np.abs(last - longer).max() > 1e-3, "a note older than the places is forgotten"


def test_portions_do_not_matter_beyond_the_places(deep: CachedGraph) -> None:
    whole = inputs(3 * PLACES)
    wanted = run(deep, whole, [1] * (3 * PLACES), PLACES)
    close(run(deep, whole, [PLACES - 3, 10, PLACES - 7, PLACES], PLACES), wanted)


def test_a_note_does_not_see_later_ones(deep: CachedGraph) -> None:
    whole = inputs(20)
    other = {k: v.copy() for k, v in whole.items()}
    other["notes"][:, 12:] = inputs(20, rng_seed=5)["notes"][:, 12:]
    one, two = (run(deep, each, [20], PLACES) for each in (whole, other))
    close(one[:, :12], two[:, :12])
    assert np.abs(one[:, 12] - two[:, 12]).max() > 1e-3


def test_pieces_read_together_do_not_mix(deep: CachedGraph) -> None:
    whole = inputs(20, takes=3)
    together = run(deep, whole, [20], PLACES)
    for take in range(3):
        alone = {k: v[take : take + 1] for k, v in whole.items()}
        close(together[take : take + 1], run(deep, alone, [20], PLACES))


def test_a_repeated_cache_goes_on_apart_from_the_first(deep: CachedGraph) -> None:
    whole = inputs(20)
    first = deep.cache(1, PLACES)
    deep.advance(part(whole, 0, 15), first)
    copies: Cache = first.repeated(2)
    thrice = {k: np.repeat(v, 2, axis=0) for k, v in part(whole, 15, 20).items()}
    thrice["notes"][1] = inputs(5, rng_seed=9)["notes"][0]
    apart = deep.advance(thrice, copies)
    close(apart[:1], run(deep, whole, [20], PLACES)[:, 15:])
    close(deep.advance(part(whole, 15, 20), first), apart[:1])
    assert np.abs(apart[1] - apart[0]).max() > 1e-3


def test_another_kind_of_graph_is_refused(tmp_path: Path) -> None:
    info = make_transformer(tmp_path)
    with pytest.raises(ModelUnavailable, match=r"heads\.onnx is missing or damaged"):
        CachedGraph(info.folder / "heads.onnx")
    with pytest.raises(ModelUnavailable):
        CachedGraph(info.folder / "not-there.onnx")
