"""Pieces that a model made with fixed settings, kept beside its weights to be heard at once.

The settings are the tables [[examples]] of model.toml: `seed` and any arguments of
`pyzzicato.compose`. `write_examples` makes the pieces anew: one MIDI file each in the model's
folder `examples/`, and `examples.json`, which says with what and where the new music begins.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyzzicato.composition.order import Composition, compose
from pyzzicato.errors import ModelUnavailable, UnreadableMusic
from pyzzicato.formats.midi import read_midi, write_midi
from pyzzicato.music.composers import find_composer
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.render.files import write_whole

__all__ = ["Example", "examples", "write_examples"]

SECONDS = 60.0  # of new music, unless the settings say otherwise


@dataclass(frozen=True, slots=True)
class Example:
    """One kept piece: the seed, then new music from `border` seconds on, with its own times."""

    id: str
    title: str
    style: str
    """The composer's name; empty where the model knows none."""
    seed: NoteSequence
    continuation: NoteSequence
    border: float
    settings: Mapping[str, Any]


def examples(info: ModelInfo) -> list[Example]:
    """The kept pieces of a model; none where none were made.

    Raises ModelUnavailable where a file of them is missing or damaged.
    """
    listing = _folder(info) / "examples.json"
    if not listing.exists():
        return []
    try:
        rows = json.loads(listing.read_text(encoding="utf-8"))
        return [_read(info, row) for row in rows]
    except (OSError, ValueError, KeyError, TypeError, UnreadableMusic) as error:
        raise ModelUnavailable(
            f"The examples of the model {info.id} cannot be read: "
            f"make them again with `pyzzicato examples {info.id}`."
        ) from error


def write_examples(info: ModelInfo, say: Callable[[str], None] = print) -> list[Example]:
    """Composes every piece that model.toml asks for and keeps it; returns them.

    Raises a PyzzicatoError where a setting is wrong or a file cannot be written.
    """
    folder = _folder(info)
    if not info.examples:
        return []
    folder.mkdir(exist_ok=True)
    rows = []
    for number, asked in enumerate(info.examples, start=1):
        made = compose(**{"model": info.id, "seconds": SECONDS, **asked})
        row = _row(f"{number}-{_style(made).lower() or info.id}", made)
        write_whole(folder / f"{row['id']}.mid", write_midi(made.sequence, name=made.title))
        rows.append(row)
        say(f"{info.id}: {row['id']}, {made.title}, {len(made.continuation)} new notes")
    text = json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
    write_whole(folder / "examples.json", text.encode())
    for stale in set(folder.glob("*.mid")) - {folder / f"{row['id']}.mid" for row in rows}:
        stale.unlink()
    return examples(info)


def _folder(info: ModelInfo) -> Path:
    return info.folder / "examples"


def _style(made: Composition) -> str:
    composer = made.settings.get("composer")
    return find_composer(composer).short if composer else ""


def _row(name: str, made: Composition) -> dict[str, Any]:
    return {
        "id": name.replace(" ", "-").replace(".", ""),
        "title": made.title,
        "border": round(made.border, 4),
        "settings": dict(made.settings),
    }


def _read(info: ModelInfo, row: Mapping[str, Any]) -> Example:
    whole = read_midi(_folder(info) / f"{Path(row['id']).name}.mid")
    border = float(row["border"])
    # MIDI keeps times to half a millisecond.
    old, new = (
        NoteSequence(tuple(note for note in whole if (note.start < border - 0.001) is first))
        for first in (True, False)
    )
    composer = row["settings"].get("composer")
    style = find_composer(composer).short if composer else ""
    return Example(row["id"], row["title"], style, old, new.shift(-border), border, row["settings"])
