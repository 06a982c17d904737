"""The frame of the pages for people: one style, no script, nothing fetched from elsewhere."""

from __future__ import annotations

from html import escape
from importlib.resources import files

__all__ = ["page"]

_STYLE = files("sdmx_service.web").joinpath("page.css").read_text(encoding="utf-8")


def page(title: str, *body: str) -> str:
    """Return a page in English; ``title`` is text, the rest is HTML."""
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>",
            *body,
            "</body></html>",
        )
    )
