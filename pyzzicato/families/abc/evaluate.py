"""How well a character network tells the next character, and whether what it writes is ABC.

Nats per character: the natural logarithm of how surprising the next character was, on average;
less is better. Each split is read as one long text, as in training, the state carried from its
beginning; a long one is cut into streams. A tune that was written is valid where it begins with
X:, has K: and notes, and nothing of it has to be left out to read it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pyzzicato.codecs.abc_text import AbcText
from pyzzicato.data.pieces import Dataset
from pyzzicato.families.abc.windows import texts_of
from pyzzicato.formats.abc.notation import repaired_abc
from pyzzicato.formats.abc.tune_book import longest_repeat
from pyzzicato.generation.generator import collect_takes
from pyzzicato.metrics.text import markov_nats
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import StepGraph

__all__ = ["is_valid_tune", "reading", "text_scores", "tunes_written"]

MOST = 300_000  # characters of a split that are read
CHUNK = 512  # characters at a time
STREAM = 20_000  # characters; a longer text is cut into streams
TAKES = 200
BATCH = 50


def is_valid_tune(text: str) -> bool:
    """Whether a tune is ABC as it stands: see the head of this file."""
    headed = text.lstrip().startswith("X:") and re.search(r"^K:", text, re.MULTILINE)
    return bool(headed) and not repaired_abc(text.strip("\n")).dropped


def reading(graph: StepGraph, codes: np.ndarray) -> tuple[float, float]:
    """Nats per character of a text and the share told right, codes (n,)."""
    streams = max(1, len(codes) // STREAM)
    length = len(codes) // streams
    laid = codes[: streams * length].reshape(streams, length)
    state, nats, right = graph.start(streams), 0.0, 0
    for place in range(0, length - 1, CHUNK):
        read = laid[:, place : place + CHUNK + 1]
        feed = {"characters": read[:, :-1].astype(np.float32)}
        logits, state = graph.advance(feed, state)
        wanted = read[:, 1:, None].astype(np.int64)
        top = logits.max(axis=-1, keepdims=True)
        total = top + np.log(np.exp(logits - top).sum(axis=-1, keepdims=True))
        nats += float((total - np.take_along_axis(logits, wanted, axis=-1)).sum())
        right += int((logits.argmax(axis=-1) == wanted[..., 0]).sum())
    count = streams * (length - 1)
    return nats / count, right / count


def tunes_written(info: ModelInfo, takes: int, **values: Any) -> list[str]:
    """The first tune that each of `takes` takes writes from nothing, whole or cut off."""
    controls = info.controls(seconds=300.0, **values)
    generator = info.load()
    texts = []
    for first in range(0, takes, BATCH):
        count = min(BATCH, takes - first)
        steps = generator.generate(NoteSequence(), controls.changed(rng_seed=first + 1), count)
        found = [""] * count
        open_still = set(range(count))
        for step in steps:
            if step.take in open_still:
                found[step.take] += step.text
                if step.time > 0 or "\n\n" in found[step.take].lstrip("\n"):
                    open_still.discard(step.take)
            if not open_still:
                break
        texts += found
    return [_without_remarks(text) for text in texts]


def _without_remarks(text: str) -> str:
    """The tune as it was written, without the comments on it."""
    return re.sub(r"^% left out:.*\n?", "", text.lstrip("\n"), flags=re.MULTILINE)


def _codes(info: ModelInfo, dataset: Dataset, split: str) -> np.ndarray:
    """The characters of a split that are read."""
    text = "".join(texts_of(dataset.split(split), info.config))
    return AbcText(info.config["vocabulary"]).encode(text)[:MOST]


def text_scores(
    info: ModelInfo, dataset: Dataset, say: Callable[[str], None] = print
) -> dict[str, Any]:
    """What `pyzzicato evaluate` measures of a character network, as "text" of metrics.json."""
    codes = {name: _codes(info, dataset, name) for name in ("train", "val", "test")}
    size = len(info.config["vocabulary"])
    generator: Any = info.load()
    found: dict[str, Any] = {
        "characters": {name: len(part) for name, part in codes.items()},
        "vocabulary": size,
        "baselines": {name: _baselines(codes["train"], part, size) for name, part in codes.items()},
        "checkpoints": {},
    }
    checkpoints: Sequence[int | None] = generator.checkpoints or (None,)
    for checkpoint in checkpoints:
        values = {} if checkpoint is None else {"checkpoint": checkpoint}
        row = _read_splits(generator.graph(checkpoint), codes)
        tunes = tunes_written(info, TAKES, **values)
        row["valid"] = round(sum(map(is_valid_tune, tunes)) / len(tunes), 4)
        name = "last" if checkpoint is None else str(checkpoint)
        found["checkpoints"][name] = row
        said = row["test"]["nats"]
        say(f"{info.id} {name}: {said:.4f} nats in test, {row['valid']:.1%} of tunes valid")
    found["repeats"] = _repeats(info)
    found["tunes"] = TAKES
    return {"text": found}


def _read_splits(graph: StepGraph, codes: Mapping[str, np.ndarray]) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for name, part in codes.items():
        nats, right = reading(graph, part)
        rows[name] = {"nats": round(nats, 4), "accuracy": round(right, 4)}
    return rows


def _baselines(learned: np.ndarray, asked: np.ndarray, size: int) -> dict[str, float]:
    return {
        "unigram": round(markov_nats(learned, asked, 0, size), 4),
        "markov": round(markov_nats(learned, asked, 2, size), 4),
    }


def _repeats(info: ModelInfo) -> dict[str, Any]:
    """The longest row of one note or chord over `TAKES` takes at default controls."""
    controls, generator = info.controls(), info.load()
    longest: list[int] = []
    for first in range(0, TAKES, BATCH):
        count = min(BATCH, TAKES - first)
        steps = generator.generate(NoteSequence(), controls.changed(rng_seed=first + 1), count)
        longest += [longest_repeat(list(take)) for take in collect_takes(steps, count)]
    return {
        "takes": TAKES,
        "longest": max(longest),
        "share_above_8": round(sum(row > 8 for row in longest) / len(longest), 4),
    }
