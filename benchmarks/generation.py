"""How fast is the music written? Every model that has weights, on this machine, in one run.

    python benchmarks/generation.py [--seconds 60] [--rounds 7] [--write] [MODEL ...]

For a network that goes step by step (a step is a twentieth of a second, a chord and its length,
a character or a sixteenth), medians over rounds in which all variants take turns:

- naive: the tutorial way, `model.predict(window)` for every step, in Keras on TensorFlow, the
  window being what it was trained on (`naive.py`);
- ours: the real generator from `generate` to the finished `NoteSequence`, reading the seed,
  choosing and making notes included, over the number of steps;
- graph: only the network, one take, one step at a time, as the generator goes through it;
- first note: from `generate` to the first step that brings a note;
- real time: seconds of music in every take for each second of waiting, for 1, 4 and 10 takes;
- floor: the time to move all weights once as float32, at the speed at which one core copies a
  block of that size. No way of computing that reads the weights once a step can be faster.

Wanted of a piano-roll network: one take at least 250 times as fast as the naive loop and 100 times
as fast as it sounds; ten takes at least 1,000 times as fast as the naive loop for each take. Of
the others: one take at least 200 times as fast as the naive loop; of a band of five: 50 times as
fast as it sounds.
The flagship reports notes a second; beside it, at the same context, its own naive loop and a
GPT-2 of the same size with its cache (see `rivals`; the extra `benchmark`). Wanted of it: 20 times
real time for one take, 60 for ten together, first note within 0.3 s.
`--write` keeps the figures in benchmarks/results.json.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any
from unittest import mock

import numpy as np
from naive import NaiveLoop, graph_step, naive_loop, opening_for
from results import keep, machine, verdict
from rivals import rivals_of

from pyzzicato.generation.generator import Generator, collect_takes
from pyzzicato.music.notes import NoteSequence
from pyzzicato.registry import ModelInfo, models
from pyzzicato.runtime.session import Carried, StepGraph, weights_of

TAKES = (1, 4, 10)
WANTED = {"times_naive": 250, "real_time": 100, "times_naive_ten": 1000}  # of piano rolls
WANTED_OF_OTHERS = {"times_naive": 200}
WANTED_OF_BANDS = {"real_time": 50}
PACKAGES = (
    "keras", "numpy", "onnxruntime", "tensorflow", "tensorflow-cpu", "torch", "transformers"
)  # fmt: skip
AGAINST = {
    "graph_step_us": "step graph alone",
    "naive_note_us": "naive loop",
    "gpt2_us": "GPT-2, a token",
}
COPIES = 200  # of a block as large as the weights, to find how fast they can be moved


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    seconds: float  # of music in every take
    rounds: int
    naive_steps: int
    graph_steps: int = 400


def in_turn(variants: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median of what each variant returns; all take turns, after one turn that is not counted.

    So whatever else the machine does falls on all of them alike.
    """
    found: dict[str, list[float]] = {name: [] for name in variants}
    for number in range(rounds + 1):
        for name, variant in variants.items():
            value = variant()
            if number:
                found[name].append(value)
    return {name: median(values) for name, values in found.items()}


class Ours:
    """The real generator, end to end, from the same seed with default controls."""

    def __init__(self, info: ModelInfo, generator: Generator, seconds: float) -> None:
        opening = opening_for(info)
        self.generator = generator
        self.seed = opening.sequence()
        # A family's own Controls have fields that the type checker cannot know here.
        kind: Any = info.controls
        style = {"composer": opening.composer.id} if info.composers else {}
        self.controls = kind(seconds=seconds, **style)

    def write(self, takes: int) -> list[NoteSequence]:
        """All takes, complete."""
        return collect_takes(self.generator.generate(self.seed, self.controls, takes), takes)

    def seconds_for(self, takes: int) -> Callable[[], float]:
        """A variant: seconds of waiting for all takes."""

        def variant() -> float:
            begun = time.perf_counter()
            self.write(takes)
            return time.perf_counter() - begun

        return variant

    def first_note(self) -> float:
        """A variant: seconds from `generate` to the first step with a note."""
        begun = time.perf_counter()
        steps = self.generator.generate(self.seed, self.controls)
        next((step for step in steps if step.notes), None)
        return time.perf_counter() - begun


def copy_speed(size: int) -> float:
    """Bytes a second that one core reads and writes when it copies a block of `size` bytes.

    The block is as large as the weights, so that it lies in the same cache that they would.
    """
    source = np.ones(size // 4, np.float32)
    target = np.empty_like(source)
    times = []
    for _ in range(COPIES):
        begun = time.perf_counter()
        np.copyto(target, source)
        times.append(time.perf_counter() - begun)
    return 2 * source.nbytes / median(times)


def floor_of(info: ModelInfo) -> dict[str, float]:
    """Size of the weights as float32, speed of a copy, and the time that it sets for a step."""
    files = [path for path in info.folder.glob("*.onnx") if "checkpoint" not in path.name]
    size = sum(array.nbytes for path in files for array in weights_of(path).values())
    speed = copy_speed(size)
    return {
        "weights_mb": round(size / 1e6, 2),
        "copy_gb_per_second": round(speed / 1e9, 1),
        "floor_us": round(size / speed * 1e6, 1),
    }


def counted(kind: type, name: str) -> Any:
    """A method that goes on as before, as a mock that knows its calls."""
    return mock.patch.object(kind, name, autospec=True, side_effect=getattr(kind, name))


def steps_of(info: ModelInfo, ours: Ours, seconds: float) -> dict[int, int]:
    """How many steps the network goes for so many takes at once; those of the seed do not count.

    Where a step is not a length of time they are counted: the runs of the graph for more than one
    take, as a generator makes two of one and reads the seed alone, and those that carry states.
    """
    if "steps_per_second" in info.config:
        return dict.fromkeys(TAKES, round(seconds * float(info.config["steps_per_second"])))
    found = {}
    for takes in TAKES:
        with counted(StepGraph, "advance") as runs, counted(Carried, "__call__") as carried:
            ours.write(takes)
        feeds = [call.args[1] for call in runs.call_args_list]
        several = sum(len(next(iter(feed.values()))) > 1 for feed in feeds)
        found[takes] = several + carried.call_count
    return found


def step_figures(
    info: ModelInfo, generator: Generator, loop: NaiveLoop, effort: Effort
) -> dict[str, Any]:
    """All figures of a network that goes step by step."""
    ours = Ours(info, generator, effort.seconds)
    steps = steps_of(info, ours, effort.seconds)
    times = in_turn(
        {
            "naive": loop.seconds_a_step(effort.naive_steps),
            "graph": graph_step(generator, loop, effort.graph_steps),
            "first": ours.first_note,
            **{f"{takes}": ours.seconds_for(takes) for takes in TAKES},
        },
        effort.rounds,
    )
    found = {
        "naive_step_us": round(times["naive"] * 1e6, 1),
        "graph_step_us": round(times["graph"] * 1e6, 1),
        "step_us": {f"{n}": round(times[f"{n}"] / steps[n] * 1e6, 1) for n in TAKES},
        "times_naive": round(times["naive"] * steps[1] / times["1"], 1),
        **shared_figures(times, effort.seconds),
        **floor_of(info),
    }
    if "steps_per_second" in info.config:  # else a take that is done waits for the others
        found["times_naive_ten"] = round(times["naive"] * steps[10] * 10 / times["10"], 1)
    return found


def note_figures(
    info: ModelInfo, generator: Generator, rivals: Mapping[str, Callable[[], float]], effort: Effort
) -> dict[str, Any]:
    """All figures of a network that writes a note a step; those of `rivals` are seconds a note."""
    ours = Ours(info, generator, effort.seconds)
    count = {takes: sum(len(music) for music in ours.write(takes)) for takes in TAKES}
    variants = {"first": ours.first_note, **{f"{n}": ours.seconds_for(n) for n in TAKES}}
    times = in_turn({**variants, **rivals}, effort.rounds)
    per_note = times["1"] / max(count[1], 1)
    against = {f"{name}_us": round(times[name] * 1e6, 1) for name in rivals}
    if "naive_note" in rivals:
        against["times_naive"] = round(times["naive_note"] / per_note, 1)
    return {
        "notes_per_second": {f"{n}": round(count[n] / times[f"{n}"], 1) for n in TAKES},
        "note_us": round(per_note * 1e6, 1),
        **against,
        **shared_figures(times, effort.seconds),
        **floor_of(info),
    }


def shared_figures(times: Mapping[str, float], seconds: float) -> dict[str, Any]:
    """What both kinds report: the first note, and how much faster than it sounds a take grows."""
    return {
        "first_note_ms": round(times["first"] * 1e3, 2),
        "real_time": {f"{takes}": round(seconds / times[f"{takes}"], 1) for takes in TAKES},
    }


def wanted_of(info: ModelInfo) -> Mapping[str, float]:
    """What a model's figures are held against."""
    if any(kind.startswith("band") for kind in info.training.get("kinds", ())):
        return WANTED_OF_BANDS
    return WANTED if "steps_per_second" in info.config else WANTED_OF_OTHERS


def report(info: ModelInfo, found: Mapping[str, Any]) -> None:
    """Prints one model's figures."""
    real = found["real_time"]
    print(f"\n{info.title} ({info.id}), {found['weights_mb']} MB of weights as float32")
    wanted = wanted_of(info)

    def against(name: str, value: float) -> str:
        return f"  ({verdict(value, wanted[name])})" if name in wanted else ""

    if "naive_step_us" in found:
        step, once = found["step_us"], found["times_naive"]
        print(f"  naive loop             {found['naive_step_us']:10,.1f} us a step")
        print(f"  ours, one take         {step['1']:10,.1f} us a step")
        print(f"  ours, four takes       {step['4']:10,.1f} us a step of all four")
        print(f"  ours, ten takes        {step['10']:10,.1f} us a step of all ten")
        print(f"  step graph alone       {found['graph_step_us']:10,.1f} us a step")
        print(f"  one take against naive {once:10,.1f} times{against('times_naive', once)}")
        if "times_naive_ten" in found:
            ten = found["times_naive_ten"]
            print(f"  ten, each take         {ten:10,.1f} times{against('times_naive_ten', ten)}")
    else:
        for takes, speed in found["notes_per_second"].items():
            print(f"  notes, takes: {takes:<2}       {speed:10,.1f} a second in all")
        for name, words in {"note_us": "ours, one take", **AGAINST}.items():
            if name in found:
                print(f"  {words:<22} {found[name]:10,.1f} us a note")
        if "times_naive" in found and "gpt2_us" not in found:
            print("  GPT-2 is not measured: pip install -e .[benchmark]")
    print(f"  floor                  {found['floor_us']:10,.1f} us"
          f"  (weights moved at {found['copy_gb_per_second']} GB/s)")  # fmt: skip
    print(f"  first note             {found['first_note_ms']:10,.2f} ms")
    print(f"  real time, one take    {real['1']:10,.1f} times{against('real_time', real['1'])}")
    print(f"  real time, 4 / 10      {real['4']:10,.1f} / {real['10']:,.1f} times, every take")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", help="ids; all that have weights without any")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of a take")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--naive-steps", type=int, default=20, help="steps of a naive loop")
    parser.add_argument("--write", action="store_true", help="keep the figures in results.json")
    options = parser.parse_args()
    # TensorFlow on the CPU and quiet; it is loaded after the graphs, when Keras is needed.
    os.environ.update(
        KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="-1", TF_CPP_MIN_LOG_LEVEL="3"
    )
    effort = Effort(options.seconds, options.rounds, options.naive_steps)
    chosen = [
        info
        for info in models().values()
        if info.weights.exists() and (not options.models or info.id in options.models)
    ]
    generators = {info.id: info.load() for info in chosen}
    found: dict[str, Any] = {}
    for info in chosen:
        from pyzzicato.training.recipes import load_keras

        generator = generators[info.id]
        loop = naive_loop(info, generator, partial(load_keras, info))
        if loop is not None:
            found[info.id] = step_figures(info, generator, loop, effort)
        else:
            rivals = {}
            if info.family == "transformer":
                steps = effort.naive_steps, effort.graph_steps // 4
                rivals = rivals_of(info, load_keras(info), *steps)
            found[info.id] = note_figures(info, generator, rivals, effort)
        report(info, found[info.id])
    if options.write:
        keep("generation", {"machine": machine(PACKAGES), "seconds": effort.seconds,
                            "rounds": effort.rounds, "models": found})  # fmt: skip


if __name__ == "__main__":
    main()
