"""Widgets drawn from the declaration of a control: numbers as sliders, words as lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pyzzicato.generation.controls import Control, declared
from pyzzicato.ui.session import View
from pyzzicato.ui.widgets import draw_choice, draw_value

__all__ = ["draw_control", "main_control", "others", "without_effect"]

_ELSEWHERE = (
    "composer",
    "composer_2",
    "mix",
    "seconds",
    "rng_seed",
)  # these have places of their own in the wings
_MANY = 1000  # whole numbers with more values than this are typed


def main_control(view: View) -> Control | None:
    """The control that is the model's wildness, if it has one."""
    return next((item for item in declared(view.info.controls) if item.main), None)


def others(view: View) -> list[Control]:
    """The controls under *more controls*: all but the main one, those with a place, hidden ones."""
    items = declared(view.info.controls)
    return [i for i in items if not i.main and not i.hidden and i.name not in _ELSEWHERE]


def without_effect(item: Control, view: View) -> str:
    """Why turning this changes nothing now, in one sentence; "" where it does."""
    if item.only_when is None:
        return ""
    other, values = item.only_when
    if view.settings[other] in values or (other == "style" and view.mixed):
        return ""
    label = next(each.label for each in declared(view.info.controls) if each.name == other)
    return f"Has an effect only where “{label}” is {' or '.join(values)}."


def draw_control(item: Control, view: View, label: str | None = None) -> None:
    """The widget of one control; grey where it has no effect, and then its help says why.

    What it does stands beside it in a sentence, so there is no other help.
    """
    reason = without_effect(item, view)
    settings: dict[str, Any] = {
        "label": label or item.label,
        "help": reason or None,
        "disabled": bool(reason),
    }
    if item.choices:
        chosen = draw_choice(view, item.name, item.choices)
        st.selectbox(format_func=_capital, **settings, **chosen)
        return
    settings |= draw_value(view, item.name)
    if item.kind is bool:
        st.toggle(**settings)
    elif item.kind in (int, float) and None not in (item.minimum, item.maximum):
        _draw_number(item, settings)
    else:
        st.text_input(**settings)


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:] if len(word) > 1 else word  # one letter is meant as it is


def _draw_number(item: Control, settings: Mapping[str, Any]) -> None:
    low, high = item.kind(item.minimum), item.kind(item.maximum)
    step = item.kind(item.step or (1 if item.kind is int else (high - low) / 100))
    form = "%d" if step == int(step) else "%.2f"
    if item.unit:
        form += " s" if item.unit == "seconds" else f" {item.unit}"
    if item.kind is int and high - low > _MANY:
        st.number_input(min_value=low, max_value=high, step=step, **settings)
    else:
        st.slider(min_value=low, max_value=high, step=step, format=form, **settings)
