"""Holds the ABC reader against abc2midi: pitches and onsets of every tune of a collection.

    python tools/check_abc.py --data FOLDER [--collection nottingham] [--write]
    python tools/check_abc.py --music21 [FOLDER] [--write]

Needs the program abc2midi (Debian package abcmidi). `--data` reads FOLDER/abc/COLLECTION*.abc;
`--music21` the collections of Aird, Essen, O'Neill and Ryan in the corpus that comes with the
package music21, or in FOLDER. A tune is read right where both give the same pitches at the same
onsets, to 5 ms. abc2midi is asked not to play chord names, not to hold fermatas, and to strike a
chord's notes together, and is not told the R: field, because it plays the even quavers of a
hornpipe unevenly. A tune that differs is given to it alone, for it keeps the tempo of the one
before.

There are two figures: the tunes that agree as they stand, and with them those that agree where
abc2midi is given them written in another way that the standard calls the same (`plain_form`), so
that it cannot stumble over what it is known to stumble over. This project's reader must make the
same of a tune in both forms. What differs as it stands is sorted into kinds: without which signs
would both agree. `--write` puts all of it into docs/abc.md. Exits with 1 below 99 % of --data in
the plain form, or 97 % of --music21 as they stand.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import mido

from pyzzicato.data.abc import field_of, split_tunes
from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.abc.notation import read_abc

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "abc.md"
MUSIC21 = ("airdsAirs", "essenFolksong", "oneills1850", "ryansMammoth")
NEAR = 5  # milliseconds
LEAST = {"music21": 0.97, "data": 0.99}
_PLAIN_FIELD = re.compile(r"[A-Za-z]:(?![|:])|%")
Heard = Counter[tuple[int, int]]  # (onset in milliseconds, pitch)


@dataclass(frozen=True)
class Row:
    """One tune of which the two readings differ as it stands, or this one from itself."""

    file: str
    number: str
    title: str
    plain: str  # where they part in the plain form; "" for nowhere
    as_it_stands: str
    kind: str


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


def performed(tunes: list[str]) -> list[Heard | None]:
    """What abc2midi makes of each tune; None for nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = "\n\n".join(numbered(tune, place) for place, tune in enumerate(tunes, start=1))
        (folder / "all.abc").write_text(text + "\n", encoding="utf-8")
        command = ["abc2midi", "all.abc", "-NGUI", "-silent", "-NFER"]
        subprocess.run(command, cwd=folder, capture_output=True, check=False)
        files = [folder / f"all{place}.mid" for place in range(1, len(tunes) + 1)]
        return [theirs(file) if file.is_file() and file.stat().st_size else None for file in files]


def in_music(change: Callable[[str], str]) -> Callable[[str], str]:
    """`change`, done to every line of music of a tune and to no field."""

    def changed_tune(tune: str) -> str:
        head, key, music = parted(tune)
        lines = (line if _PLAIN_FIELD.match(line) else change(line) for line in music.split("\n"))
        return head + key + "\n".join(lines)

    return changed_tune


def parted(tune: str) -> tuple[str, str, str]:
    """The header of a tune, its K: line and its music."""
    parts = re.split(r"^(K:.*(?:\n|\Z))", tune, maxsplit=1, flags=re.MULTILINE)
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else (tune, "", "")


def begun(tune: str) -> str:
    """The tune with the |: written out that the standard implies after numbered endings."""
    head, key, music = parted(tune)
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
            ending_follows = re.match(r"[\s\\]*[\[|]?\s*[2-9]", bare[sign.end() :])
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


def unmarked(line: str) -> str:
    """A line without staccato dots, bowing marks and texts, which move no onset."""
    return re.sub(r'[.uv]|"[^"]*"', "", line)


def visible(line: str) -> str:
    """A line whose bar lines written [|] beside another one are left out."""
    return re.sub(r"\[\|\](?=[:|\]])|(?<=[:|\]])\[\|\]", "", line)


def with_beats(tune: str) -> str:
    """The tune with Q:100 written as Q:1/8=100, where L: is 1/8; abc2midi counts quarters."""
    unit = re.search(r"^L:\s*(\d+/\d+)", tune, re.MULTILINE)
    return re.sub(r"^Q:\s*(\d+)\s*$", rf"Q:{unit[1]}=\1", tune, flags=re.M) if unit else tune


def plain_form(tune: str) -> str:
    """The tune in another form that the standard calls the same, for abc2midi to read."""
    return in_music(visible)(in_music(unmarked)(begun(with_beats(tune))))


def without(signs: str) -> Callable[[str], str]:
    """A change that takes everything away that looks like the regular expression `signs`."""
    return in_music(lambda line: re.sub(signs, "", line))


def unrepeated(line: str) -> str:
    """A line without repeats and numbered endings."""
    return re.sub(r"\|?\s*\[[1-9][,\-\d]*|(?<=[|:])\s*[1-9]", "|", line).replace(":", "")


KINDS: dict[str, Callable[[str], str]] = {
    "marks or texts between a broken rhythm sign and its note": in_music(unmarked),
    "bar lines written `[|]`": in_music(visible),
    "`Q:` with a bare number": with_beats,
    "repeats after numbered endings": begun,
    "lines broken by `!`": without(r"(?<=[|:])!|!\s*$"),
    "ties": without("-"),
    "ornaments": without(r"[~TMP](?=[^|]*[A-Ga-g])|!(?:trill|roll)!"),
    "grace notes": without(r"\{[^}]*\}"),
    "tuplets": without(r"\(\d(?::\d*)*"),
    "broken rhythm": without("[<>]"),
    "repeats": in_music(unrepeated),
    "accidentals": without(r"[\^_=]"),
    "parts": lambda tune: re.sub(r"^P:.*\n", "", tune, flags=re.MULTILINE),
    "the key": lambda tune: re.sub(r"^K:.*$", "K:C", tune, flags=re.MULTILINE),
    "several of these": lambda tune: KINDS["ties"](KINDS["grace notes"](plain_form(tune))),
}
"""What is taken away or written otherwise; with the first that helps a difference is named."""


def kind_of(tune: str) -> str:
    """Which kind of difference a tune shows as it stands."""
    try:
        ours(tune)
    except UnreadableMusic as error:
        reason = re.sub(r"“[^”]*”|\bK:\S+", "…", str(error).partition("text: ")[2] or str(error))
        return f"refused here: {reason}"
    for name, change in KINDS.items():
        changed_tune = change(tune)
        if changed_tune != tune and not parting(changed_tune):
            return name
    return "others"


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


def changed(tune: str, plain: str) -> str:
    """What this project reads differently in the plain form: that must be nothing."""
    try:
        mine, other = ours(tune), ours(plain)
    except UnreadableMusic as error:
        return str(error)
    return "" if close(mine, other) else f"in the plain form {difference(mine, other)}"


def judged(tune: str, other: Heard | None) -> str:
    """Why a tune is not read as abc2midi reads it; "" where it is."""
    try:
        mine = ours(tune)
    except UnreadableMusic as error:
        return str(error)
    if other is None:
        return "abc2midi makes nothing of it"
    return "" if close(mine, other) else difference(mine, other)


def parting(tune: str) -> str:
    """Where the two readings of a tune part, abc2midi being given nothing else."""
    return judged(tune, performed([tune])[0])


def compare(files: list[Path]) -> tuple[int, list[Row]]:
    """How many tunes there are, and those that are read differently in one way or the other."""
    count, rows = 0, []
    for file in files:
        tunes = split_tunes(file.read_text(encoding="utf-8", errors="replace"))
        count += len(tunes)
        for tune, heard in zip(tunes, performed(tunes), strict=True):
            plain = plain_form(tune)
            stands, other = judged(tune, heard) and parting(tune), changed(tune, plain)
            if stands or other:
                other = (parting(plain) if stands else "") or other
                names = field_of(tune, "X"), field_of(tune, "T")
                rows.append(Row(file.name, *names, other, stands, kind_of(tune) if stands else ""))
    return count, rows


def report(collection: str, count: int, rows: list[Row]) -> str:
    """Both figures, the kinds and, where they are few, all tunes, in Markdown."""
    stands, same = (
        count - sum(bool(getattr(row, way)) for row in rows) for way in ("as_it_stands", "plain")
    )
    lines = [
        f"**{stands:,} of {count:,} tunes** of {collection} ({stands / count:.1%}) have the same "
        f"pitches and onsets as abc2midi gives them as they stand; {same:,} ({same / count:.1%}) "
        "in the plain form.",
        "",
        "| kind of difference, as they stand | tunes | such as |",
        "|---|---|---|",
    ]
    kinds = Counter(row.kind for row in rows if row.as_it_stands)
    for kind, times in kinds.most_common():
        row = next(row for row in rows if row.kind == kind)
        named = f"{row.file} {row.number}, {row.title}"
        lines.append(f"| {cell(kind)} | {times} | {cell(named)} |")
    if len(rows) <= 20:
        lines += ["", "| file | X | title | plain form | as it stands |", "|---|---|---|---|---|"]
        for row in sorted(rows, key=lambda row: not row.plain):
            ways = " | ".join(cell(way) or "agree" for way in (row.plain, row.as_it_stands))
            lines.append(f"| {row.file} | {row.number} | {cell(row.title)} | {ways} |")
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """A text for a cell of a table."""
    return text.replace("|", "\\|")


def corpus() -> Path | None:
    """The folder of music21's corpus; None where the package is not installed."""
    found = importlib.util.find_spec("music21")
    return Path(found.origin).parent / "corpus" if found and found.origin else None


def written(name: str, found: str) -> None:
    """Put what was found into docs/abc.md, in place of what stands there under `name`."""
    block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(block.sub(lambda part: part[1] + found + part[2], text), encoding="utf-8")


def main() -> int:
    """Compares and prints; 1 where too few tunes agree or there are none."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder with abc/*.abc")
    parser.add_argument("--collection", default="nottingham")
    parser.add_argument("--music21", nargs="?", type=Path, const=Path(), metavar="FOLDER")
    parser.add_argument("--write", action="store_true", help="put it into docs/abc.md")
    options = parser.parse_args()
    if options.music21 is not None:
        folder = corpus() if options.music21 == Path() else options.music21
        if folder is None:
            print("music21 is not installed: install it, or give the folder of its corpus.")
            return 1
        files = [file for name in MUSIC21 for file in sorted((folder / name).glob("*.abc"))]
        name, block, way = "the ABC in music21's corpus", "check_abc_music21", "music21"
    elif options.data:
        folder, name = options.data / "abc", f"the collection {options.collection}"
        files = sorted(folder.glob(f"{options.collection}*.abc"))
        block, way = "check_abc", "data"
    else:
        parser.error("give --data or --music21")
    if not files:
        print(f"There are no ABC files of {name} in {folder}.")
        return 1
    count, rows = compare(files)
    found = report(name, count, rows)
    print(found)
    if options.write:
        written(block, found)
    bad = sum(bool(row.as_it_stands if way == "music21" else row.plain) for row in rows)
    return int(bad > count * (1 - LEAST[way]))


if __name__ == "__main__":
    sys.exit(main())
