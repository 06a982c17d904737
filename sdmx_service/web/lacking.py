"""What of several structures an answer leaves out, as its shape needs a dimension they lack."""

from __future__ import annotations

from sdmx_service.query.query import DataQuery
from sdmx_service.query.selection import ALL_DIMENSIONS
from sdmx_service.release import Release
from sdmx_service.release.subject import subjects_of

__all__ = ["lacking_dimension"]

_MOST = 20


def lacking_dimension(query: DataQuery, release: Release) -> tuple[str, ...]:
    """Return what was asked for and lacks the dimension at the observation, as X-Left-Out says it.

    A message has one such dimension. Keys and conditions leave out what has no data that they ask
    for; this one says how data are shown, so that who asks is owed a word.
    """
    wanted = query.observed_by
    if wanted in (None, "TIME_PERIOD", ALL_DIMENSIONS):
        return ()
    found = [
        f"{named.agency}:{named.id}({named.version}) (no dimension {wanted})"
        for one in subjects_of(release.structures, query.target)
        for named in [one.agreement or one.flow]
        if one.flow.structure.id in release.manifest.rows
        and wanted not in {dimension.id for dimension in one.flow.structure.key}
    ]
    more = (f"... {len(found)} in all",) if len(found) > _MOST else ()
    return (*found[:_MOST], *more)
