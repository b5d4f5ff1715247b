"""How soon is the app there, how soon does it sound, how much memory does it take?

    python benchmarks/app.py [--rounds 3] [--pieces 200] [--write]

In headless Chromium by Playwright, on this machine (Linux only: memory is read from /proc):

- start: from starting the app's process, through its first answer at /_stcore/health, to the
  Compose button on the page, in a browser that is open already; a new process every round;
- first sound: from the press on Compose to the player playing, and to the loudspeaker getting
  more than silence, both timed inside the page; the second and later presses of a visit, so that
  the model is warm;
- memory: resident memory of the app's processes after composing once with every model that has
  weights; shared libraries are counted once a process;
- a minute of the first model, one take and ten: seconds from the press to the last note over those
  of `pyzzicato compose` with the same settings, in turn, and the bytes over the page's socket for
  one take;
- many pieces of 5 s in one visit: resident memory after a tenth of them and after all.

Medians over rounds. Wanted: under 3 s, under 1 s, under 500 MB; at most 1.3 and 1.5 times the
command line, at most 1 MB over the socket, at most 5 % more memory after all pieces.
`--write` keeps the figures in benchmarks/results.json.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from results import keep, machine, verdict

from pyzzicato.registry import models

ROOT = Path(__file__).resolve().parent.parent
WANTED = {
    "start_seconds": 3.0, "sound_seconds": 1.0, "memory_mb": 500.0, "app_over_cli_1": 1.3,
    "app_over_cli_10": 1.5, "socket_mb": 1.0, "memory_growth": 1.05,
}  # fmt: skip
PACKAGES = ("onnxruntime", "playwright", "streamlit")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
BROWSER = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
TAKES = (1, 10)
PATIENCE = 60.0  # seconds after which something that should happen counts as broken

# Runs in the page: from the press on Compose to the first picture in which the player plays, and
# to the first in which the wave before the loudspeaker is not silent. The player may stand in a
# shadow root, and may be replaced by the press.
WATCH = """() => {
  const roots = function* (node) {
    yield node;
    for (const element of node.querySelectorAll("*"))
      if (element.shadowRoot) yield* roots(element.shadowRoot);
  };
  let player = null;
  const find = () => {
    if (player?.isConnected) return player;
    for (const root of roots(document)) {
      player = root.querySelector(".player[data-state]");
      if (player) return player;
    }
    return null;
  };
  let meter = null; // the sound begins to exist with the first press
  const wave = new Float32Array(1024);
  const loud = () => {
    const sound = globalThis.pyzzicatoSound;
    if (!meter && sound?.volume) {
      meter = new AnalyserNode(sound.context, { fftSize: 1024 });
      sound.volume.connect(meter);
    }
    meter?.getFloatTimeDomainData(wave);
    return wave.some((value) => Math.abs(value) > 0.002);
  };
  const found = (globalThis.pyzzicatoTimes = { pressed: null, playing: null, heard: null });
  const look = () => {
    const now = performance.now();
    if (found.playing === null) {
      const state = find()?.dataset;
      if (state && (state.state === "playing" || Number(state.time) > 0)) found.playing = now;
    }
    if (found.playing !== null && found.heard === null && loud()) found.heard = now;
    if (found.heard === null) requestAnimationFrame(look);
    else globalThis.pyzzicatoSound.volume.disconnect(meter);
  };
  const press = (event) => {
    if (!event.target.closest?.("button")?.innerText.includes("Compose")) return;
    document.removeEventListener("click", press, true);
    found.pressed = performance.now();
    requestAnimationFrame(look);
  };
  document.addEventListener("click", press, true);
}"""


@dataclass(frozen=True)
class Server:
    """The app, started: where it is, its process, and when that began."""

    url: str
    process: subprocess.Popen[bytes]
    begun: float

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def wait(self) -> float:
        """Waits for the first answer and returns the seconds since the start."""
        while not self.answers():
            if self.process.poll() is not None or time.perf_counter() - self.begun > PATIENCE:
                raise SystemExit("The app does not start: try `make run` and read what it says.")
            time.sleep(0.01)
        return time.perf_counter() - self.begun


@contextmanager
def serving() -> Iterator[Server]:
    """A fresh app on a free port, ended afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port),
        "--server.headless", "true", "--server.fileWatcherType", "none",
        "--server.address", "127.0.0.1", "--browser.gatherUsageStats", "false",
    ]  # fmt: skip
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield Server(f"http://127.0.0.1:{port}", process, begun)
    finally:
        process.terminate()
        process.wait(timeout=20)


def processes_below(process: int) -> list[int]:
    """A process and all that it started, by id (Linux)."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # The name, in brackets, may hold spaces: what follows its end is counted.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has ended since the folder was listed
                continue
            parents[int(entry.name)] = int(fields[1])
    found = [process]
    for number in found:  # grows while it is read: children, then theirs
        found += [child for child, parent in parents.items() if parent == number]
    return found


def memory_mb(process: int) -> float:
    """Resident memory of a process and all that it started, in MB (Linux)."""
    pages = sum(
        int(Path(f"/proc/{number}/statm").read_text().split()[1])
        for number in processes_below(process)
    )
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def compose_button(page: Any) -> Any:
    return page.get_by_role("button", name="Compose", exact=True)


def compose(page: Any) -> dict[str, float]:
    """Presses Compose and waits for the end: seconds to playing and to sound."""
    page.evaluate(WATCH)
    compose_button(page).click()
    page.wait_for_function("globalThis.pyzzicatoTimes.heard !== null")
    times = page.evaluate("globalThis.pyzzicatoTimes")
    page.wait_for_timeout(500)  # the page has long been told: only then is its button looked at
    page.locator(".st-key-stop").wait_for(state="detached")  # there while the piece grows
    compose_button(page).wait_for()
    return {
        "playing": (times["playing"] - times["pressed"]) / 1e3,
        "heard": (times["heard"] - times["pressed"]) / 1e3,
    }


def open_page(browser: Any, url: str) -> Any:
    """A visit: the page, once its Compose button can be pressed."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE * 1000)
    page.goto(url, wait_until="commit")
    compose_button(page).wait_for()
    return page


def start_figures(browser: Any, rounds: int) -> dict[str, float]:
    """Seconds from the start of the process to its first answer and to the drawn page."""
    answered, painted = [], []
    for _ in range(rounds):
        with serving() as server:
            answered.append(server.wait())
            page = open_page(browser, server.url)
            painted.append(time.perf_counter() - server.begun)
            page.close()
    return {"answer_seconds": median(answered), "start_seconds": median(painted)}


def sound_and_memory(browser: Any, rounds: int) -> dict[str, float]:
    """First sound of the first model, then memory with all of them loaded."""
    ready = [name for name, info in models().items() if info.weights.exists()]
    found: dict[str, float] = {"models": len(ready)}
    with serving() as server:
        server.wait()
        page = open_page(browser, f"{server.url}/?model={ready[0]}")
        found["memory_before_mb"] = memory_mb(server.process.pid)
        presses = []
        for _ in range(rounds + 1):
            presses.append(compose(page))
            page.locator(".player").get_by_role("button", name="Stop playing").click()
            page.wait_for_timeout(2000)  # until the room is silent again
        found["first_press_seconds"] = presses[0]["heard"]
        found["playing_seconds"] = median(press["playing"] for press in presses[1:])
        found["sound_seconds"] = median(press["heard"] for press in presses[1:])
        page.close()
        for name in ready[1:]:
            page = open_page(browser, f"{server.url}/?model={name}")
            compose(page)
            page.close()
        found["memory_mb"] = memory_mb(server.process.pid)
    return found


def minutes(browser: Any, rounds: int) -> dict[str, float]:
    """A minute of music in the app and on the command line, in turn; one take and ten."""
    found: dict[str, float] = {}
    with serving() as server:
        server.wait()
        for takes in TAKES:
            page = open_page(browser, f"{server.url}/?seconds=60&takes={takes}")
            received: list[int] = []
            page.on(
                "websocket",
                lambda socket, received=received: socket.on(
                    "framereceived", lambda frame: received.append(len(frame))
                ),
            )
            page.reload()
            compose_button(page).wait_for()
            page.wait_for_timeout(2000)
            app, command = [], []
            for _ in range(rounds + 1):
                received.clear()
                begun = time.perf_counter()
                compose_button(page).click()
                page.locator(".st-key-stop").wait_for()
                page.locator(".st-key-stop").wait_for(state="detached")
                page.locator(".st-key-keep").wait_for()
                app.append(time.perf_counter() - begun)
                command.append(command_line(60, takes))
            ratio = median(app[1:]) / median(command[1:])
            found |= {f"app_{takes}": median(app[1:]), f"cli_{takes}": median(command[1:])}
            found[f"app_over_cli_{takes}"] = ratio
            if takes == 1:
                found["socket_mb"] = sum(received) / 1e6
            page.close()
    return found


def command_line(seconds: int, takes: int) -> float:
    """Seconds that `pyzzicato compose` takes."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable, "-c", "from pyzzicato.cli.main import main; main()", "compose",
            "--seconds", str(seconds), "--takes", str(takes), "-o", str(Path(folder, "piece.mid")),
        ]  # fmt: skip
        begun = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        return time.perf_counter() - begun


def many_pieces(browser: Any, pieces: int) -> dict[str, float]:
    """Memory after a tenth of `pieces` and after all, in one visit."""
    with serving() as server:
        server.wait()
        page = open_page(browser, f"{server.url}/?seconds=5")
        early = 0.0
        for piece in range(1, pieces + 1):
            compose_button(page).click()
            page.locator(".st-key-stop").wait_for()
            page.locator(".st-key-stop").wait_for(state="detached")
            if piece == max(1, pieces // 10):
                early = memory_mb(server.process.pid)
        late = memory_mb(server.process.pid)
        page.close()
    return {"pieces": pieces, "memory_early_mb": early, "memory_late_mb": late,
            "memory_growth": late / early}  # fmt: skip


def report(found: dict[str, float]) -> None:
    """Prints the figures."""
    rows = {
        "process to first answer": ("answer_seconds", "s"),
        "process to the drawn page": ("start_seconds", "s"),
        "first press to sound": ("first_press_seconds", "s"),
        "warm press to playing": ("playing_seconds", "s"),
        "warm press to sound": ("sound_seconds", "s"),
        "memory before composing": ("memory_before_mb", "MB"),
        f"memory, {found['models']:g} models used": ("memory_mb", "MB"),
        "a minute, app over command line": ("app_over_cli_1", "times"),
        "ten takes of it": ("app_over_cli_10", "times"),
        "over the socket for one": ("socket_mb", "MB"),
        f"memory, {found['pieces']:g} pieces": ("memory_growth", "times"),
    }
    for words, (name, unit) in rows.items():
        goal = f"  ({verdict(found[name], WANTED[name], most=True)})" if name in WANTED else ""
        print(f"{words:<33}{found[name]:8.2f} {unit}{goal}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pieces", type=int, default=200)
    parser.add_argument("--write", action="store_true", help="keep the figures in results.json")
    options = parser.parse_args()
    if not Path("/proc/self/statm").exists():
        raise SystemExit("Memory is read from /proc: run this on Linux.")
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        raise SystemExit("There is no Chromium: install it (on Debian: apt-get install chromium).")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=list(BROWSER))
        browser.new_page().goto("about:blank")  # so that the browser's own start is not counted
        found = start_figures(browser, options.rounds)
        found |= sound_and_memory(browser, options.rounds)
        found |= minutes(browser, options.rounds)
        found |= many_pieces(browser, options.pieces)
        browser.close()
    report(found)
    if options.write:
        figures = {name: round(value, 3) for name, value in found.items()}
        keep("app", {"machine": machine(PACKAGES), "rounds": options.rounds, **figures})


if __name__ == "__main__":
    main()
