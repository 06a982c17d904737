"""A data set as an Arrow table whose schema says what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import polars as pl
import pyarrow as pa

from sdmx_service.cube import column_type
from sdmx_service.errors import DataError
from sdmx_service.formats.action import Action, Generation
from sdmx_service.formats.dataset import TEXTS, Context, DataSet, Provision
from sdmx_service.formats.feature import Feature
from sdmx_service.formats.message import DataMessage
from sdmx_service.formats.registry import Provisions, Structures
from sdmx_service.formats.soundness import sound
from sdmx_service.structures.artefacts import Component, Dataflow

__all__ = ["CARRIED", "described", "read_table"]

CARRIED = frozenset(Feature) - {Feature.SEVERAL_DATASETS, Feature.SEVERAL_STRUCTURES}
_KEY = b"sdmx"


def described(message: DataMessage) -> pa.Schema:
    """Return the schema of the only data set of a message.

    Metadata ``sdmx`` of the schema is a JSON object: dataflow, structure, release, prepared,
    action, context; that of a field is its role, its name and its codelist.
    """
    dataset = message.dataset
    plain = pl.DataFrame(schema=dict(dataset.schema)).to_arrow().schema
    fields = [
        field.with_metadata({_KEY: json.dumps(_component(message, component)).encode()})
        for field, component in zip(plain, dataset.components, strict=True)
    ]
    return pa.schema(fields, {_KEY: json.dumps(_dataset(message, dataset)).encode()})


def _dataset(message: DataMessage, dataset: DataSet) -> Mapping[str, str | None]:
    structure, subject = dataset.structure, dataset.subject
    return {
        "context": dataset.context.value,
        "agency": subject.agency,
        "id": subject.id,
        "version": subject.version,
        "name": message.text(subject.name),
        "structure": f"{structure.agency}:{structure.id}({structure.version})",
        "action": dataset.action.value,
        "release": message.release,
        "prepared": message.prepared.isoformat(),
        "validFrom": dataset.valid_from.isoformat() if dataset.valid_from else None,
        "validTo": dataset.valid_to.isoformat() if dataset.valid_to else None,
    }


def _component(message: DataMessage, component: Component) -> Mapping[str, str | None]:
    listed = component.codelist
    return {
        "role": component.role.value,
        "name": message.text(component.name),
        "codelist": f"{listed.agency}:{listed.id}({listed.version})" if listed else None,
        "attachment": component.attachment.value if component.attachment else None,
    }


def read_table(table: pa.Table, structures: Structures) -> DataMessage:
    """Return a table that was written here as a message.

    Raises DataError for a table that does not say which structure it follows, for columns that are
    no component of it, and for observations that cannot be told apart.
    """
    said = (table.schema.metadata or {}).get(_KEY)
    if said is None:
        raise DataError(
            "schema metadata",
            got="no entry sdmx",
            expected="what the columns describe",
            hint="only tables that were written as data messages are read",
        )
    about = json.loads(said)
    context = Context(about["context"])
    flow, provision = _subject(context, about, structures)
    unknown = [name for name in table.column_names if name not in flow.structure.by_id]
    if unknown:
        raise DataError("columns", got=unknown[0], expected=f"components of {flow.structure.id}")
    frame = pl.DataFrame(pl.from_arrow(table))
    dataset = DataSet(
        flow,
        frame.select(_typed(frame, flow.structure.by_id[name]) for name in frame.columns),
        Action.of(about["action"], Generation.SDMX_3_1, "schema metadata"),
        _moment(about["validFrom"]),
        _moment(about["validTo"]),
        context,
        provision,
    )
    prepared = _moment(about["prepared"]) or datetime(1970, 1, 1, tzinfo=UTC)
    return sound(DataMessage((dataset,), about["release"], prepared))


def _subject(
    context: Context, about: Mapping[str, str], structures: Structures
) -> tuple[Dataflow, Provision | None]:
    agency, id, version = about["agency"], about["id"], about["version"] or "+"
    if context is Context.DATAFLOW:
        return structures.dataflow(id, agency, version), None
    if context is Context.DATA_STRUCTURE:
        found = structures.datastructure(id, agency, version)
        return Dataflow(found.agency, found.id, found.version, found.name, found), None
    if not isinstance(structures, Provisions):
        raise DataError(
            "schema metadata",
            got=f"provision agreement {id}",
            expected="a dataflow or a data structure",
            hint="provision agreements are not known here",
        )
    flow = structures.provisioned(id, agency, version)
    return flow, Provision(agency, id, about["version"], {})


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _typed(frame: pl.DataFrame, component: Component) -> pl.Expr:
    """Return the column with its codes as the list of the structure has them."""
    kind = frame.schema[component.id]
    column = pl.col(component.id)
    if component.codelist is None or kind in (TEXTS, pl.List(TEXTS)):
        return column
    known = column_type(component)
    inner = column.explode() if isinstance(kind, pl.List) else column
    used = set(frame.select(inner.cast(pl.String).unique().drop_nulls()).to_series())
    extra = sorted(used - set(component.codelist.by_id))
    strange = [code for code in extra if code not in ("#N/A", "~", "-")]
    if strange:
        raise DataError(
            f"column {component.id}",
            got=strange[0],
            expected=f"a code of {component.codelist.id}",
        )
    if extra:
        known = pl.Enum([*component.codelist.by_id, *extra])
    return column.cast(pl.List(known) if isinstance(kind, pl.List) else known)
