"""Pieces kept beside a model's weights."""

import re
from pathlib import Path

import pytest

from pyzzicato.cli.main import main
from pyzzicato.composition.examples import examples, write_examples
from pyzzicato.errors import ModelUnavailable, UnknownName
from pyzzicato.registry import ModelInfo, model_info
from pyzzicato.ui.examples import about
from tests.small_model import make_model

ASKED = """
[[examples]]
seed = "chopin-prelude-op-28-no-4"
seconds = 8.0
rng_seed = 3

[[examples]]
composer = "bach"
seed = "none"
seconds = 6.0
temperature = 0.7
"""


@pytest.fixture
def info(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelInfo:
    make_model(tmp_path / "small")
    recipe = tmp_path / "small" / "model.toml"
    recipe.write_text(recipe.read_text() + ASKED)
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path))
    return model_info("small")


def test_what_is_kept_is_what_the_settings_make(info: ModelInfo) -> None:
    assert examples(info) == []
    made = write_examples(info, lambda text: None)
    assert [each.id for each in made] == ["1-chopin", "2-bach"]
    assert [each.style for each in made] == ["Chopin", "Bach"]
    assert made[0].border == pytest.approx(made[0].seed.duration, abs=0.01)
    assert made[1].border == 0
    assert len(made[1].seed) == 0
    for each in made:
        assert len(each.continuation) > 3
        assert each.continuation.duration <= each.settings["seconds"] + 0.001
        assert min(note.start for note in each.continuation) >= 0
    again = write_examples(info, lambda text: None)
    assert again == made
    assert re.fullmatch(r"\d+ s of seed, [78] s new", about(made[0]))
    assert re.fullmatch("from nothing, [56] s new", about(made[1]))


def test_a_piece_that_is_no_longer_asked_for_goes(info: ModelInfo) -> None:
    write_examples(info, lambda text: None)
    stale = info.folder / "examples" / "9-liszt.mid"
    stale.write_bytes(b"old")
    assert main(["examples", "small"]) == 0
    assert sorted(path.name for path in stale.parent.iterdir()) == [
        "1-chopin.mid",
        "2-bach.mid",
        "examples.json",
    ]


def test_a_missing_or_damaged_file_is_one_sentence(info: ModelInfo) -> None:
    write_examples(info, lambda text: None)
    listing = info.folder / "examples" / "examples.json"
    (listing.parent / "2-bach.mid").unlink()
    with pytest.raises(ModelUnavailable, match="`pyzzicato examples small`"):
        examples(info)
    listing.write_text("[{")
    with pytest.raises(ModelUnavailable, match="cannot be read"):
        examples(info)


def test_an_unknown_seed_in_the_settings_is_one_sentence(info: ModelInfo) -> None:
    recipe = info.folder / "model.toml"
    recipe.write_text(recipe.read_text().replace("chopin-prelude-op-28-no-4", "nobody-at-all"))
    with pytest.raises(UnknownName):
        write_examples(model_info("small"), lambda text: None)
