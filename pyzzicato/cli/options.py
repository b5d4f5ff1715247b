"""What several commands share: the folder of runs, and news on the error stream."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

__all__ = ["add_runs", "say"]


def add_runs(parser: argparse.ArgumentParser, kept: str) -> None:
    """The option --runs; `kept` says in words what lies in that folder."""
    parser.add_argument(
        "--runs",
        type=Path,
        default=Path("runs"),
        metavar="FOLDER",
        help=f"{kept} (default: runs)",
    )


def say(text: str) -> None:
    """News of what is done; the result itself goes to the standard output."""
    print(text, file=sys.stderr)
