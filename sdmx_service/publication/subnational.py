"""The report on one area of a country."""

from __future__ import annotations

from dataclasses import dataclass

from sdmx_service.publication.edition import Edition, Readable
from sdmx_service.publication.figure import Document, Figure, Prose, TitleBlock
from sdmx_service.publication.gaps import gap_sentence, gaps_with_nation
from sdmx_service.publication.indicator_part import everyone_sentence, group_figure, levels_of
from sdmx_service.publication.markdown import verbatim
from sdmx_service.publication.nation_part import area_beside_nation
from sdmx_service.publication.numerals import counted
from sdmx_service.publication.report import Report
from sdmx_service.publication.verdict import Verdict, tally

__all__ = ["AreaReport", "report"]


def report(release: Readable, area: str) -> AreaReport:
    """Return the report on an area; DefinitionError where it would rest on one indicator."""
    return AreaReport(Edition(release), area)


@dataclass(frozen=True)
class AreaReport(Report):
    """The parts of the report on an area, in the order of the page."""

    def title_block(self) -> TitleBlock:
        """Return the head of the page; the answer counts the gaps with the nation."""
        nation = self.edition.area_name(self.country)
        gaps = gaps_with_nation(self.edition, self.area)
        said = tally(gap.verdict for gap in gaps)
        clear = [gap for gap in gaps if gap.verdict is Verdict.DIFFERENCE]
        names = [
            f"{self.edition.indicators[gap.indicator].name} "
            f"({'higher' if (gap.value or 0) > 0 else 'lower'})"
            for gap in clear
        ]
        one = "clear one" if len(names) == 1 else "clear ones"
        listed = f" The {one}: {'; '.join(names)}." if names else ""
        answer = (
            f"{self.place} beside {nation}, in {counted(len(gaps), 'indicator')}: "
            f"{said[0].lower()}{said[1:]}.{listed}"
        )
        title = f"{self.place} and {nation}, {self.period}"
        return self.head(title, f"Area report. {self.area}", answer)

    def beside_the_nation(self) -> Document:
        """Return the gaps of the area with the nation, with the clear ones in words."""
        gaps = gaps_with_nation(self.edition, self.area)
        clear = [gap for gap in gaps if gap.verdict is Verdict.DIFFERENCE]
        words = "Each row sets the area beside the nation; the gap has an interval of its own."
        if clear:
            words += "\n\n" + "\n".join(
                f"- {verbatim(gap_sentence(self.edition, gap))}" for gap in clear
            )
        return Document((Prose(words), area_beside_nation(self.edition, self.area)))

    def inside(self) -> Document:
        """Return the groups inside the area for its headline indicators."""
        parts: list[Prose | Figure | Document] = []
        for indicator in self.indicators:
            levels = levels_of(self.edition, self.area, indicator.id)
            total = self.total(indicator)
            if total is None or not any(level.breakdown for level in levels):
                continue
            known = sum(level.known for level in levels if level.breakdown)
            words = verbatim(everyone_sentence(self.edition, indicator, total))
            if not known:
                words += " No group inside the area has enough answers for a value."
            parts.append(Prose(f"### {verbatim(indicator.name)} {{#{indicator.id}}}\n\n{words}"))
            if known:
                parts.append(group_figure(self.edition, self.area, indicator))
        if not parts:
            return Document((Prose("No group inside the area has a value in this release."),))
        return Document(tuple(parts))
