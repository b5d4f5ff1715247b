"""The built-in seeds, and the tool that holds them against references."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from pyzzicato.errors import UnknownName, UnreadableMusic
from pyzzicato.formats.midi import write_midi
from pyzzicato.music.composers import find_composer
from pyzzicato.music.notes import HIGHEST_KEY, LOWEST_KEY, NoteSequence
from pyzzicato.seeds.library import Seed, all_seeds, find_seed, read_seed, seed_files, seeds_by
from tests.scripts import open_script

SEED = (
    "X:1\nT:Study\nC:Chopin\nN:opus op. 0\nN:reference study.mid\nM:4/4\nL:1/4\nQ:1/4=60\nK:C\n"
    "V:1\nceg c'|bgdB|AceA|dfaf|\nV:2\n[C,E,G,]4|[D,G,B,]4|[A,,C,E,]4|[D,F,A,]4|\n"
)


@pytest.mark.parametrize("seed", all_seeds(), ids=lambda seed: seed.id)
def test_every_seed_can_be_played_and_is_described(seed: Seed) -> None:
    sequence = seed.sequence()
    assert 8 <= sequence.duration <= 20
    assert all(LOWEST_KEY <= n.pitch <= HIGHEST_KEY and not n.is_drum for n in sequence)
    assert sequence.notes[0].start < 1, "a seed starts with sound"
    assert len(sequence) >= 20
    assert seed.title
    assert seed.opus
    assert Path(seed.reference).parts[:1] in [("piano",), ("chorales",)]
    assert Path(seed.reference).suffix == ".mid"
    assert f"\nC:{seed.composer.short}" in seed.text or f"\nC:{seed.composer.name}" in seed.text


def test_no_file_is_left_out_and_ids_are_unique(project: Path) -> None:
    names = [path.stem for path in (project / "pyzzicato" / "seeds").rglob("*.abc")]
    assert sorted(seed.id for seed in all_seeds()) == sorted(set(names))
    assert len(names) == len(set(names))


def test_seeds_are_ordinary_file_names() -> None:
    assert all(seed.id.replace("-", "").isalnum() and seed.id.isascii() for seed in all_seeds())


def test_there_are_enough_seeds_for_enough_composers() -> None:
    counts = Counter(seed.composer.id for seed in all_seeds())
    assert all(counts[name] >= 6 for name in ("bach", "chopin", "debussy"))
    others = [name for name in counts if name not in ("bach", "chopin", "debussy")]
    assert sum(counts[name] >= 3 for name in others) >= 10
    assert sum(counts.values()) >= 48


def test_no_two_seeds_are_the_same_music() -> None:
    music = [seed.sequence().notes for seed in all_seeds()]
    assert len(set(music)) == len(music)


def test_no_two_seeds_have_the_same_name() -> None:
    assert len({(seed.composer, seed.name) for seed in all_seeds()}) == len(all_seeds())


def test_finding_seeds() -> None:
    for seed in seeds_by("chopin"):
        assert seed.composer is find_composer("chopin")
        assert find_seed(seed.id) is seed
    assert seeds_by("nobody") == ()
    with pytest.raises(UnknownName, match="No built-in seed"):
        find_seed("../../etc/passwd")


def test_seed_files_come_in_the_order_of_the_library() -> None:
    assert [found[0] for found in seed_files()] == [seed.id for seed in all_seeds()]


def test_a_seed_reads_its_fields() -> None:
    seed = read_seed("study", find_composer("chopin"), SEED)
    assert (seed.title, seed.opus, seed.reference) == ("Study", "op. 0", "study.mid")
    assert seed.sequence().duration == 16


def test_a_seed_without_title_or_opus_is_refused() -> None:
    for line in ("T:Study\n", "N:opus op. 0\n"):
        with pytest.raises(UnreadableMusic, match="T: line and an N:opus line"):
            read_seed("study", find_composer("chopin"), SEED.replace(line, ""))


@pytest.fixture(scope="module")
def tool() -> Iterator[ModuleType]:
    with open_script("tools/check_seeds.py") as module:
        yield module


def share(tool: ModuleType, reference: NoteSequence) -> float:
    seed = read_seed("study", find_composer("chopin"), SEED)
    result: float = tool.compare(seed, seed.sequence(), reference).share
    return result


def test_the_check_accepts_a_free_performance(tool: ModuleType) -> None:
    music = read_seed("study", find_composer("chopin"), SEED).sequence()
    free = [
        n._replace(start=n.start + 0.02 * (n.pitch % 3) + 0.1 * int(n.start), end=n.end + 3)
        for n in music
    ]
    assert share(tool, NoteSequence(tuple(free)).shift(2.5)) == 1
    assert share(tool, music.stretch(0.6).followed_by(music.transpose(1))) == 1


def test_the_check_sees_wrong_missing_and_surplus_notes(tool: ModuleType) -> None:
    notes = read_seed("study", find_composer("chopin"), SEED).sequence().notes
    wrong = [n._replace(pitch=n.pitch + 1) if i in (5, 9) else n for i, n in enumerate(notes)]
    missing = [n for i, n in enumerate(notes) if i not in (5, 9)]
    surplus = [*notes, *(notes[i]._replace(pitch=notes[i].pitch + 1) for i in (5, 9))]
    backwards = [n._replace(start=16 - n.end, end=16 - n.start) for n in notes]
    for changed in (wrong, missing, surplus, backwards):
        assert share(tool, NoteSequence(tuple(changed))) < tool.PASS_SHARE


def test_the_check_names_what_differs(tool: ModuleType, tmp_path: Path) -> None:
    seed = read_seed("study", find_composer("chopin"), SEED)
    notes = [n for n in seed.sequence() if n.pitch != 71]
    (tmp_path / "study.mid").write_bytes(write_midi(NoteSequence(tuple(notes), qpm=60)))
    verdict = tool.check("study", seed.composer, SEED, tmp_path)
    assert verdict.missing[0] == "B4 at bar 2 quarter 4.00 (note 14)"
    assert verdict.notes - verdict.matched == len(verdict.missing)
    assert verdict.seconds == 16


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SEED.replace("study.mid", "nowhere.mid"), "is not in the data"),
        (SEED.replace("N:reference study.mid\n", ""), "no N:reference"),
        (SEED.replace("K:C", "K:Qq"), "no key"),
        (SEED.replace("1/4=60", "1/4=30"), "not 8-20 s"),
    ],
)
def test_the_check_fails_what_it_cannot_verify(
    tool: ModuleType, tmp_path: Path, text: str, reason: str
) -> None:
    seed = read_seed("study", find_composer("chopin"), SEED)
    (tmp_path / "study.mid").write_bytes(write_midi(seed.sequence()))
    reasons = tool.check("study", seed.composer, text, tmp_path).reasons
    assert len(reasons) == 1
    assert reason in reasons[0]


def test_the_check_exits_with_1_for_an_unknown_seed(
    tool: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool.main(["--data", str(tmp_path), "no-such-seed"]) == 1
    assert "No seed is called that" in capsys.readouterr().err
