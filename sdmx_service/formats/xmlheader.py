"""What stands around the data sets of an SDMX-ML data message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from sdmx_service.formats.action import Generation
from sdmx_service.formats.dataset import Context, DataSet
from sdmx_service.formats.message import DataMessage, message_id
from sdmx_service.formats.xmlcells import attribute, content

__all__ = ["XSI", "Dialect", "Envelope", "namespaces", "subject_urn"]

XSI = "http://www.w3.org/2001/XMLSchema-instance"
_URN = "urn:sdmx:org.sdmx.infomodel."
_CLASSES: Mapping[Context, tuple[str, str]] = {
    Context.DATAFLOW: ("Dataflow", "datastructure"),
    Context.DATA_STRUCTURE: ("DataStructure", "datastructure"),
    Context.PROVISION: ("ProvisionAgreement", "registry"),
}
_ELEMENTS = {
    Context.DATAFLOW: "StructureUsage",
    Context.DATA_STRUCTURE: "Structure",
    Context.PROVISION: "ProvisionAgreement",
}


@dataclass(frozen=True)
class Dialect:
    """One of the forms of an SDMX-ML data message.

    ``root`` is the name of its root element, ``data`` the last part of the namespace of its data.
    """

    generation: Generation
    root: str
    data: str
    timed: bool = False

    @property
    def old(self) -> bool:
        """Whether it is a form of SDMX 2.1."""
        return self.generation is Generation.SDMX_2_1

    @property
    def specific(self) -> bool:
        """Whether components have XML attributes of their own."""
        return self.data == "structurespecific"

    @property
    def title(self) -> str:
        """How people call it."""
        return f"SDMX-ML {self.generation.value} {self.root}"


def namespaces(generation: Generation) -> Mapping[str, str]:
    """Return the namespaces of a generation by the prefixes used here."""
    folder = "v" + generation.value.replace(".", "_")
    base = f"http://www.sdmx.org/resources/sdmxml/schemas/{folder}/"
    names = {"message": "message", "common": "common", "footer": "message/footer"}
    names |= {"generic": "data/generic", "data": "data/structurespecific"}
    return {prefix: base + name for prefix, name in names.items()}


def subject_urn(dataset: DataSet) -> str:
    """Return the URN of what the observations of a data set are reported against."""
    name, package = _CLASSES[dataset.context]
    one = dataset.subject
    return f"{_URN}{package}.{name}={one.agency}:{one.id}({one.version or '1.0'})"


@dataclass(frozen=True)
class Envelope:
    """The root element and the header of a message; ``levels`` has, for each of its data sets,
    the id of the dimension at the observation.
    """

    message: DataMessage
    dialect: Dialect
    levels: tuple[str, ...]

    @cached_property
    def structures(self) -> dict[tuple[str, str], tuple[str, str]]:
        """For each subject and level: the id it has in the message and its namespace's prefix."""
        found: dict[tuple[str, str], tuple[str, str]] = {}
        taken: set[str] = set()
        for dataset, level in zip(self.message.datasets, self.levels, strict=True):
            key = (subject_urn(dataset), level)
            if key not in found:
                # An xs:ID begins with a letter or an underscore and has neither @ nor $.
                plain = dataset.structure.id.replace("@", "_").replace("$", "_")
                name = plain if plain[:1].isalpha() else f"_{plain}"
                while name in taken:
                    name += "_"
                taken.add(name)
                found[key] = (name, f"ns{len(found) + 1}")
        return found

    def of(self, number: int) -> tuple[str, str]:
        """Return the structure's id and prefix for a data set, counted from 0."""
        return self.structures[subject_urn(self.message.datasets[number]), self.levels[number]]

    def namespace(self, number: int) -> str:
        """Return the namespace of the types of a data set, in the form the standard recommends.

        Of SDMX 2.1 it is that of the flow where the data are those of an agreement on it, as it is
        in ``schemaxsd.target_namespace``.
        """
        dataset = self.message.datasets[number]
        urn = subject_urn(dataset)
        if self.dialect.old and dataset.context is Context.PROVISION:
            one = dataset.flow
            urn = f"{_URN}datastructure.Dataflow={one.agency}:{one.id}({one.version})"
        return f"{urn}:ObsLevelDim:{self.levels[number]}"

    def opening(self) -> bytes:
        """Return all that comes before the first data set."""
        known = namespaces(self.dialect.generation)
        used = ["message", "common", "data" if self.dialect.specific else "generic"]
        bound = "".join(f' xmlns:{prefix}="{known[prefix]}"' for prefix in used)
        if self.dialect.specific:
            bound += f' xmlns:xsi="{XSI}"'
            for number, prefix in self._first().items():
                bound += f" xmlns:{prefix}={attribute(self.namespace(number))}"
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<message:{self.dialect.root}{bound}>{self._header()}"
        ).encode()

    @property
    def closing(self) -> bytes:
        """What comes after the last data set."""
        return f"</message:{self.dialect.root}>".encode()

    def _first(self) -> dict[int, str]:
        """Return the prefix of each structure by the first data set that has it."""
        seen: dict[str, int] = {}
        for number in range(len(self.levels)):
            seen.setdefault(self.of(number)[1], number)
        return {number: prefix for prefix, number in seen.items()}

    def _header(self) -> str:
        message, generation = self.message, self.dialect.generation
        sender = message.sender or message.datasets[0].flow.agency
        structures = "".join(self._structure(number) for number in self._first())
        actions = {one.action.word(generation) for one in message.datasets}
        action = f"<message:DataSetAction>{actions.pop()}</message:DataSetAction>"
        return (
            "<message:Header>"
            f"<message:ID>{message_id(message.release)}</message:ID>"
            "<message:Test>false</message:Test>"
            f"<message:Prepared>{message.prepared.isoformat()}</message:Prepared>"
            f"<message:Sender id={attribute(message_id(sender))}/>"
            f"{structures}{'' if actions else action}"
            f"<message:DataSetID>{message_id(message.release)}</message:DataSetID>"
            "</message:Header>"
        )

    def _structure(self, number: int) -> str:
        dataset = self.message.datasets[number]
        said = f"structureID={attribute(self.of(number)[0])}"
        if self.dialect.specific:
            said += f" namespace={attribute(self.namespace(number))}"
        said += f" dimensionAtObservation={attribute(self.levels[number])}"
        return f"<message:Structure {said}>{self._reference(dataset)}</message:Structure>"

    def _reference(self, dataset: DataSet) -> str:
        element, one = _ELEMENTS[dataset.context], dataset.subject
        if not self.dialect.old:
            return f"<common:{element}>{content(subject_urn(dataset))}</common:{element}>"
        # The schema of 2.1 spells it so.
        element = "ProvisionAgrement" if dataset.context is Context.PROVISION else element
        version = f" version={attribute(one.version)}" if one.version else ""
        return (
            f"<common:{element}><Ref agencyID={attribute(one.agency)} id={attribute(one.id)}"
            f'{version} class="{_CLASSES[dataset.context][0]}"/></common:{element}>'
        )
