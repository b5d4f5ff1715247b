"""Styles in a real browser: a click on the map chooses one, and a seed morphs into an opening."""

from typing import Any

import pytest

from pyzzicato.families.band.vae.styles import STYLES_FILE, load_library
from pyzzicato.registry import ModelInfo
from pyzzicato.ui.style_map import WIDTH
from tests.families.band.test_vae import TOML, info
from tests.ui.test_browser import Visitor, browser, served, until

__all__ = ["browser", "info"]  # fixtures

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_style_from_the_map_and_a_morph(browser: Any, info: ModelInfo, scheme: str) -> None:
    (info.folder / "model.toml").write_text(TOML, encoding="utf-8")
    library = load_library(info.folder / STYLES_FILE)
    with served(PYZZICATO_MODELS=str(info.folder.parent)) as address:
        visitor = Visitor(browser, f"{address}/?seconds=5", scheme=scheme)
        page = visitor.page
        page.get_by_text("More controls").click()
        picture = page.locator("svg.map")
        picture.locator(".mark").wait_for()  # the seed
        assert picture.locator(".spot text").all_text_contents() == list(library.names)
        assert picture.locator(".chosen").count() == 0
        for name in library.names:
            circle = picture.locator(".spot", has_text=name).locator("circle")
            x, y = circle.evaluate("it => [it.cx.baseVal.value, it.cy.baseVal.value]")
            scale = picture.bounding_box()["width"] / WIDTH
            place = {"x": x * scale + 2, "y": y * scale + 2}
            picture.hover(position=place)
            picture.locator(".near", has_text=name).wait_for()
            picture.click(position=place)
            picture.locator(".chosen", has_text=name).wait_for()
            asked = f"style={name.replace(' ', '+')}"

            def linked(asked: str = asked) -> bool:
                return asked in visitor.link.split("?")[1].split("&")

            until(linked)
        colour = picture.locator(".chosen circle").evaluate("it => getComputedStyle(it).fill")
        assert colour == {"light": "rgb(29, 27, 38)", "dark": "rgb(236, 232, 223)"}[scheme]
        visitor.press("Morph into …")
        goal = page.get_by_role("combobox", name="Morph into")
        goal.click()
        goal.fill("Joplin")
        page.get_by_role("option").first.click()
        visitor.press("Morph")
        visitor.written()
        assert " into Joplin's " in visitor.title()
        visitor.press("Undo")
        until(lambda: " into " not in visitor.title())
        assert visitor.errors == []
        visitor.context.close()
