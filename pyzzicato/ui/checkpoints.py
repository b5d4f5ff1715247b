"""On the Models page: all checkpoints of a network side by side, from the same first character."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pyzzicato.errors import PyzzicatoError
from pyzzicato.families.abc.checkpoints import Attempt, attempts
from pyzzicato.generation.controls import declared
from pyzzicato.registry import ModelInfo
from pyzzicato.ui import shell
from pyzzicato.ui.player import SeedCard, player, seed_cards

__all__ = ["show_checkpoints"]

_COLUMNS = 3
_LINES = 9  # of each text


@st.cache_data(max_entries=16, show_spinner=False)
def _written(
    _info: ModelInfo, model: str, changed: int, start: str, characters: int, rng_seed: int
) -> tuple[Attempt, ...]:
    return attempts(_info, start=start, characters=characters, rng_seed=rng_seed)


def show_checkpoints(info: ModelInfo) -> None:
    """What each checkpoint writes: texts beside each other, one of them on the stage.

    Nothing for a model without checkpoints; nothing is written before the button is pressed.
    """
    items = {item.name: item for item in declared(info.controls)}
    if not {"checkpoint", "start"} <= items.keys():
        return
    shell.line("See it learn", "label")
    shell.line(
        "Its checkpoints, each after ten more epochs, begin with the same character and draw "
        "the same lots."
    )
    key = f"learn-{info.id}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        start: Any = st.selectbox(
            items["start"].label,
            items["start"].choices,
            index=items["start"].choices.index(items["start"].default),
            key=f"{key}-start",
            width=140,
        )
        characters: Any = st.select_slider(
            items["characters"].label, [300, 400, 500, 600], 400, key=f"{key}-length", width=220
        )
        dice: Any = st.number_input(
            items["rng_seed"].label, 0, 999, 1, key=f"{key}-dice", width=140
        )
        pressed = st.button("Write", key=f"{key}-write")
    if pressed:
        st.session_state[key] = (start, int(characters), int(dice))
    if asked := st.session_state.get(key):
        try:
            changed = info.weights.stat().st_mtime_ns
            found = _written(info, info.id, changed, *asked)
        except (PyzzicatoError, OSError) as error:
            shell.problem(str(error))
            return
        _show_texts(found)
        _show_music(found, key)


def _show_texts(found: tuple[Attempt, ...]) -> None:
    for first in range(0, len(found), _COLUMNS):
        row = found[first : first + _COLUMNS]
        for column, attempt in zip(st.columns(_COLUMNS), row, strict=False):
            with column:
                shell.line(f"{attempt.epochs} epochs", "label")
                shell.line(attempt.sentence)
                lines = attempt.text.splitlines()
                shown = "\n".join(lines[:_LINES]) + ("\n…" if len(lines) > _LINES else "")
                st.code(shown, language=None, wrap_lines=True)


def _show_music(found: tuple[Attempt, ...], key: str) -> None:
    """The music of one of them to hear; only those that have any can be chosen."""
    playable = {str(attempt.epochs): attempt for attempt in found if len(attempt.music)}
    if not playable:
        shell.line("None of them holds a note: try another character.")
        return
    cards = [
        SeedCard(name, f"{name} epochs", attempt.sentence, attempt.music)
        for name, attempt in playable.items()
    ]
    last = cards[-1].id
    chosen = seed_cards(
        cards,
        st.session_state.get(f"{key}-chosen", last),
        f"{key}-cards",
        label="Checkpoints",
        on_pick=lambda pick: st.session_state.update({f"{key}-chosen": pick}),
    )
    attempt = playable.get(str(chosen), playable[last])
    player(
        seed=type(attempt.music)(),
        continuation=attempt.music,
        border=0.0,
        expected=attempt.music.duration,
        running=False,
        take=f"{key}-{attempt.epochs}",
        autoplay=False,
        key=f"{key}-player",
        height=240,
        piece=f"{key}-{attempt.epochs}",
    )
