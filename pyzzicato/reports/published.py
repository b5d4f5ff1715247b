"""Published figures beside ours, where the data allow a comparison at all.

What others published is written here with its source; our figures come from metrics.json and
classifier.json. Nothing that rests on other music or other tokens is put into one column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pyzzicato.registry import ModelInfo
from pyzzicato.reports.score_tables import Table

__all__ = ["NOT_COMPARABLE", "beside_published"]

HEAD = ("what", "published", "ours", "how near")
NOT_COMPARABLE = (
    "Overlapping Area: published for jazz piano (PerformanceRNN 0.77, Aria 0.91 of PiJAMA, 200 "
    "real clips beside 80 new ones), other music and other numbers of clips; files of that same "
    "project give one network anything from 0.37 to 0.77.",
    "Pitch-class entropy, scale and groove consistency: published for orchestra (Multitrack Music "
    "Transformer, 2.80 bits beside 2.97 of the real pieces), so only the protocol is ours too: "
    "the nearer to real music, the better.",
    "Fréchet Music Distance: published with the encoders CLaMP 1 and 2; the classifier distance "
    "above is of another encoder, so no figure of one says anything about the other.",
    "The piano rolls, the networks for five instruments and the AttentionRNN: their authors judged "
    "by ear and published no figures.",
)


def beside_published(
    models: Mapping[str, ModelInfo], classifier: Mapping[str, Any] | None = None
) -> Table:
    """The rows that there are figures for; `classifier` is what was measured of it."""
    rows = [row for name, info in models.items() for row in _rows(name, info.metrics)]
    if classifier:
        rows.append(_classifier(classifier))
    return Table(HEAD, tuple(rows), frozenset())


def _rows(name: str, metrics: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    if name == "note_duration_lstm" and "tokens" in metrics:
        yield _chords("LSTM", ("10.6%", "70.7%"), metrics["tokens"])
    if name == "note_duration_gru" and "tokens" in metrics:
        yield _chords("GRU", ("8.4%", "70.1%"), metrics["tokens"])
    if name == "char_rnn_jigs" and "90" in metrics.get("text", {}).get("checkpoints", {}):
        yield _letters(metrics["text"]["checkpoints"]["90"])
    events = metrics.get("likelihood", {}).get("test", {}).get("events")
    if name == "transformer" and events:
        yield _events(events)


def _chords(
    network: str, published: tuple[str, str], tokens: Mapping[str, Any]
) -> tuple[str, str, str, str]:
    train, test = (tokens[split]["network"] for split in ("train", "test"))
    return (
        f"{network} of chords and lengths: share of chords / of lengths foreseen",
        f"{published[0]} / {published[1]} (Nguyễn, UIT, best of three)",
        f"{train['note']['accuracy']:.1%} / {train['duration']['accuracy']:.1%} on training music, "
        f"{test['note']['accuracy']:.1%} / {test['duration']['accuracy']:.1%} on unheard music",
        "Near: Beethoven of the same collection; which part it was measured on is not said, and "
        "rare chords are treated otherwise.",
    )


def _letters(found: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return (
        "Text network on jigs: share of letters foreseen after 90 epochs",
        "about 90% on training music (Giba and Rudeanu)",
        f"{found['train']['accuracy']:.1%} on training music, "
        f"{found['test']['accuracy']:.1%} on unheard tunes",
        "Near: the same collection and network; ours learned from its training part only.",
    )


def _events(events: Mapping[str, Any]) -> tuple[str, str, str, str]:
    low, high = events["published_on_whole_maestro"]
    return (
        "Transformer: nats per event of the encoding with 388 events",
        f"{low:.2f} to {high:.2f} (Music Transformers on MAESTRO)",
        f"{events['nats_per_event']:.2f} on {events['notes']:,} notes of {events['of']}",
        "Only nearby: other music, lengths in place of letting go, and published figures of "
        "two versions of MAESTRO differ by 0.09 for one network.",
    )


def _classifier(measured: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return (
        "Composer classifier, 20 s",
        "F1 0.83 over 13 composers of MAESTRO (Kim et al. 2020)",
        f"{measured['clips_right']:.1%} of clips over {len(measured['composers'])} composers, "
        f"{measured['works_right']:.1%} of works by vote",
        "Only nearby: other works and composers, a share in place of F1, and ours never has "
        "recordings of one work on both sides.",
    )
