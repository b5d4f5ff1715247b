"""What costs nothing beside a character network: counts of characters, and of those after two.

Both are told from the training text. The order-2 Markov model mixes each count with what the
shorter context says, n / (n + kinds of characters seen there) of it (Witten and Bell, 1991,
method C); the shortest says that all characters are alike.
"""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np

__all__ = ["markov_nats"]


def markov_nats(learned: np.ndarray, asked: np.ndarray, order: int, size: int) -> float:
    """Nats per character of codes `asked` (n,), told from the codes `learned` (m,).

    `order` characters before each are looked at, 0 for none; `size` is the vocabulary's. The
    first `order` characters of `asked` are not counted.
    """
    known, text = learned.tolist(), asked.tolist()
    chance = np.full(len(text) - order, 1 / size)
    for length in range(order + 1):
        counts: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        for place in range(length, len(known)):
            counts[tuple(known[place - length : place])][known[place]] += 1
        totals = {context: found.total() for context, found in counts.items()}
        for number, place in enumerate(range(order, len(text))):
            found = counts.get(tuple(text[place - length : place]))
            if found is not None:
                total = totals[tuple(text[place - length : place])]
                mixed = found[text[place]] + len(found) * chance[number]
                chance[number] = mixed / (total + len(found))
    return float(-np.log(chance).mean())
