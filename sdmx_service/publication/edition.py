"""What one release holds, as a report reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol, TypeVar

import pandas as pd

from sdmx_service.errors import DefinitionError, NotFound
from sdmx_service.publication.series_key import LEVEL_KEY

__all__ = ["Edition", "Indicator", "Readable", "Survey"]

Row = TypeVar("Row")
_COUNTED_UNITS = ("years", "days", "hours", "persons", "people", "rooms", "euros")
_NO_GROUP = ("_T", "_Z")

_DIRECTIONS = {
    "lower_better": "lower is better",
    "higher_better": "higher is better",
    "parity": "equal is the aim",
    "gap_only": "the level has no better direction",
}


class Readable(Protocol):
    """The part of a release that reports read."""

    @property
    def id(self) -> str:
        """The release id."""

    @property
    def title(self) -> str:
        """The title of the publication."""

    @property
    def published(self) -> datetime:
        """When the release was published."""

    @property
    def definitions(self) -> Mapping[str, Any]:
        """Indicators, surveys, areas, breakdowns and policies."""

    @property
    def annexes(self) -> tuple[str, ...]:
        """The names of the quality annexes."""

    def annex(self, name: str) -> Any:
        """Return one quality annex."""

    def observations(self, flow_id: str = ..., **codes: Any) -> pd.DataFrame:
        """Return a flow's observations, narrowed by codes."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """An indicator as its definition describes it; ``margin`` is in the unit of a gap."""

    id: str
    name: str
    domain: str
    unit: str
    unit_label: str
    decimals: int
    direction: str
    definition: str
    limits: str
    margin: float
    scale: tuple[float, float] | None
    headline: bool
    contextual: bool

    @property
    def gap_unit(self) -> str:
        """What a gap is counted in: percentage points are "points"."""
        if self.unit_label in ("%", "percent") or self.unit in ("PT", "PP"):
            return "points"
        return self.unit_label if self.unit_label in _COUNTED_UNITS else "points"

    @property
    def measure(self) -> str:
        """The unit as a subtitle says it."""
        return self.unit_label or "value"

    @property
    def suffix(self) -> str:
        """What stands directly behind a level."""
        return "%" if self.unit_label == "%" else ""

    @property
    def direction_words(self) -> str:
        """The direction in words."""
        return _DIRECTIONS.get(self.direction, self.direction.replace("_", " "))


@dataclass(frozen=True, slots=True)
class Survey:
    """A survey as its declaration describes it."""

    id: str
    area: str
    period: str
    title: str
    citation: str
    licence: str
    url: str
    sha256: str
    synthetic: bool
    answered: int | None
    design: str
    notes: tuple[str, ...] = ()
    not_in_the_data: tuple[str, ...] = ()

    @property
    def named(self) -> str:
        """The title, with the word synthetic where the data are."""
        if not self.synthetic or "synthetic" in self.title.lower():
            return self.title
        return f"{self.title} (synthetic data)"


def _listed(content: Any) -> tuple[str, ...]:
    if not content:
        return ()
    return (content,) if isinstance(content, str) else tuple(str(item) for item in content)


@dataclass(frozen=True)
class Edition:
    """A release with its definitions as values and its tables read once an area."""

    release: Readable
    _frames: dict[tuple[str, str], pd.DataFrame] = field(default_factory=dict, compare=False)
    _rows: dict[tuple[str, str], list[Any]] = field(default_factory=dict, compare=False)

    @property
    def definitions(self) -> Mapping[str, Any]:
        """The definitions as the release carries them."""
        return self.release.definitions

    @property
    def publication(self) -> Mapping[str, Any]:
        """Agency, organisation, title, address and licence."""
        content: Mapping[str, Any] = self.definitions["publication"]
        return content

    @cached_property
    def domains(self) -> Mapping[str, str]:
        """Domain id -> name, in the order of the framework."""
        return {entry["id"]: entry["name"] for entry in self.definitions["domains"]}

    @cached_property
    def indicators(self) -> Mapping[str, Indicator]:
        """Every indicator of the release, in the order of the framework."""
        order = list(self.domains)
        entries = sorted(
            self.definitions["indicators"].values(), key=lambda entry: order.index(entry["domain"])
        )
        return {
            entry["id"]: Indicator(
                id=entry["id"],
                name=entry["name"],
                domain=entry["domain"],
                unit=entry.get("unit") or "",
                unit_label=entry.get("unit_label") or "",
                decimals=int(entry.get("decimals") or 0),
                direction=entry.get("direction") or "gap_only",
                definition=(entry.get("definition") or "").strip(),
                limits=(entry.get("limits") or "").strip(),
                margin=float(entry.get("margin") or 0),
                scale=_scale(entry.get("scale")),
                headline=bool(entry.get("headline", True)),
                contextual=entry.get("level") == "contextual",
            )
            for entry in entries
        }

    @cached_property
    def surveys(self) -> Mapping[str, Survey]:
        """Every survey of the release."""
        return {
            key: Survey(
                id=key,
                area=entry["area"],
                period=str(entry.get("period", "")),
                title=entry["title"],
                citation=(entry.get("citation") or "").strip(),
                licence=(entry.get("licence") or "").strip(),
                url=entry.get("url") or "",
                sha256=entry.get("sha256") or "",
                synthetic=bool(entry.get("synthetic")),
                answered=entry.get("n"),
                design=(entry.get("design") or "").strip(),
                notes=_listed(entry.get("notes")),
                not_in_the_data=_listed(entry.get("not_in_the_data")),
            )
            for key, entry in self.definitions["surveys"].items()
        }

    @cached_property
    def breakdowns(self) -> Mapping[str, Any]:
        """Breakdown id -> name and groups, both in natural order; areas are no breakdown here."""
        return {
            name: entry | {"groups": [g for g in entry["groups"] if g["code"] not in _NO_GROUP]}
            for name in LEVEL_KEY
            if name != "REF_AREA" and (entry := self.definitions["breakdowns"].get(name))
        }

    def area_name(self, area: str) -> str:
        """Return the name of an area; NotFound says which there are."""
        areas = self.definitions["areas"]
        if area not in areas:
            raise NotFound("area", got=area, expected=f"one of {', '.join(areas)}")
        return str(areas[area]["name"])

    def country(self, area: str) -> str:
        """Return the country that an area belongs to."""
        self.area_name(area)
        while (parent := self.definitions["areas"][area].get("parent")) in self.definitions[
            "areas"
        ]:
            area = parent
        return area

    def countries(self) -> list[str]:
        """Return the areas that have a survey."""
        return list(dict.fromkeys(survey.area for survey in self.surveys.values()))

    def parts(self, country: str) -> list[str]:
        """Return the areas directly below a country, in classification order."""
        return list(self.definitions["areas"][country].get("children") or ())

    def surveys_of(self, area: str) -> list[Survey]:
        """Return the surveys that describe the country of an area."""
        country = self.country(area)
        return [survey for survey in self.surveys.values() if survey.area == country]

    def group_label(self, breakdown: str, code: str) -> str:
        """Return what a group is called in a figure."""
        for group in self.breakdowns[breakdown]["groups"]:
            if group["code"] == code:
                return str(group.get("label") or group["name"])
        raise DefinitionError(f"breakdown {breakdown}", got=code, expected="a declared group")

    def reference(self, breakdown: str, area: str) -> str | None:
        """Return the reference group of a breakdown in the survey of an area."""
        for survey in self.surveys_of(area):
            code = self.definitions["references"].get(survey.id, {}).get(breakdown)
            if code is not None:
                return str(code)
        return None

    def observations(self, flow: str, area: str) -> pd.DataFrame:
        """Return the observations of one area of a flow, read once."""
        if (flow, area) not in self._frames:
            self._frames[flow, area] = self.release.observations(flow, REF_AREA=area)
        return self._frames[flow, area]

    def once(self, kind: str, area: str, make: Callable[[], list[Row]]) -> list[Row]:
        """Return the rows of an area, made at the first asking."""
        if (kind, area) not in self._rows:
            self._rows[kind, area] = make()
        return self._rows[kind, area]


def _scale(content: Any) -> tuple[float, float] | None:
    if not content or any(limit is None for limit in content):
        return None
    return float(content[0]), float(content[1])
