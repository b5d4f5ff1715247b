"""How well a character network tells the next character, and whether what it writes is ABC.

Nats per character: the natural logarithm of how surprising the next character was, on average;
less is better. Each split is read as one long text, as in training, the state carried from its
beginning; a long one is cut into streams. A tune that was written is valid where it begins with
X:, has K: and notes, and nothing of it has to be left out to read it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from pyzzicato.codecs.abc_text import AbcText
from pyzzicato.data.pieces import Dataset
from pyzzicato.families.abc.windows import texts_of
from pyzzicato.formats.abc.notation import repaired_abc
from pyzzicato.generation.generator import collect_takes
from pyzzicato.metrics.scores import Measure, Score, Sheet, rows
from pyzzicato.metrics.text import markov_nats
from pyzzicato.music.notes import NoteSequence, longest_repeat
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import StepGraph

__all__ = ["is_valid_tune", "reading", "text_scores", "tunes_written"]

MOST = 300_000  # characters of a split that are read
CHUNK = 512  # characters at a time
STREAM = 20_000  # characters; a longer text is cut into streams
TAKES = 200
SPLITS = {"test": "test", "val": "validation", "train": "trained on"}
NATS = Measure("nats per character", ".3f", "lower")
RIGHT = Measure("right", ".1%", "higher")
VALID = Measure("tunes that are ABC", ".1%", "higher")
UNIGRAM, MARKOV = "how often each comes", "order-2 Markov model"
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
) -> tuple[Sheet, ...]:
    """What `pyzzicato evaluate` measures of a character network."""
    codes = {name: _codes(info, dataset, name) for name in SPLITS}
    size = len(info.config["vocabulary"])
    generator: Any = info.load()
    last: list[Score] = []
    learning: list[Score] = []
    for checkpoint in generator.checkpoints or (None,):
        name = "last" if checkpoint is None else str(checkpoint)
        last = list(_read_splits(generator.graph(checkpoint), codes))
        values = {} if checkpoint is None else {"checkpoint": checkpoint}
        tunes = tunes_written(info, TAKES, **values)
        share = round(sum(map(is_valid_tune, tunes)) / len(tunes), 4)
        valid = Score(VALID.name, share, split="")
        learning += [replace(score, group=name) for score in (*last, valid)]
        say(f"{info.id} {name}: {last[0].value:.4f} nats in test, {share:.1%} of tunes valid")
    return (
        _told((*last, *_baselines(codes, size)), codes, size),
        Sheet(
            "How it learned",
            f"The same, and of {TAKES} tunes from nothing, at default controls, those that are ABC "
            "as they stand, with nothing to be left out.",
            (NATS, RIGHT, VALID),
            tuple(learning),
            group="epochs",
            across=("measure", "split"),
        ),
        _repeats(info),
    )


def _told(scores: Sequence[Score], codes: Mapping[str, np.ndarray], known: int) -> Sheet:
    counted = ", ".join(f"{len(codes[split]):,} ({name})" for split, name in SPLITS.items())
    return Sheet(
        "How well it tells the next character",
        "How surprising the next character of a real tune is to it, in nats: fewer are better; "
        f"and how often the likeliest one comes. Characters: {counted}; it knows {known} of them.",
        (NATS, RIGHT),
        tuple(scores),
        across=("measure", "split"),
        rival=MARKOV,
    )


def _read_splits(graph: StepGraph, codes: Mapping[str, np.ndarray]) -> Iterator[Score]:
    for split, part in codes.items():
        nats, right = reading(graph, part)
        yield from rows({NATS.name: round(nats, 4), RIGHT.name: round(right, 4)}, split=split)


def _baselines(codes: Mapping[str, np.ndarray], size: int) -> Iterator[Score]:
    """What is counted in the training text."""
    for split, part in codes.items():
        for by, order in ((UNIGRAM, 0), (MARKOV, 2)):
            nats = markov_nats(codes["train"], part, order, size)
            yield Score(NATS.name, round(nats, 4), by, split=split)


def _repeats(info: ModelInfo) -> Sheet:
    """The longest row of one note or chord over `TAKES` takes at default controls."""
    controls, generator = info.controls(), info.load()
    longest: list[int] = []
    for first in range(0, TAKES, BATCH):
        count = min(BATCH, TAKES - first)
        steps = generator.generate(NoteSequence(), controls.changed(rng_seed=first + 1), count)
        longest += [longest_repeat(list(take)) for take in collect_takes(steps, count)]
    row, share = Measure("longest row", ".0f"), Measure("takes with one above 8", ".1%", "lower")
    above = round(sum(row > 8 for row in longest) / len(longest), 4)
    return Sheet(
        "Whether it goes round in circles",
        f"How often one note or chord comes in a row, in {TAKES} takes of a minute.",
        (row, share),
        tuple(rows({row.name: max(longest), share.name: above})),
    )
