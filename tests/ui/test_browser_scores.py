"""The tables of the pages Scores and Models in a real browser, at every width."""

from typing import Any

import pytest

from tests.ui.test_browser import Visitor, address, browser, until

__all__ = ["address", "browser"]  # fixtures

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [390, 1280])
def test_the_scores_say_whose_they_are(browser: Any, address: str, width: int) -> None:
    visitor = Visitor(browser, address, width=width)
    page = visitor.page
    page.goto(f"{address}/Scores")
    page.get_by_text("What was not measured").wait_for(timeout=60_000)
    assert visitor.overflow() <= 0
    clipped = page.locator(".pz-tiles .line > span:first-child").evaluate_all(
        "them => them.filter(it => it.scrollWidth > it.clientWidth).map(it => it.innerText)"
    )
    assert clipped == []
    frames = page.locator(".pz-scroll:visible")
    frames.first.wait_for(timeout=60_000)  # tables come when the text is there already
    for place in range(frames.count()):
        frame = frames.nth(place)
        names = frame.locator("thead .name")
        before = [name.bounding_box()["x"] for name in names.all()]
        assert before
        moved = frame.evaluate("it => { it.scrollLeft = 1e4; return it.scrollLeft; }")
        if width < 800:
            assert before == [name.bounding_box()["x"] for name in names.all()]
            last = frame.locator("thead th").last.bounding_box()
            assert last["x"] + last["width"] <= width  # all of it can be reached
        else:
            assert moved == 0
    visitor.context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_overview_of_the_models_fits(browser: Any, address: str, width: int) -> None:
    visitor = Visitor(browser, address, width=width)
    page = visitor.page
    page.goto(f"{address}/Models")
    table = page.locator(".st-key-overview table")
    table.wait_for(timeout=60_000)
    assert table.evaluate("it => it.scrollWidth <= it.parentElement.clientWidth + 1")
    head = table.locator("th:visible").all_inner_texts()
    whole = ["System", "Year", "Idea", "Size", "Best figure"]
    assert head == (whole if width > 800 else [whole[0], whole[2], whole[4]])
    visitor.context.close()


def test_the_index_leads_to_a_card_and_the_card_to_compose(browser: Any, address: str) -> None:
    visitor = Visitor(browser, f"{address}/?seconds=15&composer=bach")
    page = visitor.page
    page.get_by_role("navigation").get_by_role("link", name="Models").click()
    index = page.locator(".st-key-overview")
    index.locator("a").first.wait_for()
    names = index.locator("a").all_inner_texts()
    page.get_by_role("link", name="Compose with this").nth(len(names) - 1).wait_for()
    assert names == page.locator("h2.pz-card").all_inner_texts()
    folds = page.locator("[class*=st-key-more-] details")
    assert folds.count() > 2 * len(names)
    assert page.locator("[class*=st-key-more-] details[open]").count() == 0
    assert page.evaluate("document.querySelector('.stMain').scrollHeight") < 800 * len(names)
    for name in (names[-1], names[1]):
        index.get_by_role("link", name=name, exact=True).click()
        heading = page.get_by_role("heading", name=name, exact=True)
        until(lambda: 0 <= heading.bounding_box()["y"] < 450)  # noqa: B023
        page.get_by_role("link", name="All models").nth(names.index(name)).click()
        until(lambda: 0 <= page.locator(".pz-title").bounding_box()["y"] < 450)
    page.locator(".st-key-model-lstm").get_by_role("link", name="Compose with this").click()
    visitor.player.wait_for()
    until(lambda: "model=lstm" in visitor.link and "seconds=15" in visitor.link)
    assert "composer=bach" in visitor.link
    assert page.get_by_role("combobox", name="Played by").input_value() == "LSTM"
    assert visitor.errors == []
    visitor.context.close()
