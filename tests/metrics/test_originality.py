"""Finding copies: planted ones in made-up music, what is told of them, and the shipped index."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pyzzicato.errors import PyzzicatoError
from pyzzicato.metrics.originality import ASSET, Report, load_index, originality
from pyzzicato.metrics.passages import (
    REAL_SECONDS,
    Index,
    Recording,
    build_index,
    find_passage,
    read_index,
    stream_of,
)
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.seeds.library import find_seed

WORKS = 12
SCALE = np.array([p for p in range(36, 97) if p % 12 in (0, 2, 4, 5, 7, 9, 11)])


def made_up(rng_seed: int, seconds: float = 60.0) -> np.ndarray:
    """A wandering melody over broken and struck chords, (n, 4), of nobody."""
    rng, rows = np.random.default_rng(rng_seed), []
    time, at = 0.0, 22
    while time < seconds:
        length = float(rng.choice([0.25, 0.5, 0.75]))
        at = int(np.clip(at + rng.integers(-3, 4), 18, 33))
        rows.append((time, time + length, SCALE[at], 80))
        if rng.random() < 0.5:
            root = int(rng.integers(2, 12))
            spread = float(rng.choice([0.0, 0.125]))
            for turn, step in enumerate((0, 2, 4)):
                begin = time + turn * spread
                rows.append((begin, begin + 0.4, SCALE[root + step], 70))
        time += length
    notes = np.array(sorted(rows))
    return notes[notes[:, 0] < seconds]


def sequence_of(notes: np.ndarray) -> NoteSequence:
    return NoteSequence(tuple(Note(s, e, int(p), int(v)) for s, e, p, v in notes.tolist()))


@pytest.fixture(scope="module")
def index() -> Index:
    """Twelve works; what a hundred others share with them is what counts as usual."""
    made = build_index(Recording(f"w{n}", "Nobody", f"Piece {n}", made_up(n)) for n in range(WORKS))
    found = [find_passage(stream_of(made_up(300 + n)), made) for n in range(100)]
    shared = [(passage.score, passage.notes) if passage else (0.0, 0) for passage in found]
    table = np.percentile(np.array(shared), np.arange(101), axis=0)
    scores, notes = (np.tile(column, (len(REAL_SECONDS), 1)) for column in table.T)
    return replace(made, real_scores=scores, real_notes=notes)


def a_tenth_changed(notes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    notes = notes.copy()
    which = rng.permutation(len(notes))[: round(len(notes) / 10)]
    notes[which, 2] += rng.integers(1, 13, len(which)) * rng.choice([-1, 1], len(which))
    return notes


def transposed(semitones: int) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    return lambda notes, rng: notes + np.array([0, 0, semitones, 0])


def at_tempo(factor: float) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    return lambda notes, rng: notes * np.array([factor, factor, 1, 1])


def spread_a_little(notes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As hands play: nothing is struck quite together."""
    notes = notes.copy()
    notes[:, 0] = np.maximum(notes[:, 0] + rng.uniform(-0.012, 0.012, len(notes)), 0.0)
    return notes


def planted(number: int, change: Callable[..., np.ndarray]) -> tuple[np.ndarray, float, float]:
    """15 s of a work after 20 s of other music and before more: notes, begin and end."""
    work, other = made_up(number), made_up(100 + number)
    begin = 10.0 + 2 * number
    copy = work[(work[:, 0] >= begin) & (work[:, 0] < begin + 15)]
    copy[:, :2] -= copy[0, 0]
    copy = change(copy, np.random.default_rng(number))
    length = float(copy[:, 0].max()) + 0.2
    first, last = other[other[:, 0] < 20], other[other[:, 0] >= 20]
    moved = [first, copy + np.array([20, 20, 0, 0]), last + np.array([length, length, 0, 0])]
    return np.concatenate(moved), 20.0, 20.0 + length


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda notes, rng: notes, id="exact"),
        *(pytest.param(transposed(by), id=f"transposed {by}") for by in (-6, -1, 3, 6)),
        pytest.param(a_tenth_changed, id="10 % changed"),
        pytest.param(at_tempo(1.3), id="slower"),
        pytest.param(at_tempo(1 / 1.3), id="faster"),
        pytest.param(spread_a_little, id="played by hand"),
    ],
)
def test_planted_copies_are_found(index: Index, change: Callable[..., np.ndarray]) -> None:
    for number in range(WORKS):
        notes, begin, end = planted(number, change)
        report = originality(sequence_of(notes), index)
        assert report.copied
        assert report.title == f"Piece {number}"
        assert report.work == f"w{number}"
        assert report.percentile == 100
        assert report.start == pytest.approx(begin, abs=4)
        assert report.end == pytest.approx(end, abs=4)
        inside = ((notes[:, 0] >= begin) & (notes[:, 0] < end)).sum()
        assert report.notes == pytest.approx(inside, rel=0.25)
        assert report.share == pytest.approx(report.notes / len(notes), rel=0.02)


def test_other_music_is_left_in_peace(index: Index) -> None:
    reports = [originality(sequence_of(made_up(200 + n)), index) for n in range(WORKS)]
    assert sum(report.copied for report in reports) <= 1
    assert max(report.notes for report in reports) < 40


def test_a_copy_in_another_order_of_phrases_is_told_of_its_longest(index: Index) -> None:
    work = made_up(3)
    halves = work[work[:, 0] < 8], work[(work[:, 0] >= 30) & (work[:, 0] < 50)]
    notes = np.concatenate([halves[1] - [30, 30, 0, 0], halves[0] + [21, 21, 0, 0]])
    report = originality(sequence_of(notes), index)
    assert report.copied
    assert report.start < 1
    assert 18 < report.end < 23


def test_a_long_copy_is_one_passage() -> None:
    work = made_up(7, 900)
    index = build_index([Recording("w", "Nobody", "Long", work)])
    stream = stream_of(work)
    assert len(stream.pitch) > 2500, "longer than what is looked up at once"
    passage = find_passage(stream, index)
    assert passage is not None
    assert passage.notes == pytest.approx(len(stream.pitch), abs=20)


def test_the_order_of_the_notes_given_does_not_matter(index: Index) -> None:
    notes, _, _ = planted(4, transposed(2))
    shuffled = notes[np.random.default_rng(0).permutation(len(notes))]
    assert originality(sequence_of(notes), index) == originality(sequence_of(shuffled), index)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_too_little_music_shares_nothing(index: Index, count: int) -> None:
    report = originality(sequence_of(np.array(made_up(200)[:count]).reshape(-1, 4)), index)
    assert (report.notes, report.share, report.title, report.copied) == (0, 0.0, "", False)
    assert report.usual_notes == Report(usual_notes=int(index.real_notes[0, 50])).usual_notes > 0


def test_drums_are_no_melody(index: Index) -> None:
    notes, _, _ = planted(2, transposed(0))
    drums = NoteSequence(tuple(n._replace(is_drum=True) for n in sequence_of(notes)))
    assert originality(drums, index).notes == 0


def test_without_real_works_to_compare_nothing_counts_as_copied() -> None:
    work = made_up(1)
    report = originality(sequence_of(work), build_index([Recording("w", "Nobody", "One", work)]))
    assert report.share > 0.9
    assert not report.copied
    assert report.percentile == 0


def test_an_empty_index_finds_nothing() -> None:
    assert originality(sequence_of(made_up(1)), build_index([])).notes == 0


def test_an_index_is_read_as_it_was_written(index: Index, tmp_path: Path) -> None:
    path = tmp_path / "index.npz"
    index.save(path)
    again = read_index(path)
    notes, _, _ = planted(5, a_tenth_changed)
    assert originality(sequence_of(notes), again) == originality(sequence_of(notes), index)


@pytest.mark.parametrize("damage", ["missing", "cut", "text", "other"])
def test_a_damaged_index_is_said_so(index: Index, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "index.npz"
    if damage == "cut":
        index.save(path)
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "text":
        path.write_text("not an index")
    elif damage == "other":
        np.savez(path, values=np.zeros(3, np.uint16))
    with pytest.raises(PyzzicatoError, match=r"index\.npz.*install Pyzzicato again"):
        read_index(path)


def test_hashes_and_steps_belong_together(index: Index) -> None:
    with pytest.raises(ValueError, match="one step for each hash"):
        replace(index, steps=index.steps[:-1])


def test_the_shipped_index_is_small_and_holds_no_music() -> None:
    assert ASSET.stat().st_size <= 6_000_000
    with np.load(ASSET) as kept:
        assert set(kept.files) == {
            "composers", "counts", "real_notes", "real_scores", "steps", "titles", "values",
            "work_of", "works",
        }  # fmt: skip
        assert kept["values"].dtype == np.uint16
    index = load_index()
    assert len(index.works) == len(index.titles) == len(index.composers) > 1000
    assert all(title.strip() for title in index.titles)
    assert index.real_scores.shape == index.real_notes.shape == (len(REAL_SECONDS), 101)
    assert (np.diff(index.real_scores, axis=0) >= 0).all()
    assert (np.diff(index.real_scores, axis=1) >= 0).all()


def test_the_shipped_index_knows_a_famous_piece() -> None:
    report = originality(find_seed("chopin-waltz-op-64-no-2").sequence().transpose(5).stretch(1.3))
    assert report.copied
    assert report.composer == "Frédéric Chopin"
    assert report.share > 0.8


def test_the_shipped_index_leaves_made_up_music_in_peace() -> None:
    report = originality(sequence_of(made_up(321)))
    assert not report.copied
    assert 0 < report.percentile < 99
    assert 0 < report.usual_notes < 40
