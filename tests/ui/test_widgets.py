"""Settings change by the person's hand or a link, and by nothing else, whatever a run does."""

from collections.abc import Iterator
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pyzzicato.registry import models
from pyzzicato.ui import score_panel, seed_picker, settings_panel
from pyzzicato.ui.links import usual_settings
from pyzzicato.ui.session import View
from tests.ui.visits import compose, open_app, view_of


def settings_shown(app: AppTest) -> Iterator[tuple[str, Any, Any]]:
    """Name, value and the browser's own first value of each widget of a setting."""
    every: list[Any] = [*app.slider, *app.number_input, *app.selectbox, *app.toggle]
    for each in every:
        if each.key and each.key.startswith("set-"):
            first = each.proto.default
            if each.type == "slider":
                first = first[0]
            elif each.type == "selectbox":
                first = each.value if each.proto.HasField("default") else None
            yield each.key[4:], each.value, first


def check(app: AppTest) -> None:
    """Every widget shows its setting, and would also if the browser had never heard of it."""
    settings = view_of(app).settings
    for name, value, first in settings_shown(app):
        assert value == settings[name], name
        assert first == pytest.approx(settings[name]) if value else not first, name


def one_of_each_family() -> list[str]:
    return list({info.family: name for name, info in models().items()}.values())


def every_pair(names: list[str]) -> list[str]:
    """A walk from name to name in which each comes right after each other one."""
    left = {name: [other for other in names if other != name] for name in names}
    walk, way = [], [names[0]]
    while way:
        if left[way[-1]]:
            way.append(left[way[-1]].pop())
        else:
            walk.append(way.pop())
    return walk[::-1]


def test_a_model_shows_its_usual_settings_after_any_other() -> None:
    walk = every_pair(one_of_each_family())
    app = open_app(model=walk[0])
    for name in walk[1:]:
        app.selectbox(key="set-model").set_value(name).run()
        check(app)
        view = view_of(app)
        usual = usual_settings(view.info)
        changed = {key for key in usual if view.settings[key] != usual[key]} - {"composer"}
        assert not changed, name


@pytest.mark.parametrize(
    "where", [(seed_picker, "draw"), (settings_panel, "_turn"), (score_panel, "draw")]
)
def test_a_run_that_is_cut_short_changes_no_setting(
    where: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app(model="transformer", rng_seed="7", seconds="45", temperature="1.1")
    before = dict(view_of(app).settings)
    with monkeypatch.context() as cut:
        cut.setattr(*where, lambda *_: st.stop())
        app.run()
    app.run()
    app.button_group(key="from").set_value("file").run()
    check(app)
    assert view_of(app).settings == before


def test_a_model_chosen_in_a_run_that_is_cut_short_keeps_its_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = open_app(model="lstm")
    with monkeypatch.context() as cut:
        cut.setattr(settings_panel, "_turn", lambda *_: st.stop())
        app.selectbox(key="set-model").set_value("note_duration_gru").run()
    app.run()
    check(app)
    assert view_of(app).settings["temperature"] == 0.9


def test_a_press_on_a_page_with_an_older_address_changes_no_setting() -> None:
    app = open_app(model="lstm")
    old = dict(view_of(app).written)
    app.button(key="dice").click().run()
    rolled = view_of(app).settings["rng_seed"]
    for name, value in old.items():  # what the browser says until it has heard of the new address
        app.query_params[name] = value
    app.button(key="more-seeds").click().run()
    assert view_of(app).settings["rng_seed"] == rolled


@pytest.mark.parametrize("part", ["wings", "stage"])
def test_the_page_goes_back_to_compose_whenever_a_piece_ends(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app(model="lstm", seconds="5")
    module: Any = {"wings": settings_panel, "stage": score_panel}[part]
    draw = module.draw

    def after_the_end(view: View) -> None:
        if view.piece is not None:
            assert view.piece.job.wait(60)
        draw(view)

    monkeypatch.setattr(module, "draw", after_the_end)
    app.button(key="compose").click().run()
    assert app.button(key="compose").label == "Compose"
    compose(app)
    assert not view_of(app).shows_running
