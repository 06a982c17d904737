"""Quality reports of a release: one for each indicator, one for each survey or registration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any

from sdmx_service.formats.registration import Registration
from sdmx_service.release.account import Account, Said
from sdmx_service.release.release import Release
from sdmx_service.structures.artefacts import MetadataAttribute, MetadataStructure
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.metadataset import MetadataSet

__all__ = ["quality_reports", "registration_reports", "reported_structure"]

_LANGUAGE = "en"
_EVERY_REPORT = "every_report"
# Of these an indicator has its own definition, whatever is true of a survey.
_DEFINED = frozenset({"DATA_DESCR", "STAT_CONC_DEF", "STAT_POP", "UNIT_OF_MEASURE"})
Stated = Mapping[str, Sequence[Any]]


def quality_reports(release: Release) -> tuple[MetadataSet, ...]:
    """Return the reports, those of indicators first; none where the release has no flow for them.

    A release without definitions has no reports either, nor one without indicators and areas.
    """
    reports = _reports(release)
    return () if reports is None else reports.all


def reported_structure(release: Release) -> MetadataStructure | None:
    """Return the structure of a release's own reports; None where it has none."""
    reports = _reports(release)
    return None if reports is None else reports.flow.structure


def registration_reports(
    release: Release, registrations: Iterable[Registration]
) -> tuple[MetadataSet, ...]:
    """Return what is registered as a report about each agreement, where releases have reports."""
    reports = _reports(release)
    return () if reports is None else tuple(map(reports.of_registration, registrations))


@lru_cache(maxsize=8)
def _reports(release: Release) -> _Reports | None:
    """Return the reports for the metadataflow whose structure asks for most of what is known.

    So a flow is found by what it is and not by its id; one that asks for nothing of it is none.
    """
    if "indicators" not in release.definitions:
        return None
    flows = release.structures.find(ArtefactKind.METADATAFLOW)
    account = Account(release)
    if account.estimates is None:
        return None
    made = [_Reports(account, flow) for flow in flows if not flow.external]
    best = max(made, key=lambda one: one.told, default=None)
    return best if best and best.told else None


class _Reports:
    """Makes the reports of one release for one metadataflow."""

    def __init__(self, account: Account, flow: Artefact) -> None:
        self.account = account
        self.flow = account.release.structures.metadataflow(flow.id, flow.agency, flow.version)
        self.urn = flow.urn
        self.statements: Mapping[str, Stated] = account.definitions.get("statements", {})

    @cached_property
    def all(self) -> tuple[MetadataSet, ...]:
        """The reports that say anything, those of indicators first."""
        definitions = self.account.definitions
        made = (
            *(self.of_indicator(indicator) for indicator in definitions["indicators"].values()),
            *(self.of_survey(survey) for survey in definitions["surveys"].values()),
        )
        return tuple(one for one in made if one.attributes)

    @property
    def told(self) -> int:
        """How many attributes of the structure have something said in a report."""
        return len({attribute["id"] for one in self.all for attribute in one.attributes})

    def of_indicator(self, indicator: Said) -> MetadataSet:
        return self.set(
            f"QR_{indicator['id']}",
            f"Quality report: {indicator['name']}",
            [self.code("INDICATOR", indicator["id"])],
            self.account.of_indicator(indicator),
            [
                self.stated(_EVERY_REPORT),
                *self.of_its_surveys(indicator),
                self.stated(indicator["id"]),
            ],
        )

    def of_survey(self, survey: Said) -> MetadataSet:
        return self.set(
            f"QR_{survey['id']}",
            f"Quality report: {survey['title']}",
            [self.code("REF_AREA", id) for id in self.account.within(str(survey["area"]))],
            self.account.of_survey(survey),
            [self.stated(_EVERY_REPORT), self.stated(survey["id"])],
        )

    def of_registration(self, one: Registration) -> MetadataSet:
        """Return where the data of an agreement are, with what is true of all data."""
        agreement = self.account.release.structures.target(one.agreement)
        named = one.agreement.rpartition("=")[2]
        said = self.account.of_all() | {
            "DATA_DESCR": f"The data reported under {named}, as of {one.updated.isoformat()}.",
            "ONLINE_DB": one.url,
        }
        name = agreement.name.get(_LANGUAGE, named) if agreement is not None else named
        stated = [self.stated(_EVERY_REPORT)]
        return self.set(one.id, f"Registration: {name}", [one.agreement], said, stated)

    def stated(self, about: str) -> Stated:
        """Return what the office states itself about something."""
        return self.statements.get(about, {})

    def of_its_surveys(self, indicator: Said) -> list[Stated]:
        """Return what is stated about the surveys of an indicator; of several, which it is about.

        A number of one of several surveys is none of the indicator.
        """
        alone = len(indicator["surveys"]) == 1
        found: list[Stated] = []
        for id in indicator["surveys"]:
            title = self.account.definitions["surveys"][id]["title"]
            stated = {
                attribute: values
                for attribute, values in self.stated(id).items()
                if attribute not in _DEFINED
            }
            found.append(stated if alone else _titled(stated, title))
        return found

    def code(self, dimension: str, id: str) -> str:
        codes = self.account.codelist(dimension)
        return ArtefactKind.CODELIST.urn(codes.agency, codes.id, codes.version, id)

    def set(
        self, id: str, name: str, targets: Sequence[str], said: Said, stated: Sequence[Stated]
    ) -> MetadataSet:
        """Return a set with what is said, in the order of the structure; what is empty is not.

        What the office states itself comes first.
        """
        attributes = []
        for attribute in self.flow.structure.attributes:
            values = [value for one in stated for value in one.get(attribute.id, ())]
            attributes += [
                {"id": attribute.id, "value": value}
                for value in _told(attribute, values, said.get(attribute.id))
            ]
        return MetadataSet(
            {
                "id": id,
                "agencyID": self.account.publication["agency"],
                # Each release tells the metadata anew: the version is that of the structure.
                "version": self.flow.version,
                "names": {_LANGUAGE: name},
                "metadataflow": self.urn,
                "targets": list(targets),
                "attributes": attributes,
            }
        )


def _titled(stated: Stated, title: str) -> Stated:
    """Return the texts of a statement, each after a title."""
    return {
        attribute: [
            {language: f"{title}: {text}" for language, text in value.items()}
            for value in values
            if isinstance(value, Mapping)
        ]
        for attribute, values in stated.items()
    }


def _told(attribute: MetadataAttribute, stated: Sequence[Any], computed: Any) -> list[Any]:
    """Return the values of an attribute: texts in one where it is not repeated, without repeats.

    Of numbers the one that is stated of the most special thing, or else the computed one.
    """
    listed = computed if isinstance(computed, list) else [computed]
    values = [one for one in (*stated, *listed) if one is not None and one != ""]
    if not any(isinstance(one, str | Mapping) for one in values):
        return list(stated[-1:] or values) if attribute.most == 1 else values
    texts = [one if isinstance(one, Mapping) else {_LANGUAGE: one} for one in values]
    if attribute.most == 1 and texts:
        languages = dict.fromkeys(language for one in texts for language in one)
        texts = [
            {
                language: " ".join(dict.fromkeys(one[language] for one in texts if language in one))
                for language in languages
            }
        ]
    if attribute.multilingual:
        return texts
    return [one.get(_LANGUAGE) or next(iter(one.values())) for one in texts]
