"""An error as a person meets it who followed a link or typed an address."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from http import HTTPStatus

from sdmx_service.web.page import page

__all__ = ["error_page"]

# Of a status, what it means to a reader: a heading, and a sentence that says what can be done.
_SAID = {
    HTTPStatus.BAD_REQUEST: (
        "This address cannot be read",
        "A word of it is not one that the service knows there. Mend it in the address line.",
    ),
    HTTPStatus.NOT_FOUND: (
        "There is nothing here",
        "The address is understood, and nothing is published under it.",
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        "This service is only read",
        "Nothing can be sent to it or changed in it.",
    ),
    HTTPStatus.NOT_ACCEPTABLE: (
        "Not in this form",
        "The answer is there, and not in the form that was asked for. Choose one of those below.",
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        "Too much at once",
        "Ask for less, in the way that is said below.",
    ),
    HTTPStatus.REQUEST_URI_TOO_LONG: (
        "This address is too long",
        "Ask for the whole dataflow, or in several parts.",
    ),
    HTTPStatus.UNPROCESSABLE_ENTITY: (
        "This does not fit the data",
        "The address is well formed, and names something that the data do not have.",
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        "Nothing can be served just now",
        "No release is ready. Come back in a minute.",
    ),
}
_FAILED = ("The service failed", "It is not your fault. If it happens again, tell who runs it.")
# What to try comes before what could be said there, which may be a long list.
_WORDS = {"where": "Place", "got": "Found", "hint": "Try", "expected": "Expected"}


def error_page(status: HTTPStatus, address: str, parts: Mapping[str, str], *, home: str) -> str:
    """Return a page that says what is wrong, what is expected and where to go on.

    ``address`` is the path and query asked for, ``parts`` are where, got, expected and hint, those
    there are; ``home`` is the address of the front page.
    """
    title, sense = _SAID.get(status, _FAILED)
    told = f"<div><dt>Address</dt><dd><code>{escape(address)}</code></dd></div>" + "".join(
        f"<div><dt>{word}</dt><dd>{escape(parts[part])}</dd></div>"
        for part, word in _WORDS.items()
        if part in parts
    )
    return page(
        title,
        f'<header><nav aria-label="Site"><ul><li><a href="{escape(home)}">What is published</a>'
        f'</li></ul></nav></header><main><div class="title"><p class="kick">SDMX service. '
        f"{status.value} {status.phrase}</p><h1>{title}</h1>"
        f'<p class="stand">{sense}</p><dl class="said">{told}</dl></div></main>'
        f'<footer><p><a href="{escape(home)}">The front page</a> lists all dataflows, with '
        "addresses to copy. Programs get this error as <code>application/problem+json</code>."
        "</p></footer>",
    )
