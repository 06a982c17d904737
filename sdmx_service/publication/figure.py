"""The values a report is made of: they write themselves as HTML for the screen, Typst for paper."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from sdmx_service.publication import marks, typst
from sdmx_service.publication.query_address import Query

__all__ = ["Document", "Figure", "Prose", "TitleBlock", "in_both"]


def in_both(html: str, paper: str) -> str:
    """Return markdown that holds HTML for one format and Typst for the other."""
    return f"\n```{{=html}}\n{html}\n```\n\n```{{=typst}}\n{paper}\n```\n"


@dataclass(frozen=True, slots=True)
class Prose:
    """Running text in markdown."""

    markdown: str

    def _repr_markdown_(self) -> str:
        return f"\n{self.markdown.strip()}\n"


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart that is a table, with the finding above it and its origin below.

    ``headline`` is a finding that a verdict on the page supports; ``alt`` names the whole figure
    for those who do not see it.
    """

    id: str
    headline: str
    subtitle: str
    alt: str
    source: str
    queries: tuple[Query, ...]
    html: str
    paper: str
    depth: int = 4
    after_html: str = ""
    after_paper: str = ""

    def __post_init__(self) -> None:
        for name in ("headline", "subtitle", "alt", "source"):
            if not getattr(self, name).strip():
                raise ValueError(f"figure {self.id!r} has no {name}")
        if not self.queries:
            raise ValueError(f"figure {self.id!r} has no query")

    def to_html(self) -> str:
        """Return the figure as HTML."""
        queries = "".join(f"<pre><code>{escape(q.address)}</code></pre>" for q in self.queries)
        return (
            f'<figure id="fig-of-{self.id}" aria-label="{escape(self.alt)}">'
            f'<h{self.depth} class="find">{escape(self.headline)}</h{self.depth}>'
            f'<p class="sub">{_keyed(self.subtitle)}</p>{self.html}'
            f'<p class="src">{escape(self.source)}</p>{self.after_html}'
            '<details class="get"><summary>Get exactly these numbers</summary>'
            f"{queries}</details></figure>"
        )

    def to_typst(self) -> str:
        """Return the figure as Typst; its table is tagged, its pictures are artifacts."""
        queries = "#linebreak()".join(f"#link({typst.literal(q.address)})" for q in self.queries)
        return (
            f"#block(sticky: true, above: 1.6em, below: .5em, text(size: 11pt, weight: "
            f'"bold", {typst.literal(self.headline)}))\n'
            f"#block(sticky: true, below: .7em, text(size: 8.5pt, "
            f"[{_keyed_typst(self.subtitle)}]))\n"
            f"{self.paper}\n"
            f"#block(above: .8em, text(size: 8pt, {typst.literal(self.source)}))\n"
            f"#block(above: .5em, below: 1.4em, [#set text(size: 6.5pt)\n#set par(justify: false)\n"
            f"#strong[Get exactly these numbers:] {queries}])\n{self.after_paper}"
        )

    def _repr_markdown_(self) -> str:
        return in_both(self.to_html(), self.to_typst())


def _keyed(text: str) -> str:
    """Return a subtitle in which (group) and (reference) stand as their marks."""
    return (
        escape(text)
        .replace("(group)", marks.ICONS["group"])
        .replace("(reference)", marks.ICONS["reference"])
    )


def _keyed_typst(text: str) -> str:
    written = typst.literal(text, hashed=True)
    for role in ("group", "reference"):
        written = written.replace(f"({role})", f'"{typst.icon(role)}#"')
    return written


@dataclass(frozen=True, slots=True)
class TitleBlock:
    """The head of a page: ``title`` and ``kind`` go to the front matter, the rest below it."""

    title: str
    kind: str
    answer: str
    facts: tuple[tuple[str, str], ...]
    warning: str = ""
    links: tuple[tuple[str, str], ...] = ()

    def _repr_markdown_(self) -> str:
        facts = "".join(
            f"<div><dt>{escape(name)}</dt><dd>{escape(said)}</dd></div>"
            for name, said in self.facts
        )
        warning = (
            f'<p class="warn"><strong>{escape(self.warning)}</strong></p>' if self.warning else ""
        )
        html = (
            f"{marks.HATCH_PATTERN}{warning}"
            f'<p class="stand">{escape(self.answer)}</p><dl class="meta">{facts}</dl>'
        )
        rows = ", ".join(
            f"[#strong({typst.literal(name)})], [{typst.literal(said, hashed=True)}]"
            for name, said in self.facts
        )
        caution = (
            f"#block(stroke: .7pt, inset: 2mm, strong({typst.literal(self.warning)}))\n"
            if self.warning
            else ""
        )
        paper = (
            f"{caution}#block(below: 1.2em, text(size: 12.5pt, {typst.literal(self.answer)}))\n"
            "#[#set text(size: 8.5pt)\n#set par(justify: false)\n#grid(columns: (34mm, 1fr), "
            f"row-gutter: 1.8mm, {rows})]\n"
        )
        return in_both(html, paper)


@dataclass(frozen=True, slots=True)
class Document:
    """Several values in one: what a cell shows when it shows more than one thing."""

    parts: tuple[Prose | Figure | TitleBlock | Document, ...]

    def _repr_markdown_(self) -> str:
        return "\n".join(part._repr_markdown_() for part in self.parts)

    def figures(self) -> tuple[Figure, ...]:
        """Return the figures from top to bottom."""
        found: list[Figure] = []
        for part in self.parts:
            if isinstance(part, Figure):
                found.append(part)
            elif isinstance(part, Document):
                found.extend(part.figures())
        return tuple(found)
