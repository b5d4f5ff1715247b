"""What the flagship's parts are worth: it and others, taught for the same minutes.

    python benchmarks/equal_time.py --data FOLDER [--minutes 30] [--windows 100] [--write]
        [--only transformer,lstm] [--rng-seed 1] [--runs FOLDER]

Each network begins from nothing and is taught on the same notes, with the same codec and the same
random draws, for the same wall time, one after another, its learning rate falling to nothing as
the time runs out:

- transformer: the flagship's own recipe (models/transformer/model.toml);
- no_composer: the same without its composer token;
- lstm: three LSTM layers of equal size in place of the attention, taught with AdamW, which is
  usual for them, at a rate of 0.002; on PyTorch they are PyTorch's own, because Keras' loop over
  the notes takes five times as long there;
- adamw: the flagship taught with AdamW at 0.001 and not with Muon;
- tokens: the flagship with four tokens a note, read and told one after another, in place of one
  step (`token_codec.py`); the same notes, so four times the places in a batch. Blocks, recipe,
  wishes and composers are the same and bits are counted alike: what differs is how a note is told,
  and how many are seen in the time. Both are also timed as they write: notes a second in all
  takes, for one take and ten, each with 1,024 notes behind it;
- tokens_small: the same in batches of a quarter, as many tokens as the flagship has notes; alone
  of all it draws other windows.

Then all are asked about the same windows of the validation split, as in `pyzzicato.note_scores`;
and an order-3 Markov model that was counted on all of the training music, which takes less time.
Printed are bits per note with the standard error over windows, and of every other network the
difference to the first, window by window; the same of the first notes of pieces (FIRST), where
little else tells whose they are; and the bits per note with a moving average of the weights, of
which the last step makes a hundredth, in place of the weights themselves. Run it on a quiet
machine: what one network loses to other work it has not had to learn with. What a network told is
kept in the folder --runs, and is not taught again in a later run with the same minutes, windows and
seed. `--write` keeps the figures in results.json; those of --only stand beside those of all.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from results import keep, machine
from token_codec import build as build_of_tokens
from token_codec import notes_per_second

from pyzzicato.datasets import Dataset, read_dataset
from pyzzicato.families import transformer
from pyzzicato.markov import markov_bits
from pyzzicato.note_scores import Span, piece_codes, spans
from pyzzicato.optimizers import optimizer
from pyzzicato.performance_examples import KINDS, READ, WISHES, NoteWindows, note_loss
from pyzzicato.recipes import Recipe, recipe
from pyzzicato.registry import models

LSTM_UNITS, LSTM_LAYERS = 528, 3  # as many weights as the six blocks of attention, to 1 %
WARM = 0.02  # of the time, in which the learning rate rises
BATCH = 4  # windows
FIRST = (8, 64)  # notes of a piece
AVERAGING = 0.99
Floats = np.ndarray


def recurrent(x: Any, notes: Any, config: Mapping[str, Any]) -> Any:
    """Three LSTM layers where the flagship has blocks of attention."""
    import keras
    from keras import layers

    if keras.backend.backend() == "torch":
        inside = _torch_lstm(config["width"])(x)
    else:
        inside = x
        for number in range(LSTM_LAYERS):
            inside = layers.LSTM(LSTM_UNITS, return_sequences=True, name=f"lstm_{number}")(inside)
    return x + layers.Dense(config["width"], use_bias=False, name="down")(inside)


def _torch_lstm(width: int) -> Any:
    import torch
    from keras.layers import TorchModuleWrapper

    class Layers(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = torch.nn.LSTM(width, LSTM_UNITS, LSTM_LAYERS, batch_first=True)

        def forward(self, x: Any) -> Any:
            return self.lstm(x.float())[0]

    return TorchModuleWrapper(Layers(), output_shape=(None, None, LSTM_UNITS), name="lstm")


def variants(plan: Recipe) -> dict[str, tuple[Callable[[], Any], Mapping[str, Any], Any]]:
    """By name: what builds the network, its config and its training table."""
    own, plain = plan.config, {**plan.config, "composers": []}
    adamw = {**plan.training, "optimizer": "adamw"}
    small = {**own, "batch": max(1, own["batch"] // 4)}

    def build(config: Mapping[str, Any], core: Any = None) -> Callable[[], Any]:
        return lambda: transformer.build(config, core)

    return {
        "transformer": (build(own), own, plan.training),
        "no_composer": (build(plain), plain, plan.training),
        "lstm": (build(own, recurrent), own, {**adamw, "learning_rate": 0.002}),
        "adamw": (build(own), own, {**adamw, "learning_rate": 0.001}),
        "tokens": (partial(build_of_tokens, own), own, plan.training),
        "tokens_small": (partial(build_of_tokens, own), small, plan.training),
    }


def taught(
    build: Callable[[], Any],
    config: Mapping[str, Any],
    training: Mapping[str, Any],
    dataset: Dataset,
    minutes: float,
    rng_seed: int,
) -> tuple[Any, int, int]:
    """The network after so many minutes, the notes that it saw and its weights."""
    import keras

    keras.utils.set_random_seed(rng_seed)
    keras.mixed_precision.set_global_policy(training.get("precision", "float32"))
    network = build()
    constant = {**training, "schedule": "constant", "averaging": AVERAGING}
    compiled = keras.backend.backend() == "jax"
    network.compile(optimizer(constant, 1), loss=note_loss, jit_compile=compiled)
    examples = NoteWindows(dataset.split("train"), config, training=True)
    network.train_on_batch(*examples.batch(np.random.default_rng((rng_seed, 0))))  # made ready
    begun, step, notes = perf_counter(), 0, 0
    while (part := (perf_counter() - begun) / (60 * minutes)) < 1:
        step += 1
        rise, fall = min(1.0, part / WARM), 0.5 + 0.5 * np.cos(np.pi * part)
        network.optimizer.learning_rate = float(training["learning_rate"] * rise * fall)
        inputs, target = examples.batch(np.random.default_rng((rng_seed, step)))
        network.train_on_batch(inputs, target)
        notes += int((target[..., 0] >= 0).sum())
    size = sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)
    return network, notes, size


def bits_of(network: Any, composers: Sequence[str], asked: Sequence[Span]) -> list[Floats]:
    """Bits of each span's counted notes, (notes,), told by a Keras network."""
    from keras import ops

    found = []
    for first in range(0, len(asked), BATCH):
        batch = asked[first : first + BATCH]
        shape = (len(batch), max(map(len, batch)))
        notes = np.tile(np.array(READ, np.int64) - 1, (*shape, 1))
        wishes, target = np.zeros((*shape, len(WISHES)), np.int64), np.full((*shape, 4), -1)
        composer = np.zeros((len(batch), len(composers) + 1), np.float32)
        for row, span in enumerate(batch):
            for whole, part in zip((notes, wishes, target), span.read(), strict=True):
                whole[row, : len(span)] = part
            name = span.piece.composer
            composer[row, composers.index(name) + 1 if name in composers else 0] = 1.0
        chosen = np.maximum(target[..., :3], 0)
        inputs = {"notes": notes, "wishes": wishes, "chosen": chosen, "composer": composer}
        told = ops.convert_to_tensor(network.predict_on_batch(inputs))
        nats = ops.convert_to_numpy(note_loss(ops.convert_to_tensor(target), told))
        for row, span in enumerate(batch):
            found.append(nats[row, span.counted - span.first : len(span)] / np.log(2.0))
    return found


def row_of(bits: Sequence[Floats], against: Sequence[Floats] | None) -> dict[str, float]:
    """The mean over all notes and its standard error; `more`: the same of the difference."""
    counts = np.array([len(each) for each in bits], np.float64)

    def mean(sums: np.ndarray) -> tuple[float, float]:
        whole = float(sums.sum() / counts.sum())
        spread = sums - whole * counts
        return round(whole, 4), round(float(np.sqrt((spread**2).sum()) / counts.sum()), 4)

    sums = np.array([float(each.sum()) for each in bits])
    row = dict(zip(("bits_per_note", "standard_error"), mean(sums), strict=True))
    if against is not None:
        other = np.array([float(each.sum()) for each in against])
        row |= dict(zip(("more", "more_error"), mean(sums - other), strict=True))
    return row


def of_beginnings(
    bits: Sequence[Floats], against: Sequence[Floats] | None, asked: Sequence[Span]
) -> dict[str, Any]:
    """`row_of` the first notes of those pieces whose beginning was asked about; {} for none."""
    mine = [place for place, span in enumerate(asked) if not span.first]

    def begun(every: Sequence[Floats] | None, count: int) -> list[Floats] | None:
        return None if every is None else [every[place][:count] for place in mine]

    rows = {str(n): row_of(begun(bits, n) or [], begun(against, n)) for n in FIRST if mine}
    return {"beginnings": rows} if rows else {}


def measured(dataset: Dataset, args: argparse.Namespace) -> dict[str, Any]:
    """All rows by name, printed as they come."""
    info = models()["transformer"]
    plan = recipe(info.folder, Path("runs"))
    picked = list(spans(dataset.split("val")))
    dice = np.random.default_rng(args.rng_seed)
    chosen = dice.choice(len(picked), min(args.windows, len(picked)), replace=False)
    asked = [picked[place] for place in sorted(chosen)]
    found: dict[str, Any] = {}
    first: list[Floats] | None = None
    folder = args.runs / f"{args.minutes:g}-{len(asked)}-{args.rng_seed}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, (build, config, training) in variants(plan).items():
        if args.only and name not in args.only.split(","):
            continue
        kept = folder / f"{name}.npz"
        if not kept.exists():
            network, notes, size = taught(
                build, config, training, dataset, args.minutes, args.rng_seed
            )
            both: dict[str, Any] = {}
            for which in ("bits", "averaged"):
                both[which] = np.concatenate(bits_of(network, config["composers"], asked))
                network.optimizer.finalize_variable_values(network.trainable_variables)
            np.savez(kept, **both, notes_seen=notes, weights=size)
        found[name], bits = told(kept, asked)
        found[name] |= row_of(bits, first)
        found[name] |= of_beginnings(bits, first, asked)
        first = first or bits
        print(f"{name}: {found[name]}", flush=True)
    if not args.only:
        found["markov"] = row_of(markov(dataset, asked), first)
        print(f"markov: {found['markov']}", flush=True)
    return found


def told(kept: Path, asked: Sequence[Span]) -> tuple[dict[str, Any], list[Floats]]:
    """What an earlier minute of this or another run kept: counts, and the bits of each span."""
    with np.load(kept) as file:
        counts: dict[str, float] = {
            "weights": int(file["weights"]),
            "notes_seen": int(file["notes_seen"]),
        }
        if "averaged" in file:
            counts["averaged"] = round(float(file["averaged"].mean()), 4)
        edges = np.cumsum([span.stop - span.counted for span in asked])
        return counts, np.split(file["bits"], edges[:-1])


def markov(dataset: Dataset, asked: Sequence[Span]) -> list[Floats]:
    """The Markov model's bits of the same notes."""
    learned = [(piece_codes(p), KINDS.get(p.kind, 1)) for p in dataset.split("train")]
    lines = [(span.codes, KINDS.get(span.piece.kind, 1)) for span in asked]
    bits = markov_bits(learned, lines)
    return [
        each[span.counted : span.stop].sum(axis=-1) for each, span in zip(bits, asked, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--data", type=Path, help="the folder of music")
    parser.add_argument("--minutes", type=float, default=30.0, help="for each network")
    parser.add_argument("--windows", type=int, default=100, help="of the validation split")
    parser.add_argument("--only", default="", help="names, with commas between")
    parser.add_argument("--rng-seed", type=int, default=1)
    parser.add_argument("--runs", type=Path, default=Path("runs/equal_time"), help="what is kept")
    parser.add_argument("--write", action="store_true", help="keep the figures")
    args = parser.parse_args()
    if args.data is None:
        print("Name a folder of music with --data, and have some hours: see --help.")
        return
    dataset = read_dataset(args.data, kinds=models()["transformer"].training["kinds"])
    found = measured(dataset, args)
    speed: dict[str, Any] = {}
    if "tokens" in found:
        speed["notes_per_second"] = notes_per_second(models()["transformer"])
        print(f"notes per second: {speed['notes_per_second']}")
    if args.write:
        asked = {"minutes": args.minutes, "windows": args.windows, "rng_seed": args.rng_seed}
        used = machine(("keras", "onnxruntime", "torch"))
        keep(
            "equal_time_some" if args.only else "equal_time",
            {**asked, "networks": found, **speed, "machine": used},
        )


if __name__ == "__main__":
    main()
