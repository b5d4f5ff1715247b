"""`pyzzicato compose` and `pyzzicato render`: music from the command line."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyzzicato import registry
from pyzzicato.composition import order as composition
from pyzzicato.errors import SavingFailed, UnreadableMusic
from pyzzicato.generation.controls import Control, declared
from pyzzicato.music.notes import Note, NoteSequence, counted
from pyzzicato.render import files as saving
from pyzzicato.seeds import sources as music_sources

__all__ = ["add_options", "add_tune", "render", "run"]

INTERRUPTED = 130


def add_options(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
    """The options of `compose`: among them one for each control of the model in `arguments`."""
    parser.add_argument("--model", metavar="ID", help="default: the first of `pyzzicato models`")
    parser.add_argument(
        "--seed",
        metavar="ID_OR_FILE",
        help="a built-in seed, a MIDI or ABC file, or none to start from nothing "
        "(default: the composer's first)",
    )
    add_tune(parser)
    parser.add_argument(
        "--takes", type=int, default=1, metavar="N", help=f"1 to {composition.MOST_TAKES}"
    )
    parser.add_argument(
        "--avoid-copying",
        action="store_true",
        help="go back and on with other dice where it comes close to its training music",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="FILE",
        help=f"where to save; its ending says what: {', '.join(saving.ENDINGS)}",
    )
    parser.add_argument(
        "--json", action="store_true", help="print settings, notes and times, for scripts"
    )
    if list(arguments[:1]) != ["compose"]:
        return  # the controls are not needed, and finding them takes time
    known = registry.models()
    model = _value_of("--model", arguments)
    info = registry.model_info(model) if model else next(iter(known.values()), None)
    if info is not None:
        group = parser.add_argument_group(f"controls of the model {info.id}")
        for item in declared(info.controls):
            _add_control(group, item, info)
        if not info.composers:  # a plain sentence says so, instead of "unrecognized arguments"
            group.add_argument("--composer", dest="control_composer", help=argparse.SUPPRESS)


def add_tune(parser: argparse.ArgumentParser) -> None:
    """The option that chooses one of the tunes of an ABC file."""
    parser.add_argument(
        "--tune",
        type=int,
        metavar="N",
        help="which tune of an ABC file, counted from 1 (default: the first with notes)",
    )


def _with_tune(file: str, tune: int | None) -> str:
    """The file with the number of its tune, as `music_sources` reads it."""
    return file if tune is None else f"{file}#{tune}"


def _add_control(group: Any, item: Control, info: registry.ModelInfo) -> None:
    """The option of a control; that of styles is told apart, for it takes music too."""
    if item.name == composition.STYLE and info.can("mixing"):
        group.add_argument(
            "--style",
            action="append",
            metavar="STYLE_OR_FILE",
            help=f"{_help(item)} Also a built-in seed, or a MIDI or ABC file; give it several "
            f"times for a hybrid, {music_sources.MOST_STYLES} at most.",
        )
        return
    group.add_argument(
        f"--{item.name.replace('_', '-')}",
        dest=f"control_{item.name}",
        metavar=item.name.upper(),
        help=_help(item).replace("%", "%%"),
    )


def _value_of(option: str, arguments: Sequence[str]) -> str | None:
    """What `option` is set to; argparse itself can only tell when all options are known."""
    for place, text in enumerate(arguments):
        if text == option and place + 1 < len(arguments):
            return arguments[place + 1]
        if text.startswith(option + "="):
            return text.partition("=")[2]
    return None


def _help(item: Control) -> str:
    allowed = item.allowed() if item.choices or item.minimum is not None else ""
    said = [item.help, f"{allowed[0].upper()}{allowed[1:]}." if allowed else ""]
    return " ".join([text for text in said if text] + [f"(default: {item.default})"])


@dataclass
class _Listening:
    """What has arrived so far, and when the first note did."""

    takes: list[list[Note]]
    texts: list[str]
    started: float = field(default_factory=time.perf_counter)
    first: float | None = None
    seconds: float = 0.0  # of music
    whole: bool = False

    def hear(self, plan: composition.Order) -> None:
        """Takes in every step, until the end or Ctrl-C."""
        shown = sys.stderr.isatty()
        try:
            for step in plan.steps():
                self.takes[step.take] += step.notes
                self.texts[step.take] += step.text
                if self.first is None and step.notes:
                    self.first = time.perf_counter() - self.started
                self.seconds = step.time
                if shown:
                    percent = 100 * step.time / plan.seconds
                    print(f"\rcomposing {percent:3.0f} %", end="", file=sys.stderr, flush=True)
            self.whole = True
        except KeyboardInterrupt:
            pass
        finally:
            if shown:
                print("\r" + " " * 20 + "\r", end="", file=sys.stderr, flush=True)


def run(options: argparse.Namespace) -> int:
    """Composes, saves and reports; after Ctrl-C it saves what there is and returns 130."""
    if options.output is None and not options.json:
        raise SavingFailed("Say where to save the music: add -o out.mid, or .mp3, .wav, .png.")
    if options.tune is not None and options.seed is None:
        raise UnreadableMusic("Say of which ABC file --tune is: give the file with --seed.")
    files = _files(options.output, options.takes)
    given = {
        name.removeprefix("control_"): value
        for name, value in vars(options).items()
        if name.startswith("control_") and value is not None
    }
    plan = composition.order(
        model=options.model,
        composer=given.pop("composer", None),
        seed=options.seed and _with_tune(options.seed, options.tune),
        takes=options.takes,
        avoid_copying=options.avoid_copying,
        styles=getattr(options, "style", None) or (),
        controls=given,
    )
    heard = _Listening([[] for _ in range(plan.takes)], [""] * plan.takes)
    _say(plan.said)
    heard.hear(plan)
    wall = time.perf_counter() - heard.started
    made = plan.compositions(heard.takes, heard.texts)
    for piece, path in zip(made, files, strict=False):
        piece.save(path)
    if options.json:
        print(json.dumps(_report(made, files, heard, wall), indent=1, ensure_ascii=False))
    else:
        for piece, path in zip(made, files, strict=False):
            print(f"{path}: {piece.title}, {counted(len(piece.continuation), 'new note')}")
    if not heard.whole:
        print("pyzzicato: stopped; what there was is kept.", file=sys.stderr)
    return 0 if heard.whole else INTERRUPTED


def _say(sentences: Sequence[str]) -> None:
    """What is to be said of the music that was given: beside the output, not in it."""
    for sentence in sentences:
        print(f"pyzzicato: {sentence}", file=sys.stderr)


def _files(output: Path | None, takes: int) -> list[Path]:
    """One name a take: out.mid, or out-1.mid, out-2.mid and so on; none without `output`."""
    if output is None:
        return []
    saving.check_target(output)
    if takes == 1:
        return [output]
    return [output.with_stem(f"{output.stem}-{number}") for number in range(1, takes + 1)]


def _report(
    made: list[composition.Composition], files: list[Path], heard: _Listening, wall: float
) -> dict[str, Any]:
    """Wall and first-note seconds count from the press, the loading of the model among them."""
    settings = {name: value for name, value in made[0].settings.items() if name != "take"}
    return {
        "settings": settings,
        "title": made[0].title,
        "whole": heard.whole,
        "seconds_of_music": round(heard.seconds, 3),
        "wall_seconds": round(wall, 4),
        "first_note_seconds": None if heard.first is None else round(heard.first, 4),
        "seed_seconds": round(made[0].border, 3),
        "takes": [
            {
                "file": str(files[number]) if files else None,
                "notes": len(piece.continuation),
                "music": [[n.start, n.end, n.pitch, n.velocity] for n in piece.continuation],
                **({"text": piece.text} if piece.text else {}),
            }
            for number, piece in enumerate(made)
        ],
    }


def render(options: argparse.Namespace) -> int:
    """A MIDI or ABC file, or a built-in seed, as sound, MIDI or a picture."""
    saving.check_target(options.output)
    (music, mended), name = music_sources.find_music(_with_tune(options.file, options.tune))
    _say(mended)
    saving.save(options.output, NoteSequence(), music, title=name, renderer=options.renderer)
    print(f"{options.output}: {counted(len(music))}, {music.duration:.1f} seconds")
    return 0
