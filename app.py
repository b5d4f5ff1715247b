"""The app: which pages there are. Each page opens itself, so a link straight to one works too."""

import streamlit as st

st.navigation(
    [
        st.Page("pages/1_Compose.py", title="Compose", default=True),
        st.Page("pages/3_Models.py", title="Models", url_path="Models"),
        st.Page("pages/4_Scores.py", title="Scores", url_path="Scores"),
        st.Page("pages/5_Listen.py", title="Listen", url_path="Listen"),
        st.Page("pages/9_About.py", title="About", url_path="About"),
    ],
    position="hidden",
).run()
