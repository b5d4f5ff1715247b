"""Hold every built-in seed against a reference recording or score of the same piece.

    python tools/check_seeds.py --data FOLDER [seed or composer ids ...]

The notes of the seed, in order, are aligned with the opening of the file its `N:reference`
field names (a path inside FOLDER). Notes that sound together may come in any order. The share
is matched notes over the notes of the seed or of the matched stretch of the reference,
whichever has more, so that missing and surplus notes both count. A seed passes from 95 % on,
and where it lasts 8 to 20 seconds. Exits with 1 where one fails.
"""

from __future__ import annotations

import argparse
import sys
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyzzicato.errors import PyzzicatoError
from pyzzicato.formats.abc.reader import read_tune
from pyzzicato.formats.abc.text import music_lines
from pyzzicato.formats.midi import read_midi
from pyzzicato.music.composers import Composer
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.seeds.library import Seed, read_seed, seed_files

PASS_SHARE = 0.95
SECONDS = (8.0, 20.0)
TOGETHER = 0.08  # seconds within which notes count as sounding together
SAME_KEY = 0.03  # seconds within which two notes of one key are one note
GAP = 0.3  # what skipping a note costs in the alignment; a match gains 1
OPENING = 2.0  # notes of the reference that are looked at, for each note of the seed
SHOWN = 10
NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


@dataclass(frozen=True)
class Verdict:
    """What came out for one seed: counts, share, and where it differs."""

    notes: int
    matched: int
    reference_notes: int
    seconds: float
    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    problem: str = ""

    @property
    def share(self) -> float:
        """Matched notes over the larger of the two counts, 0 to 1."""
        return self.matched / max(self.notes, self.reference_notes, 1)

    @property
    def reasons(self) -> list[str]:
        """Why the seed fails; empty where it passes."""
        reasons = [self.problem] if self.problem else []
        if self.share < PASS_SHARE and not self.problem:
            reasons.append(f"under {PASS_SHARE:.0%}")
        if not SECONDS[0] <= self.seconds <= SECONDS[1] and not self.problem:
            reasons.append("not 8-20 s")
        return reasons


def name(pitch: int) -> str:
    """The pitch as musicians write it; C4 is middle C."""
    return f"{NAMES[pitch % 12]}{pitch // 12 - 1}"


def in_order(notes: Sequence[Note]) -> list[Note]:
    """Notes by the moment they start, those of one chord from low to high, no key twice."""
    chords: list[list[Note]] = []
    for note in sorted(n for n in notes if not n.is_drum):
        if chords and note.start - chords[-1][0].start <= TOGETHER / 2:
            same = (n for n in chords[-1] if n.pitch == note.pitch)
            if any(note.start - n.start <= SAME_KEY for n in same):
                continue
            chords[-1].append(note)
        else:
            chords.append([note])
    return [note for chord in chords for note in sorted(chord, key=lambda n: n.pitch)]


def align(seed: Sequence[Note], reference: Sequence[Note]) -> dict[int, int]:
    """The best alignment in order: index in the seed -> index in the reference.

    A match gains 1, a skipped note costs GAP, and the reference may start late and end early
    at no cost.
    """
    rows, columns = len(seed) + 1, len(reference) + 1
    score = [[0.0] * columns for _ in range(rows)]
    for row in range(1, rows):
        above, here = score[row - 1], score[row]
        here[0] = above[0] - GAP
        pitch = seed[row - 1].pitch
        for column in range(1, columns):
            best = max(above[column], here[column - 1]) - GAP
            if reference[column - 1].pitch == pitch:
                best = max(best, above[column - 1] + 1)
            here[column] = best
    row = rows - 1
    column = max(range(columns), key=lambda c: score[row][c])
    pairs: dict[int, int] = {}
    while row and column:
        same = seed[row - 1].pitch == reference[column - 1].pitch
        if same and score[row][column] == score[row - 1][column - 1] + 1:
            row, column = row - 1, column - 1
            pairs[row] = column
        elif score[row][column] == score[row - 1][column] - GAP:
            row -= 1
        else:
            column -= 1
    return pairs


def add_chord_mates(
    pairs: dict[int, int], seed: Sequence[Note], reference: Sequence[Note]
) -> dict[int, int]:
    """`pairs` with the notes that the order inside a chord kept from being matched."""
    pairs, taken = dict(pairs), set(pairs.values())
    starts = [note.start for note in seed]
    reference_starts = [note.start for note in reference]
    for index, note in enumerate(seed):
        if index in pairs:
            continue
        near = [i for i in pairs if abs(starts[i] - note.start) <= TOGETHER]
        for mate in near:
            expected = reference_starts[pairs[mate]] + note.start - starts[mate]
            for place, other in enumerate(reference):
                close = abs(other.start - expected) <= TOGETHER
                if close and other.pitch == note.pitch and place not in taken:
                    pairs[index] = place
                    taken.add(place)
                    break
            if index in pairs:
                break
    return pairs


def bar_places(seed: Seed, sequence: NoteSequence, notes: Sequence[Note]) -> list[str]:
    """Where each note stands: bar (0 is an upbeat) and quarter in the bar, at a steady tempo."""
    tune = read_tune(music_lines(seed.text))
    voice = next(iter(tune.voices.values()))
    bars = voice.finish()
    starts = [0.0]
    for bar in bars:
        starts.append(starts[-1] + float(bar.length) * 4)
    whole = voice.settings.meter.bar
    first = 0 if bars and whole and bars[0].length < whole else 1
    places = []
    for note in notes:
        quarter = note.start * sequence.qpm / 60
        index = min(bisect_right(starts, quarter + 1e-6) - 1, len(bars))
        places.append(f"bar {index + first} quarter {quarter - starts[index] + 1:.2f}")
    return places


def compare(seed: Seed, sequence: NoteSequence, reference: NoteSequence) -> Verdict:
    """Align the seed with the opening of the reference and count."""
    notes = in_order(sequence.notes)
    opening = in_order(reference.notes)[: int(OPENING * len(notes)) + 30]
    pairs = add_chord_mates(align(notes, opening), notes, opening)
    if not pairs:
        return Verdict(len(notes), 0, 0, sequence.duration, (), (), "nothing in common")
    first, last = (opening[choose(pairs.values())].start for choose in (min, max))
    stretch = [
        i for i, n in enumerate(opening) if first - TOGETHER / 2 <= n.start <= last + TOGETHER / 2
    ]
    places = bar_places(seed, sequence, notes)
    missing = [
        f"{name(note.pitch)} at {places[i]} (note {i + 1})"
        for i, note in enumerate(notes)
        if i not in pairs
    ]
    back = {place: index for index, place in pairs.items()}
    surplus = []
    near = places[0]
    for i in stretch:
        if i in back:
            near = places[back[i]]
        else:
            surplus.append(f"{name(opening[i].pitch)} at {opening[i].start:.2f} s, near {near}")
    return Verdict(
        notes=len(notes),
        matched=len(pairs),
        reference_notes=len(stretch),
        seconds=sequence.duration,
        missing=tuple(missing),
        surplus=tuple(surplus),
    )


def check(seed_id: str, composer: Composer, text: str, data: Path) -> Verdict:
    """Check one seed file; what cannot be read is a verdict too."""
    try:
        seed = read_seed(seed_id, composer, text)
        sequence = seed.sequence()
        if not seed.reference:
            return Verdict(len(sequence), 0, 0, sequence.duration, (), (), "no N:reference")
        path = data / seed.reference
        if not path.is_file():
            problem = f"{seed.reference} is not in the data"
            return Verdict(len(sequence), 0, 0, sequence.duration, (), (), problem)
        return compare(seed, sequence, read_midi(path, trusted=True))
    except PyzzicatoError as error:
        return Verdict(0, 0, 0, 0.0, (), (), str(error))


def report(seed_id: str, verdict: Verdict, details: bool) -> None:
    """Print the line of one seed, and where it differs."""
    reasons = verdict.reasons
    print(
        f"{seed_id:<44} {verdict.notes:>5} {verdict.reference_notes:>5} {verdict.matched:>7} "
        f"{verdict.share:>6.1%} {verdict.seconds:>5.1f}  "
        + ("FAILS: " + ", ".join(reasons) if reasons else "passes")
    )
    if not (reasons or details):
        return
    for title, lines in (("not in reference", verdict.missing), ("not in seed", verdict.surplus)):
        for line in lines[:SHOWN]:
            print(f"      {title}: {line}")
        if len(lines) > SHOWN:
            print(f"      {title}: and {len(lines) - SHOWN} more")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check; 0 where every seed passes."""
    parser = argparse.ArgumentParser(description="Compare the built-in seeds with references.")
    parser.add_argument("--data", type=Path, required=True, help="the unpacked training music")
    parser.add_argument("ids", nargs="*", help="seeds or composers; all where none is given")
    options = parser.parse_args(arguments)
    chosen = [
        found
        for found in seed_files()
        if not options.ids or found[0] in options.ids or found[1].id in options.ids
    ]
    if not chosen:
        print("No seed is called that.", file=sys.stderr)
        return 1
    print(f"{'seed':<44} {'notes':>5} {'ref':>5} {'matched':>7} {'share':>6} {'s':>5}  verdict")
    failed = 0
    for seed_id, composer, text in chosen:
        verdict = check(seed_id, composer, text, options.data)
        failed += bool(verdict.reasons)
        report(seed_id, verdict, details=bool(options.ids))
    print(f"{len(chosen)} seeds, {len(chosen) - failed} pass, {failed} fail")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
