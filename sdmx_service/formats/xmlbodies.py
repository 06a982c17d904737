"""The bodies of the data sets of an SDMX-ML message, apart from what stands around them."""

from __future__ import annotations

import mmap
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sdmx_service.formats.spans import SPARE

__all__ = ["Bodies", "Body", "NotPlainError", "bodies"]

_LONGEST_BLOCK = 1 << 30
_OPENING = re.compile(
    rb'<((?:[A-Za-z_][\w.-]*:)?DataSet)(?:\s+[A-Za-z_][\w.:-]*\s*=\s*"[^"<]*")*\s*>'
)
_DECLARED = (b"<?xml ", b"\xef\xbb\xbf<?xml ")
_DEFAULT = re.compile(rb"xmlns\s*=")
_COMMENT = re.compile(rb"<!--(?:(?!--)[^\0])*-->")
_TAG = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?DataSet[\s>/]")
_ATTRIBUTES = re.compile(rb"\s*<((?:[A-Za-z_][\w.-]*:)?Attributes)>")


class NotPlainError(Exception):
    """A message has more than elements with attributes: only an XML parser can tell what."""


@dataclass(frozen=True)
class Body:
    """What stands between the tags of a data set, from ``begin`` to ``end`` of a message."""

    content: bytes | mmap.mmap
    begin: int
    end: int

    def blocks(self, size: int, series: bytes, observation: bytes) -> Iterator[bytes]:
        """Yield the body in blocks of about ``size`` bytes that end where no series is open.

        ``series`` and ``observation`` are how such elements begin. Each block has ``SPARE`` bytes
        after its end.
        """
        at = self.begin
        while at < self.end:
            end = self._cut(at, size, series, observation)
            # Both parts at once: a sum would copy the block twice.
            yield b"".join((memoryview(self.content)[at:end], bytes(SPARE)))
            at = end

    def _cut(self, at: int, size: int, series: bytes, observation: bytes) -> int:
        while at + size < self.end:
            for tag in (series, observation):
                end = self.content.rfind(tag, at + 1, at + size)
                if end > 0:
                    return end
                if self.content.find(series, at, at + size) >= 0:
                    break  # an observation may belong to the only series there is
            size *= 2
            if size > _LONGEST_BLOCK:
                raise NotPlainError
        return self.end


@dataclass(frozen=True)
class Bodies:
    """The bodies of a message in order, and the message without them, ``around``."""

    around: bytes
    each: tuple[Body, ...]

    @property
    def typed(self) -> bool:
        """Whether elements may have an attribute ``xsi:type``."""
        return b"xmlns:xsi=" in self.around.partition(b"Header")[0]


@contextmanager
def bodies(content: bytes | Path, *, generic: bool) -> Generator[Bodies, None, None]:
    """Open a message and tell the bodies of its data sets.

    What a ``generic`` data set says of itself is left around its body. Raises NotPlainError where
    declarations other than the first or, of messages that are not generic, a default namespace
    stand around them, so that a tag could be none or mean something else.
    """
    if isinstance(content, bytes):
        yield _told(content, generic)
        return
    with content.open("rb") as file:
        if not file.seek(0, 2):
            raise NotPlainError
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield _told(mapped, generic)


def _told(content: bytes | mmap.mmap, generic: bool) -> Bodies:
    around, each, at = [], [], 0
    while (tag := _TAG.search(content, at)) is not None:
        opening = _OPENING.match(content, tag.start())
        if opening is None:
            raise NotPlainError
        closing = b"</" + opening[1] + b">"
        end = content.find(closing, opening.end())
        if end < 0:
            raise NotPlainError
        begin = opening.end()
        if generic and (attributes := _ATTRIBUTES.match(content, begin)) is not None:
            last = b"</" + attributes[1] + b">"
            begin = content.find(last, begin, end) + len(last)
            if begin < len(last):
                raise NotPlainError
        around.append(content[at:begin])
        each.append(Body(content, begin, end))
        at = end + len(closing)
        around.append(closing)
    around.append(content[at:])
    whole = b"".join(around)
    bare = _COMMENT.sub(b"", whole)
    doubtful = b"<!" in bare or (not generic and _DEFAULT.search(bare) is not None)
    if doubtful or bare.count(b"<?") > bare.startswith(_DECLARED):
        raise NotPlainError
    return Bodies(whole, tuple(each))
