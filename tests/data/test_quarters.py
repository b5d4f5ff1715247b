"""Music in beats: read exactly, told from recordings, cached, split by work."""

from pathlib import Path

import numpy as np
import pytest

from pyzzicato.data.load import read_dataset
from pyzzicato.data.quarters import QuarterPiece, quarter_notes, read_quarters
from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.midi import write_midi
from pyzzicato.music.notes import Note, NoteSequence
from tests.small_chords import made_up, write_music


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_music(tmp_path_factory.mktemp("music"))


def played(number: int) -> NoteSequence:
    """The same, but played freely: nothing is on the beat."""
    rng = np.random.default_rng(number)
    starts = np.cumsum(rng.uniform(0.1, 0.9, 120))
    return NoteSequence(tuple(Note(s, s + 0.3, 60 + n % 12) for n, s in enumerate(starts)))


def test_lengths_in_quarter_notes_are_exact_whatever_the_tempo() -> None:
    for qpm in (40.0, 100.0, 173.0):
        music = made_up(1, qpm=qpm)
        notes = quarter_notes(write_midi(music))
        notes = notes[np.lexsort((notes[:, 0], notes[:, 2]))]
        wanted = np.array(sorted((n.pitch, n.start * qpm / 60, n.end * qpm / 60) for n in music))
        assert (notes[:, 2] == wanted[:, 0]).all()
        assert np.abs(notes[:, :2] - wanted[:, 1:]).max() < 0.002


def test_drums_and_what_no_piano_has_are_left_out() -> None:
    odd = (Note(0, 1, 5), Note(0, 1, 60, 80, 0, True), Note(0, 1, 60, 70))
    assert quarter_notes(write_midi(NoteSequence(odd)))[:, 2:].tolist() == [[60, 70]]


def test_pieces_have_their_notes_in_seconds_and_in_quarter_notes(
    music: Path, tmp_path: Path
) -> None:
    pieces = read_dataset(music, kinds=("beats",), cache=tmp_path).pieces
    assert len(pieces) == 24
    assert {p.split for p in pieces} == {"train", "val", "test"}
    for piece in pieces:
        assert isinstance(piece, QuarterPiece)
        assert len(piece.quarters) == len(piece.notes)
        assert piece.quarters[:, 0] * 0.6 == pytest.approx(piece.notes[:, 0], abs=0.002)


def test_what_was_read_once_is_kept_and_a_damaged_cache_is_read_anew(
    music: Path, tmp_path: Path
) -> None:
    first = read_quarters(music, cache=tmp_path)
    (store,) = tmp_path.glob("quarters-*.npz")
    written = store.stat().st_mtime_ns
    again = read_quarters(music, cache=tmp_path)
    assert store.stat().st_mtime_ns == written
    store.write_bytes(b"damaged")
    anew = read_quarters(music, cache=tmp_path)
    for a, b, c in zip(first.pieces, again.pieces, anew.pieces, strict=True):
        assert isinstance(a, QuarterPiece)
        assert isinstance(b, QuarterPiece)
        assert isinstance(c, QuarterPiece)
        assert (a.quarters == b.quarters).all()
        assert (a.quarters == c.quarters).all()


def test_recordings_are_skipped_and_nothing_else_is_one_sentence(tmp_path: Path) -> None:
    write_music(tmp_path, 4)
    (tmp_path / "Bach" / "played.mid").write_bytes(write_midi(played(1)))
    dataset = read_quarters(tmp_path, cache=tmp_path / "cache")
    assert [s.path for s in dataset.skipped] == ["Bach/played.mid"]
    assert len(dataset.pieces) == 4
    only = tmp_path / "only" / "Bach"
    only.mkdir(parents=True)
    (only / "played.mid").write_bytes(write_midi(played(1)))
    with pytest.raises(UnreadableMusic, match=r"No music in .* follows its beats"):
        read_quarters(only.parent, cache=tmp_path / "cache")


def test_a_word_in_the_path_and_a_composer_choose(music: Path, tmp_path: Path) -> None:
    some = read_dataset(music, kinds=("beats:piece 1",), composers=["bach"], cache=tmp_path)
    assert {p.composer for p in some.pieces} == {"bach"}
    assert all("piece 1" in p.path for p in some.pieces)
    with pytest.raises(UnreadableMusic, match="cannot be read together"):
        read_quarters(music, ("beats", "score"), cache=tmp_path)


def test_an_empty_validation_split_gets_works_of_the_training_split(
    music: Path, tmp_path: Path
) -> None:
    trained = [p.path for p in read_quarters(music, cache=tmp_path).pieces if p.split == "train"]
    few = tmp_path / "few"
    for path in trained:
        (few / path).parent.mkdir(parents=True, exist_ok=True)
        (few / path).write_bytes((music / path).read_bytes())
    dataset = read_quarters(few, cache=tmp_path)
    assert len(dataset.split("val")) == max(1, len(trained) // 8)
    assert len(dataset.split("train")) == len(trained) - len(dataset.split("val"))
    assert "became the validation split" in dataset.remarks[-1]
    assert read_quarters(few, cache=tmp_path).split("val")[0].path == dataset.split("val")[0].path
