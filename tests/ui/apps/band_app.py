"""A page for the browser tests: the player with a band, and nothing that could disturb it."""

import streamlit as st

from pyzzicato.music.notes import NoteSequence
from pyzzicato.ui.player import page_code, player, sound_bank, takes_row
from tests.small_band import band_piece

page_code()
music = band_piece()
player(
    seed=music.trim(0, 4),
    continuation=music.trim(4, 12),
    border=4.0,
    expected=8.0,
    running=False,
    take="0",
    piece="1",
    autoplay=False,
    key="player",
)
takes_row([music, NoteSequence(music.notes[::3])], 0, "takes")
st.text("ready")
sound_bank(band=True)
