"""Train the composer classifier and measure it on works that it was not trained on.

    python tools/train_classifier.py --data FOLDER [--output FILE] [--epochs 40]

Reads the performances of FOLDER, makes features of clips of 20 s, measures by folds of works
(share of clips and of works that are right, confusion matrix), then trains the network that is
kept on the training split, and writes pyzzicato/assets/classifier.onnx, classifier.json and the
card, docs/classifier.md.
Keras runs on KERAS_BACKEND, TensorFlow unless told.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from pyzzicato.classifier import ASSET
from pyzzicato.classifier_training import Plan, gather, known_composers, measure, save, train
from pyzzicato.datasets import read_dataset
from pyzzicato.recognition_tables import classifier_card

CARD = Path(__file__).resolve().parent.parent / "docs" / "classifier.md"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=ASSET)
    parser.add_argument("--epochs", type=int, default=Plan.epochs)
    parser.add_argument("--works", type=int, default=None, help="only so many, for a trial")
    options = parser.parse_args()
    pieces = read_dataset(options.data).pieces
    composers = known_composers(pieces)
    if options.works:
        some = set(sorted({piece.work for piece in pieces})[:: max(1, 700 // options.works)])
        pieces = tuple(piece for piece in pieces if piece.work in some)
    clips = gather(pieces, composers)
    print(f"{len(clips.work)} clips of {len(set(clips.work))} works by {len(composers)} composers")
    plan = Plan(epochs=options.epochs)
    measured = measure(clips, len(composers), plan)
    for name in ("clips_right", "works_right", "main_works_right"):
        print(f"{name}: {measured[name]:.1%}")
    taught = {piece.work for piece in pieces if piece.split == "train"}
    weights = train(clips.chosen(np.isin(clips.work, sorted(taught))), len(composers), plan)
    known = {"composers": list(composers), **measured}
    save(weights, known, options.output)
    if options.output == ASSET:
        CARD.write_text(classifier_card(known), encoding="utf-8")
    print(f"{options.output} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
