"""Models: what plays, how it works, what it was taught."""

import streamlit as st

from pyzzicato.registry import models
from pyzzicato.ui import resources, shell

shell.open_page("Models")
shell.title("Models")
for info in models().values():
    with st.container(key=f"model-{info.id}"):
        shell.line(info.title, "label")
        shell.line(info.summary)
        if resources.missing(info):
            shell.problem(resources.missing(info))
