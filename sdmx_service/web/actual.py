"""What there are data for, told as a constraint."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sdmx_service.query.availability import Availability, Span
from sdmx_service.query.availability_query import AvailabilityQuery
from sdmx_service.query.query import Context, DataQuery, Target
from sdmx_service.release import Release
from sdmx_service.release.answer import Answer
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.references import References
from sdmx_service.structures.store import StructureStore

__all__ = ["availability_constraint", "reaches_actual", "with_actual"]

_ATTACHED = {
    Context.DATA_STRUCTURE: (ArtefactKind.DATA_STRUCTURE, "dataStructures"),
    Context.PROVISION_AGREEMENT: (ArtefactKind.PROVISION_AGREEMENT, "provisionAgreements"),
    Context.DATAFLOW: (ArtefactKind.DATAFLOW, "dataflows"),
}
_UPWARD = frozenset(
    {
        *(References.PARENTS, References.PARENTS_AND_SIBLINGS),
        *(References.ANCESTORS, References.ALL),
    }
)
_STORES: WeakKeyDictionary[Release, StructureStore] = WeakKeyDictionary()


def availability_constraint(
    answer: Answer,
    there: Availability,
    dimensions: Collection[str],
    *,
    context: Context = Context.DATAFLOW,
    old: bool,
    listed: Collection[str] = (),
) -> Artefact:
    """Return the constraint on what was asked for, of these dimensions.

    SDMX 2.1 (``old``) has the period of all data, 3.x one of the time dimension; where that is
    ``listed`` its periods are told one by one.
    """
    structure = answer.flow.structure
    agreed = answer.agreement if context is Context.PROVISION_AGREEMENT else None
    named = agreed or answer.flow
    kind, key = _ATTACHED.get(context, _ATTACHED[Context.DATAFLOW])
    span = there.span
    values: list[dict[str, Any]] = []
    for name in dimensions:
        if structure.timed and name == structure.time.id and name not in listed:
            if not old and span:
                values.append({"id": name, "timeRange": _range(span)})
            continue
        if not there.values[name]:
            continue
        selection: dict[str, Any] = {
            "id": name,
            "values": [{"value": value} for value in there.values[name]],
        }
        if span and not old:
            selection |= {"validFrom": span.first, "validTo": span.last}
        values.append(selection)
    content: dict[str, Any] = {
        "id": named.id,
        "agencyID": named.agency,
        "version": named.version,
        "names": dict(named.name),
        "constraintAttachment": {key: [kind.urn(named.agency, named.id, named.version)]},
        "cubeRegions": [{"keyValues": values, "include": True}],
        "seriesCount": there.series,
        "obsCount": there.observations,
    }
    if old and span:
        content["referencePeriod"] = {
            "startTime": span.covers.start.isoformat(timespec="seconds"),
            "endTime": (span.covers.end - timedelta(seconds=1)).isoformat(timespec="seconds"),
        }
    return Artefact(ArtefactKind.AVAILABILITY_CONSTRAINT, content)


def reaches_actual(
    kinds: Collection[ArtefactKind], references: References | Collection[ArtefactKind]
) -> bool:
    """Tell whether a structure query may come upon actual constraints, which refer to flows."""
    wanted = kinds if isinstance(references, References) else {*kinds, *references}
    return ArtefactKind.AVAILABILITY_CONSTRAINT in wanted or references in _UPWARD


def with_actual(release: Release) -> StructureStore:
    """Return a release's structures with an actual constraint for each flow that has data.

    SDMX 2.1 has these among its artefacts; 3.x answers them as availability alone. They tell of
    one release, so they are never final.
    """
    if release not in _STORES:
        every = DataQuery(target=Target(versions=("*",)))
        _STORES[release] = release.structures.with_artefacts(
            _actual(release, one) for one in release.answer(every)
        )
    return _STORES[release]


def _actual(release: Release, answer: Answer) -> Artefact:
    dimensions = [one.id for one in answer.flow.structure.key]
    there = answer.available(AvailabilityQuery(DataQuery()))
    found = availability_constraint(answer, there, dimensions, old=True, listed=dimensions)
    return found.with_content(
        id=f"ACTUAL_{answer.flow.id}",
        # Its periods are listed; sdmx1 stops at a reference period.
        referencePeriod=None,
        descriptions={"en": f"The values that release {release.id} has data for."},
        isFinal=False,
    )


def _range(span: Span) -> dict[str, Any]:
    return {"startPeriod": {"period": span.first}, "endPeriod": {"period": span.last}}
