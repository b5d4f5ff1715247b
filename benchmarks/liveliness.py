"""Does the music dry up? Every built-in seed, two minutes, every piano-roll model.

    python benchmarks/liveliness.py [--seconds 120] [--write] [MODEL ...]

The source system's known illness is that past ten seconds it falls silent or blurs. For each
model, at its default controls and again with the published fixed threshold, this prints per
composer the median over seeds of notes per second in the last 30 s, as a multiple of the median
of that composer's real 30 s windows (training.json), and over all takes: how many are silent at
the end, how many are below a quarter of the composer's median, the longest held key. Wanted:
every ratio within 0.6-1.5, no silent take, under 5 % below a quarter, no key held over 8 s.
`--write` puts the figures into the models' metrics.json, from which the cards read them.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import Any

from pyzzicato.controls import declared
from pyzzicato.evaluation import write_metrics
from pyzzicato.generator import collect
from pyzzicato.notes import NoteSequence
from pyzzicato.registry import ModelInfo, models
from pyzzicato.seeds import all_seeds

LAST = 30.0  # seconds at the end that are counted
MODES = ("default", "threshold")


@dataclass(frozen=True)
class Take:
    """What is counted of one take."""

    composer: str
    ratio: float  # notes per second in the last 30 s over the composer's real median
    silent: bool
    longest: float  # seconds


def measure(music: NoteSequence, composer: str, usual: float, seconds: float) -> Take:
    """One take's figures."""
    last = sum(note.start >= seconds - LAST for note in music)
    longest = max((note.end - note.start for note in music), default=0.0)
    return Take(composer, last / LAST / usual, last == 0, longest)


def takes_of(info: ModelInfo, mode: str, seconds: float) -> list[Take]:
    """A take from every seed of the model's composers."""
    generator, found = info.load(), []
    for seed in all_seeds():
        composer = seed.composer.id
        if composer not in info.composers or composer not in info.trained["density"]:
            continue
        controls: Any = info.controls(seconds=seconds).changed(composer=composer)
        if mode == "threshold":
            controls = controls.changed(keys="threshold")
        music = collect(generator.generate(seed.sequence(), controls))
        found.append(measure(music, composer, info.trained["density"][composer], seconds))
    return found


def sheet_of(takes: list[Take]) -> dict[str, Any]:
    """The figures that are printed and kept."""
    ratios = defaultdict(list)
    for take in takes:
        ratios[take.composer].append(take.ratio)
    by_composer = {name: round(median(found), 3) for name, found in sorted(ratios.items())}
    return {
        "takes": len(takes),
        "ratio_by_composer": by_composer,
        "composers_within": sum(0.6 <= ratio <= 1.5 for ratio in by_composer.values()),
        "composers": len(by_composer),
        "silent": sum(take.silent for take in takes),
        "below_a_quarter": round(sum(take.ratio < 0.25 for take in takes) / len(takes), 4),
        "longest_held_seconds": round(max(take.longest for take in takes), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    for info in models().values():
        if options.models and info.id not in options.models:
            continue
        if not any(item.name == "keys" for item in declared(info.controls)):
            continue
        sheets = {mode: sheet_of(takes_of(info, mode, options.seconds)) for mode in MODES}
        for mode, sheet in sheets.items():
            print(f"\n{info.title}, {mode}, {sheet['takes']} takes of {options.seconds:g} s")
            for composer, ratio in sheet["ratio_by_composer"].items():
                note = "" if 0.6 <= ratio <= 1.5 else "  <- outside 0.6-1.5"
                print(f"  {composer:<14}{ratio:6.2f}{note}")
            print(
                f"  silent {sheet['silent']}, below a quarter {sheet['below_a_quarter']:.1%}, "
                f"longest key {sheet['longest_held_seconds']} s"
            )
        if options.write:
            write_metrics(info, {"liveliness": {"seconds": options.seconds, **sheets}})


if __name__ == "__main__":
    main()
