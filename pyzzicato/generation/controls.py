"""What a listener may turn: one declaration that drives the app, the command line and the docs.

A family declares its controls as fields of a frozen dataclass:

    @dataclass(frozen=True, kw_only=True)
    class Controls(controls.Controls):
        temperature: float = control(1.0, label="Wildness", help="...", minimum=0.1, maximum=2.0)

Out-of-range values raise `InvalidControl` when the object is made, so no caller has to check.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

from pyzzicato.errors import FEW, InvalidControl, listed

__all__ = [
    "Control",
    "Controls",
    "control",
    "declared",
    "from_texts",
    "likeliest",
    "wildness",
    "with_defaults",
]


@dataclass(frozen=True, slots=True)
class Control:
    """How one control is shown and which values it takes."""

    name: str
    kind: type
    default: Any
    label: str
    help: str
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""
    main: bool = False
    """True for the one control that the app shows as *Wildness*."""
    only_when: tuple[str, tuple[str, ...]] | None = None
    """(another control, its values for which this one has an effect), or None for always."""
    hidden: bool = False
    """True for what the app does not list: it has no meaning without something else there."""

    def check(self, value: Any) -> Any:
        """`value` in this control's own type; raises InvalidControl where it is out of range."""
        try:
            if self.kind is bool:
                converted: Any = _to_bool(value)
            elif self.kind is int:
                converted = _to_int(value)
            else:
                converted = self.kind(value)
        except (TypeError, ValueError, OverflowError):
            raise InvalidControl(
                f"{self.label} cannot be {_short(value)}: {self.allowed()}."
            ) from None
        if self.kind in (int, float):
            low = -math.inf if self.minimum is None else self.minimum
            high = math.inf if self.maximum is None else self.maximum
            # Compared, never converted: a whole number may be too large for a float.
            if not (low <= converted <= high and abs(converted) != math.inf):
                raise InvalidControl(f"{self.label} cannot be {_short(value)}: {self.allowed()}.")
        if self.choices and converted not in self.choices:
            few = self.allowed()
            if len(self.choices) > FEW:
                few = f"choose one of {listed(self.choices, 'or')}"
            raise InvalidControl(f"{self.label} cannot be {_short(value)}: {few}.")
        return converted

    def allowed(self) -> str:
        """The allowed values in words."""
        if self.choices:
            return "choose one of " + ", ".join(self.choices)
        if self.minimum is not None and self.maximum is not None:
            unit = f" {self.unit}" if self.unit else ""
            low, high = self._said(self.minimum), self._said(self.maximum)
            return f"choose a value from {low} to {high}{unit}"
        return {int: "choose a whole number", float: "choose a number"}.get(
            self.kind, "choose another value"
        )

    def _said(self, end: float) -> str:
        return str(int(end)) if self.kind is int else f"{end:g}"


def _short(value: Any) -> str:
    """`value` as an error shows it; a link may hold a thousand digits."""
    shown = repr(value)
    return shown if len(shown) <= 40 else shown[:39] + "…"


def _to_bool(value: Any) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    word = str(value).lower()
    if word not in words:
        raise ValueError(value)
    return words[word]


def _to_int(value: Any) -> int:
    number = int(value)
    if isinstance(value, float) and value != number:
        raise ValueError(value)
    return number


def control(default: Any, *, label: str, help: str, **more: Any) -> Any:
    """A dataclass field that is a control; `more` are the other fields of `Control`."""
    return dataclasses.field(default=default, metadata={"label": label, "help": help, **more})


def wildness(
    default: float,
    minimum: float,
    maximum: float,
    help: str = "Low keeps to what is likely, high dares more.",
) -> Any:
    """The temperature by which chances are drawn: the one control shown as *Wildness*."""
    return control(
        default,
        label="Wildness",
        help=help,
        minimum=minimum,
        maximum=maximum,
        step=0.05,
        main=True,
    )


def likeliest(default: float, what: str = "notes") -> Any:
    """The share of the chances that is drawn from, which others call top-p; `what` is chosen so."""
    return control(
        default,
        label="Leave out the unlikely",
        help=f"Only the likeliest {what} that together have this probability are considered.",
        minimum=0.5,
        maximum=1.0,
        step=0.01,
    )


@dataclass(frozen=True, kw_only=True)
class Controls:
    """What every family has: how long, and the number that fixes all chance."""

    seconds: float = control(
        60.0,
        label="Length",
        help="How much new music to write.",
        minimum=5,
        maximum=300,
        step=5,
        unit="seconds",
    )
    rng_seed: int = control(
        1,
        label="Dice",
        help="The same number with the same settings gives the same music.",
        minimum=0,
        maximum=2**31 - 1,
        step=1,
    )

    def __post_init__(self) -> None:
        for item in declared(type(self)):
            object.__setattr__(self, item.name, item.check(getattr(self, item.name)))

    def changed(self, **values: Any) -> Self:
        """A copy with some values changed; raises InvalidControl as the constructor does."""
        return dataclasses.replace(self, **values)


def declared(controls: type[Controls]) -> Iterator[Control]:
    """The controls of a family, in the order in which they are declared."""
    kinds = {"float": float, "int": int, "str": str, "bool": bool}
    for field in dataclasses.fields(controls):
        kind = kinds[field.type] if isinstance(field.type, str) else field.type
        yield Control(name=field.name, kind=kind, default=field.default, **field.metadata)


@cache
def with_defaults(kind: type[Controls], values: tuple[tuple[str, Any], ...]) -> type[Controls]:
    """The same controls with other values unless told; raises InvalidControl for what they cannot.

    `values` are names and values; asked twice, the class is the same.
    """
    if not values:
        return kind
    from_texts(kind, dict(values))  # says what is wrong
    own = {each.name: each for each in dataclasses.fields(kind)}
    changed = [
        (name, own[name].type, dataclasses.field(default=value, metadata=own[name].metadata))
        for name, value in values
    ]
    return dataclasses.make_dataclass(
        kind.__name__, changed, bases=(kind,), frozen=True, kw_only=True
    )


def from_texts(controls: type[Controls], texts: Mapping[str, Any]) -> Controls:
    """Controls from texts (a link, a command line); raises InvalidControl on an unknown name."""
    known = {item.name: item for item in declared(controls)}
    for name in texts:
        if name not in known:
            raise InvalidControl(f"This model has no control {name!r}: it has {', '.join(known)}.")
    return controls(**{name: known[name].check(value) for name, value in texts.items()})
