"""The band as planes, drawing from what a network says, and pairs of windows to train on."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pyzzicato.errors import PyzzicatoError
from pyzzicato.families.band.pairs import BandPairs, home_windows, pairs_of
from pyzzicato.families.band.planes import (
    PARTS,
    draw_window,
    home_shift,
    nats_by_cells,
    planes,
    shifted,
    window_nats,
)
from tests.small_band_music import beaten_chords


def pieces(count: int) -> Sequence[Any]:
    return [SimpleNamespace(codes=beaten_chords(number)) for number in range(count)]


def test_planes_and_back() -> None:
    codes = beaten_chords(1, 2)
    logits = np.where(planes(codes) == 1, 20.0, -20.0)[None]
    drawn = draw_window(logits, np.zeros((1, 5, 128), np.uint8), np.full((1, 5), 0.5))
    assert (drawn[0] == codes).all()


def test_as_many_are_struck_as_is_expected_and_the_likeliest_first() -> None:
    logits = np.full((1, 32, PARTS[-1][1]), -50.0)
    logits[0, :10, 3] = 0.1  # ten cells that are a little likelier than not
    logits[0, 20, 5] = 5.0
    draws, before = np.full((1, 5), 0.5), np.zeros((1, 5, 128), np.uint8)
    drawn = draw_window(logits, before, draws)
    assert (drawn == 2).sum() == 6  # 10 x 0.525 + 0.993 and a half
    assert drawn[0, 20, 0, 27 + 5] == 2


def test_a_note_goes_on_until_its_end_is_likelier_than_not() -> None:
    logits = np.full((1, 32, PARTS[-1][1]), -50.0)
    first = PARTS[3][0]
    logits[0, 4, first + 20] = 20.0
    logits[0, :, first + 84 + 20] = np.log(0.9 / 0.1)
    drawn = draw_window(logits, np.zeros((1, 5, 128), np.uint8), np.zeros((1, 5)) + 0.5)
    assert np.flatnonzero(drawn[0, :, 3, 12 + 20]).tolist() == list(range(4, 11))  # 0.9^6 = 0.53
    held = np.zeros((1, 5, 128), np.uint8)
    held[0, 3, 32] = 1
    drawn = draw_window(logits, held, np.zeros((1, 5)) + 0.5)
    assert np.flatnonzero(drawn[0, :, 3, 32]).tolist() == list(range(11))


def test_music_is_moved_home_and_back() -> None:
    codes = np.zeros((16, 5, 128), np.uint8)
    codes[0, 1, [60, 62, 64, 65, 67, 69, 71]] = 2
    codes[0, 0, 38] = 2
    for shift in range(-5, 6):
        moved = shifted(codes, shift)
        assert home_shift(moved) == -shift
        assert (shifted(moved, -shift) == codes).all()
    assert home_shift(np.zeros((0, 5, 128), np.uint8)) == 0


def test_pairs_are_fixed_by_their_numbers() -> None:
    pairs = BandPairs(pieces(10), {"batch": 3}, noise=7)
    (first, nothing), (again, _) = (pairs.batch(np.random.default_rng(3)) for _ in range(2))
    assert first["roll"].shape == (3, 65, 733)
    assert first["noise"].shape == (3, 7)
    assert not nothing.any()
    assert all((first[name] == again[name]).all() for name in first)
    whole = [planes(shifted(c, home_shift(c))) for c in (beaten_chords(n) for n in range(10))]
    for row in first["roll"]:
        found = any(
            (roll[at : at + 64] == row[1:]).all()
            for roll in whole
            for at in range(0, len(roll) - 63, 4)
        )
        assert found
    with pytest.raises(PyzzicatoError, match="no music for a band"):
        BandPairs((), {"batch": 3}, noise=1)


def test_windows_of_a_piece() -> None:
    codes = np.concatenate(
        [beaten_chords(1, 2), np.zeros((32, 5, 128), np.uint8), beaten_chords(1, 1)]
    )
    cut = home_windows(codes)
    assert cut.shape == (2, 32, 5, 128), "the silent one is left out, the last one filled up"
    assert (cut[0] == shifted(codes[:32], home_shift(codes))).all()
    assert not cut[1, 16:].any()
    found = list(pairs_of([SimpleNamespace(codes=beaten_chords(2, 7))]))  # type: ignore[list-item]
    assert len(found) == 2
    before, after = found[1]
    assert before.shape == after.shape == (33, 733)
    assert (before[-1] == after[0]).all()
    assert (found[0][1] == before).all()


def test_nats_of_windows() -> None:
    rows = np.stack([after for _, after in pairs_of(pieces(8))])
    sure = np.where(rows[:, 1:] == 1, 30.0, -30.0)
    assert window_nats(rows, sure) == pytest.approx(0.0, abs=1e-6)
    open_cells = 32 * (61 + 4 * 84)  # struck or not; and where a note may go on, whether it does
    even = window_nats(rows, 0 * sure).sum(axis=1) / np.log(2)
    assert (even > open_cells).all()
    held = (rows[:, :-1, 145:229] > 0) & (rows[:, 1:, 61:145] == 0)
    piano = window_nats(rows, 0 * sure)[:, 1] / np.log(2)
    assert piano == pytest.approx(32 * 84 + held.sum(axis=(1, 2)))
    by_cells = nats_by_cells(list(rows))
    assert window_nats(rows, sure).sum() < by_cells < even.mean() * np.log(2)
