"""A folder of music as pieces, whatever kind of music it is.

    dataset = read_dataset(Path("data"))

The layouts that are understood are those of `pyzzicato.data.manifests`. Nothing here trains.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from pyzzicato.data.abc import read_tunes
from pyzzicato.data.band import read_bands
from pyzzicato.data.corpus import read_corpus
from pyzzicato.data.melody import read_melodies
from pyzzicato.data.packed import packed_music
from pyzzicato.data.pieces import Dataset
from pyzzicato.data.quarters import read_quarters

__all__ = ["music_for", "read_dataset"]


def music_for(training: Mapping[str, Any], folder: Path) -> Dataset:
    """What of `folder` the [training] table of a model.toml asks for; see `read_dataset`.

    Where it is a file, it was made by `pyzzicato.data.packed`.
    """
    if folder.is_file():
        return packed_music(training, folder)
    kinds = training.get("kinds", ("performance",))
    return read_dataset(
        folder,
        kinds=kinds,
        composers=training.get("composers"),
        split=training.get("split", "own"),
    )


def read_dataset(
    folder: Path,
    *,
    kinds: Collection[str] = ("performance",),
    composers: Collection[str] | None = None,
    licensed_only: bool = True,
    split: str = "own",
    progress: Callable[[int, int], None] | None = None,
    cache: Path | None = None,
    processes: int | None = None,
) -> Dataset:
    """Every piece of `folder`, in the order of its table or of the file names.

    `kinds` are words of a manifest's `kind` column (ABC tunes: see `pyzzicato.data.abc`; music
    in beats: `pyzzicato.data.quarters`; a band: `pyzzicato.data.band`); `composers` are ids,
    None for all. Files whose licence
    is not stated are skipped unless `licensed_only` is False. `split` is one of
    `pyzzicato.data.manifests.WAYS_TO_SPLIT`. `progress` is told (files done,
    files in all). `cache` is a folder, None for the usual one. With many new files several
    processes read, `processes` of them (None: one a core), so a script calls this under
    `if __name__ == "__main__":`. Raises UnreadableMusic where the folder holds no music at all.
    """
    folder = Path(folder)
    # Music that is no MIDI in seconds has a reader of its own, by the first word of its kinds.
    words = {kind.partition(":")[0] for kind in kinds}
    if "abc" in words:
        return read_tunes(folder, kinds, licensed_only=licensed_only)
    if "melody" in words:
        return read_melodies(folder, kinds, licensed_only=licensed_only)
    if "band" in words:
        return read_bands(
            folder,
            kinds,
            composers=composers,
            licensed_only=licensed_only,
            progress=progress,
        )
    told: dict[str, Any] = {
        "composers": composers,
        "licensed_only": licensed_only,
        "progress": progress,
        "cache": cache,
    }
    if "beats" in words:
        return read_quarters(folder, kinds, **told)
    return read_corpus(folder, kinds, split=split, processes=processes, **told)
