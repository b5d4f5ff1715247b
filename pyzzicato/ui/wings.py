"""The wings: in whose style, from where, by which model, how long, how wild; and Compose."""

from __future__ import annotations

import streamlit as st

from pyzzicato.composers import COMPOSERS, Composer
from pyzzicato.controls import declared
from pyzzicato.errors import PyzzicatoError, UnreadableMusic
from pyzzicato.limits import check_size
from pyzzicato.midi import piano_part, read_music
from pyzzicato.seeds import Seed, all_seeds, find_seed, seeds_by
from pyzzicato.ui import links, resources, shell
from pyzzicato.ui.controls import draw_control, main_control, others, without_effect
from pyzzicato.ui.player import SeedCard, seed_cards
from pyzzicato.ui.state import (
    Start,
    View,
    draw_value,
    gather,
    library_start,
    nothing_start,
)

__all__ = ["draw", "warm_up"]

_FIRST = 6  # composers shown before "more"
_CARDS = 3  # openings shown before "more"
_OPENING = 20.0  # seconds of a longer file that are taken unless the person says otherwise


def draw(view: View) -> None:
    """All settings, and the button that starts or stops."""
    # For the telephone, where the settings fold away; it never changes, so it stays as it was left.
    st.html('<details class="pz-fold"><summary>Settings</summary></details>')
    shell.line(f"{view.composer.short}, {view.settings['seconds']:.0f} s", "brief")
    if view.problems.get("link"):
        shell.problem(view.problems["link"])
    with st.container(key="wings-scroll"):
        _style(view)
        _start(view)
        _model(view)
        _turn(view)
    with st.container(key="wings-foot"):
        _button(view)


def warm_up(view: View) -> None:
    """Loads the chosen model after the page is drawn, so that Compose starts at once."""
    if not resources.missing(view.info):
        try:
            resources.generator(view.info)
        except PyzzicatoError as error:
            if view.problems.get(f"model {view.info.id}") != str(error):
                view.problems[f"model {view.info.id}"] = str(error)
                st.rerun()


def _style(view: View) -> None:
    shell.line("In the style of", "label")
    taught = set(view.info.composers)
    ranked = sorted(
        (c for c in COMPOSERS if c.id in taught), key=lambda c: (-len(seeds_by(c.id)), c.short)
    )
    if view.settings["composer"] not in taught:
        view.settings["composer"] = ranked[0].id
    chosen = view.composer
    first = ranked[:_FIRST]
    if chosen not in first:
        first = [*first, chosen]
    everyone = st.session_state.get("everyone", False)
    names = {c.id: c for c in (ranked if everyone else first)}
    if st.session_state.get("style") != chosen.id:
        st.session_state["style"] = chosen.id
    st.pills(
        "In the style of",
        list(names),
        format_func=lambda name: names[name].short,
        key="style",
        required=True,
        label_visibility="collapsed",
        on_change=_take_style,
        args=(view,),
    )
    with st.container(key="style-more", horizontal=True, vertical_alignment="center"):
        shell.line(f"{chosen.name}, {chosen.years}")
        rest = len(ranked) - len(first)
        if rest > 0:
            st.button(
                "fewer" if everyone else f"{rest} more",
                key="more-composers",
                type="tertiary",
                on_click=_toggle,
                args=("everyone",),
            )


def _take_style(view: View) -> None:
    chosen = st.session_state["style"]
    if chosen:
        gather(view)
        view.problems.pop("link", None)
        view.choose_composer(chosen)


def _toggle(what: str) -> None:
    st.session_state[what] = not st.session_state.get(what, False)


def _start(view: View) -> None:
    shell.line("Start from", "label")
    kinds = {links.NOTHING: "nothing", links.UPLOAD: "file", links.RESULT: "result"}
    kind = "file" if view.asks_file else kinds.get(view.start.id, "library")
    words = {"library": "Library", "file": "Your file", "nothing": "Nothing"}
    if kind == "result":
        words = {"result": "This piece", **words}
    st.session_state["from"] = kind
    st.segmented_control(
        "Start from",
        list(words),
        format_func=words.__getitem__,
        key="from",
        required=True,
        label_visibility="collapsed",
        width="stretch",
        on_change=_take_kind,
        args=(view,),
    )
    if kind == "library":
        _library(view)
    elif kind == "file":
        _file(view)
    elif kind == "result":
        shell.line(f"{view.start.words()}: {view.start.music.duration:.0f} s so far.")
    else:
        shell.line("Only the composer's name, and silence before the first note.")


def _take_kind(view: View) -> None:
    kind = st.session_state["from"]
    gather(view)
    view.problems.pop("link", None)
    if kind == "nothing":
        view.begin_with(nothing_start())
    elif kind == "library":
        own = seeds_by(view.settings["composer"]) or all_seeds()
        view.begin_with(library_start(own[0].id))
    elif kind == "file":
        view.asks_file = True
        if view.upload is not None:
            _use_file(view)


def _library(view: View) -> None:
    seeds = list(seeds_by(view.settings["composer"]))
    chosen = find_seed(view.start.id)
    everything = st.session_state.get("all-seeds", False)
    shown = seeds if everything else seeds[:_CARDS]
    if chosen not in shown:
        shown = [chosen, *(shown if everything else shown[: _CARDS - 1])]
    with st.container(key="seeds"):
        seed_cards(
            [_card(seed, view.composer) for seed in shown],
            view.start.id,
            "seed-cards",
            label="Openings",
            on_pick=lambda pick: _take_seed(view, pick),
        )
    if everything:
        _elsewhere(view, shown)
    st.button(
        "Fewer openings" if everything else "More openings",
        key="more-seeds",
        type="tertiary",
        on_click=_toggle,
        args=("all-seeds",),
    )


def _elsewhere(view: View, shown: list[Seed]) -> None:
    """A list of the openings by all others."""
    names = {s.id: f"{s.composer.short}: {s.title}" for s in all_seeds() if s not in shown}
    key = f"elsewhere-{view.start.id}"  # empty again once the choice lies on the stage
    st.selectbox(
        "Another composer's opening",
        list(names),
        index=None,
        format_func=lambda name: names.get(name, ""),
        placeholder="Another composer's opening",
        key=key,
        label_visibility="collapsed",
        on_change=lambda: _take_seed(view, st.session_state[key]),
    )


def _card(seed: Seed, style: Composer) -> SeedCard:
    music = seed.sequence()
    about = f"{seed.opus} · {music.duration:.0f} s"
    if seed.composer != style:
        about = f"{seed.composer.short}, {about}"
    return SeedCard(seed.id, seed.title, about, music)


def _take_seed(view: View, seed_id: str | None) -> None:
    gather(view)
    view.problems.pop("link", None)
    if seed_id and seed_id != view.start.id:
        view.begin_with(library_start(seed_id))


def _file(view: View) -> None:
    st.file_uploader(
        "A MIDI or ABC file, at most 1 MB",
        key="file",
        on_change=_take_file,
        args=(view,),
        label_visibility="collapsed",
    )
    if view.problems.get("upload"):
        shell.problem(view.problems["upload"])
    if view.upload is None:
        shell.line("A MIDI or ABC file of at most 1 MB. It is not kept.")
        return
    name, music = view.upload
    if view.start.id != links.UPLOAD:
        return
    shell.line(f"{name}: {len(music)} notes, {music.duration:.0f} s.")
    if music.duration > _OPENING:
        if "window" not in st.session_state:
            st.session_state["window"] = view.window
        st.slider(
            "Use from … to",
            0.0,
            float(int(music.duration) + 1),
            step=1.0,
            format="%d s",
            key="window",
            on_change=_take_window,
            args=(view,),
        )


def _take_file(view: View) -> None:
    """Reads an upload; whatever is wrong with it, what was chosen before stays."""
    file = st.session_state["file"]
    view.problems.pop("upload", None)
    view.problems.pop("link", None)
    gather(view)
    if file is None:
        return
    try:
        check_size(file.size)
        music = piano_part(read_music(file.getvalue(), file.name))
    except UnreadableMusic as error:
        view.problems["upload"] = str(error)
        return
    first = min(note.start for note in music)
    view.upload = (file.name, music.trim(first, music.duration))
    view.window = (0.0, min(_OPENING, view.upload[1].duration))
    st.session_state.pop("window", None)
    _use_file(view)


def _take_window(view: View) -> None:
    gather(view)
    view.window = st.session_state["window"]
    _use_file(view)


def _use_file(view: View) -> None:
    if view.upload is None:
        return
    name, music = view.upload
    start, end = view.window
    part = music.trim(start, max(end, start + 1.0))
    view.begin_with(Start(links.UPLOAD, name, part))


def _model(view: View) -> None:
    shell.line("Played by", "label")
    infos = view.models
    st.selectbox(
        "Played by",
        list(infos),
        format_func=lambda name: infos[name].title,
        label_visibility="collapsed",
        **draw_value(view, "model"),
    )
    problem = resources.missing(view.info) or view.problems.get(f"model {view.info.id}")
    if problem:
        shell.problem(problem)
    else:
        shell.line(view.info.summary)


def _turn(view: View) -> None:
    """Length and wildness, takes and dice, and all that is under "more controls"."""
    items = {item.name: item for item in declared(view.info.controls)}
    draw_control(items["seconds"], view)
    main = main_control(view)
    if main is not None:
        draw_control(main, view, "Wildness")
        if without_effect(main, view):
            shell.line(without_effect(main, view))
    with st.container(key="chance", horizontal=True, vertical_alignment="bottom"):
        st.number_input(links.TAKES.label, 1, 10, step=1, **draw_value(view, "takes"))
        draw_control(items["rng_seed"], view)
        st.button(
            "Roll",
            key="dice",
            on_click=_roll,
            args=(view,),
        )
    shell.line(f"{links.TAKES.help} {items['rng_seed'].help}")
    with st.expander("More controls"):
        if main is not None:
            value = view.settings[main.name]
            shell.line(f"Wildness is this model's {main.name}, now {value:g}. {main.help}")
        for item in others(view):
            draw_control(item, view)
            shell.line(without_effect(item, view) or item.help)


def _roll(view: View) -> None:
    gather(view)
    view.roll_dice()


def _button(view: View) -> None:
    if view.running:
        st.button("Stop", key="stop", width="stretch", on_click=view.halt)
    else:
        st.button(
            "Compose",
            key="compose",
            type="primary",
            width="stretch",
            disabled=bool(resources.missing(view.info)),
            on_click=_compose,
            args=(view,),
        )


def _compose(view: View) -> None:
    gather(view)
    view.compose()
