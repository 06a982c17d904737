"""Texts of the definitions as markdown that says them letter by letter."""

from __future__ import annotations

import re

__all__ = ["verbatim"]

_MARKS = re.compile(r"[\\`*_{}\[\]<>#$@~^|&'\"]|-(?=-)|(?<=-)-|\.(?=\.)|(?<=\.)\.")
_STARTS = re.compile(r"^(?:(\w{1,9})(?=[.)](?:\s|$))|(?=[-+:=(]))")


def verbatim(text: str) -> str:
    """Return one line of markdown that shows the text and nothing else, in either engine.

    Titles, sentences and notes come from YAML: a star, a dollar or an ``@`` in them is meant.
    """
    escaped = _MARKS.sub(r"\\\g<0>", " ".join(text.split()))
    return _STARTS.sub(lambda found: f"{found.group(1) or ''}\\", escaped)
