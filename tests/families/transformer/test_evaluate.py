"""Bits per note: every note once, true probabilities, nothing seen that comes later."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyzzicato.codecs.performance import BINS, DURATION, PITCH, TIME
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.evaluation.run import evaluate
from pyzzicato.families.transformer import evaluate as module
from pyzzicato.families.transformer.evaluate import (
    NoteReader,
    Span,
    note_scores,
    piece_codes,
    spans,
)
from pyzzicato.metrics.markov import uniform_bits
from pyzzicato.metrics.scores import MODEL, Sheet
from tests.scores import figures
from tests.small_transformer import CONFIG, make_transformer, weights


def piece(count: int, *, composer: str = "bach", kind: str = "performance", split: str = "val",
          step: int = 7) -> Piece:  # fmt: skip
    """A broken chord, four notes a second, one of every four louder."""
    rows = [
        (2.0 + n / 4, 2.2 + n / 4, 40 + n * step % 24, 90 if n % 4 == 0 else 60)
        for n in range(count)
    ]
    name = f"{composer}-{kind}-{count}-{split}"
    return Piece(name, composer, "", name, split, kind, "", 1, np.array(rows, np.float32))


def reader(folder: Path, arrays: dict[str, Any] | None = None, **changes: Any) -> NoteReader:
    return NoteReader(make_transformer(folder, arrays, **changes))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> NoteReader:
    return reader(tmp_path_factory.mktemp("small"))


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 15, 16, 17, 24, 25, 100])
def test_every_note_counts_once_and_with_half_a_window_before_it(count: int) -> None:
    found = list(spans([piece(count)], window=16))
    counted = [n for span in found for n in range(span.counted, span.stop)]
    assert counted == list(range(count))
    for span in found:
        assert len(span) <= 16
        assert span.first == 0 or span.counted - span.first == 8
        assert span.counted < span.stop
    moved = sum(span.seconds for span in found)
    assert moved == pytest.approx((count - 1) / 4)


def test_a_piece_begins_with_its_first_note() -> None:
    codes = piece_codes(piece(3))
    assert codes[:, TIME].tolist() == [0, 25, 25]
    off = np.array([[0, 1, 20, 60], [1, 2, 60, 60], [2, 3, 110, 60]], np.float32)
    codes = piece_codes(Piece("x", "bach", "", "x", "val", "score", "", 1, off))
    assert codes[:, [TIME, PITCH]].tolist() == [[0, 39]]


def test_a_window_is_read_as_in_training() -> None:
    start, later = list(spans([piece(24, kind="score")], window=16))
    _, wishes, codes = later.read()
    assert (later.first, later.counted, later.stop) == (8, 16, 24)
    assert wishes[0].tolist() == [2, 0, 0, 0, 0]
    assert codes[:2, TIME].tolist() == [0, 25]
    read, wishes, _ = start.read()
    assert wishes[0].tolist() == [2, 0, 0, 2, 0]
    assert read[0].tolist() == [128, 88, 96, 32, 12, 176]
    assert read[2].tolist() == [25, 26, *start.codes[1, 2:4], (26 + 9) % 12, 7 + 87]


def test_a_network_that_knows_nothing_is_uniform(tmp_path: Path) -> None:
    nothing = {path: np.zeros_like(array) for path, array in weights(CONFIG).items()}
    span = next(spans([piece(30)], 32))
    (bits,) = reader(tmp_path, nothing).bits([span])
    np.testing.assert_allclose(bits, np.tile(np.log2(BINS), (30, 1)), rtol=1e-6)
    assert bits[0].sum() == pytest.approx(uniform_bits())


def test_bits_are_those_of_the_right_code_of_the_right_field(tmp_path: Path) -> None:
    """Heads that are nothing but their biases: the chances are known."""
    arrays = {path: np.zeros_like(array) for path, array in weights(CONFIG).items()}
    for field, name in enumerate(module.FIELDS):
        arrays[f"{name}_out/bias"] = np.linspace(0, 3, BINS[field]).astype(np.float16)
    span = next(spans([piece(30)], 32))
    (bits,) = reader(tmp_path, arrays).bits([span])
    for field, name in enumerate(module.FIELDS):
        chance = np.exp(arrays[f"{name}_out/bias"].astype(np.float64))
        wanted = -np.log2(chance / chance.sum())[span.codes[:, field]]
        np.testing.assert_allclose(bits[:, field], wanted, atol=1e-4)


def test_windows_read_together_or_in_portions_are_the_same(
    small: NoteReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = list(spans([piece(70), piece(5, composer="chopin", step=5)], 32))
    together = small.bits(windows)
    assert [len(bits) for bits in together] == [32, 16, 16, 6, 5]
    monkeypatch.setattr(module, "CHUNK", 5)
    for window, bits in zip(windows, together, strict=True):
        np.testing.assert_allclose(small.bits([window])[0], bits, atol=1e-3)


def changed(span: Span, note: int, field: int) -> Span:
    codes = span.codes.copy()
    codes[note, field] += 1
    return Span(span.piece, codes, span.first, span.counted, span.stop)


def test_a_code_is_told_without_itself_and_what_follows(small: NoteReader) -> None:
    span = next(spans([piece(30)], 32))
    (plain,) = small.bits([span])
    (other,) = small.bits([changed(span, 20, PITCH)])
    np.testing.assert_allclose(other[:20], plain[:20], atol=1e-4)
    assert other[20, TIME] == pytest.approx(plain[20, TIME], abs=1e-4)
    assert abs(other[20, DURATION] - plain[20, DURATION]) > 1e-3
    assert abs(other[21, TIME] - plain[21, TIME]) > 1e-3


def test_the_composer_is_told_unless_it_is_not(small: NoteReader) -> None:
    known, unknown = (next(spans([piece(30, composer=c)], 32)) for c in ("bach", "joplin"))
    (told,), (untold,) = small.bits([known]), small.bits([known], told_composer=False)
    assert np.abs(told - untold).max() > 1e-3
    np.testing.assert_allclose(small.bits([unknown])[0], untold, atol=1e-4)


@pytest.fixture(scope="module")
def music() -> Dataset:
    pieces = [
        piece(count, composer=composer, kind=kind, split=split)
        for split, count in (("train", 300), ("val", 90), ("test", 120))
        for composer, kind in (("bach", "score"), ("bach", "performance"), ("joplin", "score"))
    ]
    return Dataset(tuple(pieces), (), Path())


def test_the_sheet_adds_up(music: Dataset, tmp_path: Path) -> None:
    said: list[str] = []
    (sheet,) = note_scores(make_transformer(tmp_path), music, said.append)
    assert f"up to {CONFIG['context_length'] - 1:,} notes" in sheet.note
    assert len(said) == 2
    for split, count in (("val", 90), ("test", 120)):
        for by in (MODEL, "without its composer", "Markov model"):
            for kind, pieces in (("performances", 1), ("scores", 2)):
                row = figures(sheet, by, kind, split)
                assert row["notes"] == pieces * count
                bits = row["bits per note"]
                assert bits == pytest.approx(sum(row[name] for name in module.FIELDS), abs=1e-3)
                # Four notes a second, and a piece moves on by one note less than it has.
                by_second = bits * 4 * count / (count - 1)
                assert row["bits per second"] == pytest.approx(by_second, rel=1e-3, abs=1e-3)
        assert figures(sheet, "Markov model", "scores", split)["bits per note"] < 3
        network, without = (
            figures(sheet, by, "scores", split)["bits per note"]
            for by in (MODEL, "without its composer")
        )
        assert network != without
    assert uniform_bits() > 3


def test_asap_performances_are_told_in_nats_per_event_too(tmp_path: Path) -> None:
    def named(path: str, count: int, kind: str = "performance") -> Piece:
        return replace(piece(count, split="test", kind=kind), path=path)

    info, plain = make_transformer(tmp_path), [piece(300, split="train"), piece(20, split="val")]
    asap = [named("piano/asap__x.mid", 90), named("piano/asap__y.mid", 60)]
    rest = [named("piano/z.mid", 40, "performance"), named("piano/asap__s.mid", 50, "score")]

    def sheets(pieces: list[Piece]) -> tuple[Sheet, ...]:
        return note_scores(info, Dataset((*plain, *pieces), (), Path()), lambda text: None)

    _, events = sheets([*asap, *rest])
    assert "150 notes of ASAP performances" in events.note
    row, alone = figures(events), figures(sheets(asap)[0], group="performances")
    assert alone["notes"] == 150
    assert row["bits per note"] == pytest.approx(alone["bits per note"], abs=1e-3)
    # On, off, two shifts; every fourth note is louder, so the velocity is said twice in four.
    assert row["events per note"] == pytest.approx(4.5, abs=0.05)
    nats = row["bits per note"] * np.log(2) / row["events per note"]
    assert row["nats per event"] == pytest.approx(nats, abs=1e-3)
    assert len(sheets(rest)) == 1


def test_of_many_windows_some_are_drawn_with_every_kind(music: Dataset, tmp_path: Path) -> None:
    info = make_transformer(tmp_path)

    def drawn(rng_seed: int) -> tuple[Sheet, ...]:
        return note_scores(info, music, lambda text: None, most=3, rng_seed=rng_seed)

    one, again = drawn(1), drawn(1)
    assert one == again
    assert re.search(r"windows 3 of \d\d are read in the test split", one[0].note)
    assert {score.group for score in one[0].scores} == {"performances", "scores"}


def test_quick_scores_read_an_eighth_of_the_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def none(every: object, most: int, rng: object) -> list[Span]:
        asked.append(most)
        return []

    monkeypatch.setattr(module, "drawn", none)
    info = make_transformer(tmp_path)
    piece = Piece("x", "bach", "", "x", "val", "score", "", 1, np.zeros((0, 4), np.float32))
    dataset = Dataset((piece, replace(piece, split="test")), (), tmp_path)
    for quick in (True, False):
        evaluate(info, dataset, lambda text: None, quick=quick)
    assert asked == [25, 25, 200, 200]
