"""Training batches of text: streams side by side, each batch going on where the last one ended.

All tunes of a split make one long text, an empty line between two. It is cut into `batch`
streams; batch i holds characters i x window onwards of each. So the state of the network after
batch i is what it begins batch i + 1 with, and 64 characters a batch are enough to learn what
lies further back. Source: Giba and Rudeanu: 16 streams, 64 characters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyzzicato.codecs.abc_text import AbcText, vocabulary_of
from pyzzicato.data.abc import AbcPiece
from pyzzicato.data.pieces import Piece
from pyzzicato.errors import PyzzicatoError
from pyzzicato.families.abc.plain import plain_text
from pyzzicato.training.family import Examples

__all__ = ["TextStreams", "text_loss", "text_metrics", "texts_of"]


def texts_of(pieces: Sequence[Piece], config: Mapping[str, Any]) -> list[str]:
    """The texts that a network reads: as they stand, or plain where it takes kind and key.

    Each ends with an empty line. Raises PyzzicatoError where there is no tune.
    """
    tunes = [piece for piece in pieces if isinstance(piece, AbcPiece)]
    if config.get("prompts"):
        texts = [text + "\n" for piece in tunes if (text := plain_text(piece))]
    else:
        texts = [piece.text + "\n\n" for piece in tunes]
    if not texts:
        raise PyzzicatoError(
            "There are no ABC tunes to learn from: give a folder with *.abc files."
        )
    return texts


class TextStreams(Examples):
    """The batches of one split, in order: ({"characters": (batch, window)}, (batch, window)).

    `config` has vocabulary, batch, window and, where each epoch is to have the tunes in another
    order, `shuffled`. The target of a character is the one after it.
    """

    in_order = True

    def __init__(
        self, pieces: Sequence[Piece], config: Mapping[str, Any], *, training: bool
    ) -> None:
        self.texts = texts_of(pieces, config)
        _check(self.texts, config["vocabulary"], int(config.get("least", 1)))
        self.codec = AbcText(config["vocabulary"])
        self.streams, self.window = int(config["batch"]), int(config["window"])
        self.shuffled = training and bool(config.get("shuffled"))
        self._laid: tuple[int, np.ndarray] | None = None

    def batch(self, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """The first batch in an order of `rng`'s own; `at` gives the ones that follow."""
        return self._cut(self._lay(rng), 0)

    def at(
        self, epoch: int, index: int, rng: np.random.Generator | None = None
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Batch `index` of an epoch; it goes on where batch index - 1 ended."""
        if self._laid is None or (self._laid[0] != epoch and self.shuffled):
            self._laid = epoch, self._lay(np.random.default_rng((7, epoch)))
        return self._cut(self._laid[1], index)

    def _lay(self, rng: np.random.Generator) -> np.ndarray:
        """The text in streams, (batch, characters a stream)."""
        order = rng.permutation(len(self.texts)) if self.shuffled else range(len(self.texts))
        codes = self.codec.encode("".join(self.texts[place] for place in order))
        # A small set has to fill at least one batch; it is then read round and round.
        codes = np.resize(codes, max(len(codes), self.streams * (self.window + 1)))
        length = len(codes) // self.streams
        return codes[: self.streams * length].reshape(self.streams, length)

    def _cut(self, laid: np.ndarray, index: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        places = index % ((laid.shape[1] - 1) // self.window) * self.window
        taken = laid[:, places : places + self.window + 1]
        return {"characters": taken[:, :-1]}, taken[:, 1:]


def _check(texts: Sequence[str], vocabulary: str, least: int) -> None:
    """Raises PyzzicatoError where the recipe's vocabulary is not that of the music."""
    missing = set(vocabulary_of(texts, max(least, 1))) - set(vocabulary)
    if missing:
        counted = vocabulary_of(texts, max(least, 1))
        raise PyzzicatoError(
            f"The tunes hold {len(missing)} characters that the recipe's vocabulary does not: "
            f"write vocabulary = {counted!r} into its [config]."
        )


def text_loss(y_true: Any, y_pred: Any) -> Any:
    """Nats per character, (batch, window); `y_pred` are logits."""
    from keras import ops

    logits = ops.cast(y_pred, "float32")
    return ops.sparse_categorical_crossentropy(ops.cast(y_true, "int32"), logits, from_logits=True)


def text_metrics() -> list[Any]:
    """The share of characters told right, as the source gives it."""
    import keras

    return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]
