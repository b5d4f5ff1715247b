"""A visit is found again after a reload and a restart, whatever has become of its file."""

import gzip
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pyzzicato.composition.job import Job
from pyzzicato.generation.generator import Step
from pyzzicato.music.notes import Note
from pyzzicato.registry import models
from pyzzicato.ui import visits
from pyzzicato.ui.visits import Visits
from tests.small_model import make_model
from tests.ui.visits import compose, finished, open_app, problems, view_of, words

WHO = "a" * 32


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    make_model(folder / "small", title="Small")
    make_model(folder / "other", title="Other", order=2, composers=("bach", "satie"))
    return folder


@pytest.fixture
def enter(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Opens the app as one and the same visitor; `restarted` as on a server that has just begun."""
    monkeypatch.setenv("PYZZICATO_MODELS", str(small))
    monkeypatch.setattr(visits, "token", lambda: WHO)
    server = [Visits(tmp_path)]
    monkeypatch.setattr(visits, "visits", lambda: server[0])

    def open_it(restarted: bool = False, **link: str) -> AppTest:
        if restarted:
            server[0] = Visits(tmp_path)
        return open_app(**link)

    return open_it


@pytest.mark.parametrize("restarted", [False, True])
def test_the_stage_its_settings_and_undo_come_back(
    enter: Callable[..., AppTest], restarted: bool
) -> None:
    app = enter(seconds="5", takes="2", temperature="1.1")
    first = compose(app).takes
    second = compose(app).takes
    app.button(key="continue").click().run()
    third = finished(app).takes
    title = words(app)
    again = enter(restarted)
    assert problems(again) == []
    view = view_of(again)
    assert view.piece is not None
    assert view.piece.job.progress().takes == third
    assert words(again) == title
    assert view.start.borders == view_of(app).start.borders
    assert view.settings == view_of(app).settings
    for expected in (second, first):
        again.button(key="undo").click().run()
        assert view.piece is not None
        assert view.piece.job.progress().takes == expected
    again.button(key="redo").click().run()
    assert compose(again).takes not in (first, second)


def test_settings_of_the_address_and_ones_own_seed_stay(enter: Callable[..., AppTest]) -> None:
    app = enter(seconds="5")
    compose(app)
    app.button(key="continue").click().run()
    finished(app)
    app.slider(key="set-seconds").set_value(40.0).run()
    link = dict(view_of(app).written)
    assert link["seed"] == "result"
    again = enter(True, **link)
    assert problems(again) == []
    assert view_of(again).settings["seconds"] == 40
    assert view_of(again).start == view_of(app).start


def test_a_link_of_somebody_else_is_followed_and_undo_has_the_piece(
    enter: Callable[..., AppTest],
) -> None:
    made = compose(enter(seconds="5")).takes
    again = enter(True, seed="satie-gymnopedie-1")
    assert view_of(again).piece is None
    again.button(key="undo").click().run()
    piece = view_of(again).piece
    assert piece is not None
    assert piece.job.progress().takes == made


def test_a_piece_that_still_grows_is_there_after_a_reload_and_on_disk_at_its_end(
    enter: Callable[..., AppTest], tmp_path: Path
) -> None:
    gate = threading.Event()

    def steps() -> Iterator[Step]:
        yield Step((Note(0.0, 1.0, 60),), 1.0)
        gate.wait(30)
        yield Step((Note(1.0, 2.0, 62),), 2.0)

    app = enter(seconds="5")
    made = compose(app).takes
    view = view_of(app)
    assert view.piece is not None
    job = Job(steps, seconds=2.0, takes=1).start()
    object.__setattr__(view.piece, "job", job)
    view.kept = None
    app.run()
    again = enter()
    assert view_of(again).running
    on_disk = Visits(tmp_path).find(WHO, view.models)
    assert on_disk is not None
    assert on_disk.scenes[-1].piece is not None
    assert on_disk.scenes[-1].piece.job.progress().takes == made
    gate.set()
    assert job.wait(30)
    restarted = enter(True)
    piece = view_of(restarted).piece
    assert piece is not None
    assert len(piece.job.progress().takes[0]) == 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: gzip.compress(b"[]"),
        lambda data: gzip.compress(gzip.decompress(data).replace(b'"small"', b'"gone"')),
        lambda data: gzip.compress(b'{"scenes": [], "undone": [], "written": {}}'),
    ],
)
def test_a_damaged_file_is_a_new_visit(
    enter: Callable[..., AppTest], tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    compose(enter(seconds="5"))
    (file,) = tmp_path.iterdir()
    file.write_bytes(spoil(file.read_bytes()))
    again = enter(True)
    assert view_of(again).piece is None
    assert problems(again) == []


def test_limits_of_another_version_do_not_break_the_page(
    enter: Callable[..., AppTest], tmp_path: Path
) -> None:
    compose(enter(seconds="5", temperature="1.1"))
    (file,) = tmp_path.iterdir()
    text = gzip.decompress(file.read_bytes()).replace(b'"seconds": 5.0', b'"seconds": 5000.0')
    file.write_bytes(gzip.compress(text))
    assert view_of(enter(True)).settings["seconds"] <= 300


def test_a_full_disk_loses_nothing_that_is_there(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where the folder should be")
    monkeypatch.setenv("PYZZICATO_MODELS", str(small))
    monkeypatch.setattr(visits, "token", lambda: WHO)
    server = Visits(blocked / "visits")
    monkeypatch.setattr(visits, "visits", lambda: server)
    made = compose(open_app(seconds="5")).takes
    kept = server.find(WHO, models())
    assert kept is not None
    piece = kept.scenes[-1].piece
    assert piece is not None
    assert piece.job.progress().takes == made
