"""The band's recordings for the browser: what the file says, and that they sound like the font."""

import importlib
import io
import json
import struct
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from pyzzicato.render.soundfont import SoundFont

ASSETS = resources.files("pyzzicato").joinpath("assets")


@pytest.fixture(scope="module", name="tool")
def recording_tool() -> ModuleType:
    """tools/carve_band_bank.py, which looks for its sibling beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[2] / "tools"))
        return importlib.import_module("carve_band_bank")


@pytest.fixture(scope="module", name="bank")
def shipped_bank() -> tuple[dict[str, Any], bytes]:
    """The header, and the streams after it."""
    data = ASSETS.joinpath("band-bank.bin").read_bytes()
    assert data[:4] == b"PZB1"
    (length,) = struct.unpack_from("<I", data, 4)
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def decoded(sample: dict[str, Any], streams: bytes) -> NDArray[np.float64]:
    part = streams[sample["offset"] : sample["offset"] + sample["bytes"]]
    sound, rate = soundfile.read(io.BytesIO(part))
    assert rate == 32000
    return np.asarray(sound)


def test_the_file_is_as_its_format_says(bank: tuple[dict[str, Any], bytes]) -> None:
    header, streams = bank
    assert list(header["instruments"]) == ["Drums", "Guitar", "Bass", "Strings"]
    offset = 0
    for one in header["instruments"].values():
        assert 0.5 < one["level"] < 3
        reached = 0
        for sample in one["samples"]:
            assert (sample["low"], sample["offset"]) == (reached, offset)
            assert sample["low"] <= sample["key"] <= sample["high"]
            reached, offset = sample["high"] + 1, offset + sample["bytes"]
        assert reached == 128
    assert offset == len(streams) < 1_500_000
    assert [s["key"] for s in header["instruments"]["Drums"]["samples"]] == list(range(35, 82))


@pytest.mark.parametrize("name", ["Drums", "Guitar", "Bass", "Strings"])
def test_the_recordings_sound_like_the_font(
    tool: ModuleType, bank: tuple[dict[str, Any], bytes], name: str
) -> None:
    header, streams = bank
    font = SoundFont(ASSETS.joinpath("band.sf3").read_bytes())
    for sample in header["instruments"][name]["samples"][1::5]:
        sound = decoded(sample, streams)
        assert len(sound) / 32000 == pytest.approx(sample["seconds"], abs=0.05)
        meant = tool.recorded(font, name, sample["key"], 0.3)
        # A drum may have died away, and been faded out, before that.
        length = min(len(meant), round(0.6 * len(sound)))
        assert np.corrcoef(sound[:length], meant[:length])[0, 1] > 0.9, sample["key"]


def test_loops_have_no_seam_wherever_a_decoder_puts_the_sound(
    bank: tuple[dict[str, Any], bytes],
) -> None:
    header, streams = bank
    for sample in header["instruments"]["Strings"]["samples"]:
        sound = decoded(sample, streams)
        first, last = (round(32000 * second) for second in sample["loop"])
        around = np.arange(-1000, 1000)  # 31 ms earlier and later
        before, after = sound[first + around], sound[last + around]
        assert np.corrcoef(before, after)[0, 1] > 0.95, sample["key"]
        assert sample["loop"][1] < sample["seconds"]
