"""What every widget of the Compose page has in common: what it shows, and what a press means.

Streamlit forgets a widget that is not drawn, so the settings live in the `View`: `draw_value` makes
a widget show its setting, and `gather` takes over what was changed by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import streamlit as st

if TYPE_CHECKING:
    from pyzzicato.ui.session import View

__all__ = ["draw_anew", "draw_choice", "draw_value", "gather", "show", "toggle", "was_pressed"]


def show(key: str, value: Any) -> Any:
    """`value`, which the widget `key` is to show; give it to the widget as its own value as well.

    A widget whose limits change is a new one to Streamlit, and forgets what the session said.
    One that is new to the browser reports its own value before it hears what the session says.
    """
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    return value


def draw_value(view: View, name: str) -> dict[str, Any]:
    """Key, value and callback for the widget of setting `name`."""
    value = show(f"set-{name}", view.settings[name])
    view.shown[name] = value
    return {"value": value, "key": f"set-{name}", "on_change": gather, "args": (view,)}


def draw_choice(view: View, name: str, options: Sequence[str]) -> dict[str, Any]:
    """The same for a list of `options`, which takes the place of a value."""
    settings = draw_value(view, name)
    return {"options": options, "index": options.index(settings.pop("value")), **settings}


def gather(view: View, but: str = "") -> None:
    """Takes over what was changed by hand, `but` one; every callback calls it first.

    What a widget says counts only where it is not what it was last told to show: between the two
    the setting itself may have changed.
    """
    st.session_state["pressed"] = True
    for name in view.settings:
        value = st.session_state.get(f"set-{name}")
        if value is not None and value != view.shown.get(name):
            view.shown[name] = value
            if name != but:
                view.settings[name] = value


def was_pressed() -> bool:
    """Whether this run of the page began with a press; says so once."""
    return bool(st.session_state.pop("pressed", False))


def toggle(what: str) -> None:
    """Opens or closes a longer list, by its name in the session; for callbacks."""
    st.session_state["pressed"] = True
    st.session_state[what] = not st.session_state.get(what, False)


def draw_anew() -> NoReturn:
    """Draws the whole page anew, with the settings as they are."""
    st.session_state["pressed"] = True
    st.rerun()
