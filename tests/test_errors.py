"""Names in a sentence: all of few, of many the first and how many others."""

import pytest

from pyzzicato.errors import InvalidControl, listed
from pyzzicato.generation.controls import Control

NAMES = [f"n{number}" for number in range(17)]


def test_few_names_are_all_said() -> None:
    assert listed([]) == ""
    assert listed(["bass"]) == "bass"
    assert listed(["bass", "piano"]) == "bass and piano"
    assert listed(NAMES[:5], "or") == "n0, n1, n2, n3 or n4"


def test_of_many_names_the_first_and_how_many() -> None:
    assert listed(NAMES[:6]) == "n0, n1, n2, n3 and 2 others"
    assert listed(NAMES) == "n0, n1, n2, n3 and 13 others"


def test_a_refused_choice_names_a_few() -> None:
    style = Control("style", str, "n0", "Style", "", choices=tuple(NAMES))
    with pytest.raises(InvalidControl, match=r"choose one of n0, n1, n2, n3 or 13 others\.$"):
        style.check("n99")
