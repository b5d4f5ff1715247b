"""The address bar: all settings as texts, and back, with a sentence for what cannot be.

A link holds the model, the seed, the composer, and whatever else differs from what is usual for
the model: its controls, the number of takes, whether to avoid copying, and which take is to be
shown. What it leaves out is as usual. An uploaded or continued piece is not in it: `seed=upload`
and `seed=result` only say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyzzicato.errors import InvalidControl, UnknownName
from pyzzicato.generation.controls import Control, declared
from pyzzicato.music.composers import find_composer
from pyzzicato.registry import ModelInfo
from pyzzicato.seeds.library import find_seed
from pyzzicato.seeds.sources import NOTHING

__all__ = [
    "AVOID",
    "NOTHING",
    "RESULT",
    "TAKE",
    "TAKES",
    "UPLOAD",
    "allowed",
    "as_texts",
    "from_link",
    "usual_settings",
    "with_take",
]

UPLOAD, RESULT = "upload", "result"
TAKES = Control(
    name="takes",
    kind=int,
    default=1,
    label="Takes",
    help="How many continuations to write at once, to choose from.",
    minimum=1,
    maximum=10,
    step=1,
)
TAKE = Control(
    name="take",
    kind=int,
    default=1,
    label="Take",
    help="Which of the takes is shown first.",
    minimum=1,
    maximum=10,
    step=1,
)
AVOID = Control(
    name="avoid_copying",
    kind=bool,
    default=False,
    label="Avoid copying",
    help="Where a take comes close to its training music it goes back a little and on with other "
    "dice; this takes longer. Not where a stretch is written anew.",
)
_COMPOSERS = ("composer", "composer_2")
_LOST = {
    UPLOAD: "This link was made with a file that only its maker has: choose a seed to start from.",
    RESULT: "This link continues a piece that only its maker has: choose a seed to start from.",
}


def usual_settings(info: ModelInfo) -> dict[str, Any]:
    """What the settings of a model are unless one turns them, its number of takes among them."""
    takes = info.card.get("takes", TAKES.default)
    usual = {item.name: item.default for item in declared(info.controls)}
    return {**usual, TAKES.name: TAKES.check(takes), AVOID.name: AVOID.default}


def as_texts(settings: Mapping[str, Any], info: ModelInfo) -> dict[str, str]:
    """What the address bar says: model, seed, composer, and what is not as usual."""
    usual = usual_settings(info)
    texts = {name: _text(settings[name]) for name in ("model", "seed")}
    for item in [*_beside(info), *_linked(info)]:
        text = _text(settings[item.name])
        if item.name == "composer" or text != _text(usual[item.name]):
            texts[item.name] = text
    return texts


def with_take(texts: Mapping[str, str], take: int) -> dict[str, str]:
    """A link that asks for a take, counted from 0, besides."""
    return {**texts, TAKE.name: str(take + 1)} if take else dict(texts)


def _beside(info: ModelInfo) -> list[Control]:
    """What is set beside the model's own controls."""
    return [TAKES, AVOID] if info.reads_seed else [TAKES]


def _linked(info: ModelInfo) -> list[Control]:
    """The controls that a link holds: those that the page shows."""
    return [item for item in declared(info.controls) if not item.hidden]


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def from_link(
    texts: Mapping[str, str], models: Mapping[str, ModelInfo], settings: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The settings that a link asks for, and a sentence for each thing it cannot have.

    What it leaves out or gets wrong is as usual for its model; the model itself, the seed and the
    composer stay what they are in `settings`.
    """
    found: dict[str, Any] = {}
    problems: list[str] = []
    model = texts.get("model", settings["model"])
    if model not in models:
        problems.append(_not_here("model", model, models[settings["model"]].title))
        model = settings["model"]
    found["model"] = model
    info = models[model]
    usual = usual_settings(info)
    found[TAKE.name] = TAKE.default
    for item in [*_beside(info), *_linked(info), TAKE]:
        if item.name != "composer" and item.name in usual:
            found[item.name] = usual[item.name]
        if item.name in texts and item.name not in _COMPOSERS:
            try:
                found[item.name] = item.check(texts[item.name])
            except InvalidControl as error:
                problems.append(f"{error} This link gets the usual value instead.")
    for name in _COMPOSERS if info.composers else ():
        try:
            found |= _composer(name, texts, info)
        except UnknownName as error:
            problems.append(str(error))
    try:
        found |= _seed(texts)
    except UnknownName as error:
        problems.append(str(error))
    return found, problems


def _not_here(kind: str, name: str, instead: str) -> str:
    return (
        f"This link asks for a {kind} that is not here, “{name[:60]}”: {instead} is chosen instead."
    )


def _composer(name: str, texts: Mapping[str, str], info: ModelInfo) -> dict[str, str]:
    if name not in texts:
        return {}
    text = texts[name]
    if not text and name == "composer_2":
        return {name: ""}
    try:
        composer = find_composer(text)
    except UnknownName:
        raise UnknownName(
            f"This link asks for a composer that is not here, “{text[:60]}”: choose one below."
        ) from None
    if composer.id not in info.composers:
        raise UnknownName(
            f"The model {info.title} was not taught {composer.short}: choose another composer."
        )
    return {name: composer.id}


def _seed(texts: Mapping[str, str]) -> dict[str, str]:
    if "seed" not in texts:
        return {}
    text = texts["seed"]
    if text in _LOST:
        raise UnknownName(_LOST[text])
    if text == NOTHING:
        return {"seed": NOTHING}
    try:
        return {"seed": find_seed(text).id}
    except UnknownName:
        raise UnknownName(
            f"This link asks for a seed that is not here, “{text[:60]}”: choose one below."
        ) from None


def allowed(info: ModelInfo, name: str, value: Any) -> bool:
    """Whether the control `name` of a model can have this value; takes always can."""
    item = next((item for item in declared(info.controls) if item.name == name), None)
    if name in ("composer", "composer_2"):
        return not value or value in info.composers
    try:
        return item is None or item.check(value) == value
    except InvalidControl:
        return False
