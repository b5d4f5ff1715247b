"""What a family that plays in a band of five writes, beside real music and a trivial baseline.

Every family's `scores` calls `band_scores`.

Conventions. An *opening* is a window of 32 steps of a piece of the test split that begins with a
bar; works take turns. The model goes on from each of 200 openings, at a tempo of 120 and with all
controls as they come, and its first 32 steps are measured (`pyzzicato.metrics.band`) beside the
32 steps that really follow, and beside the opening once more. One measure is added: `change`, the
share of struck notes that the opening and what follows do not have in common.

Variety is the mean distance between 100 outputs from 100 openings, and between 100 takes from one
opening (three openings in the mean), over the mean distance between the real windows: by notes
(no note in common is 1) and by feel (chroma and rhythm).

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
from pyzzicato.errors import PyzzicatoError, listed
from pyzzicato.generation.generator import Generator, collect_takes
from pyzzicato.metrics.band import (
    MEASURES,
    STEPS_PER_BAR,
    feel_variety,
    measured,
    nearest_style,
    repeat_last,
    variety,
)
from pyzzicato.metrics.scores import MODEL, REAL, Measure, Score, Sheet, rows
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

AGAIN, ONE = "the opening again", "variety from one opening"
DISTANCES: Mapping[str, Callable[[np.ndarray], float]] = {"notes": variety, "feel": feel_variety}

Table = Mapping[tuple[str, str], Score]
"""The scores of one form by measure and group."""
Told = Mapping[str, Mapping[str, float]]
"""A measure -> a predictor -> its figure, the less the better."""
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
    told: Callable[[Sequence[Piece]], Told] | None = None,
    variants: Mapping[str, Variant] | None = None,
    styles: Mapping[str, np.ndarray] | None = None,
) -> tuple[Sheet, ...]:
    """What `pyzzicato evaluate` measures of a model that plays in a band of five.

    `told` measures on the pieces of a split how well the network tells real music. `variants`
    are other forms, such as the published one, by a name in words. `styles` are real windows
    (n, 32, 5, 128) of ten values of the control `style`. Raises PyzzicatoError where the test split
    has no openings.
    """
    generator = info.load()
    asked = openings(dataset.split("test"), COUNT)
    if len(asked) < 2:
        raise PyzzicatoError(
            "The test split of that folder has no music for a band: it needs two pieces of eight "
            "bars or more."
        )
    before, after = (np.stack([opening[n] for opening in asked]) for n in range(2))
    works = len({opening.work for opening in asked})
    tables, varied = {}, {}
    for name, form in {MODEL: {}, **(variants or {})}.items():
        say(f"{info.id}: {len(asked)} windows, {name}")
        player, values = (form, {}) if isinstance(form, Generator) else (generator, dict(form))
        new = written(player, before, **values)
        tables[name] = measured(before, new, name)
        varied[name] = _varied(player, before, new, after, values)
    tables |= {AGAIN: measured(before, repeat_last(before), AGAIN)}
    tables |= {REAL: measured(before, after, REAL)}
    varied[AGAIN] = {name: 0.0 for name in varied[MODEL] if name.startswith(ONE)}
    varied[REAL] = dict.fromkeys(varied[MODEL], 1.0)
    sheets = [_likeness(tables, varied), _measured(tables, len(asked), works)]
    if told is not None:
        say(f"{info.id}: how well it tells real music")
        sheets.insert(1, _told({name: told(dataset.split(name)) for name in ("test", "val")}))
    if styles:
        say(f"{info.id}: {len(styles)} styles")
        sheets.append(_styles(generator, styles, before))
    return tuple(sheets)


def _varied(
    player: Generator,
    before: np.ndarray,
    new: np.ndarray,
    after: np.ndarray,
    values: Mapping[str, Any],
) -> dict[str, float]:
    """The variety of one form over that of real music."""
    one = [written_from(player, start, FEW, **values) for start in _openings_apart(before)]
    found = {}
    for of, sets in ((f"variety from {FEW} openings", [new[:FEW]]), (ONE, one)):
        for by, distance in DISTANCES.items():
            real = distance(after[:FEW])
            mean = float(np.mean([distance(some) for some in sets]))
            found[f"{of}, by {by}"] = round(mean / real, 4) if real else 0.0
    return found


def _likeness(tables: Mapping[str, Table], varied: Mapping[str, Mapping[str, float]]) -> Sheet:
    """Likeness to real music and variety, of the model and of its other forms."""
    met = {name: alike(table, tables[REAL]) for name, table in tables.items()}
    like = f"of {met[REAL]} measures like real music"
    return Sheet(
        "How like real music it is, and how varied",
        "Measures: how many of those below have an interval that meets the one of real music. "
        f"Variety is the mean distance between two windows, of {FEW} that follow {FEW} openings "
        f"and of {FEW} takes that follow one (three openings in the mean), over the same figure of "
        "real music. By notes: the share of struck notes that only one of both has; by feel: "
        "chroma and rhythm, which also tells that music is of one kind.",
        (
            Measure(like, ".0f", "higher"),
            *(Measure(name, better="real") for name in varied[REAL]),
        ),
        tuple(
            score for form in varied for score in rows({like: met[form], **varied[form]}, by=form)
        ),
    )


def _told(found: Mapping[str, Told]) -> Sheet:
    """How well real music is told."""
    return Sheet(
        "How well it tells real music",
        "How well it tells real music that it was not trained on: less is better.",
        tuple(Measure(name, better="lower") for name in found["test"]),
        tuple(
            Score(measure, value, by, split=split)
            for split, measures in found.items()
            for measure, figures in measures.items()
            for by, value in figures.items()
        ),
    )


def _measured(tables: Mapping[str, Table], count: int, works: int) -> Sheet:
    """Every measure of every instrument."""
    return Sheet(
        "What its music is like",
        f"What it writes after {count} openings of two bars from {works} works that it was not "
        "trained on, beside the two bars that really follow, and beside the opening again, which "
        "takes no model at all; 95 % intervals. Tonal distance is between two instruments that "
        "sound in one beat, 0 for the same pitch classes. Strokes on the sixteenths between the "
        "eighths count a tenth.",
        MEASURES,
        tuple(tables[by][key] for key in tables[REAL] for by in (REAL, MODEL, AGAIN)),
        across=("by",),
    )


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


def _openings_apart(before: np.ndarray) -> np.ndarray:
    """Some openings that are far apart."""
    return np.stack([before[n] for n in np.linspace(0, len(before) - 1, STARTS).astype(int)])


def alike(table: Table, real: Table) -> int:
    """How many scores have an interval that meets the one of real music; one without does not."""
    ends = [(table[key].low, table[key].high, score.low, score.high) for key, score in real.items()]
    return sum(None not in four and four[0] <= four[3] and four[2] <= four[1] for four in ends)  # type: ignore[operator]


def _styles(generator: Generator, styles: Mapping[str, np.ndarray], before: np.ndarray) -> Sheet:
    """How often the nearest of ten styles is the chosen one, for each alpha."""
    chosen = dict(list(styles.items())[:STYLES])
    seeds = before[: min(STYLE_SEEDS, len(before))]
    total = len(chosen) * len(seeds)
    found: list[Score] = []
    for alpha in ALPHAS:
        hits = {"nearest": 0, "nearest in any key": 0}
        for style in chosen:
            for number, opening in enumerate(seeds):
                values = {"alpha": alpha, "style": style, "rng_seed": number + 1}
                # The first window still comes from the opening alone in part.
                made = written_from(generator, opening, 1, 3 * WINDOW, **values)[:, WINDOW:]
                for name in hits:
                    nearest = nearest_style(made, chosen, any_key="key" in name)
                    hits[name] += nearest == style
        shares = {name: round(count / total, 4) for name, count in hits.items()}
        found += rows(shares, group=f"{alpha:g}")
    return Sheet(
        "What the style does",
        "How often the result is nearer, in chroma and rhythm, to real music of the chosen style "
        f"than to that of the {len(chosen) - 1} others, by how much of the style is mixed in "
        f"(alpha); {total} results each, by lot {1 / len(chosen):.0%}. In any key: where the "
        f"chroma may be transposed. The styles: {listed(list(chosen))}.",
        tuple(Measure(name, ".0%", "higher") for name in ("nearest", "nearest in any key")),
        tuple(found),
        group="alpha",
    )
