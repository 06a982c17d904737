"""The rows behind a figure: what is said is what was published."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdmx_service.errors import DefinitionError, NotFound
from sdmx_service.publication import national, subnational
from sdmx_service.publication.axis import difference_axis, level_axis
from sdmx_service.publication.edition import Edition
from sdmx_service.publication.gaps import gap_rows, gaps_with_nation
from sdmx_service.publication.levels import Status, level_rows
from sdmx_service.publication.query_address import exact_queries
from sdmx_service.publication.series_key import GAP_KEY, LEVEL_KEY
from sdmx_service.publication.verdict import judge

# Published figures have few digits; the smallest float there is has no logarithm of a tenth.
finite = st.floats(-100, 100).map(lambda value: round(value, 6))


def _figures(release):
    nation, area = national.report(release, "ZZ"), subnational.report(release, "ZZ-3")
    figures = [nation.at_a_glance(), *nation.domains().figures(), *nation.regions().figures()]
    figures += [*area.beside_the_nation().figures(), *area.inside().figures()]
    return figures


def test_every_figure_has_headline_subtitle_source_query_and_alternative_text(release):
    figures = _figures(release)
    assert len(figures) > 10
    for figure in figures:
        for text in (figure.headline, figure.subtitle, figure.source, figure.alt):
            assert text.strip()
        assert release.id in figure.source
        assert "synthetic" in figure.source
        html = figure.to_html()
        assert f'aria-label="{figure.alt[:10]}' in html
        for query in figure.queries:
            assert query.address.replace("&", "&amp;") in html
            assert query.address in figure.to_typst()


def test_every_tick_label_apart_a_picture_holds_no_text(release):
    for figure in _figures(release):
        for picture in re.findall(r"<svg aria-hidden.*?</svg>", figure.to_html(), re.DOTALL):
            for text in re.findall(r"<text ([^>]*)>", picture):
                assert 'class="tk"' in text


def test_every_mark_in_a_picture_has_its_number_in_the_same_row(release):
    """One circle or diamond in a row stands for one number printed in that row."""
    seen = 0
    for figure in _figures(release):
        html = figure.to_html()
        for row in re.findall(r'<tr role="row"[^>]*><th role="rowheader".*?</tr>', html, re.DOTALL):
            pictures = "".join(re.findall(r'<td role="cell" class="pic.*?</td>', row, re.DOTALL))
            drawn = len(re.findall(r'class="pt (?!half)', pictures))
            words = re.sub(r"<svg.*?</svg>", "", row.replace(pictures, ""), flags=re.DOTALL)
            words = re.sub(r"<text.*?</text>", "", words)
            if drawn:
                seen += drawn
                assert len(re.findall(r"\d+\.\d", words)) >= drawn, words
    assert seen > 100


def test_the_queries_of_a_figure_return_exactly_its_rows(release):
    levels, gaps = release.observations("DF_ALL"), release.observations("DF_GAP")
    for figure in _figures(release):
        for frame, names in ((levels, LEVEL_KEY), (gaps, GAP_KEY)):
            queries = [
                q for q in figure.queries if q.flow.startswith("DF_GAP") == (names is GAP_KEY)
            ]
            published = set(frame[list(names)].itertuples(index=False, name=None))
            returned = [
                key
                for query in queries
                for key in published
                if all(code in place for code, place in zip(key, query.codes, strict=True))
            ]
            assert len(returned) == len(set(returned))
            if queries:
                assert len(returned) == figure.to_html().count('class="lab"'), figure.id


@given(st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from("XY")), min_size=1, unique=True))
def test_a_query_never_asks_for_a_series_that_is_not_in_the_figure(keys):
    queries = exact_queries("http://x", "SIS", "F", [[key] for key in keys], ["2025"])
    asked = [key for query in queries for key in product(*query.codes)]
    assert sorted(asked) == sorted(keys)


def test_the_address_is_a_rest_data_query(release):
    figure = national.report(release, "ZZ").domains().figures()[1]
    assert figure.queries[0].address == (
        "https://stats.example.org/rest/data/SIS,DF_GAP,1.0.0/A.ZZ.POV_RATE.SEX+AGE."
        "SEX_F+AGE_Y0T14+AGE_Y_GE65.SEX_M+AGE_Y25T54.DIFF.UNADJ._T._T._T"
        "?startPeriod=2025&endPeriod=2025&format=csv"
    )


def test_every_verdict_equals_the_rule_applied_to_the_published_row(release):
    edition = Edition(release)
    for area in ("ZZ", "ZZ-1", "ZZ-3"):
        for gap in [*gap_rows(edition, area), *(gaps_with_nation(edition, area))]:
            margin = edition.indicators[gap.indicator].margin
            assert gap.verdict is judge(gap.value, gap.lower, gap.upper, margin=margin)


def test_a_withheld_level_carries_no_number(release):
    held = [row for row in level_rows(Edition(release), "ZZ-3") if row.status is Status.WITHHELD]
    assert held
    for row in held:
        assert (row.value, row.lower, row.upper, row.answered) == (None, None, None, None)


def test_groups_and_areas_stand_in_natural_order(release):
    edition = Edition(release)
    labels = [r.label for r in level_rows(edition, "ZZ") if r.indicator == "POV_RATE"]
    assert labels == [
        "Everyone", "Women", "Men", "Aged 0 to 14", "Aged 25 to 54", "Aged 65 and over",
    ]  # fmt: skip
    html = national.report(release, "ZZ").regions().figures()[0].to_html()
    assert html.index("Lakes") < html.index("Dry Hills") < html.index("Outer Isles")


def test_a_report_on_one_indicator_is_refused(invented, tmp_path):
    lonely = invented.InventedRelease(tmp_path, ("POV_RATE",))
    with pytest.raises(DefinitionError, match="at least 2 indicators"):
        national.report(lonely, "ZZ")


def test_an_unknown_area_is_named_with_those_there_are(release):
    with pytest.raises(NotFound, match="ZZ-1"):
        subnational.report(release, "YY")


@given(st.lists(finite, min_size=1))
def test_an_axis_clips_nothing(values):
    axis = level_axis(values, bounds=(0.0, 100.0))
    gaps = difference_axis(values)
    for value in values:
        assert -1e-9 <= axis.place(value) <= 1 + 1e-9
        assert 0 <= gaps.place(value) <= 1
    assert gaps.lower < 0 < gaps.upper
