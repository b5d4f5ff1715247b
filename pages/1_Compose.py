"""Compose: the settings in the wings, the music on the stage."""

import streamlit as st

from pyzzicato.ui import session, shell, stage, wings

shell.open_page("Compose")
view = session.open_view()
with st.container(key="page", horizontal=True, wrap=False):
    with st.container(key="wings"):
        wings.draw(view)
    with st.container(key="stage"):
        stage.draw(view)
session.close_view(view)
shell.close_page(band=view.hears_band)
wings.warm_up(view)
