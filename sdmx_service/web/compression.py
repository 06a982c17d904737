"""Compressed answers: gzip, brotli or Zstandard, whichever the client wants most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sdmx_service.formats.weights import members

__all__ = ["CODINGS", "LEAST", "Compression", "Encodings", "compressed", "encodings"]

LEAST = 1_000
"""Bytes under which an answer goes as it is, if it may: it fits into one packet anyway."""


class _Stream(Protocol):
    def add(self, piece: bytes) -> bytes:
        """Take in a piece and return what can be sent of it."""

    def end(self) -> bytes:
        """Return the rest."""


class _Deflate:
    def __init__(self) -> None:
        # Level 1 of ISA-L packs as level 1 of zlib does, several times as fast.
        module: Any = import_module("isal.isal_zlib" if _is_there("isal") else "zlib")
        self._to = module.compressobj(level=1, wbits=31)

    def add(self, piece: bytes) -> bytes:
        done: bytes = self._to.compress(piece)
        return done

    def end(self) -> bytes:
        done: bytes = self._to.flush()
        return done


class _Brotli:
    def __init__(self) -> None:
        module: Any = import_module("brotli")
        self._to = module.Compressor(quality=1)

    def add(self, piece: bytes) -> bytes:
        done: bytes = self._to.process(piece)
        return done

    def end(self) -> bytes:
        done: bytes = self._to.finish()
        return done


class _Zstandard:
    def __init__(self) -> None:
        module: Any = import_module("zstandard")
        self._to = module.ZstdCompressor(level=1).compressobj()

    def add(self, piece: bytes) -> bytes:
        done: bytes = self._to.compress(piece)
        return done

    def end(self) -> bytes:
        done: bytes = self._to.flush()
        return done


def _is_there(module: str) -> bool:
    return find_spec(module) is not None


# In the order of preference where a client has none: the fastest first.
CODINGS: Mapping[str, Callable[[], _Stream]] = {
    **({"zstd": _Zstandard} if _is_there("zstandard") else {}),
    "gzip": _Deflate,
    **({"br": _Brotli} if _is_there("brotli") else {}),
}


@dataclass(frozen=True)
class Encodings:
    """What an Accept-Encoding header says (RFC 9110, 12.5.3).

    ``best`` is the coding wanted most, None for the answer as it is; ``plain`` whether the client
    takes it as it is, which it does unless it says otherwise.
    """

    best: str | None
    plain: bool

    def worth(self, size: int, *, more: bool = False) -> bool:
        """Return whether to compress an answer of so many bytes, or more than these."""
        return self.best is not None and (size >= LEAST or more or bool(size and not self.plain))


@lru_cache(maxsize=512)
def encodings(accept: str) -> Encodings:
    """Read an Accept-Encoding header; codings that are not known here are passed over.

    ``x-gzip`` is another name for gzip (RFC 9110, 8.4.1.3).
    """
    wanted: dict[str, float] = {}
    for one in members(accept.lower()):
        wanted[one.name.removeprefix("x-")] = one.quality
    best, most = None, wanted.get("identity", 0.0)
    for name in CODINGS:
        quality_of = wanted.get(name, wanted.get("*", 0.0))
        if quality_of > 0 and (quality_of > most or (best is None and quality_of == most)):
            best, most = name, quality_of
    return Encodings(best, wanted.get("identity", wanted.get("*", 1.0)) > 0)


def compressed(name: str, body: bytes) -> bytes:
    """Return a whole body in a coding."""
    stream = CODINGS[name]()
    return stream.add(body) + stream.end()


class Compression:
    """Compresses answers of 1,000 bytes and more on their way out, piece by piece."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        wanted = None
        if scope["type"] == "http":
            wanted = encodings(Headers(scope=scope).get("accept-encoding", ""))
        if wanted is None or wanted.best is None:
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Sender(wanted, wanted.best, send))


class _Sender:
    def __init__(self, wanted: Encodings, name: str, send: Send) -> None:
        self._wanted, self._name, self._send = wanted, name, send
        self._start: Message | None = None
        self._stream: _Stream | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] != "http.response.body":
            await self._send(message)
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self._start is not None:
            if self._worth(body, more=more):
                self._stream = CODINGS[self._name]()
                headers = MutableHeaders(scope=self._start)
                headers["Content-Encoding"] = self._name
                del headers["Content-Length"]
            await self._send(self._start)
            self._start = None
        if self._stream is not None:
            body = self._stream.add(body) + (b"" if more else self._stream.end())
        await self._send({"type": "http.response.body", "body": body, "more_body": more})

    def _worth(self, body: bytes, *, more: bool) -> bool:
        assert self._start is not None  # asked before the start is sent
        headers = MutableHeaders(scope=self._start)
        return "content-encoding" not in headers and self._wanted.worth(len(body), more=more)
