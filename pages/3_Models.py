"""Models: what plays, how it works, how well it does, what it was taught."""

import re
from html import escape

import streamlit as st

from pyzzicato.composition.order import compose
from pyzzicato.errors import PyzzicatoError
from pyzzicato.registry import ModelInfo, models
from pyzzicato.reports.cards import UNMEASURED, Facts, facts
from pyzzicato.reports.tables import Table
from pyzzicato.ui import resources, shell
from pyzzicato.ui.checkpoints import show_checkpoints
from pyzzicato.ui.examples import show_examples
from pyzzicato.ui.player import sound_bank
from pyzzicato.ui.tables import show_table, style

EXAMPLE_SECONDS = 20
READABLE = 760  # pixels: a longer line is hard to follow
SENTENCE_PART = re.compile(r"[:;.]")


def show_overview(known: list[tuple[ModelInfo, Facts]]) -> None:
    """All models in one table, whose names lead to the cards."""
    head = ("System", "Year", "Idea", "Size", "Best figure")
    rows = tuple(
        (i.title, str(i.year), SENTENCE_PART.split(i.summary)[0], f.megabytes, f.best_figure)
        for i, f in known
    )
    links = {info.title: f"#{info.id}" for info, _ in known}
    with st.container(key="overview"):  # its style on a telephone is in shell.css
        show_table(Table(head, rows), wrapped=True, links=links)


@st.cache_data(max_entries=8, show_spinner=False)
def example(model: str, changed: int) -> bytes:
    """The model's first 20 seconds with everything as it comes, as MP3."""
    from pyzzicato.render.audio import sound_file

    return sound_file(compose(model=model, seconds=EXAMPLE_SECONDS).sequence, "mp3")


def show_example(info: ModelInfo) -> None:
    """Composes and plays, because a button was pressed."""
    try:
        sound = example(info.id, info.weights.stat().st_mtime_ns)
    except PyzzicatoError as error:
        shell.problem(str(error))
        return
    shell.line("Its seed first, then what it composed, everything as it comes.")
    st.audio(sound, format="audio/mpeg", autoplay=True)


def show_card(info: ModelInfo, card: Facts) -> None:
    """One model: in sentences first, to hear, and its figures folded away below."""
    st.html(f'<h2 class="pz-card" id="{escape(info.id)}">{escape(info.title)}</h2>')
    shell.line(f"Source: {info.source}. Size: {card.size}.")
    st.text(" ".join(info.card.get("works", ())))
    missing = resources.missing(info)
    if missing:
        shell.problem(missing)
    else:
        with st.container(key=f"card-{info.id}", horizontal=True, vertical_alignment="center"):
            st.page_link(
                shell.PAGES["Compose"], label="Compose with this", query_params={"model": info.id}
            )
            pressed = st.button("Hear an example", key=f"hear-{info.id}")
            st.html('<a href="#top">All models</a>')
        if pressed:
            show_example(info)
        show_examples(info)
        show_checkpoints(info)
    if not card.sections:
        shell.line(UNMEASURED.replace("`", ""))
    shell.line(card.commercial)
    with st.container(key=f"more-{info.id}", gap=None):
        show_more(info, card)


def show_more(info: ModelInfo, card: Facts) -> None:
    """What is long, each part in a fold of its own."""
    if card.sections:
        with st.expander("Figures"):
            for section in card.sections:
                shell.line(section.heading, "label")
                if section.note:
                    shell.line(section.note)
                show_table(section.table, wrapped=section.wrapped)
    for heading, sentences in (
        ("Where it differs from its source", info.card.get("differs", ())),
        ("What it cannot do", info.card.get("limits", ())),
    ):
        if sentences:
            with st.expander(heading):
                for sentence in sentences:
                    shell.line(sentence)
    known = [table for table in (card.training, card.licences, card.composers) if table.rows]
    if known:
        with st.expander("Training, licences and composers"):
            for table in known:
                show_table(table)


shell.open_page("Models")
shell.title("Models")
style()
try:
    cards = [(info, facts(info)) for info in models().values()]
except PyzzicatoError as error:
    shell.problem(str(error))
else:
    show_overview(cards)
    for info, card in cards:
        with st.container(key=f"model-{info.id}", width=READABLE):
            show_card(info, card)
    sound_bank()
