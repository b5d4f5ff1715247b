"""About: what this is, whose ideas it stands on, and what may be done with the music."""

from pyzzicato.ui import shell

shell.open_page("About")
shell.title("About Pyzzicato")
