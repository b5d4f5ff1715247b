"""The command line: `pyzzicato compose`, `models`, `seeds`, `data`, `train` and the others.

What a person can mend is one plain line on the error output and exit code 1; a command that
cannot be understood gives 2, Ctrl-C gives 130 and keeps what there is.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyzzicato
from pyzzicato.cli import compose, evaluate, lists
from pyzzicato.cli.options import add_runs
from pyzzicato.errors import ModelUnavailable, PyzzicatoError
from pyzzicato.paths import project_folder

__all__ = ["main"]

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        options = _parser(arguments).parse_args(arguments)
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except PyzzicatoError as error:
        print(f"pyzzicato: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("pyzzicato: stopped.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser(arguments: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pyzzicato",
        description="Composer-style piano music from small neural networks, offline.",
        epilog="Each command has its own help: pyzzicato compose --help",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and stop")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        made.set_defaults(run=run)
        return made

    composing = command("compose", compose.run, "Write new music and save it.")
    compose.add_options(composing, arguments)
    listed = {
        "models": (lists.show_models, "The models there are, and their controls."),
        "seeds": (lists.show_seeds, "The built-in seeds."),
        "data": (lists.show_data, "What a folder of training music holds."),
    }
    for name, (run, text) in listed.items():
        made = command(name, run, text)
        made.add_argument("--json", action="store_true", help="print JSON, for scripts")
        if name == "data":
            made.add_argument(
                "folder", type=Path, help="MANIFEST.csv, MAESTRO, or MIDI by composer"
            )
            made.add_argument(
                "--kind", action="append", help="kind of file in a manifest (default: performance)"
            )
    rendering = command("render", compose.render, "Turn a MIDI or ABC file into sound.")
    rendering.add_argument("file", help="MIDI or ABC file, or the id of a built-in seed")
    compose.add_tune(rendering)
    rendering.add_argument("-o", "--output", type=Path, required=True, help="such as out.wav")
    rendering.add_argument(
        "--renderer", default="auto", help="auto, built-in or fluidsynth (default: auto)"
    )
    _add_training(command)
    opening = command("app", _open_app, "Open the app in the browser.")
    opening.add_argument("--port", type=int, default=8501, help="default: 8501")
    command("cards", lists.write_cards, "Write every model's card, README.md in its folder.")
    kept = command("examples", _write_examples, "Compose the kept examples of models anew.")
    kept.add_argument("models", nargs="*", metavar="ID", help="default: every model that has some")
    return parser


class _Version(argparse.Action):
    """Prints the version, which is looked up only now."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"pyzzicato {pyzzicato.__version__}")
        parser.exit()


def _add_training(command: Any) -> None:
    made = command("train", _train, "Train a model by its recipe, models/ID/model.toml.")
    made.add_argument("model", metavar="ID", help="a folder in models/")
    made.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="training music")
    made.add_argument("--epochs", type=int, metavar="N", help="instead of the recipe's own number")
    made.add_argument("--rng-seed", type=int, default=1, metavar="N", help="fixes all chance")
    ways = made.add_mutually_exclusive_group()
    ways.add_argument(
        "--further",
        action="store_true",
        help="go on from the weights there are, as the recipe's [training.further] says",
    )
    ways.add_argument(
        "--steady",
        action="store_true",
        help="at one rate until it is stopped, from the last checkpoint (docs/training.md)",
    )
    made.add_argument(
        "--notes", type=int, metavar="N", help="with --steady: stop when so many have been seen"
    )
    ways.add_argument(
        "--decay",
        type=Path,
        metavar="FOLDER",
        help="from the last checkpoint of --steady make weights for use, and write them there",
    )
    add_runs(made, "checkpoints, from which a stopped training goes on")
    measuring = command("evaluate", evaluate.run, "Measure models against real music.")
    evaluate.add_options(measuring)


def _train(options: argparse.Namespace) -> int:
    from pyzzicato.data.load import music_for
    from pyzzicato.registry import model_info

    info = model_info(options.model)
    for name in ("epochs", "notes"):
        number = getattr(options, name)
        if number is not None and number < 1:
            raise PyzzicatoError(f"There cannot be {number} {name}: choose 1 or more.")
    if options.steady or options.decay:
        return _train_steadily(info, options)
    from pyzzicato.training.loop import train
    from pyzzicato.training.recipes import recipe

    plan = recipe(info.folder, options.runs, info if options.further else None)
    dataset = music_for(plan.training, options.data)
    print(f"Keras runs on {_backend()}.", file=sys.stderr)
    try:
        made = train(plan, dataset, epochs=options.epochs, rng_seed=options.rng_seed)
    except KeyboardInterrupt:
        print(
            f"pyzzicato: stopped; what is learned is in {plan.run}, the same command goes on.",
            file=sys.stderr,
        )
        return INTERRUPTED
    print(
        f"{info.weights}: validation loss {made['validation_loss']} after {made['epochs']} epochs"
    )
    return 0


def _train_steadily(info: Any, options: argparse.Namespace) -> int:
    from pyzzicato.data.load import music_for
    from pyzzicato.training.recipes import next_recipe, recipe
    from pyzzicato.training.steady import decay, train_steadily

    plan = recipe(info.folder, options.runs, text=next_recipe(info.folder))
    dataset = music_for(plan.training, options.data)
    print(f"Keras runs on {_backend()}.", file=sys.stderr)
    if options.decay:
        made = decay(plan, dataset, options.decay, rng_seed=options.rng_seed)
        done = "validation_loss" in made
    else:
        made = train_steadily(plan, dataset, notes=options.notes, rng_seed=options.rng_seed)
        done = options.notes is not None and made["notes"] >= options.notes
    if not done:
        print(
            f"pyzzicato: stopped after {made['notes']:,} notes; the same command goes on.",
            file=sys.stderr,
        )
        return INTERRUPTED
    where = options.decay / "model.onnx" if options.decay else plan.run
    print(f"{where}: {made.get('notes_seen', made['notes']):,} notes seen")
    return 0


def _backend() -> str:
    """Starts Keras on KERAS_BACKEND, TensorFlow unless told; returns the backend's name."""
    wanted = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        import keras

        keras.ops.zeros(1)
    except (ImportError, ValueError) as error:
        raise PyzzicatoError(
            f"Keras cannot run on {wanted!r} ({error}): install it, or set KERAS_BACKEND to "
            "tensorflow."
        ) from error
    return str(keras.backend.backend())


def _write_examples(options: argparse.Namespace) -> int:
    from pyzzicato.composition.examples import write_examples
    from pyzzicato.registry import model_info, models

    for model in options.models or models():
        write_examples(model_info(model))
    return 0


def _open_app(options: argparse.Namespace) -> int:
    root = project_folder()
    if not (root / "app.py").is_file():
        raise ModelUnavailable(
            f"There is no app in {root}: fetch the whole project, then run it from there."
        )
    address = ["--server.port", str(options.port), "--browser.gatherUsageStats", "false"]
    start = [sys.executable, "-m", "streamlit", "run", str(root / "app.py"), *address]
    return subprocess.run(start, cwd=root, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
