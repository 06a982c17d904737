"""Reference metadata beside the data of an answer: told, refused, or said to be left out."""

from __future__ import annotations

from collections.abc import Iterable

from sdmx_service.errors import SemanticError
from sdmx_service.formats import DataMessage
from sdmx_service.formats.dataset import DataSet
from sdmx_service.formats.metadataattached import (
    carries_metadata,
    refuse_uncarried,
    with_metadata,
)
from sdmx_service.formats.registry import Format
from sdmx_service.query.query import DataQuery
from sdmx_service.release import Release
from sdmx_service.release.reports import quality_reports, reported_structure

__all__ = ["left_out", "told"]


def told(
    datasets: tuple[DataSet, ...], query: DataQuery, release: Release, format: Format[DataMessage]
) -> tuple[DataSet, ...]:
    """Return data sets with the metadata that a query asks for.

    Who asks for all attributes gets those that the format has a place for (decision 0035); who
    asks for metadata (``attributes=msd``) gets NotAcceptable where it has none, and SemanticError
    where the release has no metadata.
    """
    if not query.metadata or (_everything(query) and not carries_metadata(format)):
        return datasets
    if not _everything(query) and reported_structure(release) is None:
        raise SemanticError(
            "attributes",
            got="msd",
            expected="attributes of the data structure, as the release tells no metadata",
            hint="attributes=dsd; GET /metadataflow/* lists the metadataflows",
        )
    found = _described(datasets, release)
    if _differ(found, datasets):
        refuse_uncarried(format)
    return found


def left_out(
    message: DataMessage, query: DataQuery, release: Release, format: Format[DataMessage]
) -> str | None:
    """Return what the header X-Left-Out is to say of an answer; None where nothing is missing."""
    if not query.metadata or carries_metadata(format):
        return None
    if not _differ(_described(message.datasets, release), message.datasets):
        return None
    return f"reference metadata (no place in {format.content_type})"


def _everything(query: DataQuery) -> bool:
    return query.attributes is not None and "all" in query.attributes


def _described(datasets: Iterable[DataSet], release: Release) -> tuple[DataSet, ...]:
    """Return data sets with the reports about them; one that no report is about as it is."""
    structure = reported_structure(release)
    if structure is None:
        return tuple(datasets)
    reports = quality_reports(release)
    return tuple(with_metadata(dataset, reports, structure) for dataset in datasets)


def _differ(found: Iterable[DataSet], datasets: Iterable[DataSet]) -> bool:
    return any(after is not before for after, before in zip(found, datasets, strict=True))
