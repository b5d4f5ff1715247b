"""The static piano roll: what is drawn where, in which colour, and the files it becomes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pyzzicato.errors import UnknownName
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.render.plotting import figure_file, roll_figure
from tests.small_band import band_piece

SEED_COLOUR, CONTINUATION_COLOUR = "#2F6BFF", "#E8791A"
SEED = NoteSequence((Note(0, 1, 60, 127), Note(1, 2, 64, 127)))
CONTINUATION = NoteSequence((Note(0, 1, 67, 127), Note(1, 2, 72, 127)))
NOTHING = NoteSequence()


def picture(figure: Figure) -> NDArray[np.uint8]:
    """The figure's pixels, (height, width, 4)."""
    import matplotlib.image

    pixels = matplotlib.image.imread(io.BytesIO(figure_file(figure, "png")))
    return np.asarray(np.round(pixels * 255), np.uint8)


def at(figure: Figure, pixels: NDArray[np.uint8], seconds: float, pitch: int) -> tuple[int, ...]:
    """The colour of the roll at a time and key."""
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    x, y = figure.axes[0].transData.transform((seconds, hertz))
    return tuple(int(v) for v in pixels[len(pixels) - 1 - round(y), round(x), :3])


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(round(255 * part) for part in to_rgb(colour))


def test_notes_lie_at_their_time_and_key_in_their_colour() -> None:
    figure = roll_figure(SEED, CONTINUATION)
    pixels = picture(figure)
    assert at(figure, pixels, 0.6, 60) == rgb(SEED_COLOUR)
    assert at(figure, pixels, 1.6, 64) == rgb(SEED_COLOUR)
    assert at(figure, pixels, 2.6, 67) == rgb(CONTINUATION_COLOUR)
    assert at(figure, pixels, 3.6, 72) == rgb(CONTINUATION_COLOUR)
    assert at(figure, pixels, 1.6, 60) == rgb("#FBF9F4")


def test_the_dark_picture_has_dark_paper_and_light_notes() -> None:
    figure = roll_figure(SEED, CONTINUATION, dark=True)
    pixels = picture(figure)
    assert at(figure, pixels, 0.6, 60) == rgb("#7FA2FF")
    assert at(figure, pixels, 2.6, 67) == rgb("#FFA24D")
    assert at(figure, pixels, 2.6, 60) == rgb("#15141B")


def test_softer_notes_are_paler() -> None:
    loudness = NoteSequence(tuple(Note(i, i + 1, 60, v) for i, v in enumerate((10, 60, 127))))
    figure = roll_figure(loudness, NOTHING)
    pixels = picture(figure)
    reds = [at(figure, pixels, i + 0.6, 60)[0] for i in range(3)]
    assert reds[0] > reds[1] > reds[2] == rgb(SEED_COLOUR)[0]
    assert reds[0] < rgb("#FBF9F4")[0]  # and still to be seen


def test_a_key_struck_again_at_once_shows_a_gap() -> None:
    figure = roll_figure(NoteSequence((Note(0, 1, 60, 127), Note(1, 2, 60, 127))), NOTHING)
    pixels = picture(figure)
    row = [at(figure, pixels, t, 60) for t in np.arange(0.9, 1.1, 0.01)]
    assert rgb("#FBF9F4") in row
    assert row[0] == row[-1] == rgb(SEED_COLOUR)


def test_the_shortest_note_of_a_long_piece_is_drawn() -> None:
    piece = NoteSequence((Note(0, 0.01, 60, 127), Note(299, 300, 72, 127)))
    pixels = picture(roll_figure(NOTHING, piece))
    assert (pixels[..., :3] == rgb(CONTINUATION_COLOUR)).all(axis=-1)[:, :200].any()


def test_the_border_may_lie_after_the_last_note_of_the_seed() -> None:
    figure = roll_figure(SEED, CONTINUATION, border=3.0)
    pixels = picture(figure)
    assert at(figure, pixels, 2.6, 67) == rgb("#FBF9F4")
    assert at(figure, pixels, 3.6, 67) == rgb(CONTINUATION_COLOUR)


def test_earlier_continuations_have_colours_of_their_own() -> None:
    seed = NoteSequence(tuple(Note(i, i + 1, 60, 127) for i in range(4)))
    figure = roll_figure(seed, CONTINUATION, earlier=(1.0, 2.0, 3.0))
    pixels = picture(figure)
    first, second = rgb("#8B4FB8"), rgb("#2E8B74")
    drawn = [at(figure, pixels, i + 0.6, 60) for i in range(4)]
    assert drawn == [rgb(SEED_COLOUR), first, second, first]
    assert at(figure, pixels, 4.6, 67) == rgb(CONTINUATION_COLOUR)
    legend = figure.axes[0].get_legend()
    assert legend is not None
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["seed", "continuation 1, 3", "continuation 2", "new"]


def test_notes_beyond_the_keyboard_are_left_out() -> None:
    odd = NoteSequence((Note(0, 1, 5), Note(0, 1, 120)))
    assert (picture(roll_figure(odd, NOTHING)) == picture(roll_figure(NOTHING, NOTHING))).all()


BAND_COLOURS = {"Drums": "#5B5866", "Piano": "#2B6CC4", "Guitar": "#12866A", "Bass": "#B0417F",
                "Strings": "#B27A00"}  # fmt: skip


def test_each_instrument_of_a_band_has_a_colour_and_a_name() -> None:
    loud = NoteSequence(tuple(note._replace(velocity=127) for note in band_piece(2)))
    figure = roll_figure(loud.trim(0, 2), loud.trim(2, 4))
    pixels = picture(figure)
    assert at(figure, pixels, 0.15, 45 + 24) == rgb(BAND_COLOURS["Piano"])
    assert at(figure, pixels, 0.15, 45 + 16) == rgb(BAND_COLOURS["Guitar"])
    assert at(figure, pixels, 0.15, 45 - 12) == rgb(BAND_COLOURS["Bass"])
    assert at(figure, pixels, 1.75, 45 + 24) == rgb(BAND_COLOURS["Strings"])
    assert at(figure, pixels, 2.15, 41 - 12) == rgb(BAND_COLOURS["Bass"])  # new music, too
    legend = figure.axes[0].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == list(BAND_COLOURS)


def test_drums_have_a_strip_of_their_own() -> None:
    kick = Note(0.5, 0.6, 36, 127, is_drum=True)
    figure = roll_figure(NoteSequence((kick, Note(0, 1, 60, 127))), NOTHING)
    roll, strip = figure.axes
    assert [label.get_text() for label in strip.get_yticklabels()][:2] == ["kick", "snare"]
    pixels = picture(figure)
    x, y = strip.transData.transform((0.55, 0))
    assert tuple(pixels[len(pixels) - 1 - round(y), round(x), :3]) == rgb(BAND_COLOURS["Drums"])
    assert roll.get_xlim() == strip.get_xlim()
    assert len(roll_figure(SEED, CONTINUATION).axes) == 1


def test_layered_takes_keep_the_two_colours() -> None:
    strings = NoteSequence((Note(0, 1, 60, 127, 48),))
    figure = roll_figure(NOTHING, strings, layers=True)
    assert at(figure, picture(figure), 0.6, 60) == rgb(CONTINUATION_COLOUR)


def test_all_88_keys_are_shown_and_named() -> None:
    axes = roll_figure(SEED, CONTINUATION).axes[0]
    low, high = axes.get_ylim()
    assert low < 27.5 < 4186 < high
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert {"C1", "C4", "C8"} <= set(names)


def test_a_title_from_a_file_is_plain_text() -> None:
    figure = roll_figure(SEED, NOTHING, title="$\\frac{ <b>&\n" + 200 * "x")
    assert figure.axes[0].get_title(loc="left").startswith("$\\frac{ <b>& xxx")
    assert len(figure.axes[0].get_title(loc="left")) == 90
    assert figure_file(figure, "svg")


def test_files_are_png_and_svg_and_nothing_else() -> None:
    figure = roll_figure(NOTHING, NOTHING)
    assert figure_file(figure, "PNG").startswith(b"\x89PNG")
    assert b"<svg" in figure_file(figure, ".svg")
    with pytest.raises(UnknownName, match="png, svg"):
        figure_file(figure, "pdf")
