"""What the flagship's parts are worth: it and others, taught for the same minutes.

    python benchmarks/equal_time.py --data FOLDER [--minutes 30] [--windows 100] [--write]
        [--only transformer,lstm] [--further] [--rng-seed 1] [--runs FOLDER]

Each network begins from nothing and is taught on the same notes, with the same codec and the same
random draws, for the same time on the processor, its learning rate falling to nothing as the time
runs out; on one thread (OMP_NUM_THREADS=1) that is the time of the clock, and several processes may
teach one network each:

- transformer: the flagship's own recipe (models/transformer/model.toml);
- no_composer: the same without its composer token. By the recipe composers are told from a share
  of the teaching on (`told_from`); until then the two are one network, so they are taught once up
  to there, and what parts them is not by whom else chance would have it;
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

With `--further` the first two go on from the weights that ship, at a fifth of the recipe's rate: as
the flagship had learned by its whole training, one is told the composer from there on and the other
not. It is the row of nobody that the second keeps.

Then all are asked about the same windows of the validation split, as in `pyzzicato.note_scores`;
and an order-3 Markov model (markov) that was counted on all of the training music, which takes less
time. Printed are bits per note with the standard error over windows, and of every other network the
difference to the first, window by window; the same of the first notes (FIRST) of all pieces, where
little else tells whose they are; and the bits per note with a moving average of the weights, of
which the last step makes a hundredth, in place of the weights themselves. What a network told is
kept in the folder --runs, and is not taught again in a later run with the same minutes, windows,
seed, recipe and weights to go on from. `--write` keeps the figures in results.json; those of --only
(for each number of minutes, recipe and seed its last) and of --further stand beside those of all.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from equal_networks import taught, variants
from results import RESULTS, keep, kept, machine
from token_codec import notes_per_second

from pyzzicato.datasets import Dataset, read_dataset
from pyzzicato.markov import markov_bits
from pyzzicato.note_scores import Span, piece_codes, spans
from pyzzicato.performance_examples import KINDS, READ, WISHES, note_loss
from pyzzicato.recipes import recipe
from pyzzicato.registry import models

BATCH = 4  # windows
PAIR = ("transformer", "no_composer")  # apart in nothing but whether composers are told
FIRST = (8, 64)  # notes of every piece
Floats = np.ndarray


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


def of_beginnings(bits: Sequence[Floats], against: Sequence[Floats] | None) -> dict[str, Any]:
    """`row_of` the first notes of pieces, by how many; `bits` are of their beginnings."""

    def begun(every: Sequence[Floats] | None, count: int) -> list[Floats] | None:
        return None if every is None else [each[:count] for each in every]

    return {str(n): row_of(begun(bits, n) or [], begun(against, n)) for n in FIRST}


def measured(dataset: Dataset, args: argparse.Namespace) -> dict[str, Any]:
    """All rows by name, printed as they come."""
    info = models()["transformer"]
    plan = recipe(info.folder, Path("runs"))
    picked = list(spans(dataset.split("val")))
    dice = np.random.default_rng(args.rng_seed)
    chosen = dice.choice(len(picked), min(args.windows, len(picked)), replace=False)
    asked = [picked[place] for place in sorted(chosen)]
    begun = [replace(span, stop=min(span.stop, FIRST[-1])) for span in picked if not span.first]
    found: dict[str, Any] = {}
    first: tuple[list[Floats], ...] | None = None
    begin = info if args.further else None
    weights = hashlib.blake2b(info.weights.read_bytes()).hexdigest() if begin else ""
    folder = args.runs / f"{args.minutes:g}-{len(asked)}-{args.rng_seed}"
    folder.mkdir(parents=True, exist_ok=True)
    shared = folder / f"shared-{digest([plan.config, plan.training])}.npz"
    for name, (build, config, training) in variants(plan).items():
        if args.only and name not in args.only.split(","):
            continue
        there = folder / f"{name}-{digest([config, training, weights])}.npz"
        if not there.exists():
            common = shared if name in PAIR and not begin else None
            network, notes, size = taught(
                build, config, training, dataset, args.minutes, args.rng_seed, begin, common
            )
            bits = [np.concatenate(bits_of(network, config["composers"], asked))]
            bits.append(np.concatenate(bits_of(network, config["composers"], begun)))
            network.optimizer.finalize_variable_values(network.trainable_variables)
            bits.append(np.concatenate(bits_of(network, config["composers"], asked)))
            by_name: dict[str, Any] = dict(zip(("bits", "begun", "averaged"), bits, strict=True))
            np.savez(there, **by_name, notes_seen=notes, weights=size)
        found[name], *each = told(there, asked, begun)
        against = first or (None, None)
        found[name] |= row_of(each[0], against[0])
        found[name]["beginnings"] = of_beginnings(each[1], against[1])
        first = first or tuple(each)
        print(f"{name}: {found[name]}", flush=True)
    if not args.only or "markov" in args.only.split(","):
        found["markov"] = row_of(markov(dataset, asked), first[0] if first else None)
        print(f"markov: {found['markov']}", flush=True)
    return found


def digest(tables: Any) -> str:
    """Eight letters by which a recipe's tables, and the weights to go on from, are known."""
    text = json.dumps(tables, sort_keys=True, default=list)
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def told(
    path: Path, asked: Sequence[Span], begun: Sequence[Span]
) -> tuple[dict[str, Any], list[Floats], list[Floats]]:
    """What an earlier minute of this or another run kept: counts, and the bits of each span."""

    def split(bits: Floats, of: Sequence[Span]) -> list[Floats]:
        return np.split(bits, np.cumsum([span.stop - span.counted for span in of])[:-1])

    with np.load(path) as file:
        counts = {
            "weights": int(file["weights"]),
            "notes_seen": int(file["notes_seen"]),
            "averaged": round(float(file["averaged"].mean()), 4),
        }
        return counts, split(file["bits"], asked), split(file["begun"], begun)


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
    parser.add_argument("--further", action="store_true", help="from the weights that ship")
    parser.add_argument("--rng-seed", type=int, default=1)
    parser.add_argument("--runs", type=Path, default=Path("runs/equal_time"), help="what is kept")
    parser.add_argument("--write", action="store_true", help="keep the figures")
    args = parser.parse_args()
    if args.data is None:
        print("Name a folder of music with --data, and have some hours: see --help.")
        return
    if args.further:
        args.only = args.only or ",".join(PAIR)
    dataset = read_dataset(args.data, kinds=models()["transformer"].training["kinds"])
    found = measured(dataset, args)
    speed: dict[str, Any] = {}
    if "tokens" in found:
        speed["notes_per_second"] = notes_per_second(models()["transformer"])
        print(f"notes per second: {speed['notes_per_second']}")
    if args.write:
        asked = {"minutes": args.minutes, "windows": args.windows, "rng_seed": args.rng_seed}
        plan = recipe(models()["transformer"].folder, args.runs)
        asked["told_from"] = plan.config["told_from"]
        by = digest([plan.config, plan.training])
        used = machine(("keras", "onnxruntime", "torch"))
        keep_by(args, {**asked, "recipe": by, "networks": found, **speed, "machine": used})


def keep_by(args: argparse.Namespace, figures: dict[str, Any], path: Path = RESULTS) -> None:
    """Keeps the figures with those of the same kind: see --write."""
    if args.further or not args.only:
        keep("taught_further" if args.further else "equal_time", figures, path)
        return
    before = kept(path).get("equal_time_some", {})
    name = f"{args.minutes:g} {figures['recipe']} {args.rng_seed}"
    keep("equal_time_some", {**before, name: figures}, path)


if __name__ == "__main__":
    main()
