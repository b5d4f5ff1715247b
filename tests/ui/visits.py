"""What the tests of the app say and ask of a page that runs on the server."""

import html
import re
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Element

from pyzzicato.composition.job import Progress
from pyzzicato.ui.session import View

APP = Path(__file__).resolve().parents[2] / "app.py"


def open_app(**link: str) -> AppTest:
    """The app as a new visitor sees it, with the settings of a link."""
    app = AppTest.from_file(str(APP), default_timeout=30)
    for name, value in link.items():
        app.query_params[name] = value
    return app.run()


def elements(app: AppTest, kind: str) -> list[Element]:
    """All of a kind on the page; `AppTest.get` leaves open whether they are blocks of others."""
    found: list[Element] = []
    for each in app.get(kind):
        assert isinstance(each, Element)
        found.append(each)
    return found


def _bodies(app: AppTest) -> list[str]:
    assert not app.exception, [each.message for each in app.exception]
    return [each.proto.body for each in app.get("html")]


def words(app: AppTest) -> str:
    """All sentences on the page."""
    kept = [body for body in _bodies(app) if not body.startswith("<style>")]
    return "\n".join(html.unescape(re.sub(r"<[^>]+>", "", body)) for body in kept)


def kept_as(app: AppTest) -> list[str]:
    """What the buttons say that keep a piece as a file."""
    buttons = elements(app, "button")
    return [each.label for each in buttons if str(each.key).startswith("keep-")]


def problems(app: AppTest) -> list[str]:
    """The sentences that say what is wrong."""
    found = [re.fullmatch(r'<p class="pz-problem".*?>(.*)</p>', body) for body in _bodies(app)]
    return [html.unescape(match[1]) for match in found if match]


def view_of(app: AppTest) -> View:
    """What the visitor has before them."""
    view: Any = app.session_state["view"]
    assert isinstance(view, View)
    return view


def compose(app: AppTest) -> Progress:
    """Presses Compose and waits for the end."""
    app.button(key="compose").click().run()
    return finished(app)


def finished(app: AppTest) -> Progress:
    """Waits for the end of what is being written."""
    piece = view_of(app).piece
    assert piece is not None, problems(app)
    assert piece.job.wait(60)
    app.run()
    return piece.job.progress()


def upload(app: AppTest, name: str, data: bytes) -> AppTest:
    """Gives a file to start from."""
    app.button_group(key="from").set_value("file").run()
    return (
        app.file_uploader(key=f"file-{view_of(app).rejected}")
        .upload(name, data, "audio/midi")
        .run()
    )
