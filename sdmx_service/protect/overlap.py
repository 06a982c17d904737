"""Groups that share people: they do not add up to their total."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from sdmx_service.protect.disclosure import Margin

__all__ = ["adding_up"]


def adding_up(
    margins: Iterable[Margin], n: NDArray[np.integer]
) -> tuple[list[Margin], list[Margin]]:
    """Return the margins whose parts add up, and those whose parts share people.

    ``n`` (K,) are the people of the cells. Where somebody is in two parts, they count more people
    than their total: nothing can be subtracted there. Groups that might overlap but do not add up.
    """
    found: tuple[list[Margin], list[Margin]] = ([], [])
    for margin in margins:
        found[int(n[list(margin.parts)].sum()) > int(n[margin.total])].append(margin)
    return found
