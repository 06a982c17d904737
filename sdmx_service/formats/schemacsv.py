"""A template for SDMX-CSV: the header of a file, and below each column what may stand there.

A spreadsheet shows what is expected; the rows below the header go before data are filled in. Their
first cell is no word of SDMX-CSV, so that a reader refuses a template that is sent as it is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import zip_longest

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats.action import Generation
from sdmx_service.formats.schema import MetadataSchema, SchemaMessage, Writable, allowed
from sdmx_service.formats.schema import register_schema as register
from sdmx_service.structures.artefacts import Component, Role, localised

__all__ = ["EXPLAINED", "write_template"]

EXPLAINED = ("#name", "#role", "#type", "#code")
"""The first cells of the rows that explain: what it is, its role, its type, a code allowed."""


@register(
    "csvtemplate",
    "text/csv",
    "",
    ".csv",
    short_names=("template",),
    family=("csv",),
    generation=Generation.SDMX_3_1,
)
def write_template(message: Writable) -> Iterator[bytes]:
    """Yield the template: the header of SDMX-CSV 2.1, then names, roles, types and codes."""
    if isinstance(message, MetadataSchema):
        raise NotAcceptable(
            message.urn, got="a CSV template", expected="a JSON Schema, or the structure itself"
        )
    components = _columns(message)
    words = {"Dataflow": "dataflow", "DataStructure": "datastructure"}
    named, _, identity = message.urn.rpartition("=")
    context = words.get(named.rpartition(".")[2], "dataprovision")
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    several = any(one.multiple or one.multilingual for one in components)
    structure = "STRUCTURE[;]" if several else "STRUCTURE"
    writer.writerow(
        [structure, "STRUCTURE_ID", "ACTION", *(_header(one, message) for one in components)]
    )
    name, role, kind, code = EXPLAINED
    writer.writerow([name, "", "", *(localised(one.name) for one in components)])
    writer.writerow([role, "", "", *map(_role, components)])
    lists = [list(allowed(message.flow, one, message.languages) or ()) for one in components]
    types = (_type(one, len(codes)) for one, codes in zip(components, lists, strict=True))
    writer.writerow([kind, "", "", *types])
    columns = [[context], [identity], ["D"] if message.deletion else ["I", "A", "M", "R", "D"]]
    for row in zip_longest(*columns, *lists, fillvalue=""):
        # The words for the first cell stand beside the mark that keeps the row from being read.
        writer.writerow([f"{code} {row[0]}".rstrip(), *row[1:]])
    yield out.getvalue().encode()


def _columns(message: SchemaMessage) -> tuple[Component, ...]:
    structure = message.structure
    return (*structure.key, *structure.measures, *structure.attributes)


def _header(component: Component, message: SchemaMessage) -> str:
    """Return the name of a column; that of texts by language names the languages in their order."""
    if component.multilingual:
        return f"{component.id}[{';'.join(message.languages)}]"
    return f"{component.id}[]" if component.multiple else component.id


def _role(component: Component) -> str:
    if component.role in (Role.DIMENSION, Role.TIME):
        return str(component.role.value)
    level = f" of the {component.attachment.value}" if component.attachment else ""
    return f"{component.role.value}{level}, {'mandatory' if component.mandatory else 'optional'}"


def _type(component: Component, codes: int) -> str:
    if component.codelist is not None:
        known = len(component.codelist.codes)
        told = [f"{codes} of {known} codes"] if codes < known else []
        told += [f"up to {component.most} values"] if component.most else []
        return f"{component.codelist.id} ({', '.join(told)})" if told else component.codelist.id
    told = [f"{name} {value}" for name, value in component.facets.items()]
    told += [f"up to {component.most} values"] if component.most else []
    return f"{component.data_type} ({', '.join(told)})" if told else component.data_type
