"""The command `evaluate`: measures models against real music, or checks that the figures fit."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from pyzzicato.cli.options import add_runs, say
from pyzzicato.errors import PyzzicatoError
from pyzzicato.runtime.processes import MOST_PROCESSES, cores

if TYPE_CHECKING:
    from pyzzicato.registry import ModelInfo

__all__ = ["add_options", "run"]

QUICK_CLIPS = 6


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `pyzzicato evaluate`."""
    parser.add_argument("models", nargs="*", metavar="ID", help="default: every model")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="real music")
    parser.add_argument(
        "--clips",
        type=int,
        default=0,
        metavar="N",
        help="also measure N clips of 30 s a composer that the model writes: "
        "200 for a full sheet (default: 0)",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"a rough sheet in a few minutes: --clips {QUICK_CLIPS}, and fewer "
        "windows of real music where many take long",
    )
    parser.add_argument(
        "--only-clips", action="store_true", help="leave out how well it tells real music"
    )
    parser.add_argument(
        "--split",
        default="both",
        choices=("val", "test", "both"),
        help="where the real clips are from (default: both)",
    )
    parser.add_argument("--rng-seed", type=int, default=1, metavar="N", help="fixes all chance")
    parser.add_argument(
        "--replace",
        action="store_true",
        help="let a sheet of fewer clips replace the one of more that there is",
    )
    add_runs(parser, "what was written, from which a stopped measurement goes on")
    parser.add_argument(
        "--processes",
        type=int,
        default=cores(),
        metavar="N",
        help="how many write and measure clips at once (default: one a core, at most "
        f"{MOST_PROCESSES})",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="measure nothing: say which figures do not belong to the weights",
    )


def run(options: argparse.Namespace) -> int:
    """Measures; with --check, 1 where a figure does not belong to its weights."""
    from pyzzicato.registry import model_info, models

    chosen = [model_info(model) for model in options.models or models()]
    if options.check:
        from pyzzicato.evaluation.run import misfits

        found = [sentence for info in chosen for sentence in misfits(info)]
        print("\n".join(found) or "Every figure belongs to its weights.")
        return 1 if found else 0
    if options.data is None:
        raise PyzzicatoError("Say where real music is: --data FOLDER.")
    if options.clips < 0 or options.rng_seed < 0:
        raise PyzzicatoError("The number of clips and the rng seed are 0 or more.")
    if options.processes < 1:
        raise PyzzicatoError("There must be a process to measure with: --processes 1 or more.")
    clips = options.clips or (QUICK_CLIPS if options.quick else 0)
    if options.only_clips and not clips:
        raise PyzzicatoError("Say how many clips: --quick for a rough sheet, --clips 200 for all.")
    from pyzzicato.data.load import music_for
    from pyzzicato.evaluation.clips import Plan
    from pyzzicato.evaluation.run import evaluate, evaluate_clips
    from pyzzicato.evaluation.score_sheet import CLIP_SECONDS

    if clips and not options.replace:
        for info in chosen:
            _keep_better(info, clips)
    plan = Plan(CLIP_SECONDS, clips, options.split, options.rng_seed)
    for info in chosen:
        dataset = music_for(info.training, options.data)
        if not options.only_clips:
            evaluate(info, dataset, say, quick=options.quick)
        if clips:
            evaluate_clips(info, dataset, plan, options.runs, say, options.processes)
        print(f"{info.folder / 'metrics.json'} is written")
    return 0


def _keep_better(info: ModelInfo, clips: int) -> None:
    """Raises a PyzzicatoError where metrics.json has a sheet of more clips than are asked for."""
    there = info.metrics.get("clips", {}).get("asked", 0)
    if clips < there:
        raise PyzzicatoError(
            f"{info.id} has a sheet of {there} clips a composer, which one of {clips} would "
            f"replace: say --clips {there}, or --replace to have the rougher one."
        )
