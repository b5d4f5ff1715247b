"""Which keys sound as a note is struck: by hand, in any portions, in training and in playing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyzzicato.codecs.performance import duration_seconds, time_bounds
from pyzzicato.families.transformer.generate import NoteGenerator
from pyzzicato.families.transformer.sounding import Sounding
from pyzzicato.families.transformer.windows import READ
from pyzzicato.generation.generator import collect_takes
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.runtime.session import CachedGraph
from tests.small_transformer import CONFIG, EVERYTHING, make_transformer, weights

NOTHING = (np.array(READ) - 1).tolist()


def note(wait: int, key: int, length: float) -> list[int]:
    """What is read of a note `wait` 10 ms steps after the one before, of some `length` s."""
    nearest = int(np.abs(duration_seconds() - length).argmin())
    return [wait, key, nearest, 20, (key + 9) % 12, 88]


def by_hand(notes: np.ndarray) -> np.ndarray:
    """The same, note by note with a list of what was struck."""
    waits, lengths = time_bounds() / 100, duration_seconds()
    found = np.zeros((len(notes), 88))
    now, held = 0.0, dict[int, float]()
    for row, (wait, key, length) in enumerate(notes[:, :3].tolist()):
        if key == 88:
            held = {}
        else:
            now += waits[wait]
            held[key] = now + lengths[length]
        for each, end in held.items():
            found[row, each] = end > now + 0.03
    return found


def by_lot(count: int, rng_seed: int) -> np.ndarray:
    """Notes by lot, "no note" at the beginning and among them."""
    dice = np.random.default_rng(rng_seed)
    rows = np.stack([dice.integers(0, size - 1, count) for size in READ], axis=1)
    rows[:, 0] %= 40
    rows[dice.random(count) < 0.05] = NOTHING
    rows[0] = NOTHING
    return rows


def test_a_key_sounds_from_its_stroke_to_its_end() -> None:
    rows = np.array(
        [NOTHING, note(0, 40, 1.0), note(50, 44, 0.1), note(30, 47, 2.0), note(90, 9, 1)]
    )
    sound = Sounding(1).read(rows[None])[0]
    assert [np.flatnonzero(row).tolist() for row in sound] == [
        [],
        [40],
        [40, 44],
        [40, 47],
        [9, 47],
    ]


def test_where_a_part_begins_everything_is_silent() -> None:
    rows = np.array([note(0, 40, 5.0), NOTHING, note(0, 50, 1.0)])
    assert np.flatnonzero(Sounding(1).read(rows[None])[0, 2]).tolist() == [50]


def test_any_portions_and_any_company_give_the_same() -> None:
    rows = np.stack([by_lot(200, 1), by_lot(200, 2)])
    wanted = np.stack([by_hand(part) for part in rows])
    assert 0.01 < wanted.mean() < 0.5
    whole = Sounding(2)
    assert (whole.read(rows) == wanted).all()
    parts = Sounding(2)
    assert (np.concatenate([parts.read(rows[:, :70]), parts.read(rows[:, 70:])], 1) == wanted).all()
    one = Sounding(1)
    one.read(rows[:1, :70])
    for take in one.repeated(3).read(np.repeat(rows[:1, 70:], 3, axis=0)):
        assert (take == wanted[0, 70:]).all()


@pytest.mark.parametrize("gap", [{}, {"fill_from": 3.0, "fill_to": 6.0}])
def test_while_a_piece_is_written_the_network_hears_what_sounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gap: dict[str, Any]
) -> None:
    """All that one reading was told, over all its takes, is what its notes say."""
    read: dict[int, list[dict[str, np.ndarray]]] = {}
    advance = CachedGraph.advance

    def heard(graph: CachedGraph, inputs: dict[str, np.ndarray], cache: object) -> np.ndarray:
        read.setdefault(id(cache), []).append(inputs)
        kept.append(cache)
        return advance(graph, inputs, cache)  # type: ignore[arg-type]

    kept: list[object] = []
    monkeypatch.setattr(CachedGraph, "advance", heard)
    arrays = weights({**CONFIG, **EVERYTHING})
    arrays["time_out/bias"][112:] = -1e4  # it waits for some 2 s at most
    player = NoteGenerator(make_transformer(tmp_path / "small", arrays, **EVERYTHING))
    seed = NoteSequence(tuple(Note(n / 2, n / 2 + 1.2, 50 + n, 80) for n in range(16)))
    controls = player.Controls(seconds=5.0, rng_seed=3, guidance=2.0, **gap)
    assert any(collect_takes(player.generate(seed, controls, takes=2), 2))
    prompts = [parts for parts in read.values() if parts[0]["notes"].shape[1] > 1]
    written = [parts for parts in read.values() if parts[0]["notes"].shape[1] == 1]
    assert len(prompts) == len(written) == (2 if gap else 1)
    for before, after in zip(prompts, written, strict=True):
        for row in range(len(after[0]["notes"])):
            of = row // (len(after[0]["notes"]) // len(before[0]["notes"]))
            notes = np.concatenate([before[0]["notes"][of], *(p["notes"][row] for p in after)])
            told = np.concatenate([before[0]["sounding"][of], *(p["sounding"][row] for p in after)])
            assert (told == by_hand(notes.astype(int))).all()
            assert told.any()
