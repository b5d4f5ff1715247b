"""The table of composers and finding one by name."""

from __future__ import annotations

import pytest

from pyzzicato.errors import UnknownName
from pyzzicato.music.composers import COMPOSERS, find_composer


def test_ids_and_folders_are_unique() -> None:
    assert len({c.id for c in COMPOSERS}) == len(COMPOSERS)
    assert len({c.folder for c in COMPOSERS}) == len(COMPOSERS)


def test_ids_are_safe_in_links_and_paths() -> None:
    assert all(c.id.isascii() and c.id.replace("_", "").islower() for c in COMPOSERS)


def test_lives_are_human() -> None:
    assert all(20 < c.died - c.born < 95 and c.died < 1956 for c in COMPOSERS)


def test_years_are_written_with_a_dash() -> None:
    assert find_composer("chopin").years == "1810–1849"


@pytest.mark.parametrize(
    ("text", "composer_id"),
    [
        ("chopin", "chopin"),
        ("CHOPIN", "chopin"),
        ("Frédéric Chopin", "chopin"),
        ("frederic chopin", "chopin"),
        ("Dvorak", "dvorak"),
        ("Albéniz", "albeniz"),
        ("C. P. E. Bach", "cpe_bach"),
        ("WF_Bach", "wf_bach"),
        (" Bach ", "bach"),
    ],
)
def test_finds_a_composer_by_any_of_the_names(text: str, composer_id: str) -> None:
    assert find_composer(text).id == composer_id


def test_every_composer_is_found_by_id_short_name_and_name() -> None:
    for composer in COMPOSERS:
        for text in (composer.id, composer.short, composer.name, composer.folder):
            assert find_composer(text) is composer


@pytest.mark.parametrize("text", ["", "Elvis", "bac", "x" * 10_000])
def test_an_unknown_composer_is_one_short_sentence(text: str) -> None:
    with pytest.raises(UnknownName, match="No composer is called") as caught:
        find_composer(text)
    assert "chopin" in str(caught.value)
    assert len(str(caught.value)) < 700
