"""Compose: the settings on the left, the music beside them."""

import streamlit as st

from pyzzicato.ui import page, score_panel, settings_panel, shell

shell.open_page("Compose")
view = page.open_view()
with st.container(key="page", horizontal=True, wrap=False):
    with st.container(key="wings"):
        settings_panel.draw(view)
    with st.container(key="stage"):
        score_panel.draw(view)
page.close_view(view)
shell.close_page(band=view.hears_band)
settings_panel.warm_up(view)
