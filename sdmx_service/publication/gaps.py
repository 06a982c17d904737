"""Published gaps between two groups, as rows of a figure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from sdmx_service.publication.edition import Edition
from sdmx_service.publication.levels import Level, Status, level_rows, number, status_of
from sdmx_service.publication.series_key import GAP_KEY
from sdmx_service.publication.verdict import Verdict, judge, sentence

__all__ = ["Gap", "flow_of", "gap_rows", "gap_sentence", "gaps_with_nation", "said_inside"]

_OF_PEOPLE = ("Aged", "Born", "With", "Without", "In", "Under", "Living", "Not")
_SELF, _NATION = "AREA_SELF", "AREA_NATIONAL"


@dataclass(frozen=True, slots=True)
class Gap:
    """One published difference: the group of interest minus the group it is compared with."""

    area: str
    indicator: str
    breakdown: str
    group: Level | None
    reference: Level | None
    group_label: str
    reference_label: str
    period: str
    value: float | None
    lower: float | None
    upper: float | None
    adjusted_p: float | None
    family_size: int | None
    status: Status
    verdict: Verdict
    key: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Whether the release carries the gap."""
        return self.verdict is not Verdict.NOT_COMPARED

    @property
    def reason(self) -> str:
        """Why there is no comparison."""
        if self.status is Status.NOT_COLLECTED:
            return "not collected"
        return "a value is withheld"


def flow_of(edition: Edition, area: str) -> str:
    """Return the dataflow that holds the gaps of an area."""
    return "DF_GAP" if edition.country(area) == area else "DF_GAP_SUBNAT"


def _differences(edition: Edition, area: str) -> pd.DataFrame:
    """Return the unadjusted differences among everyone, last period of each indicator."""
    frame = edition.observations(flow_of(edition, area), area)
    if frame.empty:
        return frame
    wanted = (frame["GAP_MEASURE"] == "DIFF") & (frame["ADJUSTMENT"] == "UNADJ")
    for name, entry in edition.breakdowns.items():
        if name in ("SEX", "AGE", "URBANISATION"):
            wanted &= ~frame[name].isin([group["code"] for group in entry["groups"]])
    frame = frame[wanted]
    return frame[frame["TIME_PERIOD"] == frame.groupby("INDICATOR")["TIME_PERIOD"].transform("max")]


def _code(prefixed: str, codes: Sequence[str]) -> str | None:
    """Return the group that a prefixed code of the gap structure names (``SEX_F`` -> ``F``)."""
    found = [code for code in codes if prefixed == code or prefixed.endswith(f"_{code}")]
    return max(found, key=len) if found else None


def _gap(
    edition: Edition,
    row: Mapping[Hashable, Any],
    labels: tuple[str, str],
    levels: tuple[Level | None, Level | None],
) -> Gap:
    status = status_of(row)
    known = status not in (Status.WITHHELD, Status.NOT_COLLECTED)
    value, lower, upper = (
        number(row.get(name)) if known else None
        for name in ("OBS_VALUE", "LOWER_BOUND", "UPPER_BOUND")
    )
    size = number(row.get("FAMILY_SIZE"))
    return Gap(
        area=row["REF_AREA"],
        indicator=row["INDICATOR"],
        breakdown=row["BREAKDOWN"],
        group=levels[0],
        reference=levels[1],
        group_label=labels[0],
        reference_label=labels[1],
        period=str(row["TIME_PERIOD"]),
        value=value,
        lower=lower,
        upper=upper,
        adjusted_p=number(row.get("P_ADJ")) if known else None,
        family_size=int(size) if size is not None else None,
        status=status,
        verdict=judge(value, lower, upper, margin=edition.indicators[row["INDICATOR"]].margin),
        key=tuple(str(row[name]) for name in GAP_KEY),
    )


def gap_rows(edition: Edition, area: str) -> list[Gap]:
    """Return the gaps between the groups of an area and their reference group, in natural order."""
    return edition.once("gaps", area, lambda: _gap_rows(edition, area))


def _gap_rows(edition: Edition, area: str) -> list[Gap]:
    levels = {
        (level.indicator, level.breakdown, level.group): level
        for level in level_rows(edition, area)
    }
    rows: list[tuple[tuple[int, int], Gap]] = []
    names = list(edition.breakdowns)
    frame = _differences(edition, area)
    for row in frame.to_dict("records"):
        name = row["BREAKDOWN"]
        if name not in names or row["INDICATOR"] not in edition.indicators:
            continue
        codes = [group["code"] for group in edition.breakdowns[name]["groups"]]
        group, reference = (
            _code(row["COMPARISON_GROUP"], codes),
            _code(row["REFERENCE_GROUP"], codes),
        )
        if group is None or reference is None or reference != edition.reference(name, area):
            continue
        gap = _gap(
            edition,
            row,
            (edition.group_label(name, group), edition.group_label(name, reference)),
            (
                levels.get((row["INDICATOR"], name, group)),
                levels.get((row["INDICATOR"], name, reference)),
            ),
        )
        rows.append(((names.index(name), codes.index(group)), gap))
    return [gap for _, gap in sorted(rows, key=lambda entry: entry[0])]


def gaps_with_nation(edition: Edition, area: str) -> list[Gap]:
    """Return, for every indicator, the gap of an area with its country, in framework order."""
    return edition.once("nation", area, lambda: _gaps_with_nation(edition, area))


def _gaps_with_nation(edition: Edition, area: str) -> list[Gap]:
    country = edition.country(area)
    totals = {
        (level.area, level.indicator): level
        for place in (area, country)
        for level in level_rows(edition, place)
        if level.breakdown is None
    }
    frame = _differences(edition, area)
    if frame.empty:
        return []
    wanted = (
        (frame["BREAKDOWN"] == "REF_AREA")
        & (frame["COMPARISON_GROUP"] == _SELF)
        & (frame["REFERENCE_GROUP"] == _NATION)
    )
    found = [
        _gap(
            edition,
            row,
            (edition.area_name(area), edition.area_name(country)),
            (totals.get((area, row["INDICATOR"])), totals.get((country, row["INDICATOR"]))),
        )
        for row in frame[wanted].to_dict("records")
        if row["INDICATOR"] in edition.indicators
    ]
    order = list(edition.indicators)
    return sorted(found, key=lambda gap: order.index(gap.indicator))


def said_inside(label: str, edition: Edition) -> str:
    """Return a group's label as it reads inside a sentence; names of places keep their capital."""
    first = label.split(" ", 1)[0]
    if first in _OF_PEOPLE:
        return f"people {label[0].lower()}{label[1:]}"
    places = [str(entry["name"]) for entry in edition.definitions["areas"].values()]
    proper = label in places or any(first[:4] == place[:4] for place in places)
    plain_word = first == "A" or (first[:1].isupper() and first[1:].islower())
    return label[0].lower() + label[1:] if plain_word and not proper else label


def gap_sentence(edition: Edition, gap: Gap) -> str:
    """Return the plain-language verdict on a gap."""
    indicator = edition.indicators[gap.indicator]
    return sentence(
        indicator.name,
        said_inside(gap.group_label, edition),
        said_inside(gap.reference_label, edition),
        gap.value,
        gap.lower,
        gap.upper,
        margin=indicator.margin,
        unit=indicator.gap_unit,
        decimals=indicator.decimals,
        reason=gap.reason,
    )
