"""What observations say they are reported against, looked up in the structures."""

from __future__ import annotations

from dataclasses import dataclass

from sdmx_service.errors import DataError
from sdmx_service.formats.dataset import Context, Provision
from sdmx_service.formats.registry import Provisions, Structures
from sdmx_service.structures.artefacts import Dataflow
from sdmx_service.structures.urns import Urn

__all__ = ["Subject", "found", "of_urn"]

_CONTEXTS = {
    "Dataflow": Context.DATAFLOW,
    "DataStructure": Context.DATA_STRUCTURE,
    "ProvisionAgreement": Context.PROVISION,
}


@dataclass(frozen=True)
class Subject:
    """A dataflow, or what stands for one, in the context that a message names it in."""

    context: Context
    flow: Dataflow
    provision: Provision | None = None


def found(
    context: Context, agency: str, id: str, version: str, structures: Structures, where: str
) -> Subject:
    """Return the subject; NotFound where ``structures`` do not have it.

    Raises DataError for a provision agreement where ``structures`` know none.
    """
    if context is Context.DATAFLOW:
        return Subject(context, structures.dataflow(id, agency, version))
    if context is Context.DATA_STRUCTURE:
        one = structures.datastructure(id, agency, version)
        return Subject(context, Dataflow(one.agency, one.id, one.version, one.name, one))
    if not isinstance(structures, Provisions):
        raise DataError(
            where,
            got=f"the provision agreement {agency}:{id}({version})",
            expected="a dataflow or a data structure",
            hint="provision agreements are not known here",
        )
    flow = structures.provisioned(id, agency, version)
    return Subject(context, flow, Provision(agency, id, version, {}))


def of_urn(text: str, structures: Structures, where: str) -> Subject:
    """Return what a URN names; DataError where it names nothing that data are reported against."""
    urn = Urn.parse(text.strip())
    if urn is None or urn.name not in _CONTEXTS or urn.item is not None:
        raise DataError(
            where,
            got=text.strip()[:200],
            expected="the URN of a Dataflow, a DataStructure or a ProvisionAgreement",
        )
    return found(_CONTEXTS[urn.name], urn.agency, urn.id, urn.version, structures, where)
