"""The benchmarks, and the tool that writes figures into documents: what they count, not speed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pyzzicato.codecs.piano_roll import KEYS
from pyzzicato.families.piano_roll.generate import RollControls, RollGenerator
from pyzzicato.families.piano_roll.windows import INPUTS, OUTPUTS
from pyzzicato.generation.generator import Generator, Step
from pyzzicato.metrics.scores import Measure, Score, Sheet
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.registry import ModelInfo, models
from pyzzicato.runtime.session import Carried, StepGraph
from tests import small_chords, small_melody, small_tunes
from tests.scripts import ROOT, open_scripts


@pytest.fixture(scope="module")
def scripts() -> Iterator[dict[str, ModuleType]]:
    """The benchmarks and the tool, as modules of their own names."""
    paths = sorted(f"benchmarks/{path.name}" for path in (ROOT / "benchmarks").glob("*.py"))
    with open_scripts(*paths, "tools/update_readme.py") as found:
        yield found


class Metronome(Generator):
    """Two notes a second in every take; remembers what was asked."""

    Controls = RollControls

    def __init__(self) -> None:
        self.asked: list[tuple[float, int]] = []

    def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
        self.asked.append((controls.seconds, takes))
        for beat in range(round(controls.seconds * 2)):
            for take in range(takes):
                end = (beat + 1) / 2
                yield Step((Note(beat / 2, end, 60),), end, take)


def info_at(folder: Path, **config: Any) -> ModelInfo:
    names = ("chopin", "bach")
    return ModelInfo("small", folder, "piano_roll.wavenet", "Small", "", "", 2021, names, config)


def test_medians_are_taken_in_turn_and_the_first_round_does_not_count(
    scripts: dict[str, ModuleType],
) -> None:
    order: list[str] = []
    values = {"a": iter([90.0, 1, 2, 9]), "b": iter([90.0, 5, 4, 3])}

    def variant(name: str) -> float:
        order.append(name)
        return next(values[name])

    found = scripts["generation"].in_turn(
        {"a": lambda: variant("a"), "b": lambda: variant("b")}, rounds=3
    )
    assert found == {"a": 2, "b": 4}
    assert order == ["a", "b"] * 4


def test_the_naive_loop_reads_the_last_window_and_appends_one_step(
    scripts: dict[str, ModuleType], tmp_path: Path
) -> None:
    class Network:
        windows: list[np.ndarray] = []  # noqa: RUF012

        def predict(self, feed: dict[str, np.ndarray], verbose: int) -> np.ndarray:
            self.windows.append(feed["roll"].copy())
            logits = np.full((1, 200, OUTPUTS), -9.0, np.float32)
            logits[0, -1, 40] = logits[0, -1, KEYS + 40] = 9.0
            logits[0, -1, 2 * KEYS + 40] = 0.5
            return logits

    network = Network()
    made = object.__new__(RollGenerator)  # only its kind counts
    loop = scripts["naive"].naive_loop(
        info_at(tmp_path, steps_per_second=20), made, lambda: network
    )
    assert loop.seconds_a_step(3)() > 0
    assert [window.shape for window in network.windows] == [(1, 200, INPUTS)] * 3
    first, second, _ = network.windows
    assert (second[0, :-1] == first[0, 1:]).all()
    assert np.flatnonzero(second[0, -1]).tolist() == [40, KEYS + 40, 2 * KEYS + 40]
    assert first.any(), "the seed is in the window"


@pytest.mark.parametrize("kind", ["chords", "letters", "melodies"])
def test_every_network_of_steps_has_a_naive_loop_and_its_steps_are_counted(
    scripts: dict[str, ModuleType], tmp_path: Path, kind: str
) -> None:
    makers: dict[str, Callable[[Path], object]] = {
        "chords": small_chords.make_model,
        "letters": small_tunes.make_model,
        "melodies": small_melody.make_model,
    }
    makers[kind](tmp_path / "small")
    info = models(tmp_path)["small"]
    generator = info.load()
    fed: list[np.ndarray] = []

    class Network:
        def predict(self, feed: dict[str, np.ndarray], verbose: int) -> np.ndarray:
            fed.extend(feed.values())
            return np.eye(1, 2000, 3, np.float32)[None]

    loop = scripts["naive"].naive_loop(info, generator, Network)
    assert loop.seconds_a_step(2)() > 0
    window = info.training["window"]
    assert [read.shape[:2] for read in fed] == [(1, window)] * 2
    assert (fed[1][0, :-1] == fed[0][0, 1:]).all()
    answer = {"chords": [4, 1], "letters": 3, "melodies": np.eye(36)[3]}[kind]
    assert np.array_equal(fed[1][0, -1][..., :36] if fed[1].ndim > 2 else fed[1][0, -1], answer)
    assert scripts["naive"].graph_step(generator, loop, 2)() > 0
    ours = scripts["generation"].Ours(info, generator, 6.0)
    steps = scripts["generation"].steps_of(info, ours, 6.0)
    assert set(steps) == {1, 4, 10}
    assert 0 < steps[1] <= steps[4] <= steps[10]


def test_the_steps_of_the_seed_do_not_count(scripts: dict[str, ModuleType], tmp_path: Path) -> None:
    small_chords.make_model(tmp_path / "small")
    info = models(tmp_path)["small"]
    graph = StepGraph(info.weights)
    first = np.ones((1, 1, 2), np.float32)
    width = graph.advance({"tokens": first}, graph.start(1))[0].shape[-1]

    class Walker(Metronome):
        def generate(self, seed: NoteSequence, controls: Any, takes: int = 1) -> Iterator[Step]:
            for batch, steps in ((1, 9), (takes + 1, 5 + takes)):
                for _ in range(steps):
                    tokens = np.ones((batch, 1, 2), np.float32)
                    graph.advance({"tokens": tokens}, graph.start(batch))
            told = np.zeros((takes, width), np.float32)
            carried = Carried(graph, {"tokens": np.ones((takes, 1, 2), np.float32)},
                              told[:, None], graph.start(takes))  # fmt: skip
            for _ in range(20):
                carried()
            yield Step((), controls.seconds)

    module = scripts["generation"]
    steps = module.steps_of(info, module.Ours(info, Walker(), 8.0), 8.0)
    assert steps == {1: 26, 4: 29, 10: 35}
    rolls = info_at(tmp_path, steps_per_second=20)
    assert module.steps_of(rolls, module.Ours(rolls, Walker(), 8.0), 8.0)[1] == 160


@pytest.mark.parametrize(
    ("rolls", "wanted"), [(True, "250"), (False, "200")], ids=["piano rolls", "tokens"]
)
def test_how_many_times_as_fast_is_wanted(
    scripts: dict[str, ModuleType],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    rolls: bool,
    wanted: str,
) -> None:
    info = info_at(tmp_path, **({"steps_per_second": 20} if rolls else {}))
    takes = {"1": 230.0, "4": 210.0, "10": 120.0}
    found = {
        "naive_step_us": 1e4, "graph_step_us": 50.0, "step_us": takes, "times_naive": 230.0,
        "floor_us": 30.0, "copy_gb_per_second": 100.0, "first_note_ms": 5.0, "real_time": takes,
        "weights_mb": 1.0,
    }  # fmt: skip
    scripts["generation"].report(info, found)
    said = capsys.readouterr().out
    assert f"{'missed' if rolls else 'reached'}, wanted >= {wanted}" in said
    assert ("wanted >= 100" in said) == rolls


def test_a_band_is_held_against_fifty_times_real_time(
    scripts: dict[str, ModuleType], tmp_path: Path
) -> None:
    band = replace(info_at(tmp_path), training={"kinds": ["band:even"]})
    assert scripts["generation"].wanted_of(band) == {"real_time": 50}
    assert "real_time" not in scripts["generation"].wanted_of(info_at(tmp_path))


def test_notes_are_counted_over_all_takes(
    scripts: dict[str, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, generator = scripts["generation"], Metronome()
    monkeypatch.setattr(module, "floor_of", lambda info: {})
    # A clock on which every look takes a second: each measurement lasts one second.
    clock = iter(range(10_000))
    monkeypatch.setattr(module.time, "perf_counter", lambda: float(next(clock)))
    effort = module.Effort(seconds=30, rounds=2, naive_steps=1)
    rivals = {"naive_note": lambda: 5.0, "gpt2": lambda: 0.25}
    found = module.note_figures(info_at(tmp_path), generator, rivals, effort)
    assert found["notes_per_second"] == {"1": 60, "4": 240, "10": 600}
    assert found["real_time"] == {"1": 30, "4": 30, "10": 30}
    assert found["first_note_ms"] == 1000
    assert found["note_us"] == pytest.approx(1e6 / 60, abs=0.1)
    assert found["gpt2_us"] == 0.25e6
    assert found["times_naive"] == 300
    assert {takes for _, takes in generator.asked} == {1, 4, 10}


def test_a_floor_is_size_over_speed(scripts: dict[str, ModuleType], tmp_path: Path) -> None:
    import onnx
    from onnx import helper, numpy_helper

    arrays: dict[str, np.ndarray] = {
        "a": np.ones((250, 1000), np.float16),
        "number:1": np.ones(9, np.float32),
    }
    kept = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    onnx.save(helper.make_model(helper.make_graph([], "g", [], [], kept)), tmp_path / "model.onnx")
    found = scripts["generation"].floor_of(info_at(tmp_path))
    assert found["weights_mb"] == 1.0, "weights count as float32, numbers of the graph do not"
    expected = 1e6 / (found["copy_gb_per_second"] * 1e9) * 1e6
    assert found["floor_us"] == pytest.approx(expected, rel=0.1, abs=0.1)


def test_verdicts(scripts: dict[str, ModuleType]) -> None:
    verdict = scripts["results"].verdict
    assert verdict(250, 250) == "reached, wanted >= 250"
    assert verdict(249.9, 250) == "missed, wanted >= 250"
    assert verdict(2.9, 3.0, most=True) == "reached, wanted < 3"
    assert verdict(3.0, 3.0, most=True) == "missed, wanted < 3"


def test_figures_are_kept_by_part_and_say_nothing_of_whose_machine(
    scripts: dict[str, ModuleType], tmp_path: Path
) -> None:
    results, path = scripts["results"], tmp_path / "results.json"
    machine = results.machine(["numpy", "no-such-package"])
    assert set(machine) == {"cores", "python", "packages"}
    assert machine["packages"] == {"numpy": np.__version__}
    results.keep("app", {"machine": machine, "x": 1}, path)
    results.keep("generation", {"y": 2}, path)
    results.keep("app", {"x": 3}, path)
    assert results.kept(path) == {"app": {"x": 3}, "generation": {"y": 2}}
    assert json.loads(path.read_text()) == results.kept(path)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_memory_counts_what_a_process_started(scripts: dict[str, ModuleType]) -> None:
    module = scripts["app"]
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    limit = time.monotonic() + 20
    while len(module.processes_below(parent.pid)) < 2 and time.monotonic() < limit:
        time.sleep(0.01)
    assert len(module.processes_below(parent.pid)) == 2
    assert module.processes_below(parent.pid)[0] == parent.pid
    assert module.memory_mb(parent.pid) > 1
    parent.communicate(b"\n")


def test_the_documents_are_what_the_tool_writes(
    scripts: dict[str, ModuleType], project: Path
) -> None:
    tool = scripts["update_readme"]
    texts = {name: (project / name).read_text(encoding="utf-8") for name in tool.DOCUMENTS}
    blocks = {name: {b[2] for b in tool.BLOCK.finditer(text)} for name, text in texts.items()}
    assert blocks == {"README.md": {"models", "seeds"}, "docs/benchmarks.md": {"app", "speed"}}
    for text in texts.values():
        assert tool.written(text) == text, "run: python tools/update_readme.py"


SHEET = Sheet(
    "How well", "", (Measure("F1", ".3f"),),
    (Score("F1", 0.31, group="keys"), Score("F1", 0.12, "a rule", "keys")), rival="a rule",
)  # fmt: skip


def test_the_readme_takes_every_figure_from_the_files(
    scripts: dict[str, ModuleType], tmp_path: Path, project: Path
) -> None:
    folder = tmp_path / "models" / "wavenet"
    folder.mkdir(parents=True)
    shutil.copy(project / "models" / "wavenet" / "model.toml", folder)
    (folder / "model.onnx").write_bytes(bytes(2_500_000))
    trained = {"weights": 1_160_000, "hours": 141.2, "works": 1234, "notes": 5_600_000}
    (folder / "training.json").write_text(json.dumps(trained))
    (folder / "metrics.json").write_text(json.dumps({"scores": [SHEET.plain()]}))
    machine = {"cores": "3 CPU cores", "python": "3.12.9", "packages": {"numpy": "2.9"}}
    roll = {
        "naive_step_us": 51_000, "graph_step_us": 55, "step_us": {"1": 190, "4": 230, "10": 400},
        "times_naive": 268.4, "times_naive_ten": 1275, "first_note_ms": 12.4, "floor_us": 37,
        "real_time": {"1": 263, "4": 217.4, "10": 125}, "weights_mb": 4.6,
    }  # fmt: skip
    app = {
        "start_seconds": 2.04, "sound_seconds": 0.251, "first_press_seconds": 0.4,
        "models": 3, "memory_mb": 183.3, "app_over_cli_1": 1.1, "app_over_cli_10": 1.2,
        "socket_mb": 0.26, "pieces": 200, "memory_growth": 1.03,
    }  # fmt: skip
    results = {
        "generation": {"machine": machine, "rounds": 7, "seconds": 60, "models": {"wavenet": roll}},
        "app": {"machine": machine, "rounds": 3, **app},
    }
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "results.json").write_text(json.dumps(results))
    names = ("models", "speed", "app")
    before = "".join(
        f"<!-- figures:{name} -->\nto be replaced\n<!-- /figures -->\n" for name in names
    )
    text = scripts["update_readme"].written(f"top\n{before}end\n", tmp_path)
    assert "to be replaced" not in text
    assert text.startswith("top\n<!-- figures:models -->\n| model |")
    assert text.endswith("<!-- /figures -->\nend\n")
    assert "| 2.5 MB, 1.2 M weights | 141 hours, 1,234 works, 5.6 million notes |" in text
    assert "| 0.310 F1 of keys (a rule: 0.120) |" in text
    row = "| 51 ms | 0.19 ms | 268 | 1,275 | 263 / 217 / 125 | 12 ms | 0.04 ms |"
    assert f"| Pseudo-WaveNet {row}" in text
    assert "| from its start to the drawn page | 2.0 s |" in text
    assert "| memory with 3 models in use | 183 MB |" in text
    assert "Medians of 7 rounds on 3 CPU cores, Python 3.12.9, numpy 2.9." in text
    assert scripts["update_readme"].written(text, tmp_path) == text


def test_what_is_not_there_is_said(scripts: dict[str, ModuleType], tmp_path: Path) -> None:
    text = scripts["update_readme"].model_table([info_at(tmp_path)])
    assert "| not trained yet | – | not measured yet |" in text


def test_an_unknown_block_is_loud(scripts: dict[str, ModuleType]) -> None:
    with pytest.raises(KeyError, match="sped"):
        scripts["update_readme"].written("<!-- figures:sped -->\n<!-- /figures -->\n")


@pytest.mark.parametrize("name", ["app", "avoiding", "generation", "minutes_long"])
def test_every_benchmark_explains_itself(project: Path, name: str) -> None:
    command = [sys.executable, str(project / "benchmarks" / f"{name}.py"), "--help"]
    run = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "--write" in run.stdout


def test_every_benchmark_is_listed(project: Path) -> None:
    text = (project / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    names = {path.name for path in (project / "benchmarks").glob("*.py")}
    assert {name for name in names if f"| `{name}` |" not in text} == set()
