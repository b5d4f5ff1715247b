"""The wings: in whose style, from where, by which model, how long, how wild; and Compose."""

from __future__ import annotations

import streamlit as st

from pyzzicato.errors import PyzzicatoError
from pyzzicato.generation.controls import declared
from pyzzicato.music.composers import COMPOSERS, Composer, find_composer
from pyzzicato.seeds.library import seeds_by
from pyzzicato.ui import links, resources, seed_picker, shell, styles
from pyzzicato.ui.controls import draw_control, main_control, others, without_effect
from pyzzicato.ui.session import View
from pyzzicato.ui.widgets import draw_anew, draw_choice, draw_value, gather, show, toggle

__all__ = ["draw", "warm_up"]

_FIRST = 6  # composers shown before "more"


def draw(view: View) -> None:
    """All settings, and the button that starts or stops."""
    _settle(view)
    # For the telephone, where the settings fold away; it never changes, so it stays as it was left.
    st.html('<details class="pz-fold"><summary>Settings</summary></details>')
    shell.line(f"{view.style or view.info.title}, {view.settings['seconds']:.0f} s", "brief")
    if view.problems.get("link"):
        shell.problem(view.problems["link"])
    with st.container(key="wings-scroll"):
        if view.info.composers:
            _style(view)
            _mix(view)
        seed_picker.draw(view)
        _model(view)
        _turn(view)
    with st.container(key="wings-foot"):
        _button(view)


def warm_up(view: View) -> None:
    """Loads the chosen model after the page is drawn, so that Compose starts at once."""
    if resources.missing(view.info):
        return
    try:
        resources.generator(view.info)
    except PyzzicatoError as error:
        if view.problems.get(f"model {view.info.id}") != str(error):
            view.problems[f"model {view.info.id}"] = str(error)
            draw_anew()
        return
    if view.info.id not in view.warm:
        view.warm.add(view.info.id)
        if resources.reads(view.info, view.start.music) or view.info.can("mixing"):
            draw_anew()  # there is something to say of the seed now, or to show of it on the map


def _settle(view: View) -> None:
    """Makes the composers such as the model was taught."""
    taught = view.info.composers
    if taught and view.settings["composer"] not in taught:
        view.settings["composer"] = _ranked(view)[0].id
    if view.settings.get("composer_2") == view.settings["composer"]:
        view.settings["composer_2"] = ""


def _style(view: View) -> None:
    shell.line("In the style of", "label")
    ranked = _ranked(view)
    chosen = find_composer(view.settings["composer"])
    first = ranked[:_FIRST]
    if chosen not in first:
        first = [*first, chosen]
    everyone = st.session_state.get("everyone", False)
    names = {c.id: c for c in (ranked if everyone else first)}
    st.pills(
        "In the style of",
        list(names),
        default=show("style", chosen.id),
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
                on_click=toggle,
                args=("everyone",),
            )


def _ranked(view: View) -> list[Composer]:
    """The composers that the model was taught, those with most openings first."""
    taught = (each for each in COMPOSERS if each.id in view.info.composers)
    return sorted(taught, key=lambda each: (-len(seeds_by(each.id)), each.short))


def _mix(view: View) -> None:
    """A second composer, for models that can think of two at once."""
    items = {item.name: item for item in declared(view.info.controls)}
    if "composer_2" not in items:
        return
    names = {each.id: each.short for each in _ranked(view) if each.id != view.settings["composer"]}
    with st.container(key="mix"):
        st.selectbox(
            items["composer_2"].label,
            format_func=lambda name: f"with {names[name]}" if name else "with nobody else",
            label_visibility="collapsed",
            **draw_choice(view, "composer_2", ["", *sorted(names, key=names.__getitem__)]),
        )
        if view.settings["composer_2"]:
            draw_control(items["mix"], view, f"How much {names[view.settings['composer_2']]}")


def _take_style(view: View) -> None:
    chosen = st.session_state["style"]
    if chosen:
        gather(view)
        view.problems.pop("link", None)
        view.choose_composer(chosen)


def _model(view: View) -> None:
    shell.line("Played by", "label")
    infos = view.models
    st.selectbox(
        "Played by",
        format_func=lambda name: infos[name].title,
        label_visibility="collapsed",
        **{**draw_choice(view, "model", list(infos)), "on_change": _take_model},
    )
    problem = resources.missing(view.info) or view.problems.get(f"model {view.info.id}")
    if problem:
        shell.problem(problem)
    else:
        shell.line(view.info.summary)


def _take_model(view: View) -> None:
    model = st.session_state["set-model"]
    gather(view, but="model")
    view.choose_model(model)


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
    dice = items["rng_seed"].help
    shell.line(f"Takes: {_small(links.TAKES.help)} Dice: {_small(dice)}")
    # With a key of its own and the state kept here it stays open, whatever is drawn before it.
    with st.expander("More controls", key="more-controls", on_change="rerun"):
        if main is not None:
            value = view.settings[main.name]
            shell.line(f"Wildness is this model's {main.name}, now {value:g}. {main.help}")
        for item in [*others(view), *([links.AVOID] if view.info.reads_seed else [])]:
            draw_control(item, view)
            shell.line(without_effect(item, view) or item.help)
            if item.name == styles.CONTROL:
                styles.draw(view)


def _small(sentence: str) -> str:
    """A sentence as it stands after a colon."""
    return sentence[:1].lower() + sentence[1:]


def _roll(view: View) -> None:
    gather(view)
    view.roll_dice()


def _button(view: View) -> None:
    if view.shows_running:
        st.button("Stop", key="stop", width="stretch", on_click=_stop, args=(view,))
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


def _stop(view: View) -> None:
    gather(view)
    view.halt()


def _compose(view: View) -> None:
    gather(view)
    view.compose()
