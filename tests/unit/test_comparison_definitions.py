"""Declared comparisons are read, and refused where indicator, survey or structure has none."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sdmx_service.definitions.comparison import (
    Adjusted,
    Attributable,
    Contrast,
    Crossed,
    Decomposed,
    Family,
    Gain,
    Model,
    Spread,
    Summary,
    Yardstick,
)
from sdmx_service.definitions.project import load_project
from sdmx_service.errors import DefinitionError


@pytest.fixture
def copy(repository: Path, tmp_path: Path) -> Path:
    """A project whose indicators declare no comparison yet."""
    shutil.copytree(repository / "dsd", tmp_path / "dsd", ignore=shutil.ignore_patterns("*.csv.gz"))
    for path in (tmp_path / "dsd/indicators").glob("*/*.yaml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.split("\ngaps:\n")[0] + "\n", encoding="utf-8")
    return tmp_path


def declare(project: Path, indicator: str, *entries: str) -> None:
    path = project / f"dsd/indicators/{indicator[:3]}/{indicator}.yaml"
    lines = "".join(f"  - {{{entry}}}\n" for entry in entries)
    path.write_text(path.read_text(encoding="utf-8") + "gaps:\n" + lines, encoding="utf-8")


def test_every_kind_of_comparison_is_read(copy: Path) -> None:
    declare(
        copy,
        "POV_ARPT60",
        "kind: attributable, breakdown: POP_GROUP",
        "kind: attributable, breakdown: HH_COMPOSITION, reference: HH3, measures: [PAN]",
        "kind: adjusted, breakdown: SEX, adjust_for: [AGE], model: linear, measures: [ratio]",
        "kind: disparity, breakdown: AGE, measures: [TI, BGV]",
        "kind: disparity, breakdown: HH_COMPOSITION, ordered: true, fit: linear, measures: [SII]",
        "kind: interaction, breakdown: AGE, within: SEX, surveys: [AT_EUSILC]",
        "kind: family, breakdown: POP_GROUP, simultaneous: max_t",
        "kind: decomposition, breakdown: SEX, explained_by: [AGE], yardstick: half",
    )
    first, number, adjusted, spread, slope, crossed, family, decomposed = (
        load_project(copy).indicators["POV_ARPT60"].comparisons
    )
    assert isinstance(first, Attributable)
    assert (first.reference, first.measures) == (None, (Gain.RISK, Gain.FRACTION))
    assert isinstance(number, Attributable)
    assert (number.reference, number.measures) == ("HH3", (Gain.NUMBER,))
    assert isinstance(adjusted, Adjusted)
    assert (adjusted.model, adjusted.measures) == (Model.LINEAR, (Contrast.RATIO,))
    assert adjusted.adjustment == "ADJ_DEMO"
    assert isinstance(spread, Spread)
    assert (spread.ordered, set(spread.measures)) == (
        False,
        {Summary.THEIL, Summary.BETWEEN_GROUP_VARIANCE},
    )
    assert isinstance(slope, Spread)
    assert (slope.ordered, slope.fit) == (True, Model.LINEAR)
    assert isinstance(crossed, Crossed)
    assert crossed.measures == (Contrast.DIFFERENCE, Contrast.RATIO)
    assert crossed.surveys == {"AT_EUSILC"}
    assert isinstance(family, Family)
    assert isinstance(decomposed, Decomposed)
    assert (decomposed.explained_by, decomposed.yardstick) == (("AGE",), Yardstick.HALF)


FAULTS = {
    "no such kind": (
        "HOU_WATER",
        "kind: adjusting, breakdown: SEX",
        ("gaps.0.kind", "'adjusting'", "did you mean adjusted?"),
    ),
    "a field of another kind": (
        "HOU_WATER",
        "kind: attributable, breakdown: SEX, within: AGE",
        ("gaps.0.within", "a field of attributable: reference, measures"),
    ),
    "no model": (
        "HOU_WATER",
        "kind: adjusted, breakdown: SEX, adjust_for: [AGE]",
        ("gaps.0.kind", "the field model beside it"),
    ),
    "a logit of amounts": (
        "EDU_YEARS",
        "kind: adjusted, breakdown: SEX, adjust_for: [AGE], model: logit",
        ("gaps.0.model", "expected linear", "a logit is a model of shares"),
    ),
    "adjusted for itself": (
        "HOU_WATER",
        "kind: adjusted, breakdown: SEX, adjust_for: [SEX], model: logit",
        ("gaps.0.adjust_for", "other breakdowns than its own"),
    ),
    "explained by itself": (
        "EDU_YEARS",
        "kind: decomposition, breakdown: SEX, explained_by: [AGE, SEX]",
        ("gaps.0.explained_by", "other breakdowns than its own"),
    ),
    "a model of medians": (
        "POV_MEDINC",
        "kind: adjusted, breakdown: SEX, adjust_for: [AGE], model: linear",
        ("gaps.0.kind", "a statistic among mean, poverty_rate, proportion, scale_mean"),
    ),
    "a number of people from a mean": (
        "EDU_YEARS",
        "kind: attributable, breakdown: SEX, measures: [PAN]",
        ("gaps.0.measures", "a share of people"),
    ),
    "a fraction of a score": (
        "CAP_IMMIGIDX",
        "kind: attributable, breakdown: SEX",
        ("gaps.0.measures", "scale has a zero"),
    ),
    "an order that is not declared": (
        "HOU_WATER",
        "kind: disparity, breakdown: INCOME_WEALTH_QUANTILE, measures: [SII]",
        ("gaps.0.measures", "ordered: true beside it"),
    ),
    "a relative measure of a score": (
        "CAP_IMMIGIDX",
        "kind: disparity, breakdown: SEX, measures: [TI]",
        ("gaps.0.measures", "scale has a zero"),
    ),
    "groups of medians as one": (
        "POV_MEDINC",
        "kind: disparity, breakdown: SEX, measures: [BGV]",
        ("gaps.0.kind", "a statistic among"),
    ),
    "no such measure": (
        "HOU_WATER",
        "kind: disparity, breakdown: SEX, measures: [GINI]",
        ("gaps.0.measures", "'GINI'", "SII, RII"),
    ),
    "a breakdown that makes no sense for it": (
        "EDU_YEARS",
        "kind: attributable, breakdown: EDUCATION_LEV",
        ("gaps.0", "a breakdown of EDU_YEARS", "'EDUCATION_LEV'"),
    ),
    "a breakdown of no survey": (
        "HOU_WATER",
        "kind: attributable, breakdown: DISABILITY_STATUS",
        ("gaps.0", "breakdowns of any survey of the indicator", "'DISABILITY_STATUS'"),
    ),
    "a survey that lacks it": (
        "LAB_EMPDECL",
        "kind: attributable, breakdown: MIGRATION_STATUS, surveys: [XA_WB2023]",
        ("gaps.0", "breakdowns of XA_WB2023", "'MIGRATION_STATUS'"),
    ),
    "a survey that does not carry it": (
        "HOU_WATER",
        "kind: attributable, breakdown: SEX, surveys: [AT_EUSILC]",
        ("gaps.0", "a survey that carries HOU_WATER: XA_WB2023", "'AT_EUSILC'"),
    ),
    "a group that is not one": (
        "HOU_WATER",
        "kind: attributable, breakdown: URBANISATION, reference: TOWN",
        ("gaps.0: reference", "one of URB, RUR", "'TOWN'"),
    ),
    "a crossing that no survey has": (
        "HOU_WATER",
        "kind: interaction, breakdown: AGE, within: URBANISATION",
        ("gaps.0", "crossed with each other", "'AGE x URBANISATION'"),
    ),
    "a condition that gaps have no dimension for": (
        "POV_ARPT60",
        "kind: interaction, breakdown: SEX, within: MIGRATION_STATUS",
        ("gaps.0: within", "one of SEX, AGE, URBANISATION", "turn breakdown and within about"),
    ),
}


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_comparison_that_cannot_be_made_is_refused_by_line_and_field(
    copy: Path, fault: str
) -> None:
    indicator, entry, said = FAULTS[fault]
    declare(copy, indicator, entry)
    with pytest.raises(DefinitionError) as refused:
        load_project(copy)
    text = str(refused.value)
    assert f"{indicator}.yaml:" in text
    for part in said:
        assert part in text, text


def test_no_two_comparisons_publish_the_same(copy: Path) -> None:
    declare(
        copy,
        "LAB_EMPDECL",
        "kind: adjusted, breakdown: SEX, adjust_for: [AGE], model: logit, surveys: [AT_EUSILC]",
        "kind: adjusted, breakdown: SEX, adjust_for: [AGE], model: linear, surveys: [XA_WB2023]",
        "kind: adjusted, breakdown: SEX, adjust_for: [AGE, HH_COMPOSITION], model: logit",
    )
    assert len(load_project(copy).indicators["LAB_EMPDECL"].comparisons) == 3
    path = copy / "dsd/indicators/LAB/LAB_EMPDECL.yaml"
    text = path.read_text(encoding="utf-8").replace(", surveys: [XA_WB2023]", "")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionError, match=r"each comparison once, got 'SEX ADJ_DEMO"):
        load_project(copy)
