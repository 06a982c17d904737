"""What an office says itself in its quality reports, beside what is computed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sdmx_service.definitions.yaml_file import YamlFile
from sdmx_service.errors import DefinitionError
from sdmx_service.structures.artefacts import MetadataAttribute
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.store import StructureStore

__all__ = ["EVERY_REPORT", "Statement", "Value", "check_statement", "statement_of"]

EVERY_REPORT = "every_report"
"""The id of the statement that goes into all reports."""

Value = float | Mapping[str, str]
_NUMBERS = frozenset({"Double", "Float", "Decimal", "Integer", "Long", "Short", "Count"})


@dataclass(frozen=True)
class Statement:
    """What is said about a survey, an indicator or in every report.

    ``said`` maps attributes of the metadata structure to values: numbers, or texts by language.
    """

    id: str
    said: Mapping[str, tuple[Value, ...]]
    file: YamlFile


def statement_of(file: YamlFile) -> Statement:
    """Return the statement of a YAML file, already held to its schema."""
    content = file.content
    said = {
        attribute: tuple(value) if isinstance(value, list) else (value,)
        for attribute, value in content["said"].items()
    }
    return Statement(content["id"], said, file)


def check_statement(
    structures: StructureStore, one: Statement, known: Collection[str], languages: Collection[str]
) -> None:
    """Refuse a statement about nothing, for no attribute, or in a language that is not published.

    ``known`` are the ids of surveys and indicators. Raises DefinitionError.
    """
    if one.id != EVERY_REPORT and one.id not in known:
        raise DefinitionError(
            one.file.place(("id",)),
            got=one.id,
            expected=f"{EVERY_REPORT}, or the id of a survey or an indicator",
        )
    asked = _asked(structures)
    for id, values in one.said.items():
        place = one.file.place(("said", id))
        if id not in asked:
            raise DefinitionError(
                place, got=id, expected=f"an attribute of quality reports: {', '.join(asked)}"
            )
        _check_values(asked[id], values, place, languages)


def _check_values(
    attribute: MetadataAttribute,
    values: tuple[Value, ...],
    place: str,
    languages: Collection[str],
) -> None:
    if attribute.most is not None and len(values) > attribute.most:
        raise DefinitionError(
            place, got=f"{len(values)} values", expected=f"{attribute.most} at most"
        )
    for value in values:
        number = attribute.data_type in _NUMBERS
        if isinstance(value, Mapping) == number:
            expected = "a number" if number else "a text by language, such as en: ..."
            raise DefinitionError(place, got=str(value)[:80], expected=expected)
        for language in value if isinstance(value, Mapping) else ():
            if language not in languages:
                raise DefinitionError(
                    place,
                    got=language,
                    expected=f"a language of dsd/publication.toml: {', '.join(languages)}",
                )


def _asked(structures: StructureStore) -> dict[str, MetadataAttribute]:
    """Return the attributes that the structures of metadata ask for, those at the top."""
    flows = structures.find(ArtefactKind.METADATAFLOW)
    found = [
        structures.metadataflow(flow.id, flow.agency, flow.version).structure
        for flow in flows
        if not flow.external
    ]
    return {
        attribute.id: attribute
        for structure in found
        for attribute in structure.attributes
        if len(attribute.path) == 1
    }
