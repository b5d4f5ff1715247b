"""The 388 events: counted by hand, there and back, and bits per note in their nats."""

import math

import numpy as np
import pytest

from pyzzicato.codecs.events388 import EVENTS, decode_events, encode_events, nats_per_event


def music(*rows: tuple[float, float, int, int]) -> np.ndarray:
    return np.array(rows, np.float64).reshape(-1, 4)


CHORD = music((2.0, 2.5, 60, 80), (2.0, 2.5, 64, 80), (2.0, 3.0, 67, 90))


def test_a_chord_is_counted_by_hand() -> None:
    assert encode_events(CHORD).tolist() == [
        356 + 20, 60, 64, 356 + 22, 67,  # velocity 80, two keys, velocity 90, one key
        256 + 49, 128 + 60, 128 + 64,  # half a second later two are let go
        256 + 49, 128 + 67,
    ]  # fmt: skip


def test_a_long_wait_is_several_events() -> None:
    events = encode_events(music((0.0, 0.01, 60, 80), (2.5, 2.51, 60, 80)))
    assert events.tolist() == [376, 60, 256, 188, 355, 355, 256 + 48, 60, 256, 188]


def test_a_key_that_returns_is_let_go_before() -> None:
    events = encode_events(music((0.0, 5.0, 60, 80), (1.0, 2.0, 60, 80)))
    assert events.tolist() == [376, 60, 355, 188, 60, 355, 188]


def test_a_key_struck_twice_in_one_step_counts_once() -> None:
    events = encode_events(music((0.0, 1.0, 60, 80), (0.004, 1.0, 60, 80)))
    assert events.tolist() == [376, 60, 355, 188]


def test_no_music_has_no_events() -> None:
    assert len(encode_events(np.empty((0, 4)))) == 0
    assert decode_events(np.empty(0, np.int64)).shape == (0, 4)


@pytest.mark.parametrize("rng_seed", range(5))
def test_there_and_back(rng_seed: int) -> None:
    dice = np.random.default_rng(rng_seed)
    start = np.concatenate([[0.0], np.sort(dice.uniform(0.0, 40.0, 200))])
    notes = np.stack(
        [start, start + dice.uniform(0.005, 3.0, 201), dice.integers(21, 109, 201),
         dice.integers(1, 128, 201)], axis=1,
    )  # fmt: skip
    events = encode_events(notes)
    assert events.min() >= 0
    assert events.max() < EVENTS
    found = decode_events(events)
    assert encode_events(found).tolist() == events.tolist()
    # Every note is there, at its time; the last of each key is as long as it was.
    wanted = {(round(s * 100), int(p)): (e, v) for s, e, p, v in notes.tolist()}
    assert {(round(s * 100), int(p)) for s, _, p, _ in found.tolist()} == set(wanted)
    for s, e, p, v in found.tolist():
        end, velocity = wanted[round(s * 100), int(p)]
        assert abs(v - velocity) <= 2
        assert e <= max(end, s + 0.01) + 0.0051


def test_bits_per_note_become_nats_per_event() -> None:
    """A network as good as lots over all 388 events: the same surprise, said either way."""
    per_note = len(encode_events(CHORD)) / len(CHORD)
    bits = per_note * math.log2(EVENTS)
    assert nats_per_event(bits, per_note) == pytest.approx(math.log(EVENTS))
