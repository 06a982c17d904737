"""The languages that texts of a message are in."""

from __future__ import annotations

from collections.abc import Mapping

from sdmx_service.formats.message import DataMessage
from sdmx_service.formats.seen import spoken

__all__ = ["languages_of"]


def languages_of(message: DataMessage) -> Mapping[str, tuple[str, ...]]:
    """Return the languages of each column of texts by language, those asked for first.

    Without any text it is the first language asked for. It takes a pass over these columns.
    """
    found: dict[str, set[str]] = {}
    for dataset in message.datasets:
        for name, languages in spoken(dataset).items():
            found.setdefault(name, set()).update(languages)
    ordered = {}
    for name, languages in found.items():
        wanted = [language for language in message.languages if language in languages]
        ordered[name] = (*wanted, *sorted(languages - set(wanted))) or message.languages[:1]
    return ordered
