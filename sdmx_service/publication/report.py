"""What the report of an area has, whether it is a nation or a part of one."""

from __future__ import annotations

from dataclasses import dataclass

from sdmx_service.errors import DefinitionError
from sdmx_service.publication.edition import Edition, Indicator
from sdmx_service.publication.figure import Prose, TitleBlock
from sdmx_service.publication.gaps import gap_rows, gaps_with_nation
from sdmx_service.publication.levels import Level, Status, level_rows
from sdmx_service.publication.markdown import verbatim
from sdmx_service.publication.numerals import counted
from sdmx_service.publication.origin import date_words

__all__ = ["Report"]

_AT_LEAST = 2
_HOW_WE_SAY_IT = """
Every gap is an estimate from a sample, so it has an interval: the range that holds the
true gap for 95 of 100 samples drawn this way. The verdict follows from that interval alone, by a
rule fixed in advance.

- **Difference.** The interval of the gap does not hold zero.
- **Close.** The whole interval lies inside the margin set in advance for the indicator (2 points
  for most shares): any gap is smaller than that. A gap can be certain and still be close.
- **Cannot tell.** Neither. There may be a gap; this survey does not show which way it goes.
- **Not compared.** A value is withheld, or was not measured alike.

Letters beside a number: **u** use with caution, few people answered or the interval is wide;
**s** withheld, so no number is given anywhere, nor how many answered; **n** not collected. A
number without a letter passed the reliability rule.
"""


@dataclass(frozen=True)
class Report:
    """The rows and words of one area; refuses to rest on a single indicator."""

    edition: Edition
    area: str

    def __post_init__(self) -> None:
        found = self.indicators
        if len(found) < _AT_LEAST:
            raise DefinitionError(
                f"report on {self.place}",
                got=", ".join(indicator.id for indicator in found) or "no indicator",
                expected=f"at least {_AT_LEAST} indicators with data",
                hint="a report never rests on one indicator; declare more in dsd/indicators/",
            )

    @property
    def place(self) -> str:
        """The name of the area."""
        return self.edition.area_name(self.area)

    @property
    def country(self) -> str:
        """The nation the area belongs to."""
        return self.edition.country(self.area)

    @property
    def levels(self) -> list[Level]:
        """All levels of the area."""
        return level_rows(self.edition, self.area)

    @property
    def indicators(self) -> list[Indicator]:
        """The indicators with rows for this area, in framework order."""
        present = {level.indicator for level in self.levels}
        return [i for i in self.edition.indicators.values() if i.id in present]

    def total(self, indicator: Indicator) -> Level | None:
        """Return the level of everyone."""
        return next(
            (
                level
                for level in self.levels
                if level.indicator == indicator.id and level.breakdown is None
            ),
            None,
        )

    @property
    def period(self) -> str:
        """The period or periods the report is about."""
        periods = sorted({level.period for level in self.levels})
        return periods[0] if len(periods) == 1 else f"{periods[0]} to {periods[-1]}"

    @property
    def synthetic(self) -> bool:
        """Whether any survey of the country is made of synthetic data."""
        return any(survey.synthetic for survey in self.edition.surveys_of(self.area))

    def head(self, title: str, kind: str, answer: str) -> TitleBlock:
        """Return the title block: release, time, source, how to cite."""
        release, publication = self.edition.release, self.edition.publication
        surveys = self.edition.surveys_of(self.area)
        answered = sum(survey.answered or 0 for survey in surveys)
        year = release.published.year
        warning = (
            "Synthetic data: the persons in the survey file are invented after a real survey or "
            "country; nothing on this page is a statistic of real people."
            if self.synthetic
            else ""
        )
        return TitleBlock(
            title=title,
            kind=kind,
            answer=answer,
            warning=warning,
            facts=(
                ("Release", release.id),
                ("Published", date_words(self.edition)),
                ("Next release", str(publication.get("next_release") or "not announced")),
                (
                    "Source",
                    "; ".join(f"{s.named}, {s.period}. {s.licence}".strip() for s in surveys)
                    + (
                        f". {answered:,} people {'in the file' if self.synthetic else 'answered'}"
                        if answered
                        else ""
                    ),
                ),
                (
                    "How to cite",
                    f"{publication['organisation']} ({year}). {title}. Release {release.id}. "
                    f"{publication.get('base_url') or ''}".strip(),
                ),
                (
                    "Licence",
                    str(publication.get("licence") or "not stated"),
                ),
            ),
        )

    def who_is_missing(self) -> Prose:
        """Return who is not in the data, and what is withheld in this report."""
        lines = [
            f"- {verbatim(said)}"
            for survey in self.edition.surveys_of(self.area)
            for said in survey.not_in_the_data
        ]
        levels = self.levels
        gaps = [*gap_rows(self.edition, self.area)]
        if self.area != self.country:
            gaps += gaps_with_nation(self.edition, self.area)
        held = sum(level.status is Status.WITHHELD for level in levels)
        caution = sum(level.status is Status.CAUTION for level in levels)
        gaps_held = sum(gap.status is Status.WITHHELD for gap in gaps)
        lines.append(
            f"- Of {len(levels):,} values planned for this report, {held:,} "
            f"{'is' if held == 1 else 'are'} withheld (s) because the rule on reliability or "
            f"disclosure asks for it, and {caution:,} {'is' if caution == 1 else 'are'} to be used "
            "with caution (u)."
        )
        lines.append(
            f"- Of {len(gaps):,} gaps planned, {gaps_held:,} "
            f"{'is' if gaps_held == 1 else 'are'} withheld: a gap is published only where both "
            "its sides are."
        )
        policy = self.edition.definitions.get("policies", {}).get("reliability", {})
        if policy.get("title"):
            lines.append(f"- The rule on reliability: {verbatim(policy['title'])}.")
        return Prose("::: {.box}\n" + "\n".join(lines) + "\n:::")

    def data_gaps(self) -> Prose:
        """Return, for every domain, one line if nothing is published on it."""
        filled = {indicator.domain for indicator in self.indicators}
        lines = [
            f"- **{verbatim(name)}.** No data in this release."
            for domain, name in self.edition.domains.items()
            if domain not in filled
        ]
        if not lines:
            return Prose("Every domain of the framework has at least one indicator here.")
        number, whole = len(lines), len(self.edition.domains)
        return Prose(
            f"The framework has {counted(whole)} domains. For {verbatim(self.place)}, "
            f"{counted(number)} of them {'has' if number == 1 else 'have'} no data in this "
            "release. That is a gap in what is known, not a finding.\n\n" + "\n".join(lines)
        )

    def how_we_say_it(self) -> Prose:
        """Return the rule of the verdicts, the letters, and how many comparisons were made."""
        gaps = [gap for gap in gap_rows(self.edition, self.area) if gap.known]
        if self.area != self.country:
            gaps += [gap for gap in gaps_with_nation(self.edition, self.area) if gap.known]
        said = (
            f"This report makes {len(gaps):,} comparisons. When many are made, some intervals miss "
            "the true gap by chance: about five in a hundred. The gap tables give Holm's adjusted "
            "p, which allows for the comparisons made together."
        )
        return Prose(f"{_HOW_WE_SAY_IT.strip()}\n\n{said}")
