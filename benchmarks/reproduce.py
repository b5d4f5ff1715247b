"""A published experiment, made again: networks of notes and lengths, with three sizes of batch.

    python benchmarks/reproduce.py --data FOLDER [--epochs 40] [--units 128] [--one-key]

The experiment of Nguyễn Ngọc Lương (UIT): an LSTM and a GRU, each with batches of 32, 64 and 128,
on Beethoven: two embeddings of 100, two softmax heads, windows of 32 tokens of which the next one
is learned, categorical cross-entropy, RMSprop at 0.001, 40 epochs, tokens seen fewer than 10
times taken out. The document gives accuracy, precision and recall of note and length, but not on
which music: here they stand on the music trained on and on works kept back.

Not stated and decided here: one layer of 128 units, no dropout, the weights after the last epoch,
chords cut as in `pyzzicato/codecs/chord_duration.py`. An epoch is as many windows as there are
samples, drawn by lot. Every run is kept: the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pyzzicato.cli.options import add_runs, say
from pyzzicato.data.load import read_dataset
from pyzzicato.data.pieces import Dataset
from pyzzicato.errors import PyzzicatoError
from pyzzicato.families.chords.evaluate import line_scores
from pyzzicato.families.chords.windows import lines_of, prepare, read_vocabulary
from pyzzicato.runtime.session import StepGraph
from pyzzicato.training.loop import train
from pyzzicato.training.recipes import recipe

BATCHES = (32, 64, 128)
CELLS = ("gru", "lstm")
MEASURES = ("accuracy", "precision", "recall")
PARTS = ("note", "duration")

PUBLISHED: dict[tuple[int, str], tuple[float, ...]] = {
    (32, "gru"): (0.0705, 0.7012, 0.9255, 0.7802, 0.0921, 0.6312),
    (32, "lstm"): (0.0824, 0.6617, 0.9121, 0.7651, 0.0872, 0.5688),
    (64, "gru"): (0.0842, 0.6497, 0.9268, 0.7248, 0.0042, 0.5526),
    (64, "lstm"): (0.0923, 0.6353, 0.9346, 0.7808, 0.0057, 0.5739),
    (128, "gru"): (0.0722, 0.6722, 0.9126, 0.7312, 0.0424, 0.5581),
    (128, "lstm"): (0.1062, 0.7072, 0.9481, 0.8032, 0.0510, 0.6015),
}
"""Accuracy, precision and recall, each of note and length, by batch and cell."""

RECIPE = """title = "Note and length {cell}, batch {batch}"
family = "chords.note_duration_rnn"
year = 2026
source = "after Nguyễn Ngọc Lương (UIT)"
summary = "One run of the published experiment."
composers = []

[config]
cell = "{cell}"
layers = 1
units = {units}
note_embedding = 100
duration_embedding = 100
dropout = 0.0
cut = "slices"
rare = "drop"
seen = 10
last = true
one_key = {one_key}

[training]
kinds = ["beats:pianomidi"]
composers = ["beethoven"]
batch = {batch}
window = 32
steps_per_epoch = {steps}
validation_steps = 16
epochs = {epochs}
keep_every = {epochs}
patience = {epochs}
optimizer = "rmsprop"
schedule = "constant"
learning_rate = 0.001
clip = 0
precision = "float32"
quiet = true
"""


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="training music")
    parser.add_argument("--epochs", type=int, default=40, metavar="N", help="default: 40")
    parser.add_argument("--units", type=int, default=128, metavar="N", help="default: 128")
    parser.add_argument(
        "--one-key", action="store_true", help="also with every piece moved to C major or A minor"
    )
    parser.add_argument(
        "--only",
        default="",
        metavar="WORD",
        help="only the runs with this in their name, such as lstm_128, and those done before",
    )
    add_runs(parser, "what is done, from which a stopped experiment goes on")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("docs/note-duration.md"),
        metavar="FILE",
        help="the table; a .json beside it holds every figure (default: docs/note-duration.md)",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = options_of(arguments)
    try:
        for name in ("epochs", "units"):
            if getattr(options, name) < 1:
                number = getattr(options, name)
                raise PyzzicatoError(f"There cannot be {number} {name}: choose 1 up.")
        note_duration(options, say)
    except PyzzicatoError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{options.output} is written")
    return 0


def note_duration(options: argparse.Namespace, say: Callable[[str], None]) -> None:
    """Trains and scores each network, and writes the table anew after each."""
    dataset = read_dataset(options.data, kinds=("beats:pianomidi",), composers=["beethoven"])
    sheets: dict[str, Any] = {}
    for one_key in (False, True) if options.one_key else (False,):
        for batch, cell in PUBLISHED:
            name = f"{cell}_{batch}" + ("_one_key" if one_key else "")
            home = f"note-duration-{options.units}-{options.epochs}"
            folder = options.runs / home / name
            if options.only not in name and not (folder / "scores.json").exists():
                continue
            sheets[name] = _one_run(folder, dataset, options, batch, cell, one_key, say)
            _write(options, dataset, sheets)
    if not sheets:
        raise PyzzicatoError(f"No run has {options.only!r} in its name: try lstm, gru or 128.")


def _one_run(
    folder: Path,
    dataset: Dataset,
    options: argparse.Namespace,
    batch: int,
    cell: str,
    one_key: bool,
    say: Callable[[str], None],
) -> dict[str, Any]:
    """The scores of one network, trained unless that was done before."""
    done = folder / "scores.json"
    if done.exists():
        return dict(json.loads(done.read_text(encoding="utf-8")))
    folder.mkdir(parents=True, exist_ok=True)
    values = {"cell": cell, "batch": batch, "units": options.units, "epochs": options.epochs}
    values["one_key"] = str(one_key).lower()
    toml = folder / "model.toml"
    toml.write_text(RECIPE.format(**values, steps=1), encoding="utf-8")
    plan = recipe(folder, folder / "runs")
    known = {**plan.config, **prepare(plan, dataset.split("train"))}
    samples = sum(max(0, len(line) - 31) for line in lines_of(dataset.split("train"), known))
    toml.write_text(RECIPE.format(**values, steps=max(1, -(-samples // batch))), encoding="utf-8")
    plan = recipe(folder, folder / "runs")
    say(f"{folder.name}: {samples:,} samples")
    trained = train(plan, dataset, say=say)
    config = {**plan.config, **plan.training, "vocabulary": read_vocabulary(folder)}
    held_out = (*dataset.split("val"), *dataset.split("test"))
    lines = {
        "train": lines_of(dataset.split("train"), config),
        "held_out": lines_of(held_out, config),
    }
    scores = line_scores(StepGraph(folder / "model.onnx"), config, lines, say)
    scores |= {"samples": samples, "minutes": trained["minutes"], "weights": trained["weights"]}
    done.write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    return scores


def _write(options: argparse.Namespace, dataset: Dataset, sheets: Mapping[str, Any]) -> None:
    text = table(sheets, options.epochs, options.units, _pieces(dataset))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(text, encoding="utf-8")
    whole = {"epochs": options.epochs, "units": options.units, "runs": sheets}
    figures = json.dumps(whole, indent=1)
    options.output.with_suffix(".json").write_text(figures + "\n", encoding="utf-8")


def _pieces(dataset: Dataset) -> str:
    counts = [len(dataset.split(name)) for name in ("train", "val", "test")]
    return f"{counts[0]} pieces are trained on, {counts[1] + counts[2]} are kept back, by work"


def table(sheets: Mapping[str, Any], epochs: int, units: int, pieces: str) -> str:
    """The table in Markdown: published, on the music trained on, on works kept back."""
    first = next(iter(sheets.values()))
    lines = [
        "# Note and length networks: the published experiment, made again",
        "",
        "Written by `python benchmarks/reproduce.py`; every figure is in the .json beside it.",
        "",
        "Nguyễn Ngọc Lương trained an LSTM and a GRU on 29 Beethoven files for 40 epochs. Here: "
        f"{epochs} epochs, one layer of {units} units, which the source does not state; {pieces}. "
        f"{first['samples']:,} samples and {first['names']:,} notes and chords are left to train "
        "on after those seen fewer than 10 times are taken out (the source: 32,319 samples of all "
        "its files). Precision and recall are Keras' own at a threshold of 0.5. The source does "
        "not say on which music it measured.",
        "",
        "| batch | network | music | " + " | ".join(_heads()) + " |",
        "|" + "---|" * 9,
    ]
    for name, sheet in sheets.items():
        lines += _rows(name, sheet)
    lines += ["", "The same music told by what costs nothing, with the same vocabulary:", ""]
    lines += ["| told by | music | " + " | ".join(_heads()) + " |", "|" + "---|" * 8]
    for who, words in (("unigram", "how often each comes"), ("markov", "order-2 Markov model")):
        for split, music in _known(first):
            lines.append(f"| {words} | {music} | " + " | ".join(_cells(first[split][who])) + " |")
    lines += [
        "",
        "Nats per token, note and length, on works kept back: "
        + "; ".join(
            f"{name} {_nats(sheet['held_out'])}"
            for name, sheet in sheets.items()
            if "held_out" in sheet
        )
        + ".",
    ]
    return "\n".join(lines) + "\n"


_SPLITS = {"train": "trained on", "held_out": "kept back"}


def _known(sheet: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The splits that have a window at all."""
    return [(split, music) for split, music in _SPLITS.items() if split in sheet]


def _heads() -> Iterator[str]:
    for measure in MEASURES:
        for part in ("note", "length"):
            yield f"{measure}, {part}"


def _rows(name: str, sheet: Mapping[str, Any]) -> Iterator[str]:
    cell, batch = name.split("_")[:2]
    words = cell.upper() + (", one key" if name.endswith("one_key") else "")
    if not name.endswith("one_key"):
        cells = " | ".join(f"{value:.4f}" for value in PUBLISHED[int(batch), cell])
        yield f"| {batch} | {words} | published | {cells} |"
    for split, music in _known(sheet):
        cells = " | ".join(_cells(sheet[split]["network"]))
        yield f"| {batch} | {words} | {music} | {cells} |"


def _cells(figures: Mapping[str, Any]) -> Iterator[str]:
    for measure in MEASURES:
        for part in PARTS:
            value = figures[part][measure]
            yield "none" if value is None else f"{value:.4f}"


def _nats(split: Mapping[str, Any]) -> str:
    def both(who: str) -> str:
        return " + ".join(f"{split[who][part]['nats']:.3f}" for part in PARTS)

    return f"{both('network')} (Markov {both('markov')})"


if __name__ == "__main__":
    sys.exit(main())
