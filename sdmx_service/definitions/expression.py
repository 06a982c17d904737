"""The small language of definitions: comparisons and arithmetic over the columns of a table.

Example: ``activity == 'UNEMP' and age >= 15``. Names are columns; numbers, quoted text,
``+ - * /``, comparisons (chained too), ``in [..]``, ``not in [..]``, ``and``, ``or``, ``not``
and the functions ``missing(x)``, ``min(a, b)``, ``max(a, b)``. A missing value stays missing
(Kleene logic), so that an unanswered question is neither yes nor no.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property, reduce

import polars as pl

from sdmx_service.errors import DefinitionError

__all__ = ["Expression"]

_COMPARE: dict[type[ast.cmpop], Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    ast.Eq: lambda left, right: left == right,
    ast.NotEq: lambda left, right: left != right,
    ast.Lt: lambda left, right: left < right,
    ast.LtE: lambda left, right: left <= right,
    ast.Gt: lambda left, right: left > right,
    ast.GtE: lambda left, right: left >= right,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    ast.Add: lambda left, right: left + right,
    ast.Sub: lambda left, right: left - right,
    ast.Mult: lambda left, right: left * right,
    ast.Div: lambda left, right: left / right,
}


def _unless_missing(function: Callable[..., pl.Expr]) -> Callable[..., pl.Expr]:
    """Return the function with a missing value wherever an argument is missing."""

    def strict(*values: pl.Expr) -> pl.Expr:
        absent = reduce(lambda a, b: a | b, (value.is_null() for value in values))
        return pl.when(~absent).then(function(*values))

    return strict


_FUNCTIONS: dict[str, tuple[int, Callable[..., pl.Expr]]] = {
    "missing": (1, lambda value: value.is_null()),
    "min": (2, _unless_missing(pl.min_horizontal)),
    "max": (2, _unless_missing(pl.max_horizontal)),
}


@dataclass(frozen=True)
class Expression:
    """A parsed expression; ``place`` says where it stands, for error messages."""

    text: str
    place: str

    def __post_init__(self) -> None:
        self._built  # noqa: B018  # refuse a bad expression where it is read, not where it is used

    @cached_property
    def _tree(self) -> ast.expr:
        try:
            return ast.parse(self.text.strip(), mode="eval").body
        except SyntaxError as error:
            raise self._wrong(self.text, f"an expression ({error.msg})") from None

    @cached_property
    def names(self) -> frozenset[str]:
        """The columns the expression reads."""
        called = {
            node.func.id
            for node in ast.walk(self._tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        found = {node.id for node in ast.walk(self._tree) if isinstance(node, ast.Name)}
        return frozenset(found - called)

    @cached_property
    def _built(self) -> pl.Expr:
        return self._build(self._tree)

    def over(self, columns: Collection[str]) -> pl.Expr:
        """Return the polars expression over ``columns``; an unknown column is an error."""
        for name in sorted(self.names):
            if name not in columns:
                close = difflib.get_close_matches(name, columns, 1)
                raise DefinitionError(
                    self.place,
                    got=name,
                    expected=f"a column: {', '.join(sorted(columns))}",
                    hint=f"did you mean {close[0]}?" if close else None,
                )
        return self._built

    def evaluate(self, frame: pl.DataFrame, kind: pl.DataType | type[pl.DataType]) -> pl.Series:
        """Return the values over a table as ``kind``, missing ones null.

        Raises DefinitionError for an unknown column, or where text meets a number.
        """
        try:
            return frame.select(self.over(frame.columns).cast(kind).alias("value")).to_series()
        except pl.exceptions.PolarsError as error:
            raise DefinitionError(
                self.place,
                got=f"{self.text.strip()}: {str(error).splitlines()[0]}",
                expected="text compared with text, numbers with numbers",
                hint="; ".join(f"{name} is {frame.schema[name]}" for name in sorted(self.names)),
            ) from None

    def _wrong(self, got: str, expected: str) -> DefinitionError:
        return DefinitionError(
            self.place, got=got, expected=expected, hint="example: age >= 15 and sex == 'F'"
        )

    def _build(self, node: ast.expr) -> pl.Expr:
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                return reduce(lambda a, b: a & b, map(self._build, values))
            case ast.BoolOp(op=ast.Or(), values=values):
                return reduce(lambda a, b: a | b, map(self._build, values))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ~self._build(operand)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._build(operand)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
                return _ARITHMETIC[type(op)](self._build(left), self._build(right))
            case ast.Compare():
                return self._compare(node)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
                count, function = _FUNCTIONS[name]
                if len(args) != count:
                    raise self._wrong(ast.unparse(node), f"{name} with {count} argument(s)")
                return function(*map(self._build, args))
            case ast.Name(id=name):
                return pl.col(name)
            case ast.Constant(value=bool() | int() | float() | str() as value):
                return pl.lit(value)
            case _:
                raise self._wrong(
                    ast.unparse(node), "names, numbers, text, comparisons and arithmetic"
                )

    def _compare(self, node: ast.Compare) -> pl.Expr:
        parts = []
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, ast.In | ast.NotIn):
                value = self._build(left)
                member = reduce(
                    lambda a, b: a | b, (value == pl.lit(one) for one in self._members(right))
                )
                parts.append(~member if isinstance(op, ast.NotIn) else member)
            elif type(op) in _COMPARE:
                parts.append(_COMPARE[type(op)](self._build(left), self._build(right)))
            else:
                raise self._wrong(ast.unparse(node), "== != < <= > >= in")
            left = right
        return reduce(lambda a, b: a & b, parts)

    def _members(self, node: ast.expr) -> list[str | int | float]:
        if (
            isinstance(node, ast.List | ast.Tuple)
            and node.elts
            and all(isinstance(item, ast.Constant) for item in node.elts)
        ):
            return list(ast.literal_eval(node))
        raise self._wrong(ast.unparse(node), "a list of values: ['A', 'B']")
