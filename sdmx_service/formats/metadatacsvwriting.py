"""SDMX-CSV messages of reference metadata, written."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sdmx_service.formats.action import Generation
from sdmx_service.formats.csvfields import subseparator
from sdmx_service.formats.lexical import text_of
from sdmx_service.formats.message import Labels
from sdmx_service.formats.metadata import MetadataMessage
from sdmx_service.formats.metadatacsvcolumns import NAMES, REPORTED_TO, Column, columns_of
from sdmx_service.formats.metadatacsvreading import read_attributes
from sdmx_service.structures.carrying import CannotCarry
from sdmx_service.structures.metadataset import MetadataSet
from sdmx_service.structures.urns import Urn

__all__ = ["written"]

_LEFT_OUT = frozenset({"names", "descriptions", "isExternalReference", "action"})
_CARRIED = frozenset(
    {
        *("id", "agencyID", "version", "metadataflow", "metadataProvisionAgreement", "targets"),
        *("attributes", "isPartialLanguage"),
    }
)
_Said = Callable[[Any], str]


def written(message: MetadataMessage, generation: Generation) -> bytes:
    """Return the message; names, where labels ask for them, are in the first language there is.

    Raises NotAcceptable for what the format has no place for.
    """
    return _Message(message, generation is Generation.SDMX_3_1).document()


@dataclass(frozen=True)
class _Message:
    """Writes one message; ``newest`` says that it is of SDMX-CSV 2.1."""

    message: MetadataMessage
    newest: bool

    @cached_property
    def between(self) -> str:
        return subseparator(self.message.separator)

    @cached_property
    def columns(self) -> list[Column]:
        return columns_of(self.message)

    @cached_property
    def partial(self) -> bool:
        return any("isPartialLanguage" in one.content for one in self.message.sets)

    @property
    def both(self) -> bool:
        return self.message.labels is Labels.BOTH

    @property
    def apart(self) -> bool:
        return self.message.labels is Labels.NAME

    def document(self) -> bytes:
        out = io.StringIO(newline="")
        writer = csv.writer(out, lineterminator="\r\n", delimiter=self.message.separator)
        writer.writerow(self.head())
        for one in self.message.sets:
            writer.writerow(self.row(one))
        return out.getvalue().encode()

    def head(self) -> list[str]:
        marked = any(one.depth or one.languages for one in self.columns)
        marked |= any(len(one.targets) > 1 for one in self.message.sets)
        head = [f"MDSTRUCTURE[{self.between}]" if marked else "MDSTRUCTURE"]
        fixed = ["MDSTRUCTURE_ID", "METADATASET_ID"]
        fixed += [] if self.newest else ["ACTION"]
        fixed += ["IS_PARTIAL_LANGUAGE"] if self.newest and self.partial else []
        for name in (*fixed, "TARGET_TYPES", "TARGET_IDS"):
            head += [name, NAMES[name]] if self.apart and name in NAMES else [name]
        for column in self.columns:
            title = column.title(self.between)
            label = self.message.text(column.attribute.name) if column.attribute else ""
            label = label or column.path[-1]
            head += [f"{title}: {label}"] if self.both else [title]
            head += [label] if self.apart else []
        return head

    def row(self, one: MetadataSet) -> list[str]:
        self.refuse(one)
        reported = Urn.parse(one.reported_to)
        if reported is None:
            raise _refused(one, one.reported_to)
        kind = next(word for word, (name, _) in REPORTED_TO.items() if name == reported.name)
        row = [kind, *self.named(_identity(reported), self.name_of(one.reported_to))]
        own = f"{one.agency}:{one.id}({one.version})"
        row += self.named(own, self.message.text(one.name))
        row += [] if self.newest else [str(one.content.get("action", "Information"))[0]]
        if self.newest and self.partial:
            row.append("1" if one.content.get("isPartialLanguage") else "0")
        row += self.targets(one)
        plain: list[tuple[Column, str]] = []
        for column in self.columns:
            value = _gathered(one.attributes, column, 0)
            plain.append((column, self.field(value, column, text_of)))
            row += self.fields(value, column, plain[-1][1])
        self.check(one, plain)
        return row

    def fields(self, value: Any, column: Column, plain: str) -> list[str]:
        """Return the field of an attribute, with the names of codes where labels ask for them."""
        if column.codelist is None or not plain:
            return [plain, ""] if self.apart else [plain]

        def name(code: Any) -> str:
            found = column.codelist.by_id.get(str(code)) if column.codelist else None
            return self.message.text(found.name) if found else ""

        def with_name(code: Any) -> str:
            return f"{code}: {called}" if (called := name(code)) else text_of(code)

        if self.apart:
            names = self.field(value, column, name)
            return [plain, names if names.strip(f'{self.between}"') else ""]
        return [self.field(value, column, with_name)] if self.both else [plain]

    def named(self, id: str, name: str) -> list[str]:
        """Return an identity with its name as labels ask for it: behind it, beside it or not."""
        if self.apart:
            return [id, name]
        return [f"{id}: {name}" if self.both and name else id]

    def name_of(self, urn: str) -> str:
        return self.message.text(self.message.names.get(urn, {}))

    def targets(self, one: MetadataSet) -> list[str]:
        """Return the types and the identities of the targets, and their names apart."""
        kinds, ids, names = [], [], []
        for target in one.targets:
            urn = Urn.parse(target)
            if urn is None or urn.wild:
                raise _refused(one, f"target {target}")
            kinds.append(urn.name.lower())
            id, *apart = self.named(_identity(urn), self.name_of(target))
            ids.append(_quoted(id, self.between))
            names += [_quoted(name, self.between) for name in apart]
        row = [self.between.join(kinds), self.between.join(ids)]
        return [*row, self.between.join(names) if any(names) else ""] if self.apart else row

    def field(self, value: Any, column: Column, said: _Said) -> str:
        return _encoded(value, column.depth, self.between, column, said)

    def refuse(self, one: MetadataSet) -> None:
        for key in one.content:
            if key not in _CARRIED | _LEFT_OUT:
                raise _refused(one, key)
        if "isPartialLanguage" in one.content and not self.newest:
            raise _refused(one, "isPartialLanguage")

    def check(self, one: MetadataSet, fields: list[tuple[Column, str]]) -> None:
        """Refuse what would not be read again: no value anywhere, annotations, formats."""
        read = read_attributes(fields, self.between, one.urn, typed=False)
        if _plain(read) != _plain(list(one.attributes)):
            raise _refused(one, "attributes without any value, or with annotations or a format")


def _plain(attributes: list[Any]) -> list[Any]:
    """Return attributes with texts for values, those of one id next to each other."""
    first = {one["id"]: place for place, one in reversed(list(enumerate(attributes)))}
    kept = []
    for one in sorted(attributes, key=lambda found: first[found["id"]]):
        said = dict(one)
        if "value" in said and not isinstance(said["value"], dict):
            said["value"] = text_of(said["value"])
        if "attributes" in said:
            said["attributes"] = _plain(said["attributes"])
        kept.append(said)
    return sorted(kept, key=lambda found: str(found["id"]))


def _refused(one: MetadataSet, what: str) -> CannotCarry:
    return CannotCarry(one.urn, got=what, expected="what SDMX-CSV has a place for in metadata")


def _identity(urn: Urn) -> str:
    tail = f".{urn.item}" if urn.item else ""
    return f"{urn.agency}:{urn.id}({urn.version}){tail}"


def _gathered(attributes: Sequence[Mapping[str, Any]], column: Column, step: int) -> Any:
    """Return the value of a column: lists in lists, one for each step that is repeated."""
    found = []
    for one in attributes:
        if one["id"] == column.path[step]:
            if step + 1 == len(column.path):
                found.append(one.get("value"))
            else:
                found.append(_gathered(one.get("attributes", ()), column, step + 1))
    if column.repeated[step]:
        return found
    return found[0] if found else None


def _encoded(value: Any, depth: int, between: str, column: Column, said: _Said) -> str:
    if depth:
        parts = [_encoded(one, depth - 1, between, column, said) for one in value or ()]
        nested = depth > 1 or bool(column.languages)
        return between.join(_quoted(part, between, always=nested) for part in parts)
    if value is None:
        return ""
    if isinstance(value, dict):
        texts = (f"{language}:{text}" for language, text in value.items())
        return between.join(_quoted(text, between) for text in texts)
    return said(value)


def _quoted(text: str, between: str, *, always: bool = False) -> str:
    if text and (always or between in text or text.startswith('"')):
        return '"' + text.replace('"', '""') + '"'
    return text
