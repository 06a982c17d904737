"""Quality reports of a release: one for each indicator, one for each survey or registration.

They are made from what the release says of itself and nothing else, so that they tell no number
that is not public: of the policies that protect people their names, never a number of theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any

import polars as pl

from sdmx_service.formats.registration import Registration
from sdmx_service.release.release import Release
from sdmx_service.structures.artefacts import MetadataStructure
from sdmx_service.structures.kinds import ArtefactKind
from sdmx_service.structures.maintainable import Artefact
from sdmx_service.structures.metadataset import MetadataSet

__all__ = ["quality_reports", "registration_reports", "reported_structure"]

_ESTIMATES = "DSD_INCL_IND"  # the structure that build makes estimates in
_STATISTICS = {
    "poverty_rate": "share of people below a poverty line",
    "gini": "Gini coefficient",
    "atkinson": "Atkinson index",
    "entropy": "generalised entropy index",
    "multidimensional": "measure of deprivation in several things at once",
    "scale_mean": "mean of a scale of several questions",
}
_LANGUAGE = "en"
Reported = Mapping[str, Any]


def quality_reports(release: Release) -> tuple[MetadataSet, ...]:
    """Return the reports, those of indicators first; none where the release has no flow for them.

    A release without definitions has no reports either.
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
    made = [_Reports(release, flow) for flow in flows if not flow.external]
    best = max(made, key=lambda one: one.told, default=None)
    return best if best and best.told else None


class _Reports:
    """Makes the reports of one release for one metadataflow."""

    def __init__(self, release: Release, flow: Artefact) -> None:
        self.release = release
        self.flow = release.structures.metadataflow(flow.id, flow.agency, flow.version)
        self.urn = flow.urn
        self.definitions = release.definitions
        self.publication: Reported = release.definitions["publication"]
        self.table = release.table(_ESTIMATES) if _ESTIMATES in release.manifest.rows else None

    @cached_property
    def all(self) -> tuple[MetadataSet, ...]:
        """The reports that say anything, those of indicators first."""
        made = (
            *(
                self.of_indicator(indicator)
                for indicator in self.definitions["indicators"].values()
            ),
            *(self.of_survey(survey) for survey in self.definitions["surveys"].values()),
        )
        return tuple(one for one in made if one.attributes)

    @property
    def told(self) -> int:
        """How many attributes of the structure have something said in a report."""
        return len({attribute["id"] for one in self.all for attribute in one.attributes})

    def of_indicator(self, indicator: Reported) -> MetadataSet:
        surveys = [self.definitions["surveys"][id] for id in indicator["surveys"]]
        rows = self.rows(pl.col("INDICATOR") == indicator["id"])
        said = self.common(rows) | {
            "DATA_DESCR": indicator["definition"],
            "COVERAGE_SECTOR": self.domain(indicator["domain"]),
            "STAT_CONC_DEF": _concept(indicator),
            "STAT_POP": indicator["population"],
            "REF_AREA_COVERED": _listed(s["area"] for s in surveys),
            "COVERAGE_TIME": _listed(s["period"] for s in surveys),
            "UNIT_OF_MEASURE": f"{indicator['unit']} ({indicator['unit_label']})",
            "USER_NEEDS": _needs(indicator),
            "ACCURACY_OVERALL": indicator["limits"],
            "SAMPLING_ERR": self.judged(indicator["statistic"]),
            "COVERAGE_ERR": _joined(text for s in surveys for text in s["not_in_the_data"][:1]),
            "SOURCE_TYPE": _joined(f"{s['title']}: {s['citation']}" for s in surveys),
            "COMPLETENESS": [text for s in surveys for text in s["not_in_the_data"]],
        }
        return self.set(
            f"QR_{indicator['id']}",
            f"Quality report: {indicator['name']}",
            [self.code("INDICATOR", indicator["id"])],
            said,
        )

    def of_survey(self, survey: Reported) -> MetadataSet:
        area = str(survey["area"])
        below = self.within(area)
        rows = self.rows(
            pl.col("REF_AREA").is_in(below) & (pl.col("TIME_PERIOD") == survey["period"])
        )
        breakdowns = self.definitions["breakdowns"]
        names = [breakdowns[id]["name"] for id in self.definitions["references"][survey["id"]]]
        said = self.common(rows) | {
            "DATA_DESCR": f"{survey['title']}. {self.size(survey)}",
            "CLASS_SYSTEM": _listed(names),
            "STAT_UNIT": "People who live in private households.",
            "STAT_POP": self.population(survey),
            "REF_AREA_COVERED": f"{area}: {self.definitions['areas'][area]['name']}",
            "COVERAGE_TIME": survey["period"],
            "REF_PERIOD": survey["period"],
            "MICRO_DAT_ACC": f"Licence: {survey['licence']}",
            "DOC_METHOD": survey["url"],
            "QUALITY_ASSURE": _digests(survey),
            "COVERAGE_ERR": _joined(survey["not_in_the_data"]),
            "SOURCE_TYPE": survey["citation"],
            "COLL_METHOD": survey["design"],
            "COMPLETENESS": list(survey["not_in_the_data"]),
            "COMMENT_DSET": list(survey["notes"]),
            "QUALITY_ASSMNT": self.truth(area),
        }
        targets = [self.code("REF_AREA", id) for id in below]
        return self.set(f"QR_{survey['id']}", f"Quality report: {survey['title']}", targets, said)

    def of_registration(self, one: Registration) -> MetadataSet:
        """Return where the data of an agreement are, with what is true of all data."""
        agreement = self.release.structures.target(one.agreement)
        named = one.agreement.rpartition("=")[2]
        said = self.common(None) | {
            "DATA_DESCR": f"The data reported under {named}, as of {one.updated.isoformat()}.",
            "ONLINE_DB": one.url,
        }
        name = agreement.name.get(_LANGUAGE, named) if agreement is not None else named
        return self.set(one.id, f"Registration: {name}", [one.agreement], said)

    # -- what all reports say ---------------------------------------------------------------

    def common(self, rows: pl.DataFrame | None) -> dict[str, Any]:
        publication, policies = self.publication, self.definitions["policies"]
        disclosure = policies["disclosure"]["title"]
        return {
            "CONTACT_ORGANISATION": publication["organisation"],
            "META_LAST_UPDATE": f"{self.release.published:%Y-%m-%d}",
            "INST_MANDATE": f"{publication['organisation']} publishes the figures.",
            "CONF_POLICY": f"{disclosure}. What it asks for in numbers is not published.",
            "CONF_DATA_TR": (
                "A withheld figure keeps its place and loses all numbers: the status is Q, and "
                "what could be worked out from other published figures is withheld with it."
            ),
            "REL_CAL_POLICY": _calendar(publication),
            "REL_POL_US_AC": publication["licence"],
            "ONLINE_DB": f"{publication['base_url']}/sdmx/v2/data",
            "PUBLICATIONS": publication["title"],
            "TIMELINESS": f"Published on {self.release.published:%Y-%m-%d} in {self.release.id}.",
            "COHER_INTERNAL": "All figures of a release are made in one run from the same data.",
            "REV_POLICY": (
                "A published release never changes. A correction is a new release, and the earlier "
                "one stays readable (asOf)."
            ),
            "DATA_COMP": (
                "Design-based estimates; every figure goes with its standard error, interval, "
                "method and number of people asked."
            ),
            **_measured(rows),
        }

    def rows(self, condition: pl.Expr) -> pl.DataFrame | None:
        return None if self.table is None else self.table.filter(condition)

    def within(self, area: str) -> list[str]:
        """Return an area and all areas in it."""
        children = self.definitions["areas"].get(area, {}).get("children", ())
        return [area, *(one for child in children for one in self.within(child))]

    def domain(self, id: str) -> str:
        names = {one["id"]: one["name"] for one in self.definitions["domains"]}
        return str(names.get(id, id))

    def judged(self, statistic: str) -> str:
        reliability = self.definitions["policies"]["reliability"]
        policy = reliability.get("of_statistic", {}).get(statistic, reliability["id"])
        return (
            "Standard errors follow the sample design, and intervals are at the level that stands "
            f"with each figure. What is too unreliable is marked or withheld by {policy} "
            f"({reliability['url']})."
        )

    def size(self, survey: Reported) -> str:
        kind = "Synthetic data" if survey["synthetic"] else "Survey data"
        return f"{kind} of {survey['n']:,} people."

    def population(self, survey: Reported) -> str:
        name = self.definitions["areas"][survey["area"]]["name"]
        return f"People in private households, {name}."

    def truth(self, area: str) -> str | None:
        """Return how many intervals held a truth that is known, where an annex says so."""
        name = f"truth_{area}"
        if name not in self.release.annexes:
            return None
        cells = self.release.annex(name)["cells"]
        inside = sum(bool(cell["inside"]) for cell in cells)
        return f"The truth of {len(cells)} figures is known; {inside} of their intervals hold it."

    def code(self, dimension: str, id: str) -> str:
        structure = self.release.structures.datastructure(_ESTIMATES)
        codes = structure.by_id[dimension].codelist
        assert codes is not None  # definitions name codes of it
        return ArtefactKind.CODELIST.urn(codes.agency, codes.id, codes.version, id)

    def set(
        self, id: str, name: str, targets: Sequence[str], said: Mapping[str, Any]
    ) -> MetadataSet:
        """Return a set with what is said, in the order of the structure; what is empty is not."""
        attributes = []
        for attribute in self.flow.structure.attributes:
            value = said.get(attribute.id)
            for one in value if isinstance(value, list) else [value]:
                if one is not None and one != "":
                    text = {_LANGUAGE: one} if attribute.multilingual else one
                    attributes.append({"id": attribute.id, "value": text})
        return MetadataSet(
            {
                "id": id,
                "agencyID": self.publication["agency"],
                # Each release tells the metadata anew: the version is that of the structure.
                "version": self.flow.version,
                "names": {_LANGUAGE: name},
                "metadataflow": self.urn,
                "targets": list(targets),
                "attributes": attributes,
            }
        )


def _measured(rows: pl.DataFrame | None) -> dict[str, float]:
    """Return the indicators of accuracy, each a median over the published figures."""
    if rows is None:
        return {}
    found: dict[str, float] = {}
    published = rows.filter(pl.col("OBS_VALUE").is_not_null())
    for id, column in (("SAMPLING_ERR_IND", "CV"), ("ITEM_RESPONSE_RATE", "RESP_RATE")):
        if column in published.columns:
            value = published.get_column(column).drop_nans().drop_nulls().median()
            if isinstance(value, float):
                found[id] = round(100 * value, 2)  # per cent
    return found


def _concept(indicator: Reported) -> str:
    statistic = str(indicator["statistic"])
    said = [f"Statistic: {_STATISTICS.get(statistic, statistic.replace('_', ' '))}."]
    if indicator["numerator"]:
        said.append(f"Counted: {indicator['numerator']}.")
    if indicator["universe"]:
        said.append(f"Among: {indicator['universe']}.")
    return " ".join(said)


def _needs(indicator: Reported) -> str:
    better = {
        "higher_better": "Higher is better.",
        "lower_better": "Lower is better.",
    }
    return better.get(str(indicator["direction"]), "It has no better direction.")


def _calendar(publication: Reported) -> str | None:
    following = publication.get("next_release")
    return f"The next release: {following}" if following else None


def _digests(survey: Reported) -> str:
    files = (f"{one['name']} {one['sha256']}" for one in survey["sources"])
    return f"The data are held to their SHA-256 before they are read: {'; '.join(files)}."


def _listed(words: Iterable[object]) -> str:
    return ", ".join(dict.fromkeys(str(word) for word in words))


def _joined(texts: Iterable[object]) -> str:
    return " ".join(dict.fromkeys(str(text) for text in texts))
