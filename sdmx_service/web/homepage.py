"""The front page for people: what is published, and how to get it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from typing import Any

from sdmx_service.web.page import page

__all__ = ["home_page"]

# The formats people click, by their short names: what they call them, and what files end in.
_CLICKED = {
    "csv21": ("CSV", ".csv"),
    "xlsx": ("Excel", ".xlsx"),
    "parquet": ("Parquet", ".parquet"),
    "json21": ("JSON", ".json"),
    "xml31": ("XML", ".xml"),
}
# What formats there are of, by the key of the JSON form.
_WRITTEN = {
    "formats": "data",
    "structureFormats": "structures",
    "metadataFormats": "reference metadata",
    "schemaFormats": "schemas",
}


def home_page(listed: Mapping[str, Any]) -> str:
    """Return the page that says what the JSON form of ``/`` says; it needs no script."""
    title, published = escape(listed["title"]), listed["published"]
    held = [flow for flow in listed["dataflows"] if flow["observations"]]
    return page(
        listed["title"],
        '<a class="skip" href="#flows">To the dataflows</a>'
        '<header><nav aria-label="On this page"><ul>'
        '<li><a href="#flows">Dataflows</a></li><li><a href="#use">Use them</a></li>'
        '<li><a href="#try">Try</a></li><li><a href="#formats">Formats</a></li>'
        '<li><a href="#rest">Interfaces</a></li></ul></nav></header><main>',
        f'<div class="title"><p class="kick">SDMX service. Release '
        f"{escape(listed['release'])}</p><h1>{title}</h1>"
        f'<p class="stand">{len(held)} dataflows, each estimate with its interval and its '
        "status. Open to everyone, without a key, for people and for programs.</p>",
        _facts(listed, published),
        "</div>",
        _flows(listed["dataflows"]),
        _uses(listed["examples"]),
        _tries(listed["tries"]),
        _formats(listed),
        _interfaces(listed["resources"]),
        "</main>",
        f"<footer><p>{_organisation(listed)}Release {escape(listed['release'])}, published "
        f"{_moment(published)}. Every answer names its release in the header "
        '<code>X-Release</code>. <a href="?format=json">This page as data</a>, which programs '
        "get without asking.</p></footer>",
    )


def _organisation(listed: Mapping[str, Any]) -> str:
    return f"{escape(listed['organisation'])}. " if listed.get("organisation") else ""


def _moment(text: str) -> str:
    day, _, time = text.partition("T")
    return f'<time datetime="{escape(text)}">{escape(day)}, {escape(time[:5])} UTC</time>'


def _facts(listed: Mapping[str, Any], published: str) -> str:
    facts = {"Published": _moment(published)}
    facts |= {
        label: f"<code>{escape(path)}</code>" for label, path in listed["entryPoints"].items()
    }
    if listed.get("licence"):
        facts["Licence"] = escape(listed["licence"])
    items = "".join(f"<div><dt>{name}</dt><dd>{said}</dd></div>" for name, said in facts.items())
    return f'<dl class="meta">{items}</dl>'


def _flows(flows: Iterable[Mapping[str, Any]]) -> str:
    return _section(
        "flows",
        "Dataflows",
        "A file has the whole dataflow. Narrower questions are below.",
        '<table><thead><tr><th scope="col">Id</th><th scope="col">Name</th>'
        '<th scope="col" class="n">Observations</th><th scope="col">Data</th>'
        '<th scope="col">About</th></tr></thead><tbody>',
        *(_flow(one) for one in flows),
        "</tbody></table>",
    )


def _flow(one: Mapping[str, Any]) -> str:
    id, count = escape(one["id"]), one["observations"]
    data = "no data yet"
    if count:
        data = "".join(
            _get(one["data"][name], word, id, f"{id}{ending}")
            for name, (word, ending) in _CLICKED.items()
        )
    about = _get(one["structure"], "structure", id)
    if count:
        about += _get(one["availability"], "availability", id)
    return (
        f'<tr><th scope="row"><code>{id}</code></th><td{_language(one)}>{escape(one["name"])}</td>'
        f'<td class="n" data-unit=" observations">{count:,}</td><td class="get">{data}</td>'
        f'<td class="get">{about}</td></tr>'
    )


def _language(one: Mapping[str, Any]) -> str:
    """Return the attributes of a name that is in another language than the page."""
    tag = one["language"]
    return f' lang="{escape(tag)}" dir="auto"' if tag not in ("", "en") else ""


def _get(url: str, word: str, id: str, file: str | None = None) -> str:
    # Without a name for the file a browser takes the end of the address, which has no ending.
    saved = "" if file is None else f' download="{file}"'
    return f'<a href="{escape(url)}"{saved} aria-label="{word} of {id}">{word}</a>'


def _uses(examples: Iterable[Mapping[str, str]]) -> str:
    return _section(
        "use",
        "Use them",
        "To copy. Each is run against the service when it is tested.",
        '<div class="ways">',
        *(
            f"<div><h3>{escape(one['client'])}</h3><pre>{escape(one['code'])}</pre></div>"
            for one in examples
        ),
        "</div>",
    )


def _tries(tries: Iterable[Mapping[str, str]]) -> str:
    return _section(
        "try",
        "Try",
        "Questions to follow with a click, and to change in the address.",
        '<ul class="tries">',
        *(
            f'<li><a href="{escape(one["url"])}">{escape(one["says"])}</a>'
            f"<code>{escape(one['path'])}</code></li>"
            for one in tries
        ),
        "</ul>",
    )


def _formats(listed: Mapping[str, Any]) -> str:
    rows = [(name, type, of) for key, of in _WRITTEN.items() for name, type in listed[key].items()]
    return _section(
        "formats",
        "Formats",
        "Ask with the header Accept, or with format= in the address.",
        '<table><thead><tr><th scope="col">format=</th><th scope="col">Media type</th>'
        '<th scope="col">Of</th></tr></thead><tbody>',
        *(
            f'<tr><th scope="row"><code>{escape(name)}</code></th>'
            f"<td><code>{escape(type)}</code></td><td>{of}</td></tr>"
            for name, type, of in rows
        ),
        "</tbody></table>",
    )


def _interfaces(resources: Mapping[str, Iterable[str]]) -> str:
    return _section(
        "rest",
        "Interfaces",
        "Parts at the end of a path may be left out. An unknown word is answered with those known.",
        '<table><thead><tr><th scope="col">Version</th><th scope="col">Resource</th></tr></thead>'
        "<tbody>",
        *_resources(resources),
        "</tbody></table>",
    )


def _resources(resources: Mapping[str, Iterable[str]]) -> Iterator[str]:
    for version, paths in resources.items():
        for path in paths:
            yield (
                f'<tr><th scope="row">{escape(version)}</th>'
                f"<td><code>{escape(path)}</code></td></tr>"
            )


def _section(id: str, title: str, sub: str, *parts: str) -> str:
    return (
        f'<section id="{id}" aria-labelledby="{id}-title"><h2 id="{id}-title">{title}</h2>'
        f'<p class="sub">{sub}</p>{"".join(parts)}</section>'
    )
