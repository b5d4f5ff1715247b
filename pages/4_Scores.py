"""Scores: every model against every measure, beside what real music reaches."""

import streamlit as st

from pyzzicato.errors import PyzzicatoError
from pyzzicato.evaluation.recognition import classifier_here
from pyzzicato.evaluation.score_sheet import LONG_SECONDS, MEASURES
from pyzzicato.metrics.yang_lerch import FEATURES
from pyzzicato.registry import models
from pyzzicato.reports.published import NOT_COMPARABLE, beside_published
from pyzzicato.reports.recognition_tables import about_classifier, confusions, recognised
from pyzzicato.reports.score_tables import (
    Scored,
    absences,
    by_kind,
    likeness_table,
    overview,
    scored,
)
from pyzzicato.reports.sheets import comparisons
from pyzzicato.ui import shell
from pyzzicato.ui.scores import curve_plot, gap_plot, overlap_plot, tiles
from pyzzicato.ui.shell import heading
from pyzzicato.ui.tables import show_matrix, show_table, style


def show_measures(measured: list[Scored]) -> None:
    """Every measure as a picture."""
    heading("Beside real music")
    shell.line(
        "Blue: real music that no model was trained on. Orange: what the model writes. Each with "
        "the mean of all clips and its 95 % interval. At the right the gap: how far the clips are "
        "from the real ones, in standard deviations, and in brackets the ceiling, the gap "
        "between two halves of the real music. Nothing can be better than that on purpose. Bold is "
        "the best of those that write the same kind of music."
    )
    tiles(
        [
            (f"{about[0].upper()}{about[1:]}", unit, gap_plot(measured, name))
            for name, (about, unit) in MEASURES.items()
            if any(model.row("measures", name) for model in measured)
        ]
    )


def show_features(measured: list[Scored]) -> None:
    """Every feature as a picture, and all figures in a table."""
    heading("Likeness by the twelve features of Yang and Lerch")
    shell.line(
        "Overlapping Area, 0 to 1. Blue: are pieces of the model as far from real ones as real "
        "ones from each other? Orange: are they as far as from one another? A model that always "
        "plays the same fails the second. Dashed: two halves of the real music. At the right the "
        "smaller of both."
    )
    tiles(
        [
            (f"{each.about[0].upper()}{each.about[1:]}", name, overlap_plot(measured, name))
            for name, each in FEATURES.items()
        ]
    )
    with st.expander("All figures, with KL divergences and the form of the original"):
        shell.line("In brackets the ceiling, the same between two halves of the real music.")
        about = {name: each.about for name, each in FEATURES.items()}
        for kind, models_of_it in by_kind(measured).items():
            shell.line(kind, "label")
            show_table(likeness_table(models_of_it, about), names=2)


def show_curves(measured: list[Scored]) -> None:
    """Notes a second over time, model by model."""
    heading("Does it dry up?")
    shell.line(
        "Notes a second over two minutes: the mean, and the middle half of the pieces. "
        "Blue: real music. Orange: new."
    )
    curves = [model for model in measured if model.clips.get("curve", {}).get("new")]
    sides = [model.clips["curve"].get(side) for model in curves for side in ("real", "new")]
    highest = max((value for side in sides if side for value in side["high"]), default=1.0)
    tiles(
        [
            (
                model.title,
                f"{model.clips['long_clips']} pieces",
                curve_plot(model.clips["curve"], LONG_SECONDS, highest),
            )
            for model in curves
        ]
    )


def show_side_by_side(known: list[Scored]) -> None:
    """What models have been measured in alike."""
    found = list(comparisons({model.title: model.sheets for model in known}))
    if not found:
        return
    heading("Side by side")
    shell.line(
        "What two models or more were measured in alike, on the same music; what else was measured "
        "of each stands on its card. Where there is real music the best is the nearest to it."
    )
    for section in found:
        shell.line(section.heading, "label")
        shell.line(section.note)
        show_table(section.table)


def show_recognition(measured: list[Scored]) -> None:
    """What the composer classifier says of the models, and how far it can be trusted."""
    table, classifier = recognised(measured), classifier_here()
    if not table.rows and classifier is None:
        return
    heading("Is the composer recognised?")
    if table.rows:
        shell.line(
            "How often our own classifier names the composer that was asked for: in real music "
            "that it was not trained on, in what the model writes, and in the seeds alone, in "
            "which the seed does all the work. Others: seeds of one composer in the style of "
            "another; then the one asked for is named, or the seed's. The classifier distance is "
            "a Fréchet distance between new and real clips in its last hidden layer, in brackets "
            "that of two halves of the real music; figures of other encoders are no comparison."
        )
        show_table(table)
    if classifier is not None:
        shell.line(about_classifier(classifier.measured))
        with st.expander("Which composers it takes for which"):
            shell.line("Works that it was not trained on, by composer; across, who was named.")
            show_matrix(*confusions(classifier.measured))


def show_published() -> None:
    """Published figures beside ours, and why others are not."""
    heading("Beside what others published")
    classifier = classifier_here()
    table = beside_published(models().values(), classifier.measured if classifier else None)
    if table.rows:
        show_table(table, wrapped=True)
    shell.line("What cannot be compared:")
    for sentence in NOT_COMPARABLE:
        shell.line(sentence)


def show_all(known: list[Scored]) -> None:
    """The whole page, also where nothing was measured."""
    shell.line(
        "Every model as it comes, nothing tuned for a composer. The composite, 0 to 1, is 1 where "
        "all measures and all features reach their ceilings: it serves to choose settings by, and "
        "is no judgement of the music. Models that write the same kind of music are compared."
    )
    with st.container(key="kinds"):  # its columns stand below one another: scores.css
        for kind, models_of_it in by_kind(known).items():
            shell.line(kind, "label")
            show_table(overview(models_of_it))
    measured = [model for model in known if model.clips.get("measures")]
    if measured:
        show_measures(measured)
        show_features(measured)
        show_curves(measured)
    show_side_by_side(known)
    show_recognition(measured)
    show_published()
    heading("What was not measured")
    for sentence in absences(known):
        shell.line(sentence)


shell.open_page("Scores")
shell.title("Scores")
style()
try:
    all_models = scored(models().values())
except PyzzicatoError as error:
    shell.problem(str(error))
else:
    show_all(all_models)
