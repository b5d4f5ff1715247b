"""Controls: declared once, checked when made, readable from texts."""

from dataclasses import dataclass
from typing import Any

import pytest

from pyzzicato.errors import InvalidControl
from pyzzicato.generation import controls
from pyzzicato.generation.controls import control, declared, from_texts, with_defaults


@dataclass(frozen=True, kw_only=True)
class Example(controls.Controls):
    temperature: float = control(
        1.0, label="Wildness", help="More or less.", minimum=0.1, maximum=2, step=0.1, main=True
    )
    keys: str = control("sample", label="Keys", help="How.", choices=("sample", "threshold"))
    threshold: float = control(
        0.5,
        label="Threshold",
        help="How sure.",
        minimum=0,
        maximum=1,
        only_when=("keys", ("threshold",)),
    )
    loop: bool = control(False, label="Loop", help="Again and again.")
    voices: int = control(2, label="Voices", help="How many.", minimum=1, maximum=4)


def test_what_is_declared_keeps_its_order_and_facts() -> None:
    items = list(declared(Example))
    assert [item.name for item in items] == [
        "seconds", "rng_seed", "temperature", "keys", "threshold", "loop", "voices",
    ]  # fmt: skip
    by_name = {item.name: item for item in items}
    assert [item.name for item in items if item.main] == ["temperature"]
    assert by_name["threshold"].only_when == ("keys", ("threshold",))
    assert (by_name["loop"].kind, by_name["voices"].kind, by_name["keys"].kind) == (bool, int, str)
    assert all(item.label and item.help for item in items)


def test_the_defaults_are_allowed() -> None:
    assert Example() == from_texts(Example, {})
    for item in declared(Example):
        assert item.check(item.default) == item.default


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seconds", 4.9),
        ("seconds", 301),
        ("seconds", float("nan")),
        ("seconds", float("inf")),
        ("seconds", "long"),
        ("seconds", None),
        ("rng_seed", -1),
        ("rng_seed", 2**31),
        ("rng_seed", 1.5),
        pytest.param("rng_seed", 10**400, id="rng_seed-400 digits"),
        ("temperature", 0),
        ("keys", "loud"),
        ("keys", ""),
        ("loop", "maybe"),
        ("voices", "2.5"),
        ("voices", float("inf")),
    ],
)
def test_what_is_out_of_range_says_what_is_allowed(name: str, value: object) -> None:
    label = {item.name: item.label for item in declared(Example)}[name]
    with pytest.raises(InvalidControl, match=f"^{label} cannot be .{{1,40}}: choose .*\\.$"):
        Example(**{name: value})  # type: ignore[arg-type]
    if isinstance(value, str):
        with pytest.raises(InvalidControl):
            from_texts(Example, {name: value})


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("rng_seed", "choose a value from 0 to 2147483647"),
        ("voices", "choose a value from 1 to 4"),
        ("seconds", "choose a value from 5 to 300 seconds"),
        ("temperature", "choose a value from 0.1 to 2"),
        ("keys", "choose one of sample, threshold"),
        ("loop", "choose another value"),
    ],
)
def test_what_is_allowed_is_said_in_full(name: str, words: str) -> None:
    assert {item.name: item.allowed() for item in declared(Example)}[name] == words


@pytest.mark.parametrize(("name", "end"), [("seconds", 5), ("seconds", 300), ("voices", 4)])
def test_the_ends_of_a_range_belong_to_it(name: str, end: float) -> None:
    assert getattr(Example(**{name: end}), name) == end  # type: ignore[arg-type]


def test_texts_become_values_of_the_right_kind() -> None:
    texts = {"seconds": "30", "rng_seed": "7", "loop": "true", "voices": "3", "keys": "threshold"}
    made = from_texts(Example, texts)
    assert made == Example(seconds=30, rng_seed=7, loop=True, voices=3, keys="threshold")
    assert [type(getattr(made, name)) for name in texts] == [float, int, bool, int, str]


@pytest.mark.parametrize(
    ("text", "value"), [("yes", True), ("1", True), ("No", False), ("0", False), (False, False)]
)
def test_yes_and_no(text: object, value: bool) -> None:
    assert from_texts(Example, {"loop": text}).loop is value  # type: ignore[attr-defined]


def test_an_unknown_name_is_told_with_the_known_ones() -> None:
    with pytest.raises(InvalidControl, match=r"no control 'swing'.*temperature"):
        from_texts(Example, {"swing": "1"})


def test_changed_is_a_checked_copy() -> None:
    first = Example()
    assert first.changed(seconds=10) == Example(seconds=10)
    assert first == Example()
    with pytest.raises(InvalidControl):
        first.changed(seconds=1)


def test_a_model_may_have_defaults_of_its_own() -> None:
    own: Any = with_defaults(Example, (("temperature", 0.8), ("voices", 3)))
    assert (own().temperature, own().voices, own().threshold) == (0.8, 3, 0.5)
    assert issubclass(own, Example)
    assert Example().temperature == 1.0
    before, after = ({item.name: item for item in declared(kind)} for kind in (Example, own))
    assert list(before) == list(after)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"temperature", "voices"}
    assert after["temperature"].main
    with pytest.raises(InvalidControl):
        own(temperature=9)
    assert own() == with_defaults(Example, (("temperature", 0.8), ("voices", 3)))()
    assert with_defaults(Example, ()) is Example


@pytest.mark.parametrize("values", [("temperature", 9.0), ("swing", 1.0)])
def test_defaults_that_cannot_be_are_refused(values: tuple[str, float]) -> None:
    with pytest.raises(InvalidControl):
        with_defaults(Example, (values,))
