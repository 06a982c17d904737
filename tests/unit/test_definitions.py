"""Definitions are read, cross-checked, and refused with an error a person can act on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sdmx_service.definitions.indicator import Statistic
from sdmx_service.definitions.project import Project, load_project
from sdmx_service.errors import DefinitionError, StructureError

FRAMEWORK = ["POV", "MOB", "CAP", "HOU", "EDU", "HEA", "JUS", "LAB", "PAR", "ENV", "WEL"]


@pytest.fixture
def copy(repository: Path, tmp_path: Path) -> Path:
    """A project of one's own to break."""
    shutil.copytree(repository / "dsd", tmp_path / "dsd", ignore=shutil.ignore_patterns("*.csv.gz"))
    return tmp_path


def _change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_at_least_twelve_indicators_over_at_least_five_domains_are_carried(
    project: Project,
) -> None:
    carried = {i.id: i.domain for s in project.surveys.values() for i in project.indicators_of(s)}
    assert len(carried) >= 12
    assert len(set(carried.values())) >= 5


def test_domains_stand_in_the_order_of_the_framework(project: Project) -> None:
    assert list(project.structures.codelist("CL_DOMAIN").by_id) == FRAMEWORK


def test_each_indicator_says_what_it_cannot_tell(project: Project) -> None:
    assert all(len(indicator.limits) >= 40 for indicator in project.indicators.values())


def test_a_proxy_is_contextual(project: Project) -> None:
    """Only what is made of Austrian incomes is carried by the definition of the common list."""
    universal = {i.id for i in project.indicators.values() if i.level == "universal"}
    assert universal == {"POV_ARPT60", "POV_GAP", "POV_S80S20"}


def test_an_indicator_without_python_is_carried_by_every_survey_that_has_its_variables(
    copy: Path,
) -> None:
    """Definitions are data: a new file and a code, no code of ours."""
    _change(
        copy / "dsd/structures/indicators.xml",
        '<str:Code id="POV_EXP60">',
        '<str:Code id="LAB_STUDENT"><com:Name xml:lang="en">Students</com:Name></str:Code>'
        '<str:Code id="POV_EXP60">',
    )
    _change(
        copy / "dsd/structures/dataflows.xml",
        "<com:Value>LAB_EMPDECL</com:Value>",
        "<com:Value>LAB_EMPDECL</com:Value><com:Value>LAB_STUDENT</com:Value>",
    )
    text = (copy / "dsd/indicators/LAB/LAB_EMPDECL.yaml").read_text(encoding="utf-8")
    (copy / "dsd/indicators/LAB/LAB_STUDENT.yaml").write_text(
        text.replace("id: LAB_EMPDECL", "id: LAB_STUDENT").replace("'EMP'", "'STUDENT'"),
        encoding="utf-8",
    )
    project = load_project(copy)
    carrying = [
        s.id for s in project.surveys.values() if project.indicators["LAB_STUDENT"].carried_by(s)
    ]
    assert carrying == ["AT_EUSILC", "XA_WB2023"]


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "indicators/POV/POV_ARPT60.yaml",
            "direction: lower_better",
            "direction: lower_beter",
            r"POV_ARPT60\.yaml:\d+: direction: expected one of .*got 'lower_beter' "
            r"\(did you mean lower_better\?\)",
        ),
        (
            "indicators/POV/POV_ARPT60.yaml",
            "margin: 2.0",
            "margine: 2.0",
            r"expected no such field, got 'margine' \(did you mean margin\?\)",
        ),
        (
            "indicators/POV/POV_ARPT60.yaml",
            "limits: >-",
            "notes: >-",
            r"POV_ARPT60\.yaml",
        ),
        (
            "indicators/POV/POV_ARPT60.yaml",
            "variable: eq_income\n",
            "",
            r"statistic: expected the field variable beside it, got 'poverty_rate'",
        ),
        (
            "indicators/LAB/LAB_EMPDECL.yaml",
            "domain: LAB",
            "domain: [LAB",
            r"LAB_EMPDECL\.yaml:\d+: expected YAML",
        ),
        (
            "indicators/LAB/LAB_EMPDECL.yaml",
            "domain: LAB",
            "domain: LAB\ndomain: POV",
            r"LAB_EMPDECL\.yaml:4: domain: expected each field once",
        ),
        (
            "indicators/LAB/LAB_EMPDECL.yaml",
            "id: LAB_EMPDECL",
            "id: LAB_EMPLOYED",
            r"LAB_EMPDECL\.yaml:2: id: expected LAB_EMPDECL, the name of its file",
        ),
        (
            "indicators/LAB/LAB_EMPDECL.yaml",
            "activity == 'EMP'",
            "activity = 'EMP'",
            r"numerator: expected an expression",
        ),
        (
            "surveys/AT_EUSILC.yaml",
            "female: F",
            "female: W",
            r"AT_EUSILC\.yaml:\d+: breakdowns\.SEX: expected a code of CL_SEX, got 'W'",
        ),
        (
            "surveys/AT_EUSILC.yaml",
            "reference: M",
            "reference: X",
            r"breakdowns\.SEX\.reference: expected one of F, M, got 'X'",
        ),
        (
            "surveys/AT_EUSILC.yaml",
            "Burgenland: AT-1",
            "Burgenland: AT-11",
            r"expected a code of CL_AREA, got 'AT-11'",
        ),
        (
            "surveys/NO_ESS10.yaml",
            'area: "NO"',
            "area: NO",
            r"NO_ESS10\.yaml:\d+: area: expected text, got False",
        ),
        (
            "indicators/HOU/HOU_ELEC.yaml",
            "electricity ==",
            "electrcity ==",
            r"got 'electrcity' \(did you mean electricity\?\)",
        ),
        (
            "indicators/HOU/HOU_CROWD.yaml",
            "without: [HH_COMPOSITION]",
            "without: [HH_SIZE]",
            r"without: expected one of FREQ.*got 'HH_SIZE'",
        ),
        (
            "indicators/HOU/HOU_ELEC.yaml",
            "domain: HOU",
            "domain: HEA",
            r"an indicator that the constraint of DF_HEA admits, got 'HOU_ELEC'",
        ),
        (
            "surveys/XA_WB2023.yaml",
            "HOU_ELEC, HOU_CROWD]",
            "HOU_ELEC, HOU_CROWDED]",
            r"truth\.indicators: .*got 'HOU_CROWDED'",
        ),
        (
            "policies/reliability/house-2026.yaml",
            "{if: df < 3,",
            "{if: dof < 3,",
            r"rules\.4\.if: expected a column: cv, df.*got 'dof'",
        ),
        (
            "policies/reliability/house-2026.yaml",
            "then: review, reason: DF}",
            "then: review, reason: DFS}",
            r"rules\.4\.reason: expected one of the reasons below",
        ),
        (
            "publication.toml",
            'reliability = "house-2026"',
            'reliability = "house-2025"',
            r"publication\.toml: expected one of .*house-2026, .*got 'house-2025'",
        ),
        (
            "publication.toml",
            'reliability = "house-2026"',
            'reliability = ["nchs-proportions-2017", "nchs-rates-2023"]',
            r"publication\.toml: reliability: expected a policy that applies to ",
        ),
        (
            "indicators/POV/POV_MEDINC.yaml",
            "p: 0.5\n",
            "",
            r"POV_MEDINC\.yaml:\d+: statistic: expected the field p beside it, got 'quantile'",
        ),
        (
            "indicators/POV/POV_GINI.yaml",
            "variable: eq_income",
            "variable: eq_income\nepsilon: 1",
            r"POV_GINI\.yaml:\d+: epsilon: expected a field of the statistic gini: variable",
        ),
        (
            "indicators/POV/POV_S80S20.yaml",
            "top: 0.2",
            "top: 20",
            r"POV_S80S20\.yaml:\d+: top: .*20",
        ),
        (
            "indicators/POV/POV_GAP.yaml",
            "statistic: median_poverty_gap",
            "statistic: poverty_gap\npower: 0.5",
            r"power: expected 0, or 1 and more, got 0\.5 \(0 is the rate, 1 the gap",
        ),
        (
            "indicators/POV/POV_MEDINC.yaml",
            "statistic: quantile\nvariable: eq_income\np: 0.5",
            "statistic: quantile_ratio\nvariable: eq_income\nupper: 0.1\nlower: 0.9",
            r"upper: expected more than 0\.9, got 0\.1",
        ),
        (
            "indicators/HOU/HOU_DEPR.yaml",
            "household_size > 3 * rooms, weight: 1/4",
            "household_size > 3 * rooms, weight: 1/5",
            r"HOU_DEPR\.yaml:\d+: deprivations: expected weights that sum to one, "
            r"got 'weights with the sum 19/20' \(write them as fractions",
        ),
        (
            "indicators/HOU/HOU_DEPR.yaml",
            "electricity != 'Yes'",
            "electricty != 'Yes'",
            r"got 'electricty' \(did you mean electricity\?\)",
        ),
        (
            "indicators/CAP/CAP_IMMIGIDX.yaml",
            "index: NO_IMMIG",
            "index: NO_IMMIGS",
            r"index: expected a scale in dsd/scales: NO_IMMIG, got 'NO_IMMIGS'",
        ),
        (
            "scales/NO_IMMIG.yaml",
            "variable: immigrants_life",
            "variable: immigrants_live",
            r"items\.IMWBCNT\.variable: .*got 'immigrants_live' \(did you mean immigrants_life\?\)",
        ),
        (
            "scales/NO_IMMIG.yaml",
            "minimum_valid: 2",
            "minimum_valid: 4",
            r"NO_IMMIG\.yaml:\d+: minimum_valid: expected 1 to 3 items, got 4",
        ),
        (
            "scales/NO_IMMIG.yaml",
            "flag_below: 0.70",
            "flag_below: 0.50",
            r"alpha\.flag_below: expected 0\.6 or more",
        ),
    ],
)
def test_a_wrong_definition_is_refused_by_file_line_and_field(
    copy: Path, file: str, old: str, new: str, said: str
) -> None:
    _change(copy / "dsd" / file, old, new)
    with pytest.raises(DefinitionError, match=said):
        load_project(copy)


REVIEW = """\
reviews:
  - indicator: HOU_ELEC
    data: XA_WB2023:31f0be4f3083
    key: {REF_AREA: XA-01}
    decision: present
    signed_by: The clearance official
    date: "2026-11-22"
    reason: Everyone there has electricity, as the supplier's register says.
"""


def test_a_signed_review_is_read(copy: Path) -> None:
    (copy / "dsd/reviews").mkdir(exist_ok=True)
    (copy / "dsd/reviews/2026.yaml").write_text(REVIEW, encoding="utf-8")
    [review] = load_project(copy).reviews
    assert (review.indicator, review.publish, review.key) == (
        "HOU_ELEC",
        True,
        {"REF_AREA": "XA-01"},
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("XA_WB2023:31f0be4f3083", "XA_WB2023:000000000000", "is not the one that was reviewed"),
        ("HOU_ELEC", "POV_ARPT60", "expected an indicator that XA_WB2023 carries"),
        ("HOU_ELEC", "HOU_LIGHT", "expected a declared indicator, got 'HOU_LIGHT'"),
        ("decision: present", "decision: publish", "expected one of present, suppress"),
        ("    signed_by: The clearance official\n", "", "expected the field signed_by"),
    ],
)
def test_a_signature_of_something_else_is_refused(
    copy: Path, old: str, new: str, said: str
) -> None:
    (copy / "dsd/reviews").mkdir(exist_ok=True)
    (copy / "dsd/reviews/2026.yaml").write_text(REVIEW.replace(old, new), encoding="utf-8")
    with pytest.raises(DefinitionError, match=said):
        load_project(copy)


def test_a_project_without_scales_and_reviews_is_one(copy: Path) -> None:
    shutil.rmtree(copy / "dsd/scales")
    (copy / "dsd/indicators/CAP/CAP_IMMIGIDX.yaml").unlink()
    project = load_project(copy)
    assert not project.scales
    assert not project.reviews


def test_of_several_policies_the_first_that_applies_judges_a_statistic(copy: Path) -> None:
    _change(
        copy / "dsd/publication.toml",
        'reliability = "house-2026"',
        'reliability = ["nchs-proportions-2017", "house-2026"]',
    )
    project = load_project(copy)
    assert project.policy_for(Statistic.PROPORTION).id == "nchs-proportions-2017"
    assert project.policy_for(Statistic.MEAN).id == "house-2026"


def test_a_structure_with_a_doctype_is_refused_unread(copy: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("TOPSECRET", encoding="utf-8")
    _change(
        copy / "dsd/structures/areas.xml",
        "<mes:Structure",
        f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]>\n<mes:Structure',
    )
    with pytest.raises(StructureError) as caught:
        load_project(copy)
    assert "DOCTYPE" in str(caught.value)
    assert "TOPSECRET" not in str(caught.value)


def test_a_folder_that_is_no_project_says_so(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"publication\.toml: expected a publication"):
        load_project(tmp_path)
