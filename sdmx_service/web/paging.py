"""The links from one page of an answer to the others (RFC 8288)."""

from __future__ import annotations

from starlette.requests import Request

from sdmx_service.query.query import DataQuery

__all__ = ["links"]


def links(request: Request, query: DataQuery, rows: int) -> str | None:
    """Return the Link header of a page with so many rows; None where all was asked for.

    A page that is full has a next one, which may turn out to be empty (204).
    """
    if query.limit is None:
        return None
    pages = {"first": 0}
    if query.offset:
        pages["prev"] = max(0, query.offset - query.limit)
    if rows >= query.limit:
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
    # What stands in a header between < and > must not close it.
    address = f"{raw.decode('ascii', 'replace')}?{'&'.join([*kept, f'offset={offset}'])}"
    return address.replace("<", "%3C").replace(">", "%3E").replace('"', "%22")
