"""Where the numbers of a figure come from, and how they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sdmx_service.publication.edition import Edition
from sdmx_service.publication.query_address import Query, exact_queries
from sdmx_service.publication.series_key import GAP_KEY, LEVEL_KEY

__all__ = ["date_words", "queries_for", "source_line"]


def source_line(edition: Edition, area: str, period: str, *, note: str = "") -> str:
    """Return the source line: survey, period, whether it is synthetic, and the release."""
    surveys = "; ".join(
        f"{survey.named}, {survey.period or period}" for survey in edition.surveys_of(area)
    )
    said = f"{note.strip()} " if note else ""
    return f"{said}Source: {surveys}. Release {edition.release.id}."


def queries_for(
    edition: Edition,
    flow: str,
    families: Sequence[Sequence[tuple[str, ...]]],
    periods: Iterable[str],
    areas: Sequence[str],
) -> tuple[Query, ...]:
    """Return the queries that return exactly the series of a figure on these areas."""
    publication = edition.publication
    address = publication.get("base_url") or ""
    chosen = {key for family in families for key in family}
    indicators = {key[2] for key in chosen}
    names = GAP_KEY if flow.startswith("DF_GAP") else LEVEL_KEY
    table = flow if flow.startswith("DF_GAP") else "DF_ALL"
    published = [
        key for area in areas for key in _keys(edition, table, area, names) if key[2] in indicators
    ]
    return exact_queries(
        address, publication["agency"], flow, families, sorted(set(periods)), published
    )


def _keys(edition: Edition, flow: str, area: str, names: Sequence[str]) -> list[tuple[str, ...]]:
    def read() -> list[tuple[str, ...]]:
        frame = edition.observations(flow, area)
        return list(frame[list(names)].itertuples(index=False, name=None)) if len(frame) else []

    return edition.once(f"keys of {flow}", area, read)


def date_words(edition: Edition) -> str:
    """Return the time of publication in words, in UTC."""
    moment = edition.release.published
    return f"{moment.day} {moment:%B %Y, %H:%M} (UTC)"
