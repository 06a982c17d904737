"""Estimates of levels, as rows of a figure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import pandas as pd

from sdmx_service.publication.edition import Edition
from sdmx_service.publication.series_key import LEVEL_KEY

__all__ = ["Level", "Status", "level_rows", "number", "status_of"]


class Status(Enum):
    """How far a number may be relied on; the values are the letters printed."""

    RELIABLE = ""
    CAUTION = "u"
    WITHHELD = "s"
    NOT_COLLECTED = "n"


@dataclass(frozen=True, slots=True)
class Level:
    """One published estimate; ``breakdown`` is None for everyone. A withheld one has no number."""

    area: str
    indicator: str
    breakdown: str | None
    group: str | None
    label: str
    period: str
    value: float | None
    lower: float | None
    upper: float | None
    answered: int | None
    status: Status
    reason: str
    key: tuple[str, ...]

    @property
    def known(self) -> bool:
        """Whether the release carries a number."""
        return self.value is not None


def number(content: Any) -> float | None:
    """Return a published number, None where there is none."""
    return None if content is None or pd.isna(content) else float(content)


def status_of(row: Mapping[Hashable, Any]) -> Status:
    """Return the status that OBS_STATUS and RELIABILITY say together."""
    if row.get("OBS_STATUS") == "Q" or row.get("RELIABILITY") in ("WITHHELD", "REVIEW"):
        return Status.WITHHELD
    if row.get("OBS_STATUS") in ("L", "M") or number(row.get("OBS_VALUE")) is None:
        return Status.NOT_COLLECTED
    if row.get("OBS_STATUS") == "U" or row.get("RELIABILITY") == "FLAG":
        return Status.CAUTION
    return Status.RELIABLE


def level_rows(edition: Edition, area: str) -> list[Level]:
    """Return the estimates of one area for everyone and for each group of each breakdown.

    Cells of several breakdowns at once are left out; of several periods the last is kept.
    Groups stand in the natural order of their breakdown, never in the order of the estimates.
    """
    return edition.once("levels", area, lambda: _level_rows(edition, area))


def _level_rows(edition: Edition, area: str) -> list[Level]:
    frame = edition.observations("DF_ALL", area)
    if frame.empty:
        return []
    groups = {
        name: [group["code"] for group in entry["groups"]]
        for name, entry in edition.breakdowns.items()
        if name in frame.columns
    }
    member = pd.DataFrame({name: frame[name].isin(codes) for name, codes in groups.items()})
    latest = frame.groupby("INDICATOR")["TIME_PERIOD"].transform("max")
    kept = (member.sum(axis=1) <= 1) & (frame["TIME_PERIOD"] == latest)
    rows: list[Level] = []
    for row in frame[kept].to_dict("records"):
        breakdown = next((name for name, codes in groups.items() if row[name] in codes), None)
        answered = number(row.get("UNWGTD_SAMPL_SIZE"))
        status = status_of(row)
        known = status not in (Status.WITHHELD, Status.NOT_COLLECTED)
        rows.append(
            Level(
                area=area,
                indicator=row["INDICATOR"],
                breakdown=breakdown,
                group=row[breakdown] if breakdown else None,
                label=edition.group_label(breakdown, row[breakdown]) if breakdown else "Everyone",
                period=str(row["TIME_PERIOD"]),
                value=number(row["OBS_VALUE"]) if known else None,
                lower=number(row.get("LOWER_BOUND")) if known else None,
                upper=number(row.get("UPPER_BOUND")) if known else None,
                answered=int(answered) if answered is not None and known else None,
                status=status,
                reason=row["COMMENT_OBS"] if isinstance(row.get("COMMENT_OBS"), str) else "",
                key=tuple(str(row[name]) for name in LEVEL_KEY),
            )
        )
    order = {None: -1} | {name: place for place, name in enumerate(groups)}
    return sorted(
        rows,
        key=lambda r: (
            order[r.breakdown],
            groups[r.breakdown].index(r.group) if r.breakdown and r.group else 0,
        ),
    )
