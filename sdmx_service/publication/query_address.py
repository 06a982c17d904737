"""The SDMX query that returns exactly the numbers of a figure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import prod

__all__ = ["Query", "exact_queries"]

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A REST 1.5 data query; ``codes`` holds, for each dimension, the codes asked for."""

    base_url: str
    agency: str
    flow: str
    codes: tuple[tuple[str, ...], ...]
    first: str
    last: str

    @property
    def key(self) -> str:
        """The key as the standard writes it."""
        return ".".join("+".join(codes) for codes in self.codes)

    @property
    def address(self) -> str:
        """The whole address, which asks for CSV."""
        return (
            f"{self.base_url.rstrip('/')}/rest/data/{self.agency},{self.flow},1.0.0/{self.key}"
            f"?startPeriod={self.first}&endPeriod={self.last}&format=csv"
        )


def _codes(keys: Sequence[Key]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(dict.fromkeys(place)) for place in zip(*keys, strict=True))


def _exact(keys: Sequence[Key], published: Collection[Key] | None) -> bool:
    """Say whether one key with alternatives returns these series and no others."""
    codes = _codes(keys)
    if published is None:
        return prod(len(place) for place in codes) == len(set(keys))
    asked = [frozenset(place) for place in codes]
    returned = sum(
        all(code in place for code, place in zip(key, asked, strict=True)) for key in published
    )
    return returned == len(set(keys))


def exact_queries(
    base_url: str,
    agency: str,
    flow: str,
    families: Sequence[Sequence[Key]],
    periods: Sequence[str],
    published: Collection[Key] | None = None,
) -> tuple[Query, ...]:
    """Return as few queries as can be: families of series are joined while the key stays exact.

    A key with alternatives asks for the product of its codes, so two breakdowns in one key would
    also ask for their cross-classification. ``published`` holds the series there are: where a
    product asks for no other of them it is exact; without it, only a full product is.
    """
    joined: list[list[Key]] = []
    for family in families:
        if not family:
            continue
        if joined and _exact([*joined[-1], *family], published):
            joined[-1].extend(family)
        else:
            joined.append(list(family))
    return tuple(
        Query(base_url, agency, flow, _codes(keys), min(periods), max(periods)) for keys in joined
    )
