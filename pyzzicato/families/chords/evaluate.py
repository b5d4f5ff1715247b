"""How well a network of notes and lengths tells real music, beside two baselines.

Conventions. Every token of a piece is told from those before it, name and length apart. `nats`
is the mean surprise; `accuracy` the share whose likeliest code is the right one; `precision` and
`recall` are Keras' own at a threshold of 0.5: of the codes told with a chance above one half the
share that is right, and of all tokens the share that is told so and right. On many classes few
chances pass one half, so precision is high where recall is nearly nothing. A precision is None
where no chance passes.

A network trained on every step of a window reads each piece from its beginning, as when it plays.
One trained on the token after a window (`last`) reads the window before each token, as in
training, and a piece's first tokens, which have none, do not count. Baselines: see
`metrics.chord_markov`. Tokens outside the vocabulary are treated as in training: left out, or
replaced by the nearest.

Beside that, takes at the default controls after built-in seeds: how many of them strike the same
note or chord more than eight times in a row, and how long they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pyzzicato.data.pieces import Dataset
from pyzzicato.families.chords.windows import lines_of, read_before, read_vocabulary, sizes
from pyzzicato.generation.generator import collect_takes
from pyzzicato.metrics.chord_markov import ORDERS, ChordMarkov
from pyzzicato.metrics.scores import MODEL, Measure, Score, Sheet, rows
from pyzzicato.music.notes import longest_repeat
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.session import StepGraph
from pyzzicato.seeds.library import all_seeds

__all__ = ["PARTS", "Tally", "chord_scores", "line_scores"]

PARTS = ("note", "duration")
SPLITS = {"test": "test", "val": "validation", "train": "trained on"}
READERS = {
    "network": MODEL,
    "unigram": "how often each comes",
    "markov": "order-2 Markov model",
}
GROUPS = {"note": "note or chord", "duration": "length"}
NATS = "nats per token"
MOST_AGAIN = 8
TAKES, SEEDS = 200, 40
_AT_ONCE = 256  # windows

Lines = Sequence[np.ndarray]


class Tally:
    """Sums over tokens, from which the four figures are made."""

    def __init__(self) -> None:
        self.count = self.nats = self.right = self.sure = self.sure_right = 0.0

    def add(self, chance: np.ndarray, target: np.ndarray) -> None:
        """Takes in chances (n, codes) and the right codes (n,)."""
        of_right = chance[np.arange(len(target)), target]
        self.count += len(target)
        self.nats -= float(np.log(np.maximum(of_right, 1e-30), dtype=np.float64).sum())
        self.right += float((chance.argmax(axis=1) == target).sum())
        self.sure += float((chance > 0.5).sum())
        self.sure_right += float((of_right > 0.5).sum())

    def figures(self) -> dict[str, Any]:
        """nats, accuracy, precision, recall."""
        count = max(self.count, 1.0)
        return {
            "nats": round(self.nats / count, 4),
            "accuracy": round(self.right / count, 4),
            "precision": round(self.sure_right / self.sure, 4) if self.sure else None,
            "recall": round(self.sure_right / count, 4),
        }


def chord_scores(
    info: ModelInfo, dataset: Dataset, say: Callable[[str], None] = print
) -> tuple[Sheet, ...]:
    """What `pyzzicato evaluate` measures of a network of notes and lengths."""
    config = _config(info)
    lines = {name: lines_of(dataset.split(name), config) for name in SPLITS}
    found = line_scores(StepGraph(info.weights), config, lines, say)
    return (_told(found), _circles(info))


def _told(found: Mapping[str, Any]) -> Sheet:
    """What `line_scores` found, in words and rows."""
    splits = [split for split in SPLITS if split in found]
    counted = ", ".join(f"{found[split]['tokens']:,} ({SPLITS[split]})" for split in splits)
    return Sheet(
        "How well it tells the next token",
        "How well the next note or chord and its length are told from those before: "
        f"{found['names']:,} chords and {found['lengths']} lengths are known. Nats are the "
        "surprise per token: fewer are better. Accuracy is the share whose likeliest choice is "
        "right; precision and recall count only what is told with a chance above one half, as "
        "Keras does, so on many chords precision is high where recall is next to nothing. "
        f"Tokens: {counted}.",
        (
            Measure(NATS, ".3f", "lower"),
            *(Measure(name, ".2%", "higher") for name in ("accuracy", "precision", "recall")),
        ),
        tuple(score for split in splits for score in _rows(found[split], split)),
        rival=READERS["markov"],
    )


def _rows(found: Mapping[str, Any], split: str) -> Iterator[Score]:
    """All predictors on one split: of both together, then of each."""
    for who, by in READERS.items():
        both = round(sum(found[who][part]["nats"] for part in PARTS), 4)
        yield Score(NATS, both, by, "chord and length", split)
    for part, group in GROUPS.items():
        for who, by in READERS.items():
            figures = {NATS if k == "nats" else k: v for k, v in found[who][part].items()}
            yield from rows(figures, by=by, group=group, split=split)


def _config(info: ModelInfo) -> dict[str, Any]:
    return {**info.config, **info.training, "vocabulary": read_vocabulary(info.folder)}


def _circles(info: ModelInfo) -> Sheet:
    """200 takes at the default controls, five after each of 40 built-in seeds."""
    generator, controls = info.load(), info.controls()
    seeds = all_seeds()
    chosen = [seeds[place * len(seeds) // SEEDS] for place in range(SEEDS)]
    made = [
        take
        for seed in chosen
        for take in collect_takes(
            generator.generate(seed.sequence(), controls, TAKES // SEEDS), TAKES // SEEDS
        )
    ]
    looped, shortest, dense = (
        Measure("takes that strike the same more than eight times in a row", ".0f", "lower"),
        Measure("seconds to the last note of the shortest take"),
        Measure("notes a second"),
    )
    figures = {
        looped.name: sum(longest_repeat(take.notes) > MOST_AGAIN for take in made),
        shortest.name: round(min(take.duration for take in made), 2),
        dense.name: round(sum(map(len, made)) / len(made) / controls.seconds, 2),
    }
    return Sheet(
        "Whether it goes round in circles",
        f"{len(made)} takes of {controls.seconds:g} s at the default controls, after built-in "
        "seeds.",
        (looped, shortest, dense),
        tuple(rows(figures)),
    )


def line_scores(
    graph: StepGraph,
    config: Mapping[str, Any],
    lines: Mapping[str, Lines],
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """The score sheet of a graph on lines of codes (n, 2) by split; "train" must be one."""
    counts = sizes(config)
    window = config["window"] if config.get("last") else 0
    markov = [
        ChordMarkov([line[:, part] for line in lines["train"]], counts[part]) for part in (0, 1)
    ]
    found: dict[str, Any] = {"names": counts[0], "lengths": counts[1]}
    skipped = max(window - 1, 0)
    for split, every in lines.items():
        here = [line for line in every if len(line) > skipped]
        if not here:
            continue
        found[split] = {
            "tokens": int(sum(len(line) - skipped for line in here)),
            "network": _network(graph, here, counts[0], window),
            **{name: _markov(markov, here, order, skipped) for name, order in ORDERS.items()},
        }
        say(f"{split}: " + _line(found[split]))
    return found


def _network(graph: StepGraph, lines: Lines, names: int, window: int) -> dict[str, Any]:
    tallies = Tally(), Tally()
    for line in lines:
        place = max(window - 1, 0)
        for told in _by_windows(graph, line, window) if window else _through(graph, line):
            target = line[place : place + len(told)]
            place += len(told)
            chance = np.exp(told)
            tallies[0].add(chance[:, :names], target[:, 0])
            tallies[1].add(chance[:, names:], target[:, 1])
    return dict(zip(PARTS, (tally.figures() for tally in tallies), strict=True))


def _through(graph: StepGraph, line: np.ndarray) -> Iterator[np.ndarray]:
    """What the network says before each token of a line, read from its beginning."""
    state = graph.start(1)
    read = read_before(line)[:-1].astype(np.float32)[None]
    for first in range(0, len(line), _AT_ONCE):
        told, state = graph.advance({"tokens": read[:, first : first + _AT_ONCE]}, state)
        yield told[0]


def _by_windows(graph: StepGraph, line: np.ndarray, window: int) -> Iterator[np.ndarray]:
    """The same, read from the `window` tokens before; from the first that has so many on."""
    read = read_before(line)[:-1].astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(read, window, axis=0).swapaxes(1, 2)
    for first in range(0, len(windows), _AT_ONCE):
        part = np.ascontiguousarray(windows[first : first + _AT_ONCE])
        told, _ = graph.advance({"tokens": part}, graph.start(len(part)))
        yield told[:, -1]


def _markov(
    markov: Sequence[ChordMarkov], lines: Lines, order: int, skipped: int
) -> dict[str, Any]:
    found = {}
    for column, name in enumerate(PARTS):
        tally = Tally()
        for line in lines:
            codes, place = line[:, column], 0
            for chance in markov[column].chances(codes, order):
                first = min(max(skipped - place, 0), len(chance))
                tally.add(chance[first:], codes[place + first : place + len(chance)])
                place += len(chance)
        found[name] = tally.figures()
    return found


def _line(row: Mapping[str, Any]) -> str:
    def both(who: str) -> str:
        return " + ".join(f"{row[who][part]['nats']:.3f}" for part in PARTS)

    return (
        f"{both('network')} nats a token for name and length (unigram {both('unigram')}, "
        f"Markov {both('markov')}), {row['tokens']:,} tokens"
    )
