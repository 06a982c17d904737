"""A block of elements as the texts of its values and what stands between them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sdmx_service.formats.spans import SPARE, Spans
from sdmx_service.formats.xmlbodies import NotPlainError
from sdmx_service.formats.xmlgrammar import Form

__all__ = ["Texts", "parted"]

Array = NDArray[Any]

# No value is longer for lxml, unless huge trees are allowed.
_LONGEST = 10_000_000
_VALUE = b' value="'
_OPEN, _QUOTE, _SLASH, _END = map(ord, '<"/>')
# XML 1.0, 4.6 and 4.1.
_NAMED = {"lt": "<", "gt": ">", "quot": '"', "apos": "'", "amp": "&"}
_REFERENCE = re.compile(rb"&(?:(lt|gt|quot|apos|amp)|#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6}));")
# XML 1.0 has no form for these, which are well-formed UTF-8.
_NO_CHARACTERS = (b"\xef\xbf\xbe", b"\xef\xbf\xbf")
# In lines that a text has, an XML parser changes nothing but carriage returns.
_KEPT = (ord("\t"), ord("\n"))


@dataclass(frozen=True)
class Texts:
    """The values of a block in their order, and ``gaps`` before and after each of them.

    ``content`` says which of them are the text of an element, None where none is; all others are
    attributes. Together the gaps and the values are the block.
    """

    block: bytes
    begins: Array
    ends: Array
    content: Array | None

    @cached_property
    def values(self) -> Spans:
        """The values as they are written."""
        return Spans.of(self.block, self.begins, self.ends)

    @cached_property
    def gaps(self) -> pl.Series:
        """What stands before each value, then what stands after the last of them."""
        end = len(self.block) - SPARE
        begins = np.concatenate((np.zeros(1, dtype="i8"), self.ends))
        return Spans.of(self.block, begins, np.append(self.begins, end)).texts

    def refuse(self, gaps: list[str], often: Array) -> None:
        """Raise NotPlainError for what an XML parser would refuse or change in a value.

        ``gaps`` are those that there are, ``often`` says how often each of them is.
        """
        marks = np.frombuffer(self.block, dtype="u1", count=len(self.block) - SPARE)

        def outside(*characters: str) -> int:
            each = [sum(map(gap.count, characters)) for gap in gaps]
            return int(np.dot(each, often))

        if np.count_nonzero(marks == _OPEN) != outside("<"):
            raise NotPlainError
        if np.count_nonzero(marks < 32) != outside("\t", "\r", "\n"):
            self._refuse_controls(marks)
        if max(map(len, gaps)) > _LONGEST or _longest(self.ends - self.begins) > _LONGEST:
            raise NotPlainError
        if self.content is not None and b"]]>" in self.block:
            raise NotPlainError
        if self._references is None:
            raise NotPlainError

    def _refuse_controls(self, marks: Array) -> None:
        """Refuse line ends in attributes, which stand for spaces, and carriage returns."""
        found = np.flatnonzero(marks < 32)
        at = np.searchsorted(self.begins, found, side="right") - 1
        inside = (at >= 0) & (found < self.ends[at])
        kept = np.isin(marks[found], _KEPT)
        if self.content is None or not (kept & self.content[at])[inside].all():
            raise NotPlainError
        if not (kept | (marks[found] == ord("\r")))[~inside].all():
            raise NotPlainError

    @cached_property
    def _references(self) -> Mapping[str, str] | None:
        """What each reference stands for, None where one stands for nothing."""
        many = self.block.count(b"&") if b"&" in self.block else 0
        found = Counter(match[0] for match in _REFERENCE.finditer(self.block)) if many else {}
        known = {text.decode(): _character(text) for text in found}
        if sum(found.values()) != many or None in known.values():
            return None
        return {reference: str(character) for reference, character in known.items()}

    def said(self, values: Spans) -> pl.Series:
        """Return some of the values as the texts that they stand for."""
        found, references = values.texts, self._references
        if references and found.str.contains("&", literal=True).any():
            return found.str.replace_many(list(references), list(references.values()))
        return found


def _character(reference: bytes) -> str | None:
    """Return what a reference stands for, None for what is no character of XML."""
    match = _REFERENCE.fullmatch(reference)
    if match is None or match[1]:
        return None if match is None else _NAMED[match[1].decode()]
    number = int(match[2]) if match[2] else int(match[3], 16)
    plain = 0x20 <= number <= 0xD7FF or 0xE000 <= number <= 0xFFFD or 0x10000 <= number <= 0x10FFFF
    return chr(number) if plain or number in (0x9, 0xA, 0xD) else None


def _longest(lengths: Array) -> int:
    return int(lengths.max()) if len(lengths) else 0


def _is_text(block: bytes) -> bool:
    """Return whether a block is UTF-8 of characters that XML has a form for, controls apart."""
    if block.isascii():
        return True
    try:
        str(block, "utf-8")
    except UnicodeDecodeError:
        return False
    return not any(one in block for one in _NO_CHARACTERS)


def parted(block: bytes, form: Form) -> Texts:
    """Return the values of a block, NotPlainError where it is no text or quotes do not tell them.

    What is taken for a value and is none makes a gap that is nothing of the form.
    """
    if not _is_text(block):
        raise NotPlainError
    marks = np.frombuffer(block, dtype="u1", count=len(block) - SPARE)
    if not form.generic and b"<Comp" in block:
        return _with_content(block, marks, form)
    quotes = np.flatnonzero(marks == _QUOTE)
    if len(quotes) % 2:
        raise NotPlainError
    opening, closing = quotes[0::2], quotes[1::2]
    if form.generic:
        # The other attributes are ids, which say what the value is of.
        before = len(_VALUE) - 1
        if len(quotes) and quotes[0] < before:
            raise NotPlainError
        valued = _begin(block, opening - before, _VALUE)
        opening, closing = opening[valued], closing[valued]
    return Texts(block, opening + 1, closing, None)


def _with_content(block: bytes, marks: Array, form: Form) -> Texts:
    """Return the attributes of elements that are rows, and the texts of Value and Text."""
    found = np.flatnonzero((marks == _QUOTE) | (marks == _OPEN))
    opens = marks[found] == _OPEN
    tags, quotes = found[opens], found[~opens]
    piece = (np.cumsum(opens) - 1)[~opens]  # the tag that a quote comes after
    if not len(tags) or (piece < 0).any():
        raise NotPlainError
    rank = np.arange(len(quotes)) - np.searchsorted(piece, np.arange(len(tags)))[piece]
    following = np.append(tags[1:], len(marks))
    ended = np.append(marks[tags[1:] + 1] == _SLASH, False)  # the next tag is that of its end
    plain = _begin(block, tags, b"<Value>") & ended
    begins, parted = [tags[plain] + len(b"<Value>")], ~plain
    for name in form.named("Text"):
        start = f"<{name}".encode()
        named = _begin(block, tags, start) & ended
        bare = named & (marks[np.minimum(tags + len(start), len(marks) - 1)] == _END)
        # The language stands between the first two quotes; those after it belong to the text.
        told = (named & ~bare)[piece] & (rank == 1)
        begins += [tags[bare] + len(start) + 1, quotes[told] + 2]
        parted &= ~named
    own = (parted & ~_begin(block, tags, b"<Comp"))[piece]
    first, second = quotes[own & (rank % 2 == 0)], quotes[own & (rank % 2 == 1)]
    if len(first) != len(second):
        raise NotPlainError
    content = np.concatenate(begins)
    ends = following[np.searchsorted(tags, content) - 1]
    every = np.concatenate((content, first + 1))
    order = np.argsort(every, kind="stable")
    every, ends = every[order], np.concatenate((ends, second))[order]
    if (every > ends).any() or (every[1:] < ends[:-1]).any():
        raise NotPlainError
    return Texts(block, every, ends, order < len(content))


def _begin(block: bytes, places: Array, text: bytes) -> Array:
    """Return whether a text stands at each of some places."""
    words = np.ndarray((len(block) - 7,), "<u8", block, 0, (1,))
    same = np.ones(len(places), dtype=bool)
    for at in range(0, len(text), 8):
        part = text[at : at + 8]
        there = words[np.minimum(places + at, len(words) - 1) if at else places]
        if len(part) < 8:
            there &= np.uint64((1 << 8 * len(part)) - 1)
        same &= there == np.uint64(int.from_bytes(part, "little"))
    return same
