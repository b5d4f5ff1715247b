"""What the GAN's discriminator sees of the music, and the discriminator.

It sees strokes only, (batch, 32, 397): drums, then the 84 pitches of each other instrument. How
long notes sound is learned from what really came alone; no stroke that a listener would not hear
is shown to it, and nothing else that would give away what is real.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from pyzzicato.codecs.multitrack_roll import WINDOW
from pyzzicato.families.band.planes import KEYS, PARTS, SPANS, WIDTH, draw_window
from pyzzicato.generation.sampling import sigmoid

__all__ = [
    "BAR",
    "GROUP",
    "MINE",
    "NEVER",
    "STRUCK",
    "counts",
    "discriminator",
    "drawn",
    "given_too",
    "played",
    "strokes",
]

MINE = ((0, 61), *((61 + KEYS * part, 61 + KEYS * (part + 1)) for part in range(4)))
"""Of each instrument: its first column of strokes and the one after its last."""
STRUCK = MINE[-1][1]
BAR = WINDOW // 2
MOST = 256  # strokes of an instrument in a window
LEAST = 1.0  # strokes of an instrument that are expected in a bar in which it plays
KEYS_AT_ONCE = 6  # that a pitched instrument strikes at most
NEVER = -30.0  # the logit of a cell that may not be struck
GROUP = 8  # windows of a batch that are compared with each other
MANY = 4.0  # keys at a time, after which they are counted once more
SLOPE = 0.2


def strokes(planes: Any) -> Any:
    """The strokes of planes (..., 733), (..., 397); NumPy's or Keras' own."""
    from keras import ops

    join = np.concatenate if isinstance(planes, np.ndarray) else ops.concatenate
    parts = zip(PARTS, MINE, strict=True)
    return join([planes[..., first : first + end - low] for (first, _), (low, end) in parts], -1)


def played(logits: Any, draws: Any) -> Any:
    """Strokes of 0 and 1 from logits (batch, 32, 733).

    Binary neurons with a threshold that moves: each instrument strikes as many as the chances of
    all its cells add up to, the fraction by `draws` (batch, 5), and of them those that may be
    struck (`_may_strike`). What comes back to the generator goes straight through, with the slope
    of a sigmoid around that threshold, so that cells which nearly were struck, or nearly not,
    learn most.
    """
    from keras import ops

    logits = strokes(logits)
    found = []
    for part, (first, end) in enumerate(MINE):
        mine = logits[..., first:end]
        fixed = ops.stop_gradient(mine)
        may, chances = _may_strike(fixed, part)
        wanted = ops.floor(ops.sum(chances, axis=(1, 2)) + draws[:, part])
        place = ops.cast(ops.minimum(wanted, MOST - 1.0), "int32")[:, None]
        open_to = ops.where(may, fixed, NEVER)
        flat = ops.reshape(open_to, (-1, WINDOW * (end - first)))
        least = ops.take_along_axis(ops.top_k(flat, MOST)[0], place, axis=1)[:, None]
        soft = ops.sigmoid(mine - least)
        hard = ops.cast(open_to > least, soft.dtype)
        found.append(soft + ops.stop_gradient(hard - soft))
    return ops.concatenate(found, axis=-1)


def _may_strike(logits: Any, part: int) -> tuple[Any, Any]:
    """Which cells of an instrument's logits (batch, 32, keys) may be struck, and what of their
    chances counts: none in a bar of which less than one stroke is expected, and in a step of a
    pitched instrument the likeliest six."""
    from keras import ops

    chances = ops.sigmoid(logits)
    bars = ops.sum(ops.reshape(chances, (-1, WINDOW // BAR, BAR * logits.shape[-1])), axis=2)
    may = heard = ops.repeat(bars >= LEAST, BAR, axis=1)[..., None]
    if part:
        may = ops.logical_and(heard, logits >= ops.top_k(logits, KEYS_AT_ONCE)[0][..., -1:])
    return may, chances * ops.cast(heard, chances.dtype)


def drawn(logits: np.ndarray, before: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Codes (takes, 32, 5, 128) by the rule of `played`, in NumPy; as `band_planes.draw_window`,
    to which it leaves how long notes sound."""
    logits, draws = logits.copy(), draws.astype(np.float64)
    for part, ((first, _), (low, end)) in enumerate(zip(PARTS, MINE, strict=True)):
        mine = logits[..., first : first + end - low]
        chances = sigmoid(mine)
        bars = chances.reshape(len(mine), WINDOW // BAR, -1).sum(axis=2)
        quiet = np.broadcast_to((np.repeat(bars, BAR, axis=1) < LEAST)[..., None], mine.shape)
        if part:
            sixth = np.sort(mine, axis=-1)[..., -KEYS_AT_ONCE, None]
            never = ~quiet & (mine < sixth)
            # As many are struck as without this rule.
            draws[:, part] += np.where(never, chances, 0.0).sum(axis=(1, 2))
            mine[never] = NEVER
        mine[quiet] = NEVER
    return draw_window(logits, before, draws)


def given_too(cells: Any, cond: Any) -> Any:
    """Strokes with the instruments that `cond` gives in place of the generator's."""
    from keras import ops

    given = strokes(cond[..., WIDTH : 2 * WIDTH])
    found = []
    for part, (first, end) in enumerate(MINE):
        on = cond[..., 2 * WIDTH + part : 2 * WIDTH + part + 1]
        found.append(on * given[..., first:end] + (1 - on) * cells[..., first:end])
    return ops.concatenate(found, axis=-1)


def counts(cells: Any) -> Any:
    """How many strokes each instrument has at each step, (batch, 32, 5)."""
    from keras import ops

    return ops.stack([ops.sum(cells[..., a:b], axis=-1) for a, b in MINE], axis=-1)


def _view(cells: Any) -> Any:
    """Strokes, and what is heard in them: how many at a time, too many, and pitch classes."""
    from keras import ops

    many = counts(cells)
    found = [cells, many, ops.relu(many[..., 1:] - MANY)]
    for part, (first, end) in enumerate(MINE):
        if part:
            low = SPANS[part][0] % 12
            folded = ops.reshape(cells[..., first:end], (-1, WINDOW, KEYS // 12, 12))
            found.append(ops.roll(ops.sum(folded, axis=2), low, axis=-1))
    return ops.concatenate(found, axis=-1)


def discriminator(config: Mapping[str, Any]) -> Any:
    """window (batch, 32, 397), before (batch, 32, 397) -> what its first convolution finds,
    (batch, 32, channels), and a score (batch, 1), higher for real music. Six convolutions; before
    the last layer, how much the windows of the batch differ among each other."""
    import keras
    from keras import initializers, layers, ops

    window = keras.Input((WINDOW, STRUCK), name="window")
    before = keras.Input((WINDOW, STRUCK), name="before")
    channels = config["discriminator"]
    turned = ops.concatenate([before[:, BAR:], before[:, :BAR]], axis=1)
    same = [counts(window * before), counts(window * turned)]
    start = initializers.RandomNormal(stddev=0.15)
    x = ops.concatenate([_view(window), *same, _view(before)], axis=-1)
    x = layers.Conv1D(channels, 1, kernel_initializer=start, name="judge_0")(x)
    first = x = ops.leaky_relu(x, SLOPE)
    for number in range(1, 6):
        length, stride = (3, 1) if number in (1, 5) else (4, 2)
        x = layers.Conv1D(
            channels,
            length,
            strides=stride,
            padding="same",
            kernel_initializer="he_normal",
            name=f"judge_{number}",
        )(x)
        x = ops.leaky_relu(x, SLOPE)
    x = ops.concatenate([x, _differences(x, GROUP)], axis=-1)
    score = layers.Dense(1, name="score")(layers.Flatten()(x))
    return keras.Model([window, before], [first, score], name="discriminator")


def _differences(x: Any, group: int) -> Any:
    """The mean standard deviation over each group of a batch, as one more channel (Karras et
    al., 2018): windows that are all alike give themselves away."""
    from keras import ops

    steps, channels = x.shape[1], x.shape[2]
    grouped = ops.reshape(x, (-1, group, steps, channels))
    apart = ops.sqrt(ops.var(grouped, axis=1) + 1e-6)
    mean = ops.mean(apart, axis=(1, 2), keepdims=True)  # (groups, 1, 1)
    spread = ops.zeros_like(grouped[..., :1]) + mean[:, None]
    return ops.reshape(spread, (-1, steps, 1))
