"""A visit outlives its page: what is on the stage, and undo, survive a reload and a restart.

Each browser has a cookie that nobody can guess. What its visitor has on the stage is kept in
memory, where a piece may still grow, and once it is finished in a file of the data folder as well.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import streamlit as st

from pyzzicato.composition.job import Job, Progress
from pyzzicato.errors import PyzzicatoError
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.paths import data_folder
from pyzzicato.registry import ModelInfo
from pyzzicato.render.files import write_whole
from pyzzicato.ui.pieces import Other, Piece, Scene, Start

__all__ = ["COOKIE", "Saved", "Visits", "token", "visits"]

COOKIE = "pyzzicato-visit"
_TOKEN = re.compile(r"[\w-]{32}")
_IN_MEMORY = 100  # visits
_ON_DISK = 500
_NOTES = 60_000  # of all scenes in a file, the newest first
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Saved:
    """What is kept of a visit: its scenes, that of now last; those undone; the link."""

    scenes: tuple[Scene, ...]
    undone: tuple[Scene, ...]
    written: Mapping[str, str]


def token() -> str:
    """The word by which this visitor's browser is known again; a new one for a new browser."""
    if "visit" not in st.session_state:
        known = str(st.context.cookies.get(COOKIE, ""))
        new = secrets.token_urlsafe(24)
        st.session_state["visit"] = known if _TOKEN.fullmatch(known) else new
    found: str = st.session_state["visit"]
    return found


@st.cache_resource(show_spinner=False)
def visits() -> Visits:
    """The visits of this server."""
    return Visits(data_folder() / "visits")


class Visits:
    """What is kept of every visit, in `folder`; for several threads at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._recent: OrderedDict[str, Saved] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, token: str, saved: Saved) -> None:
        """Keeps a visit; on disk as soon as nothing in it grows any more."""
        with self._lock:
            self._recent[token] = saved
            self._recent.move_to_end(token)
            while len(self._recent) > _IN_MEMORY:
                self._recent.popitem(last=False)
        piece = saved.scenes[-1].piece
        if piece is None:
            self._write(token, saved)
        else:
            piece.job.at_end(lambda: self._write(token, saved))

    def find(self, token: str, models: Mapping[str, ModelInfo]) -> Saved | None:
        """What was kept of a visit; None of a new one, and where its file cannot be read."""
        with self._lock:
            if token in self._recent:
                return self._recent[token]
        try:
            return _saved(json.loads(gzip.decompress(self._path(token).read_bytes())), models)
        except FileNotFoundError:
            return None
        except (OSError, EOFError, ValueError, KeyError, TypeError, PyzzicatoError) as error:
            _LOG.warning("A visit cannot be brought back: %s", error)
            return None

    def _path(self, token: str) -> Path:
        return self._folder / f"{hashlib.sha256(token.encode()).hexdigest()[:32]}.json.gz"

    def _write(self, token: str, saved: Saved) -> None:
        data = gzip.compress(json.dumps(_plain(saved)).encode(), 3)
        with self._lock:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                write_whole(self._path(token), data)
                kept = sorted(self._folder.glob("*.json.gz"), key=lambda path: path.stat().st_mtime)
                for path in kept[:-_ON_DISK]:
                    path.unlink(missing_ok=True)
            except (OSError, PyzzicatoError) as error:
                _LOG.warning("A visit cannot be kept on disk: %s", error)


def _plain(saved: Saved) -> dict[str, Any]:
    """A visit as plain values; of long ones the newest scenes."""
    scenes: list[dict[str, Any]] = []
    room = _NOTES
    for scene in reversed(saved.scenes):
        takes = scene.piece.job.progress().takes if scene.piece else ()
        room -= len(scene.start.music) + sum(map(len, takes))
        if room < 0 and scenes:
            break
        scenes.insert(0, _plain_scene(scene))
    undone = [_plain_scene(scene) for scene in saved.undone] if room > 0 else []
    return {"scenes": scenes, "undone": undone, "written": dict(saved.written)}


def _plain_scene(scene: Scene) -> dict[str, Any]:
    piece = scene.piece
    return {
        "start": _plain_start(scene.start),
        "piece": None if piece is None else _plain_piece(piece),
        "take": scene.take,
        "settings": dict(scene.settings),
    }


def _plain_start(start: Start) -> dict[str, Any]:
    return {**asdict(replace(start, music=NoteSequence())), "music": _plain_music(start.music)}


def _plain_music(music: NoteSequence) -> dict[str, Any]:
    return {"qpm": music.qpm, "notes": [list(note) for note in music]}


def _plain_piece(piece: Piece) -> dict[str, Any]:
    progress = piece.job.progress()
    return {
        "number": piece.number,
        "start": _plain_start(piece.start),
        "model": piece.info.id,
        "controls": asdict(piece.controls),
        "takes": [_plain_music(take) for take in progress.takes],
        "made": progress.made,
        "stopped": progress.stopped,
        "error": progress.error,
        "written": progress.texts,
        "texts": dict(piece.texts),
        "read": piece.read,
        "mixed": [[other.name, _plain_music(other.music)] for other in piece.mixed],
        "morph": piece.morph,
    }


def _saved(plain: dict[str, Any], models: Mapping[str, ModelInfo]) -> Saved:
    """A visit from plain values; raises KeyError and the like where they are not one."""

    def scenes(name: str) -> tuple[Scene, ...]:
        return tuple(_scene(each, models) for each in plain[name])

    found = Saved(scenes("scenes"), scenes("undone"), dict(plain["written"]))
    if not found.scenes:
        raise ValueError("there is no scene in it")
    return found


def _scene(plain: dict[str, Any], models: Mapping[str, ModelInfo]) -> Scene:
    piece = None if plain["piece"] is None else _piece(plain["piece"], models)
    settings = dict(plain["settings"])
    if settings["model"] not in models:
        raise KeyError(settings["model"])
    return Scene(_start(plain["start"]), piece, int(plain["take"]), settings)


def _start(plain: dict[str, Any]) -> Start:
    more = {"music": _music(plain["music"]), "borders": tuple(plain["borders"])}
    return Start(**{**plain, **more})


def _music(plain: dict[str, Any]) -> NoteSequence:
    return NoteSequence(tuple(Note(*note) for note in plain["notes"]), qpm=plain["qpm"])


def _piece(plain: dict[str, Any], models: Mapping[str, ModelInfo]) -> Piece:
    info = models[plain["model"]]
    progress = Progress(
        takes=tuple(_music(take) for take in plain["takes"]),
        made=tuple(plain["made"]),
        running=False,
        stopped=plain["stopped"],
        error=plain["error"],
        left=0.0,
        texts=tuple(plain["written"]),
    )
    return Piece(
        number=plain["number"],
        start=_start(plain["start"]),
        info=info,
        controls=info.controls(**plain["controls"]),
        takes=len(progress.takes),
        job=Job.ended(progress),
        texts=plain["texts"],
        read=plain["read"],
        mixed=_others(plain["mixed"]),
        morph=plain["morph"],
    )


def _others(plain: Sequence[tuple[str, dict[str, Any]]]) -> tuple[Other, ...]:
    return tuple(Other(name, _music(music)) for name, music in plain)
