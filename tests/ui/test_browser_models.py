"""Journeys with models of other kinds: takes layered, two composers, a stretch written anew."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pyzzicato.seeds.library import find_seed
from tests.small_model import make_model
from tests.small_transformer import make_transformer_model
from tests.ui.test_browser import NOCTURNE, ROOT, Visitor, browser, notes_of, served, until

__all__ = ["browser"]  # a fixture

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("models")
    make_transformer_model(folder / "notes")
    make_model(folder / "small", title="Small", order=2)
    shutil.copytree(ROOT / "models" / "attention_rnn", folder / "attention_rnn")  # single lines
    with served(PYZZICATO_MODELS=str(folder)) as url:
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
        visitor.context.close()


def starts(visitor: Visitor) -> list[tuple[int, float]]:
    """(pitch, start) of every note of the MIDI that can be kept."""
    return sorted((pitch, start) for pitch, _, start in notes_of(visitor.keep("MIDI")))


def test_a_stretch_is_written_anew_and_comes_back_by_undo(enter: Callable[..., Visitor]) -> None:
    visitor = enter("?model=notes&seconds=10")
    visitor.compose()
    old = starts(visitor)
    visitor.press("Write a stretch anew")
    visitor.press("Write this stretch anew")
    visitor.page.get_by_text(re.compile("anew from")).wait_for()
    visitor.written()
    found = re.search(r"anew from 0:(\d+) to 0:(\d+)$", visitor.title())
    assert found is not None
    new = starts(visitor)
    early, late = int(found[1]), int(found[2]) + 1
    outside: tuple[Callable[[float], bool], ...] = (lambda at: at < early, lambda at: at >= late)
    for kept in outside:
        assert [note for note in new if kept(note[1])] == [note for note in old if kept(note[1])]
    assert new != old
    visitor.press("Undo")
    until(lambda: visitor.title().startswith("After Nocturne"))
    assert starts(visitor) == old


def test_takes_are_layered_and_kept_with_a_track_each(enter: Callable[..., Visitor]) -> None:
    visitor = enter("?model=attention_rnn&seconds=10&takes=3")
    visitor.compose()
    visitor.page.get_by_text("Layer them").click()
    visitor.page.get_by_text("each on an instrument of its own").wait_for()
    notes = len(find_seed(NOCTURNE).sequence()) + visitor.new_notes
    until(lambda: int(visitor.data("notes")) == notes)
    kept = visitor.download("MIDI")
    assert kept.suggested_filename == f"pyzzicato-attention-rnn-{NOCTURNE}-1-layers.mid"
    assert len(notes_of(Path(kept.path()).read_bytes())) == notes
    if visitor.data("state") != "playing":
        visitor.press("Play")
    until(lambda: visitor.time > find_seed(NOCTURNE).sequence().duration + 1)  # they sound
    rolls = visitor.page.get_by_role("radiogroup", name="Takes").get_by_role("radio")
    rolls.nth(1).click()
    until(lambda: int(visitor.data("notes")) < notes)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits(enter: Callable[..., Visitor], width: int, scheme: str) -> None:
    visitor = enter("?seconds=10&composer_2=bach", width=width, scheme=scheme)
    visitor.compose()
    visitor.press("Write a stretch anew")
    write = visitor.page.get_by_role("button", name="Write this stretch anew")
    write.wait_for()
    assert visitor.overflow() <= 0
    write.click()
    visitor.page.get_by_text(re.compile("anew from")).wait_for()
    visitor.written()
    assert visitor.overflow() <= 0
