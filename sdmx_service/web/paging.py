"""The links from one page of an answer to the others (RFC 8288)."""

from __future__ import annotations

from starlette.requests import Request

from sdmx_service.query.query import DataQuery

__all__ = ["links"]

_ENCODED = {ord(one): f"%{ord(one):02X}" for one in '<>"[]{}|\\^` '}


def links(request: Request, query: DataQuery, rows: int) -> str | None:
    """Return the Link header of a page; None where all was asked for.

    ``rows`` are those from the page's first on, at least one more than it has if more follow.
    """
    if query.limit is None:
        return None
    pages = {"first": 0}
    if query.offset:
        pages["prev"] = max(0, query.offset - query.limit)
    if rows > query.limit:
        pages["next"] = query.offset + query.limit
    return ", ".join(f'<{_address(request, start)}>; rel="{name}"' for name, start in pages.items())


def _address(request: Request, offset: int) -> str:
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    query: bytes = request.scope.get("query_string", b"")
    kept = [
        pair
        for pair in query.decode("ascii", "replace").split("&")
        if pair and pair.partition("=")[0] != "offset"
    ]
    path = f"{request.scope.get('root_path', '')}{raw.decode('ascii', 'replace')}"
    address = f"{path}?{'&'.join([*kept, f'offset={offset}'])}"
    # A URI has none of these as they are (RFC 3986), and > would close it in the header.
    return address.translate(_ENCODED)
