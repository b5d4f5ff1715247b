"""Keeping a piece in a real browser: files that come at once, on a machine that is busy."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pyzzicato.seeds.library import find_seed
from tests.small_model import make_model
from tests.ui.test_browser import NOCTURNE, Visitor, browser, enter, notes_of, served, until

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser
__all__ = ["browser", "enter"]  # fixtures
PRESSES = 25


@pytest.fixture(scope="module")
def address(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("models")
    make_model(folder / "small", title="Small")
    with served(PYZZICATO_MODELS=str(folder)) as url:
        yield url


@contextmanager
def busy(processes: int = 2) -> Iterator[None]:
    """So many processes that do nothing but want a core."""
    others = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)
    ]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def press_at_once(visitor: Visitor, kind: str, piece: int) -> bytes:
    """Composes a piece and presses the button of a file the moment it is there; what comes."""
    with visitor.page.expect_download(timeout=60_000) as waiting:
        visitor.press("Compose")
        visitor.page.locator(f".st-key-keep-{kind}-{piece} button").click(timeout=60_000)
    return Path(waiting.value.path()).read_bytes()


def test_a_file_comes_whenever_its_button_is_there(enter: Callable[..., Visitor]) -> None:
    visitor = enter("?seconds=5")
    seed = len(find_seed(NOCTURNE).sequence())
    with busy():
        for number in range(1, PRESSES + 1):
            data = press_at_once(visitor, "mid", number)
            assert len(notes_of(data)) == seed + visitor.new_notes, f"piece {number}"


def test_files_come_while_others_compose(enter: Callable[..., Visitor]) -> None:
    """Every run of anybody's page throws away files that no page shows any more."""
    visitor, other = enter("?seconds=5&takes=2"), enter("?seconds=300&takes=10")
    visitor.compose()
    other.press("Compose")
    other.page.get_by_text(re.compile(r"[1-9]\d* of 300 seconds written")).wait_for()
    names = {name: visitor.download(name).suggested_filename for name in ("MIDI", "WAV", "SVG")}
    assert {name.rpartition(".")[2] for name in names.values()} == {"mid", "wav", "svg"}


def test_two_files_can_be_asked_for_at_once(enter: Callable[..., Visitor]) -> None:
    visitor = enter("?seconds=5&takes=2")
    visitor.compose()
    came: list[str] = []
    visitor.page.on("download", lambda file: came.append(file.suggested_filename))
    for name in ("All takes", "WAV", "MIDI"):
        visitor.press(name)
    visitor.page.get_by_role("progressbar").first.wait_for()  # what takes long can be seen
    until(lambda: bool(visitor.page.title()) and len(came) == 3, seconds=240)
    assert {name.rpartition(".")[2] for name in came} == {"zip", "wav", "mid"}


def test_the_link_is_read_without_covering_the_player(enter: Callable[..., Visitor]) -> None:
    visitor = enter("?seconds=5&takes=3")
    visitor.compose()
    visitor.page.get_by_role("radiogroup", name="Takes").get_by_role("radio").nth(1).click()
    visitor.page.get_by_text("Link", exact=True).click()
    code = visitor.page.get_by_test_id("stCode").first
    code.wait_for()
    until(lambda: "&take=2" in code.inner_text())
    assert len(code.inner_text().partition("?")[2]) < 120
    player, shown = visitor.player.bounding_box(), code.bounding_box()
    assert player is not None
    assert shown is not None
    assert shown["y"] >= player["y"] + player["height"]
