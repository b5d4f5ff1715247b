"""What a family that plays in a band of five writes, beside real music and a trivial baseline.

Every family's `scores` calls `band_scores`; what it finds is the entry "band" of metrics.json.

Conventions. An *opening* is a window of 32 steps of a piece of the test split that begins with a
bar; works take turns. The model goes on from each of 200 openings, at a tempo of 120 and with all
controls as they come, and its first 32 steps are measured (`pyzzicato.metrics.band`) beside the
32 steps that really follow, and beside the opening once more. One measure is added: `change`, the
share of struck notes that the opening and what follows do not have in common.

Variety is the mean distance between 100 outputs from 100 openings, and between 100 takes from one
opening (three openings in the mean), over the mean distance between the real windows: by `notes`
(no note in common is 1) and by `feel` (chroma and rhythm).

Style is measured where a family has controls `style` and `alpha`: for every style of ten and every
`alpha`, whether the result is nearer to the chosen style than to the nine others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from pyzzicato.codecs.multitrack_roll import STEPS_PER_QUARTER, WINDOW, MultitrackRoll
from pyzzicato.data.band import windows
from pyzzicato.data.pieces import Dataset, Piece
from pyzzicato.errors import PyzzicatoError
from pyzzicato.generation.generator import Generator, collect_takes
from pyzzicato.metrics.band import (
    STEPS_PER_BAR,
    change,
    feel_variety,
    interval,
    measure_table,
    nearest_style,
    repeat_last,
    variety,
)
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo

__all__ = ["ALPHAS", "Opening", "alike", "band_scores", "openings", "written"]

COUNT = 200
FEW = 100  # outputs whose variety is measured
STARTS = 3  # openings of which so many takes are written
ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0)
STYLES = 10
STYLE_SEEDS = 10
QPM = 120.0
SECONDS_PER_STEP = 60 / QPM / STEPS_PER_QUARTER

Variant = Mapping[str, Any] | Generator
"""Another form to set beside: values of controls, or a generator with the same controls."""


class Opening(NamedTuple):
    """A window of a real piece and the one that follows it, (32, 5, 128) each; its work."""

    before: np.ndarray
    after: np.ndarray
    work: str


def band_scores(
    info: ModelInfo,
    dataset: Dataset,
    say: Callable[[str], None] = print,
    *,
    told: Callable[[Sequence[Piece]], Mapping[str, Any]] | None = None,
    variants: Mapping[str, Variant] | None = None,
    styles: Mapping[str, np.ndarray] | None = None,
    count: int = COUNT,
) -> dict[str, Any]:
    """What `pyzzicato evaluate` measures of a model that plays in a band of five.

    `told` measures on the pieces of a split how well the network tells real music, as
    {"what": "nats per step", "rows": {predictor: figure}}, or with "ELBO" in its name. `variants`
    are other forms, such as the published one, by a name in words. `styles` are real windows
    (n, 32, 5, 128) of ten values of the control `style`. Raises PyzzicatoError where the test split
    has no openings.
    """
    generator = info.load()
    asked = openings(dataset.split("test"), count)
    if len(asked) < 2:
        raise PyzzicatoError(
            "The test split of that folder has no music for a band: it needs two pieces of eight "
            "bars or more."
        )
    before, after = (np.stack([opening[n] for opening in asked]) for n in range(2))
    found: dict[str, Any] = {
        "windows": len(asked),
        "works": len({opening.work for opening in asked}),
        "forms": {},
        "variety": {"real": _varieties(after[:FEW])},
        "styles": None,
    }
    tables = {"real": _table(before, after), "repeat": _table(before, repeat_last(before))}
    for name, form in {"new": {}, **(variants or {})}.items():
        say(f"{info.id}: {len(asked)} windows" + ("" if name == "new" else f", {name}"))
        player, values = (form, {}) if isinstance(form, Generator) else (generator, dict(form))
        found["forms"][name] = {k: str(v) for k, v in values.items()}
        tables[name], found["variety"][name] = _form(player, before, values)
    found["measures"] = tables
    found["alike"] = {name: alike(table, tables["real"]) for name, table in tables.items()}
    if told is not None:
        say(f"{info.id}: how well it tells real music")
        found["told"] = {name: dict(told(dataset.split(name))) for name in ("val", "test")}
    if styles:
        say(f"{info.id}: {len(styles)} styles")
        found["styles"] = _styles(generator, styles, before)
    return {"band": found}


def _table(before: np.ndarray, after: np.ndarray) -> dict[str, Any]:
    """The measures of what follows the openings, and how much of it is new."""
    return {**measure_table(after), "change": {"All five": interval(change(before, after))}}


def _form(
    player: Generator, before: np.ndarray, values: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The measures and the varieties of one form."""
    new = written(player, before, **values)
    one = [written_from(player, start, FEW, **values) for start in _starts(before)]
    return _table(before, new), {"starts": _varieties(new[:FEW]), "one": _mean_varieties(one)}


def openings(pieces: Sequence[Piece], count: int, rng_seed: int = 1) -> list[Opening]:
    """Up to `count` openings in which music plays and goes on, works in turn, pieces in 4/4 only.

    A work's openings are in an order by lot and do not overlap one another.
    """
    rng = np.random.default_rng(rng_seed)
    by_work: dict[str, list[Opening]] = defaultdict(list)
    for piece in pieces:
        if not getattr(piece, "even", False):
            continue
        cut = windows(piece, hop=WINDOW)  # type: ignore[arg-type]
        # The second bar of an opening must play, so that what goes on knows where it is.
        plays = np.asarray(np.any(cut[:, STEPS_PER_BAR:], axis=(1, 2, 3)))
        goes_on = np.asarray(np.any(cut, axis=(1, 2, 3)))
        for place in rng.permutation(max(len(cut) - 1, 0)).tolist():
            if plays[place] and goes_on[place + 1]:
                by_work[piece.work].append(Opening(cut[place], cut[place + 1], piece.work))
    return list(_in_turn(list(by_work.values()), count))


def _in_turn(groups: list[list[Opening]], count: int) -> Iterator[Opening]:
    told = 0
    for turn in range(max((len(group) for group in groups), default=0)):
        for group in groups:
            if turn < len(group) and told < count:
                told += 1
                yield group[turn]


def written(generator: Generator, before: np.ndarray, **values: Any) -> np.ndarray:
    """What a generator writes after each opening, one take each: (n, 32, 5, 128)."""
    return np.concatenate(
        [
            written_from(generator, opening, 1, rng_seed=number + 1, **values)
            for number, opening in enumerate(before)
        ]
    )


def written_from(
    generator: Generator, opening: np.ndarray, takes: int, steps: int = WINDOW, **values: Any
) -> np.ndarray:
    """The first `steps` steps of some takes after one opening: (takes, steps, 5, 128)."""
    seed = MultitrackRoll().decode(opening, QPM)
    # A seed ends with its last note: there may be as many silent steps more as it is long.
    seconds = max((steps + len(opening)) * SECONDS_PER_STEP, 5.0)
    controls = generator.Controls(**{"seconds": seconds, **values})
    made = collect_takes(generator.generate(seed, controls, takes), takes, QPM)
    return np.stack([_after(seed, music, len(opening), steps) for music in made])


def _after(seed: NoteSequence, music: NoteSequence, first: int, steps: int) -> np.ndarray:
    """The steps from `first` on of a seed and what follows it."""
    codes = MultitrackRoll().encode(seed.followed_by(music))[first : first + steps]
    found: np.ndarray = np.zeros((steps, *codes.shape[1:]), np.uint8)
    found[: len(codes)] = codes
    return found


def _starts(before: np.ndarray) -> np.ndarray:
    """Some openings that are far apart."""
    return np.stack([before[n] for n in np.linspace(0, len(before) - 1, STARTS).astype(int)])


def _varieties(some: np.ndarray) -> dict[str, float]:
    return {"notes": round(variety(some), 4), "feel": round(feel_variety(some), 4)}


def _mean_varieties(sets: Sequence[np.ndarray]) -> dict[str, float]:
    rows = [_varieties(some) for some in sets]
    return {name: round(float(np.mean([row[name] for row in rows])), 4) for name in rows[0]}


def alike(table: Mapping[str, Any], real: Mapping[str, Any]) -> dict[str, int]:
    """How many figures of a `measure_table` have an interval that meets the real one's.

    `of` is how many figures real music has; one that is not there counts as not alike.
    """
    met = of = 0
    for measure, rows in real.items():
        for name, row in rows.items():
            mine = table[measure][name]
            if row["value"] is None:
                continue
            of += 1
            if mine["value"] is not None:
                met += mine["low"] <= row["high"] and row["low"] <= mine["high"]
    return {"met": int(met), "of": of}


def _styles(
    generator: Generator, styles: Mapping[str, np.ndarray], before: np.ndarray
) -> dict[str, Any]:
    """How often the nearest of ten styles is the chosen one, for each alpha."""
    chosen = dict(list(styles.items())[:STYLES])
    seeds = before[: min(STYLE_SEEDS, len(before))]
    rows = []
    for alpha in ALPHAS:
        hits = {False: 0, True: 0}
        for style in chosen:
            for number, opening in enumerate(seeds):
                values = {"alpha": alpha, "style": style, "rng_seed": number + 1}
                # The first window still comes from the opening alone in part.
                made = written_from(generator, opening, 1, 3 * WINDOW, **values)[:, WINDOW:]
                for any_key in hits:
                    hits[any_key] += nearest_style(made, chosen, any_key=any_key) == style
        total = len(chosen) * len(seeds)
        rows.append(
            {
                "alpha": alpha,
                "nearest": round(hits[False] / total, 4),
                "nearest_in_any_key": round(hits[True] / total, 4),
            }
        )
    return {
        "names": list(chosen),
        "results": len(chosen) * len(seeds),
        "chance": round(1 / len(chosen), 4),
        "curve": rows,
    }
