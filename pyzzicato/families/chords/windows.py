"""Training windows of notes and lengths, and what their networks are taught.

Shared by the families that write one note or chord and its length a step. A network reads codes
(batch, steps, 2), the tokens so far with 0 for "nothing yet" and every code one higher, and gives
(batch, steps, n + d): the logarithms of the chances of the next name, then of the next length. A
target is two places in that row, so the second one is n or more. Names and lengths are those of
the model's vocabulary.json, which `prepare` counts on the training pieces.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyzzicato.codecs.chord_duration import (
    ChordDuration,
    Token,
    Vocabulary,
    counted,
    tokens_of,
    transposed,
)
from pyzzicato.data.pieces import Piece
from pyzzicato.data.quarters import QuarterPiece
from pyzzicato.errors import ModelUnavailable, UnreadableMusic
from pyzzicato.training.family import Examples

__all__ = [
    "ChordWindows",
    "chord_loss",
    "chord_metrics",
    "codec_of",
    "lines_of",
    "prepare",
    "read_before",
    "read_vocabulary",
    "sizes",
    "to_one_key",
    "tokens_of_piece",
]

FILE = "vocabulary.json"
# Krumhansl and Kessler (1982): how well each tone fits a major and a minor key.
_MAJOR = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)


def tokens_of_piece(piece: Piece, config: Mapping[str, Any]) -> list[Token]:
    """A piece's tokens, in C major or A minor where the config says `one_key`.

    Raises UnreadableMusic where the piece's notes are known in seconds only.
    """
    if not isinstance(piece, QuarterPiece):
        raise UnreadableMusic(
            "This model learns notes in beats: its model.toml needs kinds of music that begin "
            'with "beats" (see `pyzzicato/data/quarters.py`).'
        )
    tokens = tokens_of(piece.quarters, piece_cut(config["cut"]))
    return transposed(tokens, to_one_key(piece.quarters)) if config.get("one_key") else tokens


def to_one_key(notes: np.ndarray) -> int:
    """How many semitones, -5 to 6, move music to C major or A minor.

    `notes` are rows of start, end and pitch. The key is the one whose profile goes best with how
    long each tone sounds (Krumhansl and Schmuckler, with the profiles of Krumhansl and Kessler).
    """
    length = notes[:, 1] - notes[:, 0]
    tones = np.bincount(notes[:, 2].astype(np.int64) % 12, weights=length, minlength=12)
    if not tones.any() or np.ptp(tones) == 0:
        return 0
    fits = [
        np.corrcoef(tones, np.roll(profile, tonic))[0, 1]
        for profile in (_MAJOR, _MINOR)
        for tonic in range(12)
    ]
    best = int(np.argmax(fits))
    home = 0 if best < 12 else 9
    return (home - best + 5) % 12 - 5


def piece_cut(cut: str) -> str:
    """`cut` as the codec takes it. Raises UnreadableMusic for another word."""
    if cut not in ("slices", "onsets"):
        raise UnreadableMusic(f'Music is cut into "slices" or "onsets", not {cut!r}.')
    return cut


def prepare(plan: Any, pieces: Sequence[Piece]) -> dict[str, Any]:
    """Counts the vocabulary of `pieces` and writes it into the model's folder.

    Gives what the recipe's config gains by it: {"vocabulary": {"notes": ..., "durations": ...}}.
    """
    config = plan.config
    lines = [tokens_of_piece(piece, config) for piece in pieces]
    known = counted(lines, config["seen"], config.get("most", 0))
    if not known.notes or not known.durations:
        raise UnreadableMusic(
            f"No chord is there {config['seen']} times in that music: this model needs more of it."
        )
    table = {"notes": list(known.notes), "durations": list(known.durations)}
    text = json.dumps(table, ensure_ascii=False)
    (plan.folder / FILE).write_text(text + "\n", encoding="utf-8")
    return {"vocabulary": table}


def read_vocabulary(folder: Path) -> dict[str, Any]:
    """What `prepare` wrote. Raises ModelUnavailable where it is missing or damaged."""
    try:
        table = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return {"notes": list(table["notes"]), "durations": list(table["durations"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelUnavailable(
            f"The file {FILE} of the model {folder.name} is missing or damaged: "
            "fetch the project's files again."
        ) from error


def codec_of(config: Mapping[str, Any], *, nearest: bool | None = None) -> ChordDuration:
    """The codec of a config with its vocabulary; `nearest` in place of the config's `rare`."""
    table = config["vocabulary"]
    known = Vocabulary(tuple(table["notes"]), tuple(table["durations"]))
    if nearest is None:
        nearest = config.get("rare", "drop") == "nearest"
    return ChordDuration(known, piece_cut(config["cut"]), nearest)


def sizes(config: Mapping[str, Any]) -> tuple[int, int]:
    """How many names and how many lengths there are."""
    table = config["vocabulary"]
    return len(table["notes"]), len(table["durations"])


def lines_of(pieces: Sequence[Piece], config: Mapping[str, Any], semitones: int = 0) -> list[Any]:
    """The codes of every piece, (n, 2) each, moved by `semitones`."""
    codec = codec_of(config)
    lines = [tokens_of_piece(piece, config) for piece in pieces]
    if not codec.nearest:
        return [codec.codes(transposed(line, semitones)) for line in lines]
    # Each chord's nearest is looked for once, not once a piece.
    whole = transposed((token for line in lines for token in line), semitones)
    borders = np.cumsum([len(line) for line in lines])
    known = codec.codes_or_none(whole)
    return [part[part[:, 0] >= 0] for part in np.split(known, borders[:-1])]


def read_before(codes: np.ndarray) -> np.ndarray:
    """What is read before each of `codes` (n, 2) and after the last, (n + 1, 2)."""
    return np.concatenate([np.zeros((1, 2), np.int64), codes + 1])


class ChordWindows(Examples):
    """Batches of windows: ({"tokens": (batch, window, 2)}, targets (batch, window, 2)).

    Targets are as the module says, -1 does not count. `config` has batch, window and the codec's
    part; with `last` only the token after a window is a target (batch, 1, 2), with `transpose`
    training windows are moved by up to that many semitones. Every window is as likely as any
    other.
    """

    def __init__(
        self, pieces: Sequence[Piece], config: Mapping[str, Any], *, training: bool
    ) -> None:
        self.config = config
        reach = config.get("transpose", 0) if training else 0
        self._keys = [
            [line for line in lines_of(pieces, config, shift) if len(line)]
            for shift in range(-reach, reach + 1)
        ]
        self._lengths = [np.array([len(line) for line in lines], float) for lines in self._keys]
        if not any(len(lengths) for lengths in self._lengths):
            raise UnreadableMusic("That music has nothing in common with what this model knows.")

    def batch(self, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """One batch of windows."""
        size, window = self.config["batch"], self.config["window"]
        read = np.zeros((size, window, 2), np.int32)
        target = np.full((size, window, 2), -1, np.int32)
        for row in range(size):
            key = int(rng.integers(len(self._keys)))
            chance = self._lengths[key] / self._lengths[key].sum()
            line = self._keys[key][int(rng.choice(len(chance), p=chance))]
            first = int(rng.integers(0, max(1, len(line) - window + 1)))
            codes = line[first : first + window]
            # At the right: the last step always has a target.
            read[row, window - len(codes) :] = read_before(line)[first : first + len(codes)]
            target[row, window - len(codes) :] = codes
        target[..., 1] += np.where(target[..., 1] >= 0, sizes(self.config)[0], 0).astype(np.int32)
        return {"tokens": read}, target[:, -1:] if self.config.get("last") else target


def _told(y_true: Any, y_pred: Any, part: int) -> Any:
    """Nats of the name (0) or the length (1), (batch, steps); 0 where there is no target."""
    from keras import ops

    target = ops.cast(y_true[..., part], "int32")
    there = ops.cast(target >= 0, "float32")
    told = ops.take_along_axis(
        ops.cast(y_pred, "float32"), ops.maximum(target, 0)[..., None], axis=-1
    )
    return -there * told[..., 0]


def chord_loss(y_true: Any, y_pred: Any) -> Any:
    """Categorical cross-entropy of name and length together, (batch, steps)."""
    return _told(y_true, y_pred, 0) + _told(y_true, y_pred, 1)


def chord_metrics() -> list[Any]:
    """Nats per token of the names and of the lengths, apart; shown while training."""

    def note_nats(y_true: Any, y_pred: Any) -> Any:
        return _told(y_true, y_pred, 0)

    def duration_nats(y_true: Any, y_pred: Any) -> Any:
        return _told(y_true, y_pred, 1)

    return [note_nats, duration_nats]
