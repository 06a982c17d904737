"""The words that a publication does not use."""

from __future__ import annotations

import re

__all__ = ["AVOIDED", "avoided_words"]

AVOIDED = {
    "significant": "say: larger than sampling error, or use a verdict",
    "significantly": "say: larger than sampling error, or use a verdict",
    "insignificant": "say: we cannot tell",
    "trend": "say: change between two dates",
    "worse": "say: higher or lower",
    "worst": "say: highest or lowest measured",
    "best": "say: highest or lowest measured",
    "suffer": "say: have, live with",
    "suffers": "say: have, live with",
    "suffering": "say: have, live with",
    "vulnerable": "name the group",
    "gap closed": "say: the gap was measured at",
    "no difference": "say: close, or we cannot tell",
    "causes": "say: goes with",
    "leads to": "say: goes with",
    "normal": "name the reference",
}


def avoided_words(text: str) -> list[str]:
    """Return the avoided words in ``text``, in order of appearance, as they stand."""
    pattern = r"\b(" + "|".join(re.escape(word) for word in AVOIDED) + r")\b"
    return [found.group(0) for found in re.finditer(pattern, text, flags=re.IGNORECASE)]
