"""What survives a reload, a step back and a restart in a real browser; two races that did not."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pyzzicato.formats.midi import write_midi
from tests.ui.test_browser import Visitor, address, browser, enter, free_port, served, tune, until

pytestmark = pytest.mark.browser
__all__ = ["address", "browser", "enter"]  # fixtures


def settings_in(link: str) -> dict[str, str]:
    return dict(each.split("=", 1) for each in link.partition("?")[2].split("&"))


def test_a_reload_and_a_step_back_keep_the_piece(enter: Callable[..., Visitor]) -> None:
    visitor = enter("?seconds=5")
    visitor.compose()
    notes, title = visitor.data("notes"), visitor.title()
    visitor.page.reload()
    until(lambda: visitor.player.is_visible() and visitor.data("notes") == notes)
    assert visitor.title() == title
    visitor.page.get_by_role("link", name="Models").click()
    visitor.page.get_by_role("heading", name="Models").first.wait_for()
    visitor.page.go_back()
    until(lambda: visitor.player.is_visible() and visitor.data("notes") == notes)
    visitor.press("Undo")
    until(lambda: int(visitor.data("notes")) < int(notes))
    visitor.page.reload()
    visitor.press("Redo")
    until(lambda: visitor.data("notes") == notes)


def test_a_restarted_server_brings_the_piece_back(browser: Any, tmp_path: Path) -> None:
    port = free_port()
    with served(port=port, PYZZICATO_DATA=str(tmp_path)) as url:
        visitor = Visitor(browser, f"{url}/?seconds=5")
        visitor.compose()
        notes, title = visitor.data("notes"), visitor.title()
        link = visitor.link
        until(lambda: bool(list(tmp_path.rglob("*.json.gz"))))
        visitor.page.goto("about:blank")
    with served(port=port, PYZZICATO_DATA=str(tmp_path)):
        visitor.page.goto(link)
        until(lambda: visitor.player.is_visible() and visitor.data("notes") == notes)
        assert visitor.title() == title
        other = Visitor(browser, url)  # who has no such cookie begins anew
        assert int(other.data("notes")) < int(notes)


def test_a_file_given_while_the_page_is_being_drawn_changes_no_setting(
    browser: Any, address: str
) -> None:
    wanted = {"rng_seed": "3", "seconds": "35", "top_p": "0.93", "guidance": "1.5"}
    link = "&".join(f"{name}={value}" for name, value in wanted.items())
    for _ in range(5):
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.goto(f"{address}/?{link}")
        page.get_by_role("radio", name="Your file").click()  # as soon as it is there
        page.locator("input[type=file]").set_input_files(
            {"name": "a.mid", "mimeType": "audio/midi", "buffer": write_midi(tune())}
        )
        page.wait_for_function("location.href.includes('seed=upload')")
        page.locator("[data-test-script-state=notRunning]").wait_for()
        found = settings_in(page.evaluate("location.href"))
        assert {name: found[name] for name in wanted} == wanted
        context.close()


def test_stop_goes_when_a_piece_ends_at_once(enter: Callable[..., Visitor]) -> None:
    visitor = enter("?model=band_cnn&seconds=5")
    for number in range(1, 6):
        visitor.press("Compose")
        visitor.page.locator(f".st-key-keep-mid-{number}").wait_for()
        visitor.page.locator(".st-key-stop").wait_for(state="detached")
        visitor.page.get_by_role("button", name="Compose", exact=True).wait_for()
