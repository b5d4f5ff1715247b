"""Listen: a blind test of models beside real openings, and what listeners said so far."""

import streamlit as st

from pyzzicato.composition.listening import Answers, answers_file
from pyzzicato.errors import PyzzicatoError
from pyzzicato.registry import models
from pyzzicato.ui import shell
from pyzzicato.ui.listening import show_results, show_test
from pyzzicato.ui.tables import style

READABLE = 760  # pixels

shell.open_page("Listen")
shell.title("Listen")
style()
try:
    known = list(models().values())
except PyzzicatoError as error:
    shell.problem(str(error))
else:
    answers = Answers(answers_file())
    with st.container(width=READABLE):
        shell.line(
            "A blind test. The real piece is a built-in opening, played evenly from its score, not "
            "by a pianist: judge its expressivity with that in mind. The others are what models "
            "wrote after other openings, without those, and as long."
        )
        show_test(known, answers)
        shell.heading("What was said so far")
        show_results(known, answers)
        shell.line(
            f"Answers are kept in {answers.path} on the computer that runs the app. "
            "Nothing is sent anywhere."
        )
    shell.close_page()
