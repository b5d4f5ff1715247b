"""Titles of works as one reads them: what files and folders have wrong is put right here.

Titles come from the training music as they stand there, in file names, folders and editions. Who
finds another mistake adds a line to `_RIGHT`.
"""

from __future__ import annotations

import re

__all__ = ["right_title"]

_TWICE = re.compile(r"(\bop\.? ?\d+)[\s,.]+\1\.?$", re.IGNORECASE)  # an opus said twice
_NOTED = re.compile(r"(?<=\S)\s*\[[^\]]*\]?")  # what an editor noted behind it
_RIGHT = {
    "Accompagnemt": "Accompagnement",
    "Bouree": "Bourrée",
    "Cataluna": "Cataluña",
    "Clavierubung": "Clavierübung",
    "Éccosaise": "Écossaise",
    "Espana": "España",
    "espanola": "española",
    "espanolas": "españolas",
    "ĖTUDE": "ÉTUDE",
    "fûr": "für",
    "Golli's": "Golliwogg's",
    "Gran Etudes": "Grandes Etudes",
    "Kôch": "Köch.",
    "Malaguena": "Malagueña",
    "Nocrne": "Nocturne",
    "Uuit": "Nuit",
    "withoug": "without",
    "dObermann": "d'Obermann",
    "dUne": "d'Une",
}
_WRONG = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, _RIGHT))})(?!\w)")


def right_title(title: str) -> str:
    """`title` without an editor's signs and remarks, an opus said once, spelling mended."""
    plain = _NOTED.sub("", title.replace("_", " ")).strip("[] ")
    plain = re.sub(r"\s+\|\s+", " ", plain).replace("|", "")
    if plain.count('"') % 2:
        plain = plain.replace('"', "")
    plain = _TWICE.sub(r"\1", " ".join(plain.split()))
    return _WRONG.sub(lambda found: _RIGHT[found[1]], plain)
