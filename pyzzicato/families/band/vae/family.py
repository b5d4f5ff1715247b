"""Five VAEs for five instruments, and small networks that lead their latents from bar to bar.

Source: Skourogiannis and Pallikaris. A VAE for each instrument makes 16 numbers of two bars and two
bars of 16 numbers, taught by reconstruction and the KL divergence from N(0, I); the MelodyNN leads
the piano's numbers to those of the next two bars, and four ConditionalNNs lead each other
instrument's by its own and by the piano's new ones; noise is added, and at generation latents of a
chosen style are mixed in. Not stated there and decided here: all widths, AdamW, the data.
Differs from the source in: the music is moved to C major or A minor before it is read and back
after it was written, so that styles can be mixed; the KL divergence counts `beta` times and at
least `free` nats a number (Kingma et al., 2016), so that no number falls silent; both kinds of NN
tell beside the next numbers how unsure they are of each, and the noise is in proportion to that;
they are taught together with the VAEs, whose encoders learn a little (`lure`) from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyzzicato.codecs.multitrack_roll import WINDOW
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.families.band.evaluate import band_scores
from pyzzicato.families.band.pairs import BandPairs, home_windows
from pyzzicato.families.band.planes import PARTS, WIDTH, band_nats
from pyzzicato.families.band.vae.evaluate import style_windows, vae_told
from pyzzicato.families.band.vae.generate import STYLES_FILE, StyleGenerator, read_latents
from pyzzicato.families.band.vae.styles import load_library, make_library
from pyzzicato.metrics.scores import Sheet
from pyzzicato.music.instruments import INSTRUMENTS
from pyzzicato.registry import ModelInfo
from pyzzicato.runtime.graph_builder import Graph
from pyzzicato.runtime.session import BlockGraph
from pyzzicato.training.family import Family, Lessons

__all__ = ["FAMILY", "build", "examples", "export", "finish", "loss", "metrics", "scores"]


BEATS = WINDOW // 4
PIANO = 1
NAMES = tuple(name.lower() for name in INSTRUMENTS)
MOST_SPREAD, MOST_VARIANCE = 4.0, 8.0  # of logarithms
TERMS = ("nats", "kl", "kl_cost", "next")
"""What the Keras model tells of each pair of windows; `loss` adds up all but the second."""


@dataclass(frozen=True)
class Config:
    """The keys of [config] and [training.augmentation]."""

    latents: int
    beat: int
    hidden: int
    lead: int
    beta: float
    free: float
    lure: float
    dropout: float


def examples(pieces: Sequence[Piece], config: Mapping[str, Any], *, training: bool) -> BandPairs:
    """Pairs of windows, with the numbers that blur the latents of both."""
    return BandPairs(pieces, config, noise=2 * len(INSTRUMENTS) * config["latents"])


def loss(y_true: Any, y_pred: Any) -> Any:
    """Nats of the windows, the cost of the latents, and of those that follow by what leads."""
    from keras import ops

    return ops.mean(y_pred[:, 0] + y_pred[:, 2] + y_pred[:, 3])


def metrics() -> list[Any]:
    """The parts of the loss; shown while training."""
    from keras import ops

    def part(place: int) -> Any:
        def mean(y_true: Any, y_pred: Any) -> Any:
            return ops.mean(y_pred[:, place])

        mean.__name__ = TERMS[place]
        return mean

    return [part(place) for place in range(len(TERMS))]


def build(config: Mapping[str, Any]) -> Any:
    """The Keras model: roll (batch, 65, 733), noise (batch, 160) -> `TERMS` (batch, 4).

    `config` has latents (of each instrument), beat and hidden (widths of the VAEs), lead (of the
    MelodyNN and the ConditionalNNs), beta and free (of the KL divergence), lure (how much the
    encoders learn from what leads) and dropout (of what they read).
    """
    import keras
    from keras import layers, ops

    size, count = config["latents"], len(INSTRUMENTS)
    roll = keras.Input((1 + 2 * WINDOW, WIDTH), name="roll")
    noise = keras.Input((2 * count * size,), name="noise")
    before = ops.reshape(roll[:, :-1], (-1, 2, WINDOW, WIDTH))
    cells = ops.reshape(roll[:, 1:], (-1, 2, WINDOW, WIDTH))
    blur = ops.reshape(noise, (-1, 2, count, size))
    forget = layers.Dropout(config["dropout"])
    nats, divergence, told, drawn = [], [], [], []
    for part, (name, (first, end)) in enumerate(zip(NAMES, PARTS, strict=True)):
        mine = cells[..., first:end]
        mean, log_var = _encoder(name, config, end - first)(forget(mine))
        told.append((mean, log_var))
        drawn.append(mean + ops.exp(0.5 * log_var) * blur[:, :, part])
        logits = _decoder(name, config, end - first)(drawn[-1])
        nats.append(ops.sum(band_nats(before[..., first:end], mine, logits, part), axis=(1, 2)))
        divergence.append(0.5 * (ops.exp(log_var) + mean * mean - 1 - log_var))
    followed = _followed(config, told, drawn)
    kl = ops.concatenate(divergence, axis=-1)  # (batch, 2, 80)
    least = ops.sum(ops.maximum(ops.mean(kl, axis=(0, 1)), config["free"]))
    terms = [
        0.5 * sum(nats),
        0.5 * ops.sum(kl, axis=(1, 2)),
        ops.zeros_like(followed) + config["beta"] * least,
        followed,
    ]
    return keras.Model([roll, noise], ops.stack(terms, axis=-1))


def _followed(config: Mapping[str, Any], told: list[tuple[Any, Any]], drawn: list[Any]) -> Any:
    """KL divergence of the second window's latents from what the first one's lead to, (batch,).

    What leads learns from all of it, the encoders from a share of `lure`: so their latents become
    such as can be led on.
    """
    from keras import ops

    blurred = [ops.stop_gradient(latents) for latents in drawn]
    total = 0.0
    for part, name in enumerate(NAMES):
        now = blurred[part][:, 0]
        asked = [now] if part == PIANO else [blurred[PIANO][:, 1], now]
        lead, log_sd = _leader(name, config)(ops.concatenate(asked, axis=-1), now)
        # The value is the same with and without the encoders' part in it; the slope is not.
        mean, log_var = (
            config["lure"] * value[:, 1] + (1 - config["lure"]) * ops.stop_gradient(value[:, 1])
            for value in told[part]
        )
        apart = (ops.exp(log_var) + (mean - lead) ** 2) * ops.exp(-2 * log_sd)
        total = total + ops.sum(0.5 * (apart - 1 - log_var) + log_sd, axis=-1)
    return total


def _encoder(name: str, config: Mapping[str, Any], width: int) -> Any:
    from keras import layers, ops

    beat = layers.Dense(config["beat"], activation="relu", name=f"{name}_beat")
    heard = layers.Dense(config["hidden"], activation="relu", name=f"{name}_heard")
    latents = layers.Dense(2 * config["latents"], name=f"{name}_latents")

    def read(cells: Any) -> tuple[Any, Any]:
        x = beat(ops.reshape(cells, (-1, 2, BEATS, 4 * width)))
        x = latents(heard(ops.reshape(x, (-1, 2, BEATS * config["beat"]))))
        mean, log_var = ops.split(x, 2, axis=-1)
        return mean, MOST_VARIANCE * ops.tanh(log_var / MOST_VARIANCE)

    return read


def _decoder(name: str, config: Mapping[str, Any], width: int) -> Any:
    from keras import initializers, layers, ops

    thought = layers.Dense(config["hidden"], activation="relu", name=f"{name}_thought")
    beats = layers.Dense(BEATS * config["beat"], activation="relu", name=f"{name}_beats")
    played = layers.Dense(
        4 * width, bias_initializer=initializers.Constant(-3.0), name=f"{name}_played"
    )

    def play(latents: Any) -> Any:
        x = ops.reshape(beats(thought(latents)), (-1, 2, BEATS, config["beat"]))
        return ops.reshape(played(x), (-1, 2, WINDOW, width))

    return play


def _leader(name: str, config: Mapping[str, Any]) -> Any:
    """The MelodyNN or a ConditionalNN: how far the latents go, and how sure that is."""
    from keras import layers, ops

    first = layers.Dense(config["lead"], activation="relu", name=f"{name}_lead_0")
    second = layers.Dense(config["lead"], activation="relu", name=f"{name}_lead_1")
    last = layers.Dense(2 * config["latents"], name=f"{name}_lead_2")

    def lead(asked: Any, now: Any) -> tuple[Any, Any]:
        way, log_sd = ops.split(last(second(first(asked))), 2, axis=-1)
        return now + way, MOST_SPREAD * ops.tanh(log_sd / MOST_SPREAD)

    return lead


def export(weights: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """The block graph: the latents of two bars from those before them, and what they sound like.

    In: `latents` (batch, 5, 16) of the two bars before; `roll` (batch, 32, 733) of what is given;
    `noise` (batch, 5, 16), in the networks' own measure of how unsure they are; `choice`
    (batch, 5, 3), for each instrument 1 at what its latents shall be: led on from before, read
    from the roll, or taken from `latents` as they are.
    Out: `output` (batch, 32, 733) logits; `next` (batch, 5, 16) latents; `told` (batch, 5, 4, 16):
    mean and log of the spread of those led on, mean and log of the variance of those read.
    """
    size = config["latents"]
    graph = Graph(
        weights,
        {
            "latents": ("batch", 5, size),
            "roll": ("batch", WINDOW, WIDTH),
            "noise": ("batch", 5, size),
            "choice": ("batch", 5, 3),
        },
        stored="int8",
    )
    chosen: dict[int, str] = {}
    told: dict[int, list[str]] = {}
    played = []
    for part in (PIANO, *(part for part in range(len(NAMES)) if part != PIANO)):
        now = graph.squeeze(graph.slice("latents", 1, part, part + 1), 1)
        asked = now if part == PIANO else graph.op("Concat", chosen[PIANO], now, axis=1)
        told[part] = [*_lead(graph, part, asked, now, size), *_read(graph, part, config)]
        chosen[part] = _choose(graph, part, told[part], now)
    for part, (first, end) in enumerate(PARTS):
        played.append(_play(graph, part, chosen[part], end - first, config))
    rows = [graph.unsqueeze(chosen[part], 1) for part in range(len(NAMES))]
    graph.output("next", graph.op("Concat", *rows, axis=1), ("batch", 5, size))
    both = [
        graph.unsqueeze(graph.op("Concat", *(graph.unsqueeze(x, 1) for x in told[part]), axis=1), 1)
        for part in range(len(NAMES))
    ]
    graph.output("told", graph.op("Concat", *both, axis=1), ("batch", 5, 4, size))
    output = graph.op("Concat", *played, axis=2)
    return {"model.onnx": graph.model(output, ("batch", WINDOW, WIDTH))}


def _dense_relu(graph: Graph, value: str, layer: str) -> str:
    return graph.op("Relu", graph.dense(value, layer))


def _bounded(graph: Graph, value: str, most: float) -> str:
    """most x tanh(value / most)."""
    bent = graph.op("Tanh", graph.op("Mul", value, graph.number(1 / most)))
    return graph.op("Mul", bent, graph.number(most))


def _lead(graph: Graph, part: int, asked: str, now: str, size: int) -> tuple[str, str]:
    """The MelodyNN or a ConditionalNN."""
    name = NAMES[part]
    x = _dense_relu(graph, _dense_relu(graph, asked, f"{name}_lead_0"), f"{name}_lead_1")
    way, spread = graph.split(graph.dense(x, f"{name}_lead_2"), 1, size, size)
    return graph.op("Add", now, way), _bounded(graph, spread, MOST_SPREAD)


def _read(graph: Graph, part: int, config: Mapping[str, Any]) -> tuple[str, str]:
    """The VAE's first half."""
    name, (first, end), size = NAMES[part], PARTS[part], config["latents"]
    cells = graph.reshape(graph.slice("roll", 2, first, end), (-1, BEATS, 4 * (end - first)))
    x = graph.reshape(_dense_relu(graph, cells, f"{name}_beat"), (-1, BEATS * config["beat"]))
    x = graph.dense(_dense_relu(graph, x, f"{name}_heard"), f"{name}_latents")
    mean, log_var = graph.split(x, 1, size, size)
    return mean, _bounded(graph, log_var, MOST_VARIANCE)


def _choose(graph: Graph, part: int, told: list[str], now: str) -> str:
    """One of the three, with noise where it was led on or read."""
    led, spread, read, log_var = told
    noise = graph.squeeze(graph.slice("noise", 1, part, part + 1), 1)
    half = graph.op("Mul", log_var, graph.number(0.5))
    moved = [
        graph.op("Add", mean, graph.op("Mul", graph.op("Exp", log), noise))
        for mean, log in ((led, spread), (read, half))
    ]
    weights = graph.split(graph.squeeze(graph.slice("choice", 1, part, part + 1), 1), 1, 1, 1, 1)
    shares = [graph.op("Mul", x, w) for x, w in zip((*moved, now), weights, strict=True)]
    return graph.op("Sum", *shares)


def _play(graph: Graph, part: int, latents: str, width: int, config: Mapping[str, Any]) -> str:
    """The VAE's second half."""
    name = NAMES[part]
    x = _dense_relu(graph, _dense_relu(graph, latents, f"{name}_thought"), f"{name}_beats")
    x = graph.reshape(x, (-1, BEATS, config["beat"]))
    return graph.reshape(graph.dense(x, f"{name}_played"), (-1, WINDOW, width))


def finish(plan: Any, dataset: Dataset, say: Callable[[str], None]) -> None:
    """Counts the styles of the training music with the trained network: styles.npz."""
    graph, size = BlockGraph(plan.folder / "model.onnx"), plan.config["latents"]

    def latents_of(piece: Piece) -> Any:
        return read_latents(graph, home_windows(piece.codes), size)  # type: ignore[attr-defined]

    found = make_library(dataset.split("train"), latents_of)
    found.save(plan.folder / STYLES_FILE)
    say(f"{plan.model}: styles {', '.join(found.names)}")


def scores(
    info: ModelInfo, dataset: Dataset, say: Callable[[str], None] = print
) -> tuple[Sheet, ...]:
    """What `pyzzicato evaluate` measures of a model of this family."""
    return band_scores(
        info,
        dataset,
        say,
        told=lambda pieces: vae_told(info, pieces),
        variants={"without noise": {"noise_sd": 0.0}, "noise 0.5": {"noise_sd": 0.5}},
        styles=style_windows(dataset.split("train"), load_library(info.folder / STYLES_FILE).names),
    )


FAMILY = Family(
    config=Config,
    build=build,
    export=export,
    generator=StyleGenerator,
    scores=scores,
    teaching=Lessons(examples, loss, metrics),
    finish=finish,
)
