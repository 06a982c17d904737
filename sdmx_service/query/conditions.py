"""The conditions of a REST 2.x query on components: ``c[ID]=OPERATOR:VALUE``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sdmx_service.errors import RequestError
from sdmx_service.query import grammar
from sdmx_service.query.period import parse_period
from sdmx_service.query.query import Condition, Operator

__all__ = ["PREFIX", "conditions"]

PREFIX = "c["
_OF_TEXT = frozenset({Operator.CO, Operator.NC, Operator.SW, Operator.EW})
_OPERATORS = {operator.value: operator for operator in Operator}
_AND = re.compile(r"\+")
# The offset of a time is no test of its own: ge:2020-01-01T00:00:00+01:00.
_AND_OF_TIMES = re.compile(r"\+(?!\d{2}:\d{2}(?:\+|$))")


def conditions(given: Mapping[str, str]) -> tuple[Condition, ...]:
    """Return the conditions among the parameters of a query; RequestError for a bad one."""
    return tuple(_condition(name, text) for name, text in given.items() if name.startswith(PREFIX))


def _condition(name: str, text: str) -> Condition:
    """Read alternatives separated by ``,``, each of tests joined by ``+``."""
    if not name.endswith("]"):
        raise RequestError("query parameter", got=name[:255], expected="c[ID] with a closing ]")
    component = grammar.component(name[len(PREFIX) : -1], "c[]")
    where, hint = f"c[{component}]", f"operators: {', '.join(_OPERATORS)}"
    alternatives = []
    for alternative in text.split(","):
        tests = []
        for test in (_AND_OF_TIMES if component == "TIME_PERIOD" else _AND).split(alternative):
            prefix, colon, value = test.partition(":")
            operator = _OPERATORS.get(prefix) if colon else None
            asked = value if operator else test
            if not asked or len(asked) > grammar.LONGEST:
                raise RequestError(
                    where,
                    got=test[: grammar.LONGEST],
                    expected="OPERATOR:VALUE or VALUE",
                    hint=hint,
                )
            if component == "TIME_PERIOD" and operator not in _OF_TEXT:
                parse_period(asked, where, hint=None if operator else hint)
            tests.append((operator or Operator.EQ, asked))
        alternatives.append(tuple(tests))
    return Condition(component, tuple(alternatives))
