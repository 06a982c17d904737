"""Names that a JSON object has more than once, of which parsers keep the last."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from sdmx_service.errors import DataError

__all__ = ["refuse_repeated_keys"]

_KEY = re.compile(rb'"[0-9]+(?::[0-9]+)*"\s*:')


def refuse_repeated_keys(whole: bytes, datasets: Iterable[Any]) -> None:
    """Raise DataError where an object of a message names a series or an observation again.

    ``datasets`` are the data set objects as they were parsed: there are fewer of their keys than
    the message has where one is lost.
    """
    kept = sum(map(_keys, datasets))
    if _most(whole) <= kept or sum(1 for _ in _KEY.finditer(whole)) <= kept:
        return
    json.loads(whole, object_pairs_hook=_refusing)


def _keys(dataset: Any) -> int:
    """Return how many keys of series and observations a data set has."""
    if not isinstance(dataset, dict):
        return 0
    series, flat = dataset.get("series"), dataset.get("observations")
    count = len(flat) if isinstance(flat, dict) else 0
    if isinstance(series, dict):
        each = [one.get("observations") for one in series.values() if isinstance(one, dict)]
        count += len(series) + sum(len(one) for one in each if isinstance(one, dict))
    return count


def _most(whole: bytes) -> int:
    """Return how many colons may stand behind a name that ends in a digit, which is soon told."""
    marks = np.frombuffer(whole, dtype="u1")
    colons = np.flatnonzero(marks == ord(":"))
    before, last = marks[colons - 1], marks[colons - 2]
    named = (before == ord('"')) & (last >= ord("0")) & (last <= ord("9"))
    return int(np.count_nonzero(named | (before <= ord(" "))))


def _refusing(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        name = next(name for name in names if names.count(name) > 1)
        raise DataError(
            "message",
            got=f"the name {name[:80]} twice in an object",
            expected="each series and observation once",
            hint="parsers of JSON keep the last of them without a word",
        )
    return made
