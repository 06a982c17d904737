"""A release of clearly invented figures, with what a real one offers to a report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from sdmx_service.publication.series_key import GAP_KEY
from sdmx_service.publication.series_key import LEVEL_KEY as KEY

AREAS = {
    "ZZ": {"name": "Avalia", "level": 0, "parent": None, "children": ["ZZ-1", "ZZ-2", "ZZ-3"]},
    "ZZ-1": {"name": "Lakes", "level": 1, "parent": "ZZ", "children": []},
    "ZZ-2": {"name": "Dry Hills", "level": 1, "parent": "ZZ", "children": []},
    "ZZ-3": {"name": "Outer Isles", "level": 1, "parent": "ZZ", "children": []},
}
SEX = [("F", "Female", "Women"), ("M", "Male", "Men")]
AGE = [
    ("Y0T14", "0 to 14", "Aged 0 to 14"),
    ("Y25T54", "25 to 54", "Aged 25 to 54"),
    ("Y_GE65", "65 and over", "Aged 65 and over"),
]
BREAKDOWNS = {
    name: {
        "name": title,
        "groups": [{"code": c, "name": n, "label": label} for c, n, label in groups],
    }
    for name, title, groups in (("SEX", "Sex", SEX), ("AGE", "Age", AGE))
}


def _indicator(key: str, name: str, domain: str, **more: Any) -> dict[str, Any]:
    return {
        "id": key,
        "name": name,
        "domain": domain,
        "statistic": "proportion",
        "unit": "PT",
        "unit_label": "%",
        "decimals": 1,
        "direction": "lower_better",
        "level": "universal",
        "headline": True,
        "definition": f"Invented: {name.lower()}.",
        "limits": "It is invented, so it tells nothing.",
        "margin": 2.0,
        "scale": [0, 100],
        "surveys": ["ZZ_SURVEY"],
    } | more


INDICATORS = {
    entry["id"]: entry
    for entry in (
        _indicator("POV_RATE", "At-risk-of-poverty rate", "POV"),
        _indicator("HOU_CROWD", "Overcrowding rate", "HOU", margin=1.0, level="contextual"),
        _indicator(
            "EDU_YEARS",
            "Mean years of schooling",
            "EDU",
            unit="YR",
            unit_label="years",
            direction="higher_better",
            scale=[0, 20],
            margin=0.5,
        ),
        _indicator(
            "CAP_TRUST",
            "Trust in other people",
            "CAP",
            unit="IX",
            unit_label="points of a 0 to 10 score",
            direction="higher_better",
            scale=[0, 10],
            margin=0.3,
        ),
    )
}
BASES = {"POV_RATE": 19.4, "HOU_CROWD": 11.2, "EDU_YEARS": 12.3, "CAP_TRUST": 5.6}
SHIFTS = {"F": 1.0, "M": -1.0, "Y0T14": 4.0, "Y25T54": -1.0, "Y_GE65": 0.2}
AREA_SHIFTS = {"ZZ": 0.0, "ZZ-1": 3.4, "ZZ-2": -0.3, "ZZ-3": 6.0}


class InventedRelease:
    """The public face of a release; nothing in it is a statistic."""

    id = "INVENTED-1"
    title = "Invented figures for tests"
    created = published = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    structures = None

    def __init__(self, directory: Path, indicators: tuple[str, ...] = tuple(INDICATORS)) -> None:
        self.directory = directory / self.id
        self._indicators = indicators
        self._levels = pd.DataFrame([row for key in indicators for row in _levels(key)])
        self._gaps = pd.DataFrame([row for key in indicators for row in _gaps(key)])

    @property
    def definitions(self) -> Mapping[str, Any]:
        names = ("POV", "Financial poverty"), ("MOB", "Social mobility"), ("CAP", "Social capital")
        names += ("HOU", "Housing"), ("EDU", "Education")
        return {
            "publication": {
                "agency": "SIS",
                "organisation": "Office of Avalia",
                "title": self.title,
                "base_url": "https://stats.example.org",
                "licence": "CC BY 4.0",
                "next_release": None,
            },
            "domains": [{"id": key, "name": name} for key, name in names],
            "indicators": {key: INDICATORS[key] for key in self._indicators},
            "surveys": {
                "ZZ_SURVEY": {
                    "id": "ZZ_SURVEY",
                    "area": "ZZ",
                    "period": "2025",
                    "title": "Avalia Social Survey",
                    "citation": "Invented (2026).",
                    "licence": "CC0",
                    "url": "https://stats.example.org/survey",
                    "sha256": "0" * 64,
                    "synthetic": True,
                    "n": 5432,
                    "design": "Invented strata and sampling units.",
                    "notes": ["Nobody was asked."],
                    "not_in_the_data": ["People living on boats."],
                }
            },
            "areas": AREAS,
            "breakdowns": BREAKDOWNS,
            "references": {"ZZ_SURVEY": {"SEX": "M", "AGE": "Y25T54"}},
            "policies": {
                "reliability": {
                    "id": "r",
                    "title": "Invented rule",
                    "url": "https://stats.example.org/rule",
                    "reasons": {"SAMPLE_SIZE": "Fewer people answered than the rule asks for"},
                },
                "disclosure": {"id": "d", "title": "Invented protection"},
            },
        }

    annexes = ("truth_ZZ",)

    def annex(self, name: str) -> Any:
        assert name == "truth_ZZ"
        return {
            "title": "Avalia against its population",
            "note": "The population is known.",
            "rows": [
                {
                    "indicator": "POV_RATE",
                    "name": "At-risk-of-poverty rate",
                    "level": level,
                    "cells": cells,
                    "held": held,
                    "held_90": None,
                }
                for level, cells, held in (
                    ("nation", 1, 1),
                    ("urban/rural", 2, 2),
                    ("region", 3, 2),
                )
            ],
            "cells": [
                {
                    "REF_AREA": "ZZ-1",
                    "URBANISATION": "_T",
                    "indicator": "POV_RATE",
                    "truth": 20.0,
                    "estimate": 22.8,
                    "lower": 20.6,
                    "upper": 25.1,
                    "inside": False,
                },
            ],
        }

    def observations(self, flow_id: str = "DF_ALL", **codes: Any) -> pd.DataFrame:
        frame = self._gaps if flow_id.startswith("DF_GAP") else self._levels
        for name, wanted in codes.items():
            frame = frame[frame[name].isin([wanted] if isinstance(wanted, str) else wanted)]
        return frame.reset_index(drop=True)


def _status(area: str, group: str | None) -> tuple[str, str]:
    if area == "ZZ-3" and group in ("F", "Y0T14"):
        return "Q", "WITHHELD"
    if group == "Y_GE65" and area != "ZZ":
        return "U", "FLAG"
    return "A", "PRESENT"


def _value(key: str, area: str, group: str | None) -> float:
    scale = 1.0 if INDICATORS[key]["unit"] == "PT" else 0.1
    return BASES[key] + scale * (AREA_SHIFTS[area] + SHIFTS.get(group or "", 0.0))


def _levels(key: str) -> list[dict[str, Any]]:
    rows = []
    small = 1.0 if INDICATORS[key]["unit"] == "PT" else 0.1
    for area in AREAS:
        groups = [(None, None), *(("SEX", g[0]) for g in SEX), *(("AGE", g[0]) for g in AGE)]
        for name, group in groups:
            row: dict[str, Any] = dict.fromkeys(KEY, "_T")
            row |= {"FREQ": "A", "REF_AREA": area, "INDICATOR": key, "TIME_PERIOD": "2025"}
            if name is not None:
                row[name] = group
            status, reliability = _status(area, group)
            value = _value(key, area, group) if status != "Q" else None
            half = small * (0.9 if area == "ZZ" else 2.2)
            row |= {
                "OBS_VALUE": value,
                "LOWER_BOUND": None if value is None else value - half,
                "UPPER_BOUND": None if value is None else value + half * 1.1,
                "UNWGTD_SAMPL_SIZE": None if value is None else 400.0,
                "OBS_STATUS": status,
                "RELIABILITY": reliability,
            }
            rows.append(row)
    cross = rows[0] | {"SEX": "F", "AGE": "Y0T14"}
    return [*rows, cross]


def _gaps(key: str) -> list[dict[str, Any]]:
    small = 1.0 if INDICATORS[key]["unit"] == "PT" else 0.1
    pairs = [("SEX", "SEX", "F", "M")]
    pairs += [("AGE", "AGE", group, "Y25T54") for group in ("Y0T14", "Y_GE65")]
    rows = []
    for area in AREAS:
        for name, prefix, group, reference in pairs:
            value = _value(key, area, group) - _value(key, area, reference)
            held = "Q" in (_status(area, group)[0], _status(area, reference)[0])
            rows.append(
                _gap(
                    key,
                    area,
                    name,
                    f"{prefix}_{group}",
                    f"{prefix}_{reference}",
                    None if held else value,
                    small * (1.3 if area == "ZZ" else 2.8),
                )
            )
        if area != "ZZ":
            value = _value(key, area, None) - _value(key, "ZZ", None)
            rows.append(
                _gap(key, area, "REF_AREA", "AREA_SELF", "AREA_NATIONAL", value, small * 1.4)
            )
    return rows


def _gap(
    key: str, area: str, name: str, group: str, reference: str, value: float | None, half: float
) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(GAP_KEY, "_T")
    known = value is not None
    return row | {
        "FREQ": "A",
        "REF_AREA": area,
        "INDICATOR": key,
        "BREAKDOWN": name,
        "COMPARISON_GROUP": group,
        "REFERENCE_GROUP": reference,
        "GAP_MEASURE": "DIFF",
        "ADJUSTMENT": "UNADJ",
        "TIME_PERIOD": "2025",
        "OBS_VALUE": value,
        "LOWER_BOUND": value - half if value is not None else None,
        "UPPER_BOUND": value + half if value is not None else None,
        "P_ADJ": 0.0213 if known else None,
        "FAMILY_SIZE": 3.0,
        "OBS_STATUS": "A" if known else "Q",
        "RELIABILITY": "PRESENT" if known else "WITHHELD",
    }
