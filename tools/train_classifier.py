"""Train the composer classifier and measure it on works that it was not trained on.

    python tools/train_classifier.py --data FOLDER [--output FILE] [--clips FILE] [--steps N]
                                     [--sources]

Reads the performances and scores of FOLDER, makes features of clips of 20 s, measures by folds of
works (share of clips and of performed works that are right, confusion matrix), then trains the
network that is kept on the training split, and writes pyzzicato/assets/classifier.onnx,
classifier.json and the card, docs/classifier.md. With --clips the features are kept in a file, or
taken from it where it exists.
--sources measures and writes too how well it does from one source of recordings to another.
Keras runs on KERAS_BACKEND, TensorFlow unless told.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from pyzzicato.data.load import read_dataset
from pyzzicato.data.pieces import Piece
from pyzzicato.evaluation.classifier.clips import Clips, gather, keep, kept, known_composers
from pyzzicato.evaluation.classifier.network import ASSET
from pyzzicato.evaluation.classifier.sources import between_sources
from pyzzicato.evaluation.classifier.training import Plan, measure, save, told_by_folds, train
from pyzzicato.reports.recognition_tables import classifier_card

CARD = Path(__file__).resolve().parent.parent / "docs" / "classifier.md"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=ASSET)
    parser.add_argument("--clips", type=Path, default=None)
    parser.add_argument("--steps", type=int, default=Plan.steps)
    parser.add_argument("--sources", action="store_true")
    options = parser.parse_args()
    performances = read_dataset(options.data).pieces
    pieces = performances + read_dataset(options.data, kinds=("score",)).pieces
    composers = known_composers(performances)
    clips = _clips(options.clips, pieces, composers)
    print(f"{len(clips.work)} clips of {len(set(clips.work))} works by {len(composers)} composers")
    plan = Plan(steps=options.steps)
    logs = told_by_folds(clips, len(composers), plan)
    measured = measure(clips, logs)
    for name in ("clips_right", "works_right", "main_works_right", "main_scores_right"):
        print(f"{name}: {measured[name]:.1%}")
    if options.sources:
        measured["sources"] = between_sources(clips, logs, composers)
        print(measured["sources"])
    taught = sorted({piece.work for piece in pieces if piece.split == "train"})
    weights = train(clips.chosen(np.isin(clips.work, taught)), len(composers), plan)
    known = {"composers": list(composers), **measured}
    save(weights, known, options.output)
    if options.output == ASSET:
        CARD.write_text(classifier_card(known), encoding="utf-8")
    print(f"{options.output} is written")
    return 0


def _clips(file: Path | None, pieces: tuple[Piece, ...], composers: tuple[str, ...]) -> Clips:
    if file is not None and file.exists():
        return kept(file)
    clips = gather(pieces, composers)
    if file is not None:
        keep(clips, file)
    return clips


if __name__ == "__main__":
    sys.exit(main())
