"""The look: one style sheet for every page, and what a picture needs to know of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st

__all__ = ["ICON", "is_dark", "style"]

_SHEET = Path(__file__).parent / "assets" / "shell.css"
ICON = Path(__file__).parent / "assets" / "icon.svg"


@cache
def _sheet() -> str:
    return f"<style>{_SHEET.read_text(encoding='utf-8')}</style>"


def style() -> None:
    """Puts the style sheet on the page."""
    st.html(_sheet())


def is_dark() -> bool:
    """Whether the visitor sees the dark colours now."""
    return st.context.theme.get("type") == "dark"
