"""The player's Python side: what is sent to the browser, and what comes back."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pyzzicato.music.layering import layered
from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.ui import player as module
from pyzzicato.ui.messages import COLUMNS, NEW
from tests.small_band import band_piece

ASSETS = Path(module.__file__).parent / "assets"
APP = Path(__file__).parent / "apps" / "player_app.py"


class Sent:
    """Stands where the component is mounted: keeps what it was given, answers with `result`."""

    def __init__(self, **result: object) -> None:
        self.result = result
        self.header: dict[str, Any] = {}
        self.rows = np.empty((0, COLUMNS))

    def __call__(self, *, key: str, data: bytes, **callbacks: object) -> dict[str, object]:
        (length,) = struct.unpack_from("<I", data)
        assert (4 + length) % 4 == 0
        self.header = json.loads(data[4 : 4 + length])
        self.rows = np.frombuffer(data[4 + length :], "<f4").reshape(-1, COLUMNS)
        return self.result


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    stand_in = Sent()
    monkeypatch.setattr(module, "_components", {"player": stand_in, "cards": stand_in})
    return stand_in


def play(seed: NoteSequence, continuation: NoteSequence, **more: Any) -> object:
    settings: dict[str, Any] = {
        "border": 2.0, "expected": 10.0, "running": True, "take": "1", "autoplay": False,
        "key": "p",
    }  # fmt: skip
    return module.player(seed=seed, continuation=continuation, **(settings | more))


def test_notes_travel_sorted_with_their_part(sent: Sent) -> None:
    seed = NoteSequence((Note(0.0, 2.5, 60, 90), Note(1.0, 1.5, 64, 70)))
    new = NoteSequence((Note(0.0, 1.0, 67, 50),))
    assert play(seed, new) is None
    expected = [[0.0, 2.5, 60, 90, 0], [1.0, 0.5, 64, 70, 0], [2.0, 1.0, 67, 50, 1]]
    np.testing.assert_allclose(sent.rows, expected)
    assert sent.header["border"] == 2.0
    assert sent.header["made"] == 3.0  # the end of the last new note


def test_each_of_a_band_is_a_part_of_its_own(sent: Sent) -> None:
    seed = NoteSequence((Note(0.0, 1.0, 60), Note(0.0, 1.0, 40, program=35)))
    drum, rain = Note(0.5, 1.0, 35, 100, is_drum=True), Note(1.0, 2.0, 72, program=96)
    play(seed, NoteSequence((drum, rain)))
    assert sent.header["band"] == ["Drums", "Piano", "Bass"]
    assert [(row[2], row[4]) for row in sent.rows] == [(40, 19), (60, 17), (35, 16), (72, 17)]
    play(seed, NoteSequence((drum,)), height=0)
    assert sent.header["band"] == []  # where only the ears judge, nothing tells who plays
    play(seed, NoteSequence((drum,)), layers=True)
    assert sent.header["band"] == []
    assert [row[4] for row in sent.rows] == [0, 0]


def test_takes_of_a_band_show_its_colours(sent: Sent) -> None:
    module.takes_row([band_piece(1), NoteSequence((Note(0.0, 1.0, 60),))], 0, "t")
    assert set(sent.rows[:, 4]) == {16, 17, 18, 19, 20, NEW}


def test_the_band_is_sent_only_where_it_plays(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(module, "_bank", lambda key, data: sizes.append(len(data)))
    module.sound_bank()
    assert sizes == [module.BANK.stat().st_size]
    module.sound_bank(band=True)
    assert sizes[1:] == [module.BANK.stat().st_size, module.BAND_BANK.stat().st_size]


def test_each_instrument_is_a_part_of_its_own(sent: Sent) -> None:
    takes = [NoteSequence((Note(0.0, 1.0, pitch),)) for pitch in (60, 64, 67)]
    play(takes[0], layered(takes), layers=True)
    assert [(row[2], row[4]) for row in sent.rows] == [(60, 0), (60, 1), (64, 2), (67, 3)]
    play(takes[0], NoteSequence((Note(0.0, 1.0, 60, program=127),)))
    assert sent.rows[-1][4] == NEW  # an instrument that is not known is the piano


def test_the_row_shows_the_colours_of_layers_only_when_they_are_layered(sent: Sent) -> None:
    takes = [NoteSequence((Note(0.0, 1.0, pitch),)) for pitch in (60, 64)]
    module.takes_row(takes, -1, "t", layered=True)
    assert [row[4] for row in sent.rows] == [1, 2]
    module.takes_row(takes, 0, "t")
    assert [row[4] for row in sent.rows] == [1, 1]
    assert [card["subtitle"] for card in sent.header["cards"]] == ["1 note", "1 note"]


def test_new_music_inside_a_piece_ends_before_the_piece_does(sent: Sent) -> None:
    piece = NoteSequence((Note(0.0, 1.0, 60), Note(30.0, 31.0, 62)))
    play(piece, NoteSequence(), inside=True, marked=(2.0, 12.0))
    assert (sent.header["until"], sent.header["marked"]) == (12.0, [2.0, 12.0])
    play(piece, NoteSequence())
    assert (sent.header["until"], sent.header["marked"]) == (None, None)


def test_a_known_passage_is_told_with_its_words(sent: Sent) -> None:
    play(NoteSequence(), NoteSequence(), known=module.Known(2.0, 3.5, "As in a fugue"))
    assert sent.header["known"] == [2.0, 3.5, "As in a fugue"]
    play(NoteSequence(), NoteSequence())
    assert sent.header["known"] is None


def test_how_much_is_made_can_be_said(sent: Sent) -> None:
    play(NoteSequence(), NoteSequence(), made=4.0)
    assert sent.header["made"] == 6.0
    assert sent.rows.shape == (0, COLUMNS)


def test_continuing_from_a_place_comes_back(sent: Sent) -> None:
    sent.result = {"continue_at": 7.25}
    assert play(NoteSequence(), NoteSequence()) == module.PlayerResult(7.25)


def cards() -> list[module.SeedCard]:
    music = NoteSequence((Note(0.0, 1.0, 60), Note(1.0, 2.0, 62)))
    return [
        module.SeedCard("a", "A <i>tune</i>", "2 s", music),
        module.SeedCard("é", "E", "", music),
    ]


def test_cards_keep_the_choice_until_another_is_picked(sent: Sent) -> None:
    assert module.seed_cards(cards(), "a", "k") == "a"
    assert [card["notes"] for card in sent.header["cards"]] == [2, 2]
    assert len(sent.rows) == 4
    sent.result = {"pick": "é"}
    assert module.seed_cards(cards(), "a", "k") == "é"


def test_a_pick_that_is_no_card_is_not_believed(sent: Sent) -> None:
    sent.result = {"pick": "../../etc"}
    assert module.seed_cards(cards(), "a", "k") == "a"
    assert module.takes_row([NoteSequence()], 0, "k") == 0


def test_takes_are_counted_from_0_and_share_one_stage(sent: Sent) -> None:
    short, long = cards()[0].sequence, cards()[0].sequence.shift(3)
    sent.result = {"pick": "1"}
    assert module.takes_row([short, long], 0, "k") == 1
    assert [card["seconds"] for card in sent.header["cards"]] == [5.0, 5.0]
    assert set(sent.rows[:, 4]) == {NEW}


def test_no_cards_at_all(sent: Sent) -> None:
    assert module.seed_cards([], "", "k") == ""
    assert sent.header["cards"] == []


def test_the_page_runs_on_the_server() -> None:
    page = AppTest.from_file(str(APP)).run()
    assert not page.exception
    assert [text.value for text in page.text] == ["runs 0", "seed low"]
    page.button[0].click().run()
    assert not page.exception
    assert "take 0" in [text.value for text in page.text]


def test_the_bank_is_small_enough_to_send() -> None:
    assert module.BANK.read_bytes()[:4] == b"PZB1"
    assert module.BANK.stat().st_size < 900_000
    assert module.BAND_BANK.read_bytes()[:4] == b"PZB1"
    assert module.BAND_BANK.stat().st_size < 1_500_000


SVG_NAME = '"http://www.w3.org/2000/svg"'  # a name, which nothing is asked for


@pytest.mark.parametrize("path", sorted(ASSETS.iterdir()), ids=lambda path: path.name)
def test_the_scripts_ask_no_other_host(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace(SVG_NAME, "")
    assert "http://" not in text
    assert "https://" not in text
    assert "import " not in text.replace("important", "")
    assert len(text.splitlines()) < 400
