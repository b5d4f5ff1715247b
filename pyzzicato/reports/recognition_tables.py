"""What the classifier says of models, and what it can itself, as tables and sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyzzicato.reports.card_figures import short_name
from pyzzicato.reports.score_tables import Scored, best
from pyzzicato.reports.tables import Table

__all__ = ["WANTED", "about_classifier", "classifier_card", "confusions", "recognised"]

WANTED = 0.8  # of the works of the main composers


def recognised(models: Sequence[Scored]) -> Table:
    """How often the composer is named, model by model, and the classifier distance."""
    head = (
        "model", "real music", "new", "seeds alone", "others: asked", "others: seed's", "chance",
        "classifier distance (floor)",
    )  # fmt: skip
    winners = (
        best(models, lambda m: _of(m, "new").get("mean"), lower=False),
        best(models, lambda m: _of(m, "distance").get("value")),
    )
    rows: list[tuple[str, ...]] = []
    marked: set[tuple[int, int]] = set()
    for model in models:
        found = model.clips.get("recognition")
        if not found:
            continue
        cells = (_share(_of(model, name)) for name in ("real", "new", "seeds", "asked", "seed"))
        marked |= {
            (len(rows), column)
            for column, ids in zip((2, 7), winners, strict=True)
            if model.id in ids
        }
        chance = f"{1 / found['composers']:.0%}"
        rows.append((model.title, *cells, chance, _distance(found["distance"])))
    return Table(head, tuple(rows), frozenset(marked))


def _of(model: Scored, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = model.clips.get("recognition", {}).get(name) or {}
    return found


def _share(row: Mapping[str, Any]) -> str:
    """ "41% (35 to 48, n 96)"; nothing where nothing was asked."""
    if not row:
        return "not asked"
    return f"{row['mean']:.0%} ({row['low']:.0%} to {row['high']:.0%}, n {row['n']})"


def _distance(row: Mapping[str, Any]) -> str:
    if not row:
        return "not measured"
    floor = "" if row["ceiling"] is None else f" ({row['ceiling']:.2f})"
    return f"{row['value']:.2f} ± {(row['high'] - row['low']) / 2:.2f}{floor}"


def about_classifier(measured: Mapping[str, Any]) -> str:
    """What the classifier reaches on works that it was not trained on, beside what was wanted."""
    main = measured["main_works_right"]
    reached = "" if main is None else (
        f" Among the {measured['main_composers']} with most works alone it is right for "
        f"{main:.0%} of {measured['main_works']} works; {WANTED:.0%} were wanted"
        + (", so it is not a judge to rely on." if main < WANTED else ".")
    )  # fmt: skip
    return (
        f"The classifier hears {measured['clip_seconds']:g} s and names one of "
        f"{len(measured['composers'])} composers. Of works that it was not trained on "
        f"({measured['folds']} folds by work) it names the composer of "
        f"{measured['clips_right']:.0%} of {measured['clips']:,} clips rightly, and of "
        f"{measured['works_right']:.0%} of {measured['works']} works when their clips vote."
        f"{reached}"
    )


def confusions(measured: Mapping[str, Any]) -> tuple[tuple[str, ...], list[list[int]]]:
    """Names of the composers, and works by (composer, composer named)."""
    return tuple(short_name(name) for name in measured["composers"]), measured["matrix"]


def classifier_card(measured: Mapping[str, Any]) -> str:
    """The classifier's card in Markdown, made of what was measured alone."""
    names, matrix = confusions(measured)
    lines = [
        "# The composer classifier",
        "",
        about_classifier(measured),
        "",
        "It is a small dense network over counts of notes: registers, chords, "
        "the lines of both hands, tones and harmony as they stand in the key, rhythm, texture, "
        "without loudness, pedal and the lengths of notes, which would tell who played "
        "(`pyzzicato/evaluation/classifier/features.py`). It learns from scores too, and is "
        "measured on performances. How much more it heard of some composers than of others is "
        "taken off its answers. It serves to measure models "
        "(`pyzzicato/evaluation/recognition.py`), not to attribute music. The network that is kept "
        "learned from the training split alone; `python tools/train_classifier.py --data FOLDER "
        "--sources` makes it, its figures and this page again.",
        "",
        *_sources(measured.get("sources", {})),
        "Works by composer, and the composer that was named:",
        "",
        f"| | {' | '.join(names)} | right |",
        f"|---|{'---:|' * (len(names) + 1)}",
    ]
    for n, (name, row) in enumerate(zip(names, matrix, strict=True)):
        right = row[n] / max(sum(row), 1)
        cells = " | ".join(f"**{count}**" if k == n else str(count) for k, count in enumerate(row))
        lines.append(f"| {name} | {cells} | {right:.0%} |")
    return "\n".join(lines) + "\n"


def _sources(found: Mapping[str, Any]) -> list[str]:
    """What there is to say about recordings of several sources, as Markdown."""
    lines = []
    for title, key in (("All works", "performed"), ("Works that are in both", "same_works")):
        told = [
            f"{n} {row['right']:.0%} of {row['works']}" for n, row in found.get(key, {}).items()
        ]
        if told:
            lines += [f"{title}, right among all composers, by source: {', '.join(told)}.", ""]
    crossed = [
        f"{name} {row['right']:.0%} of {row['works']} works, taught with {row['taught_works']} "
        f"({row['right_at_home']:.0%}, taught with {row['taught_at_home']} of the same source)"
        for name, row in found.get("crossed", {}).items()
    ]
    if crossed:
        lines += [
            f"Taught with performances of one source alone and asked about the other, "
            f"{len(found['composers'])} composers that both have: {'; '.join(crossed)}.",
            "",
        ]
    return lines
