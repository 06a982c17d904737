"""The methods report: surveys, estimators, rules, and how well they did where truth is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sdmx_service.publication import figure
from sdmx_service.publication.edition import Edition, Readable
from sdmx_service.publication.figure import Document, Prose, TitleBlock
from sdmx_service.publication.markdown import verbatim
from sdmx_service.publication.numerals import counted, plain, span
from sdmx_service.publication.origin import date_words
from sdmx_service.publication.tables import Column, Table, table_html, table_typst

__all__ = ["MethodsReport", "report"]

_ESTIMATORS = """
Every estimate is a function of weighted sums, and every standard error comes from the influence
of each person on it.

- **Shares, means and ratios.** The weighted mean of the people in a group. Its influence value is
  each person's distance from that mean, times the weight, over the sum of weights (Taylor
  linearisation: Woodruff 1971; Deville 1999; Lumley 2010, chapter 2).
- **At-risk-of-poverty rate.** The share below 60% of the median, where the median is estimated
  from the same sample. The influence value has a second term for the threshold, which needs the
  density of income at the median and at the line (Osier 2009; Alfons and Templ 2013, package
  laeken).
- **Variance.** Influence values are summed in each primary sampling unit; the spread of these sums
  inside each stratum gives the variance, and the spread of two cells together gives their
  covariance (one-stage, with replacement unless a sampling fraction is declared).
- **Intervals.** 95%, from Student's t with as many degrees of freedom as primary sampling units
  less strata. For shares the interval is taken on the logit scale, so it stays inside 0 to 100 and
  may be lopsided (Korn and Graubard 1998 for the exact form, used where all or nobody answers
  alike).
- **Gaps.** The difference of two estimates of the same sample. Its variance counts the covariance
  of the two: people in one household, one area or both groups are not counted as if they were
  strangers. Between separate samples the covariance is zero, and that is declared.
- **Design effect.** The variance of the estimate over that of a simple random sample of the same
  size.
"""
_MULTIPLICITY = """
Gaps of one area and one indicator are looked at together, so some of many intervals will miss zero
by chance. The release carries, beside each plain p value, Holm's adjusted p, which holds for any
dependence among the comparisons, and the false discovery rate of Benjamini and Hochberg. The
intervals and verdicts on the pages are those of each comparison by itself; the number of
comparisons is printed with every figure.
"""
_LEVELS = ("nation", "urban/rural", "region")


def report(release: Readable) -> MethodsReport:
    """Return the methods report of a release."""
    return MethodsReport(Edition(release))


def _shown(table: Table) -> Prose:
    return Prose(figure.in_both(table_html(table), table_typst(table)))


def _paragraph(*sentences: str) -> str:
    return " ".join(" ".join(said.split()) for said in sentences if said)


@dataclass(frozen=True)
class MethodsReport:
    """The parts of the methods report, in the order of the page."""

    edition: Edition

    def title_block(self) -> TitleBlock:
        """Return the head of the page."""
        release, publication = self.edition.release, self.edition.publication
        surveys = self.edition.surveys.values()
        title = "Methods and quality"
        made_up = [survey.title for survey in surveys if survey.synthetic]
        return TitleBlock(
            title=title,
            kind=f"Methods. {release.title}",
            answer=f"How {counted(len(self.edition.surveys), 'survey')} became "
            f"{counted(len(self.edition.indicators), 'indicator')}: the designs, the estimators, "
            "the rules on what may be published, and how the intervals did where the truth is "
            "known.",
            warning=f"Synthetic data: {'; '.join(made_up)}." if made_up else "",
            facts=(
                ("Release", release.id),
                ("Published", date_words(self.edition)),
                ("Next release", str(publication.get("next_release") or "not announced")),
                (
                    "How to cite",
                    f"{publication['organisation']} ({release.published.year}). {title}. "
                    f"Release {release.id}. {publication.get('base_url') or ''}".strip(),
                ),
                ("Licence", str(publication.get("licence") or "not stated")),
            ),
        )

    def surveys(self) -> Document:
        """Return a section for every survey: design, licence, citation, file."""
        parts: list[Prose] = []
        for survey in self.edition.surveys.values():
            place = self.edition.area_name(survey.area)
            verb = "are in the file" if survey.synthetic else "answered"
            answered = f"{survey.answered:,} people {verb}." if survey.answered else ""
            lines = [
                f"### {verbatim(survey.named)} {{#survey-{survey.id}}}",
                "",
                verbatim(_paragraph(survey.design, answered)),
                "",
            ]
            if survey.synthetic:
                lines += ["**Synthetic:** nobody in this file is a real person.", ""]
            lines += [f"- Area and period: {verbatim(place)}, {survey.period}."]
            lines += [f"- Licence: {verbatim(survey.licence or 'not stated')}."]
            if survey.citation:
                lines += [f"- Citation: {verbatim(survey.citation)}"]
            if survey.url:
                lines += [f"- Address: <{survey.url}>"]
            if survey.sha256:
                lines += [f"- File, sha256: `{survey.sha256}`"]
            lines += [f"- {verbatim(note)}" for note in survey.notes]
            lines += [f"- Not in the data: {verbatim(note)}" for note in survey.not_in_the_data]
            parts.append(Prose("\n".join(lines)))
        return Document(tuple(parts))

    def indicators(self) -> Prose:
        """Return the table of indicators: what each counts, direction and margin."""
        rows = tuple(
            (
                indicator.id,
                indicator.name,
                f"{_paragraph(indicator.definition)} In {indicator.measure}; "
                f"{indicator.direction_words}; "
                f"{'contextual' if indicator.contextual else 'universal'}.",
                f"{indicator.margin:g} {indicator.gap_unit}",
            )
            for indicator in self.edition.indicators.values()
        )
        return _shown(
            Table(
                caption="Indicators of this release, in the order of the framework",
                columns=(
                    Column("Id", width=1.3),
                    Column("Name", width=2),
                    Column("Definition", width=4),
                    Column("Margin for close", width=1),
                ),
                rows=rows,
            )
        )

    def estimators(self) -> Prose:
        """Return the estimators in words, with their sources."""
        return Prose(_ESTIMATORS)

    def multiplicity(self) -> Prose:
        """Return what many comparisons do, and what is done about it."""
        return Prose(_MULTIPLICITY)

    def reliability(self) -> Prose:
        """Return the reliability policy, its reasons and the letters."""
        policy: Mapping[str, Any] = self.edition.definitions["policies"]["reliability"]
        lines = [f"The rule is **{verbatim(policy['title'])}** (`{policy['id']}`)."]
        if policy.get("url"):
            lines[-1] += f" Source: <{policy['url']}>."
        reasons = policy.get("reasons") or {}
        if reasons:
            lines += ["", "Reasons the rule can give:", ""]
            lines += [f"- {verbatim(_sentence(reason))}" for reason in reasons.values()]
        lines += [
            "",
            "The outcome travels with the number as RELIABILITY (present, flag, review, withheld) "
            "and OBS_STATUS (A, U, Q), and is printed as a letter: **u** use with caution, **s** "
            "withheld, **n** not collected. A cell that awaits review is withheld.",
        ]
        return Prose("\n".join(lines))

    def protection(self) -> Prose:
        """Return what the disclosure rule does, and what it does not do."""
        policy = self.edition.definitions["policies"].get("disclosure") or {}
        named = f" The rule is **{verbatim(policy['title'])}**." if policy.get("title") else ""
        return Prose(
            f"A withheld cell carries no value, bounds, standard error or count, in any format."
            f"{named} All withheld cells have one public status, so that nobody can tell which "
            "rule withheld them, and no gap is published unless both its sides are.\n\n"
            "Where a total less its other parts would give a protected cell away, along one "
            "breakdown or over the areas of one level, a second part is withheld with it.\n\n"
            "**Limits.** This is a first version. It does not yet solve all margins together, so "
            "a protected value may still be bounded by combining several tables, and it does "
            "not compare a release with an earlier one."
        )

    def truth(self) -> Document:
        """Return, where a population is known, how many intervals hold the truth."""
        names = [name for name in self.edition.release.annexes if name.startswith("truth_")]
        if not names:
            return Document((Prose("No survey of this release has a known truth."),))
        return Document(tuple(self._truth(name) for name in names))

    def _truth(self, name: str) -> Document:
        annex = self.edition.release.annex(name)
        rows = tuple(
            (str(row["name"]), str(row["level"]), f"{row['cells']:,}", f"{row['held']:,}")
            for level in _LEVELS
            for row in annex["rows"]
            if row["level"] == level
        )
        said = []
        for level in _LEVELS:
            found = [row for row in annex["rows"] if row["level"] == level]
            cells, held = sum(r["cells"] for r in found), sum(r["held"] for r in found)
            if cells:
                said.append(f"{held:,} of {cells:,} for {level}")
        words = (
            f"### {verbatim(annex['title'])} {{#{name.replace('_', '-')}}}\n\n"
            f"{verbatim(annex.get('note') or '')}\n\n"
            f"Intervals of 95% that hold the true value: {'; '.join(said)}. The cells are of one "
            "sample and depend on each other, so there is no pass mark: one unlucky region moves "
            "many cells at once."
        )
        summary = Table(
            caption=f"{annex['title']}: how many cells and intervals",
            columns=(
                Column("Indicator", width=3),
                Column("Level", width=1.4),
                Column("Cells", numeric=True),
                Column("95% intervals that hold it", numeric=True, width=1.4),
            ),
            rows=rows,
        )
        return Document((Prose(words), _shown(summary), *self._truth_cells(annex)))

    def _truth_cells(self, annex: Mapping[str, Any]) -> tuple[Prose, ...]:
        cells = annex.get("cells") or []
        if not cells:
            return ()
        rows = []
        for cell in cells:
            indicator = self.edition.indicators.get(cell["indicator"])
            decimals = indicator.decimals if indicator else 1
            known = cell.get("estimate") is not None and cell.get("lower") is not None
            rows.append(
                (
                    indicator.name if indicator else cell["indicator"],
                    self._place(cell),
                    plain(cell["truth"], decimals),
                    plain(cell["estimate"], decimals) if known else "withheld (s)",
                    span(cell["lower"], cell["upper"], decimals) if known else "withheld (s)",
                    ("yes" if cell["inside"] else "no") if known else "not compared",
                )
            )
        table = Table(
            caption="Every cell: the truth, the estimate and whether the interval holds the truth",
            columns=(
                Column("Indicator", width=3),
                Column("Where", width=2),
                Column("Truth", numeric=True),
                Column("Estimate", numeric=True),
                Column("95% interval", numeric=True, width=1.4),
                Column("Holds the truth"),
            ),
            rows=tuple(rows),
        )
        return (_shown(table),)

    def _place(self, cell: Mapping[str, Any]) -> str:
        area = cell.get("REF_AREA") or ""
        place = self.edition.area_name(area) if area in self.edition.definitions["areas"] else area
        zone = cell.get("URBANISATION")
        if not zone or zone in ("_T", "_Z"):
            return place
        groups = self.edition.breakdowns.get("URBANISATION", {}).get("groups", ())
        if zone in [group["code"] for group in groups]:
            zone = self.edition.group_label("URBANISATION", zone)
        return f"{place}, {zone}"

    def reproduce(self) -> Prose:
        """Return how to make this release and its pages again."""
        release = self.edition.release
        return Prose(
            "The release is made from the survey files named above by `sdmx-service build`, "
            "checked by `sdmx-service verify`, and these pages by `sdmx-service report`. "
            "The same inputs give the same files. In Python:\n\n```\n"
            "from sdmx_service import open_release\n"
            f'release = open_release("releases", id="{release.id}")\n'
            'release.observations("DF_ALL", INDICATOR="'
            f'{next(iter(self.edition.indicators))}")\n```'
        )


def _sentence(text: str) -> str:
    text = _paragraph(text)
    return text if text.endswith(".") else f"{text}."
