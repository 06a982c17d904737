"""What is written of a column: two ways, of which most parts of it need only the easy one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import polars as pl

__all__ = ["Rendering", "doubts", "encoded", "told"]

# Longer lists are written anew for each message, instead of being kept.
_KEPT = 1_000


@dataclass(frozen=True)
class Rendering:
    """A column as it is written; null is what is not reported.

    ``doubt`` asks of some rows whether ``careful`` must be used for them: a text with a character
    to escape, a number without digits. Without it ``easy`` always does.
    """

    easy: pl.Expr
    careful: pl.Expr | None = None
    doubt: pl.Expr | None = None

    @property
    def sure(self) -> pl.Expr:
        """What may be used for any rows."""
        return self.easy if self.careful is None else self.careful


def doubts(rows: pl.DataFrame, renderings: Mapping[str, Rendering]) -> frozenset[str]:
    """Return the names of those that must be written carefully in some rows."""
    asked = [one.doubt.alias(name) for name, one in renderings.items() if one.doubt is not None]
    if not asked:
        return frozenset()
    said = rows.select(asked).row(0, named=True)
    return frozenset(name for name, doubtful in said.items() if doubtful)


def told(
    column: pl.Expr,
    kind: pl.DataType,
    height: int,
    write: Callable[[str], str],
    before: str = "",
    after: str = "",
) -> pl.Expr | None:
    """Return a column of codes with each as ``write`` has it, made once a code and not once a cell.

    ``before`` and ``after`` stand around it. None where it is no column of codes, or has fewer
    rows (``height``) than codes. ``write`` is the same function from one message to the next.
    """
    if not isinstance(kind, pl.Enum) or height < len(kind.categories):
        return None
    few = len(kind.categories) <= _KEPT
    table = (_kept if few else _written)(kind, write, before, after)
    return pl.lit(table).gather(column.to_physical())


def _written(kind: pl.Enum, write: Callable[[str], str], before: str, after: str) -> pl.Series:
    codes = kind.categories.to_list()
    together = "".join(codes)
    if write(together) == together:  # nothing to be done for any of them
        return pl.Series([f"{before}{code}{after}" for code in codes], dtype=pl.String)
    return pl.Series([f"{before}{write(code)}{after}" for code in codes], dtype=pl.String)


_kept = lru_cache(maxsize=1_000)(_written)


def encoded(lines: pl.Series) -> bytes:
    """Return the lines one after the other, as UTF-8."""
    array = lines.to_arrow(compat_level=pl.CompatLevel.oldest())
    _, places, content = array.buffers()
    if content is None:
        return b""
    offsets = np.frombuffer(places, np.int64)
    start, end = int(offsets[array.offset]), int(offsets[array.offset + len(array)])
    return bytes(memoryview(content)[start:end])
