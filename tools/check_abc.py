"""Holds the ABC reader against abc2midi: pitches and onsets of every tune of a collection.

    python tools/check_abc.py --data FOLDER [--collection nottingham] > table.md

Needs the program abc2midi (Debian package abcmidi). A tune is read right where both give the
same pitches at the same onsets, to 5 ms. abc2midi is asked not to play
chord names and to strike a chord's notes together, and is not told the R: field, because it
plays the even quavers of a hornpipe unevenly.

There are two figures. The first is of the tunes as they stand. For the second abc2midi is given
tunes in which every repeat is begun with |: after a numbered ending (and :|: is written ::): the
standard says that a repeat without |: begins at the last double bar or repeat, and abc2midi
forgets that once a tune had numbered endings (4.84 plays |:A|[1B:|[2c||d:|e as ABAcdAde).
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import mido

from pyzzicato.abc_library import field_of, split_tunes
from pyzzicato.abc_notation import read_abc
from pyzzicato.errors import UnreadableMusic

NEAR = 5  # milliseconds
Heard = Counter[tuple[int, int]]  # (onset in milliseconds, pitch)


@dataclass(frozen=True)
class Row:
    """One tune of which the two readings differ."""

    file: str
    number: str
    title: str
    reason: str
    same_when_begun: bool  # whether they agree once every |: is written out


def ours(text: str) -> Heard:
    """What this project reads."""
    sequence = read_abc(text)
    return Counter((round(note.start * 1000), note.pitch) for note in sequence)


def theirs(path: Path) -> Heard:
    """What abc2midi wrote; of two notes on one key at once it counts one, as a piano does."""
    midi = mido.MidiFile(path)
    found: Heard = Counter()
    now = 0.0
    for message in midi:
        now += message.time
        if message.type == "note_on" and message.velocity:
            found[round(now * 1000), message.note] = 1
    return found


def numbered(tune: str, number: int) -> str:
    """The tune with a number of its own, which names abc2midi's file, and nothing swung."""
    plain = re.sub(r"^R:.*\n", "", re.sub(r"\AX:.*", f"X:{number}", tune), flags=re.MULTILINE)
    return re.sub(r"^(K:.*)$", r"\1\n%%MIDI chordattack 0", plain, count=1, flags=re.MULTILINE)


def begun(tune: str) -> str:
    """The tune with the |: written out that the standard implies after numbered endings."""
    head, key, music = re.split(r"^(K:.*\n)", tune, maxsplit=1, flags=re.MULTILINE)
    music = music.replace(":|:", "::")  # the same sign; abc2midi reads the longer one as an end
    bare = re.sub(r'"[^"]*"|^[A-Za-z]:(?![|:]).*$', lambda m: "_" * len(m[0]), music, flags=re.M)
    numbered_before, opened, start, places = False, True, 0, []
    for sign in re.finditer(r"\|+:+|:+\|*:+|:\|+|\|\||(?:\[|\|\s*)(?=[1-9])", bare):
        text = sign[0]
        if text.endswith(":") and len(text) > 1:
            opened = True
        elif text == "||" or text.startswith(":"):
            if text.startswith(":") and numbered_before and not opened:
                places.append(start)
            ending_follows = re.match(r"[\s\\]*\[?[2-9]", bare[sign.end() :])
            if not (opened and text == "||" and not numbered_before) and not ending_follows:
                start, opened = sign.end(), False
        elif text and numbered_before and not opened:
            places.append(start)
            opened = True
        if text.startswith(("[", "|")) and re.match(r"\s*[1-9]", bare[sign.end() :]):
            numbered_before = True
    for place in sorted(set(places), reverse=True):
        music = f"{music[:place]}|:{music[place:]}"
    return head + key + music


def performed(tunes: list[str]) -> dict[int, Heard]:
    """What abc2midi makes of each tune, by its place in `tunes`."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = "\n\n".join(numbered(tune, place) for place, tune in enumerate(tunes, start=1))
        (folder / "all.abc").write_text(text + "\n", encoding="utf-8")
        command = ["abc2midi", "all.abc", "-NGUI", "-silent"]
        subprocess.run(command, cwd=folder, capture_output=True, check=False)
        files = {place: folder / f"all{place + 1}.mid" for place in range(len(tunes))}
        return {place: theirs(path) for place, path in files.items() if path.is_file()}


def close(mine: Heard, other: Heard) -> bool:
    """Whether both hold the same notes; abc2midi rounds onsets to its ticks, 1/480 of a beat."""
    pairs = zip_longest(sorted(mine), sorted(other), fillvalue=(-1, -1))
    return all(abs(a[0] - b[0]) <= NEAR and a[1] == b[1] for a, b in pairs)


def difference(mine: Heard, other: Heard) -> str:
    """The first place where two readings part, in a few words."""
    first = sorted(mine), sorted(other)
    for a, b in zip(*first, strict=False):
        if abs(a[0] - b[0]) > NEAR or a[1] != b[1]:
            return f"first at {min(a[0], b[0]) / 1000:.2f} s: {a[1]} here, {b[1]} there"
    return f"{len(first[0])} notes here, {len(first[1])} there"


def compare(files: list[Path]) -> tuple[int, list[Row]]:
    """How many tunes there are, and those that are read differently."""
    count, rows = 0, []
    for file in files:
        tunes = split_tunes(file.read_text(encoding="utf-8", errors="replace"))
        count += len(tunes)
        heard, helped = performed(tunes), performed([begun(tune) for tune in tunes])
        for place, tune in enumerate(tunes):
            if reason := judged(tune, heard.get(place)):
                same = not judged(tune, helped.get(place))
                title = field_of(tune, "T")
                rows.append(Row(file.name, field_of(tune, "X"), title, reason, same))
    return count, rows


def judged(tune: str, other: Heard | None) -> str:
    """Why a tune is not read as abc2midi reads it; "" where it is."""
    try:
        mine = ours(tune)
    except UnreadableMusic as error:
        return str(error)
    if other is None:
        return "abc2midi makes nothing of it"
    return "" if close(mine, other) else difference(mine, other)


def report(collection: str, count: int, rows: list[Row]) -> str:
    """The table, in Markdown."""
    same, begun_same = count - len(rows), count - sum(not row.same_when_begun for row in rows)
    lines = [
        f"{same} of {count} tunes of the collection {collection} ({same / count:.1%}) have the "
        f"same pitches and onsets as abc2midi gives them; {begun_same} ({begun_same / count:.1%}) "
        "where it is given every |: that the standard implies.",
        "",
        "| file | X | title | where they part | same with every \\|: |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        reason, said = row.reason.replace("|", "\\|"), "yes" if row.same_when_begun else "no"
        lines.append(f"| {row.file} | {row.number} | {row.title} | {reason} | {said} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Compares and prints; 1 where less than 99 in 100 tunes agree with every |: written out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder with abc/*.abc")
    parser.add_argument("--collection", default="nottingham")
    options = parser.parse_args()
    files = sorted((options.data / "abc").glob(f"{options.collection}*.abc"))
    if not files:
        print(f"There are no files of {options.collection} in {options.data}/abc.")
        return 1
    count, rows = compare(files)
    print(report(options.collection, count, rows))
    return int(sum(not row.same_when_begun for row in rows) > count / 100)


if __name__ == "__main__":
    sys.exit(main())
