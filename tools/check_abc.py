"""Holds the ABC reader against abc2midi: pitches and onsets of every tune of a collection.

    python tools/check_abc.py --data FOLDER [--collection nottingham] [--write]

Needs the program abc2midi (Debian package abcmidi). A tune is read right where both give the
same pitches at the same onsets, to 5 ms. abc2midi is asked not to play chord names and to strike
a chord's notes together, and is not told the R: field, because it plays the even quavers of a
hornpipe unevenly.

There are two figures, each over all tunes. For the first abc2midi is given tunes in which every
repeat that the standard implies is written out (`begun`): after a numbered ending each begins with
|:, and :|: is written ::. That is the fair one: the standard (2.1, section 4.8) says that a repeat
without |: begins at the last double bar or repeat, and abc2midi forgets that once a tune had
numbered endings (4.84 plays |:A|[1B:|[2c||d:|e as ABAcdAde). So that nothing is hidden by it,
this project's reader must make the same of a tune before and after. The second figure is of the
tunes as they stand. `--write` puts both and the tunes that are read differently into docs/abc.md.
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

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "abc.md"
BLOCK = re.compile(r"(<!-- check_abc -->\n).*?(<!-- /check_abc -->)", re.DOTALL)
NEAR = 5  # milliseconds
Heard = Counter[tuple[int, int]]  # (onset in milliseconds, pitch)


@dataclass(frozen=True)
class Row:
    """One tune of which the two readings differ in one of the two ways, or in both."""

    file: str
    number: str
    title: str
    begun: str  # where they part with every implied |: written out; "" for nowhere
    as_it_stands: str


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
        plain = [begun(tune) for tune in tunes]
        heard, helped = performed(tunes), performed(plain)
        for place, tune in enumerate(tunes):
            begins = judged(tune, helped.get(place)) or changed(tune, plain[place])
            stands = judged(tune, heard.get(place))
            if begins or stands:
                names = field_of(tune, "X"), field_of(tune, "T")
                rows.append(Row(file.name, *names, begins, stands))
    return count, rows


def changed(tune: str, plain: str) -> str:
    """What this project reads differently once |: is written out: that must be nothing."""
    if plain == tune:
        return ""
    mine, other = ours(tune), ours(plain)
    return "" if mine == other else f"with |: written out {difference(mine, other)}"


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
    """Both figures and the table, in Markdown."""
    same, stands = (
        count - sum(bool(getattr(row, way)) for row in rows) for way in ("begun", "as_it_stands")
    )
    lines = [
        f"**{same:,} of {count:,} tunes** of the collection {collection} ({same / count:.1%}) have "
        "the same pitches and onsets as abc2midi gives them where every repeat that the standard "
        f"implies is written out for it; {stands:,} ({stands / count:.1%}) as they stand.",
        "",
        "| file | X | title | where they part, \\|: written out | where they part as it stands |",
        "|---|---|---|---|---|",
    ]
    for row in sorted(rows, key=lambda row: not row.begun):
        ways = (way.replace("|", "\\|") or "nowhere" for way in (row.begun, row.as_it_stands))
        lines.append(f"| {row.file} | {row.number} | {row.title} | {' | '.join(ways)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Compares and prints; 1 where less than 99 in 100 tunes agree with every |: written out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="a folder with abc/*.abc")
    parser.add_argument("--collection", default="nottingham")
    parser.add_argument("--write", action="store_true", help="put it into docs/abc.md")
    options = parser.parse_args()
    files = sorted((options.data / "abc").glob(f"{options.collection}*.abc"))
    if not files:
        print(f"There are no files of {options.collection} in {options.data}/abc.")
        return 1
    count, rows = compare(files)
    found = report(options.collection, count, rows)
    print(found)
    if options.write:
        text = DOCUMENT.read_text(encoding="utf-8")
        written = BLOCK.sub(lambda part: part[1] + found + part[2], text)
        DOCUMENT.write_text(written, encoding="utf-8")
    return int(sum(bool(row.begun) for row in rows) > count / 100)


if __name__ == "__main__":
    sys.exit(main())
