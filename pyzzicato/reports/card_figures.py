"""What metrics.json says of a model, as sentences and tables for its card.

Every figure is one that a command measured; here it only gets its words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pyzzicato.errors import UnknownName
from pyzzicato.music.composers import find_composer

__all__ = ["Row", "Sheet", "best_figure", "sheets", "short_name", "unmeasured"]

Row = tuple[str, ...]

_PREDICTORS = {
    "network": "this model",
    "repeat": "the last step again",
    "rate": "each key at its mean rate",
}
_PLANES = {"onset": "struck keys", "sounding": "sounding keys"}
_READERS = {
    "network": "this model",
    "no_composer": "without its composer",
    "markov": "Markov model",
}
_KINDS = {"performance": "performances", "score": "scores"}
_FIELDS = ("time", "pitch", "duration", "velocity")
_PERCENTILES = ("p10", "p50", "p90")
# Entries of metrics.json and the modules that word them, with `sheets` and `best_figure`.
_ELSEWHERE = {
    "melody": "melody_sheets",
    "tokens": "token_sheets",
    "text": "text_sheets",
    "band": "band_sheets",
}


@dataclass(frozen=True)
class Sheet:
    """One thing that was measured; `table` has its heading as first row, `note` explains it."""

    heading: str
    note: str
    table: tuple[Row, ...]


def sheets(metrics: Mapping[str, Any]) -> tuple[Sheet, ...]:
    """Everything that was measured, the most telling first."""
    makers = {
        "likelihood": _likelihood,
        "frames": _frames,
        "minutes_long": _minutes_long,
        "copying": _copying,
    }
    metrics = {**metrics, "copying": metrics.get("minutes_long", {}).get("copying")}
    found = [make(metrics[name]) for name, make in makers.items() if metrics.get(name)]
    for module, entry in _elsewhere(metrics):
        found += module.sheets(entry)
    return tuple(found)


def _elsewhere(metrics: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    """The modules that word other entries of metrics.json, each with its entry."""
    for name, module in _ELSEWHERE.items():
        if metrics.get(name):
            yield import_module(f"pyzzicato.reports.{module}"), metrics[name]


def unmeasured(metrics: Mapping[str, Any]) -> str:
    """A sentence where it was not measured how well the model foretells music, else empty."""
    if any(metrics.get(name) for name in ("frames", "likelihood", *_ELSEWHERE)):
        return ""
    return "It has not been measured yet: `pyzzicato evaluate` does that."


def best_figure(metrics: Mapping[str, Any]) -> str:
    """The figure that says most, in a few words, for a table of all models."""
    rows = metrics.get("likelihood", {}).get("test", {})
    if rows:
        kind = next(kind for kind in (*_KINDS, "all") if kind in rows["network"])
        mine, markov = (rows[who][kind]["bits_per_note"] for who in ("network", "markov"))
        return f"{mine:.2f} bits per note (Markov: {markov:.2f})"
    for module, entry in _elsewhere(metrics):
        return str(module.best_figure(entry))
    frames = metrics.get("frames", {})
    scores = {who: frames.get(who, {}).get("onset", {}).get("f1") for who in _PREDICTORS}
    if None in scores.values():
        return "not measured yet"
    mine = scores.pop("network")
    return f"F1 of struck keys {mine:.2f} (trivial: {max(scores.values()):.2f})"


def short_name(composer: str) -> str:
    """The short name of a composer's id; the id itself where it is not known."""
    try:
        return find_composer(composer).short
    except UnknownName:
        return composer


def _frames(frames: Mapping[str, Any]) -> Sheet:
    rows = [
        (
            _PLANES[plane],
            _PREDICTORS[who],
            *(f"{score[k]:.4f}" for k in ("precision", "recall", "f1", "nats")),
        )
        for plane in _PLANES
        for who in _PREDICTORS
        if (score := frames.get(who, {}).get(plane))
    ]
    note = (
        "How well the next step of real music is told from the steps before it, on "
        f"{frames['windows']:,} windows of {frames['window_seconds']:g} s of works "
        "that were not trained on. Each predictor has the threshold that is best for it on the "
        "validation music. Nats are the surprise per step, all 88 keys together: less is better, "
        "and no threshold is needed."
    )
    head = ("keys", "predicted by", "precision", "recall", "F1", "nats")
    return Sheet("How well it tells the next step", note, (head, *rows))


def _likelihood(found: Mapping[str, Any]) -> Sheet:
    rows = found["test"]
    note = (
        "How surprising the next note of real music is to it, in bits: fewer are better, and one "
        "bit less is half the surprise. Counted on "
        f"{rows['network']['all']['notes']:,} notes of works that were not trained on (the test "
        f"split), with up to {found['window'] - 1:,} notes before each, in 128 steps of time, "
        "88 keys, 96 lengths and 32 loudnesses. Beside it stand the same network when it is not "
        "told the composer, and an order-3 Markov model of the same training music. "
        "± is the standard error." + _in_events(rows.get("events", {}))
    )
    head = ("music", "told by", "bits per note", *_FIELDS, "bits per second")
    table = tuple(
        (_KINDS[kind], _READERS[who], *_bits(rows[who][kind]))
        for kind in _KINDS
        for who in _READERS
        if kind in rows.get(who, {})
    )
    return Sheet("How well it tells the next note", note, (head, *table))


def _in_events(row: Mapping[str, Any]) -> str:
    """One more sentence, where the bits were turned into nats per event."""
    if not row:
        return ""
    low, high = row["published_on_whole_maestro"]
    return (
        f" On {row['notes']:,} notes of {row['of']} its {row['bits_per_note']:.2f} bits per note "
        f"are {row['nats_per_event']:.2f} nats per event of the encoding with 388 events; "
        f"published Music Transformers reach {low} to {high} on the whole of MAESTRO, which is "
        "only nearby: other music, other bins, and lengths in place of letting go."
    )


def _bits(row: Mapping[str, float]) -> Iterator[str]:
    yield f"{row['bits_per_note']:.2f} ± {row['standard_error']:.2f}"
    for name in _FIELDS:
        yield f"{row[name]:.2f}"
    yield f"{row['bits_per_second']:.1f}"


def _minutes_long(found: Mapping[str, Any]) -> Sheet:
    composers = found["composers"]
    note = (
        f"Measured on {found['pieces']} new pieces of {found['seconds']:g} s, in brackets on the "
        "composer's real music where it was at hand. Notes a second: 10th percentile, median and "
        f"90th of half a minute each; {found['composers_within']} of {len(composers)} composers "
        "have all of them within 0.75 to 1.33 times the real ones. Mean pitch: the same of the "
        "keys struck in half a minute, 60 is middle C. Drift: how many times as many "
        f"notes the last third has as the first, or the first as the last{_drifting(found)}. "
        "Unevenness: how far notes a second in parts of 3 s are from each other within half a "
        "minute, the standard deviation of their logarithms. "
        "Repeated: windows of 4 s that came before, note for note. "
        f"{found['silent_pieces']} of {found['pieces']} pieces are silent for more than 6 s."
    )
    head = ("composer", "notes a second", "mean pitch", "drift", "unevenness",
            "longest silence", "repeated", "loudness")  # fmt: skip
    table = tuple((short_name(name), *_steady(row)) for name, row in composers.items())
    return Sheet("How steady it stays", note, (head, *table))


def _drifting(found: Mapping[str, Any]) -> str:
    """Of how many composers the drift is more than real beyond chance, where that was asked."""
    rows = [row for row in found["composers"].values() if "drift_more" in row]
    if not rows:
        return ""
    count = found["composers_drifting"]
    return f"; beyond chance it is larger than in real pieces for {count} of {len(rows)} composers"


def _copying(found: Mapping[str, Any]) -> Sheet:
    """What the same pieces share with the training music, beside real ones it does not hold."""
    note = (
        "Of those pieces, beside real pieces of the same composers that it was not trained on. "
        "Longest passage: what the Compose page says of a take; the median, the 90th percentile "
        "and the most. Copied: more than 99 of 100 real pieces share."
    )
    head = ("", "pieces", "longest passage", "copied", "repeated windows of 4 s")
    sides = (("new", "new"), ("real, not trained on", "real"))
    table = tuple(
        (
            label,
            str(found[side]["pieces"]),
            "{median:.0f} / {p90:.0f} / {longest} notes".format(**found[side]["passage"]),
            f"{found[side]['copied']:.0%}",
            f"{found[side]['repeated']:.2%}",
        )
        for label, side in sides
        if found[side]["pieces"]
    )
    return Sheet("Whether it copies", note, (head, *table))


def _steady(row: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """The cells of one composer: new (real)."""

    def both(name: str, form: str) -> str:
        new, real = (
            form.format(row[who][name]) if name in row[who] else "" for who in ("new", "real")
        )
        return (new or "none") + (f" ({real})" if real else "")

    for form, names in (("{:.1f}", _PERCENTILES), ("{:.0f}", [f"pitch_{p}" for p in _PERCENTILES])):
        new, real = (
            " / ".join(form.format(row[who][name]) for name in names if name in row[who])
            for who in ("new", "real")
        )
        yield (new or "none") + (f" ({real})" if real else "")
    yield both("drift_size", "{:.2f}")
    yield both("uneven", "{:.2f}")
    yield both("longest_silence", "{:.1f} s")
    yield both("repeated", "{:.1%}")
    yield both("velocity", "{:.0f}")
