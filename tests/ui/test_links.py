"""Links: only what is not as usual, and back to the same settings, old links too."""

from typing import Any

import pytest

from pyzzicato.generation.controls import Control, declared
from pyzzicato.registry import models
from pyzzicato.ui import links

MODELS = models()


def usual(model: str) -> dict[str, Any]:
    info = MODELS[model]
    composer = {"composer": info.composers[0]} if info.composers else {}
    settings = links.usual_settings(info)
    return {**settings, **composer, "model": model, "seed": "chopin-nocturne-op-9-no-2"}


def another(item: Control, now: Any) -> Any:
    """A value of `item` that is not `now`; `now` where there is no other."""
    if item.kind is bool:
        return not now
    if item.choices:
        return next((each for each in item.choices if each != now), now)
    if item.minimum is None or item.maximum is None or item.kind is str:
        return now
    return item.kind(item.minimum if now != item.minimum else item.maximum)


def read(texts: dict[str, str], before: dict[str, Any]) -> dict[str, Any]:
    found, problems = links.from_link(texts, MODELS, before)
    assert problems == []
    return found


@pytest.mark.parametrize("model", MODELS)
def test_a_link_as_usual_says_model_seed_and_composer_only(model: str) -> None:
    texts = links.as_texts(usual(model), MODELS[model])
    assert set(texts) <= {"model", "seed", "composer"}
    assert ("composer" in texts) == bool(MODELS[model].composers)


@pytest.mark.parametrize("model", MODELS)
def test_every_setting_that_is_changed_comes_back(model: str) -> None:
    info = MODELS[model]
    for item in [*declared(info.controls), links.TAKES, links.AVOID]:
        settings = usual(model)
        settings[item.name] = another(item, settings[item.name])
        texts = links.as_texts(settings, info)
        if item.name not in texts:
            continue  # nothing else to choose, or not in a link
        found = read(texts, usual(model))
        assert links.as_texts({**settings, item.name: found[item.name]}, info) == texts


@pytest.mark.parametrize("model", MODELS)
def test_what_a_link_leaves_out_is_as_usual_whatever_stood_there(model: str) -> None:
    before = usual(model)
    for item in [*declared(MODELS[model].controls), links.TAKES, links.AVOID]:
        if item.name != "composer":
            before[item.name] = another(item, before[item.name])
    found = read(links.as_texts(usual(model), MODELS[model]), before)
    assert links.as_texts({**before, **found}, MODELS[model]) == links.as_texts(
        usual(model), MODELS[model]
    )


def test_a_link_that_says_everything_is_read_as_before() -> None:
    texts = {
        name: f"{value:g}" if isinstance(value, float) else str(value)
        for name, value in usual("transformer").items()
    }
    found = read({**texts, "seconds": "20", "top_p": "0.9"}, usual("transformer"))
    assert (found["seconds"], found["top_p"], found["takes"]) == (20.0, 0.9, 1)


def test_a_link_carries_the_take() -> None:
    texts = links.as_texts({**usual("transformer"), "takes": 3}, MODELS["transformer"])
    assert links.with_take(texts, 0) == texts
    told = links.with_take(texts, 1)
    assert told["take"] == "2"
    assert read(told, usual("transformer"))["take"] == 2
    assert read(texts, usual("transformer"))["take"] == 1
    _, problems = links.from_link({"take": "99"}, MODELS, usual("transformer"))
    assert len(problems) == 1
