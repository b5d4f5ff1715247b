"""Write the figures of the documents from the files that commands have measured them into.

    python tools/update_readme.py [--check]

Between `<!-- figures:NAME -->` and `<!-- /figures -->` in README.md and docs/benchmarks.md stands
what this tool writes, from models/*/training.json and metrics.json, benchmarks/results.json and the
built-in seeds: nobody types a figure. `--check` writes nothing and exits with 1 where one of them
is out of date.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pyzzicato.music.composers import COMPOSERS
from pyzzicato.registry import ModelInfo, models
from pyzzicato.reports.sheets import best_figure, sheets_of
from pyzzicato.reports.tables import Row, Table, markdown
from pyzzicato.seeds.library import all_seeds

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "docs/benchmarks.md")
BLOCK = re.compile(r"(<!-- figures:([a-z]+) -->\n).*?(<!-- /figures -->)", re.DOTALL)
NOT_YET = "Not measured yet: `python benchmarks/{}.py --write` does that.\n"
NONE = "–"


def table(head: Row, rows: Iterable[Row]) -> str:
    """A table in Markdown."""
    return markdown(Table(head, tuple(rows))) + "\n"


def model_table(infos: Sequence[ModelInfo]) -> str:
    """Size, training music and the figure that says most, model by model."""
    head = ("model", "after", "size", "trained on", "best figure, on music that was not trained on")
    rows = (
        (
            _link(info),
            f"{info.source} ({info.year})",
            _size(info),
            _trained(info),
            best_figure(sheets_of(info.metrics)),
        )
        for info in infos
    )
    return table(head, rows) + (
        "\nIn brackets is the predictor to beat, such as a Markov model of the same music. What "
        "each figure means stands on the cards, beside all others.\n"
    )


def _link(info: ModelInfo) -> str:
    page = "README.md" if (info.folder / "README.md").exists() else "model.toml"
    return f"[{info.title}](models/{info.id}/{page})"


def _size(info: ModelInfo) -> str:
    files = [path for path in info.folder.glob("*.onnx") if path.is_file()]
    if not files:
        return "not trained yet"
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    weights = info.trained.get("weights")
    return f"{megabytes:.1f} MB" + (f", {weights / 1e6:.2g} M weights" if weights else "")


def _trained(info: ModelInfo) -> str:
    if "hours" not in info.trained:
        return NONE
    hours, works, notes = (info.trained[key] for key in ("hours", "works", "notes"))
    many = f"{notes / 1e6:.1f} million notes" if notes >= 1e5 else f"{notes:,} notes"
    return f"{hours:.0f} hours, {works:,} works, {many}"


def speed_table(results: Mapping[str, Any], infos: Sequence[ModelInfo]) -> str:
    """What benchmarks/generation.py has kept."""
    found = results.get("generation", {})
    known = [info for info in infos if info.id in found.get("models", {})]
    if not known:
        return NOT_YET.format("generation")
    head = (
        "model",
        "`model.predict` on the window, a step",
        "here, a step",
        "times as fast",
        "ten takes at once, each",
        "times as fast as it sounds: 1 / 4 / 10 takes",
        "first note",
        "moving the weights once",
    )
    rows = ((info.title, *_speed(found["models"][info.id])) for info in known)
    return table(head, rows) + f"\n{_rival(found['models'], known)}{_where(found)}\n"


def _rival(figures: Mapping[str, Any], infos: Sequence[ModelInfo]) -> str:
    """A sentence on the GPT-2 that was measured beside a model, with a space after it, or none."""
    for info in infos:
        mine = figures[info.id]
        if "gpt2_us" in mine:
            return (
                f"A GPT-2 of the size of {info.title} (PyTorch, its own cache, the same 512 steps "
                f"behind it) took {mine['gpt2_us'] / 1e3:.1f} ms a token in the same run, of which "
                f"a note needs three or four; ours took {mine['graph_step_us'] / 1e3:.1f} ms a "
                f"note in the network and {mine['note_us'] / 1e3:.1f} ms with everything. "
            )
    return ""


def _speed(figures: Mapping[str, Any]) -> list[str]:
    real = " / ".join(f"{figures['real_time'][takes]:,.0f}" for takes in ("1", "4", "10"))
    last = [real, f"{figures['first_note_ms']:.0f} ms", f"{figures['floor_us'] / 1e3:.2f} ms"]
    if "naive_step_us" not in figures:
        one = f"{1e3 / figures['notes_per_second']['1']:.1f} ms a note"
        if "naive_note_us" not in figures:
            return [NONE, one, NONE, NONE, *last]
        naive = f"{figures['naive_note_us'] / 1e3:.0f} ms a note"
        return [naive, one, f"{figures['times_naive']:,.0f}", NONE, *last]
    return [
        f"{figures['naive_step_us'] / 1e3:.0f} ms",
        f"{figures['step_us']['1'] / 1e3:.2f} ms",
        f"{figures['times_naive']:,.0f}",
        f"{figures['times_naive_ten']:,.0f}" if "times_naive_ten" in figures else NONE,
        *last,
    ]


def app_table(results: Mapping[str, Any]) -> str:
    """What benchmarks/app.py has kept."""
    found = results.get("app", {})
    if not found:
        return NOT_YET.format("app")
    rows = (
        ("from its start to the drawn page", f"{found['start_seconds']:.1f} s"),
        ("from *Compose* to the first sound, model warm", f"{found['sound_seconds']:.2f} s"),
        ("the same, first press of a visit", f"{found['first_press_seconds']:.2f} s"),
        (f"memory with {found['models']:.0f} models in use", f"{found['memory_mb']:.0f} MB"),
        (
            "a minute of music, times as long as on the command line",
            f"{found['app_over_cli_1']:.2f}",
        ),
        ("ten takes of it", f"{found['app_over_cli_10']:.2f}"),
        ("sent to the browser for one take", f"{found['socket_mb']:.2f} MB"),
        (
            f"memory after {found['pieces']:.0f} pieces, times that after a tenth of them",
            f"{found['memory_growth']:.2f}",
        ),
    )
    return table(("the app", "measured"), rows) + f"\n{_where(found)}\n"


def _where(found: Mapping[str, Any]) -> str:
    """One sentence: on what these figures were measured."""
    used = found["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in used["packages"].items())
    return (
        f"Medians of {found['rounds']} rounds on {used['cores']}, Python {used['python']}, "
        f"{packages}."
    )


def seed_line() -> str:
    """How many seeds there are, by whom."""
    seeds = all_seeds()
    by = {seed.composer.id for seed in seeds}
    names = sorted(composer.short for composer in COMPOSERS if composer.id in by)
    return f"{len(seeds)} openings are built in, by {', '.join(names[:-1])} and {names[-1]}.\n"


def written(text: str, root: Path = ROOT) -> str:
    """A document's `text` with every block as it should be. Raises KeyError on an unknown block."""
    path = root / "benchmarks" / "results.json"
    results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    infos = list(models(root / "models").values())
    makers: dict[str, Callable[[], str]] = {
        "models": lambda: model_table(infos),
        "speed": lambda: speed_table(results, infos),
        "app": lambda: app_table(results),
        "seeds": seed_line,
    }
    return BLOCK.sub(lambda found: f"{found[1]}{makers[found[2]]()}{found[3]}", text)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    options = parser.parse_args()
    late = False
    for name in DOCUMENTS:
        path = ROOT / name
        before = path.read_text(encoding="utf-8")
        after = written(before)
        if not options.check:
            path.write_text(after, encoding="utf-8")
        elif after != before:
            print(f"{name} is out of date: run `python tools/update_readme.py`.")
            late = True
    return int(late)


if __name__ == "__main__":
    sys.exit(main())
