"""Does *avoid copying* steer trained models away from their training music?

    python benchmarks/avoiding.py [MODEL ...] [--data FOLDER] [--seconds 60] [--seeds 12] [--write]

The same takes, from the same seeds and dice, written with it and without. Trained models hardly
copy at their usual settings, so it is also tried where they keep to what is likely, with the
lowest wildness, and with --data where the seed is known music: the first 25 s of works that the
model has learned, those with most recordings first. Of each take: the longest passage that stands
in the training music, in notes and seconds, whether it is longer than what 90 of 100 real
excerpts share with another work (what is avoided), and whether the take is said to be copied.
Only for models whose training music is in the index. `--write` keeps the figures in results.json.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any, NamedTuple

import numpy as np
from results import keep, kept, machine

from pyzzicato.composition.copy_guard import ENOUGH, avoid_copying
from pyzzicato.data.load import music_for
from pyzzicato.data.pieces import Piece
from pyzzicato.errors import PyzzicatoError
from pyzzicato.generation.controls import declared, from_texts
from pyzzicato.generation.generator import Step, collect_takes
from pyzzicato.metrics.originality import Report, originality
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo, models
from pyzzicato.seeds.library import seeds_by

MODELS = ("conv1d", "note_duration_gru", "note_duration_all", "next_note_gru", "transformer")
TAKES = 2  # of each seed
OPENING = 25.0  # seconds of known music
USUAL = ("bach", "mozart", "beethoven", "chopin")  # whose seeds, where a model can do all

Prompt = tuple[str, NoteSequence]  # a composer's id, and music to go on from


class Written(NamedTuple):
    """Takes, what is found in each, and how long they took to write."""

    music: list[NoteSequence]
    reports: list[Report]
    work: float  # seconds of one core


def built_in(info: ModelInfo, count: int) -> list[Prompt]:
    """The first built-in seeds of each composer in turn."""
    composers = [name for name in USUAL if not info.composers or name in info.composers]
    found = [seeds_by(composer) for composer in composers]
    turns = [mine[n] for n in range(max(map(len, found))) for mine in found if n < len(mine)]
    return [(seed.composer.id, seed.sequence()) for seed in turns[:count]]


def known(info: ModelInfo, folder: Path, count: int) -> list[Prompt]:
    """The beginnings of works that the model has learned, those with most recordings first."""
    works: dict[str, list[Piece]] = {}
    for piece in music_for(info.training, folder).split("train"):
        if piece.kind == "performance":
            works.setdefault(piece.work, []).append(piece)
    lots = np.random.default_rng(1).permutation(len(works))
    order = sorted(
        zip(works.values(), lots, strict=True), key=lambda each: (-len(each[0]), each[1])
    )
    return [(mine[0].composer, _beginning(mine[0])) for mine, _ in order[:count]]


def _beginning(piece: Piece) -> NoteSequence:
    notes = piece.notes.copy()
    notes[:, :2] -= notes[0, 0]
    return replace(piece, notes=notes).sequence().trim(0.0, OPENING)


Write = Callable[[NoteSequence, Any, int], Iterator[Step]]


def written(
    info: ModelInfo, write: Write, prompts: Sequence[Prompt], settings: Mapping[str, str]
) -> Written:
    """TAKES takes from each prompt, prompt k with the dice k."""
    found = Written([], [], 0.0)
    for number, (composer, seed) in enumerate(prompts):
        texts = {**settings, "rng_seed": str(number)}
        if info.composers:
            texts["composer"] = composer
        started = process_time()
        music = collect_takes(write(seed, from_texts(info.controls, texts), TAKES), TAKES)
        found = found._replace(work=found.work + process_time() - started)
        found.music.extend(music)
        found.reports.extend(originality(take) for take in music)
    return found


def figures(takes: Written) -> dict[str, Any]:
    """What is kept of some takes."""
    notes = [report.notes for report in takes.reports]
    seconds = [report.end - report.start for report in takes.reports]
    return {
        "passage_notes": _spread(notes),
        "passage_seconds": _spread(seconds),
        "percentile": _spread([report.percentile for report in takes.reports]),
        "avoidable": sum(report.percentile > ENOUGH for report in takes.reports),
        "copied": sum(report.copied for report in takes.reports),
        "notes": int(np.median([len(music) for music in takes.music])),
        "core_seconds": round(takes.work, 1),
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    found = {"median": np.median(values), "p90": np.percentile(values, 90), "most": max(values)}
    return {name: round(float(value), 1) for name, value in found.items()}


def compared(
    info: ModelInfo, prompts: Sequence[Prompt], settings: Mapping[str, str]
) -> dict[str, Any]:
    """The same takes without and with *avoid copying*."""
    player = info.load()
    plain = written(info, player.generate, prompts, settings)

    def careful(seed: NoteSequence, controls: Any, takes: int) -> Iterator[Step]:
        return avoid_copying(player, seed, controls, takes)

    steered = written(info, careful, prompts, settings)
    pairs = zip(plain.music, steered.music, strict=True)
    return {
        "takes": len(plain.music),
        "changed": sum(before != after for before, after in pairs),
        "without": figures(plain),
        "with": figures(steered),
    }


def rows_of(
    info: ModelInfo, data: Path | None, seconds: float, count: int, everywhere: bool
) -> Iterator[dict[str, Any]]:
    """A row for each kind of seed, at the usual and at the lowest wildness."""
    main = next(control for control in declared(info.controls) if control.main)
    kinds = {"built-in": built_in(info, count)} if everywhere else {}
    if data is not None:
        kinds["known"] = known(info, data, count)
    for kind, prompts in kinds.items():
        for wildness in (main.default, main.minimum):
            settings = {"seconds": str(seconds), main.name: str(wildness)}
            row = {"model": info.id, "seeds": kind, "wildness": wildness, "seconds": seconds}
            yield row | compared(info, prompts, settings)


def line(row: Mapping[str, Any]) -> str:
    """A row to read."""
    cells = [f"{row['model']:<18}{row['seeds']:<9}{row['wildness']:>5g}{row['seconds']:>4g} s"]
    cells.append(f"{row['changed']:>4} of {row['takes']} changed ")
    for name in ("without", "with"):
        one = row[name]
        notes, length = one["passage_notes"], one["passage_seconds"]
        spread = " / ".join(f"{notes[part]:.0f} n {length[part]:.0f} s" for part in notes)
        cells.append(
            f"{name}: {spread}; {one['avoidable']} avoidable, {one['copied']} copied, "
            f"{one['core_seconds']:.1f} s;"
        )
    return " ".join(cells)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"default: {', '.join(MODELS)}")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="for seeds of known music")
    parser.add_argument("--seconds", type=float, default=60.0, help="of each take")
    parser.add_argument("--seeds", type=int, default=12, help="of each kind; two takes of each")
    parser.add_argument("--only-known", action="store_true", help="no built-in seeds")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    print("Passages as median / 90th percentile / most, in notes and seconds:")
    rows = []
    try:
        if options.only_known and not options.data:
            raise PyzzicatoError("Known music has to be read: say where it is with --data.")
        for name in options.models or MODELS:
            if name not in models():
                raise PyzzicatoError(f"There is no model {name!r}: see `pyzzicato models`.")
            asked = (options.data, options.seconds, options.seeds, not options.only_known)
            for row in rows_of(models()[name], *asked):
                print(line(row), flush=True)
                rows.append(row)
    except PyzzicatoError as error:
        print(error, file=sys.stderr)
        return 1
    if options.write:
        made = {row["model"] for row in rows}
        before = kept().get("avoiding", {}).get("rows", [])
        rows = [row for row in before if row["model"] not in made] + rows
        keep("avoiding", {"machine": machine(["numpy", "onnxruntime"]), "rows": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
