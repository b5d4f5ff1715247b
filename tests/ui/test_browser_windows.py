"""The app in windows of all sizes: what the music gets of the room, and what stays in sight."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.ui.test_browser import Visitor, address, browser, until

__all__ = ["address", "browser"]  # fixtures

pytestmark = pytest.mark.browser


@pytest.fixture
def visitor(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    made = Visitor(browser, f"{address}/?seconds=10&takes=10", width=request.param)
    yield made
    assert made.errors == []
    made.context.close()


def seen(visitor: Visitor, selector: str) -> bool:
    """Whether all of an element lies within the window."""
    box = visitor.page.locator(selector).bounding_box()
    high = visitor.page.viewport_size["height"]
    return bool(box and box["y"] >= 0 and box["y"] + box["height"] <= high)


@pytest.mark.parametrize("visitor", [390], indirect=True)
def test_on_a_telephone_a_piece_that_begins_is_in_sight(visitor: Visitor) -> None:
    page = visitor.page
    page.set_viewport_size({"width": 390, "height": 844})
    fold = page.locator(".pz-fold")
    for _ in range(2):  # the second piece takes the place of the first
        fold.locator("summary").click()
        page.get_by_role("spinbutton", name="Takes").scroll_into_view_if_needed()
        assert not seen(visitor, ".roll")
        visitor.press("Compose")
        until(lambda: seen(visitor, ".roll") and seen(visitor, ".transport"))
        assert fold.get_attribute("open") is None
        visitor.written()
        until(lambda: seen(visitor, ".roll") and seen(visitor, ".transport"))


@pytest.mark.parametrize("visitor", [1280, 1920], indirect=True)
def test_the_roll_grows_with_the_window(visitor: Visitor) -> None:
    roll = visitor.page.locator(".roll").bounding_box()
    assert roll is not None
    assert 0.36 < roll["height"] / roll["width"] < 0.44
    assert seen(visitor, ".transport")


@pytest.mark.parametrize("visitor", [390, 900, 1280, 1920], indirect=True)
def test_all_takes_are_seen(visitor: Visitor) -> None:
    visitor.compose()
    row = visitor.page.get_by_role("radiogroup", name="Takes")
    frames = row.locator(".card")
    assert frames.count() == 10
    stage, boxes = visitor.player.bounding_box(), [it.bounding_box() for it in frames.all()]
    assert all(box["x"] >= stage["x"] for box in boxes)
    assert all(box["x"] + box["width"] <= stage["x"] + stage["width"] for box in boxes)
    assert all(box["width"] <= 170 for box in boxes)
    assert row.evaluate("it => it.scrollWidth <= it.clientWidth")
