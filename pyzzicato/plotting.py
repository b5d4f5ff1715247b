"""Pictures of music: the static piano roll, with a seed and its continuation in two colours.

As the source draws it (librosa's display over a piano roll of pretty_midi's shape), but the
roll is made from the notes directly: overlapping notes do not add up, and a key struck again
shows a gap.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pyzzicato.errors import UnknownName
from pyzzicato.notes import HIGHEST_KEY, LOWEST_KEY, NoteSequence

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
_BLACK_KEYS = frozenset({1, 3, 6, 8, 10})
_LONGEST_TITLE = 90  # characters
_TICKS = (0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300)  # seconds between two marks


class _Colours(NamedTuple):
    paper: str
    ink: str
    seed: str
    continuation: str


_LIGHT = _Colours("#FBF9F4", "#1D1B26", "#2F6BFF", "#E8791A")
_DARK = _Colours("#15141B", "#ECE8DF", "#7FA2FF", "#FFA24D")


def roll_figure(
    seed: NoteSequence,
    continuation: NoteSequence,
    *,
    title: str = "",
    dark: bool = False,
    border: float | None = None,
) -> Figure:
    """A piano roll of `seed`, then `continuation`, as a Figure of 1440 x 576 pixels.

    The continuation's own times start at 0: it is drawn from `border` seconds on, which is the
    end of the seed unless told. The keys are the piano's 88, named C1, C2 ...; velocity is
    opacity. Either may be empty; drums and notes beyond the keyboard are not drawn.
    """
    from matplotlib.figure import Figure

    colours = _DARK if dark else _LIGHT
    border = seed.duration if border is None else border
    seconds = max(seed.followed_by(continuation, border).duration, 1.0)
    rate = min(_COLUMNS_PER_SECOND, _MAX_COLUMNS / seconds)
    roll = np.zeros((_KEYS, math.ceil(seconds * rate)), np.int16)
    _fill(roll, seed, rate, sign=-1)
    _fill(roll, continuation.shift(border), rate, sign=1)
    figure = Figure(figsize=(12, 4.8), dpi=120, facecolor=colours.paper, layout="constrained")
    axes = figure.add_subplot(facecolor=colours.paper)
    _draw(axes, roll, colours, seconds)
    if seed.notes and continuation.notes:
        axes.axvline(border, color=colours.ink, linewidth=0.8, linestyle=(0, (4, 3)), zorder=3)
    _furnish(axes, colours, seconds, title)
    parts = {"seed": (roll < 0, colours.seed), "continuation": (roll > 0, colours.continuation)}
    _name_parts(axes, colours, {name: hue for name, (drawn, hue) in parts.items() if drawn.any()})
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


def _fill(roll: NDArray[np.int16], sequence: NoteSequence, rate: float, sign: int) -> None:
    """Writes `sign` times the velocity of every note into `roll` (88, columns), in place."""
    drawn_to: dict[int, tuple[int, int]] = {}
    for note in sequence:
        key = note.pitch - LOWEST_KEY
        if note.is_drum or not 0 <= key < _KEYS:
            continue
        first = min(int(note.start * rate), roll.shape[1] - 1)
        last = max(first + 1, round(note.end * rate))
        start, end = drawn_to.get(key, (0, 0))
        if end >= first and start < first - 1:  # struck again at once: leave a gap to be seen
            roll[key, first - 1] = 0
        roll[key, first:last] = sign * note.velocity
        drawn_to[key] = first, last


def _draw(axes: Axes, roll: NDArray[np.int16], colours: _Colours, seconds: float) -> None:
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
        cmap=_colour_map(colours),
        vmin=-127.5,
        vmax=127.5,
        zorder=2,  # above the grid
        ax=axes,
    )
    axes.set_ylim(edges[0], edges[-1])


def _colour_map(colours: _Colours) -> ListedColormap:
    """255 colours from -127 (seed, loud) over 0 (nothing) to 127 (continuation, loud)."""
    from matplotlib.colors import ListedColormap, to_rgba

    levels = np.arange(-127, 128)
    table = np.where((levels < 0)[:, None], to_rgba(colours.seed), to_rgba(colours.continuation))
    table[:, 3] = np.where(levels == 0, 0, _FAINTEST + (1 - _FAINTEST) * np.abs(levels) / 127)
    return ListedColormap(table)


def _furnish(axes: Axes, colours: _Colours, seconds: float, title: str) -> None:
    """Axes, grid and title in the colours of the paper they stand on."""
    from matplotlib.ticker import MultipleLocator

    step = next(each for each in _TICKS if seconds <= 12 * each or each == _TICKS[-1])
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.set_xlabel("time", color=colours.ink)
    axes.set_ylabel("")
    axes.tick_params(colors=colours.ink, which="both", length=0)
    axes.grid(axis="x", color=colours.ink, alpha=0.12, linewidth=0.6)
    for spine in axes.spines.values():
        spine.set_visible(False)
    words = " ".join(title.split())
    if len(words) > _LONGEST_TITLE:
        words = words[: _LONGEST_TITLE - 1] + "…"
    # A title may come from a file: a dollar sign in it is no formula.
    axes.set_title(words, loc="left", color=colours.ink, fontsize=13, parse_math=False)


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
