"""Where the music starts: an opening of the library, the person's own file, or nothing."""

from __future__ import annotations

import streamlit as st

from pyzzicato.errors import UnreadableMusic
from pyzzicato.music.composers import Composer
from pyzzicato.music.instruments import INSTRUMENTS, players
from pyzzicato.music.limits import check_size
from pyzzicato.music.notes import counted
from pyzzicato.seeds.library import Seed, all_seeds, find_seed, seeds_by
from pyzzicato.ui import links, resources, shell
from pyzzicato.ui.band import becomes, listed, plays_band
from pyzzicato.ui.pieces import Start, library_start, nothing_start
from pyzzicato.ui.player import SeedCard, seed_cards
from pyzzicato.ui.session import View
from pyzzicato.ui.uploads import read_upload
from pyzzicato.ui.widgets import gather, show, toggle

__all__ = ["draw"]

_CARDS = 3  # openings shown before "more"
_OPENING = 20.0  # seconds of a longer file that are taken unless the person says otherwise


def draw(view: View) -> None:
    """The choice between library, own file and nothing, and what belongs to it."""
    _refit(view)
    shell.line("Start from", "label")
    if not view.info.reads_seed:
        shell.line(f"{view.info.title} begins by itself: it reads no seed.")
        return
    kinds = {links.NOTHING: "nothing", links.UPLOAD: "file", links.RESULT: "result"}
    kind = "file" if view.asks_file else kinds.get(view.start.id, "library")
    words = {"library": "Library", "file": "Your file", "nothing": "Nothing"}
    if kind == "result":
        words = {"result": "This piece", **words}
    st.segmented_control(
        "Start from",
        list(words),
        default=show("from", kind),
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
    elif view.composer:
        shell.line("Only the composer's name, and silence before the first note.")
    else:
        shell.line("Silence before the first note.")
    whole = view.upload.all if kind == "file" and view.upload else view.start.music
    read = resources.reads(view.info, view.seed.music) if view.info.id in view.warm else ""
    for sentence in (becomes(whole, plays_band(view.info)), read):
        if sentence:
            shell.line(sentence)


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
    chosen = find_seed(view.start.id)
    if view.composer and not seeds_by(view.composer.id):
        shell.line(
            f"There is no opening by {view.composer.short} here: the music goes on from "
            f"{chosen.composer.short}'s, in {view.composer.short}'s style."
        )
    seeds = list(seeds_by((view.composer or chosen.composer).id))
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
        on_click=toggle,
        args=("all-seeds",),
    )


def _elsewhere(view: View, shown: list[Seed]) -> None:
    """A list of the openings by all others."""
    names = {s.id: f"{s.composer.short}: {s.name}" for s in all_seeds() if s not in shown}
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


def _card(seed: Seed, style: Composer | None) -> SeedCard:
    music = seed.sequence()
    about = f"{seed.opus} · {music.duration:.0f} s"
    if seed.composer != style:
        about = f"{seed.composer.short}, {about}"
    return SeedCard(seed.id, seed.title, about, music)


def _take_seed(view: View, seed_id: str | None) -> None:
    gather(view)
    view.problems.pop("link", None)
    if seed_id and seed_id != view.start.id:
        view.begin_with(library_start(seed_id), by_hand=True)


def _file(view: View) -> None:
    key = f"file-{view.rejected}"  # another one, empty, after a file that could not be used
    st.file_uploader(
        "A MIDI or ABC file, at most 1 MB",
        key=key,
        on_change=_take_file,
        args=(view, key),
        label_visibility="collapsed",
    )
    if view.problems.get("upload"):
        shell.problem(view.problems["upload"])
    if view.upload is None:
        shell.line("A MIDI or ABC file of at most 1 MB. It is not kept.")
        return
    if view.start.id != links.UPLOAD:
        return
    part = view.upload.part(plays_band(view.info))
    music = part.music
    playing = [name for name in players(music) if name in INSTRUMENTS]
    by = f" of {listed(playing)}" if len(playing) > 1 else ""
    shell.line(f"{view.upload.name}: {counted(len(music))}{by}, {music.duration:.0f} s.")
    for sentence in part.said:
        shell.line(sentence)
    if len(view.upload.tunes) > 1 and st.session_state.get(key) is not None:
        _tunes(view, view.upload.tunes, key)
    if music.duration > _OPENING:
        st.slider(
            "Use from … to",
            0.0,
            float(int(music.duration) + 1),
            show("window", view.window),
            step=1.0,
            format="%d s",
            key="window",
            on_change=_take_window,
            args=(view,),
        )


def _tunes(view: View, titles: tuple[str, ...], key: str) -> None:
    """A list of the tunes in an ABC file, one of which is taken."""
    st.selectbox(
        "Tune of the file",
        range(1, len(titles) + 1),
        index=None,
        format_func=lambda number: f"{number}. {titles[number - 1]}",
        placeholder="Another tune of this file",
        key="tune",
        label_visibility="collapsed",
        on_change=_take_file,
        args=(view, key, True),
    )


def _take_file(view: View, key: str, another: bool = False) -> None:
    """Reads an upload, or `another` tune of it; whatever is wrong, what was chosen stays."""
    if not another:
        st.session_state.pop("tune", None)
    tune = st.session_state.get("tune")
    file = st.session_state[key]
    view.problems.pop("upload", None)
    view.problems.pop("link", None)
    gather(view)
    if file is None:
        return
    try:
        check_size(file.size)
        upload = read_upload(file.getvalue(), file.name, tune)
        part = upload.part(plays_band(view.info))
        if part.problem:
            raise UnreadableMusic(part.problem)
    except UnreadableMusic as error:
        view.problems["upload"] = str(error)
        view.rejected += 1
        return
    view.upload = upload
    view.window = (0.0, min(_OPENING, part.music.duration))
    _use_file(view)


def _take_window(view: View) -> None:
    gather(view)
    view.window = st.session_state["window"]
    _use_file(view)


def _use_file(view: View) -> None:
    start = _file_start(view)
    if start is not None:
        view.begin_with(start)


def _file_start(view: View) -> Start | None:
    """The part of the file that is used, as the model takes it; None where it cannot."""
    if view.upload is None:
        return None
    band = plays_band(view.info)
    st.session_state["upload-band"] = band
    problem = view.upload.part(band).problem
    if problem:
        view.problems["upload"] = problem
        return None
    begins, music = view.upload.between(*view.window, band)
    return Start(links.UPLOAD, view.upload.name, music, begins=begins)


def _refit(view: View) -> None:
    """Where the model has changed from piano to band or back, reads the file's other side."""
    if view.start.id != links.UPLOAD or st.session_state.get("upload-band") == plays_band(
        view.info
    ):
        return
    view.problems.pop("upload", None)
    start = _file_start(view)
    if start is not None:
        view.start = start  # what is on the stage stays there
