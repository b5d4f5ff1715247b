"""Whole journeys through the app in a real browser, with the models that ship."""

import io
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pretty_midi
import pytest
import soundfile

from pyzzicato.formats.midi import write_midi
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.seeds.library import find_seed

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
WRITTEN = r"^(?:Stopped\. )?([\d,]+) notes? in "  # how the line begins when all is there
CHROMIUM = (
    os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
)
ARGUMENTS = [
    "--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--disable-gpu", "--disable-quic",
    "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip
NOCTURNE = "chopin-nocturne-op-9-no-2"


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    """Waits for something to become true; fails loudly where it does not."""
    limit = time.monotonic() + seconds
    while not true():
        if time.monotonic() > limit:
            raise AssertionError("it did not happen in time")
        time.sleep(0.05)


def healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: the app is not tested in a browser")
    with playwright.sync_playwright() as driver:
        instance = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield instance
        instance.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(
    start: tuple[str, ...] = ("-m", "streamlit"), *, port: int | None = None, **environment: str
) -> Iterator[str]:
    """The app on a server of its own, begun by Python's `start`; yields its address."""
    port = port or free_port()
    command = [
        sys.executable, *start, "run", "app.py", "--server.port", str(port),
        "--server.headless", "true", "--server.address", "127.0.0.1",
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as kept:
        server = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYZZICATO_DATA": kept, **environment},
        )
        try:
            until(lambda: healthy(url), seconds=60)
            yield url
        finally:
            server.terminate()
            server.wait(timeout=20)


@pytest.fixture(scope="module")
def address(browser: Any) -> Iterator[str]:
    with served() as url:
        yield url


class Visitor:
    """One person with a browser window, and what they do in the app."""

    def __init__(
        self, browser: Any, address: str, width: int = 1280, scheme: str = "light"
    ) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))
        self.page.goto(address)
        self.player = self.page.locator(".player")
        self.player.wait_for(timeout=60_000)
        # The address says what is set once the page is whole.
        if "seed=" not in address:
            until(lambda: "seed=" in self.link)

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def compose(self) -> None:
        """Presses Compose and waits until all of it is written."""
        self.press("Compose")
        self.written()

    def written(self) -> None:
        self.page.get_by_text(re.compile(WRITTEN)).wait_for(timeout=60_000)
        self.page.get_by_role("button", name="MIDI", exact=True).wait_for()

    def data(self, name: str) -> str:
        return self.player.get_attribute(f"data-{name}") or ""

    @property
    def time(self) -> float:
        return float(self.data("time"))

    @property
    def link(self) -> str:
        """What the address bar says now; `page.url` is only as new as the last call of the page."""
        return str(self.page.evaluate("location.href"))

    @property
    def figures(self) -> str:
        """The quiet line about what was written."""
        return str(self.page.locator(".pz-status").inner_text())

    @property
    def new_notes(self) -> int:
        """How many notes that line tells of."""
        found = re.search(WRITTEN, self.figures)
        assert found is not None
        return int(found[1].replace(",", ""))

    def title(self) -> str:
        return str(self.page.locator(".pz-title").inner_text())

    def download(self, name: str) -> Any:
        """What a download button gives, once the page is at rest."""
        self.page.locator("[data-test-script-state=notRunning]").wait_for()
        with self.page.expect_download(timeout=60_000) as waiting:
            self.press(name)
        return waiting.value

    def keep(self, name: str) -> bytes:
        """The bytes of what a download button gives."""
        return Path(self.download(name).path()).read_bytes()

    def give(self, name: str, data: bytes) -> None:
        """Uploads a file to start from."""
        self.page.get_by_role("radio", name="Your file").click()
        self.page.locator("input[type=file]").set_input_files(
            {"name": name, "mimeType": "audio/midi", "buffer": data}
        )

    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        parts = "[document.documentElement, document.querySelector('.stMain')]"
        widest = f"Math.max(...{parts}.map((part) => part.scrollWidth))"
        return int(self.page.evaluate(f"{widest} - innerWidth"))


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


def notes_of(data: bytes) -> list[tuple[int, int, float]]:
    """(pitch, velocity, start) of every note, read by a library that is not ours."""
    midi = pretty_midi.PrettyMIDI(io.BytesIO(data))
    notes = [note for part in midi.instruments for note in part.notes]
    return sorted((note.pitch, note.velocity, round(note.start, 2)) for note in notes)


def tune() -> NoteSequence:
    return NoteSequence(tuple(Note(i / 3, i / 3 + 0.3, 55 + i * 5 % 24) for i in range(24)))


def test_compose_with_a_seed_of_the_library_and_hear_it(enter: Callable[..., Visitor]) -> None:
    visitor = enter("?seconds=20")
    assert visitor.title() == "Nocturne in E-flat major, op. 9 no. 2"
    seed_notes = len(find_seed(NOCTURNE).sequence())
    until(lambda: int(visitor.data("notes")) == seed_notes)
    visitor.press("Compose")
    until(lambda: visitor.data("state") == "playing")
    until(lambda: int(visitor.data("notes")) > seed_notes)
    visitor.written()
    assert visitor.title() == "After Nocturne in E-flat major, op. 9 no. 2, in the style of Chopin"
    before = visitor.time
    until(lambda: visitor.time > before + 1)
    visitor.press("Pause")
    until(lambda: visitor.data("state") == "paused")
    still = visitor.time
    visitor.page.wait_for_timeout(400)
    assert visitor.time == still


def test_another_seed_by_its_card(enter: Callable[..., Visitor]) -> None:
    visitor = enter()
    cards = visitor.page.get_by_role("radiogroup", name="Openings").get_by_role("radio")
    other = cards.filter(has_not_text="Nocturne in E-flat major").first
    title = other.locator(".title").inner_text()
    other.click()
    until(lambda: visitor.title().startswith(title))
    until(lambda: NOCTURNE not in visitor.link)


def test_an_upload_is_the_seed(enter: Callable[..., Visitor]) -> None:
    visitor = enter("?seconds=5")
    visitor.give("tune.mid", write_midi(tune()))
    until(lambda: visitor.title() == "tune.mid")
    until(lambda: int(visitor.data("notes")) == len(tune()))
    visitor.compose()
    assert visitor.title() == "After tune.mid, in the style of Chopin"
    pitches = [pitch for pitch, _, start in notes_of(visitor.keep("MIDI")) if start < 7.9]
    assert sorted(pitches) == sorted(note.pitch for note in tune())


def test_a_text_named_like_midi_gets_a_sentence(enter: Callable[..., Visitor]) -> None:
    visitor = enter("?seconds=5")
    visitor.give("poem.mid", b"Shall I compare thee to a summer's day?")
    said = visitor.page.get_by_text("This is a text file named like MIDI")
    said.wait_for()
    assert (
        visitor.title() == "Nocturne in E-flat major, op. 9 no. 2"
    )  # what was chosen is still there
    visitor.compose()
    assert not said.is_visible()


def test_stop_midway_keeps_what_is_there(enter: Callable[..., Visitor]) -> None:
    visitor = enter("?seconds=300&takes=10")
    visitor.press("Compose")
    visitor.page.get_by_text(re.compile(r"[1-9]\d* of 300 seconds written")).wait_for()
    visitor.page.locator(".st-key-stop button").click()  # the player has a Stop of its own
    visitor.written()
    assert visitor.figures.startswith("Stopped. ")
    found = re.search(r" notes in (\d+) seconds", visitor.figures)
    assert found is not None
    assert 0 < int(found[1]) < 300
    seed = len(find_seed(NOCTURNE).sequence())
    assert len(notes_of(visitor.keep("MIDI"))) == seed + visitor.new_notes
    assert visitor.page.get_by_role("button", name="Compose", exact=True).is_enabled()


def test_what_is_kept_can_be_read_by_others(enter: Callable[..., Visitor]) -> None:
    visitor = enter("?seconds=5")
    visitor.compose()
    seed = find_seed(NOCTURNE).sequence()
    assert len(notes_of(visitor.keep("MIDI"))) == len(seed) + visitor.new_notes
    samples, rate = soundfile.read(io.BytesIO(visitor.keep("WAV")))
    assert rate == 44100
    assert len(samples) / rate >= seed.duration + 5
    assert 0.05 < np.abs(samples).max() <= 1


def test_a_link_gives_another_person_the_same_music(enter: Callable[..., Visitor]) -> None:
    mine = enter("?seconds=10&composer=bach&seed=bach-invention-bwv-772&rng_seed=1234")
    mine.compose()
    music = notes_of(mine.keep("MIDI"))
    mine.page.get_by_text("Link", exact=True).click()
    link = mine.page.get_by_test_id("stCode").inner_text().strip()
    assert "rng_seed=1234" in link
    yours = enter(link.split("/", 3)[3])
    assert yours.title() == "Invention No. 1 in C major, BWV 772"
    yours.compose()
    assert notes_of(yours.keep("MIDI")) == music


def test_a_bad_link_says_so_and_goes_on(enter: Callable[..., Visitor]) -> None:
    visitor = enter("?model=nobody&seed=none&seconds=5&composer=%3Cb%3Ex%3C/b%3E")
    said = visitor.page.get_by_role("alert")
    said.wait_for()
    assert "a model that is not here, “nobody”" in said.inner_text()
    assert "a composer that is not here, “<b>x</b>”" in said.inner_text()
    visitor.compose()
    assert not said.is_visible()


def test_takes_are_rolls_to_choose_from(enter: Callable[..., Visitor]) -> None:
    visitor = enter("?seconds=10&takes=3")
    visitor.compose()
    rolls = visitor.page.get_by_role("radiogroup", name="Takes").get_by_role("radio")
    assert rolls.count() == 3
    first = visitor.figures
    rolls.nth(2).click()
    until(lambda: visitor.figures != first)
    assert (
        visitor.download("MIDI").suggested_filename
        == f"pyzzicato-transformer-{NOCTURNE}-chopin-1-take-3.mid"
    )


def test_continue_and_undo(enter: Callable[..., Visitor]) -> None:
    visitor = enter("?seconds=5")
    visitor.compose()
    notes = len(find_seed(NOCTURNE).sequence()) + visitor.new_notes
    visitor.press("Continue from the end")
    until(lambda: "op. 9 no. 2 (continued)" in visitor.title())
    until(lambda: int(visitor.data("notes")) > notes)
    visitor.page.locator(".st-key-keep").wait_for()
    visitor.press("Undo")
    until(lambda: "(continued)" not in visitor.title())
    until(lambda: int(visitor.data("notes")) == notes)


def test_the_picture(enter: Callable[..., Visitor]) -> None:
    visitor = enter("?seconds=5")
    visitor.compose()
    visitor.page.get_by_text("Piano roll as a picture").click()
    picture = visitor.page.locator(".stImage img, [data-testid=stImage] img").first
    picture.wait_for(timeout=60_000)
    until(lambda: bool(picture.evaluate("image => image.naturalWidth > 1000")))


@pytest.mark.parametrize("page", ["Models", "About"])
def test_a_link_straight_to_a_page(enter: Callable[..., Visitor], address: str, page: str) -> None:
    visitor = enter()
    visitor.page.goto(f"{address}/{page}")
    visitor.page.locator(".pz-title").wait_for()
    visitor.page.get_by_role("link", name="Compose", exact=True).click()
    until(lambda: visitor.title() == "Nocturne in E-flat major, op. 9 no. 2")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits(enter: Callable[..., Visitor], width: int, scheme: str) -> None:
    visitor = enter("?seconds=5&takes=4", width=width, scheme=scheme)
    assert visitor.overflow() <= 0
    press = visitor.page.get_by_role("button", name="Compose", exact=True)
    box = press.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 900  # in sight without scrolling
    visitor.compose()
    assert visitor.overflow() <= 0
    if width < 800:
        style = visitor.page.get_by_role("radio", name="Debussy")
        assert not style.is_visible()
        visitor.page.locator(".pz-fold summary").click()
        assert style.is_visible()
        assert visitor.overflow() <= 0
        box = press.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 900
