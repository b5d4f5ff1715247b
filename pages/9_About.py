"""About: what this is, whose ideas it stands on, and what may be done with the music."""

import streamlit as st

from pyzzicato.ui import shell

shell.open_page("About")
shell.title("About Pyzzicato")
st.html(
    """
<div class="pz-prose">
<p>Pyzzicato writes new piano music in the style of composers you choose. You give it a few bars,
or none, and a small neural network goes on from there. All of it happens on the computer that
runs the app: there is no account, and nothing is fetched from or sent to another host.</p>
<h2>What to expect</h2>
<p>A network that has read many pieces knows how a style moves from one moment to the next: its
chords, its figures, how many notes it strikes and how loudly. It does not plan a piece. Expect
pages of a sketchbook rather than a finished nocturne, and expect the first half minute to be the
best. Ask for several takes, keep the one you like, continue from the place where it was good.</p>
<h2>Whose ideas these are</h2>
<p>The three piano-roll networks follow the student project <em>Pyzzicato</em> (Petit, Vassor,
Bairam and Remond, 2021): a pile of convolutions, a small WaveNet and an LSTM, each of which draws
a piano roll, twenty steps a second. Here they are trained anew, on real performances, and helped
over their known weakness, that after ten seconds the music dries up or blurs.</p>
<p>The networks of chords and their lengths follow Nguyễn; the writer of jigs, Giba and Rudeanu; the
network of next notes and all that play in a band of five, Skourogiannis and Pallikaris; the
melodies with attention, Steffanutto and Magenta's MelodyRNN. The Pyzzicato Transformer is this
project's own. The page <em>Models</em> says of each what was changed, and measures the result.</p>
<h2>The openings</h2>
<p>The built-in seeds are the opening bars of pieces in the public domain, written out by hand for
this project, with reference files at hand.</p>
<h2>The piano, and the band</h2>
<p>What you hear is the grand piano of FluidR3, a free SoundFont by Frank Wen and contributors
(MIT licence), in the browser and in the files you keep; and, where a band plays, its drum kit,
steel guitar, fingered bass and strings.</p>
<h2>What you may do with the music</h2>
<p>The code is under the MIT licence. What may be done with a model's output depends on the music
it was taught: each card on the page <em>Models</em> names the licences, and says whether the
output may be used commercially.</p>
</div>
"""
)
