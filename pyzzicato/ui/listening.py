"""The blind test on the page: samples A, B, C to hear and rate, then what they were."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import streamlit as st

from pyzzicato.composition.listening import (
    NEITHER,
    REAL,
    SCALES,
    Answers,
    Mean,
    Trial,
    make_trial,
    suited,
)
from pyzzicato.errors import PyzzicatoError
from pyzzicato.music.composers import find_composer
from pyzzicato.registry import ModelInfo
from pyzzicato.reports.tables import Table
from pyzzicato.ui import shell
from pyzzicato.ui.player import player
from pyzzicato.ui.tables import show_table

__all__ = ["show_results", "show_test"]

LETTERS = "ABCDEFGHIJ"
MOST = 4  # models in one test
USUAL = 2
ASKED = {
    "musicality": "Musicality: is it music that holds together?",
    "fidelity": "Fidelity: does it sound like {composer}?",
    "expressivity": "Expressivity: does it say something, and is it played with feeling?",
}
NO_DIFFERENCE = "no difference"


def show_test(models: Sequence[ModelInfo], answers: Answers) -> None:
    """What to choose, the samples with their questions, and after that what they were."""
    ready = {info.id: info for info in suited(models)}
    if not ready:
        shell.problem("No model here writes in a composer's style: fetch the project's files.")
        return
    chosen = st.pills(
        f"Models in the test, at most {MOST}",
        list(ready),
        selection_mode="multi",
        default=list(ready)[:USUAL],
        format_func=lambda name: ready[name].title,
        key="listen-models",
    )
    test: Trial | None = st.session_state.get("listen-test")
    word = "Begin a test" if test is None else "Another test"
    if st.button(word, key="listen-begin", disabled=not 1 <= len(chosen) <= MOST):
        _begin([ready[name] for name in chosen])
    if test is None:
        return
    if st.session_state.get("listen-kept"):
        _reveal(test)
    else:
        _ask(test, answers)


def _begin(models: Sequence[ModelInfo]) -> None:
    """Composes a new test and forgets the one before; where it cannot, it says why."""
    try:
        with st.spinner("Composing the samples"):
            test = make_trial(models, secrets.randbelow(2**31))
    except PyzzicatoError as error:
        shell.problem(str(error))
        return
    st.session_state["listen-test"] = test
    st.session_state["listen-kept"] = False
    st.rerun()  # so that the button is for another one


def _ask(test: Trial, answers: Answers) -> None:
    composer = find_composer(test.composer)
    shell.line(f"In the style of {composer.name}", "label")
    shell.line(
        f"{len(test.samples)} pieces of {test.samples[0].music.duration:.0f} s or so, in an order "
        "drawn by lots. One is real, the others were written by models. From 1, not at all, to 5."
    )
    for place in range(len(test.samples)):
        _sample(test, place, composer.short)
    shell.line("Which would you rather hear again?", "label")
    for a, b in test.pairs:
        st.segmented_control(
            f"{LETTERS[a]} or {LETTERS[b]}",
            [LETTERS[a], LETTERS[b], NO_DIFFERENCE],
            key=f"listen-{test.rng_seed}-{a}-{b}",
        )
    if st.button("Keep my answers", key="listen-keep"):
        _keep(test, answers)


def _sample(test: Trial, place: int, composer: str) -> None:
    """One sample without its name, and the three scales."""
    shell.line(LETTERS[place], "label")
    key = _play(test, place)
    for scale in SCALES:
        st.segmented_control(
            ASKED[scale].format(composer=composer), range(1, 6), key=f"{key}-{scale}"
        )


def _play(test: Trial, place: int) -> str:
    """The player of one sample; returns what begins the keys of all that belongs to it."""
    music = test.samples[place].music
    key = f"listen-{test.rng_seed}-{place}"
    player(
        seed=type(music)(),
        continuation=music,
        border=0.0,
        expected=music.duration,
        running=False,
        take=key,
        autoplay=False,
        key=f"{key}-player",
        height=0,  # a written score looks different from a performance
        piece=key,
    )
    return key


def _keep(test: Trial, answers: Answers) -> None:
    """Keeps what was said where all of it was; otherwise says what is missing."""
    state, begin = st.session_state, f"listen-{test.rng_seed}"
    ratings = [
        {scale: state.get(f"{begin}-{place}-{scale}") for scale in SCALES}
        for place in range(len(test.samples))
    ]
    said = {pair: state.get(f"{begin}-{pair[0]}-{pair[1]}") for pair in test.pairs}
    missing = sum(value is None for row in ratings for value in row.values())
    missing += sum(value is None for value in said.values())
    if missing:
        some = f"{missing} answers are" if missing > 1 else "One answer is"
        shell.problem(f"{some} missing: give all of them, then keep them.")
        return
    chosen = {
        pair: None if value == NO_DIFFERENCE else LETTERS.index(str(value))
        for pair, value in said.items()
    }
    try:
        answers.keep(test, [{k: int(v or 0) for k, v in row.items()} for row in ratings], chosen)
    except PyzzicatoError as error:
        shell.problem(str(error))
        return
    state["listen-kept"] = True
    st.rerun()


def _reveal(test: Trial) -> None:
    """What the samples were, to hear once more."""
    shell.line("Your answers are kept. This is what you heard:", "label")
    for place, sample in enumerate(test.samples):
        real = "real: " if sample.what == REAL else ""
        shell.line(f"{LETTERS[place]} was {real}{sample.title}.")
        _play(test, place)


def _rated(found: Mean) -> str:
    reach = "" if found.reach is None else f" ± {found.reach:.2f}"
    return f"{found.mean:.2f}{reach}"


def show_results(models: Sequence[ModelInfo], answers: Answers) -> None:
    """Means and comparisons of all tests so far, and the answers as files."""
    titles = {info.id: info.title for info in models} | {REAL: "real openings", NEITHER: ""}
    try:
        means, pairs = answers.means(), answers.pairs()
        files = {name: answers.as_csv(name) for name in ("ratings", "preferences")}
    except PyzzicatoError as error:
        shell.problem(str(error))
        return
    if not means:
        shell.line("Nothing has been kept yet.")
        return
    rows = [
        (titles.get(what, what), str(found[SCALES[0]].n), *(_rated(found[s]) for s in SCALES))
        for what, found in means.items()
    ]
    show_table(Table(("what", "ratings", *SCALES), tuple(rows)))
    compared = tuple(
        (
            f"{titles.get(pair.one, pair.one)} rather than {titles.get(pair.other, pair.other)}",
            f"{pair.wins} of {pair.wins + pair.losses}" if pair.wins + pair.losses else "never",
            f"{pair.low:.0%} to {pair.high:.0%}" if pair.wins + pair.losses else "",
            str(pair.ties),
        )
        for pair in pairs
    )
    show_table(Table(("preferred", "times", "95 % interval", "no difference"), compared))
    with st.container(horizontal=True, key="listen-files"):
        for name, data in files.items():
            st.download_button(
                f"{name.capitalize()} as CSV",
                data,
                f"pyzzicato-{name}.csv",
                "text/csv",
                on_click="ignore",
                key=f"listen-{name}",
            )
