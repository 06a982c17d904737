"""What a release can say of an indicator, a survey or an agreement, by concept of SIMS 2.0.

It is made from what the release says of itself and nothing else, so that it tells no number that
is not public: of the policies that protect people their names, never a number of theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from statistics import median
from typing import Any

import polars as pl

from sdmx_service.release import sentences as words
from sdmx_service.release.accuracy import (
    Accuracy,
    Figure,
    figures,
    precision,
    precision_by,
    whole_areas,
)
from sdmx_service.release.release import Release
from sdmx_service.structures.artefacts import Codelist, DataStructure
from sdmx_service.structures.kinds import ArtefactKind

__all__ = ["Account", "Said"]

Said = Mapping[str, Any]
"""Attribute -> text in English, texts by language, number, list of them, or nothing."""

_STATISTICS = {
    "poverty_rate": "share of people below a poverty line",
    "gini": "Gini coefficient",
    "atkinson": "Atkinson index",
    "entropy": "generalised entropy index",
    "multidimensional": "measure of deprivation in several things at once",
    "scale_mean": "mean of a scale of several questions",
}
_KEY = ("INDICATOR", "REF_AREA", "TIME_PERIOD")
_DIRECTIONS = {"higher_better": "Higher is better.", "lower_better": "Lower is better."}


class Account:
    """Says what the definitions, the annexes, the manifest and the figures of a release hold."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.definitions = release.definitions
        self.publication: Said = release.definitions["publication"]

    def of_indicator(self, indicator: Said) -> Said:
        surveys = [self.definitions["surveys"][id] for id in indicator["surveys"]]
        here = self._by_indicator.get(indicator["id"])
        whole = [one for one in self._whole if one.indicator == indicator["id"]]
        return {
            **self.of_all(),
            **self._precise(here, whole),
            "DATA_DESCR": indicator["definition"],
            "COVERAGE_SECTOR": self.domain(indicator["domain"]),
            "STAT_CONC_DEF": _concept(indicator),
            "STAT_POP": indicator["population"],
            "REF_AREA_COVERED": self.areas(s["area"] for s in surveys),
            "COVERAGE_TIME": _listed(here.periods if here else (s["period"] for s in surveys)),
            "UNIT_OF_MEASURE": self.named("UNIT_MEASURE", [indicator["unit"]]),
            "USER_NEEDS": _place(indicator),
            "SAMPLING_ERR": _joined(
                [
                    words.sampling(here, self._codes) if here else None,
                    words.of_whole_areas(whole, int(indicator["decimals"]), self.area),
                    self.judged(indicator["statistic"]),
                ]
            ),
            "ONLINE_DB": self.address("INDICATOR", indicator["id"]),
            "MICRO_DAT_ACC": _each(surveys, "licence"),
            "DOC_METHOD": _each(surveys, "url"),
            "QUALITY_ASSMNT": self.truth(indicator=indicator["id"]),
            "COMPAR_GEO": _geography(surveys),
            "SOURCE_TYPE": _joined(
                f"{s['title']}: {s['citation']} {s['design']} (Quality report QR_{s['id']}.)"
                for s in surveys
            ),
            "COMPLETENESS": _apart(surveys, "not_in_the_data"),
            "COMMENT_DSET": [f"{s['title']}: {_MADE_UP}" for s in surveys if s["synthetic"]],
        }

    def of_survey(self, survey: Said) -> Said:
        area = str(survey["area"])
        here = self._of_survey(survey)
        whole = [one for one in self._whole if one.area == area and one.period == survey["period"]]
        whole = [one for one in whole if survey["id"] in self._carriers(one.indicator)]
        breakdowns = self.definitions["breakdowns"]
        names = [breakdowns[id]["name"] for id in self.definitions["references"][survey["id"]]]
        return {
            **self.of_all(),
            **self._precise(here, whole),
            "DATA_DESCR": f"{survey['title']}. {_size(survey)}",
            "CLASS_SYSTEM": _listed(names),
            "REF_AREA_COVERED": self.areas([area]),
            "COVERAGE_TIME": survey["period"],
            "REF_PERIOD": survey["period"],
            "MICRO_DAT_ACC": f"Licence: {survey['licence']}. Source: {survey['url']}",
            "DOC_METHOD": survey["url"],
            "SAMPLING_ERR": _joined(
                [
                    words.sampling(here, self._codes) if here else None,
                    words.by_indicator(whole, self.area(area)),
                    self.judged(None),
                ]
            ),
            "ONLINE_DB": self.address("REF_AREA", area),
            "QUALITY_ASSMNT": self.truth(survey=survey["id"]),
            "SOURCE_TYPE": f"{survey['citation']} {survey['design']} {_size(survey)}",
            "COMPAR_GEO": _geography([survey]),
            "DATA_VALIDATION": _digests(survey),
            "COMPLETENESS": list(survey["not_in_the_data"]),
            "COMMENT_DSET": [*([_MADE_UP] if survey["synthetic"] else ()), *survey["notes"]],
        }

    def of_all(self) -> dict[str, Any]:
        """Return what is true of all figures of the release."""
        publication = self.publication
        disclosure = self.definitions["policies"]["disclosure"]["title"]
        following = publication.get("next_release")
        return {
            "CONTACT_ORGANISATION": publication["organisation"],
            "META_LAST_UPDATE": f"{self.release.published:%Y-%m-%d}",
            "CONF_POLICY": f"{disclosure}. What it asks for in numbers is not published.",
            "CONF_DATA_TR": (
                "A withheld figure keeps its place and loses all numbers: the status is Q, and "
                "what could be worked out from other published figures is withheld with it."
            ),
            "REL_CAL_POLICY": (
                f"The next release: {following}."
                if following
                else "The day of the next release is not announced."
            ),
            "REL_POL_US_AC": publication["licence"],
            "ONLINE_DB": f"{publication['base_url']}/sdmx/v2/data",
            "PUBLICATIONS": publication["title"],
            "QUALITY_ASSURE": (
                "Every figure is judged by the policies on reliability and on protection before it "
                "is published, and a release is sealed: its manifest has the SHA-256 of each file."
            ),
            "COHER_INTERNAL": "All figures of a release are made in one run from the same data.",
            "REV_POLICY": (
                "A published release never changes. A correction is a new release, and the earlier "
                "one stays readable (asOf)."
            ),
        }

    # -- precision ----------------------------------------------------------------------------

    def _precise(self, here: Accuracy | None, whole: Sequence[Figure]) -> dict[str, Any]:
        """Return what the figures say of their own accuracy; nothing where there are none."""
        if here is None or not here.made:
            return {}
        counted = {
            "COMPLETENESS_RATE": round(100 * here.published / here.made, 1),
            "ACCURACY_OVERALL": words.overall(here, self._codes),
        }
        if not here.published:
            return counted
        return counted | {
            "SAMPLING_ERR_IND": _per_cent(one.cv for one in whole),
            "NONRESPONSE_ERR": words.nonresponse(here),
            "ITEM_NONRESPONSE_RATE": _per_cent(
                None if one.response is None else 1 - one.response for one in whole
            ),
            "TIMELINESS": words.timeliness(here.periods, self.release.published.date()),
            "COMPAR_TIME": words.over_time(here),
            "DATA_COMP": words.compilation(here, self._codes),
        }

    @cached_property
    def estimates(self) -> DataStructure | None:
        """The structure of the estimates: that with most of the dimensions figures go by.

        None where no structure has indicators, areas, periods and values.
        """
        store, rows = self.release.structures, self.release.manifest.rows
        wanted = {*_KEY, *self.definitions["breakdowns"]}
        found = [
            store.datastructure(one.id, one.agency, one.version)
            for one in store.find(ArtefactKind.DATA_STRUCTURE)
            if not store.elsewhere(one)
        ]
        return max(
            (one for one in found if {*_KEY, "OBS_VALUE"} <= one.by_id.keys()),
            key=lambda one: (len(wanted & one.by_id.keys()), one.id in rows),
            default=None,
        )

    @cached_property
    def _table(self) -> pl.LazyFrame | None:
        structure = self.estimates
        if structure is None or structure.id not in self.release.manifest.rows:
            return None
        return figures(self.release, structure)

    @cached_property
    def _by_indicator(self) -> Mapping[str, Accuracy]:
        return {} if self._table is None else precision_by(self._table, "INDICATOR")

    @cached_property
    def _whole(self) -> tuple[Figure, ...]:
        if self._table is None or self.estimates is None:
            return ()
        areas = {str(one["area"]) for one in self.definitions["surveys"].values()}
        return whole_areas(self._table, self.estimates, areas)

    def _of_survey(self, survey: Said) -> Accuracy | None:
        if self._table is None or self.estimates is None:
            return None
        if "PROV_ID" in self.estimates.by_id:
            mine = pl.col("PROV_ID").cast(pl.String).str.starts_with(f"{survey['id']}:")
        else:
            mine = pl.col("REF_AREA").cast(pl.String).is_in(self.within(str(survey["area"])))
            mine &= pl.col("TIME_PERIOD").cast(pl.String) == survey["period"]
        return precision(self._table.filter(mine))

    def _carriers(self, indicator: str) -> Sequence[str]:
        found: Sequence[str] = self.definitions["indicators"].get(indicator, {}).get("surveys", ())
        return found

    def judged(self, statistic: str | None) -> str:
        reliability = self.definitions["policies"]["reliability"]
        policy = reliability.get("of_statistic", {}).get(statistic, reliability["id"])
        title = f" ({reliability['title']})" if policy == reliability["id"] else ""
        return (
            f"What is too unreliable is marked or withheld by the policy {policy}{title}, which "
            f"rests on {reliability['url']}."
        )

    def truth(self, *, survey: str | None = None, indicator: str | None = None) -> str | None:
        """Return how many intervals held a truth that is known, where an annex says so."""
        told = []
        for name in self.release.annexes:
            annex = self.release.annex(name)
            if not isinstance(annex, dict) or not {"survey", "rows", "title"} <= annex.keys():
                continue
            rows = [one for one in annex["rows"] if indicator in (None, one["indicator"])]
            compared = sum(one["cells"] - one["without_interval"] for one in rows)
            if compared and survey in (None, annex["survey"]):
                held = sum(one["held"] for one in rows)
                told.append(
                    f"{annex['title']}: {held} of the {compared} intervals for which the truth is "
                    "known hold it, those of withheld figures among them."
                )
        return _joined(told) or None

    # -- names --------------------------------------------------------------------------------

    def domain(self, id: str) -> str:
        names = {one["id"]: one["name"] for one in self.definitions["domains"]}
        return str(names.get(id, id))

    def area(self, id: str) -> str:
        return str(self.definitions["areas"][id]["name"])

    def areas(self, ids: Iterable[str]) -> Mapping[str, str]:
        return self.named("REF_AREA", list(dict.fromkeys(ids)))

    def within(self, area: str) -> list[str]:
        """Return an area and all areas in it."""
        children = self.definitions["areas"].get(area, {}).get("children", ())
        return [area, *(one for child in children for one in self.within(child))]

    def named(self, component: str, codes: Sequence[str]) -> Mapping[str, str]:
        """Return names and codes in each language that has all the names."""
        listed = self._codes(component)
        names = [listed.by_id[code].name if listed else {} for code in codes]
        spoken = set.intersection(*map(set, names)) if names else set()
        return {
            language: _listed(
                f"{name[language]} ({code})" for name, code in zip(names, codes, strict=True)
            )
            for language in sorted(spoken)
        } or {"en": _listed(codes)}

    def codelist(self, dimension: str) -> Codelist:
        """Return the list of a dimension of the estimates; the definitions name codes of it."""
        found = self._codes(dimension)
        assert found is not None
        return found

    def _codes(self, component: str) -> Codelist | None:
        structure = self.estimates
        found = structure.by_id.get(component) if structure else None
        return found.codelist if found else None

    def address(self, component: str, code: str) -> str:
        """Return where the figures with a code are read."""
        structure, base = self.estimates, self.publication["base_url"]
        if structure is None:
            return f"{base}/sdmx/v2/data"
        named = f"{structure.agency}/{structure.id}/{structure.version}"
        return f"{base}/sdmx/v2/data/datastructure/{named}/*?c[{component}]={code}"


_MADE_UP = "Synthetic data: nobody in it is a real person."


def _per_cent(shares: Iterable[float | None]) -> float | None:
    known = [one for one in shares if one is not None]
    return round(100 * median(known), 2) if known else None


def _concept(indicator: Said) -> str:
    statistic = str(indicator["statistic"])
    said = [f"Statistic: {_STATISTICS.get(statistic, statistic.replace('_', ' '))}."]
    if indicator["numerator"]:
        said.append(f"Counted, in the variables of the survey: {indicator['numerator']}.")
    if indicator["universe"]:
        said.append(f"Among: {indicator['universe']}.")
    said.append(_DIRECTIONS.get(str(indicator["direction"]), "It has no better direction."))
    said.append(f"What it does not show: {indicator['limits']}")
    return " ".join(said)


def _place(indicator: Said) -> str:
    """Return where an indicator stands in the framework."""
    dimension = indicator.get("inclusion_dimension_name", indicator["inclusion_dimension"])
    facet = indicator.get("facet_name", indicator["facet"])
    head = "; one of the headline indicators" if indicator["headline"] else ""
    return f"{str(indicator['level']).capitalize()} indicator of {dimension}, {facet}{head}."


def _size(survey: Said) -> str:
    kind = "Synthetic data" if survey["synthetic"] else "Survey data"
    return f"{kind} of {survey['n']:,} people."


def _geography(surveys: Sequence[Said]) -> str:
    named = _listed(s["title"] for s in surveys)
    if len(surveys) == 1:
        return f"All areas are of one survey, with the same questions: {named}."
    return f"Of several surveys, whose designs and questions differ: {named}."


def _each(surveys: Sequence[Said], key: str) -> str:
    return "; ".join(f"{s['title']}: {s[key]}" for s in surveys)


def _apart(surveys: Sequence[Said], key: str) -> list[str]:
    """Return texts of surveys, with the title of theirs where there are several."""
    many = len(surveys) > 1
    return [f"{s['title']}: {text}" if many else text for s in surveys for text in s[key]]


def _digests(survey: Said) -> str:
    files = (f"{one['name']} {one['sha256']}" for one in survey["sources"])
    return f"The data are held to their SHA-256 before they are read: {'; '.join(files)}."


def _listed(texts: Iterable[object]) -> str:
    return ", ".join(dict.fromkeys(str(text) for text in texts))


def _joined(texts: Iterable[object]) -> str:
    return " ".join(dict.fromkeys(str(text) for text in texts if text))
