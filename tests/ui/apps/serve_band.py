"""Streamlit, in a process that knows the tests' own family for a band; arguments as Streamlit's."""

from streamlit.web.cli import main

from tests.small_band_model import know_family

know_family()
main()
