"""How well a network that writes one note a step tells real music: bits per note.

Conventions. The network reads a piece and says, note by note, how likely the next one is; the
mean of -log2 of that is its bits per note, lower is better. Time, pitch, duration and velocity
are counted apart, in the bins of `pyzzicato.codecs.performance` (128, 88, 96 and 32); each is
told what was decided before it of the same note. Waits over 1 s count by their bin only. A
piece begins with its first note, whose time is 0.

A window is `WINDOW` notes; the next one begins half a window later. Of a window that begins its
piece every note counts, of any other those of its second half: so every note counts once, and
all but a piece's beginning with at least half a window before it. The network is told the
composer and the kind of piece; density and loudness are not said. Nothing is transposed.

Beside it stand the same network without its composer and an order-3 Markov model, on the same
notes; and, of the ASAP performances of the test split, what the bits are in nats per event of
Oore et al.'s encoding (see `pyzzicato.codecs.events388`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pyzzicato.codecs.events388 import encode_events, nats_per_event
from pyzzicato.codecs.performance import BINS, FINE, TICKS, TIME, codes_of, time_bounds
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.families.transformer.graph import NoteGraph
from pyzzicato.families.transformer.windows import KINDS, MUSIC, OPENING, READ, WISHES, read_codes
from pyzzicato.metrics.markov import Line, markov_bits
from pyzzicato.metrics.scores import MODEL, Measure, Score, Sheet, rows
from pyzzicato.music.notes import HIGHEST_KEY, LOWEST_KEY
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import StepGraph

__all__ = [
    "WINDOW",
    "NoteReader",
    "Span",
    "drawn",
    "note_scores",
    "piece_codes",
    "quick_note_scores",
    "spans",
]

WINDOW = 1024  # notes
MOST = 200  # windows a split
BATCH = 4  # windows read together
CHUNK = 256  # notes of them at a time, which keeps the attention's tables small
FIELDS = ("time", "pitch", "duration", "velocity")
KIND_NAMES = {"performance": "performances", "score": "scores"}
BITS, PER_SECOND = "bits per note", "bits per second"
MARKOV = "Markov model"
READERS = {MODEL: True, "without its composer": False}  # told the composer
ASAP = "asap__"  # in the path of its performances, many of which are in MAESTRO too


def piece_codes(piece: Piece) -> np.ndarray:
    """The codes of a piece, (n, 5), its first note at 0 seconds; notes off the piano left out."""
    notes = piece.notes[(piece.notes[:, 2] >= LOWEST_KEY) & (piece.notes[:, 2] <= HIGHEST_KEY)]
    notes = notes.astype(np.float64)
    if len(notes):
        notes[:, :2] -= notes[0, 0]
    return codes_of(notes)


@dataclass(frozen=True, eq=False)
class Span:
    """One window: notes `first` to `stop` of a piece are read, those from `counted` on count."""

    piece: Piece
    codes: np.ndarray  # of the whole piece, (n, 5)
    first: int
    counted: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.first

    @property
    def seconds(self) -> float:
        """The music that the counted notes move on."""
        rows = self.codes[self.counted : self.stop]
        return float((time_bounds()[rows[:, TIME]] + rows[:, FINE]).sum()) / TICKS

    def read(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What is read, (n, 6), asked, (n, 5), and to be told, (n, 4)."""
        codes = self.codes[self.first : self.stop, :4].copy()
        codes[0, TIME] = 0
        wishes = np.zeros((len(codes), len(WISHES)), np.int64)
        wishes[:, 0] = KINDS.get(self.piece.kind, 1)
        wishes[:, 3] = MUSIC if self.first else OPENING
        return read_codes(codes), wishes, codes


def spans(pieces: Sequence[Piece], window: int = WINDOW) -> Iterator[Span]:
    """Windows in which every note of the pieces counts exactly once; see the top of this file."""
    half = window // 2
    for piece in pieces:
        codes = piece_codes(piece)
        count = len(codes)
        for first in range(0, max(count - half, min(count, 1)), half):
            counted = first + half if first else 0
            yield Span(piece, codes, first, counted, min(first + window, count))


class NoteReader:
    """A model's two graphs, reading whole windows of real music."""

    def __init__(self, info: ModelInfo, threads: int = 2) -> None:
        self.composers = info.composers
        self.places = int(info.config["context_length"])
        self.graph = NoteGraph(info.weights, threads)
        self.heads = StepGraph(info.folder / "heads.onnx", threads)

    def bits(self, batch: Sequence[Span], *, told_composer: bool = True) -> list[np.ndarray]:
        """Bits of each span's counted notes, (notes, 4)."""
        longest = max(len(span) for span in batch)
        notes = np.tile(np.array(READ, np.int64) - 1, (len(batch), longest, 1))
        wishes = np.zeros((len(batch), longest, len(WISHES)), np.int64)
        codes = np.zeros((len(batch), longest, 4), np.int64)
        composer = np.zeros((len(batch), len(self.composers) + 1), np.float32)
        for row, span in enumerate(batch):
            parts = span.read()
            for whole, part in zip((notes, wishes, codes), parts, strict=True):
                whole[row, : len(span)] = part
            known = told_composer and span.piece.composer in self.composers
            composer[row, self.composers.index(span.piece.composer) + 1 if known else 0] = 1.0
        found = self._bits(notes.astype(np.float32), wishes.astype(np.float32), codes, composer)
        return [
            bits[span.counted - span.first : len(span)]
            for span, bits in zip(batch, found, strict=True)
        ]

    def _bits(
        self, notes: np.ndarray, wishes: np.ndarray, codes: np.ndarray, composer: np.ndarray
    ) -> np.ndarray:
        cache = self.graph.cache(len(notes), max(self.places, notes.shape[1]))
        bits = np.empty(codes.shape, np.float32)
        for first in range(0, notes.shape[1], CHUNK):
            part = slice(first, first + CHUNK)
            inputs = {"notes": notes[:, part], "wishes": wishes[:, part], "composer": composer}
            hidden = self.graph.advance(inputs, cache)
            chosen = codes[:, part, :3].astype(np.float32)
            logits, _ = self.heads.advance({"hidden": hidden, "chosen": chosen}, {})
            for field in range(len(BINS)):
                bits[:, part, field] = _field_bits(logits, codes[:, part, field], field)
        return bits


def _field_bits(logits: np.ndarray, codes: np.ndarray, field: int) -> np.ndarray:
    """-log2 of the chance of `codes` (batch, notes), from all heads' logits (batch, notes, 344)."""
    begin = sum(BINS[:field])
    mine = logits[..., begin : begin + BINS[field]]
    highest = mine.max(axis=-1, keepdims=True)
    whole = np.log(np.exp(mine - highest).sum(axis=-1)) + highest[..., 0]
    told = np.take_along_axis(mine, codes[..., None], axis=-1)[..., 0]
    result: np.ndarray = (whole - told) / np.log(np.float32(2))
    return result


def note_scores(
    info: ModelInfo,
    dataset: Dataset,
    say: Callable[[str], None] = print,
    *,
    most: int = MOST,
    rng_seed: int = 1,
) -> tuple[Sheet, ...]:
    """Bits per note on the test and the validation split, and nats per event where there is ASAP.

    At most `most` windows a split are read, drawn by `rng_seed` so that every kind and composer
    has the share that it has in the split.
    """
    reader = NoteReader(info)
    window = min(WINDOW, reader.places)
    learned = [(piece_codes(piece), KINDS.get(piece.kind, 1)) for piece in dataset.split("train")]
    scores: list[Score] = []
    events: list[Sheet] = []
    counts: list[str] = []
    for split in ("test", "val"):
        every = list(spans(dataset.split(split), window))
        picked = sorted(drawn(every, most, np.random.default_rng(rng_seed)), key=len)
        bits = {by: _told(reader, picked, named=named) for by, named in READERS.items()}
        bits[MARKOV] = _markov(learned, picked)
        mine = list(_by_kind(picked, bits, split))
        scores += mine
        if split == "test":
            events += _in_events(picked, bits[MODEL])
        counts.append(f"{len(picked)} of {len(every)}")
        told = [f"{s.value:.3f} {s.by}, {s.group}" for s in mine if s.measure == BITS]
        say(f"{info.id}: {'; '.join(told)} on {counts[-1]} {split} windows")
    return (_sheet(scores, window, counts), *events)


def quick_note_scores(
    info: ModelInfo, dataset: Dataset, say: Callable[[str], None] = print
) -> tuple[Sheet, ...]:
    """The same from an eighth of the windows, with errors nearly three times as large."""
    return note_scores(info, dataset, say, most=MOST // 8)


def _sheet(scores: Sequence[Score], window: int, counts: Sequence[str]) -> Sheet:
    return Sheet(
        "How well it tells the next note",
        "How surprising the next note of real music is to it, in bits: fewer are better, and one "
        "bit less is half the surprise. The works of both splits were not trained on; of their "
        f"windows {counts[0]} are read in the test split and {counts[1]} in the other, with up to "
        f"{window - 1:,} notes before each note, in 128 steps of time, 88 keys, 96 lengths and 32 "
        "loudnesses. Beside it stand the same network when it is not told the composer, and an "
        "order-3 Markov model of the same training music. ± is the standard error.",
        (
            *(Measure(name, better="lower") for name in (BITS, *FIELDS)),
            Measure(PER_SECOND, ".1f", "lower"),
            Measure("notes", ","),
        ),
        tuple(scores),
        group="kind",
        rival=MARKOV,
    )


def drawn(every: Sequence[Span], most: int, rng: np.random.Generator) -> list[Span]:
    """`most` of the windows, evenly along a list that is ordered by kind and composer."""
    shuffled = [every[i] for i in rng.permutation(len(every))]
    shuffled.sort(key=lambda span: (span.piece.kind, span.piece.composer))
    if len(every) <= most:
        return shuffled
    places = (np.arange(most) + rng.random()) * len(every) / most
    return [shuffled[int(place)] for place in places]


def _told(reader: NoteReader, picked: Sequence[Span], *, named: bool) -> list[np.ndarray]:
    """The network's bits of all windows."""
    parts = (picked[first : first + BATCH] for first in range(0, len(picked), BATCH))
    return [bits for part in parts for bits in reader.bits(part, told_composer=named)]


def _markov(learned: Sequence[Line], picked: Sequence[Span]) -> list[np.ndarray]:
    """The Markov model's bits of the same notes; it reads the whole piece before them."""
    pieces = list({id(span.piece): span for span in picked}.values())
    asked = [(span.codes, KINDS.get(span.piece.kind, 1)) for span in pieces]
    bits = markov_bits(learned, asked)
    by_piece = {id(span.piece): found for span, found in zip(pieces, bits, strict=True)}
    return [by_piece[id(span.piece)][span.counted : span.stop] for span in picked]


def _in_events(picked: Sequence[Span], bits: Sequence[np.ndarray]) -> Iterator[Sheet]:
    """Nats per event of the ASAP performances; nothing where there are none."""
    mine = [
        (span, found)
        for span, found in zip(picked, bits, strict=True)
        if ASAP in span.piece.path and span.piece.kind == "performance"
    ]
    if not mine:
        return
    whole = {id(span.piece): span for span, _ in mine}
    dense = {key: len(encode_events(s.piece.notes)) / len(s.codes) for key, s in whole.items()}
    notes = sum(len(found) for _, found in mine)
    per_note = sum(dense[id(span.piece)] * len(found) for span, found in mine) / notes
    per_bits = sum(float(found.sum(dtype=np.float64)) for _, found in mine) / notes
    found = {
        "nats per event": nats_per_event(per_bits, per_note),
        BITS: per_bits,
        "events per note": per_note,
    }
    yield Sheet(
        "The same in nats per event",
        "What the bits per note are in the encoding with 388 events that Music Transformers write, "
        f"on {notes:,} notes of ASAP performances.",
        (*(Measure(name, better="lower") for name in list(found)[:2]), Measure("events per note")),
        tuple(rows({name: round(value, 4) for name, value in found.items()})),
    )


def _by_kind(
    picked: Sequence[Span], bits: Mapping[str, Sequence[np.ndarray]], split: str
) -> Iterator[Score]:
    for kind, name in KIND_NAMES.items():
        mine = [i for i, span in enumerate(picked) if span.piece.kind == kind]
        for by, found in bits.items() if mine else ():
            figures, error = _row([picked[i] for i in mine], [found[i] for i in mine])
            yield Score(BITS, figures.pop(BITS), by, name, split, error)
            yield from rows(figures, by=by, group=name, split=split)


def _row(picked: Sequence[Span], bits: Sequence[np.ndarray]) -> tuple[dict[str, float], float]:
    """All measures of some windows, and the standard error of the bits per note."""
    notes = np.array([len(found) for found in bits], np.float64)
    sums = np.array([found.sum(axis=0, dtype=np.float64) for found in bits])
    means = sums.sum(axis=0) / notes.sum()
    whole = float(means.sum())
    spread = sums.sum(axis=1) - whole * notes  # of a ratio: Cochran (1977), section 6.4
    error = float(np.sqrt((spread**2).sum())) / notes.sum()
    seconds = sum(span.seconds for span in picked)
    return {
        BITS: round(whole, 4),
        **{name: round(float(mean), 4) for name, mean in zip(FIELDS, means, strict=True)},
        PER_SECOND: round(float(sums.sum()) / seconds, 3) if seconds else 0.0,
        "notes": int(notes.sum()),
    }, round(error, 4)
