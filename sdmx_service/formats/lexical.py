"""A value as XML Schema writes it, which SDMX-CSV follows."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["text_of"]


def text_of(value: Any) -> str:
    """Return a truth, a number or a text in the lexical form of XML Schema (part 2, 3.2.2, 3.2.5).

    A float is the shortest text that reads back the same; outside the numbers are INF, -INF, NaN.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isinf(value):
        return "INF" if value > 0 else "-INF"
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value)
    return str(value)
