"""Pieces that a model made once with fixed settings: cards to choose from, and the player."""

from __future__ import annotations

import streamlit as st

from pyzzicato.composition.examples import Example, examples
from pyzzicato.errors import PyzzicatoError
from pyzzicato.registry import ModelInfo
from pyzzicato.ui import shell
from pyzzicato.ui.player import SeedCard, player, seed_cards

__all__ = ["about", "show_examples"]

NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


@st.cache_resource(max_entries=16, show_spinner=False)
def _kept(_info: ModelInfo, model: str, changed: int) -> list[Example]:
    return examples(_info)


def show_examples(info: ModelInfo) -> None:
    """The kept pieces of a model, the first one on the stage; nothing where there are none."""
    listing = info.folder / "examples" / "examples.json"
    if not listing.exists():
        return
    try:
        found = _kept(info, info.id, listing.stat().st_mtime_ns)
    except PyzzicatoError as error:
        shell.problem(str(error))
        return
    many = NUMBERS[len(found)] if len(found) < len(NUMBERS) else str(len(found))
    shell.line(f"{many} examples, as they came", "label")
    shell.line("Fixed settings, one try each; the seed first, then what the network wrote.")
    key = f"example-{info.id}"
    cards = [
        SeedCard(each.id, each.title, about(each), each.seed.followed_by(each.continuation))
        for each in found
    ]
    chosen = seed_cards(
        cards,
        st.session_state.get(f"{key}-chosen", found[0].id),
        f"{key}-cards",
        label="Examples",
        on_pick=lambda pick: st.session_state.update({f"{key}-chosen": pick}),
    )
    shown = next(each for each in found if each.id == chosen)
    player(
        seed=shown.seed,
        continuation=shown.continuation,
        border=shown.border,
        expected=shown.continuation.duration,
        running=False,
        take=shown.id,
        autoplay=False,
        key=f"{key}-player",
        height=240,
        piece=shown.id,
    )


def about(each: Example) -> str:
    """What stands below a piece's title: how long it is, and what it goes on from."""
    begun = f"{each.border:.0f} s of seed" if each.seed else "from nothing"
    return f"{begun}, {each.continuation.duration:.0f} s new"
