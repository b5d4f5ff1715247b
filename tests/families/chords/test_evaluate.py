"""Figures of networks of notes and lengths: what Keras says, what a Markov model knows."""

from pathlib import Path

import numpy as np
import pytest

from pyzzicato.families.chords.evaluate import Tally, _told, line_scores
from pyzzicato.families.chords.windows import read_before, read_vocabulary
from pyzzicato.metrics.chord_markov import ChordMarkov
from pyzzicato.music.notes import Note, longest_repeat
from pyzzicato.registry import model_info
from pyzzicato.reports.sheets import best_figure, sheet_table
from pyzzicato.runtime.session import StepGraph
from tests.small_chords import make_model

FIGURES = ("nats", "accuracy", "precision", "recall")


def test_the_four_figures_are_those_of_keras() -> None:
    import keras

    rng = np.random.default_rng(3)
    # Keras cuts chances off at 1e-7: none is that small here.
    chance = (0.99 * rng.dirichlet([0.15] * 6, 400) + 0.01 / 6).astype(np.float32)
    target = np.where(rng.random(400) < 0.6, chance.argmax(axis=1), rng.integers(0, 6, 400))
    tally = Tally()
    tally.add(chance[:150], target[:150])
    tally.add(chance[150:], target[150:])
    hot = np.eye(6, dtype=np.float32)[target]
    wanted = []
    for metric in (
        keras.metrics.CategoricalCrossentropy(),
        keras.metrics.CategoricalAccuracy(),
        keras.metrics.Precision(),
        keras.metrics.Recall(),
    ):
        metric.update_state(hot, chance)
        wanted.append(float(metric.result()))
    found = tally.figures()
    assert [found[name] for name in FIGURES] == pytest.approx(wanted, abs=1e-4)


def test_where_nothing_is_sure_there_is_no_precision() -> None:
    tally = Tally()
    tally.add(np.full((5, 4), 0.25), np.zeros(5, np.int64))
    assert tally.figures() == {
        "nats": pytest.approx(np.log(4), abs=1e-4), "accuracy": 1.0, "precision": None,
        "recall": 0.0,
    }  # fmt: skip


def test_chances_of_the_markov_model_are_chances_and_longer_contexts_tell_more() -> None:
    rng = np.random.default_rng(5)
    # What comes depends on the two before.
    line = [0, 1]
    for _ in range(3000):
        further = 1 + (line[-2] < 2) + 2 * (rng.random() < 0.1)
        line.append(int((line[-1] + further) % 5))
    learned, asked = np.array(line[:2000]), np.array(line[2000:])
    markov = ChordMarkov([learned], 6)
    nats = []
    for order in range(3):
        chance = np.concatenate(list(markov.chances(asked, order)))
        assert chance.shape == (len(asked), 6)
        assert chance.sum(axis=1) == pytest.approx(np.ones(len(asked)), abs=1e-5)
        assert (chance > 0).all(), "what was never seen is possible"
        nats.append(-np.log(chance[np.arange(len(asked)), asked]).mean())
    assert nats[0] > nats[1] > nats[2]
    assert nats[2] < 0.5


def test_a_network_is_scored_on_every_token_both_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path))
    info = model_info(make_model(tmp_path / "small").name)
    config = {**info.config, **info.training, "vocabulary": read_vocabulary(info.folder)}
    names, lengths = (len(part) for part in config["vocabulary"].values())
    rng = np.random.default_rng(2)
    lines = [
        np.stack([rng.integers(0, names, n), rng.integers(0, lengths, n)], axis=1)
        for n in (300, 5, 700)
    ]
    graph = StepGraph(info.weights)
    through = line_scores(graph, config, {"train": lines, "test": lines[:1], "val": []})
    assert "val" not in through
    assert through["test"]["tokens"] == 300
    read = read_before(lines[0])[:-1].astype(np.float32)[None]
    told, _ = graph.advance({"tokens": read}, graph.start(1))
    wanted = -told[0, np.arange(300), lines[0][:, 0]].mean()
    assert through["test"]["network"]["note"]["nats"] == pytest.approx(wanted, abs=1e-3)
    windows = line_scores(graph, {**config, "last": True}, {"train": lines, "test": lines[:1]})
    wanted = np.mean(
        [
            -graph.advance(
                {"tokens": read[:, n - 7 : n + 1]},
                graph.start(1),
            )[0][0, -1, lines[0][n, 0]]
            for n in range(7, 300)
        ]
    )
    assert windows["test"]["network"]["note"]["nats"] == pytest.approx(wanted, abs=1e-3)
    assert windows["test"]["tokens"] == 293
    assert windows["train"]["tokens"] == 293 + 693
    sheet = _told(through)
    assert "300 (test), 1,005 (trained on)" in sheet.note
    assert len(sheet_table(sheet).rows) == 2 * 3 * 3
    parts = [through["test"]["network"][part]["nats"] for part in ("note", "duration")]
    assert best_figure([sheet]).startswith(f"{sum(parts):.3f} nats per token of chord and length (")


def test_the_longest_run_is_of_what_is_struck_together() -> None:
    assert longest_repeat(()) == 0
    chords = [(60, 64), (60, 64), (60,), (64, 60), (60, 64), (60, 64), (62,)]
    notes = [Note(n, n + 0.5, p) for n, chord in enumerate(chords) for p in chord]
    assert longest_repeat(notes) == 3
