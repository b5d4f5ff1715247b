"""While music grows the browser is sent what is new, in a way that survives messages it skips."""

import numpy as np

from pyzzicato.music.notes import Note, NoteSequence
from pyzzicato.ui.messages import NEW, News, Rows, note_rows


def music(count: int) -> Rows:
    return note_rows([Note(i / 4, i / 4 + 0.5, 40 + i % 40, 60) for i in range(count)], NEW)


def test_growing_music_is_sent_once_and_can_be_put_together_again() -> None:
    news, have, rows = News(), set[bytes](), 0
    for look in range(1, 61):
        sent = news.of("piece", music(10 * look))
        rows += len(sent)
        if look % 7 == 0:  # the browser draws the newest of the messages that came together
            have |= {row.tobytes() for row in sent}
            assert have >= {row.tobytes() for row in music(10 * look)}
    assert rows < 60 * 10 * 10  # all at each look would be 18,300


def test_all_is_sent_of_another_piece_after_a_loss_and_when_asked_for() -> None:
    news = News()
    for look in range(1, 20):
        news.of("piece", music(10 * look))
    assert len(news.of("another", music(200))) == 200
    assert len(news.of("piece", music(150))) == 150  # some are gone
    for _ in range(20):
        news.of("piece", music(150))
    assert len(news.of("piece", music(151))) == 1
    news.forget()
    np.testing.assert_array_equal(news.of("piece", music(152)), music(152))


def test_rows_are_made_once_of_notes_that_stay() -> None:
    news, made = News(), list[int]()

    def make(notes: tuple[Note, ...]) -> Rows:
        made.append(len(notes))
        return note_rows(notes, NEW)

    early, late = Note(0.0, 1.0, 60), Note(2.0, 3.0, 64)
    grown = NoteSequence((early, late))
    for music in (grown, grown.merge([Note(4.0, 5.0, 67)]), grown.merge([Note(1.0, 5.0, 67)])):
        np.testing.assert_array_equal(news.rows("take", music.notes, make), note_rows(music, NEW))
    assert made == [2, 1, 2]
    for drums in ((Note(0.0, 1.0, 36, is_drum=True), early), (early, late)):
        np.testing.assert_array_equal(news.rows("drums", drums, make), note_rows(drums, NEW))
    np.testing.assert_array_equal(news.rows("take", (late,), make), note_rows([late], NEW))
