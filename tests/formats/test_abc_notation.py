"""Reading ABC: one small tune for each thing the notation can say."""

from __future__ import annotations

import pytest

from pyzzicato.errors import UnreadableMusic
from pyzzicato.formats.abc.notation import read_abc
from tests.small_abc import pitches, played, starts


def test_octaves() -> None:
    assert pitches("C,, C, C c c' c'' c,") == [36, 48, 60, 72, 84, 96, 60]


@pytest.mark.parametrize(
    ("length", "quarters"),
    [("", 1), ("2", 2), ("/", 0.5), ("//", 0.25), ("/4", 0.25), ("3/2", 1.5), ("3/", 1.5)],
)
def test_lengths(length: str, quarters: float) -> None:
    assert played(f"A{length}") == [(0, quarters, 69)]


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("C", [65, 71]),
        ("Em", [66, 71]),
        ("E minor", [66, 71]),
        ("G", [66, 71]),
        ("F", [65, 70]),
        ("D dorian", [65, 71]),
        ("Ddor", [65, 71]),
        ("G mixolydian", [65, 71]),
        ("Glyd", [66, 71]),
        ("C#m", [66, 71]),
        ("Bb", [65, 70]),
        ("Cb", [64, 70]),
        ("C# major", [66, 72]),
        ("EM", [66, 71]),
        ("none", [65, 71]),
        ("", [65, 71]),
        ("HP", [66, 71]),
        ("D exp _b ^f", [66, 70]),
        ("C ^f", [66, 71]),
        ("Dmix=f", [65, 71]),
        ("B♭", [65, 70]),
        ("F♯", [66, 71]),
        ("F♯m", [66, 71]),
        ("B flat major", [65, 70]),
        ("e minor", [66, 71]),
        ("G clarinet", [66, 71]),
        ("G mozart:noteC=snare-drum", [66, 71]),
        ("stafflines=1 G", [66, 71]),
        ("clef=drum4 staffscale=0.7 D mix", [66, 71]),
        ('Dm name="K. 331 ^f" snm="^f"', [65, 70]),
        ("none clef=neutral", [65, 71]),
        ("exp ^f_b", [66, 70]),
        ("unheard_of", [65, 71]),
    ],
)
def test_keys(key: str, expected: list[int]) -> None:
    assert pitches("FB", f"M:4/4\nL:1/4\nK:{key}") == expected


@pytest.mark.parametrize(
    ("setting", "pitch"),
    [
        ("clef=bass", 60),
        ("bass", 60),
        ("clef=treble-8", 48),
        ("treble+8", 72),
        ("clef=bass octave=-1", 48),
        ("clef=treble-15", 36),
        ("clef=gizmo^8 stafflines=3", 72),
        ("transpose=-2", 58),
    ],
)
def test_clefs_octaves_and_transpositions(setting: str, pitch: int) -> None:
    assert pitches("C", f"L:1/4\nK:C {setting}") == [pitch]
    assert pitches(f"V:1 {setting}\nC", "L:1/4\nK:C") == [pitch]
    assert pitches("V:1\nC", f"L:1/4\nV:1 {setting}\nK:C") == [pitch]


def test_the_unit_length_follows_the_metre_where_none_is_given() -> None:
    assert played("A", "M:2/4\nK:C") == [(0, 0.25, 69)]
    assert played("A", "M:3/4\nK:C") == [(0, 0.5, 69)]
    assert played("A", "M:C|\nK:C") == [(0, 0.5, 69)]
    assert played("A", "M:none\nK:C") == [(0, 0.5, 69)]
    assert played("A[M:2/4]A", "K:C")[1] == (0.5, 1, 69)


def test_accidentals_last_through_the_bar_in_every_octave() -> None:
    assert pitches("^cCc|c =F_F ^^F", "L:1/4\nK:D") == [73, 61, 73, 73, 65, 64, 67]
    assert pitches("^c c' c|c") == [73, 85, 73, 72]
    assert pitches("^c =c' c|c") == [73, 84, 72, 72]
    assert pitches("=f f|f", "L:1/4\nK:G") == [77, 77, 78]


def test_ties_join_also_over_the_bar_line_and_keep_the_accidental() -> None:
    assert played("A-A") == [(0, 2, 69)]
    assert played("^c-|c c") == [(0, 2, 73), (2, 3, 72)]
    assert played("A-|A-|A") == [(0, 3, 69)]
    assert played("A-B") == [(0, 1, 69), (1, 2, 71)]


def test_ties_in_chords() -> None:
    assert played("[CE]-[CE]2") == [(0, 3, 60), (0, 3, 64)]
    assert played("[C-E][CE]") == [(0, 1, 64), (0, 2, 60), (1, 2, 64)]


def test_a_tie_into_both_endings() -> None:
    assert played("|:^A-|1 AB:|2 Ac|") == [
        (0, 2, 70),
        (2, 3, 71),
        (3, 5, 70),
        (5, 6, 72),
    ]


def test_chords_with_lengths_inside_and_outside() -> None:
    assert played("[CEG]2 c") == [(0, 2, 60), (0, 2, 64), (0, 2, 67), (2, 3, 72)]
    assert played("[C2E]2 c") == [(0, 2, 64), (0, 4, 60), (4, 5, 72)]
    assert played('[!1!C"x"E]') == [(0, 1, 60), (0, 1, 64)]


def test_broken_rhythm() -> None:
    assert starts("A>B C<D E>>F G<<A B|") == [0, 1.5, 2, 2.5, 4, 5.75, 6, 6.25, 8]
    assert played("[CE]>G")[2] == (1.5, 2, 67)
    assert starts("z>A B") == [1.5, 2]
    assert starts("A > (B C)") == [0, 1.5, 2]


def test_tuplets() -> None:
    assert starts("(3ABc d") == pytest.approx([0, 2 / 3, 4 / 3, 2], abs=1e-4)
    assert starts("(3:2:2AB c") == pytest.approx([0, 2 / 3, 4 / 3], abs=1e-4)
    assert starts("(3::2AB c") == pytest.approx([0, 2 / 3, 4 / 3], abs=1e-4)
    assert starts("(2AB c") == [0, 1.5, 3]
    assert starts("(5ABcde f")[-1] == 2
    assert starts("(5ABcde f", "M:6/8\nL:1/4\nK:C")[-1] == 3
    assert starts("(3Az[ce] d")[-1] == 2


def test_rests() -> None:
    assert starts("z2 A x/ B Z C") == [2, 3.5, 8.5]
    assert starts("Z2 A", "M:3/4\nL:1/4\nK:C") == [6]


def test_grace_notes_take_their_time_from_the_note_after() -> None:
    assert played("{gab}c2 {/g}d") == [
        (0, 0.25, 79),
        (0.25, 0.5, 81),
        (0.5, 0.75, 83),
        (0.75, 2, 72),
        (2, 2.25, 79),
        (2.25, 3, 74),
    ]
    assert played("{gabg}c")[-1] == (0.5, 1, 72)
    assert played("{g}A<B")[-1] == (0.5, 2, 71)


@pytest.mark.parametrize(
    ("body", "order"),
    [
        ("|:A:|B", "AAB"),
        ("A:|B", "AAB"),
        ("A|:B:|c", "ABBc"),
        ("|:A::B:|c", "AABBc"),
        ("|:A:||:B:|", "AABB"),
        ("|::A::|B", "AAAB"),
        ("|:A|1 B:|2 c|d", "ABAcd"),
        ("|:A [1 B :| [2 c || d", "ABAcd"),
        ("|:A|1,2 B:|3 c|]", "ABABAc"),
        ("|:A|1-2 B:|3 c|]", "ABABAc"),
        ("|:A|1 B:|2 c:|d", "ABAcd"),
        ("|:A|1 B:|2 c||d:|", "ABAcdd"),
        ("|:A|1 B:|2 c|:d|1 e:|2 f|]", "ABAcdedf"),
        ("|:A||B:|c", "ABABc"),
        ("A||B:|", "ABAB"),
        ("A|B|[|]C", "ABC"),
        ("|:A|1B:||2c||", "ABAc"),
        ("|:A:|B||c:|", "AABcc"),
        ("|:A:|B|c||d:|e", "AABcdde"),
        ("A||B:|c|d||e:|f", "ABABcdeef"),
        ("A::B||c:|", "AABcBc"),
        ("|:A|[1B:|[2c||d:|e", "ABAcdde"),
        ("A|[1B:|[2c||d|[1e:|[2f||", "ABAcdedf"),
        ("|:A|[1B:|[2c|||:d:|e:|f:|", "ABAcddeeff"),
        ("|:A|[1B:|[2c|||:\nd:|:\ne:|", "ABAcddee"),
        ("A:|B|[1c:|[2d||e||f:|", "AABcBdeff"),
        ("A|:|||:B|[1c:|[2d||", "ABcBd"),
        ("A][B]|c|[|d", "ABcd"),
        ("A ][c d|", "Acd"),
        ("[:A:|B", "AAB"),
        ("[|:A:|]B", "AAB"),
        ("|[:A:]|B", "AAB"),
        ("|:A:|:B:|", "AABB"),
        ("|:A|::|B:|", "AABB"),
        ("|:A[|]:|B", "AAB"),
        ("|:A||[1 B:|[2 c|]d", "ABAcd"),
        ("A[|][CE]|[FA]][GB]", "A[CE][FA][GB]"),
        ("A|[| B .| c", "ABc"),
    ],
)
def test_repeats_and_endings(body: str, order: str) -> None:
    assert pitches(body) == pitches(order)


def test_trills_begin_above_and_fill_the_note() -> None:
    trill = [(0, 0.125, 71), (0.125, 0.25, 69), (0.25, 0.375, 71), (0.375, 0.5, 69)]
    assert played("TA/B") == [*trill, (0.5, 1.5, 71)]
    assert played("!trill!A/B")[:4] == trill
    assert pitches("!tr!F/", "L:1/4\nK:G") == [67, 66, 67, 66]
    assert len(played("TA999")) < 300


def test_rolls_touch_the_notes_beside() -> None:
    header = "M:6/8\nL:1/8\nK:D"
    wanted = [(0, 0.5, 64), (0.5, 0.625, 66), (0.625, 1, 64), (1, 1.125, 62), (1.125, 1.5, 64)]
    assert played("~E3", header) == wanted
    assert played("~E2", header) == [(0, 0.125, 66), (0.125, 1, 64)]
    assert played("~[EG]2", header) == [(0, 1, 64), (0, 1, 67)]


def test_parts_are_played_in_the_order_of_the_header() -> None:
    tune = "P:A\nA|\nP:B\n|:B:|\n"
    assert pitches(tune, "P:ABA\nL:1/4\nK:C") == [69, 71, 71, 69]
    assert pitches(tune, "P:(AB)2A\nL:1/4\nK:C") == [69, 71, 71] * 2 + [69]
    assert pitches(tune) == [69, 71, 71]
    assert pitches(tune, "P:Slowly\nL:1/4\nK:C") == [69, 71, 71]


def test_voices_sound_together_from_the_start() -> None:
    expected = [(0, 1, 72), (0, 2, 48), (1, 2, 74), (2, 3, 76), (2, 4, 50)]
    assert played("V:1\nc d|e|\nV:2\nC,2|D,2|") == expected
    assert played("[V:1] c d|\n[V:2] C,2|\n[V:1] e|\n[V:2] D,2|") == expected


def test_accidentals_and_settings_belong_to_their_voice() -> None:
    assert pitches("V:1\n^c|\nV:2\nc|") == [72, 73]
    assert pitches("V:1\n[K:D]f|\nV:2\nf|") == [77, 78]
    assert played("V:1\n[L:1/8]A|\nV:2\nB|") == [(0, 0.5, 69), (0, 1, 71)]


def test_overlay_sounds_with_the_bar() -> None:
    assert played("c2 d2 & E4 | f") == [(0, 2, 72), (0, 4, 64), (2, 4, 74), (4, 5, 77)]


def test_inline_and_following_fields() -> None:
    assert pitches("f[K:D]f|\nK:Eb\ne|[K:C]e") == [77, 78, 75, 76]
    assert starts("A[L:1/8]A B|\nL:1/2\nc|d") == [0, 1, 1.5, 2, 4]


@pytest.mark.parametrize(
    ("tempo", "qpm"),
    [
        ("1/4=60", 60),
        ('"Slow" 1/4=60', 60),
        ('1/4=60 "Slow"', 60),
        ("3/8=60", 90),
        ("1/4 1/8=40", 60),
        ("C=100", 50),
        ("100", 50),
        ('"Allegro"', 120),
    ],
)
def test_tempi(tempo: str, qpm: float) -> None:
    sequence = read_abc(f"X:1\nQ:{tempo}\nL:1/8\nK:C\nA2")
    assert sequence.qpm == pytest.approx(qpm)
    assert sequence.duration == pytest.approx(60 / qpm)


def test_a_change_of_tempo_moves_every_voice() -> None:
    text = "X:1\nL:1/4\nQ:1/4=60\nK:C\nV:1\nA[Q:1/4=120]B c|\nV:2\nE F G|"
    notes = read_abc(text).notes
    assert [n.start for n in notes] == pytest.approx([0, 0, 1, 1, 1.5, 1.5])
    assert read_abc(text).qpm == 60


def test_dynamics_set_the_velocity_of_their_voice() -> None:
    notes = read_abc("X:1\nL:1/4\nK:C\nA!pp!B!ff!c|!mf!d\nV:2\nZ2 F").notes
    by_pitch = {n.pitch: n.velocity for n in notes}
    assert by_pitch[69] == 80
    assert by_pitch[71] < by_pitch[74] < by_pitch[72]
    assert by_pitch[65] == 80


def test_what_is_not_sound_is_left_out() -> None:
    body = (
        '"Am"A!fermata!.B (c d) Hu+fermata+A|\\ % words\nw:some words to sing\n'
        '%%MIDI program 5\nr:remark\n[r:inline]y A ` B$ "^above"c'
    )
    assert pitches(body) == [69, 71, 72, 74, 69, 69, 71, 72]


def test_only_the_first_tune_is_read() -> None:
    assert pitches("A|\n\nX:2\nK:C\nB|") == [69]
    assert pitches("A|\nX:2\nK:C\nB|") == [69]


def test_two_voices_on_one_key_are_one_note() -> None:
    assert played("V:1\nc2|\nV:2\nc|") == [(0, 2, 72)]


def test_line_ends_and_byte_order_mark() -> None:
    text = "\ufeffX:1\r\nL:1/4\r\nK:C\r\nA B\\\r\n c\r\n"
    assert [n.pitch for n in read_abc(text)] == [69, 71, 72]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no K: line"),
        ("Dear all, this is a letter.", "no K: line"),
        ("X:1\nK:C\n", "holds no notes"),
        ("X:1\nK:C\nz4|", "holds no notes"),
        ("X:1\nK:C\nA\n[CE", "Line 4"),
        ("X:1\nK:C\n{ab", "not understood"),
        ("X:1\nK:C\n[C1x]", "not a note"),
        ("X:1\nK:C\n[]", "not"),
        ('X:1\nK:C\n"abc', "not understood"),
        ("X:1\nK:Qq\nA", "no key"),
        ("X:1\nL:x\nK:C\nA", "no unit length"),
        ("X:1\nL:1/0\nK:C\nA", "no length"),
        ("X:1\nQ:1/4=fast9\nK:C\nA", "no tempo"),
        ("X:1\nQ:1/4=0\nK:C\nA", "too slow or too fast"),
        ("X:1\nQ:1/4=1e400\nK:C\nA", "too slow or too fast"),
        ("X:1\nM:4/0\nK:C\nA", "no length"),
        ("X:1\nK:C octave=9999\nA", "whole number"),
        ("X:1\nK:C\nA77777", "no length"),
        ("X:1\nK:C\nA0", "no length"),
        ("X:1\nK:C\nA/9999", "too short"),
        ("X:1\nK:C\nA" + "/" * 50, "slashes"),
        ("X:1\nK:C\n>B", "between two notes"),
        ("X:1\nK:C\nA>>>>B", "between two notes"),
        ("X:1\nK:C\nc" + "'" * 20, "too high"),
        ("X:1\nK:C\n|:A|1-99 B:|", "endings"),
        ("X:1\nP:(A)9(A)9" + "(A)9" * 60 + "\nK:C\nP:A\nA", "200 parts"),
        ("X:1\nK:C\n" + "".join(f"[V:{i}]A" for i in range(70)), "64 voices"),
        ("X:1\nK:C\nZ9999 A", "30 minutes"),
        ("X:1\nK:C\n" + "A" * 100_001, "100 kB"),
    ],
)
def test_what_cannot_be_read_is_one_plain_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UnreadableMusic) as caught:
        read_abc(text)
    message = str(caught.value)
    assert sentence in message
    assert "\n" not in message
    assert len(message) < 200


def test_repeats_cannot_grow_above_the_limit() -> None:
    body = "|:" + "CDEF|" * 1500 + "1-9 C:|"
    with pytest.raises(UnreadableMusic, match="50,000 notes"):
        read_abc(f"X:1\nL:1/64\nQ:1/4=400\nK:C\n{body}")


def test_a_field_of_any_length_is_read_at_once() -> None:
    assert len(read_abc("X:1\nM:" + "1+" * 40_000 + "1/4\nK:C\nA")) == 1


def test_broken_rhythm_after_a_whole_bar_of_rest_leaves_earlier_notes_alone() -> None:
    assert starts("A & Z>B") == [0, 6]
