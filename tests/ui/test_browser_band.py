"""A band in a real browser: five colours, strips to mute and to hear alone, all after an upload."""

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mido
import pytest

from pyzzicato.formats.midi import read_midi, write_midi
from pyzzicato.music.instruments import INSTRUMENTS
from tests.small_band import band_piece
from tests.small_band_model import add_band_model
from tests.ui.test_browser import Visitor, browser, served, until

__all__ = ["browser"]  # a fixture

pytestmark = pytest.mark.browser
COLOURS = {
    "light": ["#5B5866", "#2B6CC4", "#12866A", "#B0417F", "#B27A00"],
    "dark": ["#BCB7CE", "#7FB2FF", "#5CC9A7", "#F08BC6", "#F0C04F"],
}
# The loudest of half a second of what one instrument gives to the mix.
LOUDNESS = """async (number) => {
  const sound = globalThis.pyzzicatoSound;
  const meter = new AnalyserNode(sound.context, { fftSize: 2048 });
  sound.channels[number].connect(meter);
  const wave = new Float32Array(2048);
  let most = 0;
  for (let i = 0; i < 25; i++) {
    await new Promise((done) => setTimeout(done, 20));
    meter.getFloatTimeDomainData(wave);
    most = Math.max(most, ...wave.map(Math.abs));
  }
  sound.channels[number].disconnect(meter);
  return most;
}"""
# Pixels of the roll that have one of these colours; notes of full velocity are opaque.
NEAR = """(canvas, colours) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const wanted = colours.map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  const found = colours.map(() => 0);
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] < 200) continue;
    wanted.forEach((colour, k) => {
      found[k] += colour.every((value, c) => Math.abs(value - data[i + c]) < 4);
    });
  }
  return found;
}"""


@pytest.fixture(scope="module")
def address(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("models")
    add_band_model(folder)
    root = Path(__file__).resolve().parents[2]
    start = (str(root / "tests" / "ui" / "apps" / "serve_band.py"),)
    with served(start, PYZZICATO_MODELS=str(folder), PYTHONPATH=str(root)) as url:
        yield url


@pytest.fixture
def enter(browser: Any, address: str) -> Iterator[Callable[..., Visitor]]:
    visitors: list[Visitor] = []

    def open_app(link: str = "", **more: Any) -> Visitor:
        visitors.append(Visitor(browser, f"{address}/{link}", **more))
        return visitors[-1]

    yield open_app
    for visitor in visitors:
        assert visitor.errors == []
        assert visitor.hosts <= {address.split("/")[2]}, "something came from another host"
        visitor.context.close()


def uploaded(visitor: Visitor) -> int:
    """Gives a band piece as loud as can be; the number of its notes, once they are shown."""
    piece = band_piece(4)
    loud = type(piece)(tuple(note._replace(velocity=127) for note in piece))
    visitor.give("ours.mid", write_midi(loud))
    until(lambda: visitor.title() == "ours.mid")
    until(lambda: int(visitor.data("notes")) == len(loud))
    return len(loud)


def strips(visitor: Visitor) -> Any:
    return visitor.page.get_by_role("group", name="Instruments").get_by_role("group")


def loudness(visitor: Visitor, name: str) -> float:
    return float(visitor.page.evaluate(LOUDNESS, INSTRUMENTS.index(name)))


def test_an_upload_of_a_band_is_heard_and_seen_by_instrument(enter: Callable[..., Visitor]) -> None:
    visitor = enter("?seconds=8")
    assert not visitor.page.get_by_role("group", name="Instruments").is_visible()
    uploaded(visitor)
    assert strips(visitor).all_inner_texts() == [f"{name}\nSolo" for name in INSTRUMENTS]
    visitor.compose()
    assert [track.name for track in tracks(visitor.keep("MIDI"))] == list(INSTRUMENTS)
    until(lambda: visitor.data("band") == "ready")
    until(lambda: visitor.data("state") == "playing")
    for name in ("Drums", "Bass"):
        assert loudness(visitor, name) > 0.01
    mute = visitor.page.get_by_role("button", name="Mute Bass")
    mute.focus()
    visitor.page.keyboard.press("Space")
    assert mute.get_attribute("aria-pressed") == "true"
    visitor.page.wait_for_timeout(200)
    assert loudness(visitor, "Bass") < 0.001
    assert loudness(visitor, "Drums") > 0.01
    visitor.press("Solo Bass")
    visitor.page.wait_for_timeout(200)
    assert loudness(visitor, "Bass") > 0.01  # to be heard alone counts for more
    assert loudness(visitor, "Drums") < 0.001
    volume = visitor.page.get_by_role("slider", name="Volume of Bass")
    volume.press("Home")
    visitor.page.wait_for_timeout(200)
    assert loudness(visitor, "Bass") < 0.001


def tracks(data: bytes) -> list[Any]:
    return list(mido.MidiFile(file=io.BytesIO(data)).tracks[1:])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_five_colours_fit(enter: Callable[..., Visitor], width: int, scheme: str) -> None:
    visitor = enter("?seconds=5", width=width, scheme=scheme)
    if width < 800:
        visitor.page.locator(".pz-fold summary").click()
    uploaded(visitor)
    assert visitor.overflow() <= 0
    roll = visitor.page.locator(".roll .base")
    until(lambda: min(roll.evaluate(NEAR, COLOURS[scheme])) > 20)
    swatches = (
        strips(visitor)
        .locator("i")
        .evaluate_all("all => all.map((one) => getComputedStyle(one).backgroundColor)")
    )
    assert len(set(swatches)) == 5
    for button in strips(visitor).get_by_role("button").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= (44 if width < 800 else 24)
        assert button.get_attribute("aria-label")
    before = roll.evaluate(NEAR, COLOURS[scheme])[3]
    visitor.press("Mute Bass")
    until(lambda: roll.evaluate(NEAR, COLOURS[scheme])[3] < before / 4)  # paler on the roll


def test_the_others_are_made_anew_and_undone(enter: Callable[..., Visitor]) -> None:
    visitor = enter("?seconds=8")
    notes = uploaded(visitor)
    visitor.press("Make instruments anew")
    visitor.page.get_by_text("Choose what to keep.").wait_for()
    visitor.page.locator(".st-key-keep-names").get_by_text("Bass", exact=True).click()
    visitor.page.get_by_text("What is kept stays note for note").wait_for()
    visitor.press("Make the others anew")
    visitor.page.get_by_text(re.compile("anew around its bass$")).first.wait_for()
    visitor.written()
    kept = read_midi(visitor.keep("MIDI"))
    bass = [note for note in kept if note.program == 33]
    meant = [note for note in band_piece(4) if note.program == 33]
    assert [(n.pitch, round(n.start, 2)) for n in bass] == [
        (n.pitch, round(n.start, 2)) for n in meant
    ]
    assert len(kept) != notes
    assert visitor.overflow() <= 0
    visitor.press("Undo")
    until(lambda: visitor.title() == "ours.mid")
    until(lambda: int(visitor.data("notes")) == notes)
