"""Titles as one reads them, those of the index that ships among them."""

import pytest

from pyzzicato.metrics.originality import load_index
from pyzzicato.music.titles import right_title


@pytest.mark.parametrize(
    ("there", "right"),
    [
        ("Songs withoug Words Book 2 Opus 30 4", "Songs without Words Book 2 Opus 30 4"),
        ("Gaspard de la Uuit Scarbo", "Gaspard de la Nuit Scarbo"),
        ("Nocturne_op_32 [x]", "Nocturne op 32"),
        ("Rondo_Op._16_Op._16.", "Rondo Op. 16"),
        ("[Nocturne No. 2.]", "Nocturne No. 2."),
        ("GRANDE | FANTAISIE | pour le Piano", "GRANDE FANTAISIE pour le Piano"),
        ("1|r|e. POLONAISE Op. 71", "1re. POLONAISE Op. 71"),
        ('La ci darem la mano" Op. 2', "La ci darem la mano Op. 2"),
        ('"Là ci darem" Variations', '"Là ci darem" Variations'),
    ],
)
def test_what_files_have_wrong_is_put_right(there: str, right: str) -> None:
    assert right_title(there) == right
    assert right_title(right) == right


def test_every_title_of_the_index_can_be_read() -> None:
    for title in map(right_title, load_index().titles):
        assert title
        assert not set(title) & set("|[]_{}<>\\")
        assert title.count('"') % 2 == 0
        assert title == " ".join(title.split())
