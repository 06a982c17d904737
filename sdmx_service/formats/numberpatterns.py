"""Regular expressions for decimal numbers within bounds that are written as texts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

__all__ = ["bounded"]

_PLUS = r"\+?"
_ANY = r"(?:\.[0-9]*)?"
_SOME = r"[0-9.]*[1-9][0-9.]*"


def bounded(limit: str, *, least: bool, strict: bool) -> str:
    """Return what texts of numbers without exponent match that are at least ``limit``, or at most.

    The limit itself is left out where that is ``strict``. The texts are known to be numbers.
    """
    number = Decimal(limit)
    if number == 0:
        sign, nothing = _PLUS if least else "-", "" if strict else "|[+-]?[0.]+"
        return f"^(?:{sign}{_SOME}{nothing})$"
    own, other = ("-", _PLUS) if number < 0 else (_PLUS, "-")
    whole, _, part = format(abs(number), "f").partition(".")
    # Of negative numbers the larger ones are nearer to zero.
    away = least is (number > 0)
    ways = (_larger if away else _smaller)(whole.lstrip("0"), part.rstrip("0"), strict=strict)
    opposite = "" if away else f"|{other}[0-9.]*"
    return f"^(?:{own}0*(?:{'|'.join(ways)}){opposite})$"


def _larger(whole: str, part: str, *, strict: bool) -> Iterator[str]:
    """Yield the ways to write what is at least so large; zeros before it are written already."""
    yield f"[1-9][0-9]{{{len(whole)},}}{_ANY}"
    yield from (f"{start}[0-9]{{{left}}}{_ANY}" for start, left in _above(whole))
    yield from (rf"{whole}\.{start}[0-9]*" for start, _ in _above(part))
    if strict:
        yield rf"{whole}\.{part}[0-9]*[1-9][0-9]*"
    elif part:
        yield rf"{whole}\.{part}[0-9]*"
    else:
        yield f"{whole}{_ANY}"


def _smaller(whole: str, part: str, *, strict: bool) -> Iterator[str]:
    """Yield the ways to write what is at most so large; zeros before it are written already."""
    if whole:
        yield rf"[0-9]{{0,{len(whole) - 1}}}{_ANY}"
    yield from (f"{start}[0-9]{{{left}}}{_ANY}" for start, left in _below(whole))
    yield from (rf"{whole}\.{start}[0-9]*" for start, _ in _below(part))
    shorter = (part[:at] for at in range(len(part)) if part[at:].strip("0"))
    yield from (rf"{whole}(?:\.{one})?" if not one else rf"{whole}\.{one}" for one in shorter)
    if not strict:
        yield rf"{whole}\.{part}0*" if part else rf"{whole}(?:\.0*)?"


def _above(digits: str) -> Iterator[tuple[str, int]]:
    """Yield beginnings that are above those digits, each with the number of digits left."""
    for at, digit in enumerate(digits):
        if digit != "9":
            yield f"{digits[:at]}[{int(digit) + 1}-9]", len(digits) - at - 1


def _below(digits: str) -> Iterator[tuple[str, int]]:
    for at, digit in enumerate(digits):
        if digit != "0":
            yield f"{digits[:at]}[0-{int(digit) - 1}]", len(digits) - at - 1
