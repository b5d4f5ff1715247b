"""Make the index that tells which passages of a piece stand in the training music.

    python tools/build_originality_index.py --data FOLDER [--output FILE] [--excerpts 1200]

Reads the training split of FOLDER (performances and scores whose licence is stated), takes at
most one performance and one score of each work, and writes their hashes, the works' titles and
what real works share to pyzzicato/assets/originality.npz: no music. What two real works share:
15 to 480 s from anywhere in a training work are looked up in the other works of its composer,
`--excerpts` times for each length; the percentiles of the longest passages are kept.
"""

from __future__ import annotations

import argparse
import html
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pyzzicato.data.load import read_dataset
from pyzzicato.data.pieces import Piece
from pyzzicato.errors import PyzzicatoError
from pyzzicato.metrics.originality import ASSET
from pyzzicato.metrics.passages import (
    REAL_SECONDS,
    Index,
    Recording,
    build_index,
    find_passage,
    stream_of,
)
from pyzzicato.music.composers import COMPOSERS
from pyzzicato.music.titles import right_title

KINDS = ("performance", "score")
SHOWN = (50, 90, 95, 99, 100)
LARGEST = 6_000_000  # bytes
VIDEO = re.compile(r"[_ ,]+(?=[\w-]*[A-Z0-9-])(?=[\w-]*[a-z])[\w-]{11}(?=$|[_ ]cut|[_ ]mov)")
NOTED = re.compile(r"\s*(\[[^\]]*\]|\(MAESTRO recording\))\s*$")
# What file names abbreviate, in this order.
READABLE = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"_cut_no_", ", no. "),
        (r"_mov_", ", movement "),
        (r"_cut\b", ""),
        (r"^bach_en_fr_suites", "English and French Suites"),
        (r"/\w*?op0*(\d+)[n_-]0*(\d+)[a-z]?$", " op. \\1 no. \\2"),
        (r"/(?:BI[\d-]+)?op0*(\d+)-0*(\d+)", " op. \\1 no. \\2"),
        (r"/K0*(\d+)", " K. \\1"),
        (r"/wq0*(\d+)n0*(\d+)", " Wq. \\1 no. \\2"),
        (r"/BWV0*(\d+)_0*(\d+)_", ", BWV \\1, \\2 "),
        (r"[_/]", " "),
    )
)
NAMES = {composer.id: composer.name for composer in COMPOSERS}


def plain_title(piece: Piece) -> str:
    """A title to read: without file codes, underscores and the composer's name in front."""
    whole = html.unescape(piece.title).replace("\\", "").strip(' "')
    title = NOTED.sub("", NOTED.sub("", whole)) or whole.strip("[]")
    if "giantmidi" in piece.path:
        title = VIDEO.sub("", title)
    for pattern, words in READABLE:
        title = pattern.sub(words, title)
    title = re.sub(r"\s+", " ", title).strip(' ,"')
    names = _letters(f"{NAMES.get(piece.composer, '')} {piece.composer}").split()
    parts = title.split(" ")
    while len(parts) > 1 and _letters(parts[0]).strip() in names:
        parts = parts[1:]
    title = right_title(" ".join(parts))
    return title[:1].upper() + title[1:]


def _letters(text: str) -> str:
    """`text` in lower case, without accents, other signs as spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"[^a-z]+", " ", "".join(c for c in plain if not unicodedata.combining(c)))


def best_title(pieces: Sequence[Piece]) -> str:
    """The title of a work that reads best: a written one, then a folder's, then a video's."""

    def awkward(piece: Piece) -> tuple[bool, bool, bool, int]:
        written = piece.title
        return (
            "giantmidi" in piece.path, "/" in written, " " not in written, len(written)
        )  # fmt: skip

    return plain_title(min(pieces, key=awkward))


def chosen(pieces: Sequence[Piece]) -> Iterator[Recording]:
    """Of each work the performance and the score of middle length, works in order."""
    works: dict[str, list[Piece]] = defaultdict(list)
    for piece in pieces:
        works[piece.work].append(piece)
    for work, mine in works.items():
        title = best_title(mine)
        for kind in KINDS:
            same = sorted((p for p in mine if p.kind == kind), key=lambda p: len(p.notes))
            if same:
                piece = same[len(same) // 2]
                name = NAMES.get(piece.composer, piece.composer.replace("_", " ").title())
                yield Recording(work, name, title, piece.notes)


def excerpt(piece: Piece, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """`seconds` of a piece from anywhere, (n, 4), or all of a shorter one."""
    begin = rng.uniform(0, max(0.0, piece.duration - seconds))
    return piece.notes[(piece.notes[:, 0] >= begin) & (piece.notes[:, 0] < begin + seconds)]


def shared(pieces: Sequence[Piece], index: Index, seconds: float, count: int) -> np.ndarray:
    """Score and notes, (n, 2), of what excerpts share with other works of their composer.

    The excerpts come from `count` works in turn, in an order drawn by lot; composers of a
    single work are passed over.
    """
    rng, composers = np.random.default_rng(1), np.array(index.composers)
    works: dict[int, list[Piece]] = defaultdict(list)
    for piece in pieces:
        works[index.works.index(piece.work)].append(piece)
    order = [work for _ in range(count // len(works) + 1) for work in rng.permutation(list(works))]
    found = []
    for work in order[:count]:
        piece = works[work][rng.integers(len(works[work]))]
        allowed = composers == composers[work]
        allowed[work] = False
        if allowed.any():
            passage = find_passage(stream_of(excerpt(piece, seconds, rng)), index, allowed)
            found.append((passage.score, passage.notes) if passage else (0.0, 0))
    return np.array(found, np.float64).reshape(-1, 2)


def with_real_works(index: Index, pieces: Sequence[Piece], count: int) -> Index:
    """The index with the percentiles of what real works share; longer never less than shorter."""
    rows = []
    for seconds in REAL_SECONDS:
        rows.append(np.percentile(shared(pieces, index, seconds, count), np.arange(101), axis=0))
        shown = ", ".join(f"{at}% {rows[-1][at, 1]:.0f}" for at in SHOWN)
        print(f"Notes that {seconds:g} s share with another work: {shown}", flush=True)
    table = np.maximum.accumulate(np.stack(rows), axis=0)
    return replace(index, real_scores=table[:, :, 0], real_notes=table[:, :, 1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, metavar="FOLDER", required=True)
    parser.add_argument("--output", type=Path, metavar="FILE", default=ASSET)
    parser.add_argument("--excerpts", type=int, default=2400, help="of each length")
    options = parser.parse_args()
    try:
        pieces = read_dataset(options.data, kinds=KINDS).split("train")
    except PyzzicatoError as error:
        print(error, file=sys.stderr)
        return 1
    recordings = list(chosen(pieces))
    index = with_real_works(build_index(recordings), pieces, options.excerpts)
    index.save(options.output)
    size = options.output.stat().st_size
    print(
        f"{len(recordings):,} recordings of {len(index.works):,} works, "
        f"{len(index.values):,} hashes, {size / 1e6:.2f} MB"
    )
    if size > LARGEST:
        print(f"That is more than the {LARGEST / 1e6:g} MB that are allowed.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
