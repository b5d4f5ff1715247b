"""Tunes in one plain form: what kind and which key first, then the music and nothing else.

    X:1
    R:jig
    K:Em
    M:6/8
    L:1/8
    EFG ABc|...

Titles, sources, words, chord names, fingerings, decorations and comments are left out, so that
a small network can give all its weights to the music. Fields after K: are changes in the tune,
so the text is ABC as it stands.
"""

from __future__ import annotations

import re

from pyzzicato.data.abc import AbcPiece, field_of
from pyzzicato.formats.abc.text import lines_of

__all__ = ["KEYS", "KINDS", "forced_text", "plain_key", "plain_kind", "plain_text"]

KINDS = (
    "air", "folk song", "hornpipe", "jig", "morris", "reel", "slip jig", "strathspey", "tune",
    "waltz",
)  # fmt: skip
"""What a tune may be; "tune" is one of which it is not known."""
KEYS = (
    "C", "D", "Eb", "E", "F", "G", "Ab", "A", "Bb", "Am", "Bm", "Dm", "Em", "Gm", "Ador", "Edor",
    "Amix", "Dmix",
)  # fmt: skip
"""Keys that can be asked for: those of at least fifteen tunes."""

_BY_WORD = {"slip": "slip jig", "jig": "jig", "hornpipe": "hornpipe", "clog": "hornpipe"}
_BY_WORD |= {word: word for word in ("reel", "strathspey", "waltz", "air")}
_BY_WORD |= {"fling": "strathspey"}
_BY_COLLECTION = {"jigs": "jig", "slip": "slip jig", "waltzes": "waltz", "morris": "morris"}
_BY_COLLECTION |= {"hpps": "hornpipe", "essenFolksong": "folk song"}
_MODES = {"maj": "", "ion": "", "min": "m", "m": "m", "aeo": "m"}
_KEY = re.compile(r"([A-G])([#b]?)\s*([A-Za-z]*)")
_LEFT_OUT = re.compile(r'"[^"]*"|![^!|]*!|%.*|[`~$?@\\.*]|\+[^+|]{1,20}\+|\{[^}]*\}')
_SIGNS = re.compile(r"\((?!\d)|\)|[uvTHLMOPSJRj](?=[\^_=A-Ga-g\[(])")
_INLINE = re.compile(r"[KML]:")


def plain_kind(piece: AbcPiece) -> str:
    """One of `KINDS`, by the R: field or else by the collection."""
    told = field_of(piece.text, "R").casefold()
    if piece.collection == "essenFolksong":
        return "folk song"
    if piece.collection.startswith("reels"):
        return "reel"
    by_word = (kind for word, kind in _BY_WORD.items() if word in told)
    return next(by_word, _BY_COLLECTION.get(piece.collection, "tune"))


def plain_key(text: str) -> str:
    """A key as short as ABC allows: "E Minor" is "Em", "A Mixolydian" is "Amix"; "C" if unread."""
    found = _KEY.match(text.strip())
    if not found:
        return "C"
    mode = "" if found[3] == "M" else found[3].casefold()[:3]
    return found[1] + found[2] + _MODES.get(mode, mode)


def plain_text(piece: AbcPiece) -> str:
    """The tune in plain form, ending with a line end; "" for several voices, or no key."""
    lines = lines_of(piece.text)
    keys = [number for number, line in enumerate(lines) if line.startswith("K:")]
    if not keys or re.search(r"^V:|\[V:|&", piece.text, re.MULTILINE):
        return ""
    header = "\n".join(lines[: keys[0] + 1])
    meter = field_of(header, "M").partition("%")[0].strip() or "C"
    head = ["X:1", f"R:{plain_kind(piece)}", f"K:{plain_key(field_of(header, 'K'))}", f"M:{meter}"]
    unit = field_of(header, "L") or ("1/16" if meter in ("2/4", "3/8") else "1/8")
    music = [text for line in lines[keys[0] + 1 :] if (text := _plain_line(line))]
    return "\n".join([*head, f"L:{unit}", *music]) + "\n"


def _plain_line(line: str) -> str:
    """A line of music, or a change of key, metre or unit; "" for anything else."""
    if re.match(r"[A-Za-z+]:(?![|:])", line):
        letter, _, value = line.partition(":")
        value = plain_key(value) if letter == "K" else value.partition("%")[0].strip()
        return f"{letter}:{value}" if _INLINE.match(line) and value else ""
    text = _SIGNS.sub("", _LEFT_OUT.sub("", line))
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r" ?(:?\|[]|:]*|::) ?", r"\1", text)


def forced_text(so_far: str, kind: str, key: str) -> str:
    """What the next characters of a plain tune have to be after `so_far`; "" where they are free.

    `kind` and `key` are "" where any will do.
    """
    if not so_far:
        return "X:1\nR:" + (f"{kind}\n" + (f"K:{key}\n" if key else "") if kind else "")
    wanted = key and re.fullmatch(r"X:1\nR:[^\n]*\n", so_far)
    return f"K:{key}\n" if wanted else ""
