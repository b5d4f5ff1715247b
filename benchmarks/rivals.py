"""What a note Transformer is measured against: the naive loop, and a GPT-2 of the same size.

Both begin behind a context of `CONTEXT` notes and advance some steps; what counts is the median
step. GPT-2 is that of the `transformers` package on PyTorch, random weights, with its own cache;
it needs the extra `benchmark` and is left out, and said to be, without it. A step of GPT-2 is one
token, of which event encodings need three or four a note: ours, one step a note, is compared
with a single token, which favours GPT-2.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from pyzzicato.families.transformer.graph import NoteGraph
from pyzzicato.families.transformer.windows import READ, WISHES
from pyzzicato.registry import ModelInfo

__all__ = ["CONTEXT", "gpt2_step", "naive_note", "our_step", "rivals_of"]

CONTEXT = 512  # notes, or tokens, that lie behind a step
GPT2_WIDTH, GPT2_HEADS, GPT2_WORDS = 320, 5, 388  # 388: the events of Oore et al.'s encoding


def rivals_of(
    info: ModelInfo, network: Any, naive_steps: int, steps: int
) -> dict[str, Callable[[], float]]:
    """Variants by the names that `generation` keeps, of a Transformer."""
    found = {
        "graph_step": our_step(info, steps),
        "naive_note": naive_note(network, info, naive_steps),
    }
    gpt2 = gpt2_step(int(info.trained["weights"]), steps)
    return found if gpt2 is None else {**found, "gpt2": gpt2}


def _timed(step: Callable[[], Any], steps: int) -> float:
    times = []
    for _ in range(steps):
        begun = time.perf_counter()
        step()
        times.append(time.perf_counter() - begun)
    return median(times)


def naive_note(network: Any, info: ModelInfo, steps: int) -> Callable[[], float]:
    """A variant: the median of `network.predict` on the whole window, once for each note."""
    dice = np.random.default_rng(1)
    feed = {
        "notes": np.stack([dice.integers(0, rows, (1, CONTEXT)) for rows in READ], axis=-1),
        "wishes": np.zeros((1, CONTEXT, len(WISHES)), np.int64),
        "chosen": np.zeros((1, CONTEXT, 3), np.int64),
        "composer": np.eye(1, len(info.composers) + 1, dtype=np.float32),
    }
    return lambda: _timed(lambda: network.predict(feed, verbose=0), steps)


def our_step(info: ModelInfo, steps: int) -> Callable[[], float]:
    """A variant: the median step of the cached graph alone, one piece."""
    graph = NoteGraph(info.weights)

    def variant() -> float:
        cache = graph.cache(1, int(info.config["context_length"]))
        composer = np.eye(1, len(info.composers) + 1, dtype=np.float32)

        def feed(count: int) -> dict[str, np.ndarray]:
            notes = np.zeros((1, count, len(READ)), np.float32)
            wishes = np.zeros((1, count, len(WISHES)), np.float32)
            return {"notes": notes, "wishes": wishes, "composer": composer}

        graph.advance(feed(CONTEXT), cache)
        one = feed(1)
        return _timed(lambda: graph.advance(one, cache), steps)

    return variant


def gpt2_step(weights: int, steps: int) -> Callable[[], float] | None:
    """A variant: the median step of a GPT-2 of about `weights` weights; None without packages."""
    try:
        import torch
        from transformers import GPT2Config, GPT2LMHeadModel
    except ImportError:
        return None
    layers = max(1, round(weights / (12 * GPT2_WIDTH**2)))
    config = GPT2Config(
        vocab_size=GPT2_WORDS, n_positions=2 * CONTEXT, n_embd=GPT2_WIDTH, n_layer=layers,
        n_head=GPT2_HEADS, bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    model = GPT2LMHeadModel(config).eval()
    read = torch.randint(0, GPT2_WORDS, (1, CONTEXT))

    def variant() -> float:
        with torch.inference_mode():
            kept = model(read, use_cache=True).past_key_values
            word = read[:, -1:]
            return _timed(lambda: model(word, past_key_values=kept, use_cache=True), steps)

    return variant
