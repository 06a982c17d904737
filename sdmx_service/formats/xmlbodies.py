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
_DOUBTFUL = re.compile(rb"<!|xmlns\s*=")
_TAG = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?DataSet[\s>/]")


class NotPlainError(Exception):
    """A message has more than elements with attributes: only an XML parser can tell what."""


@dataclass(frozen=True)
class Body:
    """What stands between the tags of a data set, from ``begin`` to ``end`` of a message."""

    content: bytes | mmap.mmap
    begin: int
    end: int

    def blocks(self, size: int) -> Iterator[bytes]:
        """Yield the body in blocks of about ``size`` bytes that end where no series is open.

        Each has ``SPARE`` bytes after its end.
        """
        at = self.begin
        while at < self.end:
            end = self._cut(at, size)
            yield self.content[at:end] + bytes(SPARE)
            at = end

    def _cut(self, at: int, size: int) -> int:
        while at + size < self.end:
            for tag in (b"<Series", b"<Obs"):
                end = self.content.rfind(tag, at + 1, at + size)
                if end > 0:
                    return end
                if self.content.find(b"<Series", at, at + size) >= 0:
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
def bodies(content: bytes | Path) -> Generator[Bodies, None, None]:
    """Open a message and tell the bodies of its data sets.

    Raises NotPlainError where comments, other declarations or a default namespace stand around
    them, so that a tag could be none or mean something else.
    """
    if isinstance(content, bytes):
        yield _told(content)
        return
    with content.open("rb") as file:
        if not file.seek(0, 2):
            raise NotPlainError
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield _told(mapped)


def _told(content: bytes | mmap.mmap) -> Bodies:
    around, each, at = [], [], 0
    while (tag := _TAG.search(content, at)) is not None:
        opening = _OPENING.match(content, tag.start())
        if opening is None:
            raise NotPlainError
        closing = b"</" + opening[1] + b">"
        end = content.find(closing, opening.end())
        if end < 0:
            raise NotPlainError
        around.append(content[at : opening.end()])
        each.append(Body(content, opening.end(), end))
        at = end + len(closing)
        around.append(closing)
    around.append(content[at:])
    whole = b"".join(around)
    if _DOUBTFUL.search(whole) or whole.count(b"<?") > whole.startswith(_DECLARED):
        raise NotPlainError
    return Bodies(whole, tuple(each))
