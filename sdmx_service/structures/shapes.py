"""The notation in which the forms of SDMX-ML are written down: which element is which key.

A table is a text; each line describes one shape::

    Code < Nameable:: parent=Parent:l

Code has the fields of Nameable and then ``parent``, the element Parent, a local id. A field is
``key=place:form`` with marks behind it. Places: ``Name`` a child element, ``c:Name`` one of the
common namespace, ``-:Name`` one of none, ``A/B`` within A, ``A*/B`` each within an A of its own,
``@name`` an attribute, ``#`` the element's own text, ``-`` nowhere (it has one value only).
``(a=A,b=B)`` is a list of objects, each made of A and then B; ``(a=A|b=B)`` each made of A or of B.
Forms: text where none is said, ``b`` boolean, ``i`` integer, ``n`` number, ``o`` integer or a word
such as unbounded, ``c`` boolean or a word such as excluderoot, ``t`` texts by language, ``e`` an
empty element, ``l`` a local id, ``r(Class)`` a reference to a Class (said where SDMX-ML 2.1 leaves
it out), else the name of a shape. Marks: ``*`` a list, ``*1`` a list that holds one here,
``~x`` x is the default and left out, ``+x`` it is written but not kept, ``^x`` it is kept and
written, ``!x`` x is the only value, written but not kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

__all__ = ["Content", "Field", "Form", "Place", "Shape", "compiled"]

Content = dict[str, Any]
"""A part of the neutral form: a plain tree of dicts, lists, texts, numbers and booleans."""


class Place(Enum):
    """Where in the XML a field stands."""

    ATTRIBUTE = "@"
    ELEMENT = "element"
    TEXT = "#"
    NOWHERE = "-"
    GROUP = "()"


class Form(Enum):
    """What a field holds."""

    TEXT = ""
    BOOLEAN = "b"
    INTEGER = "i"
    NUMBER = "n"
    COUNT = "o"
    CASCADE = "c"
    TEXTS = "t"
    EMPTY = "e"
    LOCAL = "l"
    REFERENCE = "r"
    SHAPE = "shape"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a shape and its place in the XML.

    ``path`` are the elements down to it, each with the letter of its namespace; ``each`` says that
    every value stands in an outer element of its own. ``default`` is kept where ``said``, and
    written where ``said`` or ``written``; ``fixed`` is written but not kept.
    """

    key: str
    place: Place
    form: Form
    path: tuple[tuple[str, str], ...] = ()
    each: bool = False
    many: bool = False
    single: bool = False
    shape: str = ""
    name: str = ""
    default: Any = None
    said: bool = False
    written: bool = False
    fixed: str | None = None
    members: tuple[Field, ...] = ()
    either: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of one type of element, in the order in which they are written.

    ``after`` turns what was read into the neutral form, ``before`` turns it back.
    """

    name: str
    fields: tuple[Field, ...]
    attributes: Mapping[str, Field]
    elements: Mapping[str, Field]
    text: Field | None
    keys: frozenset[str]
    after: Callable[[Content], None] | None = field(default=None, compare=False)
    before: Callable[[Content], Content] | None = field(default=None, compare=False)


_FIELD = re.compile(
    r"(?P<key>\w+)=(?P<place>\(.*\)|(?:[-c]:)?[@#\w-]+(?:\*?/(?:[-c]:)?\w+)?)"
    r"(?P<form>:(?:r\(\w*\)|\w+))?(?P<many>\*1?)?(?P<mark>[~^!+].*)?"
)


def compiled(
    *tables: str,
    after: Mapping[str, Callable[[Content], None]] | None = None,
    before: Mapping[str, Callable[[Content], Content]] | None = None,
) -> Mapping[str, Shape]:
    """Return the shapes of the tables by name; a shape of a later table replaces an earlier one."""
    lines: dict[str, tuple[str | None, list[str]]] = {}
    for table in tables:
        for line in _joined(table):
            head, _, fields = line.partition("::")
            name, _, base = head.partition("<")
            lines[name.strip()] = base.strip() or None, fields.split()

    def fields_of(name: str) -> dict[str, Field]:
        base, own = lines[name]
        inherited = fields_of(base) if base else {}
        for text in own:
            if text.startswith("-"):
                del inherited[text[1:]]
            else:
                read = _field(text)
                inherited[read.key] = read
        return inherited

    return {
        name: _shape(
            name, fields_of(name).values(), (after or {}).get(name), (before or {}).get(name)
        )
        for name in lines
    }


def _joined(table: str) -> list[str]:
    """Return the lines of a table; one that is indented goes on with the line above."""
    lines: list[str] = []
    for line in table.splitlines():
        if line.startswith(" ") and lines:
            lines[-1] += line
        elif line.strip():
            lines.append(line)
    return lines


def _shape(
    name: str,
    fields: Iterable[Field],
    after: Callable[[Content], None] | None,
    before: Callable[[Content], Content] | None,
) -> Shape:
    fields = tuple(fields)
    elements: dict[str, Field] = {}
    for one in fields:
        if one.place is Place.ELEMENT:
            elements[one.path[0][1]] = one
        elements |= {member.path[0][1]: member for member in one.members}
    return Shape(
        name=name,
        fields=fields,
        attributes={one.path[0][1]: one for one in fields if one.place is Place.ATTRIBUTE},
        elements=elements,
        text=next((one for one in fields if one.place is Place.TEXT), None),
        keys=frozenset(one.key for one in fields),
        after=after,
        before=before,
    )


def _field(text: str) -> Field:
    found = _FIELD.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no field")
    key, place = found["key"], found["place"]
    if place.startswith("("):
        either = "|" in place
        members = tuple(_field(one) for one in re.split(r"[|,]", place[1:-1]))
        return Field(key, Place.GROUP, Form.GROUP, members=members, either=either, many=True)
    form, shape, name = _form(found["form"])
    mark, value = (found["mark"] or " ")[0], (found["mark"] or " ")[1:]
    where, path, each = _placed(place)
    return Field(
        key,
        where,
        form,
        path=path,
        each=each,
        many=bool(found["many"]),
        single=found["many"] == "*1",
        shape=shape,
        name=name,
        default=_value(form, value) if mark in "~^+" else None,
        said=mark == "^",
        written=mark == "+",
        fixed=value if mark == "!" or where is Place.NOWHERE else None,
    )


def _form(text: str | None) -> tuple[Form, str, str]:
    word = (text or ":")[1:]
    if word.startswith("r("):
        return Form.REFERENCE, "", word[2:-1]
    if word in {form.value for form in Form}:
        return Form(word), "", ""
    return Form.SHAPE, word, ""


def _placed(place: str) -> tuple[Place, tuple[tuple[str, str], ...], bool]:
    if place == "#":
        return Place.TEXT, (), False
    if place == "-":
        return Place.NOWHERE, (), False
    if place.startswith("@"):
        return Place.ATTRIBUTE, (("", place[1:]),), False
    steps = []
    for step in place.replace("*", "").split("/"):
        space, _, name = step.rpartition(":")
        steps.append((space or "s", name))
    return Place.ELEMENT, tuple(steps), "*/" in place


def _value(form: Form, text: str) -> Any:
    if form in (Form.BOOLEAN, Form.CASCADE):
        return text == "true"
    if form in (Form.INTEGER, Form.COUNT):
        return int(text)
    return text
