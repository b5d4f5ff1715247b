"""The app for those who do not see it, or have no mouse: axe-core, focus, and what is read out."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.ui.test_browser import Visitor, address, browser, served, until

__all__ = ["address", "browser"]  # fixtures

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
)
pytestmark = pytest.mark.browser
WINDOWS = [(width, scheme) for width in (1280, 390) for scheme in ("light", "dark")]


def faults(page: Any) -> list[str]:
    """What axe-core finds wrong with the page as it is now: rule, place and message."""
    page.locator("[data-test-script-state=notRunning]").wait_for()
    found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{fault['id']}: {node['target']}" for fault in found for node in fault["nodes"]]


@pytest.fixture
def visitor(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    width, scheme = getattr(request, "param", (1280, "light"))
    made = Visitor(browser, f"{address}/?seconds=10&takes=3", width=width, scheme=scheme)
    yield made
    assert made.errors == []
    made.context.close()


@pytest.mark.parametrize("visitor", WINDOWS, indirect=True)
def test_axe_finds_nothing_on_compose(visitor: Visitor) -> None:
    page = visitor.page
    assert faults(page) == []
    fold = page.locator(".pz-fold summary")
    if fold.is_visible():
        fold.click()
    page.get_by_text("More controls").click()
    page.get_by_role("button", name="More openings").click()
    page.get_by_role("combobox", name="Another composer's opening").wait_for()
    assert faults(page) == []
    visitor.compose()
    if fold.is_visible():
        fold.click()
    page.get_by_role("radio", name="Your file").click()
    page.locator("input[type=file]").wait_for(state="attached")
    visitor.page.get_by_text("Link", exact=True).click()
    page.locator(".st-key-link code, [data-testid=stCode]").first.wait_for()
    assert faults(page) == []


@pytest.mark.parametrize("visitor", WINDOWS[::3], indirect=True)
@pytest.mark.parametrize("model", ["band_vae", "char_rnn_abc"])
def test_axe_finds_nothing_with_other_models(visitor: Visitor, address: str, model: str) -> None:
    page = visitor.page
    page.goto(f"{address}/?model={model}&seconds=5&takes=1")
    visitor.player.wait_for()
    until(lambda: f"model={model}" in visitor.link)
    fold = page.locator(".pz-fold summary")
    if fold.is_visible():
        fold.click()
    page.get_by_text("More controls").click()
    assert faults(page) == []
    visitor.compose()
    page.get_by_text("Piano roll as a picture").click()
    page.locator("[data-testid=stImage] img").wait_for(timeout=60_000)
    for name in ("Make instruments anew", "Morph into …", "Write a stretch anew"):
        if page.get_by_role("button", name=name).count():
            visitor.press(name)
            page.locator("[data-test-script-state=notRunning]").wait_for()
    assert faults(page) == []


@pytest.mark.parametrize("visitor", WINDOWS[::3], indirect=True)
def test_axe_finds_nothing_in_a_blind_test(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("navigation").get_by_role("link", name="Listen").click()
    visitor.press("Begin a test")
    page.get_by_role("button", name="Keep my answers").wait_for(timeout=90_000)
    visitor.press("Keep my answers")
    page.get_by_role("alert").wait_for()
    assert faults(page) == []


@pytest.mark.parametrize("visitor", WINDOWS, indirect=True)
@pytest.mark.parametrize("name", ["Models", "Scores", "Listen", "About"])
def test_axe_finds_nothing_on_the_other_pages(visitor: Visitor, name: str) -> None:
    page = visitor.page
    page.get_by_role("navigation").get_by_role("link", name=name).click()
    last = {
        "Models": "Training, licences and composers",
        "Scores": "What was not measured",
        "Listen": "Answers are kept in",
        "About": "What you may do with the music",
    }
    page.get_by_text(last[name]).last.wait_for(timeout=60_000)
    folds = page.locator("[data-testid=stExpander]")
    folds.locator("summary").evaluate_all("all => all.forEach((each) => each.click())")
    until(lambda: folds.locator("details[open]").count() == folds.count())
    page.wait_for_timeout(600)  # they open slowly
    assert faults(page) == []


def test_the_focus_stays_where_compose_becomes_stop(visitor: Visitor) -> None:
    compose = visitor.page.get_by_role("button", name="Compose", exact=True)
    compose.focus()
    visitor.page.keyboard.press("Enter")
    focused = visitor.page.locator(".st-key-wings-foot button:focus")
    visitor.page.locator(".st-key-stop").wait_for()
    until(lambda: focused.inner_text() == "Stop")
    visitor.written()
    until(lambda: focused.inner_text() == "Compose")
    visitor.page.mouse.click(700, 880)  # whoever leaves it is not brought back
    until(lambda: focused.count() == 0)


def test_progress_and_end_are_read_out_and_no_more(browser: Any, address: str) -> None:
    visitor = Visitor(browser, f"{address}/?seconds=20&takes=2")
    page = visitor.page
    page.get_by_role("status").evaluate(
        """it => { window.said = [];
        new MutationObserver(() => said.push(it.textContent)).observe(it, {childList: true}); }"""
    )
    visitor.compose()
    until(lambda: page.evaluate("said.at(-1)").startswith("Composing has ended. "))
    *on_the_way, last = page.evaluate("said")
    assert visitor.figures in last
    assert on_the_way
    assert len(set(on_the_way)) == len(on_the_way) <= 4, "each once"
    visitor.context.close()


def test_the_bar_is_the_navigation(visitor: Visitor) -> None:
    page = visitor.page
    bar = page.get_by_role("navigation", name="Pages")
    for name in ("Models", "About", "Compose"):
        bar.get_by_role("link", name=name).click()
        until(lambda: bar.locator("[aria-current=page]").all_inner_texts() == [name])  # noqa: B023
    link = bar.get_by_role("link", name="Scores")
    for place in (bar.get_by_role("link", name="Models"), link):
        place.focus()
        page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert link.evaluate("it => it.matches(':focus-visible')")
    outline = link.evaluate("it => getComputedStyle(it).outline")
    assert re.search(r"rgb\(29, 27, 38\) solid 2px", outline), outline


def test_everything_is_called_something_of_its_own(visitor: Visitor) -> None:
    page = visitor.page
    visitor.compose()
    visitor.press("Compose")
    page.locator(".st-key-stop").wait_for()
    assert page.get_by_role("button", name="Stop", exact=True).count() == 1
    visitor.written()
    names = re.findall(r'- button "([^"]+)"', page.locator("main").aria_snapshot())
    assert len(names) > 15
    often = {name for name, times in Counter(names).items() if times > 1}
    assert often <= {"Open"}, "that is the arrow of a list, beside the list and its name"


def test_icons_are_not_read_out(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("radio", name="Your file").click()
    page.locator("input[type=file]").wait_for(state="attached")
    visitor.compose()
    page.get_by_text("Link", exact=True).wait_for()
    icons = page.locator("[data-testid=stIconMaterial], [data-testid=stExpanderToggleIcon]")
    icons.first.wait_for(state="attached")
    names = [name for name in icons.all_inner_texts() if name]
    assert names
    read = page.locator("body").aria_snapshot()
    assert not [name for name in names if re.search(rf'(: |"){name}("|$)', read, re.MULTILINE)]


def test_a_server_that_is_gone_is_told_of_in_our_words(browser: Any) -> None:
    with served() as url:
        visitor = Visitor(browser, f"{url}/?seconds=5")
        visitor.compose()
    said = visitor.page.get_by_role("alert")
    said.wait_for(timeout=20_000)
    assert "The app does not answer" in said.inner_text()
    visitor.page.wait_for_timeout(8000)  # by then Streamlit says it in its own
    assert not visitor.page.get_by_role("dialog").is_visible()
    assert "treamlit" not in visitor.page.locator("body").inner_text()
    visitor.press("Play" if visitor.data("state") != "playing" else "Pause")
    visitor.context.close()
