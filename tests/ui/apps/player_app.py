"""A page for the browser tests: the player and the cards, moved on by buttons, never by time."""

import streamlit as st

from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.ui.player import (
    Known,
    SeedCard,
    page_code,
    player,
    seed_cards,
    sound_bank,
    takes_row,
)

EXPECTED = 20.0


def tune(seconds: float, shift: int = 0) -> NoteSequence:
    """A scale in quavers over a held bass, three notes a second."""
    high = [
        Note(i / 2, i / 2 + 0.45, 60 + shift + (0, 2, 4, 7, 9, 12)[i % 6], 60 + 12 * (i % 5))
        for i in range(int(seconds * 2))
    ]
    low = [Note(float(i), i + 0.95, 41 + shift, 50) for i in range(int(seconds))]
    return NoteSequence((*high, *low))


state = st.session_state
for name, value in {"piece": 0, "made": 0.0, "running": False, "take": 0, "seed": "low"}.items():
    state.setdefault(name, value)


def compose() -> None:
    state.update(piece=state.piece + 1, made=0.0, running=True, take=0)


def more(seconds: float) -> None:
    state.made = min(EXPECTED, state.made + seconds)


def finish() -> None:
    state.update(made=EXPECTED, running=False)


row = st.columns(5)
row[0].button("Compose", on_click=compose, type="primary")
row[1].button("More", on_click=more, args=(3.0,))
row[2].button("Finish", on_click=finish)
row[3].button("Rerun", on_click=lambda: state.update(runs=state.get("runs", 0) + 1))
row[4].text(f"runs {state.get('runs', 0)}")

page_code()
border = 0.0 if "empty" in st.query_params else 4.0
takes = [tune(EXPECTED, shift).trim(0, state.made) for shift in (1, 3, 5)]
result = player(
    seed=tune(border),
    continuation=takes[state.take],
    border=border,
    expected=EXPECTED,
    running=state.running,
    take=str(state.take),
    piece=str(state.piece),
    autoplay=state.piece > 0,
    made=state.made,
    offer_continue=True,
    known=Known(1.0, 3.0, "As in a <b>fugue") if "known" in st.query_params else None,
    key="player",
)
if result:
    st.text(f"continue at {result.continue_at:.1f}")
if state.piece:
    state.take = takes_row(takes, state.take, "takes", seconds=EXPECTED, running=state.running)
    st.text(f"take {state.take}")

seeds = [
    SeedCard("low", "Low <b>scale</b>", "4 s", tune(4)),
    SeedCard("high", "High scale", "5 s", tune(5, 12)),
    SeedCard("higher", "Higher scale", "6 s", tune(6, 24)),
]
state.seed = seed_cards(seeds, state.seed, "seeds")
st.text(f"seed {state.seed}")
sound_bank()
