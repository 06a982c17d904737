"""What may stand between the values of an SDMX-ML data set, and what each value is after it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from sdmx_service.formats.action import Generation
from sdmx_service.formats.xmlbodies import NotPlainError
from sdmx_service.formats.xmlheader import namespaces
from sdmx_service.structures.artefacts import DataStructure, Role

__all__ = ["ENGLISH", "GROUP", "IGNORED", "OBS", "SERIES", "Form", "Gap", "Place", "State"]

SERIES, OBS, GROUP = range(1, 4)
_ROWS = {"Series": SERIES, "Obs": OBS, "ObsAlone": OBS, "Group": GROUP, "Atts": GROUP}
IGNORED = -1
# The language of a text that does not say it (SDMXCommon.xsd, TextType).
ENGLISH = "en"

_SPACE = r"[ \t\r\n]"
_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*(?::[A-Za-z_][A-Za-z0-9_.-]*)?"
_TOKEN = re.compile(
    rf'(?P<quote>^")|<(?P<start>{_NAME})|</(?P<end>{_NAME}){_SPACE}*>|(?P<close>{_SPACE}*/?>)'
    rf'|{_SPACE}+(?P<open>{_NAME}){_SPACE}*={_SPACE}*"\Z|(?P<space>{_SPACE}+(?=<|\Z))'
    rf'|{_SPACE}+(?P<given>{_NAME}){_SPACE}*={_SPACE}*"(?P<value>[^"<&]*)"'
)
# Of each element its children by name: what they are here, after which steps of the element they
# may come, and the step that they make.
_Steps = Mapping[str, Mapping[str, tuple[str, tuple[int, ...], int]]]
_COMP = {"Comp": ("Comp", (0,), 0)}
_SPECIFIC: _Steps = {
    "DataSet": {name: (name, (0,), 0) for name in ("Series", "Obs", "Group", "Atts")},
    "Series": _COMP | {"Obs": ("Obs", (0, 1), 1)},
    "Obs": _COMP,
    "Group": _COMP,
    "Atts": _COMP,
    "Comp": {"Value": ("Value", (0, 1), 1)},
    "Value": {"Text": ("Text", (0, 1), 1)},
}
_VALUES = {"Value": ("Value", (0, 1), 1)}
_SAID = {"ObsValue": ("ObsValue", (1,), 2), "Attributes": ("Attributes", (1, 2), 3)}
_GENERIC: _Steps = {
    "DataSet": {
        "Group": ("Group", (0, 1), 1),
        "Series": ("Series", (0, 1, 2), 2),
        "Obs": ("ObsAlone", (0, 1, 3), 3),
    },
    "Group": {"GroupKey": ("GroupKey", (0,), 1), "Attributes": ("Attributes", (0, 1), 2)},
    "Series": {
        "SeriesKey": ("SeriesKey", (0,), 1),
        "Attributes": ("Attributes", (1,), 2),
        "Obs": ("Obs", (1, 2, 3), 3),
    },
    "Obs": {"ObsDimension": ("ObsDimension", (0,), 1)} | _SAID,
    "ObsAlone": {"ObsKey": ("ObsKey", (0,), 1)} | _SAID,
    "GroupKey": _VALUES,
    "SeriesKey": _VALUES,
    "ObsKey": _VALUES,
    "Attributes": _VALUES,
}
# The step that an element of a form must have come to at its end.
_LEAST = {
    False: {"Comp": 1, "Value": 0},
    True: {"Group": 2, "Series": 1, "Obs": 1, "ObsAlone": 1, "GroupKey": 1, "SeriesKey": 1,
           "ObsKey": 1, "Attributes": 1},
}  # fmt: skip
# The attributes of an element that are no component: what they may say, and which it must have.
# SDMXCommon.xsd has NCNameIDType for components of generic messages, IDType for groups.
_NAMED = "[A-Za-z][A-Za-z0-9_-]*"
_ATTRIBUTES: Mapping[bool, Mapping[str, Mapping[str, str]]] = {
    False: {"Comp": {"id": ".*", "xsi:type": ".*"}, "Text": {"xml:lang": ".*"}},
    True: {
        "Group": {"type": "[A-Za-z0-9_@$-]+"},
        "Value": {"id": _NAMED},
        "ObsDimension": {"id": _NAMED},
        "ObsValue": {"id": "OBS_VALUE"},
    },
}
_REQUIRED: Mapping[bool, Mapping[str, str]] = {
    False: {"Comp": "id"},
    True: {"Group": "type", "Value": "value", "ObsDimension": "value", "ObsValue": "value"},
}


class _NoStepError(Exception):
    """What stands there may not stand after what is open."""


@dataclass(frozen=True)
class State:
    """The elements that are open, each with the step it has come to.

    ``given`` has the attributes of the last one that are no component where its start tag has not
    ended, else it is None; ``component`` is that of an open Comp element.
    """

    open: tuple[tuple[str, int], ...] = (("DataSet", 0),)
    given: tuple[tuple[str, str], ...] | None = None
    component: int = IGNORED

    @property
    def last(self) -> str:
        """The innermost element."""
        return self.open[-1][0]

    @property
    def between(self) -> bool:
        """Whether nothing but the data set is open."""
        return len(self.open) == 1 and self.given is None

    @property
    def row(self) -> tuple[bool, int]:
        """Whether a series is open, and the kind of the innermost row, 0 for none."""
        kinds = [_ROWS[name] for name, _ in self.open if name in _ROWS]
        return SERIES in kinds, kinds[-1] if kinds else 0


@dataclass(frozen=True)
class Place:
    """The component that a value is of; whether a cell begins with it, or a value of a cell.

    ``language`` is that of a text by language, None of anything else.
    """

    component: int
    cell: bool = True
    value: bool = True
    language: str | None = None


@dataclass(frozen=True)
class Gap:
    """What stands between two values, as tokens: kind, name and, of an attribute, its value.

    ``row`` is the kind of row that begins in it, 0 for none; ``leaves`` says that a series ends
    in it, ``shuts`` that it begins with the end of a row without content.
    """

    tokens: tuple[tuple[str, str, str], ...]
    row: int
    leaves: bool
    shuts: bool


@dataclass(frozen=True)
class Form:
    """The elements of a data set in one form of SDMX-ML, with the components they may name.

    ``tags`` maps names with their prefixes to the standard's. ``measure`` is the component that
    OBS_VALUE stands for, ``at`` the dimension at the observation; with ``typed`` elements may
    have an ``xsi:type``. A ``timed`` form has series by time only.
    """

    structure: DataStructure
    generic: bool
    tags: Mapping[str, str]
    measure: str
    at: str
    typed: bool
    timed: bool

    @staticmethod
    def tags_of(
        generic: bool, generation: Generation, bound: Mapping[str | None, str]
    ) -> Mapping[str, str]:
        """Return the names of elements where prefixes are ``bound`` to namespaces."""
        wanted = namespaces(generation)["generic" if generic else "common"]
        prefixes = ["" if one is None else f"{one}:" for one, uri in bound.items() if uri == wanted]
        grammar = _GENERIC if generic else _SPECIFIC
        names = {name for steps in grammar.values() for name in steps}
        if generic:
            return {prefix + name: name for prefix in prefixes for name in names}
        plain = {name: name for name in names if name != "Text"}
        return plain | {f"{prefix}Text": "Text" for prefix in prefixes}

    def named(self, name: str) -> list[str]:
        """Return what an element of the standard is called here."""
        return [tag for tag, meant in self.tags.items() if meant == name]

    def beginning(self, name: str) -> bytes:
        """Return how an element of the standard begins."""
        tags = self.named(name)
        if len(tags) != 1:
            raise NotPlainError
        # SeriesKey begins as Series does.
        return f"<{tags[0]}{'>' * self.generic}".encode()

    def gap(self, text: str) -> Gap:
        """Return what a text says, NotPlainError where it is nothing of this form."""
        tokens: list[tuple[str, str, str]] = []
        at = 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise NotPlainError
            at = match.end()
            kind = "given" if match.lastgroup == "value" else str(match.lastgroup)
            word = match[kind]
            if kind in ("start", "end") and (word := self.tags.get(word, "")) == "":
                raise NotPlainError
            if kind != "space":
                tokens.append((kind, word, match["value"] or ""))
        rows = [_ROWS[word] for kind, word, _ in tokens if kind == "start" and word in _ROWS]
        # What begins and ends in a gap has no text, which would have parted it in two.
        empty = not self.generic and any(
            kind == "end" and word in ("Value", "Text") and before[0] == "close"
            for before, (kind, word, _) in pairwise(tokens)
        )
        if len(rows) > 1 or empty:
            raise NotPlainError
        return Gap(
            tuple(tokens),
            rows[0] if rows else 0,
            ("end", "Series", "") in tokens,
            not self.generic
            and [kind for kind, *_ in tokens[:2]] == ["quote", "close"]
            and "/" in tokens[1][1],
        )

    def step(self, gap: Gap, state: State) -> tuple[State, Place | None] | None:
        """Return what is open after a gap and what the value is that follows, if one can.

        None where the gap cannot stand there.
        """
        inside = gap.tokens[:1] == (("quote", '"', ""),)
        if inside != (state.given is not None):
            return None
        place: Place | None = None
        try:
            for kind, word, said in gap.tokens[inside:]:
                if kind == "start":
                    state = self._started(state, word)
                elif kind == "end":
                    state = self._ended(state, word)
                elif kind == "close":
                    state = self._closed(state, alone="/" in word)
                elif kind == "given":
                    state = self._given(state, word, said)
                elif kind == "open":
                    state, place = self._valued(state, word)
            if state.given is None and state.last in ("Value", "Text"):
                place = self._text(gap, state)
        except _NoStepError:
            return None
        return state, place

    def _started(self, state: State, name: str) -> State:
        """Return what is open once a tag begins."""
        above, step = state.open[-1]
        known = (_GENERIC if self.generic else _SPECIFIC).get(above, {})
        if state.given is not None or name not in known or step not in known[name][1]:
            raise _NoStepError
        called, _, made = known[name]
        if self.timed and called == "ObsAlone":
            raise _NoStepError
        return State((*state.open[:-1], (above, made), (called, 0)), (), state.component)

    def _closed(self, state: State, *, alone: bool) -> State:
        """Return what is open at the end of a start tag."""
        if state.given is None:
            raise _NoStepError
        given, component = dict(state.given), state.component
        wanted = _REQUIRED[self.generic].get(state.last)
        if wanted is not None and wanted not in given:
            raise _NoStepError
        if alone and not self.generic and state.last in ("Value", "Text"):
            raise _NoStepError  # an empty text, that is, which has no place among the values
        if state.last == "Comp":
            component = self._numbers.get(given["id"], IGNORED)
            if component == IGNORED:
                raise _NoStepError
        now = State(state.open, None, component)
        return self._ended(now, state.last) if alone else now

    def _ended(self, state: State, name: str) -> State:
        """Return what is open after the end of an element."""
        last, step = state.open[-1]
        if state.given is not None or last not in (name, f"{name}Alone"):
            raise _NoStepError
        if step < _LEAST[self.generic].get(last, 0):
            raise _NoStepError
        return State(state.open[:-1], None, IGNORED if last == "Comp" else state.component)

    def _given(self, state: State, name: str, value: str) -> State:
        """Return what is open after an attribute that is no component."""
        pattern = _ATTRIBUTES[self.generic].get(state.last, {}).get(name)
        known = pattern is not None and (name != "xsi:type" or self.typed)
        if state.given is None or not known or {name, "value"} & {one for one, _ in state.given}:
            raise _NoStepError
        if re.fullmatch(str(pattern), value, re.DOTALL) is None:
            raise _NoStepError
        return State(state.open, (*state.given, (name, value)), state.component)

    def _valued(self, state: State, name: str) -> tuple[State, Place]:
        """Return what is open where the value of an attribute begins, and what that is."""
        if state.given is None or (name, "") in state.given:
            raise _NoStepError
        if self.generic:
            if name != "value":
                raise _NoStepError
            number = self._generic(state, dict(state.given).get("id"))
            # Whatever the id was makes no difference any more.
            return State(state.open, ((name, ""),), state.component), Place(number)
        if state.last not in _ROWS:
            raise _NoStepError
        own = state.row[1] == GROUP and name == "type" and name not in self._numbers
        if own or (name == "xsi:type" and self.typed):
            given = (*state.given, (name, ""))
            return State(state.open, given, state.component), Place(IGNORED)
        return state, Place(self._number(name))

    def _generic(self, state: State, id: str | None) -> int:
        """Return the component that an element of a generic message names."""
        if state.last == "ObsValue":
            return self._number(self.measure)
        if state.last == "ObsDimension":
            if self.timed and {id, self.at} - {None, "TIME_PERIOD"}:
                raise _NoStepError
            id = self.at if id is None else id
        elif state.last != "Value" or id is None:
            raise _NoStepError
        component = self.structure.by_id.get(id)
        keyed = component is not None and component.role in (Role.DIMENSION, Role.TIME)
        if component is None or keyed != (state.open[-2][0] != "Attributes"):
            raise _NoStepError
        return self._number(id)

    def _text(self, gap: Gap, state: State) -> Place:
        """Return what the text of an element is."""
        begun = {word for kind, word, _ in gap.tokens if kind == "start"}
        component = self.structure.components[state.component]
        by_language = component.multilingual and component.codelist is None
        if state.last == "Text" and not by_language:
            raise _NoStepError
        said = [value for kind, name, value in gap.tokens if (kind, name) == ("given", "xml:lang")]
        language = said[-1] if said and state.last == "Text" else ENGLISH
        return Place(
            state.component, "Comp" in begun, "Value" in begun, language if by_language else None
        )

    @cached_property
    def _numbers(self) -> Mapping[str, int]:
        return {id: number for number, id in enumerate(self.structure.by_id)}

    def _number(self, id: str) -> int:
        """Return the number of a component."""
        if id == "OBS_VALUE" and id not in self._numbers:
            id = self.measure
        if id not in self._numbers or id == "xmlns":
            raise _NoStepError
        return self._numbers[id]
