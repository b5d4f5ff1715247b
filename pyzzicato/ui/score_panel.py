"""The stage: the music that is chosen or being written, its takes, and what to do with it."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from pyzzicato.composition.job import Progress
from pyzzicato.generation.controls import declared
from pyzzicato.metrics.notes import is_drone
from pyzzicato.music.instruments import is_band
from pyzzicato.music.layering import can_be_layered, layered
from pyzzicato.music.limits import MAX_SECONDS
from pyzzicato.music.notes import NoteSequence, counted
from pyzzicato.ui import infill, instrument_lock, keep_row, links, morphing, resources, shell
from pyzzicato.ui.downloads import Kept, manner, title_of, whole
from pyzzicato.ui.originality import Closeness, closeness
from pyzzicato.ui.pieces import Piece, Start
from pyzzicato.ui.player import PlayerResult, player, takes_row
from pyzzicato.ui.session import View
from pyzzicato.ui.widgets import draw_anew, gather, show

__all__ = ["draw"]

_POLL = 0.25  # seconds between two looks at a piece that is being written
_LEAD_IN = 4.0  # seconds of the seed that are heard before the new music
_PATIENCE = 0.2  # seconds to wait for the first notes, so that they are in the first picture
_TEXT_HEIGHT = 260  # pixels
_LINES = 11  # of text, as many as are seen at once
_QUARTERS = ("Composing", "A quarter is written", "Half is written", "Three quarters are written")
_NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


def draw(view: View) -> None:
    """The stage as it is now; while a piece is being written it looks again by itself."""
    if view.piece is not None and view.shows_running:
        view.piece.job.wait_for_music(_PATIENCE)
    st.fragment(_draw, run_every=_POLL if view.shows_running else None)(view)


def _draw(view: View) -> None:
    if view.piece is None:
        _draw_start(view)
    else:
        _draw_piece(view, view.piece)


def _draw_start(view: View) -> None:
    start = view.seed
    if start.title:
        shell.title(start.words(view.composer.id if view.composer else ""))
        shell.status("The seed. Press Compose to hear it go on.")
    else:
        shell.title(f"From nothing, {manner(view.style, view.info)}")
        shell.status("Silence. Press Compose to hear something new.")
    player(
        seed=start.music,
        continuation=NoteSequence(),
        border=start.music.duration,
        expected=view.settings["seconds"],
        running=False,
        take="0",
        piece=f"start-{hash(start)}",
        autoplay=False,
        marked=infill.marked(view, None),
        borders=start.borders,
        key="player",
    )
    keep_row.draw(None)
    _next(view, None)


def _draw_piece(view: View, piece: Piece) -> None:
    progress = piece.job.progress()
    if view.shows_running and not progress.running:
        draw_anew()
    take = None if view.layered else min(view.take, piece.takes - 1)
    music = layered(progress.takes) if take is None else progress.takes[take]
    shell.title(title_of(piece))
    status = _status(piece, progress, music, take)
    shell.status(status, _said(piece, progress, status))
    if piece.read:
        shell.line(piece.read)
    finished = bool(music) and not progress.running and take is not None
    # The index knows piano music only: of a band it would know nothing, and say so wrongly.
    close = closeness(music, piece.border) if finished and not is_band(music) else Closeness()
    asked = _play(view, piece, progress, music, take, close)
    if piece.takes > 1:
        _choose_take(view, piece, progress)
    if take is not None and progress.texts[take]:
        _write_out(progress.texts[take], progress.running)
    if progress.error:
        shell.problem(progress.error)
    if asked is not None:
        _continue(view, piece, music, asked)
    if progress.running:
        keep_row.draw(None)
        return
    if music and close.words:
        shell.line(close.words)
    keep_row.draw(_kept(piece, progress, take) if music else None)
    _next(view, music)


def _write_out(text: str, running: bool) -> None:
    """The text of a take; while it grows, the end of it."""
    shell.line("What it writes" if running else "What it wrote", "label")
    shown = "\n".join(text.splitlines()[-_LINES:]) if running else text
    st.code(shown, language=None, wrap_lines=True, height=_TEXT_HEIGHT)


def _play(
    view: View,
    piece: Piece,
    progress: Progress,
    music: NoteSequence,
    take: int | None,
    close: Closeness,
) -> PlayerResult | None:
    """The player, with `music` as what is new."""
    there, new = piece.parts(music)
    made = min(progress.made) if take is None else progress.made[take]
    single = take is not None and not progress.running
    return player(
        seed=there,
        continuation=new,
        border=piece.border,
        expected=piece.seconds if progress.running else max(made, 0.1),
        running=progress.running,
        take="layers" if take is None else str(take),
        piece=f"piece-{piece.number}",
        autoplay=view.autoplay,
        made=made,
        start_at=max(0.0, piece.border - _LEAD_IN),
        offer_continue=single and bool(music) and _can_go_on(view),
        borders=piece.start.borders,
        inside=piece.gap is not None,
        marked=infill.marked(view, music) if single else None,
        known=close.known,
        layers=take is None,
        key="player",
    )


def _choose_take(view: View, piece: Piece, progress: Progress) -> None:
    """The takes in a row, and the switch that puts them on top of each other."""
    shown = -1 if view.layered else min(view.take, piece.takes - 1)
    row = f"takes-{piece.number}"
    chosen = takes_row(
        progress.takes,
        shown,
        row,
        seconds=piece.seconds,
        layered=view.layered,
        running=progress.running,
    )
    if chosen != shown:
        view.take, view.layered = chosen, False
        st.rerun(scope="fragment")
    if not view.layered and not can_be_layered(progress.takes):
        return
    st.toggle(
        "Layer them", show("layers", view.layered), key="layers", on_change=_layer, args=(view,)
    )
    if view.layered:
        shell.line(
            "All takes at once, each on an instrument of its own. The MIDI file has a track for "
            "each; sound files have guitars, basses and strings, and the piano for all others."
        )


def _layer(view: View) -> None:
    view.layered = bool(st.session_state["layers"])


def _status(piece: Piece, progress: Progress, music: NoteSequence, take: int | None) -> str:
    made = min(progress.made) if take is None else progress.made[take]
    if progress.running:
        left = f", about {progress.left:.0f} s to wait" if made > 0 and progress.left >= 1 else ""
        rest = ", the other takes grow" if made >= piece.seconds else ""
        return f"{made:.0f} of {piece.seconds:.0f} seconds written{rest}{left}."
    if not music:
        return f"Nothing was written. {_remedy(piece)}"
    length = max(progress.made) if take is None else made
    pitches = [note.pitch for note in music if not note.is_drum]
    spread = f", from {_name(min(pitches))} to {_name(max(pitches))}" if pitches else ""
    words = (
        f"{counted(len(music))} in {length:.0f} seconds, {len(music) / length:.1f} a second"
        f"{spread}. Played by {piece.info.title}."
    )
    if is_drone(music, length):
        words += f" They are held for long. {_remedy(piece)}"
    return f"Stopped. {words}" if progress.stopped else words


def _remedy(piece: Piece) -> str:
    """What to turn where a piece has nothing in it that moves."""
    labels = {item.name: item.label for item in declared(piece.info.controls)}
    if getattr(piece.controls, "keys", "") == "threshold":
        return f"Lower “{labels['threshold']}”, or set “{labels['keys']}” to Sample."
    wilder = any(item.main for item in declared(piece.info.controls))
    return "Turn up Wildness, or roll the dice." if wilder else "Roll the dice."


def _said(piece: Piece, progress: Progress, status: str) -> str:
    """What is read out: the beginning, each quarter and the end, not every change of the line."""
    if not progress.running:
        return f"Composing has ended. {status}"
    quarter = int(len(_QUARTERS) * min(progress.made) / piece.seconds)
    return _QUARTERS[min(quarter, len(_QUARTERS) - 1)]


def _name(pitch: int) -> str:
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


def _kept(piece: Piece, progress: Progress, take: int | None) -> Kept:
    return Kept(piece, progress.takes, take, _address(piece, take), progress.texts)


def _address(piece: Piece, take: int | None) -> str:
    base = (st.context.url or "").split("?")[0].rstrip("/")
    return f"{base}/?{urlencode(links.with_take(piece.texts, take or 0))}"


def _next(view: View, music: NoteSequence | None) -> None:
    single = not view.layered  # what is layered is no piece to go on from
    markable = single and infill.possible(view, music)
    keepable = single and instrument_lock.possible(view, music)
    morphable = single and morphing.possible(view, music)
    able = single and _can_go_on(view)
    if not (view.past or view.future or music or markable or keepable or morphable):
        return
    with st.container(key="next", horizontal=True, vertical_alignment="center"):
        shell.line("Next", "label")
        piece = view.piece
        if able and music and piece and st.button("Continue from the end", key="continue"):
            _continue(view, piece, music, PlayerResult(whole(piece, music).duration))
        if markable:
            infill.offer()
        if keepable:
            instrument_lock.offer(view, music)
        if morphable:
            morphing.offer()
        if view.past and st.button("Undo", key="undo"):
            view.undo()
            draw_anew()
        if view.future and st.button("Redo", key="redo"):
            view.redo()
            draw_anew()
    if markable:
        infill.draw(view, music)
    if keepable:
        instrument_lock.draw(view, music)
    if morphable:
        morphing.draw(view, music)


def _can_go_on(view: View) -> bool:
    """Whether the chosen model can go on from music."""
    return view.info.reads_seed and not resources.missing(view.info)


def _continue(view: View, piece: Piece, music: NoteSequence, asked: PlayerResult) -> None:
    """Goes on from a place in the piece."""
    so_far = whole(piece, music)
    kept = so_far.trim(0.0, asked.continue_at)
    if len(kept) < 4:  # the playhead lies at the beginning: all of it is meant
        kept = so_far
    if kept.duration + piece.controls.seconds > MAX_SECONDS:
        shell.problem("This piece is nearly 30 minutes long: continue from an earlier place.")
        return
    title = piece.start.title or "a piece from nothing"
    borders = tuple(at for at in (*piece.start.borders, piece.border) if at < kept.duration)
    gather(view)
    view.go_on(Start(links.RESULT, title, kept, borders=borders))
    draw_anew()
