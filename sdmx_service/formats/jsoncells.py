"""The cells of a column as JSON: indexes into its values, or the values themselves."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

import orjson
import polars as pl

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats.action import Generation
from sdmx_service.formats.dataset import TEXTS, DataSet
from sdmx_service.formats.message import DataMessage
from sdmx_service.formats.textcells import FLOATS, WHOLE, inner_of
from sdmx_service.structures.artefacts import Component, Role

__all__ = ["Column", "columns"]

# What the schemas take as an id; other codes go as a value.
_ID = re.compile(r"[A-Za-z0-9_@$-]+")
_SPECIAL = r"[\x00-\x1f\x22\\]"
_INTEGER = r"^-?(?:0|[1-9][0-9]{0,17})$"
_NUMBERS = FLOATS | WHOLE | {"Numeric"}


@dataclass(frozen=True)
class Column:
    """One component's cells as JSON, and the values its indexes stand for.

    ``cells`` makes text of a slice of the column; what is not reported stays null.
    """

    component: Component
    cells: Callable[[pl.Series], pl.Series]
    values: list[dict[str, Any]] | None

    def of(self, rows: pl.DataFrame) -> pl.Series:
        """Return the cells of a frame, ``null`` where nothing is reported."""
        return self.cells(rows.get_column(self.component.id)).fill_null("null")


def columns(
    message: DataMessage, dataset: DataSet, generation: Generation, above: Collection[str] = ()
) -> dict[str, Column]:
    """Return the columns of a data set by component id.

    Dimensions and coded components go as indexes into the values there are, which takes a pass
    over them; so do, in version 1.0, all attributes and, in the others, the numbers among those
    ``above`` the observations, which the schemas take there as indexes only (minimum 0).
    """
    indexed = [one for one in dataset.components if _indexed(one, dataset, generation, above)]
    used = _used(dataset, [one.id for one in indexed])
    made = {}
    for one in dataset.components:
        kind = dataset.schema[one.id]
        if one in indexed:
            made[one.id] = _of_indexes(message, one, kind, used[one.id], generation)
        elif isinstance(kind, pl.List) and kind != TEXTS:
            made[one.id] = _of_lists(one, kind, generation)
        else:
            made[one.id] = Column(one, _plain(one, kind), None)
    return made


def _indexed(
    one: Component, dataset: DataSet, generation: Generation, above: Collection[str]
) -> bool:
    if one.role in (Role.DIMENSION, Role.TIME):
        return True
    if generation is Generation.SDMX_2_1:
        return one.role is Role.ATTRIBUTE
    if one.id in above and dataset.schema[one.id].is_numeric():
        return True
    several = isinstance(dataset.schema[one.id], pl.List)
    # The schema of 2.0.0 takes no array of integers, so several codes go as they are.
    return one.codelist is not None and not (several and generation is Generation.SDMX_3_0)


def _used(dataset: DataSet, names: Iterable[str]) -> dict[str, list[str]]:
    """Return the values there are: those of a list in its order, others in order of their own."""
    found: dict[str, set[Any]] = {name: set() for name in names}
    most = {}
    for name in found:
        kind = inner_of(dataset.schema[name])
        most[name] = len(kind.categories) if isinstance(kind, pl.Enum) else math.inf
    for chunk in dataset.chunks():
        for name, seen in found.items():
            if len(seen) < most[name]:
                column = chunk.get_column(name)
                if isinstance(column.dtype, pl.List):
                    column = column.drop_nulls().list.explode(empty_as_null=False)
                seen.update(column.unique().drop_nulls().cast(pl.String))
    used = {}
    for name, seen in found.items():
        kind = inner_of(dataset.schema[name])
        if isinstance(kind, pl.Enum):
            used[name] = [code for code in kind.categories if code in seen]
        else:
            used[name] = sorted(seen)
    return used


def _of_indexes(
    message: DataMessage,
    one: Component,
    kind: pl.DataType,
    used: list[str],
    generation: Generation,
) -> Column:
    place = {value: at for at, value in enumerate(used)}
    values = [_value(message, one, value, generation) for value in used]

    def lists(part: pl.Series) -> pl.Series:
        texts = part.cast(pl.List(pl.String)).to_list()
        found = [None if t is None else str([place[code] for code in t]) for t in texts]
        return pl.Series([None if text == "[]" else text for text in found], dtype=pl.String)

    if isinstance(kind, pl.List):
        return Column(one, lists, values)
    if isinstance(kind, pl.Enum):
        written = [str(place[code]) if code in place else None for code in kind.categories]
        table = pl.Series(written, dtype=pl.String)
        return Column(one, lambda part: table.gather(part.to_physical()), values)
    known = pl.Series(used, dtype=pl.String)
    written_ = pl.Series([str(at) for at in range(len(used))], dtype=pl.String)

    def texts(part: pl.Series) -> pl.Series:
        text = part.cast(pl.String)
        if known.is_empty():
            return text
        return text.replace_strict(known, written_, default=None, return_dtype=pl.String)

    return Column(one, texts, values)


def _value(
    message: DataMessage, one: Component, value: str, generation: Generation
) -> dict[str, Any]:
    """Return what the message says of a value that its indexes stand for."""
    first = generation is Generation.SDMX_2_1
    listed = one.codelist.by_id.get(value) if one.codelist else None
    if value in ("inf", "-inf") and one.data_type in FLOATS:
        value = value.replace("inf", "INF")
    if _ID.fullmatch(value) is None and first and one.role is not Role.ATTRIBUTE:
        raise NotAcceptable(
            f"SDMX-JSON 1.0.0, {one.id}",
            got=value[:80],
            expected="an id of letters, digits, _, @, $ and -, as the schema has it",
            hint="SDMX-JSON 2.x carries it",
        )
    if listed is None:
        if not first:
            return {"value": _number(value, generation) if one.data_type in _NUMBERS else value}
        return {"name": value} if one.role is Role.ATTRIBUTE else {"id": value, "name": value}
    said: dict[str, Any] = {"name": message.text(listed.name) or value}
    said = {"id" if _ID.fullmatch(value) else "value": value, **said}
    if listed.name:
        said["names"] = dict(listed.name)
    if listed.parent and _ID.fullmatch(listed.parent) and one.role is not Role.ATTRIBUTE:
        said["parent"] = listed.parent
    return said


def _number(text: str, generation: Generation) -> str | float | int:
    """Return a number of a list of values, as text where the schemas want that.

    They hold 0.0 and -0.0 to be the same; that of 2.0.0 takes no whole number.
    """
    number = float(text)
    if not math.isfinite(number):
        return text.replace("inf", "INF")
    if number == 0 or (number.is_integer() and generation is Generation.SDMX_3_0):
        return text
    return int(text) if text.lstrip("-").isdecimal() else number


def _plain(one: Component, kind: pl.DataType) -> Callable[[pl.Series], pl.Series]:
    number = one.data_type in _NUMBERS
    if kind == TEXTS:
        return lambda part: _dumped([_by_language(text, one) for text in part.to_list()])
    if kind.is_numeric() and number:
        return _numbers
    if one.multilingual and one.codelist is None and kind == pl.String:
        return lambda part: _strings(part)
    raw = _INTEGER if one.data_type in WHOLE else r"^(?:true|false)$"
    mixed = one.data_type in WHOLE or one.data_type == "Boolean"

    def texts(part: pl.Series) -> pl.Series:
        text = part.cast(pl.String)
        if part.dtype.is_float() and part.is_infinite().any():
            text = text.str.replace("inf", "INF", literal=True)
        quoted = _strings(text)
        if not mixed:
            return quoted
        return pl.select(pl.when(text.str.contains(raw)).then(text).otherwise(quoted)).to_series()

    return texts


def _numbers(part: pl.Series) -> pl.Series:
    text = part.cast(pl.String)
    if not part.dtype.is_float():
        return text
    odd = ~part.is_finite()
    if not odd.any():
        return text
    # JSON has no NaN: the standard's word for it goes as a string.
    text = text.str.replace("inf", "INF", literal=True)
    quoted = pl.concat_str(pl.lit('"'), text, pl.lit('"'))
    return pl.select(pl.when(odd).then(quoted).otherwise(text)).to_series()


def _strings(part: pl.Series) -> pl.Series:
    """Return texts in quotes, escaped where one needs it."""
    special = part.str.contains(_SPECIAL)
    if special.any():
        distinct = part.filter(special).unique()
        written = pl.Series([orjson.dumps(text).decode()[1:-1] for text in distinct])
        part = part.replace(distinct, written)
    return pl.select(pl.concat_str(pl.lit('"'), part, pl.lit('"'))).to_series()


def _dumped(values: Iterable[Any]) -> pl.Series:
    texts = [None if value is None else orjson.dumps(value).decode() for value in values]
    return pl.Series(texts, dtype=pl.String)


def _by_language(texts: list[dict[str, str]] | None, one: Component) -> dict[str, str] | None:
    if not texts:
        return None
    found = {text["lang"]: text["text"] for text in texts}
    if len(found) < len(texts):
        raise NotAcceptable(
            f"SDMX-JSON, {one.id}", got="two texts in one language", expected="one a language"
        )
    return found


def _of_lists(one: Component, kind: pl.List, generation: Generation) -> Column:
    first = generation is Generation.SDMX_3_0

    def written(value: list[Any] | None) -> Any:
        if not value:
            return None
        if kind.inner == TEXTS:
            return [_by_language(texts, one) for texts in value]
        if not kind.inner.is_numeric():
            return value
        # The schema takes an array of numbers or one of strings; that of 2.0.0 none of integers.
        odd = any(v is not None and not math.isfinite(v) for v in value)
        whole = first and all(v is None or float(v).is_integer() for v in value)
        if odd or whole or one.data_type not in _NUMBERS:
            return [None if v is None else _word(v) for v in value]
        return value

    def cells(part: pl.Series) -> pl.Series:
        plain = part.cast(pl.List(pl.String)) if isinstance(kind.inner, pl.Enum) else part
        return _dumped(written(value) for value in plain.to_list())

    return Column(one, cells, None)


def _word(value: float) -> str:
    if isinstance(value, float) and math.isinf(value):
        return "INF" if value > 0 else "-INF"
    return "NaN" if value != value else repr(value)
