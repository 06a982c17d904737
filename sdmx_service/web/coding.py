"""Which content coding a client asks for, in its headers or in the address."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from sdmx_service.errors import NotAcceptable
from sdmx_service.web.compression import CODINGS, encodings
from sdmx_service.web.problem import answer_error

__all__ = ["Coded"]

# Content codings that a server may know (IANA, HTTP content coding registry).
_REGISTERED = frozenset(
    {"aes128gcm", "br", "compress", "dcb", "dcz", "deflate", "exi", "gzip", "identity"}
    | {"pack200-gzip", "x-compress", "x-gzip", "zstd", "*"}
)
# Headers whose lines are the members of one list (RFC 9110, 5.3).
_LISTS = (b"accept", b"accept-language", b"accept-encoding", b"if-none-match")


class Coded:
    """Lets ``compression=`` win over Accept-Encoding, and refuses codings that cannot be met.

    Headers that came in several lines are one line after it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        app: ASGIApp = self.app
        if scope["type"] == "http" and scope["method"] != "OPTIONS":
            try:
                scope = _coded(_joined(scope))
            except NotAcceptable as unknown:
                app = answer_error(Request(scope), unknown)
        await app(scope, receive, send)


def _joined(scope: Scope) -> Scope:
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    names = [name for name, _ in headers]
    if len(set(names)) == len(names):
        return scope
    lines = {one: [value for name, value in headers if name == one] for one in _LISTS}
    kept = [header for header in headers if header[0] not in lines]
    kept += [(name, b", ".join(values)) for name, values in lines.items() if values]
    return {**scope, "headers": kept}


def _coded(scope: Scope) -> Scope:
    query, name = scope.get("query_string", b""), b"accept-encoding"
    asked = None
    if b"compression=" in query:
        asked = dict(parse_qsl(query.decode("latin-1"))).get("compression")
    if asked is None:
        for header, value in scope["headers"]:
            if header == name:
                _refuse_coding(value.decode("latin-1"))
        return scope
    if asked not in (*CODINGS, "identity"):
        raise NotAcceptable(
            "compression", got=asked[:255], expected=f"one of {', '.join(CODINGS)}, identity"
        )
    kept = [header for header in scope["headers"] if header[0] != name]
    return {**scope, "headers": [*kept, (name, asked.encode())]}


@lru_cache(maxsize=512)
def _refuse_coding(header: str) -> None:
    """Raise NotAcceptable for an Accept-Encoding that this service cannot meet.

    That is one that refuses the answer as it is and every coding known here (RFC 9110, 12.5.3),
    or names nothing that is registered, which the OpenAPI files of SDMX REST call invalid. A
    registered coding that is not known here is passed over.
    """
    wanted = encodings(header)
    named = {one.partition(";")[0].strip().lower() for one in header.split(",")} - {""}
    unmet = wanted.best is None and not wanted.plain
    if unmet or (named and not named & _REGISTERED):
        raise NotAcceptable(
            "Accept-Encoding",
            got=header[:255],
            expected=f"{', '.join(CODINGS)} or identity" if unmet else "a registered coding",
            hint=f"this service knows {', '.join(CODINGS)} and identity",
        )
