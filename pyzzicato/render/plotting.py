"""Pictures of music: the static piano roll, with a seed and its continuation in two colours, or
the instruments of a band in five.

As the source draws it (librosa's display over a piano roll of pretty_midi's shape), but the
roll is made from the notes directly: overlapping notes do not add up, and a key struck again
shows a gap.
"""

from __future__ import annotations

import io
import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyzzicato.errors import UnknownName
from pyzzicato.music.instruments import DRUMS, INSTRUMENTS, instrument_of
from pyzzicato.music.notes import HIGHEST_KEY, LOWEST_KEY, Note, NoteSequence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

__all__ = ["PICTURE_FORMATS", "figure_file", "roll_figure"]

PICTURE_FORMATS = ("png", "svg")

_KEYS = HIGHEST_KEY - LOWEST_KEY + 1
_MAX_COLUMNS = 1300  # each at least a pixel wide, so that no note falls between pixels
_COLUMNS_PER_SECOND = 50
_FAINTEST = 0.3  # opacity of the softest note, so that it can still be seen
_LOUDEST = 127  # velocity
_BLACK_KEYS = frozenset({1, 3, 6, 8, 10})
_LONGEST_TITLE = 90  # characters
_TICKS = (0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300)  # seconds between two marks


_LAID = (4, 2, 1, 3)  # places in INSTRUMENTS, the one that is seen through all others last
_PIANO = INSTRUMENTS.index("Piano")
_DRUM_ROWS = {  # of the strip below the roll, from its bottom up
    "kick": (35, 36),
    "snare": (37, 38, 39, 40),
    "toms": (41, 43, 45, 47, 48, 50),
    "hi-hat": (42, 44, 46),
    "cymbals": (49, 51, 52, 53, 55, 57, 59),
    "other": (),
}


class _Colours(NamedTuple):
    paper: str
    ink: str
    seed: str
    continuation: str
    written: tuple[str, str]
    """What was written earlier and is in the seed now; two that take turns."""
    band: tuple[str, ...]
    """One for each of INSTRUMENTS."""


_LIGHT = _Colours(
    "#FBF9F4", "#1D1B26", "#2F6BFF", "#E8791A", ("#8B4FB8", "#2E8B74"),
    ("#5B5866", "#2B6CC4", "#12866A", "#B0417F", "#B27A00"),
)  # fmt: skip
_DARK = _Colours(
    "#15141B", "#ECE8DF", "#7FA2FF", "#FFA24D", ("#C59BEA", "#6CC7AE"),
    ("#BCB7CE", "#7FB2FF", "#5CC9A7", "#F08BC6", "#F0C04F"),
)  # fmt: skip


def roll_figure(
    seed: NoteSequence,
    continuation: NoteSequence,
    *,
    title: str = "",
    dark: bool = False,
    border: float | None = None,
    layers: bool = False,
    earlier: Sequence[float] = (),
) -> Figure:
    """A piano roll of `seed`, then `continuation`, as a Figure of 1440 x 576 pixels.

    The continuation's own times start at 0: it is drawn from `border` seconds on, which is the
    end of the seed unless told. The keys are the piano's 88, named C1, C2 ...; velocity is
    opacity. Either may be empty; notes beyond the keyboard are not drawn. What of the seed begins
    after the seconds `earlier` are the continuations before this one: two colours take turns.
    Where drums, guitar, bass or strings play, each instrument has a colour, and the drums a strip
    below the roll; unless `layers` says that these are takes of one piece on instruments of their
    own.
    """
    from matplotlib.figure import Figure

    colours = _DARK if dark else _LIGHT
    border = seed.duration if border is None else border
    music = seed.followed_by(continuation, border)
    seconds = max(music.duration, 1.0)
    band = not layers and any(instrument_of(note) not in (None, _PIANO) for note in music)
    figure = Figure(figsize=(12, 4.8), dpi=120, facecolor=colours.paper, layout="constrained")
    strokes = [note for note in music if note.is_drum] if band else []
    grid = figure.add_gridspec(2 if strokes else 1, 1, height_ratios=[5, 1][: 2 if strokes else 1])
    axes = figure.add_subplot(grid[0], facecolor=colours.paper)
    if band:
        parts = _draw_band(axes, music, colours, seconds)
    else:
        whole = seed, continuation.shift(border)
        parts = _draw_two(axes, whole, earlier, colours, seconds)
    _furnish(axes, colours, seconds, title)
    stages = [axes]
    if strokes:
        strip = figure.add_subplot(grid[1], facecolor=colours.paper, sharex=axes)
        _draw_drums(strip, strokes, colours)
        parts = {INSTRUMENTS[DRUMS]: colours.band[DRUMS], **parts}
        axes.set_xlabel("")
        axes.tick_params(labelbottom=False)
        stages.append(strip)
    for each in stages if seed.notes and continuation.notes else []:
        each.axvline(border, color=colours.ink, linewidth=0.8, linestyle=(0, (4, 3)), zorder=3)
    _name_parts(axes, colours, parts)
    return figure


def figure_file(figure: Figure, format: str) -> bytes:
    """`figure` as the bytes of a PNG or SVG picture; raises UnknownName on another format."""
    name = format.lower().removeprefix(".")
    if name not in PICTURE_FORMATS:
        raise UnknownName(
            f"There is no picture format {format!r}: choose {', '.join(PICTURE_FORMATS)}."
        )
    buffer = io.BytesIO()
    # Without the date the same music gives the same picture.
    metadata = {"Date": None} if name == "svg" else None
    figure.savefig(buffer, format=name, facecolor=figure.get_facecolor(), metadata=metadata)
    return buffer.getvalue()


def _blank(seconds: float) -> tuple[NDArray[np.int16], float]:
    """An empty roll (88, columns), and its columns a second."""
    rate = min(_COLUMNS_PER_SECOND, _MAX_COLUMNS / seconds)
    return np.zeros((_KEYS, math.ceil(seconds * rate)), np.int16), rate


def _draw_two(
    axes: Axes,
    music: tuple[NoteSequence, NoteSequence],
    earlier: Sequence[float],
    colours: _Colours,
    seconds: float,
) -> dict[str, str]:
    """Seed and continuation; returns the names and colours of what is to be seen."""
    roll, rate = _blank(seconds)
    hues = (colours.seed, *colours.written)
    by: list[list[Note]] = [[] for _ in hues]
    for note in music[0]:
        begun = bisect_left(earlier, note.start + 1e-3)  # how many continuations
        by[1 + (begun - 1) % len(colours.written) if begun else 0].append(note)
    for place, notes in enumerate(by):
        _fill(roll, notes, rate, sign=-1, above=-_LOUDEST * place)
    _fill(roll, music[1], rate)
    _draw(axes, roll, colours, seconds, _colour_map([colours.continuation] * len(hues), hues))
    names = ["seed"]
    for turn in range(len(colours.written)):
        numbers = range(1, len(earlier) + 1)[turn :: len(colours.written)]
        names.append(f"continuation {', '.join(map(str, numbers))}")
    drawn = set(((-roll[roll < 0] - 1) // _LOUDEST).tolist())
    parts = {names[place]: hues[place] for place in sorted(drawn)}
    last = {"new" if earlier else "continuation": colours.continuation}
    return parts | (last if (roll > 0).any() else {})


def _draw_band(
    axes: Axes, music: NoteSequence, colours: _Colours, seconds: float
) -> dict[str, str]:
    """The pitched instruments of a band; returns the names and colours of those that play."""
    roll, rate = _blank(seconds)
    by: dict[int, list[Note]] = {place: [] for place in _LAID}
    for note in music:
        place = instrument_of(note)
        if place != DRUMS:
            by[_PIANO if place is None else place].append(note)
    for place in _LAID:
        _fill(roll, by[place], rate, above=_LOUDEST * place)
    _draw(axes, roll, colours, seconds, _colour_map(colours.band, colours.band))
    return {INSTRUMENTS[place]: colours.band[place] for place in sorted(by) if by[place]}


def _draw_drums(axes: Axes, strokes: Iterable[Note], colours: _Colours) -> None:
    """The strip of the drums, a row for each kind; louder ones are darker."""
    from matplotlib.colors import to_rgba

    names = list(_DRUM_ROWS)
    rows = {pitch: row for row, name in enumerate(names) for pitch in _DRUM_ROWS[name]}
    by: dict[int, list[Note]] = {}
    for note in strokes:
        by.setdefault(rows.get(note.pitch, len(names) - 1), []).append(note)
    for row, notes in by.items():
        axes.broken_barh(
            [(note.start, note.end - note.start) for note in notes],
            (row - 0.38, 0.76),
            facecolors=[
                to_rgba(colours.band[DRUMS], _FAINTEST + (1 - _FAINTEST) * n.velocity / _LOUDEST)
                for n in notes
            ],
            zorder=2,
        )
    last = len(names) if len(names) - 1 in by else len(names) - 1
    axes.set_ylim(-0.6, last - 0.4)
    axes.set_yticks(range(last), names[:last], fontsize=7)
    axes.set_xlabel("time", color=colours.ink)
    _set_paper(axes, colours)


def _fill(
    roll: NDArray[np.int16], notes: Iterable[Note], rate: float, sign: int = 1, above: int = 0
) -> None:
    """Writes `sign` times the velocity of every note, and `above`, into `roll` (88, columns)."""
    drawn_to: dict[int, tuple[int, int]] = {}
    for note in notes:
        key = note.pitch - LOWEST_KEY
        if note.is_drum or not 0 <= key < _KEYS:
            continue
        first = min(int(note.start * rate), roll.shape[1] - 1)
        last = max(first + 1, round(note.end * rate))
        start, end = drawn_to.get(key, (0, 0))
        if end >= first and start < first - 1:  # struck again at once: leave a gap to be seen
            roll[key, first - 1] = 0
        roll[key, first:last] = sign * note.velocity + above
        drawn_to[key] = first, last


def _draw(
    axes: Axes, roll: NDArray[np.int16], colours: _Colours, seconds: float, hues: ListedColormap
) -> None:
    """The roll itself, over shaded rows for the black keys."""
    import librosa
    from librosa.display import specshow

    edges = librosa.midi_to_hz(np.arange(LOWEST_KEY, HIGHEST_KEY + 2) - 0.5)
    for key in range(_KEYS):
        if (LOWEST_KEY + key) % 12 in _BLACK_KEYS:
            axes.axhspan(edges[key], edges[key + 1], color=colours.ink, alpha=0.05, linewidth=0)
    specshow(
        roll,
        x_coords=np.linspace(0, seconds, roll.shape[1] + 1),
        y_coords=edges,
        x_axis="time",
        y_axis="cqt_note",
        fmin=float(librosa.midi_to_hz(LOWEST_KEY)),
        cmap=hues,
        vmin=-hues.N / 2,
        vmax=hues.N / 2,
        zorder=2,  # above the grid
        ax=axes,
    )
    axes.set_ylim(edges[0], edges[-1])


def _colour_map(above: Sequence[str], below: Sequence[str]) -> ListedColormap:
    """A colour for each code of a roll: 127 opacities of each of `above` from 1 on, and as many of
    each of `below` from -1 down; 0 is nothing."""
    from matplotlib.colors import ListedColormap, to_rgba

    tables = []
    for hues in (above, below):
        levels = np.tile(np.arange(1, _LOUDEST + 1), len(hues))
        table = np.repeat([to_rgba(hue) for hue in hues], _LOUDEST, axis=0)
        table[:, 3] = _FAINTEST + (1 - _FAINTEST) * levels / _LOUDEST
        tables.append(table)
    return ListedColormap(np.concatenate([tables[1][::-1], np.zeros((1, 4)), tables[0]]))


def _furnish(axes: Axes, colours: _Colours, seconds: float, title: str) -> None:
    """Axes, grid and title in the colours of the paper they stand on."""
    from matplotlib.ticker import MultipleLocator

    step = next(each for each in _TICKS if seconds <= 12 * each or each == _TICKS[-1])
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.set_xlabel("time", color=colours.ink)
    axes.set_ylabel("")
    _set_paper(axes, colours)
    words = " ".join(title.split())
    if len(words) > _LONGEST_TITLE:
        words = words[: _LONGEST_TITLE - 1] + "…"
    # A title may come from a file: a dollar sign in it is no formula.
    axes.set_title(words, loc="left", color=colours.ink, fontsize=13, parse_math=False)


def _set_paper(axes: Axes, colours: _Colours) -> None:
    """Marks and grid in the colours of the paper."""
    axes.tick_params(colors=colours.ink, which="both", length=0)
    axes.grid(axis="x", color=colours.ink, alpha=0.12, linewidth=0.6)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _name_parts(axes: Axes, colours: _Colours, parts: Mapping[str, str]) -> None:
    """A legend above the roll, on the right."""
    from matplotlib.patches import Patch

    if parts:
        axes.legend(
            handles=[Patch(color=colour, label=name) for name, colour in parts.items()],
            loc="lower right",
            bbox_to_anchor=(1, 1),
            ncols=len(parts),
            frameon=False,
            labelcolor=colours.ink,
        )
