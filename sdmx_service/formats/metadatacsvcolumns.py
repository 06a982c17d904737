"""The columns of an SDMX-CSV message of reference metadata."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sdmx_service.errors import DataError
from sdmx_service.formats.metadata import MetadataMessage
from sdmx_service.structures.artefacts import Codelist, MetadataAttribute

__all__ = ["FIXED", "NAMES", "REPORTED_TO", "Column", "columns_of", "read_columns"]

FIXED = ("MDSTRUCTURE_ID", "METADATASET_ID", "TARGET_TYPES", "TARGET_IDS")
"""The columns that every message has after the first."""

NAMES: Mapping[str, str] = {
    "MDSTRUCTURE_ID": "MDSTRUCTURE_NAME",
    "METADATASET_ID": "METADATASET_NAME",
    "TARGET_IDS": "TARGET_NAMES",
}
"""The columns that ``labels=name`` adds, each by the one it follows."""

REPORTED_TO = {
    "metadataflow": ("Metadataflow", "metadataflow"),
    "metadataprovision": ("MetadataProvisionAgreement", "metadataProvisionAgreement"),
}
"""The words of the first column: the class and the key of what is reported to."""

_OWN = frozenset({*FIXED, *NAMES.values(), "ACTION", "IS_PARTIAL_LANGUAGE"})
_STEP = re.compile(r"([A-Za-z0-9_@$-]+)(\[\])?")
_LANGUAGES = re.compile(r"(?<!\])\[([^\]]+)\]$|(?<=\[\])\[([^\]]+)\]$")


@dataclass(frozen=True)
class Column:
    """One attribute: its path, which steps of it are repeated, and its languages if it has any.

    ``labelled`` says that codes are followed by their names, as ``labels=both`` has them.
    """

    path: tuple[str, ...]
    repeated: tuple[bool, ...]
    languages: tuple[str, ...] = ()
    attribute: MetadataAttribute | None = None
    labelled: bool = False

    @property
    def depth(self) -> int:
        """How many steps are repeated: so many lists are in one another in a field."""
        return sum(self.repeated)

    @property
    def codelist(self) -> Codelist | None:
        """The list of its codes, None where it has none or is not known."""
        return None if self.attribute is None else self.attribute.codelist

    def title(self, between: str) -> str:
        """Return the full id, as the header has it."""
        steps = (
            f"{id}[]" if many else id for id, many in zip(self.path, self.repeated, strict=True)
        )
        tail = f"[{between.join(self.languages)}]" if self.languages else ""
        return ".".join(steps) + tail


def columns_of(message: MetadataMessage) -> list[Column]:
    """Return the columns in the order of the structures, then of the sets."""
    known: dict[tuple[str, ...], MetadataAttribute] = {}
    for one in message.sets:
        if (structure := message.structures.get(one.reported_to)) is not None:
            known |= {a.path: a for a in structure.attributes if a.path not in known}
    repeated: dict[tuple[str, ...], bool] = {}
    languages: dict[tuple[str, ...], dict[str, None]] = {}
    said: set[tuple[str, ...]] = set()
    for one in message.sets:
        _survey(one.attributes, (), repeated, languages, said)
    for path, attribute in known.items():
        repeated[path] = repeated.get(path, False) or attribute.most != 1
    order = [path for path in known if path in said]
    order += [path for path in repeated if path in said and path not in known]
    return [
        Column(
            path,
            tuple(repeated[path[: step + 1]] for step in range(len(path))),
            tuple(languages.get(path, ())),
            known.get(path),
        )
        for path in order
    ]


def _survey(
    attributes: Sequence[Mapping[str, Any]],
    above: tuple[str, ...],
    repeated: dict[tuple[str, ...], bool],
    languages: dict[tuple[str, ...], dict[str, None]],
    said: set[tuple[str, ...]],
) -> None:
    seen: set[str] = set()
    for one in attributes:
        path = (*above, str(one["id"]))
        repeated[path] = repeated.get(path, False) or one["id"] in seen
        seen.add(one["id"])
        if isinstance(one.get("value"), dict):
            languages.setdefault(path, {}).update(dict.fromkeys(one["value"]))
        if "value" in one:
            said.add(path)
        _survey(one.get("attributes", ()), path, repeated, languages, said)


def read_columns(head: Sequence[str], between: str) -> dict[int, Column]:
    """Return the columns of attributes by their place; after each may stand one of names.

    Raises DataError for a field that is no attribute's id.
    """
    named = NAMES["METADATASET_ID"] in head
    columns: dict[int, Column] = {}
    skipped = False
    for place, written in enumerate(head):
        if place == 0 or written in _OWN:
            continue
        if skipped:
            skipped = False
            continue
        skipped = named
        title, label, _ = written.partition(": ")
        languages = _LANGUAGES.search(title)
        path = title[: languages.start()] if languages else title
        steps = [_STEP.fullmatch(step) for step in path.split(".")]
        found = [step for step in steps if step is not None]
        if len(found) < len(steps):
            raise DataError(
                f"record 1, column {place + 1}", got=written[:80], expected="an attribute's id"
            )
        tags = (languages[1] or languages[2]).split(between) if languages else ()
        columns[place] = Column(
            tuple(step[1] for step in found),
            tuple(bool(step[2]) for step in found),
            tuple(tags),
            labelled=bool(label),
        )
    return columns
