"""The values of an SDMX-JSON data message as columns, indexes looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from sdmx_service.errors import DataError
from sdmx_service.formats.dataset import MISSING
from sdmx_service.formats.textcells import FLOATS, WHOLE, Where, cells, typed
from sdmx_service.structures.artefacts import Component, DataStructure, Role

__all__ = ["Listed", "looked_up"]


@dataclass(frozen=True)
class Listed:
    """A component as a message lists it, with the values its indexes stand for.

    ``where`` names its place, ``deleted`` says that values only mark what is deleted, ``truths``
    that the message may have truth values, which polars takes for numbers.
    """

    component: Component
    said: Mapping[str, Any]
    where: str
    deleted: bool
    truths: bool = True

    @classmethod
    def of(
        cls, said: Any, structure: DataStructure, where: str, deleted: bool, truths: bool
    ) -> Listed:
        """Return a component object of a message; DataError where the structure has none such."""
        id = said.get("id") if isinstance(said, dict) else None
        component = structure.by_id.get(id) if isinstance(id, str) else None
        if component is None and id == "OBS_VALUE" and structure.measures:
            component = structure.measure
        if component is None:
            raise DataError(
                where, got=str(id)[:80], expected=f"a component of {structure.id}",
                hint=f"one of {', '.join(structure.by_id)}"[:500],
            )  # fmt: skip
        return cls(component, said, f"{where}, {component.id}", deleted, truths)

    @property
    def indexed(self) -> bool:
        """Whether the data have indexes; without values they have the values themselves."""
        return bool(self.said.get("values")) or self.component.role in (Role.DIMENSION, Role.TIME)

    @cached_property
    def values(self) -> list[Any]:
        """What the indexes stand for, as texts, lists or texts by language."""
        coded = self.component.codelist is not None
        found = []
        listed = self.said.get("values") or []
        if not isinstance(listed, list):
            raise DataError(f"{self.where}, values", got=str(listed)[:80], expected="an array")
        for at, one in enumerate(listed):
            if not isinstance(one, dict):
                raise DataError(f"{self.where}, value {at}", got=str(one)[:80], expected="a value")
            if "values" in one:
                found.append(_python(one["values"]))
            elif "value" in one:
                found.append(_python(one["value"]))
            elif self.component.role is Role.ATTRIBUTE and not coded:
                # In version 1.0 what is not coded is the name of a value without id.
                found.append(one.get("id", one.get("name")))
            else:
                # "#N/A" is no id, so version 1.0 has it as a name.
                found.append(one.get("id", MISSING if one.get("name") == MISSING else None))
        return found

    @cached_property
    def typed(self) -> pl.Series:
        """What the indexes stand for, typed as the component is."""
        deleted = self.deleted and self.component.role is Role.ATTRIBUTE
        return cells(self.component, self.values, lambda at: f"{self.where}, value {at}", deleted)

    def column(self, given: Sequence[Any], where: Where) -> pl.Series:
        """Return the values that cells of the data stand for; None is null, or the default."""
        column = self._column(given, where)
        default = self.said.get("default")
        if default is None or self.component.role is not Role.ATTRIBUTE or self.deleted:
            return column
        return column.fill_null(cells(self.component, [_python(default)], where, False)[0])

    def _column(self, given: Sequence[Any], where: Where) -> pl.Series:
        if not self.indexed:
            return self._own(given, where)
        indexes = None if self._with_truths(given) else _strictly(given, pl.UInt32())
        if indexes is not None:
            most = indexes.max()
            if not isinstance(most, int) or most < len(self.values):
                found = self.typed.gather(indexes)
                if found.dtype == pl.String and self.component.data_type in WHOLE:
                    # Another data set, or other rows, of the list may have a word for a number.
                    return typed(self.component, found, where, self.deleted)
                return found
        elif any(isinstance(one, list) for one in given):
            lists = [
                None
                if one is None
                else [self._at(part, row, where) for part in one]
                if isinstance(one, list)
                else self._at(one, row, where)
                for row, one in enumerate(given)
            ]
            return cells(self.component, lists, where, self.deleted)
        for row, one in enumerate(given):
            if one is not None:
                self._at(one, row, where)
        raise AssertionError("some index is none")

    def _own(self, given: Sequence[Any], where: Where) -> pl.Series:
        """Return the values that stand in the data themselves."""
        component = self.component
        plain = not (component.multiple or self.deleted or self._with_truths(given))
        if plain and component.codelist is None and component.data_type in FLOATS | WHOLE:
            found = self._numbers(given, where)
            if found is not None:
                return found.alias(component.id)
        texts = _strictly(given, pl.String())
        if texts is not None:
            return typed(component, texts, where, self.deleted)
        return cells(component, [_python(one) for one in given], where, self.deleted)

    def _numbers(self, given: Sequence[Any], where: Where) -> pl.Series | None:
        """Return numbers, or None where some are not written as such; floats may be words."""
        floats = self.component.data_type in FLOATS
        found = _strictly(given, pl.Float64() if floats else pl.Int64())
        if found is not None or not floats:
            return found
        found = _strictly([None if type(one) is str else one for one in given], pl.Float64())
        if found is None:
            return None
        words = pl.Series([one if type(one) is str else None for one in given], dtype=pl.String)
        return found.fill_null(typed(self.component, words, where, False))

    def _with_truths(self, given: Sequence[Any]) -> bool:
        return self.truths and bool in set(map(type, given))

    def _at(self, index: Any, row: int, where: Where) -> Any:
        if type(index) is not int or not 0 <= index < len(self.values):
            raise DataError(
                f"{where(row)}, {self.component.id}",
                got=str(index)[:80],
                expected=f"an index into its {len(self.values)} values",
            )
        return self.values[index]


def _strictly(given: Sequence[Any], kind: pl.DataType) -> pl.Series | None:
    """Return values as they are, None where one is of another type; polars takes true for 1."""
    try:
        return pl.Series(given, dtype=kind, strict=True)
    except (TypeError, OverflowError, pl.exceptions.PolarsError):
        return None


def looked_up(keys: Sequence[str], listed: Sequence[Listed], where: Where) -> dict[str, pl.Series]:
    """Return the dimensions of keys such as ``0:4:1``; DataError for one that is no such key."""
    pattern = ":".join(["[0-9]{1,9}"] * len(listed))
    texts = pl.Series("key", keys, dtype=pl.String)
    fits = texts.str.contains(f"^(?:{pattern})$")
    if not fits.all():
        row = int((~fits).arg_true()[0])
        raise DataError(
            where(row),
            got=keys[row][:80],
            expected=f"{len(listed)} indexes joined by colons",
        )
    parts = texts.str.split_exact(":", max(len(listed) - 1, 0)).struct.unnest()
    found = {}
    for place, one in enumerate(listed):
        indexes = parts.to_series(place).cast(pl.UInt32)
        most = indexes.max()
        if isinstance(most, int) and most >= len(one.values):
            row = int((indexes >= len(one.values)).arg_true()[0])
            one._at(int(indexes[row]), row, where)
        found[one.component.id] = one.typed.gather(indexes).alias(one.component.id)
    return found


def _python(value: Any) -> Any:
    """Return a JSON value as texts: a number as its own, an object as texts by language."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return [{"lang": tag, "text": text} for tag, text in value.items()]
    if isinstance(value, list):
        return [_python(one) for one in value]
    return repr(value)
