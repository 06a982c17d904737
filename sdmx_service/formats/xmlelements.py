"""The elements of an SDMX-ML data set: series, observations, groups, as text a row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from sdmx_service.formats.dataset import DataSet
from sdmx_service.formats.xmlcells import (
    Cells,
    Complex,
    Parts,
    attribute,
    attribute_cells,
    complex_cells,
    joined,
    parts,
)
from sdmx_service.formats.xmlheader import Dialect
from sdmx_service.structures.artefacts import Component, Role

__all__ = ["Elements", "Generic", "Specific", "elements"]

Components = Sequence[Component]


@dataclass
class Elements(ABC):
    """What one form of SDMX-ML writes for the rows of a data set.

    ``structure`` is the id of the structure in the header, ``prefix`` that of its namespace.
    """

    dataset: DataSet
    dialect: Dialect
    structure: str
    prefix: str
    language: str
    _cells: dict[str, Cells] = field(default_factory=dict)
    _nested: dict[str, Complex] = field(default_factory=dict)

    @abstractmethod
    def opening(self, attributes: pl.DataFrame) -> str:
        """Return the start of the data set with its attributes, a frame of one row or none."""

    @abstractmethod
    def series(
        self, rows: pl.DataFrame, dimensions: Components, attributes: Components, closed: bool
    ) -> pl.Series:
        """Return a Series element a row, whole or only its start."""

    @abstractmethod
    def observations(
        self,
        rows: pl.DataFrame,
        dimensions: Components,
        values: Components,
        *,
        alone: bool,
        after: Parts,
    ) -> pl.Series:
        """Return an Obs element a row; ``alone`` without a series around it.

        ``after`` is what it follows in its row, such as the start of a series.
        """

    @abstractmethod
    def group(
        self, rows: pl.DataFrame, id: str | None, dimensions: Components, attributes: Components
    ) -> pl.Series:
        """Return an element a row for attributes of a part of the key; without id, of any part."""

    @property
    def closing(self) -> bytes:
        """The end of the data set."""
        return b"</message:DataSet>"

    @property
    def after_series(self) -> str:
        """The end of a series."""
        return "</Series>"

    def _said(self, namespace: str) -> str:
        """Return the XML attributes of the data set that are no components."""
        dataset = self.dataset
        said = f" {namespace}structureRef={attribute(self.structure)}"
        said += f' {namespace}action="{dataset.action.word(self.dialect.generation)}"'
        if dataset.valid_from:
            said += f' {namespace}validFromDate="{dataset.valid_from.isoformat()}"'
        if dataset.valid_to:
            said += f' {namespace}validToDate="{dataset.valid_to.isoformat()}"'
        return said


class Specific(Elements):
    """Structure-specific: an XML attribute a component, Comp elements for what has no such form."""

    def opening(self, attributes: pl.DataFrame) -> str:
        """Return the start of the data set; before 3.0 it bears its attributes itself."""
        said = self._said("data:")
        old = self.dialect.old
        if old:
            said += ' data:dataScope="DataStructure"'
        opened = f'<message:DataSet{said} xsi:type="{self.prefix}:DataSetType"'
        if attributes.is_empty():
            return f"{opened}>"
        components = [self.dataset.structure.by_id[name] for name in attributes.columns]
        if old:
            texts = joined([opened, *self._simple(attributes, components), ">"], attributes)
            return str(texts.item())
        return f"{opened}>{self.group(attributes, None, (), components).item()}"

    def series(
        self, rows: pl.DataFrame, dimensions: Components, attributes: Components, closed: bool
    ) -> pl.Series:
        """Return ``<Series ID="value" ...>`` a row."""
        return self._element("Series", "", rows, (*dimensions, *attributes), closed)

    def observations(
        self,
        rows: pl.DataFrame,
        dimensions: Components,
        values: Components,
        *,
        alone: bool,
        after: Parts,
    ) -> pl.Series:
        """Return ``<Obs ID="value" .../>`` a row."""
        return self._element("Obs", "", rows, (*dimensions, *values), closed=True, after=after)

    def group(
        self, rows: pl.DataFrame, id: str | None, dimensions: Components, attributes: Components
    ) -> pl.Series:
        """Return ``<Group ID="value" .../>`` a row, ``<Atts .../>`` where it has no id."""
        name, type = ("Atts", "") if id is None else ("Group", f' xsi:type="{self.prefix}:{id}"')
        return self._element(name, type, rows, (*dimensions, *attributes), closed=True)

    def _element(
        self,
        name: str,
        type: str,
        rows: pl.DataFrame,
        components: Components,
        closed: bool,
        after: Parts | None = None,
    ) -> pl.Series:
        simple = [one for one in components if not self._is_complex(one)]
        nested = [one for one in components if self._is_complex(one)]
        made: Parts = [*(after or ()), f"<{name}{type}", *self._simple(rows, simple)]
        if not nested:
            return joined([*made, "/>" if closed else ">"], rows)
        made.append(">")
        for one in nested:
            made += self._complex(one)(rows.get_column(one.id))
        return joined([*made, f"</{name}>"] if closed else made, rows)

    def _simple(self, rows: pl.DataFrame, components: Components) -> Parts:
        return parts(rows, [self._cell(one) for one in components])

    def _cell(self, one: Component) -> Cells:
        if one.id not in self._cells:
            # A primary measure of 2.1 is called OBS_VALUE, whatever its name elsewhere.
            name = "OBS_VALUE" if self.dialect.old and one.role is Role.MEASURE else one.id
            kind, height = self.dataset.schema[one.id], self.dataset.height
            self._cells[one.id] = attribute_cells(one, kind, height, f" {name}=")
        return self._cells[one.id]

    def _is_complex(self, one: Component) -> bool:
        if self.dialect.old or one.role in (Role.DIMENSION, Role.TIME):
            return False
        languages = one.multilingual and one.codelist is None
        return languages or one.multiple or isinstance(self.dataset.schema[one.id], pl.List)

    def _complex(self, one: Component) -> Complex:
        if one.id not in self._nested:
            # The type has the name it bears in the samples of the standard.
            type = f"{self.prefix}:{one.id}_{one.role.name}"
            kind, height = self.dataset.schema[one.id], self.dataset.height
            self._nested[one.id] = complex_cells(one, kind, height, type, self.language)
        return self._nested[one.id]


class Generic(Elements):
    """Generic (SDMX 2.1): a Value element a component."""

    def opening(self, attributes: pl.DataFrame) -> str:
        """Return the start of the data set with its attributes."""
        opened = f"<message:DataSet{self._said('')}>"
        components = [self.dataset.structure.by_id[name] for name in attributes.columns]
        if attributes.is_empty():
            return opened
        return opened + str(joined(self._attributes(attributes, components), attributes).item())

    @property
    def after_series(self) -> str:
        """The end of a series."""
        return "</generic:Series>"

    def series(
        self, rows: pl.DataFrame, dimensions: Components, attributes: Components, closed: bool
    ) -> pl.Series:
        """Return ``<generic:Series>`` with its key and attributes a row."""
        return joined(
            [
                "<generic:Series><generic:SeriesKey>",
                *self._values(rows, dimensions),
                "</generic:SeriesKey>",
                *self._attributes(rows, attributes),
                "</generic:Series>" if closed else "",
            ],
            rows,
        )

    def observations(
        self,
        rows: pl.DataFrame,
        dimensions: Components,
        values: Components,
        *,
        alone: bool,
        after: Parts,
    ) -> pl.Series:
        """Return ``<generic:Obs>`` with its key, value and attributes a row."""
        key: Parts
        if alone:
            key = ["<generic:ObsKey>", *self._values(rows, dimensions), "</generic:ObsKey>"]
        else:
            key = list(self._values(rows, dimensions, "generic:ObsDimension"))
        measures = [one for one in values if one.role is Role.MEASURE]
        attributes = [one for one in values if one.role is Role.ATTRIBUTE]
        return joined(
            [
                *after,
                "<generic:Obs>",
                *key,
                *self._values(rows, measures, "generic:ObsValue"),
                *self._attributes(rows, attributes),
                "</generic:Obs>",
            ],
            rows,
        )

    def group(
        self, rows: pl.DataFrame, id: str | None, dimensions: Components, attributes: Components
    ) -> pl.Series:
        """Return ``<generic:Group>`` with its key and attributes a row."""
        return joined(
            [
                f"<generic:Group type={attribute(id or '')}><generic:GroupKey>",
                *self._values(rows, dimensions),
                "</generic:GroupKey>",
                *self._attributes(rows, attributes),
                "</generic:Group>",
            ],
            rows,
        )

    def _values(
        self, rows: pl.DataFrame, components: Components, element: str = "generic:Value"
    ) -> Parts:
        cells = []
        for one in components:
            key = f"{element} {one.id}"
            if key not in self._cells:
                # The schema fixes the id of a measure to OBS_VALUE, so it says nothing.
                id = "" if one.role is Role.MEASURE else f" id={attribute(one.id)}"
                kind, height = self.dataset.schema[one.id], self.dataset.height
                self._cells[key] = attribute_cells(
                    one, kind, height, f"<{element}{id} value=", "/>"
                )
            cells.append(self._cells[key])
        return parts(rows, cells)

    def _attributes(self, rows: pl.DataFrame, components: Components) -> Parts:
        """Return the Attributes element of each row, nothing where it has no attribute at all."""
        if not components:
            return []
        values = ["<generic:Attributes>", *self._values(rows, components), "</generic:Attributes>"]
        if any(rows.get_column(one.id).null_count() == 0 for one in components):
            return values
        present = pl.any_horizontal(pl.col(one.id).is_not_null() for one in components)
        return [pl.when(present).then(joined(values, rows))]


def elements(
    dataset: DataSet, dialect: Dialect, structure: str, prefix: str, language: str
) -> Elements:
    """Return what writes the elements of a data set in a form of SDMX-ML."""
    kind = Specific if dialect.specific else Generic
    return kind(dataset, dialect, structure, prefix, language)
