"""The cells of a column as JSON: indexes into its values, or the values themselves."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import polars as pl

from sdmx_service.errors import NotAcceptable
from sdmx_service.formats.action import Generation
from sdmx_service.formats.dataset import MISSING, TEXTS, DataSet
from sdmx_service.formats.message import DataMessage
from sdmx_service.formats.rendering import Rendering, encoded, told
from sdmx_service.formats.seen import identities, seen
from sdmx_service.formats.textcells import FLOATS, WHOLE, inner_of
from sdmx_service.structures.artefacts import Component, Role

__all__ = ["Column", "columns", "quoted"]

# What the schemas take as an id; other codes go as a value.
_ID = re.compile(r"[A-Za-z0-9_@$-]+")
_SPECIAL = r"[\x00-\x1f\x22\\]"
_INTEGER = r"^-?(?:0|[1-9][0-9]{0,17})$"
_NUMBERS = FLOATS | WHOLE | {"Numeric"}
# Lists longer than this are made as JSON, not as objects.
_MANY = 100


@dataclass(frozen=True)
class Column:
    """One component's cells as JSON, and the values its indexes stand for.

    ``rendering`` makes the cells; numbers may still be numbers, what is not reported is null.
    ``values`` is the list as an object, or as JSON where it is long.
    """

    component: Component
    rendering: Rendering
    values: list[dict[str, Any]] | orjson.Fragment | None

    @property
    def text(self) -> pl.Expr:
        """The cells of any rows as texts, ``null`` where nothing is reported."""
        return self.rendering.sure.cast(pl.String).fill_null("null")

    def of(self, rows: pl.DataFrame) -> pl.Series:
        """Return the cells of a frame as texts, ``null`` where nothing is reported."""
        return rows.select(self.text).to_series()


def columns(
    message: DataMessage, dataset: DataSet, generation: Generation, above: Collection[str] = ()
) -> dict[str, Column]:
    """Return the columns of a data set by component id.

    Dimensions and coded components go as indexes into the values there are, which takes a pass
    over them unless an index knows; so do, in version 1.0, all attributes and, in the others, the
    numbers among those ``above`` the observations, which the schemas take there as indexes only
    (minimum 0).
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
            made[one.id] = Column(one, _plain(one, kind, dataset.height), None)
    return made


def _indexed(
    one: Component, dataset: DataSet, generation: Generation, above: Collection[str]
) -> bool:
    if one.role in (Role.DIMENSION, Role.TIME):
        return True
    if generation is Generation.SDMX_2_1:
        return one.role is Role.ATTRIBUTE
    kind = dataset.schema[one.id]
    # Whole numbers come as texts where one of them is missing on purpose.
    if one.id in above and (kind.is_numeric() or (one.data_type in WHOLE and kind == pl.String)):
        return True
    several = isinstance(dataset.schema[one.id], pl.List)
    # The schema of 2.0.0 takes no array of integers, so several codes go as they are.
    return one.codelist is not None and not (several and generation is Generation.SDMX_3_0)


def _used(dataset: DataSet, names: Sequence[str]) -> dict[str, pl.Series]:
    """Return the values there are, each once.

    Those of a list are texts in its order, others texts in order of their own, numbers numbers.
    """
    index = dataset.index
    known = {} if index is None else {name: index.used(name) for name in names}
    used = {name: column for name, column in known.items() if column is not None}
    left = [name for name in names if name not in used]
    for name, column in seen(dataset, left).items():
        if column.dtype.is_numeric():
            used[name] = column
            continue
        texts = set(column.cast(pl.String))
        kind = inner_of(dataset.schema[name])
        listed = kind.categories if isinstance(kind, pl.Enum) else sorted(texts)
        used[name] = pl.Series([text for text in listed if text in texts], dtype=pl.String)
    return used


def _of_indexes(
    message: DataMessage,
    one: Component,
    kind: pl.DataType,
    used: pl.Series,
    generation: Generation,
) -> Column:
    column, texts = pl.col(one.id), used.cast(pl.String)
    listed = one.role is not Role.ATTRIBUTE or one.codelist is not None
    values: list[dict[str, Any]] | orjson.Fragment
    if listed or generation is not Generation.SDMX_2_1 or len(used) < _MANY:
        values = [_value(message, one, value, generation) for value in texts]
    else:
        values = _names(_with_infinity(used) if kind.is_numeric() else texts)
    if kind.is_numeric():
        known = identities(used)

        def places(part: pl.Series) -> pl.Series:
            wanted = identities(part.fill_null(0))
            # In order, each is looked for near the one before it, which the caches hold.
            order = np.argsort(wanted)
            at = np.empty(len(wanted), dtype="<i8")
            at[order] = np.searchsorted(known, wanted[order])
            return pl.select(pl.when(part.is_not_null()).then(pl.Series(at))).to_series()

        return Column(one, Rendering(column.map_batches(places, return_dtype=pl.Int64)), values)
    place = {value: at for at, value in enumerate(texts)}
    if isinstance(kind, pl.List):
        index = pl.element()
        if place:
            index = index.replace_strict(list(place), [str(at) for at in place.values()])
        several = column.cast(pl.List(pl.String)).list.eval(index)
        cell = pl.concat_str(pl.lit("["), several.list.join(","), pl.lit("]"))
        return Column(one, Rendering(pl.when(column.list.len() > 0).then(cell)), values)
    if isinstance(kind, pl.Enum):
        written = [str(place[code]) if code in place else None for code in kind.categories]
        table = pl.Series(written, dtype=pl.String)
        return Column(one, Rendering(pl.lit(table).gather(column.to_physical())), values)
    text = column.cast(pl.String)
    if len(texts):
        indexes = pl.Series([str(at) for at in range(len(texts))], dtype=pl.String)
        text = text.replace_strict(texts, indexes, default=None, return_dtype=pl.String)
    return Column(one, Rendering(text), values)


def _names(values: pl.Series) -> orjson.Fragment:
    """Return a long list of values that have names only, as version 1.0 has them."""
    named = pl.concat_str(pl.lit(',{"name":'), quoted(values), pl.lit("}"))
    return orjson.Fragment(b"[" + encoded(pl.select(named).to_series())[1:] + b"]")


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
            number = one.data_type in _NUMBERS and value != MISSING
            return {"value": _number(value, generation) if number else value}
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


def _plain(one: Component, kind: pl.DataType, height: int) -> Rendering:
    """Return what writes the values themselves."""
    column = pl.col(one.id)
    if kind == TEXTS:
        return _mapped(column, lambda part: _by_language(part, one))
    if kind.is_numeric() and one.data_type in _NUMBERS:
        if not kind.is_float():
            return Rendering(column)
        # JSON has no NaN: the standard's word for it goes as a string.
        text = column.cast(pl.String)
        word = pl.concat_str(pl.lit('"'), text.str.replace("inf", "INF", literal=True), pl.lit('"'))
        either = pl.when(column.is_finite()).then(text).otherwise(word)
        return Rendering(column, either, (~column.is_finite()).any())
    language = one.multilingual and one.codelist is None and kind == pl.String
    whole, boolean = one.data_type in WHOLE, one.data_type == "Boolean"
    if not language and (whole or boolean):
        raw = _INTEGER if whole else r"^(?:true|false)$"
        return _mapped(column, lambda part: _unless(raw, part))
    codes = told(column, kind, height, _one_quoted)
    if codes is not None:
        return Rendering(codes)
    if kind.is_numeric():
        return _mapped(column, lambda part: quoted(_with_infinity(part)))
    text = column.cast(pl.String)
    return Rendering(
        pl.concat_str(pl.lit('"'), text, pl.lit('"')),
        text.map_batches(quoted, return_dtype=pl.String),
        text.str.contains(_SPECIAL).any(),
    )


def _mapped(column: pl.Expr, write: Callable[[pl.Series], pl.Series]) -> Rendering:
    def written(part: pl.Series) -> pl.Series:
        if part.null_count() == len(part):
            return pl.repeat(None, len(part), dtype=pl.String, eager=True)
        return write(part)

    return Rendering(column.map_batches(written, return_dtype=pl.String))


def _one_quoted(text: str) -> str:
    return orjson.dumps(text).decode()


def _with_infinity(part: pl.Series) -> pl.Series:
    return part.cast(pl.String).str.replace("inf", "INF", literal=True)


def _unless(raw: str, part: pl.Series) -> pl.Series:
    """Return texts in quotes, those that are JSON by themselves without."""
    text = _with_infinity(part) if part.dtype.is_numeric() else part.cast(pl.String)
    return pl.select(pl.when(text.str.contains(raw)).then(text).otherwise(quoted(text))).to_series()


def quoted(part: pl.Series) -> pl.Series:
    """Return texts in quotes, escaped where one needs it."""
    special = part.str.contains(_SPECIAL)
    if special.any():
        distinct = part.filter(special).unique()
        written = pl.Series([orjson.dumps(text).decode()[1:-1] for text in distinct])
        part = part.replace(distinct, written)
    return pl.select(pl.concat_str(pl.lit('"'), part, pl.lit('"'))).to_series()


def _each(lists: pl.Series, write: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """Return each list as one text: what ``write`` makes of its values, between commas.

    A value that is not reported is ``null``, a list without values is nothing.
    """
    lengths = lists.list.len().fill_null(0)
    full = lengths > 0
    values = lists.filter(full).list.explode(empty_as_null=False)
    row = np.repeat(np.arange(int(full.sum()), dtype="u4"), lengths.filter(full).to_numpy())
    table = pl.DataFrame({"row": row, "text": write(values).fill_null("null")})
    joined = table.group_by("row", maintain_order=True).agg(pl.col("text").str.join(","))
    place = pl.when(full).then(full.cum_sum().cast(pl.Int64) - 1)
    return joined.get_column("text").gather(pl.select(place).to_series())


def _between(opening: str, texts: pl.Series, close: str) -> pl.Series:
    return pl.select(pl.concat_str(pl.lit(opening), texts, pl.lit(close))).to_series()


def _by_language(column: pl.Series, one: Component) -> pl.Series:
    """Return texts as objects of a text a language."""
    tags = column.list.eval(pl.element().struct.field("lang"))
    if (tags.list.n_unique() < tags.list.len()).any():
        raise NotAcceptable(
            f"SDMX-JSON, {one.id}", got="two texts in one language", expected="one a language"
        )

    def texts(values: pl.Series) -> pl.Series:
        tag, text = (quoted(values.struct.field(name)) for name in ("lang", "text"))
        return pl.select(pl.concat_str(tag, pl.lit(":"), text)).to_series()

    return _between("{", _each(column, texts), "}")


def _of_lists(one: Component, kind: pl.List, generation: Generation) -> Column:
    first = generation is Generation.SDMX_3_0

    def numbers(lists: pl.Series) -> pl.Series:
        # The schema takes an array of numbers or one of strings; that of 2.0.0 none of integers.
        element = pl.element()
        strange = ~element.is_finite().fill_null(value=True)
        if one.data_type not in _NUMBERS:
            worded = pl.repeat(value=True, n=len(lists), eager=True)
        else:
            worded = lists.list.eval(strange).list.any()
            if first:
                worded |= lists.list.eval((element % 1 == 0).fill_null(value=True)).list.all()
        plain = _each(lists, lambda values: values.cast(pl.String))
        words = _each(lists, lambda values: quoted(_with_infinity(values)))
        return pl.select(pl.when(worded).then(words).otherwise(plain)).to_series()

    def cells(lists: pl.Series) -> pl.Series:
        if kind.inner == TEXTS:
            written = _each(lists, lambda values: _by_language(values, one))
        elif kind.inner.is_numeric():
            written = numbers(lists)
        else:
            written = _each(lists, lambda values: quoted(values.cast(pl.String)))
        return _between("[", written, "]")

    return Column(one, _mapped(pl.col(one.id), cells), None)
