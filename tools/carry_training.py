"""Carries a training to a graphics card and back: music in one file, checkpoints in parts.

usage: python tools/carry_training.py pack MODEL --data FOLDER MUSIC.notes
       python tools/carry_training.py cut FILE [--mib 16]
       python tools/carry_training.py join FILE

`pack` writes the music that the recipe of MODEL (its next.toml where there is one) asks for;
`pyzzicato train MODEL --steady --data MUSIC.notes` learns from it as from the folder. `cut` writes
a file's parts beside it, FILE.000 and so on, and FILE.parts, which says what they are; `join` makes
the file of them again and checks that it is the same. docs/training.md tells the whole way.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

from pyzzicato.data.load import music_for
from pyzzicato.data.packed import pack
from pyzzicato.errors import PyzzicatoError
from pyzzicato.registry import model_info
from pyzzicato.training.recipes import next_recipe, recipe

MIB = 2**20


def pack_music(options: argparse.Namespace) -> str:
    folder = model_info(options.model).folder
    training = recipe(folder, Path("runs"), text=next_recipe(folder)).training
    dataset = music_for(training, options.data)
    size = pack(dataset, training, options.file)
    notes = sum(len(piece.notes) for name in ("train", "val") for piece in dataset.split(name))
    return f"{options.file}: {notes:,} notes in {size / 1e6:.1f} MB"


def cut(options: argparse.Namespace) -> str:
    file, size = options.file, int(options.mib * MIB)
    if size < 1:
        raise PyzzicatoError(f"A part cannot have {options.mib:g} MiB: choose a number above 0.")
    whole = _read(file)
    parts = [whole[first : first + size] for first in range(0, len(whole), size)]
    for number, part in enumerate(parts):
        _part(file, number).write_bytes(part)
    told = {"parts": len(parts), "sha256": hashlib.sha256(whole).hexdigest()}
    _list(file).write_text(json.dumps(told) + "\n", encoding="utf-8")
    return f"{file}: {len(parts)} parts of at most {options.mib:g} MiB"


def join(options: argparse.Namespace) -> str:
    file = options.file
    try:
        told = json.loads(_read(_list(file)))
        wanted = [_part(file, number) for number in range(told["parts"])]
    except (ValueError, KeyError, TypeError) as error:
        raise PyzzicatoError(
            f"{_list(file)} is damaged: cut {file.name} again where it is whole."
        ) from error
    whole = b"".join(map(_read, wanted))
    if hashlib.sha256(whole).hexdigest() != told["sha256"]:
        raise PyzzicatoError(f"The parts of {file} are not those that were cut: bring them again.")
    beside = file.with_name(file.name + ".joining")
    beside.write_bytes(whole)
    beside.replace(file)
    return f"{file}: {len(whole) / 1e6:.1f} MB of {len(wanted)} parts"


def _part(file: Path, number: int) -> Path:
    return file.with_name(f"{file.name}.{number:03d}")


def _list(file: Path) -> Path:
    return file.with_name(file.name + ".parts")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PyzzicatoError(f"{path} cannot be read ({error.strerror}): bring it here.") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    packing = commands.add_parser("pack", help="the training music of a recipe as one file")
    packing.add_argument("model", metavar="MODEL")
    packing.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    packing.set_defaults(run=pack_music)
    cutting = commands.add_parser("cut", help="a file as parts")
    cutting.add_argument("--mib", type=float, default=16, metavar="N", help="default: 16")
    cutting.set_defaults(run=cut)
    joining = commands.add_parser("join", help="parts as the file they were")
    joining.set_defaults(run=join)
    for made in (packing, cutting, joining):
        made.add_argument("file", type=Path, metavar="FILE")
    return parser


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        print(options.run(options))
    except PyzzicatoError as error:
        print(f"carry_training: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
