"""What all visitors share: the models, loaded once and never changed."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pyzzicato.errors import ModelUnavailable
from pyzzicato.families.band.vae.styles import STYLES_FILE, StyleLibrary, load_library
from pyzzicato.generation.generator import Generator
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo
from pyzzicato.ui.memory import settle

__all__ = ["generator", "missing", "reads", "styles"]


def generator(info: ModelInfo) -> Generator:
    """The model, ready to play; raises ModelUnavailable where its file is missing or damaged."""
    changed = info.weights.stat().st_mtime_ns if info.weights.exists() else 0
    return _generator(str(info.folder), changed, info)


@st.cache_resource(max_entries=8, show_spinner=False)
def _generator(folder: str, changed: int, _info: ModelInfo) -> Generator:
    """`folder` and `changed` (time of the weights) tell one set of weights from another."""
    made = _info.load()
    settle()  # it, and what is free again: what it took to make it, or a model it took the place of
    return made


def reads(info: ModelInfo, seed: NoteSequence) -> str:
    """What the model makes of a seed, where that is not all of it; loads the model."""
    if not seed:
        return ""
    try:
        return generator(info).reads(seed)
    except ModelUnavailable:
        return ""  # said elsewhere


def styles(info: ModelInfo) -> StyleLibrary:
    """The styles that come with a model that mixes them; raises ModelUnavailable."""
    path = info.folder / STYLES_FILE
    return _styles(path, path.stat().st_mtime_ns if path.exists() else 0)


@st.cache_resource(max_entries=8, show_spinner=False)
def _styles(path: Path, changed: int) -> StyleLibrary:
    """`changed` is the time of the file."""
    return load_library(path)


def missing(info: ModelInfo) -> str:
    """Why this model cannot play, in one sentence; "" where its weights are there."""
    if info.weights.exists():
        return ""
    return (
        f"{info.title} has no trained weights here: choose another model, or train it with "
        f"“pyzzicato train {info.id}”."
    )
