"""Does it stay music for minutes? Pieces of three minutes beside real ones.

    python benchmarks/minutes_long.py [MODEL ...] [--pieces 60] [--seconds 180] [--data FOLDER]
        [--composers chopin,bach] [--set temperature=0.9] [--openings] [--write]

Over five composers and their built-in seeds, in turn where a composer has few, each piece with
dice of its own; with --openings the first 20 s of performances that no model was trained on
instead, one of each work and then more, as long as there are any. Per composer notes per second
over 30 s windows (10th percentile, median, 90th) and their mean pitch in the same way, the drift
from the first third of the piece to the last, how much the density comes and goes within half a
minute (`unevenness`), the longest silence and the longest wait for a note, the median length of a
note, the mean velocity, and the share of 4 s windows that repeat an earlier one of the same piece
exactly on a 50 ms grid. Only the new music is counted, not its seed.

With --data the same figures of the composer's real performances stand beside them, those but the
density over the first minutes of at most 60 of them; without it only the median density, from
training.json. Wanted: each density within 0.75 to 1.33 of the real one, no more drift than real,
no silence over 6 s. A median of twelve drifts is not sure: how much larger it is than the real one
comes with a 95 % interval, and where that is all above 0 it is larger beyond chance. With --data
also the longest passage of each new piece that stands in the training music, and the repeats,
beside those of the composers' pieces of the test split. `--write`
puts all of it into the model's metrics.json. Every core writes pieces of its own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from itertools import zip_longest
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from long_figures import (
    PERCENTILES,
    densities,
    drift_sizes,
    figures,
    longest_silence,
    more_drift,
    repeats,
)

from pyzzicato.codecs.piano_roll import note_array
from pyzzicato.data.density import window_densities
from pyzzicato.data.load import read_dataset
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.errors import PyzzicatoError
from pyzzicato.evaluation.run import write_metrics
from pyzzicato.generation.controls import Controls, from_texts
from pyzzicato.generation.generator import collect
from pyzzicato.metrics.originality import originality
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.registry import ModelInfo, models
from pyzzicato.runtime.processes import cores, spread
from pyzzicato.seeds.library import seeds_by

COMPOSERS = ("bach", "mozart", "beethoven", "chopin", "debussy")
WITHIN = (0.75, 1.33)
SILENCE = 6.0  # seconds; more is not wanted
MOST_REAL = 60  # pieces a composer
OPENING = 20.0  # seconds that are gone on from with --openings


Prompt = tuple[str, NoteSequence]  # a name, and music to continue


def prompts(composer: str, unheard: Dataset | None) -> list[Prompt]:
    """The built-in seeds; of `unheard` music the openings of its held-out performances."""
    if unheard is None:
        return [(seed.id, seed.sequence()) for seed in seeds_by(composer)]
    works: dict[str, list[Piece]] = {}
    for piece in (*unheard.split("val"), *unheard.split("test")):
        if piece.composer == composer and piece.kind == "performance":
            works.setdefault(piece.work, []).append(piece)
    turns = zip_longest(*(works[name] for name in sorted(works)))
    return [(p.work, _opening_of(p)) for turn in turns for p in turn if p is not None]


def _opening_of(piece: Piece) -> NoteSequence:
    return _sequence(opening(piece, OPENING)).trim(0.0, OPENING)


def _sequence(notes: np.ndarray) -> NoteSequence:
    return NoteSequence(tuple(Note(s, e, int(p), int(v)) for s, e, p, v in notes.tolist()))


def in_turn(seeds: Sequence[Prompt], pieces: int) -> list[Prompt]:
    """The seed of each piece; raises PyzzicatoError without seeds."""
    if not seeds:
        raise PyzzicatoError("There is no built-in seed of that composer: see `pyzzicato seeds`.")
    return [seeds[number % len(seeds)] for number in range(pieces)]


def written(
    info: ModelInfo,
    composer: str,
    pieces: int,
    seconds: float,
    settings: Mapping[str, str],
    unheard: Dataset | None = None,
) -> list[np.ndarray]:
    """The new music of `pieces` pieces in the style of `composer`; see `prompts`."""
    controls = from_texts(
        info.controls, {**settings, "seconds": str(seconds), "composer": composer}
    )
    seeds = enumerate(in_turn(prompts(composer, unheard), pieces), controls.rng_seed)
    # No two pieces have the same dice.
    asked = [(name, seed, controls.changed(rng_seed=number)) for number, (name, seed) in seeds]
    return list(spread(partial(_piece, info), asked, cores()))


def _piece(info: ModelInfo, asked: tuple[str, NoteSequence, Controls]) -> np.ndarray:
    name, seed, controls = asked
    started = perf_counter()
    notes = note_array(collect(info.load().generate(seed, controls)))
    speed = controls.seconds / (perf_counter() - started)
    print(f"  {name}: {controls.seconds:g} s, {speed:.0f} x real time", file=sys.stderr)
    return notes


def real_figures(
    dataset: Dataset, composer: str, seconds: float
) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The same figures of the composer's real pieces, and those pieces; densities of whole ones."""
    mine = [piece for piece in dataset.pieces if piece.composer == composer]
    dense = [window_densities(piece) for piece in mine]
    long = [piece for piece in mine if piece.duration - piece.notes[0, 0] >= seconds]
    drawn = np.random.default_rng(1).permutation(len(long))[:MOST_REAL]
    opened = [opening(long[i], seconds) for i in drawn]
    return figures(opened, seconds, np.concatenate([np.empty(0), *dense])), opened


def opening(piece: Piece, seconds: float) -> np.ndarray:
    """The first `seconds` of a real piece, from its first note on."""
    notes = piece.notes.astype(np.float64)
    notes[:, :2] -= notes[0, 0]
    return notes[notes[:, 0] < seconds]


def within(new: Mapping[str, Any], real: Mapping[str, Any]) -> dict[str, float]:
    """New over real of the density's percentiles, those that are known."""
    return {
        name: round(new[name] / real[name], 3)
        for name in (f"p{p}" for p in PERCENTILES)
        if name in new and real.get(name)
    }


def sheet_of(
    info: ModelInfo, dataset: Dataset | None, options: argparse.Namespace, composers: Sequence[str]
) -> dict[str, Any]:
    """All figures of one model."""
    rows, everything = {}, []
    settings = dict(item.partition("=")[::2] for item in options.set)
    for composer in composers:
        pieces = max(1, options.pieces // len(composers))
        opened = dataset if options.openings else None
        music = written(info, composer, pieces, options.seconds, settings, opened)
        everything += music
        dense = np.concatenate([densities(notes, options.seconds) for notes in music])
        new = figures(music, options.seconds, dense)
        opened_real: list[np.ndarray] = []
        if dataset:
            real, opened_real = real_figures(dataset, composer, options.seconds)
        else:
            usual = info.trained.get("density", {})
            real = {"p50": usual[composer]} if composer in usual else {}
        rows[composer] = {"new": new, "real": real, "new_over_real": within(new, real)}
        sizes = (drift_sizes(each, options.seconds) for each in (music, opened_real))
        if more := more_drift(*sizes):
            rows[composer]["drift_more"] = more
    ratios = [list(row["new_over_real"].values()) for row in rows.values()]
    controls = from_texts(info.controls, {**settings, "seconds": str(options.seconds)})
    silences = [longest_silence(notes, options.seconds) for notes in everything]
    copied = {}
    if dataset:
        unheard = unheard_openings(dataset, composers, options.seconds)
        copied = {
            who: copying(pieces, options.seconds)
            for who, pieces in (("new", everything), ("real", unheard))
        }
    return {
        "pieces": len(everything),
        "seconds": options.seconds,
        "controls": {k: v for k, v in asdict(controls).items() if k != "composer"},
        "composers": rows,
        "composers_within": sum(
            bool(found) and all(WITHIN[0] <= r <= WITHIN[1] for r in found) for found in ratios
        ),
        "composers_drifting": sum(
            row["drift_more"]["low"] > 0 for row in rows.values() if "drift_more" in row
        ),
        "silent_pieces": sum(silence > SILENCE for silence in silences),
        "copying": copied,
    }


def unheard_openings(
    dataset: Dataset, composers: Sequence[str], seconds: float
) -> list[np.ndarray]:
    """The first `seconds` of every piece of the test split that is as long."""
    return [
        opening(piece, seconds)
        for piece in dataset.split("test")
        if piece.composer in composers and piece.duration - piece.notes[0, 0] >= seconds
    ]


def copying(pieces: Sequence[np.ndarray], seconds: float) -> dict[str, Any]:
    """Repeats, and passages that the index of training music finds, of pieces of `seconds` s."""
    pieces = [notes for notes in pieces if len(notes)]
    if not pieces:
        return {"pieces": 0}
    again, total = np.sum([repeats(notes, seconds) for notes in pieces], axis=0)
    reports = [originality(_sequence(notes)) for notes in pieces]
    for number, report in enumerate(reports):
        if report.copied:
            where = f"{report.notes} notes, from {report.start:.0f} to {report.end:.0f} s"
            known = f"{report.composer}, {report.title}"
            print(f"  piece {number} shares {where}, with {known}", file=sys.stderr)
    found = [report.notes for report in reports]
    median, high = np.percentile(found, [50, 90])
    return {
        "pieces": len(pieces),
        "repeated": round(float(again / max(total, 1)), 5),
        "passage": {"median": float(median), "p90": round(float(high), 1), "longest": max(found)},
        "copied": round(float(np.mean([report.copied for report in reports])), 4),
    }


def copies_in_lines(found: Mapping[str, Any]) -> list[str]:
    """The figures as lines to read."""
    rows = [f"{'':<12}{'pieces':>8}{'repeated':>10}  longest passage (median, 90 %, most)"]
    for who, row in found.items():
        if not row["pieces"]:
            print(f"there are no {who} pieces of that length", file=sys.stderr)
            continue
        each = row["passage"]
        rows.append(
            f"{who:<12}{row['pieces']:>8}{row['repeated']:>10.3%}  {each['median']:.0f}, "
            f"{each['p90']:.0f}, {each['longest']} notes; {row['copied']:.0%} said to be copied"
        )
    return rows


def table(sheet: Mapping[str, Any]) -> str:
    """The figures as lines to read."""
    names = ("p10", "p50", "p90", "pitch_p10", "pitch_p50", "pitch_p90", "drift", "drift_size",
             "uneven", "longest_silence", "longest_wait", "note_seconds", "velocity",
             "repeated")  # fmt: skip
    rows = [f"{'':<18}" + "".join(f"{name.replace('longest_', ''):>13}" for name in names)]
    for composer, row in sheet["composers"].items():
        for kind in ("new", "real", "new_over_real"):
            label = {"new": f"{composer} new", "real": "real", "new_over_real": "new / real"}[kind]
            cells = [
                f"{row[kind][name]:13.3f}" if name in row[kind] else " " * 13 for name in names
            ]
            rows.append(f"{label:<18}" + "".join(cells))
        if more := row.get("drift_more"):
            rows.append(f"  its drift is {more['more']:+} larger, {more['low']} to {more['high']}")
    known = any("drift_more" in row for row in sheet["composers"].values())
    count = sheet["composers_drifting"]
    drifting = f"{count} drift more than real pieces beyond chance; " if known else ""
    rows.append(
        f"{sheet['composers_within']} of {len(sheet['composers'])} composers have every density "
        f"within {WITHIN[0]}-{WITHIN[1]} of the real one; {drifting}{sheet['silent_pieces']} of "
        f"{sheet['pieces']} pieces have a silence over {SILENCE:g} s."
    )
    if sheet["copying"]:
        rows += copies_in_lines(sheet["copying"])
    return "\n".join(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="MODEL", help="default: the Transformers")
    parser.add_argument("--pieces", type=int, default=60, help="of all composers together")
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="real music to compare with")
    parser.add_argument("--composers", default=",".join(COMPOSERS), help="ids, with commas")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--openings", action="store_true", help="seeds from music kept back")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    composers = options.composers.split(",")
    try:
        if options.openings and not options.data:
            raise PyzzicatoError("The openings are in real music: say where it is with --data.")
        dataset = read_dataset(options.data, composers=composers) if options.data else None
        for info in models().values():
            wanted = info.id in options.models if options.models else info.family == "transformer"
            if not wanted:
                continue
            sheet = sheet_of(info, dataset, options, composers)
            print(f"\n{info.title}: {sheet['pieces']} pieces of {sheet['seconds']:g} s")
            print(table(sheet))
            if options.write:
                name = "minutes_long_openings" if options.openings else "minutes_long"
                write_metrics(info, {name: sheet})
    except PyzzicatoError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
