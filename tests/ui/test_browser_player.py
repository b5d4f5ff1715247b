"""The player by itself in a real browser: what it shows, how it plays, how it is worked."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Playwright

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.browser
APP = Path(__file__).parent / "apps" / "player_app.py"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# Loudness of what reaches the loudspeaker, as the root of the mean square.
LISTEN = """() => {
  const sound = globalThis.pyzzicatoSound;
  if (!globalThis.meter) {
    globalThis.meter = new AnalyserNode(sound.context, { fftSize: 8192 });
    sound.volume.connect(globalThis.meter);
  }
  const wave = new Float32Array(8192);
  globalThis.meter.getFloatTimeDomainData(wave);
  return Math.sqrt(wave.reduce((sum, value) => sum + value * value, 0) / wave.length);
}"""


# Where the lowest line of the roll begins and ends to be inked through, as shares of its width.
BOTTOM_ROW = """canvas => {
  const { width, height } = canvas;
  const row = canvas.getContext("2d").getImageData(0, height - 1, width, 1).data;
  const inked = [];
  for (let x = 0; x < width; x++) if (row[x * 4 + 3] > 180) inked.push(x / width);
  return [inked[0], inked[inked.length - 1]];
}"""

# Keeps the code of the components back until `go` is set.
HELD_BACK = """globalThis.pyzzicato = {
  all: null, go: false, waiting: Object.assign([], { splice: () => [] }),
  get show() { return this.go ? this.all : undefined; },
  set show(code) { this.all = code; },
};"""

# How much ink the ground has at 1.6 and at 3.6 of 4 seconds, high up where no note is.
GROUND = """canvas => [1.6, 3.6].map((time) => {
  const x = 30 + (time / 4) * (canvas.clientWidth - 30);
  return canvas.getContext("2d").getImageData(x, 26, 1, 1).data[3];
})"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "streamlit", "run", str(APP), "--server.port", str(port),
        "--server.headless", "true", "--server.fileWatcherType", "none",
        "--browser.gatherUsageStats", "false", "--server.address", "127.0.0.1",
    ]  # fmt: skip
    path = os.pathsep.join([str(APP.parents[2]), os.environ.get("PYTHONPATH", "")])
    server = subprocess.Popen(
        command,
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        until(lambda: healthy(url), seconds=60)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=20)


def healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def until(true: Callable[[], bool], seconds: float = 15) -> None:
    """Waits for something to become true; fails loudly where it does not."""
    limit = time.monotonic() + seconds
    while not true():
        if time.monotonic() > limit:
            raise AssertionError("it did not happen in time")
        time.sleep(0.03)


@pytest.fixture(scope="module")
def driver() -> Iterator[Playwright]:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: the player is not tested in a browser")
    with playwright.sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(driver: Playwright) -> Iterator[Browser]:
    arguments = [*ARGUMENTS, "--autoplay-policy=no-user-gesture-required"]
    instance = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
    yield instance
    instance.close()


class Stage:
    """The page with the player, and short words for what the tests do with it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        self.frames: list[int] = []
        page.on("websocket", lambda line: line.on("framereceived", self.count))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))
        page.goto(address)
        self.root = page.locator(".player")
        self.root.wait_for(timeout=30_000)
        until(lambda: self.data("notes") != "" and page.get_by_text("seed low").is_visible())

    def count(self, frame: str | bytes) -> None:
        self.frames.append(len(frame))

    def data(self, name: str) -> str:
        return self.root.get_attribute(f"data-{name}") or ""

    @property
    def time(self) -> float:
        return float(self.data("time"))

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def becomes(self, state: str) -> None:
        until(lambda: self.data("state") == state)

    def reaches(self, seconds: float) -> None:
        until(lambda: self.time >= seconds)

    def loudness(self) -> float:
        return float(self.page.evaluate(LISTEN))


@pytest.fixture
def stage(browser: Browser, address: str) -> Iterator[Stage]:
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(15_000)
    opened = Stage(page, address)
    yield opened
    assert opened.errors == []
    assert {host.split(":")[0] for host in opened.hosts if host} == {"127.0.0.1"}
    page.close()


def test_play_pause_and_stop(stage: Stage) -> None:
    assert (stage.data("state"), stage.data("notes"), stage.time) == ("idle", "12", 0)
    stage.press("Play")
    stage.reaches(0.6)
    assert stage.data("state") == "playing"
    until(lambda: stage.loudness() > 0.003)
    stage.press("Pause")
    paused = stage.time
    assert stage.data("state") == "paused"
    until(lambda: stage.loudness() < 0.001)
    assert stage.time == paused
    stage.press("Stop playing")
    assert (stage.data("state"), stage.time) == ("idle", 0)


def test_the_end_is_reached_and_play_begins_anew(stage: Stage) -> None:
    stage.page.get_by_label("Speed", exact=True).select_option("2")
    stage.page.get_by_label("Place in the music").press("End")
    stage.page.get_by_label("Place in the music").press("ArrowLeft")
    assert stage.time == pytest.approx(2, abs=0.01)
    stage.press("Play")
    stage.becomes("idle")
    assert stage.time == pytest.approx(4, abs=0.01)
    stage.press("Loop")
    stage.press("Play")
    stage.reaches(3)
    until(lambda: stage.time < 1)
    assert stage.data("state") == "playing"


def test_a_piece_plays_while_it_grows_and_waits_for_more(stage: Stage) -> None:
    stage.press("Compose")
    stage.reaches(0.3)  # the seed is there: it sounds at once
    stage.page.get_by_label("Speed", exact=True).select_option("2")
    stage.becomes("waiting")
    assert stage.time == pytest.approx(4, abs=0.3)
    before = int(stage.data("notes"))
    stage.press("More")
    until(lambda: int(stage.data("notes")) > before)
    stage.becomes("playing")
    stage.reaches(4.5)
    stage.press("Finish")
    until(lambda: stage.data("notes") == "72")
    assert stage.data("state") == "playing"
    assert stage.time > 4.5
    assert stage.page.locator(".player .all").inner_text() == "0:24"


def test_reruns_neither_interrupt_nor_remount(stage: Stage) -> None:
    stage.root.evaluate("element => (element.marked = true)")
    stage.press("Play")
    stage.reaches(0.3)
    for run in (1, 2):
        stage.press("Rerun")
        stage.page.get_by_text(f"runs {run}").wait_for()
    assert stage.data("state") == "playing"
    assert stage.root.evaluate("element => element.marked")
    place = stage.time
    stage.reaches(place + 0.2)


def test_another_take_keeps_the_place(stage: Stage) -> None:
    stage.press("Compose")
    stage.press("Finish")
    until(lambda: stage.data("notes") == "72")
    stage.reaches(1)
    stage.page.get_by_role("radio", name="take 2").click()
    stage.page.get_by_text("take 1", exact=True).last.wait_for()
    assert stage.data("state") == "playing"
    assert stage.time >= 1


def test_a_known_passage_is_underlined_and_named(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    opened = Stage(page, f"{address}/?known=1")
    roll, box = page.locator(".roll"), page.locator(".roll").bounding_box()
    assert box is not None

    def tip(share: float) -> str | None:
        for down in (60, 61):  # what is drawn later hears the next move
            page.mouse.move(box["x"] + 30 + share * (box["width"] - 30), box["y"] + down)
        return roll.get_attribute("title")

    until(lambda: tip(0.5) == "As in a <b>fugue")  # the passage is the middle half of what is shown
    until(lambda: tip(0.9) == "")
    ends = page.locator(".base").evaluate(BOTTOM_ROW)
    assert [round(end, 1) for end in ends] == [0.3, 0.8]
    inside, outside = page.locator(".base").evaluate(GROUND)
    assert inside == outside, "it is underlined, not shaded"
    assert opened.errors == []
    page.close()


def test_mouse_and_keys(stage: Stage) -> None:
    roll = stage.page.get_by_label("Place in the music")
    box = roll.bounding_box()
    assert box is not None
    roll.click(position={"x": 30 + (box["width"] - 30) / 2, "y": 120})
    middle = stage.time
    assert middle == pytest.approx(2, abs=0.1)
    roll.press("ArrowRight")
    assert stage.time == pytest.approx(4, abs=0.1)
    roll.press("Home")
    assert stage.time == 0
    roll.press(" ")
    stage.becomes("playing")
    roll.press(" ")
    stage.becomes("paused")
    roll.press("l")
    loop = stage.page.get_by_role("button", name="Loop")
    assert loop.get_attribute("aria-pressed") == "true"
    roll.press("+")
    stage.page.mouse.wheel(0, -400)  # the roll has been pressed: the wheel zooms
    roll.press("Home")
    roll.click(position={"x": box["width"] - 1, "y": 120})
    assert 1.5 < stage.time < 3  # only part of the piece is in view now
    assert "grab" in (roll.get_attribute("class") or "")


def test_seeds_are_radios_that_can_be_heard(stage: Stage) -> None:
    radios = stage.page.get_by_role("radiogroup", name="Start from").get_by_role("radio")
    assert radios.count() == 3
    assert "Low <b>scale</b>" in radios.first.inner_text()  # text is never markup
    radios.first.focus()
    stage.page.keyboard.press("ArrowDown")
    stage.page.get_by_text("seed high").wait_for()
    assert radios.nth(1).get_attribute("aria-checked") == "true"
    radios.nth(2).click()
    stage.page.get_by_text("seed higher").wait_for()
    stage.press("Play")
    stage.becomes("playing")
    stage.press("Hear High scale")
    stage.becomes("paused")  # one thing sounds at a time
    until(lambda: stage.loudness() > 0.003)
    stage.press("Stop High scale")
    until(lambda: stage.loudness() < 0.001)


def test_continue_from_here(stage: Stage) -> None:
    stage.page.get_by_label("Place in the music").press("ArrowRight")
    stage.press("Continue from here")
    stage.page.get_by_text("continue at 2.0").wait_for()
    stage.press("Rerun")
    stage.page.get_by_text("continue at 2.0").wait_for(state="detached")


def test_the_recorded_piano_arrives_once(stage: Stage) -> None:
    until(lambda: stage.data("bank") == "ready", seconds=60)
    keys = "[...globalThis.pyzzicatoSound.bank.samples].every((each) => each.buffer.duration > 0.5)"
    assert stage.page.evaluate(keys)
    # The news of a frame reaches this test later than the frame reaches the page, a large one most.
    until(lambda: max(stage.frames, default=0) > 100_000)
    stage.frames.clear()
    stage.press("Rerun")
    stage.page.get_by_text("runs 1").wait_for()

    def quiet() -> bool:
        before = len(stage.frames)
        stage.page.wait_for_timeout(1000)
        return 0 < before == len(stage.frames)

    until(quiet)
    assert sum(stage.frames) < 20_000, stage.frames


def test_there_is_room_for_what_comes_before_the_code_does(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.add_init_script(HELD_BACK)
    page.goto(address)
    places = [page.locator(".player"), page.locator(".cards").first]
    until(lambda: bool(page.evaluate("pyzzicato.waiting.length > 1 && pyzzicato.all !== null")))
    page.get_by_text("seed low").wait_for()
    assert places[0].get_attribute("data-notes") == "0"
    before = [place.bounding_box() for place in places]
    page.evaluate("pyzzicato.go = true; for (const show of pyzzicato.waiting) show();")
    page.locator('.player[data-notes="12"]').wait_for()
    page.locator(".card").first.wait_for()
    assert [place.bounding_box() for place in places] == before
    page.close()


def test_nothing_yet(browser: Browser, address: str) -> None:
    page = browser.new_page()
    empty = Stage(page, f"{address}/?empty=1")
    assert page.get_by_text("Nothing to play yet.").is_visible()
    assert page.get_by_role("button", name="Play", exact=True).is_disabled()
    empty.press("Compose")
    empty.becomes("waiting")
    empty.press("More")
    empty.becomes("playing")
    assert empty.errors == []
    page.close()


@pytest.mark.parametrize("width", [390, 1600])
def test_it_fits_and_follows_the_theme(browser: Browser, address: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme="dark")
    opened = Stage(page, address)
    until(lambda: "dark" in (opened.root.get_attribute("class") or ""))
    page.emulate_media(color_scheme="light")
    until(lambda: "dark" not in (opened.root.get_attribute("class") or ""))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    play = page.get_by_role("button", name="Play", exact=True).bounding_box()
    assert play is not None
    assert play["width"] >= 44
    assert opened.errors == []
    page.close()


def test_a_press_elsewhere_on_the_page_unlocks_the_sound(driver: Playwright, address: str) -> None:
    strict = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    opened = Stage(strict.new_page(), address)
    assert opened.page.evaluate("globalThis.pyzzicatoSound.live") is False
    opened.press("Compose")
    opened.reaches(0.5)
    until(lambda: opened.loudness() > 0.003)
    strict.close()
