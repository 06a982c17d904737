"""What the elements of an SDMX-ML data set say, by component id."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from lxml import etree

from sdmx_service.errors import DataError
from sdmx_service.formats.action import Generation
from sdmx_service.formats.xmlheader import namespaces
from sdmx_service.formats.xmlsource import Element
from sdmx_service.structures.artefacts import DataStructure, Role

__all__ = ["GenericValues", "SpecificValues", "Values"]

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_GENERIC = f"{{{namespaces(Generation.SDMX_2_1)['generic']}}}"

Row = dict[str, object]


@dataclass(frozen=True)
class Values(ABC):
    """Reads the components of the elements of one form of SDMX-ML; ``at`` is the id of the
    dimension at the observation.
    """

    structure: DataStructure
    generation: Generation
    at: str

    @abstractmethod
    def series(self, element: Element) -> Row:
        """Return the key and the attributes of a series."""

    @abstractmethod
    def observation(self, element: Element) -> Row:
        """Return the key, the measures and the attributes of an observation."""

    @abstractmethod
    def group(self, element: Element) -> Row:
        """Return the key and the attributes of a group."""

    @abstractmethod
    def dataset(self, element: Element) -> Row:
        """Return the attributes of a data set."""

    @property
    def measure(self) -> str:
        """The id that the primary measure of 2.1 goes by here."""
        structure = self.structure
        known = "OBS_VALUE" in structure.by_id or not structure.measures
        return "OBS_VALUE" if known else structure.measure.id


class SpecificValues(Values):
    """An XML attribute a component, Comp elements for what has no such form."""

    def series(self, element: Element) -> Row:
        """Return the key and the attributes of a series."""
        return self._row(element)

    def observation(self, element: Element) -> Row:
        """Return the key, the measures and the attributes of an observation."""
        return self._row(element)

    def group(self, element: Element) -> Row:
        """Return the key and the attributes of a group, whose type is none of them."""
        row = self._row(element)
        if "type" not in self.structure.by_id:
            row.pop("type", None)
        return row

    def dataset(self, element: Element) -> Row:
        """Return the attributes of a data set that its tag says, as 3.x may say them too."""
        row = self._row(element)
        if "action" not in self.structure.by_id:
            row.pop("action", None)
        return row

    def _row(self, element: Element) -> Row:
        row: Row = {str(k): str(v) for k, v in element.attrib.items() if k[0] != "{"}
        if len(element):
            for nested in element:
                if nested.tag == "Comp":
                    name = nested.get("id", "")
                    _refuse_second(row, name, nested)
                    row[name] = self._complex(name, nested)
        if "OBS_VALUE" in row and self.measure != "OBS_VALUE":
            _refuse_second(row, self.measure, element)
            row[self.measure] = row.pop("OBS_VALUE")
        return row

    def _complex(self, name: str, element: Element) -> object:
        component = self.structure.by_id.get(name)
        values = [self._value(one, element) for one in element if one.tag == "Value"]
        if component is None or component.multiple:
            return values
        if len(values) != 1:
            raise DataError(
                f"line {element.sourceline}, {name}",
                got=f"{len(values)} values",
                expected=f"one value: {name} takes no more",
            )
        return values[0]

    def _value(self, value: Element, element: Element) -> object:
        nested = list(value)
        if not nested:
            return value.text or ""
        text = f"{{{namespaces(self.generation)['common']}}}Text"
        wrong = next((one for one in nested if one.tag != text), None)
        if wrong is not None:
            raise DataError(
                f"line {element.sourceline}, {element.get('id')}",
                got=str(etree.QName(wrong).localname),
                expected="a text or common:Text",
                hint="structured text (XHTML) is not read",
            )
        return [{"lang": one.get(_LANG, "en"), "text": one.text or ""} for one in nested]


class GenericValues(Values):
    """A Value element a component."""

    def series(self, element: Element) -> Row:
        """Return the key and the attributes of a series."""
        return self._row(element)

    def observation(self, element: Element) -> Row:
        """Return the key, the value and the attributes of an observation."""
        return self._row(element)

    def group(self, element: Element) -> Row:
        """Return the key and the attributes of a group."""
        return self._row(element)

    def dataset(self, element: Element) -> Row:
        """Return the attributes of a data set."""
        return self._row(element)

    def _row(self, element: Element) -> Row:
        row: Row = {}
        for part in element:
            name = str(part.tag)[len(_GENERIC) :]
            if name in ("SeriesKey", "Attributes", "ObsKey", "GroupKey"):
                for value in part:
                    self._add(row, value, value.get("id", ""), keyed=name != "Attributes")
            elif name == "ObsDimension":
                # Without an id it is the dimension that the header names.
                self._add(row, part, part.get("id", self.at), keyed=True)
            elif name == "ObsValue":
                row[self.measure] = part.get("value")
        return row

    def _add(self, row: Row, value: Element, id: str, *, keyed: bool) -> None:
        """Put a value into a row that is a dimension, in a key, or anything else."""
        _refuse_second(row, id, value)
        component = self.structure.by_id.get(id)
        if component is not None and keyed != (component.role in (Role.DIMENSION, Role.TIME)):
            raise DataError(
                f"line {value.sourceline}, {id}",
                got=f"a {component.role.value}",
                expected="a dimension, in a key" if keyed else "no dimension, among attributes",
            )
        row[id] = value.get("value")


def _refuse_second(row: Row, id: str, element: Element) -> None:
    """Raise DataError where a row has a value of the component already."""
    if id in row:
        raise DataError(
            f"line {element.sourceline}, {id}",
            got="a second value",
            expected="one of each component in an element",
        )
