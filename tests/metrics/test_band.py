"""The measures of five instruments, on windows whose figures are known beforehand."""

import numpy as np
import pytest

from pyzzicato.metrics.band import (
    PAIRS,
    band_measures,
    change,
    measured,
    nearest_style,
    repeat_last,
    score,
    style_features,
    variety,
)
from pyzzicato.metrics.scores import Score
from pyzzicato.music.instruments import INSTRUMENTS

DRUMS, PIANO, GUITAR, BASS, STRINGS = range(5)


def silence(count: int = 1) -> np.ndarray:
    return np.zeros((count, 32, 5, 128), np.uint8)


def chord(window: np.ndarray, place: int, pitches: list[int], first: int, steps: int) -> None:
    """A struck and held chord in the only window of an array."""
    window[0, first : first + steps, place, pitches] = 1
    window[0, first, place, pitches] = 2


def scattered(count: int, rng_seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(rng_seed)
    return rng.choice(np.array([0, 2], np.uint8), (count, 32, 5, 128), p=[0.99, 0.01])


def test_density_counts_struck_notes_and_empty_bars_silent_ones() -> None:
    window = silence()
    chord(window, PIANO, [60, 64, 67], 0, 8)
    chord(window, PIANO, [62], 8, 4)
    chord(window, BASS, [36], 12, 16)  # held into the second bar
    found = band_measures(window)
    assert found["density"].tolist() == [[0, 2.0, 0, 0.5, 0]]
    assert found["empty_bars"].tolist() == [[1, 0.5, 1, 0, 1]]


def test_pitch_classes_are_counted_in_bars_with_music() -> None:
    window = silence()
    chord(window, PIANO, [60, 64, 72], 0, 4)  # C and E
    chord(window, GUITAR, [50], 0, 4)
    chord(window, GUITAR, [51, 52, 127], 16, 4)  # E flat, E, G
    found = band_measures(window)["pitch_classes"][0]
    assert found[:2].tolist() == [2.0, 2.0]
    assert np.isnan(found[2:]).all()


@pytest.mark.parametrize(
    ("steps", "rate"),
    [([0, 2, 4, 18, 30], 1.0), ([1, 3, 17], 0.1), ([0, 1], 0.55), ([], None)],
)
def test_the_drum_pattern_is_of_eighths(steps: list[int], rate: float | None) -> None:
    window = silence()
    window[0, steps, DRUMS, 38] = 2
    found = band_measures(window)["drum_pattern"][0, 0]
    assert np.isnan(found) if rate is None else found == pytest.approx(rate)


def test_tonal_distance_is_none_between_octaves_and_grows_with_the_fifths() -> None:
    def between(piano: int, bass: int) -> float:
        window = silence()
        chord(window, PIANO, [piano], 0, 32)
        chord(window, BASS, [bass], 0, 32)
        found = band_measures(window)["tonal_distance"][0]
        assert np.isnan(np.delete(found, PAIRS.index((PIANO, BASS)))).all()
        return float(found[PAIRS.index((PIANO, BASS))])

    assert between(60, 36) == pytest.approx(0, abs=1e-12)
    fifth, tritone = between(67, 36), between(66, 36)
    # Seven semitones are so many degrees on each circle; a chord of angle a is 2 r sin(a / 2).
    turned = np.radians(7 * np.array([210, 270, 120]))
    by_hand = np.linalg.norm(2 * np.array([1, 1, 0.5]) * np.sin(turned / 2))
    assert fifth == pytest.approx(by_hand)
    assert 0 < fifth < tritone


def test_tonal_distance_looks_only_at_beats_in_which_both_sound() -> None:
    window = silence()
    chord(window, PIANO, [60], 0, 4)
    chord(window, STRINGS, [48], 0, 4)
    chord(window, STRINGS, [54], 4, 28)
    found = band_measures(window)["tonal_distance"][0]
    assert found[PAIRS.index((PIANO, STRINGS))] == pytest.approx(0, abs=1e-12)


def test_an_interval_holds_the_mean_and_narrows() -> None:
    rng = np.random.default_rng(4)
    few, many = (score(rng.normal(5, 1, count), "m", "x", "y") for count in (20, 2000))
    widths = []
    for found in (few, many):
        assert found.value is not None
        assert found.low is not None
        assert found.high is not None
        assert found.low < found.value < found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0]
    assert score(np.array([1.0, np.nan, 3.0]), "m", "x", "y").value == 2
    assert score(np.array([np.nan]), "m", "x", "y") == Score("m", None, "x", "y")


def test_the_table_has_every_instrument_and_pair() -> None:
    table = measured(scattered(12), scattered(12), "this model")
    assert {group for measure, group in table if measure == "struck notes a bar"} == set(
        INSTRUMENTS
    )
    assert ("pitch classes a bar", "Drums") not in table
    assert sum(measure == "tonal distance" for measure, _ in table) == 6
    assert table["tonal distance", "Piano and Guitar"].by == "this model"
    assert table["struck notes a bar", "Piano"].value == pytest.approx(16 * 128 * 0.01, rel=0.2)
    assert table["empty bars", "Drums"].value == 0
    assert table["notes not as in the opening", "All five"].value == 0


def test_a_repeated_window_strikes_what_it_held_from_before() -> None:
    window = silence()
    window[0, :4, PIANO, 60] = 1  # struck before the window began
    again = repeat_last(window)
    assert again[0, :4, PIANO, 60].tolist() == [2, 1, 1, 1]
    assert window[0, 0, PIANO, 60] == 1
    whole = silence()
    chord(whole, PIANO, [60], 0, 32)
    assert (repeat_last(whole) == whole).all()


def test_variety_is_the_share_of_notes_not_in_common() -> None:
    first, second = silence(), silence()
    chord(first, PIANO, [60, 64], 0, 4)
    chord(second, PIANO, [60, 67], 0, 8)  # one of three in common
    both = np.concatenate([first, second])
    assert variety(both) == pytest.approx(2 / 3)
    assert variety(first, second) == pytest.approx(2 / 3)
    assert variety(np.repeat(first, 5, axis=0)) == 0
    assert variety(silence(3)) == 0
    assert variety(first, silence()) == 1
    assert variety(first) == 0


def test_change_is_the_distance_of_what_follows() -> None:
    before, after = scattered(4), scattered(4, rng_seed=2)
    after[1] = before[1]
    after[2] = 0
    found = change(before, after)
    assert found[1:3].tolist() == [0, 1]
    assert found[0] == pytest.approx(variety(before[:1], after[:1]))
    assert change(silence(), silence()).tolist() == [0]


def test_variety_agrees_with_counting_pair_by_pair() -> None:
    windows = scattered(6)
    sets = [{tuple(cell) for cell in np.argwhere(window == 2)} for window in windows]
    slow = [
        1 - len(a & b) / len(a | b)
        for place, a in enumerate(sets)
        for b in sets[place + 1 :]
    ]  # fmt: skip
    assert variety(windows) == pytest.approx(np.mean(slow), rel=1e-6)


def test_the_nearest_style_goes_by_chroma_and_rhythm() -> None:
    def made(pitches: list[int], steps: list[int]) -> np.ndarray:
        window = silence()
        for step in steps:
            window[0, step, PIANO, pitches] = 2
        return window

    quarters, offbeat = [0, 4, 8, 12], [2, 6, 10, 14]
    styles = {
        "c quarters": made([60, 64, 67], quarters),
        "f sharp quarters": made([66, 70, 73], quarters),
        "c offbeat": made([60, 64, 67], offbeat),
    }
    for name, windows in styles.items():
        assert nearest_style(windows, styles) == name
    d_offbeat = made([62, 66, 69], offbeat)
    assert nearest_style(d_offbeat, styles, any_key=True) == "c offbeat"
    assert nearest_style(made([60, 64], [*offbeat, 0]), styles) == "c offbeat"
    chroma, rhythm = style_features(silence(2))
    assert (chroma.shape, rhythm.shape) == ((12,), (80,))
    assert not chroma.any()
    assert not rhythm.any()
