"""The national report: one country, all its indicators."""

from __future__ import annotations

from dataclasses import dataclass

from sdmx_service.publication.edition import Edition, Indicator, Readable
from sdmx_service.publication.figure import Document, Figure, Prose, TitleBlock
from sdmx_service.publication.gaps import gap_rows
from sdmx_service.publication.glance import Glance, GlanceRow, glance_html, glance_typst
from sdmx_service.publication.indicator_part import everyone_sentence, indicator_part
from sdmx_service.publication.markdown import verbatim
from sdmx_service.publication.nation_part import areas_beside_nation
from sdmx_service.publication.numerals import counted
from sdmx_service.publication.origin import queries_for, source_line
from sdmx_service.publication.report import Report
from sdmx_service.publication.verdict import Verdict, tally

__all__ = ["NationalReport", "report"]


def report(release: Readable, area: str) -> NationalReport:
    """Return the report on a country; DefinitionError where it would rest on one indicator."""
    return NationalReport(Edition(release), area)


@dataclass(frozen=True)
class NationalReport(Report):
    """The parts of the national report, in the order of the page."""

    def title_block(self) -> TitleBlock:
        """Return the head of the page, with an answer of three sentences."""
        first = self.indicators[0]
        level = self.total(first)
        gaps = gap_rows(self.edition, self.area)
        compared = [gap for gap in gaps if gap.known]
        clear = sum(gap.verdict is Verdict.DIFFERENCE for gap in compared)
        answer = [everyone_sentence(self.edition, first, level)] if level else []
        if compared:
            answer.append(
                f"Of {counted(len(compared), 'gap')} between groups in "
                f"{counted(len({gap.indicator for gap in compared}), 'indicator')}, "
                f"{counted(clear)} {'is' if clear == 1 else 'are'} clear."
            )
        domains = self.edition.domains
        without = len(domains) - len({indicator.domain for indicator in self.indicators})
        if without:
            answer.append(
                f"{counted(without).capitalize()} of {counted(len(domains))} domains "
                f"{'has' if without == 1 else 'have'} no data in this release."
            )
        kind = (
            f"National report. {len(domains)} domains, {counted(len(self.indicators), 'indicator')}"
        )
        return self.head(f"Social inclusion in {self.place}, {self.period}", kind, " ".join(answer))

    def at_a_glance(self) -> Figure:
        """Return all indicators in framework order, each on its full scale."""
        gaps = gap_rows(self.edition, self.area)
        domains: list[tuple[str, tuple[GlanceRow, ...]]] = []
        for domain, name in self.edition.domains.items():
            rows = []
            for indicator in self.indicators:
                if indicator.domain != domain:
                    continue
                mine = [gap for gap in gaps if gap.indicator == indicator.id and gap.known]
                clear = sum(gap.verdict is Verdict.DIFFERENCE for gap in mine)
                rows.append(GlanceRow(indicator, self.total(indicator), clear, len(mine)))
            domains.append((name, tuple(rows)))
        caption = f"{len(self.indicators)} indicators, {self.place}, {self.period}"
        glance = Glance(caption, tuple(domains))
        totals = [row.level for row in glance.rows if row.level is not None]
        said = tally(gap.verdict for gap in gaps)
        return Figure(
            id="glance",
            headline=f"Over all indicators, {said[0].lower()}{said[1:]}",
            subtitle=f"{caption}. Each line runs from the lowest to the highest value that the "
            "indicator can take, so a mark shows a level, not a rank. There is no overall score.",
            alt=f"{caption}: one row an indicator with its estimate, its 95% interval and how many "
            "of its gaps between groups are clear.",
            source=source_line(self.edition, self.area, self.period),
            queries=queries_for(
                self.edition,
                "DF_ALL",
                [[level.key] for level in totals],
                [level.period for level in totals],
                [self.area],
            ),
            html=glance_html(glance),
            paper=glance_typst(glance),
            depth=3,
        )

    def domains(self) -> Document:
        """Return a section for every domain with data."""
        parts: list[Prose | Figure | Document] = []
        for domain, name in self.edition.domains.items():
            mine = [indicator for indicator in self.indicators if indicator.domain == domain]
            if not mine:
                continue
            told = f"{counted(len(mine), 'indicator').capitalize()} of this domain"
            verb = "is" if len(mine) == 1 else "are"
            parts.append(
                Prose(
                    f"## {verbatim(name)} {{#domain-{domain}}}\n\n"
                    f"{told} {verb} published for {verbatim(self.place)}."
                    f"{_contextual(mine)} No finding of this report rests on one indicator alone."
                )
            )
            parts += [indicator_part(self.edition, self.area, indicator) for indicator in mine]
        return Document(tuple(parts))

    def regions(self) -> Document:
        """Return, for every headline indicator, the areas beside the nation."""
        figures = [
            figure
            for indicator in self.indicators
            if (figure := areas_beside_nation(self.edition, self.area, indicator)) is not None
        ]
        if not figures:
            return Document(
                (Prose(f"No area of {verbatim(self.place)} has data in this release."),)
            )
        return Document(tuple(figures))


def _contextual(indicators: list[Indicator]) -> str:
    """Say how many indicators are declared for a survey and are not the framework's own."""
    number = sum(indicator.contextual for indicator in indicators)
    if number == 0:
        return ""
    who = "All of them are" if number == len(indicators) else f"{counted(number).capitalize()} is"
    if number > 1 and number < len(indicators):
        who = f"{counted(number).capitalize()} are"
    elif len(indicators) == 1:
        who = "It is"
    return f" {who} contextual: declared for this survey, not one of the framework's universal set."
